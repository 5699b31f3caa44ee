/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/load_impl.h"

#include <openssl/evp.h>
#include <string.h>

#include "analyze/hash.h"
#include "lib/flow/pipe.h"
#include "lib/text.h"
#include "lib/vector/vector.h"

/* ---- the run ---- */

static const char *clock_word(int clockid)
{
	switch (clockid) {
	case CLOCK_MONOTONIC:
		return "monotonic";
	case CLOCK_MONOTONIC_RAW:
		return "monotonic_raw";
	case CLOCK_BOOTTIME:
		return "boottime";
	case CLOCK_TAI:
		return "tai";
	case CLOCK_REALTIME:
		return "realtime";
	default:
		return "perf";
	}
}

static const char *clock_of(struct loading *l, const struct meta *m)
{
	struct perfdata *p = stream_file(l->stream);
	struct perfdata_clock c;

	if (m->clock)
		return m->clock;
	if (perfdata_clock(p, &c, NULL) > 0)
		return clock_word(c.clockid);
	for (size_t i = 0; i < perfdata_nattrs(p); i++)
		if (perfdata_attr(p, i)->attr.use_clockid)
			return clock_word(perfdata_attr(p, i)->attr.clockid);
	return "perf";
}

/* ISO 8601 of the moment that the recording's clock calls `at`; NULL = not known. */
static const char *wall_time(struct loading *l, const struct meta *m, int64_t at,
			     char buf[40])
{
	struct perfdata_clock c;
	int64_t wall;
	struct tm tm;
	time_t t;

	if (m->begin_wall_ns != DMA_UNKNOWN && m->begin_ns != DMA_UNKNOWN &&
	    at != DMA_UNKNOWN)
		wall = m->begin_wall_ns + (at - m->begin_ns);
	else if (at != DMA_UNKNOWN &&
		 perfdata_clock(stream_file(l->stream), &c, NULL) > 0)
		wall = c.wall_ns + (at - c.clock_ns);
	else
		return NULL;
	t = (time_t)(wall / 1000000000);
	if (!gmtime_r(&t, &tm) || !strftime(buf, 24, "%Y-%m-%dT%H:%M:%S", &tm))
		return NULL;
	snprintf(buf + strlen(buf), 16, ".%06dZ", (int)(wall / 1000 % 1000000));
	return buf;
}

static int64_t cpus(struct perfdata *p)
{
	const void *buf;
	size_t len;
	uint32_t v[2];

	if (perfdata_feature(p, FEAT_NRCPUS, &buf, &len, NULL) <= 0 || len < sizeof(v))
		return DMA_UNKNOWN;
	memcpy(v, buf, sizeof(v));
	return v[1];
}

static int insert_run(struct loading *l, const char *uuid, const char *label,
		      const char *sha, struct err *e)
{
	const struct meta *m = stream_meta(l->stream);
	struct perfdata *p = stream_file(l->stream);
	struct db_stmt *s;
	char tool[128], *real = realpath(l->path, NULL);
	int rc = db_prepare_named(l->db, &s, "run_insert", e);
	const char *version = perfdata_string(p, FEAT_VERSION);

	if (rc) {
		free(real);
		return rc;
	}
	snprintf(tool, sizeof(tool), "perf %s", version ? version : "");
	db_bind_text(s, ":uuid", uuid);
	db_bind_text(s, ":label", label ? label : m->label);
	db_bind_text(s, ":host", perfdata_string(p, FEAT_HOSTNAME));
	db_bind_text(s, ":kernel", perfdata_string(p, FEAT_OSRELEASE));
	db_bind_text(s, ":arch", perfdata_string(p, FEAT_ARCH));
	db_bind_i64(s, ":cpus", cpus(p));
	db_bind_text(s, ":command",
		     m->command ? m->command : perfdata_string(p, FEAT_CMDLINE));
	db_bind_text(s, ":started", NULL);
	db_bind_i64(s, ":begin", m->begin_ns);
	db_bind_i64(s, ":end", m->end_ns);
	db_bind_i64(s, ":duration", DMA_UNKNOWN);
	db_bind_text(s, ":clock", clock_of(l, m));
	db_bind_text(s, ":profile", m->profile);
	db_bind_text(s, ":pairing", pairing_name(m->pairing));
	db_bind_text(s, ":tool", m->tool ? m->tool : tool);
	db_bind_text(s, ":feed", m->irq_feed);
	db_bind_i64(s, ":pid", m->workload_pid > 0 ? m->workload_pid : DMA_UNKNOWN);
	db_bind_i64(s, ":status", told(m->exit_status));
	db_bind_i64(s, ":signal", told(m->exit_signal));
	db_bind_i64(s, ":finished", !perfdata_truncated(p));
	db_bind_i64(s, ":from_start", meta_from_start(m));
	db_bind_i64(s, ":guessed", stream_guessed(l->stream));
	db_bind_i64(s, ":uprobe_cost", m->uprobe_cost_ns);
	db_bind_i64(s, ":process_cost", m->process_cost_ns);
	db_bind_i64(s, ":irq_cost", m->irq_cost_ns);
	db_bind_text(s, ":path", real ? real : l->path);
	db_bind_text(s, ":sha", sha);
	rc = db_run(s, e);
	l->run = db_last_id(l->db);
	free(real);
	return db_finalize(s, rc, e);
}

