/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How one event moves the hypotheses on.
 *
 * An interrupt, slot by slot of the channels that its vector serves: ends none here, or
 * the next k transfers, perhaps past some whose own is missing; if it ended none anywhere
 * it is a stray, or the late one of a transfer that was passed.
 *
 * The end of a transfer for the program: where it had no interrupt yet it is passed, and
 * with it those begun before it, for a card ends the transfers of one channel in their
 * order.
 */
#include <math.h>

#include "lib/join/join_fit.h"

#define SKIPS		3
#define COALESCED_SKIPS 8
#define RARE		1e-3f  /* two accidents at once */
#define LEAST		1e-25f /* no way through may vanish */
#define NO_WAY		1e-9f
#define CUT		0.1f  /* of what is given up, what might have come true */
#define OVERTAKEN	1e-3f /* of late ones: another of its channel came before it */

/* Until one has come, the interrupts of all that ended meanwhile may be held up, and come
 * as one. */
static bool held_up(const struct group *g, const struct jtransfer *x)
{
	for (size_t v = 0; v < g->nvector; v++)
		if (g->serves[v][x->c->slot] && g->prev_ns[v] > x->end_ns)
			return false;
	return true;
}

static bool expired(const struct group *g, const struct jtransfer *x, int64_t at)
{
	if (!x)
		return true;
	if (x->end_ns == INT64_MAX)
		return at - x->begin_ns >= 4 * g->m.horizon_ns;
	return at - x->end_ns >= (held_up(g, x) ? 4 : 1) * g->m.horizon_ns;
}

static void pend_remove(struct node *n, size_t i)
{
	uint64_t *p = n->pend;

	for (n->npend--; i < n->npend; i++)
		p[i] = p[i + 1];
}

/* The one that had to leave for it before its time, or NULL. */
static struct jtransfer *pend_add(const struct group *g, struct node *n,
				  const struct jtransfer *x)
{
	struct jtransfer *old = NULL;

	if (x->dead)
		return NULL;
	if (n->npend == PENDS) {
		old = pend_of(g, n->pend[0]);
		pend_remove(n, 0);
	}
	n->pend[n->npend++] = (uint64_t)x->c->slot << PEND_SLOT | x->index;
	return old && !expired(g, old, x->t.submit_ns) ? old : NULL;
}

static void skip_dead(struct group *g, struct node *n, size_t s)
{
	const struct jtransfer *x;

	while ((x = channel_at(g->slot[s], n->slot[s].next)) && x->dead)
		n->slot[s].next++;
}

static struct node *node_at(const struct group *g, size_t i)
{
	const struct layer *l = trellis_last(g->t) - 1;

	return trellis_node(g->t, l->node + i);
}

/* How many begun transfers an interrupt that drains would end. */
static size_t begun(const struct channel *c, uint64_t first, const struct jirq *q,
		    int64_t age)
{
	const struct jtransfer *x;
	size_t n = 0;

	while (visible(x = channel_at(c, first + n), q) &&
	       q->time_ns - x->begin_ns >= age)
		n++;
	return n;
}

/* It may have waited for the handler until the card had ended the next one too, and be
 * that of both: a vector that is raised again before it is handled is handled once. */
static void end_late_too(const struct group *g, const struct jirq *q, size_t from,
			 struct edge how, const struct node *child)
{
	const struct model *m = &g->m;
	const struct jtransfer *y = channel_at(g->slot[how.slot], how.first + how.k - 1);
	struct node n;

	node_copy(&n, child, g->nslot);
	while (how.first > 0) {
		uint64_t before = (uint64_t)how.slot << PEND_SLOT | (how.first - 1);
		const struct jtransfer *x = pend_of(g, before);
		size_t i = 0;
		while (i < n.npend && n.pend[i] != before)
			i++;
		if (i == n.npend || !x || x->fixed || x->end_ns > q->time_ns)
			return;
		pend_remove(&n, i);
		how.first--;
		how.k++;
		how.held += !m->often_late;
		how.w *= m->p_held / fit_any(m) * fit_so_late(m, x, y, q);
		struct node copy;
		node_copy(&copy, &n, g->nslot);
		trellis_emit(g->t, g->nslot, from, &how, &copy);
	}
}

