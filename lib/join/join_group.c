/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Channels and vectors that belong together: their events in a queue, through the trellis
 * a little behind the present (so that it is known already when a wait came back), and
 * transfers handed out as soon as all hypotheses that are left agree.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/join/join_decide.h"
#include "lib/join/join_fit.h"

enum { LAG = 192, MOST_NODES = 12000 };

/* ---- making groups: from the options alone, never merged ---- */

static bool meet(int64_t a, int64_t b)
{
	return a == DMA_UNKNOWN || b == DMA_UNKNOWN || a == b;
}

static bool overlap(const struct join_vector *a, const struct join_vector *b)
{
	return a->irq == b->irq ||
	       (meet(a->card, b->card) && meet(a->channel, b->channel));
}

static int group_add(struct join *j, struct group **out, struct err *e)
{
	struct group **p = reallocarray(j->group, j->ngroup + 1, sizeof(*p));
	struct group *g = calloc(1, sizeof(*g));

	if (p)
		j->group = p;
	if (!p || !g) {
		free(g);
		return join_nomem(e);
	}
	j->group[j->ngroup++] = g;
	g->j = j;
	model_init(&g->m, j->o.pairing);
	for (size_t v = 0; v < SLOTS; v++)
		g->prev_ns[v] = INT64_MIN;
	g->lost_ns = INT64_MIN;
	*out = g;
	if (!(g->vector = calloc(j->o.nvector, sizeof(*g->vector))))
		return join_nomem(e);
	int r = trellis_new(&g->t, e);
	if (r >= 0)
		trellis_root(g->t, NULL, 0);
	return r < 0 ? r : g->t->nomem ? join_nomem(e) : 0;
}

static void group_vector(struct group *g, int32_t irq)
{
	for (size_t i = 0; i < g->nvector; i++)
		if (g->vector[i] == irq)
			return;
	if (g->nvector < SLOTS)
		g->vector[g->nvector++] = irq;
}

/* part[i]: the smallest index of those that i is connected with. */
static void parts(const struct join *j, size_t *part)
{
	bool again = true;

	for (size_t i = 0; i < j->o.nvector; i++)
		part[i] = i;
	while (again) {
		again = false;
		for (size_t i = 0; i < j->o.nvector; i++)
			for (size_t k = 0; k < i; k++)
				if (part[i] != part[k] &&
				    overlap(&j->vector[i], &j->vector[k])) {
					size_t low =
						part[i] < part[k] ? part[i] : part[k];
					part[i] = part[k] = low;
					again = true;
				}
	}
}

int groups_new(struct join *j, struct err *e)
{
	size_t *part = calloc(j->o.nvector + 1, sizeof(*part));
	int r = part ? 0 : join_nomem(e);

	if (part)
		parts(j, part);
	for (size_t i = 0; i < j->o.nvector && r >= 0; i++) {
		struct group *g = NULL;
		if (part[i] != i)
			continue;
		r = group_add(j, &g, e);
		for (size_t k = i; k < j->o.nvector && r >= 0; k++)
			if (part[k] == i)
				group_vector(g, j->vector[k].irq);
	}
	free(part);
	return r;
}

/* Interrupts come by the block, so that all can be freed at once. */
struct irq_slab {
	struct irq_slab *next;
	struct jirq q[256];
};

static struct jirq *irq_slab(struct join *j)
{
	struct irq_slab *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->next = j->slab;
	j->slab = s;
	for (size_t i = 0; i < 256; i++) {
		s->q[i].next = j->free_irq;
		j->free_irq = &s->q[i];
	}
	return j->free_irq;
}

static void slabs_free(struct join *j)
{
	while (j->slab) {
		struct irq_slab *s = j->slab;
		j->slab = s->next;
		free(s);
	}
}

void groups_free(struct join *j)
{
	for (size_t i = 0; i < j->ngroup; i++) {
		struct group *g = j->group[i];
		trellis_free(g->t);
		free(g->ev);
		free(g->vector);
		free(g);
	}
	slabs_free(j);
	free(j->group);
}

int group_adopt(struct join *j, struct channel *c, struct err *e)
{
	for (size_t i = 0; i < j->o.nvector; i++) {
		struct group *g = NULL;
		if (!join_serves(&j->vector[i], c))
			continue;
		for (size_t k = 0; k < j->ngroup && !g; k++)
			if (vector_index(j->group[k], j->vector[i].irq) <
			    j->group[k]->nvector)
				g = j->group[k];
		if (!g || (c->g && c->g != g))
			continue;
		if (!c->g && g->nslot == SLOTS) {
			c->crowded = true;
			c->doubt = "more channels share a vector than can be told apart";
			return 0;
		}
		if (!c->g && trellis_slot(g->t, g->nslot, e))
			return ERR_NOMEM;
		if (!c->g) {
			c->g = g;
			c->slot = g->nslot++;
			g->slot[c->slot] = c;
		}
		g->serves[vector_index(g, j->vector[i].irq)][c->slot] = true;
	}
	return 0;
}

