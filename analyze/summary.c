/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/summary.h"

#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/cli.h"
#include "lib/db/db.h"
#include "lib/err.h"
#include "lib/text.h"

static char *copy(struct db_stmt *q, const char *column)
{
	const char *text = db_text(q, column);

	return text ? strdup(text) : NULL;
}

/* Each row of a query whose :run is bound. */
static int each(struct summary *s, struct db *db, const char *name,
		int (*row)(struct summary *s, struct db_stmt *q, struct err *e),
		struct err *e)
{
	struct db_stmt *q;
	int got, rc = db_prepare_named(db, &q, name, e);

	if (rc)
		return rc;
	db_bind_i64(q, ":run", s->run);
	while (!rc && (got = db_step(q, e)))
		rc = got < 0 ? got : row(s, q, e);
	return db_finalize(q, rc, e);
}

static int row_run(struct summary *s, struct db_stmt *q, struct err *e)
{
	(void)e;
	s->label = copy(q, "label");
	s->host = copy(q, "host");
	s->kernel = copy(q, "kernel");
	s->command = copy(q, "command");
	s->started = copy(q, "started_utc");
	s->duration_ns = db_i64(q, "duration_ns");
	s->clock = copy(q, "clock");
	s->profile = copy(q, "profile");
	s->tool = copy(q, "tool");
	s->feed = copy(q, "irq_feed");
	s->exit_status = db_i64(q, "exit_status");
	s->exit_signal = db_i64(q, "exit_signal");
	s->finished = db_i64(q, "finished");
	s->guessed = db_i64(q, "roles_guessed");
	s->probe_cost_ns = db_i64(q, "probe_cost_ns");
	s->irq_cost_ns = db_i64(q, "irq_cost_ns");
	s->disordered = db_i64(q, "disordered");
	s->raw = copy(q, "raw_path");
	return 0;
}

static int row_analysis(struct summary *s, struct db_stmt *q, struct err *e)
{
	(void)e;
	s->analysed = true;
	s->pairing = copy(q, "pairing");
	s->pairing_from = copy(q, "pairing_from");
	s->vectors_from = copy(q, "vectors_from");
	s->latency = copy(q, "latency_phase");
	s->doorbell = copy(q, "doorbell_from");
	s->submits = db_i64(q, "submits");
	s->transfers = db_i64(q, "transfers");
	s->interrupts = db_i64(q, "interrupts");
	s->irq_used = db_i64(q, "interrupts_used");
	s->irq_stray = db_i64(q, "interrupts_stray");
	s->irq_ignored = db_i64(q, "interrupts_ignored");
	s->waits = db_i64(q, "waits");
	s->waits_used = db_i64(q, "waits_used");
	s->waits_stray = db_i64(q, "waits_stray");
	s->heard.in_wait_ns = db_i64(q, "in_wait_ns");
	s->heard.pending = db_i64(q, "pending");
	s->heard.pending_ns = db_i64(q, "pending_ns");
	s->heard.overlapping = db_i64(q, "overlapping");
	s->heard.undone = db_i64(q, "undone");
	s->heard.undone_maybe = db_i64(q, "undone_maybe");
	s->heard.undone_apart_ns = db_i64(q, "undone_apart_ns");
	s->heard.shortest_ns = db_i64(q, "shortest_ns");
	s->negative = db_i64(q, "negative");
	s->late_samples = db_i64(q, "disordered");
	s->advice = copy(q, "advice");
	return 0;
}

static int row_pairs(struct summary *s, struct db_stmt *q, struct err *e)
{
	(void)e;
	s->paired = db_i64(q, "paired");
	s->coalesced = db_i64(q, "coalesced");
	s->most_coalesced = db_i64(q, "most_coalesced");
	s->repeated = db_i64(q, "repeated");
	s->most_repeated = db_i64(q, "most_repeated");
	return 0;
}