/* It ends k transfers of slot s from `first` on; child has those before it passed. */
static void end_some(struct group *g, struct jirq *q, size_t from, size_t s,
		     uint64_t first, const struct node *parent, float w)
{
	const struct model *m = &g->m;
	struct channel *c = g->slot[s];
	size_t all = m->pairing == PAIRING_DRAIN ? begun(c, first, q, m->age.low_ns) : 0;
	struct jtransfer *x;

	for (size_t k = 1; visible(x = channel_at(c, first + k - 1), q); k++) {
		struct edge how = {.kind = EDGE_END,
				   .slot = (uint8_t)s,
				   .again = parent->used,
				   .k = (uint32_t)k,
				   .first = first};
		struct node child;
		node_copy(&child, parent, g->nslot);
		if (x->dead)
			continue;
		w *= fit_notice(g, x, q);
		if (picks_one(m->pairing))
			w *= fit_rule(g, x, q, g->t->vector);
		if (w * parent->a < g->t->best * NO_WAY || w <= 0)
			return;
		how.w = w * fit_size(m, k, all) * fit_in_time(m, x, q) *
			(parent->used ? 1 : fit_device(m, parent, x, q));
		child.slot[s].last_ns = q->time_ns;
		child.slot[s].since = first + k;
		child.used = !g->t->final;
		child.slot[s].next = first + k;
		skip_dead(g, &child, s);
		if (m->pairing != PAIRING_ONE && !picks_one(m->pairing))
			end_late_too(g, q, from, how, &child);
		trellis_emit(g->t, g->nslot, from, &how, &child);
		if (m->pairing == PAIRING_ONE)
			return;
	}
}

static void ends_here(struct group *g, struct jirq *q, size_t from, size_t s,
		      size_t vector)
{
	const struct model *m = &g->m;
	struct node at;
	struct channel *c = g->slot[s];

	node_copy(&at, node_at(g, from), g->nslot);
	float w = at.used ? m->p_cross : m->scale_ns;

	w *= model_affinity(m, g->serves, g->nvector, vector, s);
	skip_dead(g, &at, s);
	for (size_t skip = 0; skip <= (m->p_more > 0.05f ? COALESCED_SKIPS : SKIPS);
	     skip++) {
		struct jtransfer *x = channel_at(c, at.slot[s].next);
		if (!visible(x, q))
			return;
		end_some(g, q, from, s, at.slot[s].next, &at, w);
		w *= fit_passed(g, &at, x);
		if (m->often_late && !x->dead && !x->fixed)
			w *= (m->p_missing + OVERTAKEN * m->p_late) / fit_any(m);
		pend_add(g, &at, x);
		at.slot[s].next++;
		skip_dead(g, &at, s);
	}
}

/* The interrupt is the late one of pending transfers: of one, or of several in a row. */
static void late_ones(struct group *g, struct jirq *q, size_t from, size_t vector)
{
	struct node at, child;

	node_copy(&at, node_at(g, from), g->nslot);
	for (size_t i = 0; i < at.npend; i++) {
		uint64_t first = at.pend[i];
		const struct jtransfer *x = pend_of(g, first);
		if (!x || !g->serves[vector][x->c->slot] || !visible(x, q))
			continue;
		struct edge how = {.kind = EDGE_LATE,
				   .slot = (uint8_t)x->c->slot,
				   .first = x->index};
		how.again = at.used;
		float w = at.used ? fit_late_again(g, &at, x, q, vector)
				  : fit_late(g, x, q, vector);
		node_copy(&child, &at, g->nslot);
		child.used = !g->t->final;
		for (how.k = 1; i + how.k <= at.npend; how.k++) {
			if (at.pend[i + how.k - 1] != first + how.k - 1)
				break;
			pend_remove(&child, i);
			if (g->m.often_late &&
			    x->index + how.k > child.slot[how.slot].since) {
				child.slot[how.slot].last_ns = q->time_ns;
				child.slot[how.slot].since = x->index + how.k;
			}
			how.w = how.k == 1
					? w
					: w * g->m.p_more * fit_any(&g->m) / g->m.p_late;
			struct node copy;
			node_copy(&copy, &child, g->nslot);
			trellis_emit(g->t, g->nslot, from, &how, &copy);
			if (g->m.pairing == PAIRING_ONE)
				break;
		}
	}
}

static void close_layer(struct group *g, bool whole)
{
	struct trellis *t = g->t;

	trellis_close(t, whole);
	/* Of one channel nearly all that is given up is ruled out by what follows. */
	for (size_t s = 0; s < g->nslot && t->cut > 0 && g->nslot > 1; s++)
		for (uint64_t i = t->low[s]; i <= t->high[s]; i++) {
			struct jtransfer *x = channel_at(g->slot[s], i);
			if (x)
				x->cut += CUT * t->cut;
		}
}

