/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/analysis.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/audit.h"
#include "analyze/derive.h"
#include "analyze/hazard.h"
#include "analyze/insert.h"
#include "analyze/load.h"
#include "analyze/seen.h"
#include "analyze/stream.h"
#include "analyze/witness.h"
#include "lib/array.h"
#include "lib/cli.h"
#include "lib/db/db.h"
#include "lib/err.h"
#include "lib/flow/ends.h"
#include "lib/flow/pipe.h"
#include "lib/join/join.h"
#include "lib/key/key.h"
#include "lib/vector/vector.h"

struct window { /* of the table `loss` */
	int32_t cpu;
	int64_t from_ns, to_ns;
	bool ring; /* a record of loss; else the end of a file that was cut */
};

enum { CHANNELS_BEGUN = 1024 };

struct analysis {
	struct db *db;
	int64_t run;
	struct stream *stream;
	const struct analysis_options *o;
	const struct vector_result *found;
	struct join_vector *vector;
	size_t nvector;
	const char *vectors_from, *pairing_from;
	enum pairing pairing;
	char advice[512];
	struct load_holes holes;
	struct window *window;
	size_t nwindow, nring;
	int64_t probe_cost_ns, irq_cost_ns;
	bool searched;	 /* for vectors: none was named */
	int32_t ended;	 /* the command's process, if it ended by itself; else 0 */
	bool from_start; /* nothing was in flight when the recording began */
	struct join *join;
	struct keys *keys; /* NULL = no events of the driver's */
	bool driver, asks,
		issues; /* it has ends; what was asked for; what went to the card */
	struct key_totals words;
	struct audit_totals audit;
	struct hazard hazard;
	struct pipe *pipe;
	struct join_totals totals;
	struct derive *derive;
	struct transfer_insert transfer;
	struct stray_insert stray;
	struct cli_progress progress;
};

static int drop(struct analysis *a, struct err *e)
{
	static const char *const table[] = {
		"drop_analysis",   "drop_transfer", "drop_stray",     "drop_vector",
		"drop_summary",	   "drop_quantile", "drop_histogram", "drop_state_count",
		"drop_throughput", "drop_fit"};
	int rc = 0;

	for (size_t i = 0; i < sizeof(table) / sizeof(*table) && !rc; i++)
		rc = db_run_named(a->db, table[i], a->run, e);
	return rc;
}

/* ---- what was lost ---- */

/* All of them before the first sample, so that a file and its rows give the same. */
static int read_losses(struct analysis *a, struct err *e)
{
	struct db_stmt *q;
	int got, rc = db_prepare_named(a->db, &q, "losses", e);

	if (rc)
		return rc;
	db_bind_i64(q, ":run", a->run);
	while ((got = db_step(q, e)) > 0) {
		int64_t cpu = db_i64(q, "cpu");
		struct window *w;

		if (!strcmp(db_text(q, "kind"), "count"))
			continue; /* nowhere in particular: load_holes() */
		w = reallocarray(a->window, a->nwindow + 1, sizeof(*w));
		if (!w) {
			got = err_nomem(e, "the analysis");
			break;
		}
		a->window = w;
		w += a->nwindow++;
		*w = (struct window){cpu == DMA_UNKNOWN ? -1 : (int32_t)cpu,
				     db_i64(q, "from_ns"), db_i64(q, "to_ns"),
				     !strcmp(db_text(q, "kind"), "ring")};
		a->nring += w->ring;
	}
	return db_finalize(q, got, e);
}

/* ---- which vectors ---- */

static int look(struct analysis *a, struct seen *seen, struct err *e)
{
	struct sample s;
	struct loss loss;
	struct db_stmt *q;
	int got, rc = db_prepare_named(a->db, &q, "irqs", e);

	if (rc)
		return rc;
	db_bind_i64(q, ":run", a->run);
	while (!rc && (got = db_step(q, e))) {
		if (got < 0)
			rc = got;
		else if (db_i64(q, "recorded") == 1)
			rc = vector_finder_known(seen->finder, (int32_t)db_i64(q, "irq"),
						 db_i64(q, "counted"), e);
	}
	rc = db_finalize(q, rc, e);
	for (size_t i = 0; i < a->nwindow && !rc; i++)
		if (a->window[i].ring)
			rc = vector_finder_loss(seen->finder, a->window[i].cpu,
						a->window[i].from_ns, a->window[i].to_ns);
	rc = rc ? rc : stream_rewind(a->stream, e);
	while (!rc && (got = stream_next(a->stream, &s, &loss, e))) {
		if (got < 0)
			rc = got;
		else if (got == STREAM_SAMPLE)
			rc = seen_push(seen, &s, e);
	}
	return rc;
}

