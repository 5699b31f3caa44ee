/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How one event moves the hypotheses on.
 *
 * An interrupt, slot by slot of the channels that its vector serves: ends none here, or
 * the next k transfers, perhaps past some whose own is missing; if it ended none anywhere
 * it is a stray, or the late one of a transfer that was passed. Densities are weighed by
 * a time that is typical here, so that what is not asked yet stands beside what is.
 *
 * The end of a transfer for the program: where it had no interrupt yet it is passed, and
 * with it those begun before it, for a card ends the transfers of one channel in their
 * order.
 */
#include <math.h>

#include "join_trellis.h"

/* Clocks of two CPUs may differ: an interrupt may seem to come so much before its
 * transfer. */
#define SKEW_NS		1000
#define SKEW		1e-3f
#define SKIPS		3
#define COALESCED_SKIPS 8
#define CIRCULAR	1000.0f /* how much commoner strays are while a circular one runs */
#define LEFTOVER	2	/* times that transfers take, behind a loss */
#define TOO_YOUNG	0.1f
#define TOO_LATE	0.1f /* beyond the horizon, where only those held up are looked for */
#define RARE		1e-3f  /* two accidents at once */
#define LEAST		1e-25f /* no way through may vanish */
#define AGAINST_RULE	1e-8f
#define SEVERAL_STRAY	1e-3f /* one that is no further one of a transfer */
#define NO_WAY		1e-9f
#define MOST_WORK	128   /* transfers looked back for when the card turned to them */
#define CUT		0.1f  /* of what is given up, what might have come true */
#define OVERTAKEN	1e-3f /* of late ones: another of its channel came before it */
#define HELD_UP		3     /* transfers that end without interrupt, in a row */
#define LEAST_IN_TIME	0.05f
#define ABORTED_END	0.5f /* that a transfer given up had ended all the same */

static struct jtransfer *pend_of(const struct group *g, uint64_t p)
{
	return channel_at(g->slot[p >> PEND_SLOT], p & PEND_INDEX);
}

static float p_any(const struct model *m)
{
	return m->p_missing + m->p_late;
}

/* That the interrupt comes, and before the program wakes. */
static float in_time(const struct model *m, const struct jtransfer *x,
		     const struct jirq *q)
{
	return x->use_notice && x->t.woken_ns >= q->time_ns
		       ? fmaxf(1 - p_any(m), LEAST_IN_TIME)
		       : 1;
}

static const struct witness *witness(const struct jtransfer *x, const struct jirq *q)
{
	for (size_t i = 0; i < x->nwitness; i++)
		if (x->witness[i].seq == q->seq)
			return &x->witness[i];
	static const struct witness none = {0};
	return &none;
}

static float asked_at(const struct model *m, const struct jtransfer *x)
{
	return model_notice(m, true, x->t.woken_ns - x->t.wait_ns, x->asked);
}

static float notice_at(const struct model *m, const struct jtransfer *x,
		       const struct jirq *q)
{
	if (x->t.wait_ns > q->time_ns)
		return asked_at(m, x);
	return model_notice(m, false, x->t.woken_ns - q->time_ns, witness(x, q)->told);
}

/* When does the program wake where no interrupt tells the end? As long after the start as
 * ever, or as soon as it asks. Where that is usual, as long as ever after the card turned
 * to it, as far as the program saw that. */
static float unseen_fit(const struct model *m, const struct jtransfer *x)
{
	float w = m->often_late ? density_at(&m->turn, channel_turn_ns(x), x->counted)
				: density_at(&m->total, x->t.woken_ns - x->begin_ns,
					     x->counted);

	if (x->t.wait_ns == DMA_UNKNOWN)
		return w;
	return m->p_turn * w + (1 - m->p_turn) * asked_at(m, x);
}

float step_turn_share(const struct model *m, const struct jtransfer *x)
{
	if (x->t.wait_ns == DMA_UNKNOWN)
		return 1;
	float asked = (1 - m->p_turn) * asked_at(m, x);
	return 1 - asked / unseen_fit(m, x);
}

/* The best that any interrupt within it explains its notice by. Weights are relative to
 * it, or an interrupt for many would look unlikely until the others' ends are seen, and
 * be pruned. */
static float notice_scale(const struct group *g, const struct jtransfer *x,
			  const struct jirq *q)
{
	float best = notice_at(&g->m, x, q);

	if (q->time_ns > x->t.woken_ns)
		best = unseen_fit(&g->m, x);
	for (size_t i = g->cursor + 1; i < g->first + g->nev; i++) {
		const struct jevent *ev = &g->ev[i];
		if (ev->time_ns > x->t.woken_ns)
			break;
		if (ev->irq)
			best = fmaxf(best, notice_at(&g->m, x, ev->irq));
	}
	return best;
}