/* Behind a loss: it ended a transfer that was lost, and the card turned to the next one
 * that it had, perhaps the first that was seen. Where channels share a vector it cannot
 * be told whose it was. */
static void ended_lost(const struct group *g, const struct jirq *q, struct node *n)
{
	size_t slot = SLOTS;

	for (size_t s = 0; s < g->nslot; s++) {
		if (!g->serves[g->t->vector][s])
			continue;
		if (slot < SLOTS)
			return;
		slot = s;
	}
	if (slot < SLOTS && n->slot[slot].since == g->behind[slot])
		n->slot[slot].last_ns = q->time_ns;
}

static void pass(struct group *g, size_t from, enum edge_kind kind, float w,
		 const struct jirq *done)
{
	struct node child;
	struct edge how = {.kind = (uint8_t)kind, .w = w};

	node_copy(&child, node_at(g, from), g->nslot);
	if (done)
		child.used = 0;
	if (kind == EDGE_STRAY && done->leftover)
		ended_lost(g, done, &child);
	trellis_emit(g->t, g->nslot, from, &how, &child);
}

/* One slot (or none: SLOTS), whether it is late, whether it is a stray: all that is asked
 * in one layer. Where channels share a vector it may be late for two of them. */
struct ask {
	size_t slot;
	bool late, last, again;
};

static void substep(struct group *g, struct jirq *q, size_t vector, struct ask ask)
{
	struct layer *l = trellis_open(g->t, q);

	if (!l)
		return;
	g->t->final = ask.last;
	size_t n = l[-1].nnode;
	for (size_t i = 0; i < n; i++) {
		bool used = node_at(g, i)->used;
		if (used || !ask.last)
			pass(g, i, EDGE_PASS, 1, ask.last ? q : NULL);
		else
			pass(g, i, EDGE_STRAY, fit_stray(g, node_at(g, i), q), q);
		if (ask.slot < SLOTS)
			ends_here(g, q, i, ask.slot, vector);
		if (ask.late && used == ask.again)
			late_ones(g, q, i, vector);
	}
	close_layer(g, ask.last);
}

static bool active(const struct group *g, const struct jirq *q, size_t s)
{
	const struct layer *l = trellis_last(g->t);

	for (size_t i = 0; i < l->nnode; i++)
		if (visible(channel_at(g->slot[s],
				       trellis_node(g->t, l->node + i)->slot[s].next),
			    q))
			return true;
	return false;
}

/* Those whose interrupt cannot come any more leave; is there still one that waits? */
static bool expire(struct group *g, int64_t at)
{
	const struct layer *l = trellis_last(g->t);
	bool any = false, old = false;

	for (size_t i = 0; i < l->nnode; i++) {
		const struct node *n = trellis_node(g->t, l->node + i);
		for (size_t k = 0; k < n->npend; k++)
			*(expired(g, pend_of(g, n->pend[k]), at) ? &old : &any) = true;
	}
	if (!old || !(l = trellis_open(g->t, NULL)))
		return any;
	for (size_t i = 0, n = l[-1].nnode; i < n; i++) {
		struct node child;
		struct edge how = {.kind = EDGE_PASS, .w = 1};
		node_copy(&child, node_at(g, i), g->nslot);
		for (size_t k = child.npend; k-- > 0;) {
			const struct jtransfer *x = pend_of(g, child.pend[k]);
			if (!expired(g, x, at))
				continue;
			if (x && !x->fixed)
				how.w *= g->m.p_missing / fit_any(&g->m);
			pend_remove(&child, k);
		}
		trellis_emit(g->t, g->nslot, i, &how, &child);
	}
	close_layer(g, true);
	return any;
}

/* Is nothing else begun on any channel of the group until `end`? */
static bool others_idle(struct group *g, const struct node *n, size_t slot, int64_t end)
{
	for (size_t s = 0; s < g->nslot; s++) {
		const struct channel *c = g->slot[s];
		const struct jtransfer *y = channel_at(c, n->slot[s].next + (s == slot));
		if (y && y->t.submit_ns <= end)
			return false;
		if (c->circular_from != DMA_UNKNOWN && c->circular_to >= end)
			return false;
	}
	return true;
}