static int row_source(struct summary *s, struct db_stmt *q, struct err *e)
{
	struct summary_source *x = array_add(&s->source, &s->nsource);

	if (!x)
		return err_nomem(e, "the analysis");
	x->name = copy(q, "name");
	x->role = copy(q, "role");
	x->function = copy(q, "function");
	x->counted = db_i64(q, "counted");
	x->delivered = db_i64(q, "delivered");
	x->lost = db_i64(q, "lost");
	return 0;
}

static int row_vector(struct summary *s, struct db_stmt *q, struct err *e)
{
	struct summary_vector *v = array_add(&s->vector, &s->nvector);

	if (!v)
		return err_nomem(e, "the analysis");
	v->irq = (int32_t)db_i64(q, "irq");
	v->name = copy(q, "name");
	v->card = db_i64(q, "card");
	v->channel = db_i64(q, "channel");
	v->verdict = copy(q, "verdict");
	v->used = db_i64(q, "used") == 1;
	v->transfers = db_i64(q, "transfers");
	v->one = db_i64(q, "one");
	v->none = db_i64(q, "none");
	v->many = db_i64(q, "many");
	v->interrupts = db_i64(q, "interrupts");
	v->outside = db_i64(q, "outside");
	v->position = db_real(q, "position");
	v->to_end_ns = db_real(q, "to_end_ns");
	v->slope = db_real(q, "slope_ns_per_byte");
	v->score = db_real(q, "score");
	v->why = copy(q, "why");
	v->proc = db_i64(q, "counted");
	return 0;
}

static struct summary_group *group_of(struct summary *s, struct db_stmt *q)
{
	int64_t card = db_i64(q, "card"), channel = db_i64(q, "channel");
	const char *direction = db_text(q, "direction");
	struct summary_group *g;

	direction = direction ? direction : "";
	for (size_t i = 0; i < s->ngroup; i++) {
		g = &s->group[i];
		if (g->card == card && g->channel == channel &&
		    !strcmp(g->direction, direction))
			return g;
	}
	g = array_add(&s->group, &s->ngroup);
	if (!g)
		return NULL;
	g->card = card;
	g->channel = channel;
	snprintf(g->direction, sizeof(g->direction), "%s", direction);
	return g;
}

static int row_summary(struct summary *s, struct db_stmt *q, struct err *e)
{
	struct summary_group *g = group_of(s, q);
	const char *phase = db_text(q, "phase");
	int p = phase ? phase_parse(phase) : -1;
	struct summary_phase *x;

	if (!g)
		return err_nomem(e, "the analysis");
	if (p < 0)
		return err_set(e, ERR_FORMAT, "table summary: there is no phase '%s'",
			       phase ? phase : "");
	x = &g->phase[p];
	x->n = db_i64(q, "n");
	x->excluded = db_i64(q, "excluded");
	x->negative = db_i64(q, "negative");
	x->min_ns = db_i64(q, "min_ns");
	x->max_ns = db_i64(q, "max_ns");
	x->mean_ns = db_real(q, "mean_ns");
	x->stddev_ns = db_real(q, "stddev_ns");
	x->error_ns = db_i64(q, "error_ns");
	return 0;
}

static int row_state(struct summary *s, struct db_stmt *q, struct err *e)
{
	struct summary_group *g = group_of(s, q);
	const char *word = db_text(q, "state");
	int state = word ? state_parse(word) : -1;

	if (!g)
		return err_nomem(e, "the analysis");
	if (state < 0)
		return err_set(e, ERR_FORMAT, "table state_count: there is no state '%s'",
			       word ? word : "");
	g->state[state] += db_i64(q, "n");
	s->group[0].state[state] += db_i64(q, "n");
	return 0;
}