/* Does the time of its wait say anything of when it ended? */
static bool shows_end(const struct jtransfer *x)
{
	return x->t.woken_ns != DMA_UNKNOWN && !x->fixed && !x->covered;
}

static bool notice_counts(const struct group *g, struct jtransfer *x,
			  const struct jirq *q)
{
	if (!x->latched) {
		x->latched = true;
		x->use_notice = shows_end(x);
		if (x->use_notice) {
			x->scale = notice_scale(g, x, q);
			g->t->evidence += log(x->scale);
		}
	}
	return x->use_notice;
}

static float notice_fit(const struct group *g, struct jtransfer *x, const struct jirq *q)
{
	const struct transfer *t = &x->t;

	if (x->fixed && x->t.state != STATE_UNKNOWN)
		return ABORTED_END;
	if (!notice_counts(g, x, q))
		return 1;
	if (t->woken_ns < q->time_ns)
		return g->m.p_late *
		       density_at(&g->m.late, q->time_ns - t->woken_ns,
				  witness(x, q)->told) *
		       unseen_fit(&g->m, x) / x->scale;
	return notice_at(&g->m, x, q) / x->scale;
}

struct work work_of(const struct node *n, const struct channel *c, uint64_t last)
{
	const struct jtransfer *x = channel_at(c, last), *p;
	struct work w = {x->begin_ns, 1};

	while (w.n < MOST_WORK && x->index > n->since[c->slot] &&
	       (p = channel_at(c, x->index - 1)) && p->end_ns > x->begin_ns) {
		w.n += !p->dead;
		x = p;
	}
	/* An interrupt behind the start of x, of one that had ended before it, was late.
	 */
	p = channel_at(c, x->index - 1);
	bool busy = !p || p->end_ns > x->begin_ns;
	w.from_ns =
		busy && n->last[c->slot] > x->begin_ns ? n->last[c->slot] : x->begin_ns;
	return w;
}

/* A card turns to a transfer when it has ended the one before; but none can be younger
 * than any was. */
static float device_fit(const struct model *m, const struct node *parent,
			const struct jtransfer *last, const struct jirq *q)
{
	int64_t age = q->time_ns - last->begin_ns;

	if (age < 0)
		return SKEW / SKEW_NS;
	struct work w = work_of(parent, last->c, last->index);
	return model_device(m, w.n, q->time_ns - w.from_ns, witness(last, q)->device) *
	       (age < m->age.low_ns ? TOO_YOUNG : 1);
}

/* Was the transfer before x passed without an interrupt? Then one missing interrupt may
 * be both's. */
static bool after_passed(const struct group *g, const struct node *n,
			 const struct jtransfer *x)
{
	uint64_t before = ((uint64_t)x->c->slot << PEND_SLOT | x->index) - 1;

	for (size_t i = 0; i < n->npend; i++)
		if (x->index && n->v[g->nslot + i] == before)
			return true;
	return false;
}

/* The price of passing x without an interrupt. */
static float passed(const struct group *g, const struct node *n, struct jtransfer *x)
{
	const struct model *m = &g->m;

	if (x->dead)
		return 1;
	if (x->fixed)
		return 1 - ABORTED_END;
	float w = after_passed(g, n, x) ? fmaxf(m->p_more, p_any(m))
					: p_any(m) * (1 - m->p_more);
	if (!x->latched || !x->use_notice)
		return w;
	return w * unseen_fit(m, x) / x->scale;
}

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

static void pend_remove(struct node *n, size_t nslot, size_t i)
{
	uint64_t *p = n->v + nslot;

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
		old = pend_of(g, n->v[g->nslot]);
		pend_remove(n, g->nslot, 0);
	}
	n->v[g->nslot + n->npend++] = (uint64_t)x->c->slot << PEND_SLOT | x->index;
	return old && !expired(g, old, x->t.submit_ns) ? old : NULL;
}

static bool visible(const struct jtransfer *x, const struct jirq *q)
{
	return x && x->t.submit_ns - SKEW_NS <= q->time_ns;
}

static void skip_dead(struct group *g, struct node *n, size_t s)
{
	const struct jtransfer *x;

	while ((x = channel_at(g->slot[s], n->v[s])) && x->dead)
		n->v[s]++;
}

static struct node *node_at(const struct group *g, size_t i)
{
	const struct layer *l = trellis_last(g->t) - 1;

