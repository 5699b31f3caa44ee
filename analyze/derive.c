/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/derive.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/db/db.h"
#include "lib/dma.h"
#include "lib/err.h"
#include "lib/hist.h"
#include "lib/line.h"
#include "lib/stat.h"

enum { MAX_GROUPS = 4096, MAX_SIZES = 64, FITS = 2 };

static const enum phase fitted[FITS] = {PHASE_DEVICE, PHASE_TOTAL};

struct group {
	int64_t card, channel;
	enum direction direction;
	struct hist *hist[PHASE_ALL];
	uint64_t excluded[PHASE_ALL], negative[PHASE_ALL];
	uint64_t state[STATE_N];
	int64_t bytes[STATE_N]; /* of known sizes; DMA_UNKNOWN = none, or too many */
	bool sized[STATE_N];
	uint64_t ended;	     /* with a known size */
	int64_t ended_bytes; /* DMA_UNKNOWN = too many to count */
	int64_t from_ns, to_ns;
	struct linear_fit fit[FITS]; /* for the share that size explains */
	struct line line[FITS];
	int64_t size[FITS][MAX_SIZES]; /* distinct ones */
	size_t nsize[FITS];
};

struct derive {
	struct group **group;
	size_t n, recent;
	uint64_t stores, exits, waits;
	bool watched; /* registers told of ends */
};

int derive_new(struct derive **d, struct err *e)
{
	*d = calloc(1, sizeof(**d));
	return *d ? 0 : err_nomem(e, "the analysis");
}

static void group_free(struct group *g)
{
	for (int p = 0; g && p < PHASE_ALL; p++)
		hist_free(g->hist[p]);
	for (int k = 0; g && k < FITS; k++)
		line_release(&g->line[k]);
	free(g);
}

void derive_free(struct derive *d)
{
	for (size_t i = 0; d && i < d->n; i++)
		group_free(d->group[i]);
	free(d ? d->group : NULL);
	free(d);
}

static struct group *group_new(struct err *e)
{
	struct group *g = calloc(1, sizeof(*g));
	bool whole = g != NULL;

	for (int p = 0; g && p < PHASE_ALL; p++)
		whole &= (g->hist[p] = hist_new()) != NULL;
	if (!whole) {
		group_free(g);
		err_nomem(e, "the analysis");
		return NULL;
	}
	g->card = g->channel = g->from_ns = g->to_ns = DMA_UNKNOWN;
	for (int s = 0; s < STATE_N; s++)
		g->bytes[s] = DMA_UNKNOWN;
	return g;
}

static bool is_group(const struct group *g, const struct transfer *t)
{
	return g->channel == t->channel && g->card == t->card &&
	       g->direction == t->direction;
}

static struct group *group_of(struct derive *d, const struct transfer *t, struct err *e)
{
	struct group **added, *g;

	if (d->recent < d->n && is_group(d->group[d->recent], t))
		return d->group[d->recent];
	for (d->recent = 0; d->recent < d->n; d->recent++)
		if (is_group(d->group[d->recent], t))
			return d->group[d->recent];
	if (d->n >= MAX_GROUPS) {
		err_set(e, ERR_LIMIT,
			"more than %d channels: is what the recording calls channel one?",
			MAX_GROUPS);
		return NULL;
	}
	g = group_new(e);
	if (!g)
		return NULL;
	added = array_add(&d->group, &d->n);
	if (!added) {
		group_free(g);
		err_nomem(e, "the analysis");
		return NULL;
	}
	*added = g;
	g->card = t->card;
	g->channel = t->channel;
	g->direction = t->direction;
	return g;
}

/* Has a transfer that ended like this no such duration at all? */
static bool has_none(enum transfer_state s, enum phase p)
{
	if (s == STATE_ABORTED || s == STATE_CIRCULAR)
		return p != PHASE_API;
	return (s == STATE_POLLED || s == STATE_NO_INTERRUPT) &&
	       (p == PHASE_DEVICE || p == PHASE_NOTICE);
}

static void add_size(struct group *g, int fit, int64_t size)
{
	for (size_t i = 0; i < g->nsize[fit]; i++)
		if (g->size[fit][i] == size)
			return;
	if (g->nsize[fit] < MAX_SIZES)
		g->size[fit][g->nsize[fit]++] = size;
}

/* A sum that grows beyond 63 bits, of sizes that are no sizes, is not known. */
static void add_bytes(int64_t *sum, int64_t more)
{
	if (*sum == DMA_UNKNOWN || more == DMA_UNKNOWN ||
	    __builtin_add_overflow(*sum, more, sum))
		*sum = DMA_UNKNOWN;
}