/* Those that the user or the profile named when recording. */
static int named_vectors(struct analysis *a, struct err *e)
{
	struct db_stmt *q;
	int got, rc = db_prepare_named(a->db, &q, "irqs", e);

	if (rc)
		return rc;
	db_bind_i64(q, ":run", a->run);
	while (!rc && (got = db_step(q, e))) {
		if (got < 0)
			rc = got;
		else if (db_i64(q, "named") == 1 && db_i64(q, "irq") < HANDLER_STRIDE)
			rc = ends_named(a->found, db_i64(q, "irq"),
					db_i64(q, "named_channel"), &a->vector,
					&a->nvector, e);
	}
	return db_finalize(q, rc, e);
}

/* What was named against what is seen. */
static void doubt_named(struct analysis *a)
{
	for (size_t k = 0; k < a->nvector; k++)
		for (size_t i = 0; i < a->found->noverall; i++) {
			const struct vector_evidence *v = &a->found->overall[i];

			if (v->irq != a->vector[k].irq || ends_transfers(v->verdict) ||
			    v->verdict == VERDICT_UNCLEAR)
				continue;
			snprintf(a->advice, sizeof(a->advice),
				 "interrupt %d was named, but it looks %s: %s", v->irq,
				 verdict_name(v->verdict), v->why);
		}
}

static const struct vector_evidence *evidence_of(const struct analysis *a, int64_t irq)
{
	for (size_t i = 0; i < a->found->noverall; i++)
		if (a->found->overall[i].irq == irq)
			return &a->found->overall[i];
	return NULL;
}

/* A vector of which nothing was recorded would make every transfer one without. */
static int check_option(const struct analysis *a, int64_t irq, struct err *e)
{
	char text[200] = "";
	size_t len = 0;

	if (evidence_of(a, ends_handler(a->found, irq)))
		return 0;
	for (size_t i = 0; i < a->found->noverall && len < sizeof(text) - 16; i++)
		if (a->found->overall[i].interrupts)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%d",
						len ? ", " : "",
						a->found->overall[i].irq);
	return err_set(e, ERR_NOTFOUND,
		       "--irq %" PRId64 ": run %" PRId64
		       " did not record that interrupt; those that came: %s",
		       irq, a->run, len ? text : "none");
}

static int choose_vectors(struct analysis *a, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < a->o->nirq && !rc; i++) {
		rc = check_option(a, a->o->irq[i], e);
		rc = rc ? rc
			: ends_named(a->found, a->o->irq[i], DMA_UNKNOWN, &a->vector,
				     &a->nvector, e);
	}
	a->vectors_from = "option";
	if (!rc && !a->nvector) {
		rc = named_vectors(a, e);
		a->vectors_from = "recording";
	}
	if (!rc && a->nvector) {
		doubt_named(a);
		return 0;
	}
	if (!rc)
		rc = ends_found(a->found, &a->vector, &a->nvector, e);
	a->vectors_from = a->nvector ? "found" : "none";
	a->searched = true;
	snprintf(a->advice, sizeof(a->advice), "%s", a->found->advice);
	return rc;
}

static bool is_used(const struct analysis *a, const struct vector_evidence *v)
{
	for (size_t i = 0; i < a->nvector; i++) {
		const struct join_vector *w = &a->vector[i];

		if (w->irq == v->irq &&
		    (v->card == DMA_UNKNOWN || w->card == DMA_UNKNOWN ||
		     w->card == v->card) &&
		    (v->channel == DMA_UNKNOWN || w->channel == DMA_UNKNOWN ||
		     w->channel == v->channel))
			return true;
	}
	return false;
}

