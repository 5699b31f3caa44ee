/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The model from the first interrupts: expectation and maximization. The interrupts are
 * taken in blocks; odd blocks are judged by what the even ones taught and the reverse, so
 * that no transfer is a witness for itself.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "tests/gate/align/align.h"

enum { ROUNDS = 5, BLOCK = 32 };

/* As good as never, natural logarithm. */
#define DISTRUST 12.0

static struct pending *pend_at(const struct group *g, size_t i)
{
	return &g->pend[(g->first + i) & (g->apend - 1)];
}

static const struct ending *ended(const struct use_transfer *t, const struct pos *p)
{
	const struct ending *x = use_end(t, p->hyp == ANY ? 0 : p->hyp);

	return x && x->kind == END_WOKEN ? x : NULL;
}

static bool newest(const struct slot *s, const struct use_transfer *t,
		   const struct pos *p, const struct ending *x)
{
	return !x->batch || t->index + 1 >= s->c->tail ||
	       use_end(use_at(s->c, t->index + 1), p->hyp == ANY ? 0 : p->hyp) != x;
}

static int count_turn(struct slot *s, struct model *m, const struct use_transfer *t,
		      const struct pos *p, const struct ending *x, float w)
{
	int64_t before = align_woken_before(s, t, p->hyp == ANY ? 0 : p->hyp);

	return law_count_turn(m, law_size(t->t.size_bytes), t->begin_ns, x->wait_ns,
			      x->woken_ns, before, w);
}

static int count_slot(struct group *g, const struct layer *l, const struct edge *e,
		      size_t slot, struct model *m, float w)
{
	struct slot *s = g->slot[slot];
	const struct pos *from = &state_at(g, e->from)->pos[slot],
			 *to = &state_at(g, e->to)->pos[slot];
	const struct match *k = NULL;

	for (unsigned i = 0; i < e->nmatch; i++)
		if (g->match[e->match + i].slot == slot)
			k = &g->match[e->match + i];
	for (uint64_t i = from->open; i < to->open; i++) {
		const struct use_transfer *t = use_at(s->c, i);
		const struct ending *x = ended(t, to);
		bool in = k && i >= k->first && i < k->first + k->n;
		if (!x || t->phantom)
			continue;
		if (!in)
			m->missed += w;
		if (newest(s, t, to, x)) {
			if (in)
				law_count_notice(m, l->irq->time_ns, x->wait_ns,
						 x->woken_ns, w);
			if (count_turn(s, m, t, to, x, w) < 0)
				return -1;
		}
	}
	if (!k)
		return 0;
	if (s->ended)
		for (size_t v = 0; v < g->nvector; v++)
			s->ended[v] += g->vector[v] == l->irq->irq ? w : 0;
	const struct use_transfer *a = use_at(s->c, k->first),
				  *b = use_at(s->c, k->first + k->n - 1);
	const struct ending *x = ended(b, to);
	if (b->phantom)
		return 0;
	return law_count_device(m, k->n, law_size(b->t.size_bytes), l->irq->time_ns,
				a->begin_ns, b->begin_ns, from->last_ns,
				x ? x->woken_ns : DMA_UNKNOWN, w);
}

int learn_edge(struct group *g, const struct layer *l, const struct edge *e, float w,
	       int half)
{
	if (l->irq && !e->nmatch && !l->irq->circular)
		g->strays += w;
	if (e->nmatch > 1)
		g->cross += w * (float)(e->nmatch - 1);
	for (size_t i = 0; i < g->nslot; i++) {
		struct slot *s = g->slot[i];
		if (state_at(g, e->from)->pos[i].open < state_at(g, e->to)->pos[i].open &&
		    count_slot(g, l, e, i, half < 0 ? s->model : s->half[half], w) < 0)
			return -1;
	}
	return 0;
}

void learn_rates(struct group *g)
{
	double n = g->irqs + PRIOR_WEIGHT, span = g->span_ns > 1 ? g->span_ns : 1;

	/* As if the prior's interrupts had come at the pace of the others. */
	span *= n / (g->irqs > 1 ? g->irqs : 1);
	g->log_stray = log((g->strays + PRIOR_RATE * PRIOR_WEIGHT) / span);
	g->log_cross = log((g->cross + PRIOR_RATE * PRIOR_WEIGHT) / n);
	for (size_t i = 0; i < g->nslot; i++) {
		struct slot *s = g->slot[i];
		double all = 0;
		for (size_t v = 0; v < g->nvector && s->affinity; v++)
			all += s->ended[v];
		for (size_t v = 0; v < g->nvector && s->affinity; v++)
			if (s->affinity[v] > -1e8)
				s->affinity[v] = log((s->ended[v] + 0.5) /
						     (all + 0.5 * (double)g->nvector));
	}
}