static void add_throughput(struct group *g, const struct transfer *t)
{
	int64_t end = t->woken_ns != DMA_UNKNOWN ? t->woken_ns : t->irq_ns;

	if (!state_moves_bytes(t->state) || t->size_bytes == DMA_UNKNOWN ||
	    t->submit_ns == DMA_UNKNOWN || end == DMA_UNKNOWN)
		return;
	g->ended++;
	add_bytes(&g->ended_bytes, t->size_bytes);
	if (g->from_ns == DMA_UNKNOWN || t->submit_ns < g->from_ns)
		g->from_ns = t->submit_ns;
	if (g->to_ns == DMA_UNKNOWN || end > g->to_ns)
		g->to_ns = end;
}

int derive_add(struct derive *d, const struct transfer *t, struct err *e)
{
	struct group *g = group_of(d, t, e);
	int rc = 0;

	if (!g)
		return e ? e->code : ERR_NOMEM;
	for (int p = 0; p < PHASE_N && !rc; p++) {
		int64_t v = transfer_phase_ns(t, (enum phase)p);

		if (v == DMA_UNKNOWN) {
			g->excluded[p] += !has_none(t->state, (enum phase)p);
			continue;
		}
		g->negative[p] += v < 0;
		rc = hist_add(g->hist[p], v, 1);
		for (int k = 0; k < FITS; k++)
			if (fitted[k] == (enum phase)p && t->size_bytes != DMA_UNKNOWN) {
				linear_fit_add(&g->fit[k], (double)t->size_bytes,
					       (double)v);
				rc = rc ? rc
					: line_add(&g->line[k], (double)t->size_bytes,
						   (double)v);
				add_size(g, k, t->size_bytes);
			}
	}
	if (t->size_bytes != DMA_UNKNOWN && !g->sized[t->state]) {
		g->sized[t->state] = true;
		g->bytes[t->state] = 0;
	}
	if (t->size_bytes != DMA_UNKNOWN)
		add_bytes(&g->bytes[t->state], t->size_bytes);
	g->state[t->state]++;
	add_throughput(g, t);
	if (t->doorbell_ns != DMA_UNKNOWN)
		*(t->doorbell_is_exit ? &d->exits : &d->stores) += 1;
	d->waits += t->wait_ns != DMA_UNKNOWN;
	return rc ? err_nomem(e, "the analysis") : 0;
}

int derive_add_phase(struct derive *d, const struct transfer *t, enum phase p,
		     int64_t value_ns, struct err *e)
{
	struct group *g = group_of(d, t, e);

	if (!g)
		return e ? e->code : ERR_NOMEM;
	d->watched = true;
	if (value_ns == DMA_UNKNOWN) {
		g->excluded[p]++;
		return 0;
	}
	g->negative[p] += value_ns < 0;
	return hist_add(g->hist[p], value_ns, 1) ? err_nomem(e, "the analysis") : 0;
}

/* Those that a run has; the registers' only where some were watched. */
static int phases_of(const struct derive *d)
{
	return d->watched ? PHASE_ALL : PHASE_N;
}

enum phase derive_latency(const struct derive *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (hist_n(d->group[i]->hist[PHASE_DEVICE]))
			return PHASE_DEVICE;
	return PHASE_TOTAL;
}

const char *derive_doorbell(const struct derive *d)
{
	return d->stores ? "store" : d->exits ? "exit" : "none";
}

/* ---- writing ---- */

struct writing {
	struct derive *d;
	struct db *db;
	int64_t run, error_ns[PHASE_ALL];
	struct db_stmt *summary, *quantile, *histogram, *state, *throughput, *fit;
};

static void bind_group(const struct writing *w, struct db_stmt *s, const struct group *g,
		       bool whole)
{
	db_bind_i64(s, ":run", w->run);
	db_bind_i64(s, ":card", whole ? DMA_UNKNOWN : g->card);
	db_bind_i64(s, ":channel", whole ? DMA_UNKNOWN : g->channel);
	db_bind_text(s, ":direction", whole ? NULL : direction_name(g->direction));
}

static int write_quantiles(struct writing *w, const struct group *g, enum phase p,
			   bool whole, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < stat_nquantiles && !rc; i++) {
		struct quantile q;

		stat_quantile(g->hist[p], g->excluded[p], stat_quantiles[i], 0.95, &q);
		bind_group(w, w->quantile, g, whole);
		db_bind_text(w->quantile, ":phase", phase_name(p));
		db_bind_real(w->quantile, ":q", q.q);
		db_bind_i64(w->quantile, ":value", q.value_ns);
		db_bind_i64(w->quantile, ":low", q.bound_low_ns);
		db_bind_i64(w->quantile, ":high", q.bound_high_ns);
		db_bind_i64(w->quantile, ":ci_low", q.ci_low_ns);
		db_bind_i64(w->quantile, ":ci_high", q.ci_high_ns);
		rc = db_run(w->quantile, e);
	}
	return rc;
}