/* Is it there already? 1 = yes. */
static int find_run(struct db *db, const char *uuid, const char *sha, int64_t *run,
		    bool *differs, struct err *e)
{
	struct db_stmt *s;
	int got = db_prepare_named(db, &s, "run_by_identity", e);

	if (got)
		return got;
	db_bind_text(s, ":uuid", uuid);
	db_bind_text(s, ":sha", sha);
	got = db_step(s, e);
	if (got > 0) {
		*run = db_i64(s, "id");
		*differs = db_i64(s, "same_raw") == 0;
	}
	return db_finalize(s, got, e);
}

/* ---- samples ---- */

static int produce(void *arg, struct pipe *p, struct err *e)
{
	struct loading *l = arg;
	struct sample s;
	struct loss loss;
	int got, rc = 0;

	while (!rc && (got = stream_next(l->stream, &s, &loss, e))) {
		if (got < 0)
			return got;
		if (got == STREAM_LOSS) {
			rc = pipe_loss(p, &loss);
			continue;
		}
		rc = seen_push(l->seen, &s, e);
		rc = rc ? rc : pipe_sample(p, &s);
		if (!(s.seq & 1023))
			pipe_done(p, stream_done(l->stream));
	}
	return rc;
}

static int64_t known(int32_t v)
{
	return v < 0 ? DMA_UNKNOWN : v;
}

static int insert_edge(struct loading *l, const struct sample *s, struct err *e)
{
	int rc = l->edge ? 0 : db_prepare_named(l->db, &l->edge, "edge_insert", e);

	if (rc)
		return rc;
	db_bind_i64(l->edge, ":run", l->run);
	db_bind_i64(l->edge, ":source", l->source_id[s->source]);
	db_bind_i64(l->edge, ":time", s->time_ns);
	db_bind_i64(l->edge, ":since", s->since_ns);
	db_bind_i64(l->edge, ":card", s->card);
	db_bind_i64(l->edge, ":channel", s->channel);
	db_bind_i64(l->edge, ":busy", s->bits & SAMPLE_BUSY ? 1 : 0);
	db_bind_i64(l->edge, ":value", s->ret);
	return db_run(l->edge, e);
}

static int insert_count(struct loading *l, const struct sample *s, struct err *e)
{
	int rc = l->count ? 0 : db_prepare_named(l->db, &l->count, "count_insert", e);

	if (rc)
		return rc;
	if (s->ret < 0)
		return err_set(e, ERR_FORMAT, "a count of an event is below 0");
	db_bind_i64(l->count, ":run", l->run);
	db_bind_i64(l->count, ":source", l->source_id[s->source]);
	db_bind_i64(l->count, ":time", s->time_ns);
	db_bind_i64(l->count, ":value", s->ret);
	db_bind_i64(l->count, ":enabled", s->enabled_ns);
	db_bind_i64(l->count, ":running", s->running_ns);
	return db_run(l->count, e);
}

static int sink_sample(void *arg, const struct sample *s, struct err *e)
{
	struct loading *l = arg;
	const struct sample_params *p = &l->param;

	if (s->source < 0 || (size_t)s->source >= l->nsource)
		return err_set(e, ERR_FORMAT, "a sample of an event that is not listed");
	l->delivered[s->source]++;
	if (s->role == ROLE_REGISTER)
		return insert_edge(l, s, e);
	if (s->role == ROLE_COUNT)
		return insert_count(l, s, e);
	l->samples++;
	if (l->first_ns == DMA_UNKNOWN || s->time_ns < l->first_ns)
		l->first_ns = s->time_ns;
	if (l->last_ns == DMA_UNKNOWN || s->time_ns > l->last_ns)
		l->last_ns = s->time_ns;
	db_set_i64(p->time_ns, s->time_ns);
	db_set_i64(p->cpu, known(s->cpu));
	db_set_i64(p->pid, known(s->pid));
	db_set_i64(p->tid, known(s->tid));
	db_set_i64(p->source_id, l->source_id[s->source]);
	db_set_i64(p->irq, known(s->irq));
	db_set_i64(p->card, s->card);
	db_set_i64(p->channel, s->channel);
	db_set_static_text(p->direction, s->direction == DIR_UNKNOWN
						 ? NULL
						 : direction_name(s->direction));
	db_set_i64(p->size_bytes, s->size_bytes);
	db_set_i64(p->addr, s->addr);
	db_set_i64(p->flags, s->flags);
	db_set_i64(p->ret, s->ret);
	db_set_i64(p->key, s->bits & SAMPLE_KEYED ? s->key : DMA_UNKNOWN);
	db_set_i64(p->bits, s->bits);
	return db_run(l->sample, e);
}