/* ---- the queue ---- */

static int queue(struct group *g, struct jevent ev, struct err *e)
{
	if (g->first + g->nev == g->aev) {
		if (g->first > g->aev / 2) {
			memmove(g->ev, g->ev + g->first, g->nev * sizeof(*g->ev));
		} else {
			size_t a = g->aev ? 2 * g->aev : 1024;
			struct jevent *p = malloc(a * sizeof(*p));
			if (!p)
				return join_nomem(e);
			if (g->nev)
				memcpy(p, g->ev + g->first, g->nev * sizeof(*p));
			free(g->ev);
			g->ev = p;
			g->aev = a;
		}
		g->first = 0;
	}
	if (g->nev && g->ev[g->first + g->nev - 1].time_ns > ev.time_ns)
		g->unsorted = true;
	g->ev[g->first + g->nev++] = ev;
	return 0;
}

static void put_in_order(struct group *g)
{
	struct jevent *ev = g->ev + g->first;

	/* nearly sorted, and equal times keep their order */
	for (size_t i = 1; i < g->nev; i++) {
		struct jevent x = ev[i];
		size_t k = i;
		for (; k && ev[k - 1].time_ns > x.time_ns; k--)
			ev[k] = ev[k - 1];
		ev[k] = x;
	}
	g->unsorted = false;
}

int group_irq(struct join *j, const struct sample *s, struct err *e)
{
	struct group *g = NULL;
	struct jirq *q = j->free_irq;

	for (size_t i = 0; i < j->ngroup && !g; i++)
		if (vector_index(j->group[i], s->irq) < j->group[i]->nvector)
			g = j->group[i];
	if (!g) {
		j->n.interrupts_ignored++;
		return 0;
	}
	j->n.interrupts++;
	if (!q && !(q = irq_slab(j)))
		return join_nomem(e);
	j->free_irq = q->next;
	*q = (struct jirq){
		.time_ns = s->time_ns, .seq = s->seq, .irq = s->irq, .cpu = s->cpu};
	for (size_t i = 0; i < g->nslot; i++)
		channel_irq(g->slot[i]);
	int r = queue(g, (struct jevent){s->time_ns, q, NULL}, e);
	return r < 0 ? r : group_pump(j, g, false, e);
}

int group_end(struct join *j, struct jtransfer *x, struct err *e)
{
	struct group *g = x->c->g;

	x->queued = true;
	int r = queue(g, (struct jevent){x->end_ns, NULL, x}, e);
	return r < 0 ? r : group_pump(j, g, false, e);
}

int group_reset(struct group *g, int64_t at, struct err *e)
{
	return queue(g, (struct jevent){at, NULL, NULL}, e);
}

/* ---- committing ---- */

static void collect_edge(struct group *g, struct jirq *q, const struct edge *x, float p,
			 const struct work *work)
{
	struct model *m = &g->m;
	struct channel *c = g->slot[x->slot];

	if (x->kind == EDGE_STRAY)
		q->stray += p;
	if (x->kind != EDGE_END && x->kind != EDGE_LATE)
		return;
	/* A late one shared across channels teaches nothing of it: any that is missing
	 * can be read so, as the late one of the next interrupt. */
	m->cross += x->again && x->kind == EDGE_END ? p : 0;
	if (x->kind == EDGE_END || m->often_late) {
		uint32_t k = x->k - x->held;
		m->size[k < COALESCE ? k : COALESCE] += p;
		m->uses += p;
	}
	if (!x->again)
		m->affinity[vector_index(g, q->irq)][x->slot] += p;
	if (p < 1e-5f)
		return;
	bool others = x->again && x->kind == EDGE_LATE && !m->often_late;
	uint32_t held = others ? x->k : x->held;
	for (uint32_t k = 0; k < x->k; k++) {
		struct jtransfer *t = channel_at(c, x->first + k);
		if (t && !t->dead)
			decide_candidate(t, q, p, k < held);
	}
	struct jtransfer *last = channel_at(c, x->first + x->k - 1);
	if (work && last)
		decide_device(g, q, last, work, p);
}