static void use_models(struct group *g, uint64_t n)
{
	for (size_t i = 0; i < g->nslot; i++)
		if (g->slot[i]->half[0])
			g->slot[i]->model = g->slot[i]->half[!(n / BLOCK & 1)];
}

void learn_choose(struct group *g, uint64_t n)
{
	use_models(g, n);
}

/* Of what is odd under this habit, at best. */
static double penalty(const struct use_channel *c, int habit)
{
	double best = -INFINITY;

	for (unsigned h = 0; h < c->nhyp; h++)
		if (c->hyp[h].alive && (int)c->hyp[h].habit == habit &&
		    c->hyp[h].penalty > best)
			best = c->hyp[h].penalty;
	return best == -INFINITY ? 0 : best;
}

static int expect(struct group *g, size_t n, struct err *e)
{
	double z = -INFINITY;
	struct layer *l;

	if (group_start(g, e) < 0)
		return ERR_NOMEM;
	for (size_t i = 0; i < n; i++) {
		use_models(g, i);
		if (align_irq(g, pend_at(g, i)->irq, e) < 0)
			return ERR_NOMEM;
	}
	align_back(g, 0);
	l = &g->layer[g->nlayer - 1];
	for (uint32_t i = 0; i < l->nstate; i++)
		if (!state_at(g, l->state + i)->dead)
			z = log_add(z, state_at(g, l->state + i)->alpha);
	for (size_t i = 0; i < g->nslot && g->only >= 0; i++)
		z += penalty(g->slot[i]->c, g->only);
	g->evidence = z;
	return 0;
}

static int maximize(struct group *g, struct err *e)
{
	double z = -INFINITY;
	uint64_t n = 0;
	struct layer *last = &g->layer[g->nlayer - 1];

	for (uint32_t i = 0; i < last->nstate; i++)
		if (!state_at(g, last->state + i)->dead)
			z = log_add(z, state_at(g, last->state + i)->alpha);

	g->strays = g->cross = 0;
	for (size_t i = 0; i < g->nslot; i++) {
		struct slot *s = g->slot[i];
		law_clear(s->half[0]);
		law_clear(s->half[1]);
		if (s->ended)
			memset(s->ended, 0, g->nvector * sizeof(*s->ended));
	}
	for (size_t i = 1; i < g->nlayer; i++) {
		struct layer *l = &g->layer[i];
		for (uint64_t k = l->edge; k < l->edge + l->nedge; k++) {
			struct edge *x = &g->edge[k];
			double p = exp(state_at(g, x->from)->alpha + (double)x->w +
				       state_at(g, x->to)->beta - z);
			if (p > 1e-4 &&
			    learn_edge(g, l, x, (float)p, (int)(n / BLOCK & 1)) < 0)
				return err_nomem(e, "the joiner");
		}
		n += l->irq != NULL;
	}
	for (size_t i = 0; i < g->nslot; i++) {
		law_make(g->slot[i]->half[0]);
		law_make(g->slot[i]->half[1]);
	}
	learn_rates(g);
	return 0;
}

/* A start that trusts order alone: nothing is missing, nothing is a stray. */
static void trust(struct group *g)
{
	g->log_stray -= DISTRUST;
	for (size_t i = 0; i < g->nslot; i++)
		for (int k = 0; k < 2; k++) {
			struct model *m = g->slot[i]->half[k];
			m->log_miss = -DISTRUST;
		}
}

static unsigned hyp_read(const struct group *g, const struct use_channel *c)
{
	for (unsigned h = 0; h < c->nhyp; h++)
		if (c->hyp[h].alive && (g->only < 0 || (int)c->hyp[h].habit == g->only))
			return h;
	return 0;
}