static int write_vector(struct analysis *a, struct db_stmt *s,
			const struct vector_evidence *v, struct err *e)
{
	db_bind_i64(s, ":run", a->run);
	db_bind_i64(s, ":irq", v->irq);
	db_bind_i64(s, ":card", v->card);
	db_bind_i64(s, ":channel", v->channel);
	db_bind_real(s, ":score", v->score);
	db_bind_text(s, ":verdict", verdict_name(v->verdict));
	db_bind_i64(s, ":used", is_used(a, v));
	db_bind_i64(s, ":transfers", (int64_t)v->transfers);
	db_bind_i64(s, ":one", (int64_t)v->one);
	db_bind_i64(s, ":none", (int64_t)v->none);
	db_bind_i64(s, ":many", (int64_t)v->many);
	db_bind_i64(s, ":interrupts", (int64_t)v->interrupts);
	db_bind_i64(s, ":outside", (int64_t)v->outside);
	db_bind_real(s, ":position", v->position);
	db_bind_real(s, ":to_end", v->to_end_ns);
	db_bind_real(s, ":slope", v->slope_ns_per_byte);
	db_bind_real(s, ":intercept", v->intercept_ns);
	db_bind_text(s, ":why", v->why);
	return db_run(s, e);
}

/* The whole of a vector, and its channels where there are several. */
static int write_vectors(struct analysis *a, struct err *e)
{
	const struct vector_result *r = a->found;
	struct db_stmt *s;
	int rc = db_prepare_named(a->db, &s, "vector_insert", e);

	for (size_t i = 0; i < r->noverall && !rc; i++)
		rc = write_vector(a, s, &r->overall[i], e);
	for (size_t i = 0; i < r->nchannel && !rc; i++)
		if (r->channel[i].verdict != VERDICT_SILENT &&
		    (r->channel[i].card != DMA_UNKNOWN ||
		     r->channel[i].channel != DMA_UNKNOWN))
			rc = write_vector(a, s, &r->channel[i], e);
	return db_finalize(s, rc, e);
}

/* ---- the join ---- */

static int on_transfer(void *arg, const struct transfer *t, struct err *e)
{
	struct analysis *a = arg;

	(void)e;
	return pipe_transfer(a->pipe, t);
}

/* As the joiner has it, before the driver's word. */
static int on_joined(void *arg, const struct transfer *given, struct err *e)
{
	struct analysis *a = arg;
	struct transfer t = *given;

	if (t.state == STATE_NO_INTERRUPT && a->holes.interrupts) {
		t.state = STATE_UNKNOWN;
		t.reason = "no interrupt, but some were lost in this recording";
	}
	hazard_tell(&a->hazard, &t);
	return a->keys ? keys_transfer(a->keys, &t, e) : on_transfer(a, &t, e);
}

static int on_stray(void *arg, const struct stray *s, struct err *e)
{
	struct analysis *a = arg;

	(void)e;
	return pipe_stray(a->pipe, s);
}

static int push_losses(struct analysis *a, struct err *e)
{
	int rc = 0;

	if (a->holes.calls)
		rc = join_loss(a->join, -1, DMA_UNKNOWN, DMA_UNKNOWN, e);
	for (size_t i = 0; i < a->nwindow && !rc; i++)
		rc = join_loss(a->join, a->window[i].cpu, a->window[i].from_ns,
			       a->window[i].to_ns, e);
	return rc;
}

static int produce(void *arg, struct pipe *p, struct err *e)
{
	struct analysis *a = arg;
	struct sample s;
	struct loss loss;
	uint64_t n = 0;
	int got, rc;

	a->pipe = p;
	rc = push_losses(a, e);
	while (!rc && (got = stream_next(a->stream, &s, &loss, e))) {
		if (got < 0)
			return got;
		if (got == STREAM_SAMPLE)
			rc = hazard_push(&a->hazard, s.time_ns, a->join, e);
		rc = rc				      ? rc
		     : got == STREAM_LOSS || !a->keys ? 0
						      : keys_push(a->keys, &s, e);
		if (!rc && got != STREAM_LOSS && s.role < ROLE_REGISTER)
			rc = join_push(a->join, &s, e);
		if (!(++n & 1023))
			pipe_done(p, stream_done(a->stream));
	}
	rc = rc ? rc : hazard_push(&a->hazard, INT64_MAX, a->join, e);
	rc = rc ? rc : join_finish(a->join, &a->totals, e);
	return rc || !a->keys ? rc : keys_finish(a->keys, &a->words, e);
}

static int sink_transfer(void *arg, const struct transfer *t, struct err *e)
{
	struct analysis *a = arg;
	int rc = derive_add(a->derive, t, e);

	return rc ? rc : transfer_insert(&a->transfer, t, e);
}

static int sink_stray(void *arg, const struct stray *x, struct err *e)
{
	struct analysis *a = arg;

	return stray_insert(&a->stray, x, e);
}

