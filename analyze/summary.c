/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/summary.h"

#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/cli.h"
#include "lib/db.h"
#include "lib/err.h"
#include "lib/text.h"

static char *copy(struct db_stmt *q, int column)
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
	db_finalize(q);
	return rc;
}

static int row_run(struct summary *s, struct db_stmt *q, struct err *e)
{
	(void)e;
	s->label = copy(q, 0);
	s->host = copy(q, 1);
	s->kernel = copy(q, 2);
	s->command = copy(q, 3);
	s->started = copy(q, 4);
	s->duration_ns = db_i64(q, 7);
	s->clock = copy(q, 8);
	s->profile = copy(q, 9);
	s->tool = copy(q, 11);
	s->feed = copy(q, 12);
	s->exit_status = db_i64(q, 13);
	s->exit_signal = db_i64(q, 14);
	s->finished = db_i64(q, 15);
	s->guessed = db_i64(q, 16);
	s->uprobe_cost_ns = db_i64(q, 17);
	s->irq_cost_ns = db_i64(q, 18);
	s->disordered = db_i64(q, 19);
	s->raw = copy(q, 20);
	return 0;
}

static int row_analysis(struct summary *s, struct db_stmt *q, struct err *e)
{
	(void)e;
	s->analysed = true;
	s->pairing = copy(q, 1);
	s->pairing_from = copy(q, 2);
	s->vectors_from = copy(q, 3);
	s->latency = copy(q, 4);
	s->doorbell = copy(q, 5);
	s->submits = db_i64(q, 6);
	s->transfers = db_i64(q, 7);
	s->interrupts = db_i64(q, 8);
	s->irq_used = db_i64(q, 9);
	s->irq_stray = db_i64(q, 10);
	s->irq_ignored = db_i64(q, 11);
	s->waits = db_i64(q, 12);
	s->waits_used = db_i64(q, 13);
	s->waits_stray = db_i64(q, 14);
	s->negative = db_i64(q, 15);
	s->late_samples = db_i64(q, 16);
	s->advice = copy(q, 17);
	return 0;
}

static int row_pairs(struct summary *s, struct db_stmt *q, struct err *e)
{
	(void)e;
	s->paired = db_i64(q, 0);
	s->coalesced = db_i64(q, 1);
	s->most_coalesced = db_i64(q, 2);
	s->repeated = db_i64(q, 3);
	s->most_repeated = db_i64(q, 4);
	return 0;
}

static int row_source(struct summary *s, struct db_stmt *q, struct err *e)
{
	struct summary_source *x = array_add(&s->source, &s->nsource);

	if (!x)
		return err_nomem(e, "the analysis");
	x->name = copy(q, 1);
	x->role = copy(q, 2);
	x->function = copy(q, 4);
	x->counted = db_i64(q, 5);
	x->delivered = db_i64(q, 6);
	x->lost = db_i64(q, 7);
	return 0;
}

static int row_vector(struct summary *s, struct db_stmt *q, struct err *e)
{
	struct summary_vector *v = array_add(&s->vector, &s->nvector);

	if (!v)
		return err_nomem(e, "the analysis");
	v->irq = (int32_t)db_i64(q, 0);
	v->name = copy(q, 1);
	v->card = db_i64(q, 2);
	v->channel = db_i64(q, 3);
	v->verdict = copy(q, 4);
	v->used = db_i64(q, 5) == 1;
	v->transfers = db_i64(q, 6);
	v->one = db_i64(q, 7);
	v->none = db_i64(q, 8);
	v->many = db_i64(q, 9);
	v->interrupts = db_i64(q, 10);
	v->outside = db_i64(q, 11);
	v->position = db_real(q, 12);
	v->to_end_ns = db_real(q, 13);
	v->slope = db_real(q, 14);
	v->score = db_real(q, 15);
	v->why = copy(q, 16);
	v->proc = db_i64(q, 17);
	return 0;
}

static struct summary_group *group_of(struct summary *s, struct db_stmt *q)
{
	int64_t card = db_i64(q, 0), channel = db_i64(q, 1);
	const char *direction = db_text(q, 2);
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
	const char *phase = db_text(q, 3);
	int p = phase ? phase_parse(phase) : -1;
	struct summary_phase *x;