/* What the probes add to a phase: in every one of its durations, so at most the least. */
static int64_t error_of(const struct writing *w, const struct group *g, int phase)
{
	int64_t least = hist_min(g->hist[phase]), cost = w->error_ns[phase];

	if (least == DMA_UNKNOWN || least < 0 || cost == DMA_UNKNOWN)
		return DMA_UNKNOWN;
	return cost < least ? cost : least;
}

static int write_summary(struct writing *w, const struct group *g, bool whole,
			 struct err *e)
{
	int rc = 0;

	for (int p = 0; p < phases_of(w->d) && !rc; p++) {
		const struct hist *h = g->hist[p];

		bind_group(w, w->summary, g, whole);
		db_bind_text(w->summary, ":phase", phase_name((enum phase)p));
		db_bind_i64(w->summary, ":n", (int64_t)hist_n(h));
		db_bind_i64(w->summary, ":excluded", (int64_t)g->excluded[p]);
		db_bind_i64(w->summary, ":negative", (int64_t)g->negative[p]);
		db_bind_i64(w->summary, ":min", hist_min(h));
		db_bind_i64(w->summary, ":max", hist_max(h));
		db_bind_real(w->summary, ":mean", hist_mean(h));
		db_bind_real(w->summary, ":stddev", hist_stddev(h));
		db_bind_i64(w->summary, ":error", error_of(w, g, p));
		rc = db_run(w->summary, e);
		if (!rc)
			rc = write_quantiles(w, g, (enum phase)p, whole, e);
	}
	return rc;
}

static int write_throughput(struct writing *w, const struct group *g, bool whole,
			    struct err *e)
{
	int64_t span = g->from_ns == DMA_UNKNOWN ? 0 : g->to_ns - g->from_ns;

	bind_group(w, w->throughput, g, whole);
	db_bind_i64(w->throughput, ":transfers", (int64_t)g->ended);
	db_bind_i64(w->throughput, ":size", g->ended_bytes);
	db_bind_i64(w->throughput, ":from", g->from_ns);
	db_bind_i64(w->throughput, ":to", g->to_ns);
	db_bind_real(w->throughput, ":rate",
		     span > 0 && g->ended_bytes != DMA_UNKNOWN
			     ? (double)g->ended_bytes / ((double)span / 1e9)
			     : (double)NAN);
	return db_run(w->throughput, e);
}

static int write_histogram(struct writing *w, const struct group *g, struct err *e)
{
	int64_t low, high;
	uint64_t n;
	int rc = 0;

	for (int p = 0; p < phases_of(w->d); p++) {
		size_t iter = 0;

		while (!rc && hist_next(g->hist[p], &iter, &low, &high, &n)) {
			bind_group(w, w->histogram, g, false);
			db_bind_text(w->histogram, ":phase", phase_name((enum phase)p));
			db_bind_i64(w->histogram, ":low", low);
			db_bind_i64(w->histogram, ":high", high);
			db_bind_i64(w->histogram, ":n", (int64_t)n);
			rc = db_run(w->histogram, e);
		}
	}
	return rc;
}

static int write_states(struct writing *w, const struct group *g, struct err *e)
{
	int rc = 0;

	for (int s = 0; s < STATE_N && !rc; s++) {
		if (!g->state[s])
			continue;
		bind_group(w, w->state, g, false);
		db_bind_text(w->state, ":state", state_name((enum transfer_state)s));
		db_bind_i64(w->state, ":n", (int64_t)g->state[s]);
		db_bind_i64(w->state, ":size", g->bytes[s]);
		rc = db_run(w->state, e);
	}
	return rc;
}

static int write_fits(struct writing *w, const struct group *g, struct err *e)
{
	int rc = 0;

	for (int k = 0; k < FITS && !rc; k++) {
		struct linear_result share;
		struct line_result r;

		if (!g->fit[k].n)
			continue;
		linear_fit_solve(&g->fit[k], &share);
		if (line_solve(&g->line[k], &r))
			return err_nomem(e, "a line");
		if (!r.supported) /* no bandwidth where there is none */
			r = (struct line_result){NAN, NAN, {NAN, NAN}, {NAN, NAN}, false};
		bind_group(w, w->fit, g, false);
		db_bind_text(w->fit, ":phase", phase_name(fitted[k]));
		db_bind_i64(w->fit, ":n", (int64_t)g->fit[k].n);
		db_bind_i64(w->fit, ":sizes", (int64_t)g->nsize[k]);
		db_bind_real(w->fit, ":a", r.a);
		db_bind_real(w->fit, ":a_low", r.ci_a[0]);
		db_bind_real(w->fit, ":a_high", r.ci_a[1]);
		db_bind_real(w->fit, ":b", r.b);
		db_bind_real(w->fit, ":b_low", r.ci_b[0]);
		db_bind_real(w->fit, ":b_high", r.ci_b[1]);
		db_bind_real(w->fit, ":r2", share.r2);
		rc = db_run(w->fit, e);
	}
	return rc;
}