static int insert_loss(struct loading *l, const struct loss *x, struct err *e)
{
	db_bind_i64(l->loss, ":run", l->run);
	db_bind_i64(l->loss, ":cpu", known(x->cpu));
	db_bind_i64(l->loss, ":from", x->from_ns);
	db_bind_i64(l->loss, ":to", x->to_ns);
	db_bind_i64(l->loss, ":lost", (int64_t)x->lost);
	db_bind_text(l->loss, ":kind", x->kind);
	return db_run(l->loss, e);
}

static int sink_loss(void *arg, const struct loss *x, struct err *e)
{
	return insert_loss(arg, x, e);
}

static void progress(void *arg, uint64_t done, uint64_t rows)
{
	struct loading *l = arg;

	cli_progress_step(&l->progress, done, rows);
}

static struct sample_params sample_params(struct db_stmt *q)
{
	return (struct sample_params){.time_ns = db_param(q, ":time"),
				      .cpu = db_param(q, ":cpu"),
				      .pid = db_param(q, ":pid"),
				      .tid = db_param(q, ":tid"),
				      .source_id = db_param(q, ":source"),
				      .irq = db_param(q, ":irq"),
				      .card = db_param(q, ":card"),
				      .channel = db_param(q, ":channel"),
				      .direction = db_param(q, ":direction"),
				      .size_bytes = db_param(q, ":size"),
				      .addr = db_param(q, ":addr"),
				      .flags = db_param(q, ":flags"),
				      .ret = db_param(q, ":ret"),
				      .key = db_param(q, ":key"),
				      .bits = db_param(q, ":bits")};
}

static int insert_samples(struct loading *l, bool quiet, struct err *e)
{
	struct pipe_sink sink = {.arg = l,
				 .sample = sink_sample,
				 .loss = sink_loss,
				 .progress = quiet ? NULL : progress};
	int rc = db_prepare_named(l->db, &l->sample, "sample_insert", e);

	if (!rc)
		rc = db_prepare_named(l->db, &l->loss, "loss_insert", e);
	if (rc)
		return rc;
	db_bind_i64(l->sample, ":run", l->run);
	l->param = sample_params(l->sample);
	cli_progress_begin(&l->progress, "loading", "samples", stream_size(l->stream));
	rc = pipe_run(produce, l, &sink, true, e);
	cli_progress_end(&l->progress);
	return rc;
}

/* ---- what is known only at the end ---- */

static int update_sources(struct loading *l, struct err *e)
{
	struct db_stmt *s;
	int rc = db_prepare_named(l->db, &s, "source_delivered", e);

	for (size_t i = 0; i < l->nsource && !rc; i++) {
		db_bind_i64(s, ":id", l->source_id[i]);
		db_bind_i64(s, ":delivered", (int64_t)l->delivered[i]);
		rc = db_run(s, e);
	}
	return db_finalize(s, rc, e);
}

static int update_run(struct loading *l, struct err *e)
{
	const struct meta *m = stream_meta(l->stream);
	int64_t begin = m->begin_ns != DMA_UNKNOWN ? m->begin_ns : l->first_ns;
	int64_t end = m->end_ns != DMA_UNKNOWN ? m->end_ns : l->last_ns;
	struct db_stmt *s;
	char wall[40];
	int rc = db_prepare_named(l->db, &s, "run_times", e);

	if (rc)
		return rc;
	db_bind_i64(s, ":run", l->run);
	db_bind_i64(s, ":begin", begin);
	db_bind_i64(s, ":end", end);
	db_bind_text(s, ":started", wall_time(l, m, begin, wall));
	db_bind_i64(s, ":disordered",
		    (int64_t)perfdata_disordered(stream_file(l->stream)));
	rc = db_run(s, e);
	return db_finalize(s, rc, e);
}