/* The first of the pending interrupts that is later. */
static size_t first_after(const struct group *g, size_t n, int64_t ns)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (pend_at(g, mid)->irq->time_ns <= ns)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Where to begin: as if each end's interrupt were the one nearest to it. */
static int nearest(struct group *g, struct slot *s, size_t n)
{
	unsigned hyp = hyp_read(g, s->c);
	const struct pos p = {.hyp = (uint8_t)hyp};

	for (uint64_t i = s->c->base; i < s->c->tail; i++) {
		const struct use_transfer *t = use_at(s->c, i);
		const struct ending *x = ended(t, &p);
		size_t k;
		struct model *m;
		int64_t at;
		if (!x || t->phantom || !newest(s, t, &p, x))
			continue;
		k = first_after(g, n, x->woken_ns);
		if (k && (k == n || x->woken_ns - pend_at(g, k - 1)->irq->time_ns <
					    pend_at(g, k)->irq->time_ns - x->woken_ns))
			k--;
		if (k == n)
			break;
		m = s->half[k / BLOCK & 1];
		at = pend_at(g, k)->irq->time_ns;
		if (at < t->begin_ns)
			continue;
		law_count_notice(m, at, x->wait_ns, x->woken_ns, 1);
		if (law_count_device(m, 1, law_size(t->t.size_bytes), at, t->begin_ns,
				     t->begin_ns, INT64_MIN, x->woken_ns, 1) < 0 ||
		    count_turn(s, m, t, &p, x, 1) < 0)
			return -1;
	}
	law_make(s->half[0]);
	law_make(s->half[1]);
	return 0;
}

static int climb(struct group *g, size_t n, bool trusting, int rounds, struct err *e)
{
	g->strays = 0.05 * g->irqs;
	g->cross = 0;
	learn_rates(g);
	for (size_t i = 0; i < g->nslot; i++)
		for (int k = 0; k < 2; k++) {
			law_release(g->slot[i]->half[k]);
			law_init(g->slot[i]->half[k]);
		}
	for (size_t i = 0; i < g->nslot; i++)
		if (nearest(g, g->slot[i], n) < 0)
			return err_nomem(e, "the joiner");
	for (int i = 0; i < rounds; i++) {
		if (trusting && i < ROUNDS / 2)
			trust(g);
		if (expect(g, n, e) < 0)
			return ERR_NOMEM;
		if (maximize(g, e) < 0)
			return ERR_NOMEM;
	}
	return 0;
}

int learn_group(struct group *g, size_t n, struct err *e)
{
	double best = -INFINITY, each[USE_KINDS];
	bool several = false, trusting = false;
	int r = 0, only = -1;

	g->learned = true;
	if (!n || !g->nvector)
		return 0;
	g->learning = true;
	g->prune = 0.7 * PRUNE;
	g->irqs = (double)n;
	g->span_ns =
		(double)(pend_at(g, n - 1)->irq->time_ns - pend_at(g, 0)->irq->time_ns);
	for (size_t i = 0; i < g->nslot; i++) {
		struct slot *s = g->slot[i];
		for (int k = 0; k < 2; k++) {
			if (!(s->half[k] = calloc(1, sizeof(*s->half[k]))))
				return err_nomem(e, "the joiner");
			law_init(s->half[k]);
		}
		s->whole = s->model;
	}
	for (size_t i = 0; i < g->nslot; i++)
		several |= g->slot[i]->c->branched && g->slot[i]->c->nalive > 1;
	for (int habit = 0; habit <= (several ? HABIT_DRAIN : 0) && r >= 0; habit++)
		for (int t = 0; t < 2 && r >= 0; t++) {
			g->only = several ? habit : -1;
			r = climb(g, n, t, ROUNDS, e);
			if (!t || g->evidence > each[habit])
				each[habit] = g->evidence;
			if (g->evidence > best) {
				best = g->evidence;
				only = g->only;
				trusting = t;
			}
		}
	for (int habit = 0; habit < USE_KINDS && several; habit++)
		g->habit_log[habit] = TEMPER * (each[habit] - best);
	g->only = only;
	r = r < 0 ? r : climb(g, n, trusting, 2 * ROUNDS, e);
	for (size_t i = 0; i < g->nslot && r >= 0; i++) {
		struct slot *s = g->slot[i];
		s->model = s->whole;
		r = law_sum(s->model, s->half[0], s->half[1]);
		law_make(s->model);
	}
	g->learned_until = n;
	g->learning = false;
	g->prune = PRUNE;
	return r < 0 ? r : group_start(g, e);
}

/* The first interrupts are over: one model from here on. */
void learn_over(struct group *g)
{
	for (size_t i = 0; i < g->nslot; i++) {
		struct slot *s = g->slot[i];
		if (!s->half[0])
			continue;
		s->model = s->whole;
		for (int k = 0; k < 2; k++) {
			law_release(s->half[k]);
			free(s->half[k]);
			s->half[k] = NULL;
		}
	}
}