static void collect(struct group *g, const struct layer *l)
{
	const struct trellis *t = g->t;
	const struct layer *before = l - 1;
	float sum = 0;

	for (size_t i = l->edge; i < l->edge + l->nedge; i++) {
		const struct edge *x = &t->edge[i];
		sum += trellis_node(t, before->node + x->from)->a * x->w *
		       trellis_node(t, l->node + x->to)->b;
	}
	for (size_t i = l->edge; i < l->edge + l->nedge && sum > 0; i++) {
		const struct edge *x = &t->edge[i];
		const struct node *from = trellis_node(t, before->node + x->from);
		const struct channel *c = g->slot[x->slot];
		float p = from->a * x->w * trellis_node(t, l->node + x->to)->b / sum;
		struct work w;
		bool ended = x->kind == EDGE_END && !x->again && p > 0.01f &&
			     channel_at(c, x->first + x->k - 1);
		if (ended)
			w = work_of(from, c, x->first + x->k - 1);
		collect_edge(g, l->irq, x, p, ended ? &w : NULL);
	}
}

/* But for those that were to be expected, and the doubts that there are of any interrupt:
 * many of them would make a stray. */
static void learn_stray(struct group *g, const struct jirq *q)
{
	if (!q->running_circular && !q->leftover && q->stray > LEAST_STRAY)
		g->m.strays += q->stray;
}

/* What all states of the root agree on lies behind every slot's frontier. */
static void set_frontiers(struct group *g)
{
	const struct layer *l = &g->t->layer[0];

	g->serial++;
	for (size_t s = 0; s < g->nslot; s++) {
		uint64_t low = UINT64_MAX;
		for (size_t i = 0; i < l->nnode; i++)
			if (trellis_node(g->t, l->node + i)->slot[s].next < low)
				low = trellis_node(g->t, l->node + i)->slot[s].next;
		g->slot[s]->frontier = low;
	}
	for (size_t i = 0; i < l->nnode; i++) {
		const struct node *n = trellis_node(g->t, l->node + i);
		for (size_t k = 0; k < n->npend; k++) {
			uint64_t p = n->pend[k];
			struct jtransfer *x =
				channel_at(g->slot[p >> PEND_SLOT], p & PEND_INDEX);
			if (x)
				x->mark = g->serial;
		}
	}
}

static int decide_all(struct group *g, struct err *e)
{
	int r = 0;

	for (size_t s = 0; s < g->nslot && r >= 0; s++) {
		struct channel *c = g->slot[s];
		struct jtransfer *x;
		while (r >= 0 && c->next_decide < c->frontier &&
		       (x = channel_at(c, c->next_decide)) && x->mark != g->serial &&
		       x->ended && !x->queued) {
			r = decide(g, x, e);
			c->next_decide++;
		}
		if (r >= 0 && !g->learning)
			r = group_flush(g->j, c, e);
	}
	return r;
}

/* The first n layers behind the root are decided. */
static int commit(struct group *g, size_t n, struct err *e)
{
	int r = 0;

	trellis_backwards(g->t);
	for (size_t k = 1; k <= n; k++)
		if (g->t->layer[k].irq)
			collect(g, &g->t->layer[k]);
	for (size_t k = 1; k <= n && r >= 0; k++) {
		const struct layer *l = &g->t->layer[k];
		if (!l->irq || !l->whole)
			continue;
		learn_stray(g, l->irq);
		l->irq->committed = true;
		if (!g->learning)
			r = decide_irq(g, l->irq, e);
	}
	trellis_drop(g->t, n);
	set_frontiers(g);
	return r < 0 ? r : decide_all(g, e);
}

static int commit_some(struct group *g, struct err *e)
{
	size_t n = g->t->nlayer - 1;

	if (!n)
		return 0;
	if (trellis_last(g->t)->nnode == 1)
		return commit(g, n, e);
	if (n < LAYERS && g->t->nnode < MOST_NODES)
		return 0;
	for (n /= 2; n > 1 && !g->t->layer[n].whole; n--)
		;
	return commit(g, n, e);
}

/* A loss: nothing before `at` can be told from here on. */
static int reset(struct group *g, int64_t at, struct err *e)
{
	int r = g->t->nlayer > 1 ? commit(g, g->t->nlayer - 1, e) : 0;

	for (size_t s = 0; s < g->nslot && r >= 0; s++) {
		struct channel *c = g->slot[s];
		const struct jtransfer *x;
		if (c->frontier < c->base)
			c->frontier = c->base;
		while ((x = channel_at(c, c->frontier)) && x->t.submit_ns <= at)
			c->frontier++;
	}
	trellis_root(g->t, (const struct channel *const *)g->slot, g->nslot);
	set_frontiers(g);
	g->lost_ns = at;
	for (size_t s = 0; s < g->nslot; s++)
		g->behind[s] = g->slot[s]->frontier;
	return r < 0 ? r : decide_all(g, e);
}