static int row_register(struct summary *s, struct db_stmt *q, struct err *e)
{
	struct summary_register *r = array_add(&s->reg, &s->nreg);

	if (!r)
		return err_nomem(e, "the analysis");
	r->name = copy(q, "name");
	r->bdf = copy(q, "bdf");
	r->file = copy(q, "file");
	r->busy = copy(q, "busy");
	r->mode = copy(q, "mode");
	r->ended = copy(q, "ended");
	r->offset = db_i64(q, "offset");
	r->width = db_i64(q, "width");
	r->cpu = db_i64(q, "cpu");
	r->shared_cpu = db_i64(q, "shared_cpu");
	r->link_bytes_per_s = db_i64(q, "link_bytes_per_s");
	r->readings = db_i64(q, "readings");
	r->read_min_ns = db_i64(q, "read_min_ns");
	r->read_median_ns = db_i64(q, "read_median_ns");
	r->read_p99_ns = db_i64(q, "read_p99_ns");
	r->read_max_ns = db_i64(q, "read_max_ns");
	r->gap_ns = db_i64(q, "gap_ns");
	r->watched_ns = db_i64(q, "watched_ns");
	r->starts = db_i64(q, "starts");
	r->clears = db_i64(q, "clears");
	return 0;
}

static int row_counted(struct summary *s, struct db_stmt *q, struct err *e)
{
	struct summary_counted *c = array_add(&s->counted, &s->ncounted);

	if (!c)
		return err_nomem(e, "the analysis");
	c->event = copy(q, "event");
	c->unit = copy(q, "unit");
	c->value = db_i64(q, "value");
	c->scaled = db_real(q, "scaled");
	c->seconds = db_real(q, "seconds");
	c->readings = db_i64(q, "readings");
	return 0;
}

static int row_witness(struct summary *s, struct db_stmt *q, struct err *e)
{
	struct summary_witness *w = &s->witness;
	const char *word = db_text(q, "witness");
	int64_t n = db_i64(q, "n"), error = db_i64(q, "worst_error_ns");
	const struct {
		const char *word;
		int64_t *n;
	} kind[] = {{"after", &w->after},   {"before", &w->before},
		    {"alone", &w->alone},   {"unpaired", &w->unpaired},
		    {"unseen", &w->unseen}, {"unclear", &w->unclear}};

	for (size_t i = 0; i < sizeof(kind) / sizeof(*kind); i++)
		if (!strcmp(word, kind[i].word)) {
			*kind[i].n += n;
			w->noticed += db_i64(q, "noticed");
			w->overtaken += db_i64(q, "overtaken");
			if (error > w->worst_error_ns)
				w->worst_error_ns = error;
			return 0;
		}
	return err_set(e, ERR_FORMAT, "table transfer: there is no witness '%s'", word);
}

static int row_heard(struct summary *s, struct db_stmt *q, struct err *e)
{
	(void)e;
	s->heard.behind = db_i64(q, "behind");
	s->heard.behind_ns = db_i64(q, "behind_ns");
	s->heard.before = db_i64(q, "before");
	s->heard.before_ns = db_i64(q, "before_ns");
	return 0;
}

static int row_driver(struct summary *s, struct db_stmt *q, struct err *e)
{
	struct summary_driver *d = &s->driver;
	const char *word = db_text(q, "word");
	const struct {
		const char *word;
		int64_t *n;
	} kind[] = {{"agrees", &d->agrees},
		    {"differs", &d->differs},
		    {"alone", &d->alone},
		    {"unclear", &d->unclear},
		    {"unseen", &d->unseen}};

	for (size_t i = 0; i < sizeof(kind) / sizeof(*kind); i++)
		if (!strcmp(word, kind[i].word)) {
			*kind[i].n = db_i64(q, "n");
			return 0;
		}
	return err_set(e, ERR_FORMAT, "table transfer: no driver says '%s'", word);
}

int summary_phases(const struct summary *s)
{
	return s->nreg ? PHASE_ALL : PHASE_N;
}

static int row_reason(struct summary *s, struct db_stmt *q, struct err *e)
{
	struct summary_count *c = array_add(&s->reason, &s->nreason);

	if (!c)
		return err_nomem(e, "the analysis");
	c->what = copy(q, "state");
	c->reason = copy(q, "reason");
	c->n = db_i64(q, "n");
	return 0;
}

static int row_stray(struct summary *s, struct db_stmt *q, struct err *e)
{
	struct summary_count *c = array_add(&s->stray, &s->nstray);

	if (!c)
		return err_nomem(e, "the analysis");
	c->what = copy(q, "kind");
	c->reason = copy(q, "reason");
	c->n = db_i64(q, "n");
	return 0;
}