static void progress(void *arg, uint64_t done, uint64_t rows)
{
	struct analysis *a = arg;

	cli_progress_step(&a->progress, done, rows);
}

static int make_keys(struct analysis *a, struct err *e)
{
	const struct key_options o = {.vector = a->vector,
				      .nvector = a->nvector,
				      .asks = a->asks,
				      .issues = a->issues,
				      .holes = a->holes.driver || a->holes.calls ||
					       a->nring};
	const struct join_sink sink = {.arg = a, .transfer = on_transfer};

	return keys_new(&a->keys, &o, &sink, e);
}

static int join_all(struct analysis *a, struct err *e)
{
	struct begun_channel begun[CHANNELS_BEGUN];
	bool whole = a->holes.counted && !a->holes.calls;
	struct join_options jo = {
		.begun = begun,
		.nbegun = a->from_start && whole ? 0
						 : begun_result(a->found->begun, a->ended,
								begun, CHANNELS_BEGUN),
		.from_start = a->from_start,
		.vector = a->vector,
		.nvector = a->nvector,
		.ended = a->ended,
		.whole = whole,
		.undecided = a->searched,
		.pairing = a->pairing};
	struct join_sink js = {a, on_joined, on_stray};
	struct pipe_sink sink = {.arg = a,
				 .transfer = sink_transfer,
				 .stray = sink_stray,
				 .progress = a->o->quiet ? NULL : progress};
	int rc = transfer_insert_prepare(&a->transfer, a->db, a->run, e);

	if (!rc)
		rc = stray_insert_prepare(&a->stray, a->db, a->run, e);
	if (!rc)
		rc = join_new(&a->join, &jo, &js, e);
	if (!rc && a->driver && !a->o->no_keys)
		rc = make_keys(a, e);
	if (rc)
		return rc;
	cli_progress_begin(&a->progress, "joining", "rows", stream_size(a->stream));
	rc = pipe_run(produce, a, &sink, stream_threads(a->stream), e);
	cli_progress_end(&a->progress);
	return rc;
}

/* ---- the rest ---- */

static int read_run(struct analysis *a, struct err *e)
{
	struct db_stmt *q;
	const char *word;
	int got, p, rc = db_prepare_named(a->db, &q, "run", e);

	if (rc)
		return rc;
	db_bind_i64(q, ":run", a->run);
	got = db_step(q, e);
	if (!got)
		got = err_set(e, ERR_NOTFOUND, "%s: there is no run %" PRId64,
			      db_path(a->db), a->run);
	if (got > 0) {
		word = db_text(q, "pairing");
		p = word ? pairing_parse(word) : -1;
		a->pairing = p < 0 ? PAIRING_INFER : (enum pairing)p;
		a->pairing_from = a->pairing == PAIRING_INFER ? "inferred" : "profile";
		a->ended = db_i64(q, "exit_status") != DMA_UNKNOWN
				   ? (int32_t)db_i64(q, "workload_pid")
				   : 0;
		a->from_start = db_i64(q, "from_start") == 1;
		a->probe_cost_ns = db_i64(q, "probe_cost_ns");
		a->irq_cost_ns = db_i64(q, "irq_cost_ns");
	}
	got = db_finalize(q, got < 0 ? got : 0, e);
	if (a->o->pairing >= 0) {
		a->pairing = (enum pairing)a->o->pairing;
		a->pairing_from = "option";
	}
	return got ? got : load_holes(a->db, a->run, &a->holes, e);
}

/* Which of the driver's events were recorded. */
static int read_driver(struct analysis *a, struct err *e)
{
	struct db_stmt *q;
	int got, rc = db_prepare_named(a->db, &q, "sources", e);

	if (rc)
		return rc;
	db_bind_i64(q, ":run", a->run);
	while ((got = db_step(q, e)) > 0) {
		int role = role_parse(db_text(q, "role"));

		a->driver |= role == ROLE_ENDED;
		a->asks |= role == ROLE_ASKED;
		a->issues |= role == ROLE_ISSUED;
	}
	return db_finalize(q, got, e);
}

/* With the driver's word device times are from and to its events, or to one of them. */
static const char *doorbell_from(const struct analysis *a, char buf[40])
{
	const char *word = derive_doorbell(a->derive);

	if (!a->keys)
		return word;
	if (a->issues)
		return "driver";
	snprintf(buf, 40, "%s, driver", word);
	return buf;
}