static int insert_cards(struct loading *l, struct err *e)
{
	const struct event_card *card;
	size_t n = event_cards(stream_decoder(l->stream), &card);
	struct db_stmt *s;
	int rc = db_prepare_named(l->db, &s, "card_insert", e);

	for (size_t i = 0; i < n && !rc; i++) {
		db_bind_i64(s, ":run", l->run);
		db_bind_i64(s, ":card", (int64_t)i);
		db_bind_i64(s, ":key", (int64_t)card[i].key);
		db_bind_text(s, ":name", card[i].name);
		rc = db_run(s, e);
	}
	return db_finalize(s, rc, e);
}

static int warn_count(struct loading *l, uint64_t n, const char *one, const char *many,
		      const char *says, struct err *e)
{
	char text[300];

	snprintf(text, sizeof(text), "%" PRIu64 " %s %s", n, text_number(n, one, many),
		 says);
	return n ? load_run_text(l, "warning_insert", text, e) : 0;
}

static int insert_warnings(struct loading *l, struct err *e)
{
	const struct meta *m = stream_meta(l->stream);
	const struct perfdata *file = stream_file(l->stream);
	int rc = 0;

	for (size_t i = 0; i < m->nwarning && !rc; i++)
		rc = load_run_text(l, "warning_insert", m->warning[i], e);
	if (!rc)
		rc = warn_count(
			l, event_unresolved(stream_decoder(l->stream)), "call", "calls",
			"on file descriptors of which no path was recorded: what else "
			"may have been a transfer (a process that ends at once is gone "
			"before they are looked at)",
			e);
	if (!rc)
		rc = warn_count(
			l, perfdata_unnamed(file), "sample is", "samples are",
			"of functions that were armed during the "
			"recording and cannot be read: the recorder was killed "
			"before it wrote which they are; record again with -x FILE, "
			"which arms them from the beginning",
			e);
	if (!rc)
		rc = warn_count(l, stream_untimed(l->stream), "sample carries",
				"samples carry",
				"no time and so no place, and count as lost: the file "
				"was damaged",
				e);
	if (!rc)
		rc = warn_count(
			l, perfdata_repeated(file), "sample is", "samples are",
			"in the recording twice and taken once: the file was damaged or put together",
			e);
	return rc;
}

/* Of a line with several handlers each has its row, and the line's own is the first one's:
 * see lib/event/handlers.h. */
static int put_handler(struct loading *l, const char *query,
		       const struct event_handler *x, struct err *e)
{
	struct db_stmt *s;
	int rc = db_prepare_named(l->db, &s, query, e);

	if (rc)
		return rc;
	db_bind_i64(s, ":run", l->run);
	db_bind_i64(s, ":line", x->line);
	db_bind_i64(s, ":irq", x->number);
	db_bind_text(s, ":name", x->name);
	return db_finalize(s, db_run(s, e), e);
}

static int insert_handler(struct loading *l, const struct event_handler *x, struct err *e)
{
	int rc = put_handler(l, "handler_insert", x, e);

	return rc ? rc : put_handler(l, "handler_name", x, e);
}

static int insert_handlers(struct loading *l, struct err *e)
{
	const struct event_handler *h;
	size_t n = event_handlers(stream_decoder(l->stream), &h);
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++)
		for (size_t k = 0; k < n && h[i].number != h[i].line && !rc; k++)
			if (k == i ||
			    (h[k].line == h[i].line && h[k].number == h[k].line))
				rc = insert_handler(l, &h[k], e);
	return rc;
}

/* Holes that no record of loss explains: somewhere in the recording. */
static int insert_holes(struct loading *l, struct err *e)
{
	struct load_holes h;
	struct loss x = {-1, DMA_UNKNOWN, DMA_UNKNOWN, 0, "count"};
	int rc = load_holes(l->db, l->run, &h, e);

	x.lost = h.unexplained;
	return rc || !x.lost ? rc : insert_loss(l, &x, e);
}

/* Known after the whole file, where a killed recorder's has them nowhere. */
static int load(struct loading *l, const char *uuid, const char *label, bool quiet,
		struct err *e)
{
	/* until its own hash is known: run_sha */
	int rc = insert_run(l, uuid, label, uuid, e);

	if (!rc)
		rc = load_insert_sources(l, e);
	if (!rc)
		rc = load_insert_irqs(l, e);
	if (!rc)
		rc = load_insert_registers(l, e);
	if (!rc)
		rc = load_insert_counted(l, e);
	if (!rc)
		rc = load_insert_pairs(l, e);
	if (!rc)
		rc = insert_samples(l, quiet, e);
	if (!rc)
		rc = update_sources(l, e);
	if (!rc)
		rc = update_run(l, e);
	if (!rc)
		rc = insert_cards(l, e);
	if (!rc)
		rc = insert_handlers(l, e);
	if (!rc)
		rc = insert_warnings(l, e);
	return rc ? rc : insert_holes(l, e);
}