/* The same as evidence, for what is not weighed against anything. */
static void weigh_alone(struct group *g, struct jtransfer *x, const struct jirq *q,
			const struct node *n)
{
	const struct model *m = &g->m;

	if (!g->learning)
		return;
	float w = m->scale_ns * fit_notice(g, x, q) * fit_size(m, 1, 1);
	g->t->evidence += log(w * fit_in_time(m, x, q) * fit_device(m, n, x, q));
}

/*
 * The plain case, and a shortcut: one transfer alone, nothing open from before, and one
 * interrupt while it was in flight. That its own is missing and a stray came just then
 * would be two accidents in one place; where accidents are rare that is not considered,
 * however odd the times are (a program that was preempted wakes late). So such a transfer
 * does not teach that interrupts are missing, either. Behind a loss it is no accident:
 * the interrupt may be that of a transfer before it.
 */
static struct jtransfer *step_alone(struct group *g, const struct jirq *q, size_t s)
{
	const struct model *m = &g->m;
	const struct layer *l = trellis_last(g->t);
	struct node *n = trellis_node(g->t, l->node);
	struct jtransfer *x = channel_at(g->slot[s], n->slot[s].next);

	if (g->t->nlayer != 1 || l->nnode != 1 || n->npend || !x || x->dead || x->fixed ||
	    x->covered || !x->ended || q->leftover || picks_one(m->pairing))
		return NULL;
	if (q->time_ns < x->begin_ns || q->time_ns > x->end_ns ||
	    x->t.woken_ns == DMA_UNKNOWN ||
	    m->p_stray * (m->p_missing + m->p_late) > RARE)
		return NULL;
	for (size_t v = 0; v < g->nvector; v++)
		if (g->prev_ns[v] >= x->begin_ns)
			return NULL;
	for (size_t i = g->cursor + 1; i < g->first + g->nev; i++) {
		if (g->ev[i].time_ns > x->end_ns)
			break;
		if (g->ev[i].irq || !g->ev[i].end)
			return NULL;
	}
	if (!others_idle(g, n, s, x->end_ns))
		return NULL;
	weigh_alone(g, x, q, n);
	g->alone = work_of(n, x->c, x->index);
	n->slot[s].next++;
	n->slot[s].since = n->slot[s].next;
	n->slot[s].last_ns = q->time_ns;
	return x;
}

/* The next of c's that ended before at_ns and has not been told of an interrupt, from *i
 * on; NULL. */
static struct jtransfer *next_untold(struct channel *c, uint64_t *i, int64_t at_ns)
{
	struct jtransfer *x;

	while ((x = channel_at(c, *i)) && x->end_ns < at_ns) {
		++*i;
		if (!x->dead && !x->fixed)
			return x;
	}
	return NULL;
}

/* Those that the vector serves and that ended since its last interrupt are told of q. */
static void tell_ended(struct group *g, const struct jirq *q, size_t vector)
{
	struct jtransfer *x, *last = NULL;
	uint32_t n = 0;

	for (size_t s = 0; s < g->nslot; s++) {
		struct channel *c = g->slot[s];
		if (c->told < c->next_decide)
			c->told = c->next_decide;
		uint64_t i = c->told;
		while (g->serves[vector][s] && (x = next_untold(c, &i, q->time_ns))) {
			n++;
			last = !last || x->end_ns > last->end_ns ? x : last;
		}
	}
	if (!n)
		return;
	float soon = fit_next_end(g, q, vector), late = fit_last_end(g, q, last);
	for (size_t s = 0; s < g->nslot; s++) {
		struct channel *c = g->slot[s];
		while (g->serves[vector][s] &&
		       (x = next_untold(c, &c->told, q->time_ns))) {
			x->next_ns = q->time_ns;
			x->place = x == last ? soon : fmaxf(soon, late);
			x->run = n > 2 ? n - 1 : 1;
		}
	}
}

/* 1: the interrupt entered the trellis; 0: nothing can be its, it is a stray; 2: it is
 * that of *x. */