static int write_analysis(struct analysis *a, struct err *e)
{
	const struct join_totals *n = &a->totals;
	char doorbell[40];
	struct db_stmt *s;
	int rc = db_prepare_named(a->db, &s, "analysis_insert", e);

	if (rc)
		return rc;
	db_bind_i64(s, ":run", a->run);
	db_bind_text(s, ":tool", "dmaanalyze " DMA_VERSION);
	db_bind_text(s, ":pairing", pairing_name(n->pairing));
	db_bind_text(s, ":pairing_from", a->pairing_from);
	db_bind_text(s, ":vectors_from", a->vectors_from);
	db_bind_text(s, ":latency", phase_name(derive_latency(a->derive)));
	db_bind_text(s, ":doorbell", doorbell_from(a, doorbell));
	db_bind_i64(s, ":submits", (int64_t)n->submits);
	db_bind_i64(s, ":transfers", (int64_t)n->transfers);
	db_bind_i64(s, ":interrupts", (int64_t)n->interrupts);
	db_bind_i64(s, ":irq_used", (int64_t)n->interrupts_used);
	db_bind_i64(s, ":irq_stray", (int64_t)n->interrupts_stray);
	db_bind_i64(s, ":irq_ignored", (int64_t)n->interrupts_ignored);
	db_bind_i64(s, ":waits", (int64_t)n->waits);
	db_bind_i64(s, ":waits_used", (int64_t)n->waits_used);
	db_bind_i64(s, ":waits_stray", (int64_t)n->waits_stray);
	db_bind_i64(s, ":in_wait", a->audit.in_wait_ns);
	db_bind_i64(s, ":pending", a->audit.pending);
	db_bind_i64(s, ":pending_time", a->audit.pending_ns);
	db_bind_i64(s, ":overlapping", a->audit.overlapping);
	db_bind_i64(s, ":undone", a->hazard.totals.lost);
	db_bind_i64(s, ":undone_maybe", a->hazard.totals.maybe);
	db_bind_i64(s, ":undone_apart", a->hazard.totals.longest_ns);
	db_bind_i64(s, ":shortest", a->hazard.totals.shortest_ns);
	db_bind_i64(s, ":negative", (int64_t)n->negative);
	db_bind_i64(s, ":disordered", (int64_t)n->disordered);
	db_bind_text(s, ":advice", *a->advice ? a->advice : NULL);
	rc = db_run(s, e);
	return db_finalize(s, rc, e);
}

static int run_analysis(struct analysis *a, struct seen *seen, struct err *e)
{
	struct seen own = {0};
	int rc = read_run(a, e);

	if (!rc)
		rc = read_driver(a, e);
	if (!rc)
		rc = drop(a, e);
	if (!rc)
		rc = read_losses(a, e);
	if (!rc && (!seen || a->nring)) { /* what it saw while loading had no losses */
		rc = seen_init(&own, e);
		rc = rc ? rc : look(a, &own, e);
		seen = &own;
	}
	if (!rc)
		rc = vector_finder_finish(seen->finder, &a->found, e);
	if (!rc)
		rc = hazard_init(&a->hazard, a->db, a->run, seen->undone,
				 !a->nwindow && !a->holes.calls, e);
	if (!rc)
		a->audit = audit_result(seen->audit);
	if (!rc)
		rc = choose_vectors(a, e);
	if (!rc)
		rc = write_vectors(a, e);
	if (!rc)
		rc = stream_rewind(a->stream, e);
	if (!rc)
		rc = derive_new(&a->derive, e);
	if (!rc)
		rc = join_all(a, e);
	if (!rc)
		rc = witness_run(a->db, a->run, a->derive, e);
	if (!rc)
		rc = derive_write(a->derive, a->db, a->run, a->probe_cost_ns,
				  a->irq_cost_ns, e);
	if (!rc)
		rc = write_analysis(a, e);
	seen_release(&own);
	return rc;
}

int analysis_run(struct db *db, int64_t run, struct stream *s, struct seen *seen,
		 const struct analysis_options *o, struct err *e)
{
	struct analysis a = {.db = db, .run = run, .stream = s, .o = o};
	int rc = run_analysis(&a, seen, e);

	join_free(a.join);
	keys_free(a.keys);
	hazard_release(&a.hazard);
	derive_free(a.derive);
	rc = db_finalize(a.transfer.q, rc, e);
	rc = db_finalize(a.stray.q, rc, e);
	free(a.vector);
	free(a.window);
	return rc;
}