static int row_warning(struct summary *s, struct db_stmt *q, struct err *e)
{
	char **w = array_add(&s->warning, &s->nwarning);

	if (!w)
		return err_nomem(e, "the analysis");
	*w = copy(q, "text");
	return 0;
}

static int row_loss(struct summary *s, struct db_stmt *q, struct err *e)
{
	const char *kind = db_text(q, "kind");

	(void)e;
	if (kind && !strcmp(kind, "ring"))
		s->lost += db_i64(q, "lost");
	return 0;
}

static void bind_group(struct db_stmt *q, int64_t run, const struct summary_group *g)
{
	db_bind_i64(q, ":run", run);
	db_bind_i64(q, ":card", g->card);
	db_bind_i64(q, ":channel", g->channel);
	db_bind_text(q, ":direction", *g->direction ? g->direction : NULL);
}

static int read_quantiles(struct summary *s, struct db_stmt *q, struct summary_group *g,
			  enum phase p, struct err *e)
{
	struct summary_phase *x = &g->phase[p];
	int got;

	bind_group(q, s->run, g);
	db_bind_text(q, ":phase", phase_name(p));
	while ((got = db_step(q, e)) > 0)
		if (x->nq < SUMMARY_QUANTILES)
			x->q[x->nq++] = (struct summary_quantile){
				db_real(q, "q"),	   db_i64(q, "value_ns"),
				db_i64(q, "bound_low_ns"), db_i64(q, "bound_high_ns"),
				db_i64(q, "ci_low_ns"),	   db_i64(q, "ci_high_ns")};
	return got;
}

static int read_groups(struct summary *s, struct db *db, struct err *e)
{
	struct db_stmt *quantile = NULL, *rate = NULL;
	int got, rc = db_prepare_named(db, &quantile, "quantiles", e);

	if (!rc)
		rc = db_prepare_named(db, &rate, "throughput", e);
	for (size_t i = 0; i < s->ngroup && !rc; i++) {
		struct summary_group *g = &s->group[i];

		for (int p = 0; p < PHASE_ALL && !rc; p++)
			rc = read_quantiles(s, quantile, g, (enum phase)p, e);
		if (rc)
			break;
		bind_group(rate, s->run, g);
		got = db_step(rate, e);
		rc = got < 0 ? got : 0;
		g->ended = got > 0 ? db_i64(rate, "transfers") : 0;
		g->bytes = got > 0 ? db_i64(rate, "size_bytes") : 0;
		g->bytes_per_s = got > 0 ? db_real(rate, "bytes_per_s") : 0;
		g->left_out = got > 0 ? db_i64(rate, "left_out") : 0;
		g->took_ns = got > 0 && g->ended ? db_i64(rate, "took_ns") : 0;
		db_reset(rate);
	}
	rc = db_finalize(quantile, rc, e);
	return db_finalize(rate, rc, e);
}

int summary_read(struct summary *s, struct db *db, int64_t run, struct err *e)
{
	static const struct {
		const char *name;
		int (*row)(struct summary *s, struct db_stmt *q, struct err *e);
	} part[] = {{"run", row_run},
		    {"sources", row_source},
		    {"analysis", row_analysis},
		    {"vectors", row_vector},
		    {"summaries", row_summary},
		    {"losses", row_loss},
		    {"warnings", row_warning},
		    {"reasons", row_reason},
		    {"strays", row_stray},
		    {"pairs", row_pairs},
		    {"registers", row_register},
		    {"witnesses", row_witness},
		    {"heard", row_heard},
		    {"driver_words", row_driver},
		    {"counts", row_counted}};
	int rc = 0;

	*s = (struct summary){.run = run,
			      .finished = DMA_UNKNOWN,
			      .witness = {.worst_error_ns = DMA_UNKNOWN}};
	for (size_t i = 0; i < sizeof(part) / sizeof(*part) && !rc; i++)
		rc = each(s, db, part[i].name, part[i].row, e);
	if (!rc && s->finished == DMA_UNKNOWN)
		rc = err_set(e, ERR_NOTFOUND,
			     "%s: there is no run %lld; --list shows them", db_path(db),
			     (long long)run);
	if (!rc && s->ngroup)
		rc = each(s, db, "states", row_state, e);
	if (!rc)
		rc = read_groups(s, db, e);
	if (!rc && s->analysed)
		rc = answer_read(&s->answer, db, run, e);
	if (rc)
		summary_release(s);
	return rc;
}