	return &g->t->node[l->node + i];
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

static float size_fit(const struct model *m, size_t k, size_t all)
{
	if (m->pairing == PAIRING_DRAIN)
		return k >= all ? 1 : 0.002f;
	return m->p_size[k < COALESCE ? k : COALESCE];
}

/* Does its vector's next interrupt come before the end of x, and before the next start?
 */
static bool followed(const struct group *g, const struct jtransfer *x,
		     const struct jirq *q)
{
	const struct jtransfer *n = channel_at(x->c, x->index + 1);

	for (size_t i = g->cursor + 1; i < g->first + g->nev; i++) {
		const struct jevent *ev = &g->ev[i];
		if (ev->time_ns > x->end_ns || (n && ev->time_ns >= n->t.submit_ns))
			return false;
		if (ev->irq && ev->irq->irq == q->irq)
			return true;
	}
	return false;
}

/* Several interrupts for one transfer: is q the one that the rule says? Only asked where
 * no other transfer of the channel is in flight. */
static float rule_fit(const struct group *g, const struct jtransfer *x,
		      const struct jirq *q, size_t vector)
{
	const struct jtransfer *p = channel_at(x->c, x->index - 1);
	const struct jtransfer *n = channel_at(x->c, x->index + 1);

	if ((p && p->end_ns > x->begin_ns) || (n && n->t.submit_ns < x->end_ns))
		return 1;
	if (g->m.pairing == PAIRING_FIRST)
		return g->prev_ns[vector] >= x->begin_ns ? AGAINST_RULE : 1;
	return followed(g, x, q) ? AGAINST_RULE : 1;
}

/* How likely one that is late is so late. Far beyond all that were seen it fades, unless
 * y, whose interrupt it is too, waited oddly long for it: then handlers stood still. */
static float so_late(const struct model *m, const struct jtransfer *x,
		     const struct jtransfer *y, const struct jirq *q)
{
	const struct density *late = &m->late, *device = &m->device[0];
	int64_t lag = q->time_ns - x->end_ns;
	float w = (float)lag * density_at(late, lag, witness(x, q)->told);
	float far = late->high_ns > 0 ? (float)lag / (2 * (float)late->high_ns) : 1;

	if (y && device->high_ns > 0 && q->time_ns - y->begin_ns > 2 * device->high_ns)
		far = 1;
	return fminf(far > 1 ? w / (far * far * far * far) : w, 1);
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
		while (i < n.npend && n.v[g->nslot + i] != before)
			i++;
		if (i == n.npend || !x || x->fixed || x->end_ns > q->time_ns)
			return;
		pend_remove(&n, g->nslot, i);
		how.first--;
		how.k++;
		how.held += !m->often_late;
		how.w *= m->p_held / p_any(m) * so_late(m, x, y, q);
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
		w *= notice_fit(g, x, q);
		if (picks_one(m->pairing))
			w *= rule_fit(g, x, q, g->t->vector);
		if (w * parent->a < g->t->best * NO_WAY || w <= 0)
			return;
		how.w = w * size_fit(m, k, all) * in_time(m, x, q) *
			(parent->used ? 1 : device_fit(m, parent, x, q));
		child.last[s] = q->time_ns;
		child.since[s] = first + k;
		child.used = !g->t->final;
		child.v[s] = first + k;
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
		struct jtransfer *x = channel_at(c, at.v[s]);
		if (!visible(x, q))
			return;
		end_some(g, q, from, s, at.v[s], &at, w);
		w *= passed(g, &at, x);
		if (m->often_late && !x->dead && !x->fixed)
			w *= (m->p_missing + OVERTAKEN * m->p_late) / p_any(m);
		pend_add(g, &at, x);
		at.v[s]++;
		skip_dead(g, &at, s);
	}
}

/* How likely a late interrupt is that of this pending one, but for its size. */
static float late_fit(const struct group *g, const struct jtransfer *x,
		      const struct jirq *q, size_t vector)
{
	const struct model *m = &g->m;
	int64_t lag = q->time_ns - x->end_ns;
	float w = model_affinity(m, g->serves, g->nvector, vector, x->c->slot) *
		  m->scale_ns;

	w *= x->end_ns == INT64_MAX || lag < 0
		     ? 0.1f * model_device(m, 1, q->time_ns - x->begin_ns, 0)
		     : density_at(&m->late, lag, witness(x, q)->told);
	w *= x->fixed ? 0.1f : m->p_late / p_any(m);
	if (!g->learning && x->end_ns != INT64_MAX && lag > m->horizon_ns)
		w *= TOO_LATE;
	if (m->pairing == PAIRING_FIRST && g->prev_ns[vector] >= x->begin_ns)
		w *= AGAINST_RULE;
	return w;
}