	if (!g)
		return err_nomem(e, "the analysis");
	if (p < 0)
		return err_set(e, ERR_FORMAT, "table summary: there is no phase '%s'",
			       phase ? phase : "");
	x = &g->phase[p];
	x->n = db_i64(q, 4);
	x->excluded = db_i64(q, 5);
	x->negative = db_i64(q, 6);
	x->min_ns = db_i64(q, 7);
	x->max_ns = db_i64(q, 8);
	x->mean_ns = db_real(q, 9);
	x->stddev_ns = db_real(q, 10);
	x->error_ns = db_i64(q, 11);
	return 0;
}

static int row_state(struct summary *s, struct db_stmt *q, struct err *e)
{
	struct summary_group *g = group_of(s, q);
	const char *word = db_text(q, 3);
	int state = word ? state_parse(word) : -1;

	if (!g)
		return err_nomem(e, "the analysis");
	if (state < 0)
		return err_set(e, ERR_FORMAT, "table state_count: there is no state '%s'",
			       word ? word : "");
	g->state[state] += db_i64(q, 4);
	s->group[0].state[state] += db_i64(q, 4);
	return 0;
}

static int row_reason(struct summary *s, struct db_stmt *q, struct err *e)
{
	struct summary_count *c = array_add(&s->reason, &s->nreason);

	if (!c)
		return err_nomem(e, "the analysis");
	c->what = copy(q, 0);
	c->reason = copy(q, 1);
	c->n = db_i64(q, 2);
	return 0;
}

static int row_stray(struct summary *s, struct db_stmt *q, struct err *e)
{
	struct summary_count *c = array_add(&s->stray, &s->nstray);

	if (!c)
		return err_nomem(e, "the analysis");
	c->what = copy(q, 0);
	c->reason = copy(q, 1);
	c->n = db_i64(q, 2);
	return 0;
}

static int row_warning(struct summary *s, struct db_stmt *q, struct err *e)
{
	char **w = array_add(&s->warning, &s->nwarning);

	if (!w)
		return err_nomem(e, "the analysis");
	*w = copy(q, 0);
	return 0;
}

static int row_loss(struct summary *s, struct db_stmt *q, struct err *e)
{
	const char *kind = db_text(q, 4);

	(void)e;
	if (kind && !strcmp(kind, "ring"))
		s->lost += db_i64(q, 3);
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
				db_real(q, 0), db_i64(q, 1), db_i64(q, 2),
				db_i64(q, 3),  db_i64(q, 4), db_i64(q, 5)};
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

		for (int p = 0; p < PHASE_N && !rc; p++)
			rc = read_quantiles(s, quantile, g, (enum phase)p, e);
		if (rc)
			break;
		bind_group(rate, s->run, g);
		got = db_step(rate, e);
		rc = got < 0 ? got : 0;
		g->ended = got > 0 ? db_i64(rate, 0) : 0;
		g->bytes = got > 0 ? db_i64(rate, 1) : 0;
		g->bytes_per_s = got > 0 ? db_real(rate, 4) : 0;
		db_reset(rate);
	}
	db_finalize(quantile);
	db_finalize(rate);
	return rc;
}

int summary_read(struct summary *s, struct db *db, int64_t run, struct err *e)
{
	static const struct {
		const char *name;
		int (*row)(struct summary *s, struct db_stmt *q, struct err *e);
	} part[] = {{"run", row_run},		{"sources", row_source},
		    {"analysis", row_analysis}, {"vectors", row_vector},
		    {"summaries", row_summary}, {"losses", row_loss},
		    {"warnings", row_warning},	{"reasons", row_reason},
		    {"strays", row_stray},	{"pairs", row_pairs}};
	int rc = 0;

	*s = (struct summary){.run = run, .finished = DMA_UNKNOWN};
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
	for (size_t i = 0; i < s->ngroup; i++)
		text_clean(s->group[i].direction);
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
	free(s->source);
	free(s->vector);
	free(s->group);
	free(s->reason);
	free(s->stray);
	free(s->warning);
	*s = (struct summary){0};
}