/* The uuid tells a recording that is there already; of one without, and of one whose uuid
 * was changed, the hash does. Either of them NULL = not looked at. */
static int find_known(struct loading *l, const char *uuid, const char *sha,
		      struct load_result *out, struct err *e)
{
	int got = find_run(l->db, uuid, sha, &out->run, &out->differs, e);

	out->known = got > 0;
	return got < 0 ? got : 0;
}

static int load_new(struct loading *l, struct hashing *h, const char *label, bool quiet,
		    struct load_result *out, struct err *e)
{
	const char *uuid = stream_meta(l->stream)->uuid;
	char made[80];
	int rc = 0;

	if (uuid) {
		rc = find_known(l, uuid, NULL, out, e);
	} else {
		rc = hashing_end(h, e);
		snprintf(made, sizeof(made), "sha256-%.32s", h->sha);
		uuid = made;
		rc = rc ? rc : find_known(l, uuid, h->sha, out, e);
	}
	if (!rc && out->known && !(rc = hashing_end(h, e)))
		rc = find_known(l, uuid, h->sha, out, e);
	if (rc || out->known)
		return rc;
	rc = load(l, uuid, label, quiet, e);
	rc = rc ? rc : hashing_end(h, e);
	rc = rc ? rc : find_known(l, NULL, h->sha, out, e);
	if (rc || out->known)
		return rc;
	out->run = l->run;
	out->samples = l->samples;
	return load_run_text(l, "run_sha", h->sha, e);
}

int load_recording(struct db *db, struct stream *s, const char *path, const char *label,
		   struct seen *seen, bool quiet, struct load_result *out, struct err *e)
{
	struct loading l = {.db = db,
			    .stream = s,
			    .seen = seen,
			    .path = path,
			    .first_ns = DMA_UNKNOWN,
			    .last_ns = DMA_UNKNOWN};
	struct hashing h;
	int rc;

	*out = (struct load_result){0};
	hashing_start(&h, stream_file(s));
	rc = load_new(&l, &h, label, quiet, out, e);
	hashing_end(&h, NULL);
	rc = db_finalize(l.sample, rc, e);
	rc = db_finalize(l.loss, rc, e);
	rc = db_finalize(l.edge, rc, e);
	rc = db_finalize(l.count, rc, e);
	free(l.source_id);
	free(l.delivered);
	return rc;
}

/* The records of loss do not say of which event: what they leave over may be any event's, as many
 * of each as it lacks. */
int load_holes(struct db *db, int64_t run, struct load_holes *out, struct err *e)
{
	struct db_stmt *s;
	uint64_t told_lost = 0, over;
	int got, rc = db_prepare_named(db, &s, "losses", e);

	*out = (struct load_holes){0};
	if (rc)
		return rc;
	db_bind_i64(s, ":run", run);
	while ((got = db_step(s, e)) > 0)
		if (!strcmp(db_text(s, "kind"), "ring"))
			told_lost += (uint64_t)db_i64(s, "lost");
	rc = db_finalize(s, got, e);
	rc = rc ? rc : db_prepare_named(db, &s, "sources", e);
	if (rc)
		return rc;
	db_bind_i64(s, ":run", run);
	while ((got = db_step(s, e)) > 0) {
		int64_t lost = db_i64(s, "lost");
		int role;

		if (db_i64(s, "counted") != DMA_UNKNOWN)
			out->counted = true;
		role = role_parse(db_text(s, "role"));
		if (lost == DMA_UNKNOWN || lost <= 0 || role <= ROLE_OTHER ||
		    role == ROLE_HANDLED || role == ROLE_REGISTER || role == ROLE_COUNT)
			continue;
		if (role >= ROLE_ASKED)
			out->driver += (uint64_t)lost;
		else if (role == ROLE_INTERRUPT)
			out->interrupts += (uint64_t)lost;
		else
			out->calls += (uint64_t)lost;
	}
	got = db_finalize(s, got, e);
	told_lost -= told_lost < out->driver ? told_lost : out->driver;
	over = out->calls + out->interrupts;
	over -= told_lost < over ? told_lost : over;
	out->calls = over < out->calls ? over : out->calls;
	out->interrupts = over < out->interrupts ? over : out->interrupts;
	out->unexplained = over;
	return got < 0 ? got : 0;
}