int step_irq(struct group *g, struct jirq *q, struct jtransfer **x)
{
	size_t vector = vector_index(g, q->irq), slot[SLOTS], n = 0;
	bool pends = expire(g, q->time_ns);

	tell_ended(g, q, vector);
	q->leftover = g->lost_ns != INT64_MIN &&
		      q->time_ns - g->lost_ns < LEFTOVER * g->m.total.median_ns;
	for (size_t s = 0; s < g->nslot; s++) {
		const struct channel *c = g->slot[s];
		if (!g->serves[vector][s])
			continue;
		if (c->circular_from != DMA_UNKNOWN && c->circular_from <= q->time_ns &&
		    q->time_ns <= c->circular_to)
			q->running_circular = true;
		if (active(g, q, s))
			slot[n++] = s;
	}
	if (n == 1 && !pends && (*x = step_alone(g, q, slot[0]))) {
		g->prev_ns[vector] = q->time_ns;
		return 2;
	}
	if (!n && !pends)
		return 0;
	g->t->vector = vector;
	bool shared = g->nslot > 1 && pends && g->m.pairing != PAIRING_ONE;
	for (size_t i = 0; i < n; i++) {
		bool last = i + 1 == n;
		substep(g, q, vector,
			(struct ask){slot[i], last && !shared, last && !shared, false});
	}
	if (shared)
		substep(g, q, vector, (struct ask){SLOTS, true, false, false});
	if (shared || !n)
		substep(g, q, vector, (struct ask){SLOTS, true, true, shared});
	g->prev_ns[vector] = q->time_ns;
	return 1;
}

/* Transfers that the vector serves, ended since its last interrupt and not decided: how
 * many there are; each is told of n. */
static size_t ended_since(const struct group *g, size_t vector, int64_t at, uint8_t n)
{
	size_t found = 0;

	for (size_t s = 0; s < g->nslot; s++) {
		const struct channel *c = g->slot[s];
		struct jtransfer *x;
		if (!g->serves[vector][s])
			continue;
		for (uint64_t i = c->next_decide; (x = channel_at(c, i)); i++) {
			if (x->end_ns > at)
				break;
			if (x->dead || x->fixed || x->end_ns <= g->prev_ns[vector])
				continue;
			if (n > x->together)
				x->together = n;
			found++;
		}
	}
	return found;
}

/* Where several end and no interrupt comes, the next may have waited for the handler with
 * all of theirs. */
static void stands_still(const struct group *g, const struct jtransfer *x)
{
	for (size_t v = 0; v < g->nvector && !ends_several(&g->m); v++) {
		if (!g->serves[v][x->c->slot] || g->prev_ns[v] == INT64_MIN)
			continue;
		size_t n = ended_since(g, v, x->end_ns, 0);
		if (n > 1)
			ended_since(g, v, x->end_ns,
				    n < UINT8_MAX ? (uint8_t)n : UINT8_MAX);
	}
}

/* x, and those before it, are passed. *old: one that left for them. */
static void pass_until(struct group *g, const struct jtransfer *x, struct node *n,
		       struct edge *how, struct jtransfer **old)
{
	uint64_t *next = &n->slot[x->c->slot].next;

	for (; *next <= x->index; ++*next) {
		struct jtransfer *y = channel_at(x->c, *next), *left;
		if (!y)
			continue;
		how->w *= fit_passed(g, n, y);
		if ((left = pend_add(g, n, y)))
			*old = left;
	}
	how->w = how->w < LEAST ? LEAST : how->w;
}

void step_end(struct group *g, struct jtransfer *x)
{
	size_t s = x->c->slot;
	struct jtransfer *old[NODES] = {NULL};
	float weight[NODES];
	bool any = false;

	stands_still(g, x);
	expire(g, x->end_ns);
	if (!x->latched && !x->dead && fit_shows_end(x))
		g->t->evidence += log(fit_unseen(&g->m, x));
	const struct layer *l = trellis_last(g->t);
	for (size_t i = 0; i < l->nnode; i++)
		any |= trellis_node(g->t, l->node + i)->slot[s].next <= x->index;
	if (!any || !(l = trellis_open(g->t, NULL)))
		return;
	size_t n = l[-1].nnode;
	for (size_t i = 0; i < n; i++) {
		struct node child;
		struct edge how = {.kind = EDGE_PASS, .w = 1};
		node_copy(&child, node_at(g, i), g->nslot);
		pass_until(g, x, &child, &how, &old[i]);
		weight[i] = node_at(g, i)->a * how.w;
		trellis_emit(g->t, g->nslot, i, &how, &child);
	}
	/* What left too early may have been late all the same. */
	for (size_t i = 0; i < n; i++)
		if (old[i])
			old[i]->cut +=
				weight[i] / g->t->best * g->m.p_late / fit_any(&g->m);
	close_layer(g, true);
}