/* The one that it has ended, not late. */
static const struct jtransfer *ended_by(const struct group *g, const struct node *n,
					const struct jirq *q)
{
	for (size_t s = 0; s < g->nslot; s++)
		if (n->last[s] == q->time_ns && n->since[s])
			return channel_at(g->slot[s], n->since[s] - 1);
	return NULL;
}

/* Likewise where it has ended others of another channel. */
static float late_again(const struct group *g, const struct node *n,
			const struct jtransfer *x, const struct jirq *q, size_t vector)
{
	const struct model *m = &g->m;
	bool ended = x->end_ns <= q->time_ns;
	float held = ended ? m->p_held * so_late(m, x, ended_by(g, n, q), q) : 0;
	float w = x->fixed ? 0.1f * m->p_cross
			   : fmaxf(m->p_cross * m->p_late, held) / p_any(m);

	return w * model_affinity(m, g->serves, g->nvector, vector, x->c->slot);
}

/* The interrupt is the late one of pending transfers: of one, or of several in a row. */
static void late_ones(struct group *g, struct jirq *q, size_t from, size_t vector)
{
	struct node at, child;

	node_copy(&at, node_at(g, from), g->nslot);
	for (size_t i = 0; i < at.npend; i++) {
		uint64_t first = at.v[g->nslot + i];
		const struct jtransfer *x = pend_of(g, first);
		if (!x || !g->serves[vector][x->c->slot] || !visible(x, q))
			continue;
		struct edge how = {.kind = EDGE_LATE,
				   .slot = (uint8_t)x->c->slot,
				   .first = x->index};
		how.again = at.used;
		float w = at.used ? late_again(g, &at, x, q, vector)
				  : late_fit(g, x, q, vector);
		node_copy(&child, &at, g->nslot);
		child.used = !g->t->final;
		for (how.k = 1; i + how.k <= at.npend; how.k++) {
			if (at.v[g->nslot + i + how.k - 1] != first + how.k - 1)
				break;
			pend_remove(&child, g->nslot, i);
			if (g->m.often_late && x->index + how.k > child.since[how.slot]) {
				child.last[how.slot] = q->time_ns;
				child.since[how.slot] = x->index + how.k;
			}
			how.w = how.k == 1 ? w
					   : w * g->m.p_more * p_any(&g->m) / g->m.p_late;
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
	if (slot < SLOTS && n->since[slot] == g->behind[slot])
		n->last[slot] = q->time_ns;
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

/* Several interrupts for one transfer: is q a further one? Of one that an interrupt has
 * ended, or of the one in flight, if the next one comes before its end. */
static bool further(const struct group *g, const struct node *n, const struct jirq *q)
{
	for (size_t s = 0; s < g->nslot; s++) {
		const struct channel *c = g->slot[s];
		if (!g->serves[g->t->vector][s])
			continue;
		const struct jtransfer *old = channel_at(c, n->v[s] - 1);
		const struct jtransfer *x = channel_at(c, n->v[s]);
		if (g->m.pairing == PAIRING_FIRST && n->last[s] != DMA_UNKNOWN &&
		    (!visible(x, q) || (old && old->end_ns >= q->time_ns) ||
		     q->time_ns - n->last[s] < g->m.device[0].median_ns / 2))
			return true;
		if (g->m.pairing == PAIRING_LAST && visible(x, q) && followed(g, x, q))
			return true;
	}
	return false;
}

/* What it weighs that an interrupt ended nothing. */
static float stray_fit(const struct group *g, const struct node *n, const struct jirq *q)
{
	const struct model *m = &g->m;
	float w = model_stray(m, q->own);

	if (picks_one(m->pairing))
		w = further(g, n, q) ? 1 : SEVERAL_STRAY;
	if (q->running_circular)
		return CIRCULAR * w;
	if (!q->leftover)
		return w;
	return fmaxf(m->scale_ns / fmaxf((float)m->device[0].median_ns, 1000), w);
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
			pass(g, i, EDGE_STRAY, stray_fit(g, node_at(g, i), q), q);
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
		if (visible(channel_at(g->slot[s], g->t->node[l->node + i].v[s]), q))
			return true;
	return false;
}

/* Those whose interrupt cannot come any more leave; is there still one that waits? */
static bool expire(struct group *g, int64_t at)
{
	const struct layer *l = trellis_last(g->t);
	bool any = false, old = false;

	for (size_t i = 0; i < l->nnode; i++) {
		const struct node *n = &g->t->node[l->node + i];
		for (size_t k = 0; k < n->npend; k++)
			*(expired(g, pend_of(g, n->v[g->nslot + k]), at) ? &old : &any) =
				true;
	}
	if (!old || !(l = trellis_open(g->t, NULL)))
		return any;
	for (size_t i = 0, n = l[-1].nnode; i < n; i++) {
		struct node child;
		struct edge how = {.kind = EDGE_PASS, .w = 1};
		node_copy(&child, node_at(g, i), g->nslot);
		for (size_t k = child.npend; k-- > 0;) {
			const struct jtransfer *x = pend_of(g, child.v[g->nslot + k]);
			if (!expired(g, x, at))
				continue;
			if (x && !x->fixed)
				how.w *= g->m.p_missing / p_any(&g->m);
			pend_remove(&child, g->nslot, k);
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
		const struct jtransfer *y = channel_at(c, n->v[s] + (s == slot));
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
	float w = m->scale_ns * notice_fit(g, x, q) * size_fit(m, 1, 1);
	g->t->evidence += log(w * in_time(m, x, q) * device_fit(m, n, x, q));
}

/*
 * The plain case, and a shortcut: one transfer alone, nothing open from before, and one
 * interrupt while it was in flight. That its own is missing and a stray came just then
 * would be two accidents in one place; where accidents are rare that is not considered,
 * however odd the times are (a program that was preempted wakes late). So such a transfer
 * does not teach that interrupts are missing, either.
 */
static struct jtransfer *step_alone(struct group *g, const struct jirq *q, size_t s)
{
	const struct model *m = &g->m;
	const struct layer *l = trellis_last(g->t);
	struct node *n = &g->t->node[l->node];
	struct jtransfer *x = channel_at(g->slot[s], n->v[s]);

	if (g->t->nlayer != 1 || l->nnode != 1 || n->npend || !x || x->dead || x->fixed ||
	    x->covered || !x->ended || picks_one(m->pairing))
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
	n->v[s]++;
	n->since[s] = n->v[s];
	n->last[s] = q->time_ns;
	return x;
}

/* Transfers that the vector serves, ended since its last interrupt and not decided. */
static size_t ended_since(const struct group *g, const struct jirq *q, size_t vector,
			  bool mark)
{
	size_t n = 0;

	for (size_t s = 0; s < g->nslot; s++) {
		const struct channel *c = g->slot[s];
		struct jtransfer *x;
		if (!g->serves[vector][s])
			continue;
		for (uint64_t i = c->next_decide; (x = channel_at(c, i)); i++) {
			if (x->end_ns >= q->time_ns)
				break;
			if (x->dead || x->fixed || x->end_ns <= g->prev_ns[vector])
				continue;
			x->held_up |= mark;
			n++;
		}
	}
	return n;
}

/* Where several ended since the last interrupt, this one may have waited for the handler
 * with all of theirs. */
static void stood_still(const struct group *g, const struct jirq *q, size_t vector)
{
	if (g->prev_ns[vector] != INT64_MIN && !ends_several(&g->m) &&
	    ended_since(g, q, vector, false) >= HELD_UP)
		ended_since(g, q, vector, true);
}

/* 1: the interrupt entered the trellis; 0: nothing can be its, it is a stray; 2: it is
 * that of *x. */
int step_irq(struct group *g, struct jirq *q, struct jtransfer **x)
{
	size_t vector = vector_index(g, q->irq), slot[SLOTS], n = 0;
	bool pends = expire(g, q->time_ns);
	stood_still(g, q, vector);

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

/* x, and those before it, are passed. *old: one that left for them. */
static void pass_until(struct group *g, const struct jtransfer *x, struct node *n,
		       struct edge *how, struct jtransfer **old)
{
	uint64_t *next = &n->v[x->c->slot];

	for (; *next <= x->index; ++*next) {
		struct jtransfer *y = channel_at(x->c, *next), *left;
		if (!y)
			continue;
		how->w *= passed(g, n, y);
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

	expire(g, x->end_ns);
	if (!x->latched && !x->dead && shows_end(x))
		g->t->evidence += log(unseen_fit(&g->m, x));
	const struct layer *l = trellis_last(g->t);
	for (size_t i = 0; i < l->nnode; i++)
		any |= g->t->node[l->node + i].v[s] <= x->index;
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
				weight[i] / g->t->best * g->m.p_late / p_any(&g->m);
	close_layer(g, true);
}