static void assign(struct group *g, struct jirq *q, struct jtransfer *x)
{
	const struct edge how = {
		.kind = EDGE_END, .slot = (uint8_t)x->c->slot, .k = 1, .first = x->index};

	q->committed = true;
	collect_edge(g, q, &how, 1, &g->alone);
	set_frontiers(g);
}

static int step(struct group *g, const struct jevent *ev, struct err *e)
{
	struct jtransfer *alone;
	int r;

	if (!ev->irq && !ev->end)
		return reset(g, ev->time_ns, e);
	if (ev->irq) {
		ev->irq->before_ns = g->prev_ns[vector_index(g, ev->irq->irq)];
		/* densities are weighed by it */
		g->t->evidence -= log(g->m.scale_ns);
	}
	if (ev->end) {
		step_end(g, ev->end);
		ev->end->queued = false;
	} else if ((r = step_irq(g, ev->irq, &alone)) == 0) {
		ev->irq->stray = 1;
		ev->irq->committed = ev->irq->idle = true;
		learn_stray(g, ev->irq);
		g->t->evidence += log(model_stray(&g->m, ev->irq->own));
		if (!g->learning && (r = decide_irq(g, ev->irq, e)) < 0)
			return r;
	} else if (r == 2) {
		assign(g, ev->irq, alone);
	}
	if (g->t->nomem)
		return join_nomem(e);
	if ((r = commit_some(g, e)) < 0 || !ev->end)
		return r;
	return decide_all(g, e);
}

/* Once through all that is queued, from the root on, to learn. The evidence ends at the
 * first loss, behind which the order may be lost. Those that ended before `until` have
 * all their interrupts in it. Of a few transfers the last ones would weigh too much. */
int group_pass(struct group *g, int64_t until, struct err *e)
{
	float stray = picks_one(g->m.pairing) ? 0 : g->m.p_stray;
	bool ordered = true;
	int r = 0;

	g->t->evidence = g->evidence = 0;
	for (size_t i = 0; i < g->nev && r >= 0; i++) {
		const struct jevent *ev = &g->ev[g->first + i];
		g->cursor = g->first + i;
		ordered &= ev->irq || (ev->end && !ev->end->doubt);
		r = step(g, ev, e);
		if (ev->end) /* and not more strays than came */
			g->t->evidence -= stray;
		if (ordered)
			g->evidence = g->t->evidence;
	}
	if (r >= 0 && g->t->nlayer > 1)
		r = commit(g, g->t->nlayer - 1, e);
	for (size_t s = 0; s < g->nslot && g->m.transfers >= FEWEST; s++) {
		struct channel *c = g->slot[s];
		struct jtransfer *x;
		while (r >= 0 && (x = channel_at(c, c->next_decide)) && x->ended &&
		       !x->queued && x->end_ns < until) {
			r = decide(g, x, e);
			c->next_decide++;
		}
	}
	return r;
}

int group_pump(struct join *j, struct group *g, bool all, struct err *e)
{
	int r = 0;

	(void)j;
	if (g->gate && !all)
		return 0;
	if (g->nev < (g->learned ? LAG : FIRST_LOOK) && !all)
		return 0;
	if (g->unsorted)
		put_in_order(g);
	if (!g->learned && g->nev)
		r = group_learn(g, all, e);
	while (r >= 0 && g->nev > (all ? 0 : LAG)) {
		g->cursor = g->first;
		struct jevent ev = g->ev[g->first++];
		g->nev--;
		r = step(g, &ev, e);
	}
	return r;
}

/* Everything that is left, ended or not. */
int group_finish(struct join *j, struct group *g, struct err *e)
{
	int r = group_pump(j, g, true, e);

	if (r >= 0 && g->t->nlayer > 1)
		r = commit(g, g->t->nlayer - 1, e);
	for (size_t s = 0; s < g->nslot && r >= 0; s++) {
		struct channel *c = g->slot[s];
		for (; c->next_decide < c->tail && r >= 0; c->next_decide++)
			r = decide(g, channel_at(c, c->next_decide), e);
	}
	for (size_t s = 0; s < g->nslot && r >= 0; s++)
		r = group_flush(j, g->slot[s], e);
	return r;
}