static void merge_times(struct group *to, const struct group *g)
{
	to->ended += g->ended;
	add_bytes(&to->ended_bytes, g->ended_bytes);
	if (g->from_ns != DMA_UNKNOWN &&
	    (to->from_ns == DMA_UNKNOWN || g->from_ns < to->from_ns))
		to->from_ns = g->from_ns;
	if (g->to_ns != DMA_UNKNOWN && (to->to_ns == DMA_UNKNOWN || g->to_ns > to->to_ns))
		to->to_ns = g->to_ns;
}

static int write_whole(struct writing *w, struct err *e)
{
	struct group *all = group_new(e);
	int rc = all ? 0 : ERR_NOMEM;

	for (size_t i = 0; i < w->d->n && !rc; i++) {
		const struct group *g = w->d->group[i];

		for (int p = 0; p < PHASE_ALL && !rc; p++) {
			rc = hist_merge(all->hist[p], g->hist[p]);
			all->excluded[p] += g->excluded[p];
			all->negative[p] += g->negative[p];
		}
		merge_times(all, g);
	}
	if (!rc)
		rc = write_summary(w, all, true, e);
	if (!rc)
		rc = write_throughput(w, all, true, e);
	group_free(all);
	return rc;
}

/* Whether an interrupt that was recorded lies within any transfer's total. */
static bool has_notice(const struct derive *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (hist_n(d->group[i]->hist[PHASE_NOTICE]))
			return true;
	return false;
}

static void set_errors(struct writing *w, int64_t uprobe, int64_t irq)
{
	bool store = w->d->stores > 0, wait = w->d->waits > 0;
	int64_t handler = irq == DMA_UNKNOWN ? 0 : irq;

	for (int p = 0; p < PHASE_ALL; p++)
		w->error_ns[p] = DMA_UNKNOWN;
	if (uprobe == DMA_UNKNOWN)
		return;
	w->error_ns[PHASE_API] = uprobe;
	w->error_ns[PHASE_DEVICE] = store ? uprobe : 0;
	w->error_ns[PHASE_CARD] = w->error_ns[PHASE_DEVICE];
	w->error_ns[PHASE_DELIVERY] = 0;
	w->error_ns[PHASE_NOTICE] = (wait ? uprobe : 0) + handler;
	w->error_ns[PHASE_TOTAL] = uprobe * (1 + (wait ? 2 : 0) + (wait && store)) +
				   (has_notice(w->d) ? handler : 0);
}

static int prepare(struct writing *w, struct err *e)
{
	int rc = db_prepare_named(w->db, &w->summary, "summary_insert", e);

	if (!rc)
		rc = db_prepare_named(w->db, &w->quantile, "quantile_insert", e);
	if (!rc)
		rc = db_prepare_named(w->db, &w->histogram, "histogram_insert", e);
	if (!rc)
		rc = db_prepare_named(w->db, &w->state, "state_insert", e);
	if (!rc)
		rc = db_prepare_named(w->db, &w->throughput, "throughput_insert", e);
	return rc ? rc : db_prepare_named(w->db, &w->fit, "fit_insert", e);
}

int derive_write(struct derive *d, struct db *db, int64_t run, int64_t probe_cost_ns,
		 int64_t irq_cost_ns, struct err *e)
{
	struct writing w = {.d = d, .db = db, .run = run};
	int rc = prepare(&w, e);

	set_errors(&w, probe_cost_ns, irq_cost_ns);
	if (!rc)
		rc = write_whole(&w, e);
	for (size_t i = 0; i < d->n && !rc; i++) {
		const struct group *g = d->group[i];

		rc = write_summary(&w, g, false, e);
		rc = rc ? rc : write_throughput(&w, g, false, e);
		rc = rc ? rc : write_histogram(&w, g, e);
		rc = rc ? rc : write_states(&w, g, e);
		rc = rc ? rc : write_fits(&w, g, e);
	}
	rc = db_finalize(w.summary, rc, e);
	rc = db_finalize(w.quantile, rc, e);
	rc = db_finalize(w.histogram, rc, e);
	rc = db_finalize(w.state, rc, e);
	rc = db_finalize(w.throughput, rc, e);
	rc = db_finalize(w.fit, rc, e);
	return rc;
}