void summary_clean(struct summary *s)
{
	char *text[] = {s->label,   s->host,	 s->kernel,	  s->command,
			s->started, s->clock,	 s->profile,	  s->tool,
			s->feed,    s->pairing,	 s->pairing_from, s->vectors_from,
			s->latency, s->doorbell, s->advice};

	for (size_t i = 0; i < sizeof(text) / sizeof(*text); i++)
		text_clean(text[i]);
	for (size_t i = 0; i < s->nsource; i++) {
		text_clean(s->source[i].name);
		text_clean(s->source[i].role);
	}
	for (size_t i = 0; i < s->nvector; i++) {
		text_clean(s->vector[i].name);
		text_clean(s->vector[i].verdict);
		text_clean(s->vector[i].why);
	}
	for (size_t i = 0; i < s->nreason; i++)
		text_clean(s->reason[i].reason);
	for (size_t i = 0; i < s->nstray; i++)
		text_clean(s->stray[i].reason);
	for (size_t i = 0; i < s->nstray; i++)
		text_clean(s->stray[i].what);
	for (size_t i = 0; i < s->nwarning; i++)
		text_clean(s->warning[i]);
	for (size_t i = 0; i < s->ncounted; i++) {
		text_clean(s->counted[i].event);
		text_clean(s->counted[i].unit);
	}
	for (size_t i = 0; i < s->nreg; i++) {
		text_clean(s->reg[i].name);
		text_clean(s->reg[i].bdf);
		text_clean(s->reg[i].file);
		text_clean(s->reg[i].busy);
		text_clean(s->reg[i].mode);
		text_clean(s->reg[i].ended);
	}
	for (size_t i = 0; i < s->ngroup; i++)
		text_clean(s->group[i].direction);
	text_clean(s->answer.interrupt);
	text_clean(s->answer.next);
}

void summary_release(struct summary *s)
{
	char *text[] = {s->label,   s->host,	 s->kernel,	  s->command,
			s->started, s->clock,	 s->profile,	  s->tool,
			s->feed,    s->raw,	 s->pairing,	  s->pairing_from,
			s->latency, s->doorbell, s->vectors_from, s->advice};

	for (size_t i = 0; i < sizeof(text) / sizeof(*text); i++)
		free(text[i]);
	for (size_t i = 0; i < s->nsource; i++) {
		free(s->source[i].name);
		free(s->source[i].role);
		free(s->source[i].function);
	}
	for (size_t i = 0; i < s->nvector; i++) {
		free(s->vector[i].name);
		free(s->vector[i].verdict);
		free(s->vector[i].why);
	}
	for (size_t i = 0; i < s->nreason; i++) {
		free(s->reason[i].what);
		free(s->reason[i].reason);
	}
	for (size_t i = 0; i < s->nstray; i++) {
		free(s->stray[i].what);
		free(s->stray[i].reason);
	}
	for (size_t i = 0; i < s->nwarning; i++)
		free(s->warning[i]);
	for (size_t i = 0; i < s->nreg; i++) {
		free(s->reg[i].name);
		free(s->reg[i].bdf);
		free(s->reg[i].file);
		free(s->reg[i].busy);
		free(s->reg[i].mode);
		free(s->reg[i].ended);
	}
	free(s->reg);
	for (size_t i = 0; i < s->ncounted; i++) {
		free(s->counted[i].event);
		free(s->counted[i].unit);
	}
	free(s->counted);
	free(s->source);
	free(s->vector);
	free(s->group);
	free(s->reason);
	free(s->stray);
	free(s->warning);
	*s = (struct summary){0};
}
