/* SPDX-License-Identifier: GPL-2.0-only */
/* What it weighs that an event did this or that. */
#include "lib/join/join_fit.h"

#include <math.h>

#define SKEW	      1e-3f
#define CIRCULAR      1000.0f /* how much commoner strays are while a circular one runs */
#define TOO_YOUNG     0.1f
#define TOO_LATE      0.1f /* beyond the horizon, where only those held up are looked for */
#define MANY_SEEN     100 /* late ones, to know how late they are */
#define AGAINST_RULE  1e-8f
#define SEVERAL_STRAY 1e-3f /* one that is no further one of a transfer */
#define MOST_WORK     128   /* transfers looked back for when the card turned to them */
#define LEAST_IN_TIME 0.05f
#define ABORTED_END   0.5f /* that a transfer given up had ended all the same */

float fit_any(const struct model *m)
{
	return m->p_missing + m->p_late;
}

float fit_in_time(const struct model *m, const struct jtransfer *x, const struct jirq *q)
{
	if (!x->use_notice || x->t.woken_ns < q->time_ns)
		return 1;
	/* None can be late that comes before the program asks; where many are late, their
	 * rate is of the others. Only of a queue: one after the other, those would be the
	 * late ones of the transfer before. */
	bool asked =
		m->often_late && x->c->mode == MODE_QUEUE && x->t.wait_ns > q->time_ns;
	return fmaxf(1 - (asked ? m->p_missing : fit_any(m)), LEAST_IN_TIME);
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

float fit_unseen(const struct model *m, const struct jtransfer *x)
{
	float w = m->often_late ? density_at(&m->turn, channel_turn_ns(x), x->counted)
				: density_at(&m->total, x->t.woken_ns - x->begin_ns,
					     x->counted);

	if (x->t.wait_ns == DMA_UNKNOWN)
		return w;
	return m->p_turn * w + (1 - m->p_turn) * asked_at(m, x);
}

float fit_turn_share(const struct model *m, const struct jtransfer *x)
{
	if (x->t.wait_ns == DMA_UNKNOWN)
		return 1;
	float asked = (1 - m->p_turn) * asked_at(m, x);
	return 1 - asked / fit_unseen(m, x);
}

/* The best that any interrupt within it explains its notice by. Weights are relative to
 * it, or an interrupt for many would look unlikely until the others' ends are seen, and
 * be pruned. */
static float notice_scale(const struct group *g, const struct jtransfer *x,
			  const struct jirq *q)
{
	float best = notice_at(&g->m, x, q);

	if (q->time_ns > x->t.woken_ns)
		best = fit_unseen(&g->m, x);
	for (size_t i = g->cursor + 1; i < g->first + g->nev; i++) {
		const struct jevent *ev = &g->ev[i];
		if (ev->time_ns > x->t.woken_ns)
			break;
		if (ev->irq)
			best = fmaxf(best, notice_at(&g->m, x, ev->irq));
	}
	return best;
}

bool fit_shows_end(const struct jtransfer *x)
{
	return x->t.woken_ns != DMA_UNKNOWN && !x->fixed && !x->covered;
}

static bool notice_counts(const struct group *g, struct jtransfer *x,
			  const struct jirq *q)
{
	if (!x->latched) {
		x->latched = true;
		x->use_notice = fit_shows_end(x);
		if (x->use_notice) {
			x->scale = notice_scale(g, x, q);
			g->t->evidence += log(x->scale);
		}
	}
	return x->use_notice;
}

float fit_notice(const struct group *g, struct jtransfer *x, const struct jirq *q)
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
		       fit_unseen(&g->m, x) / x->scale;
	return notice_at(&g->m, x, q) / x->scale;
}

struct work work_of(const struct node *n, const struct channel *c, uint64_t last)
{
	const struct jtransfer *x = channel_at(c, last), *p;
	struct work w = {x->begin_ns, 1};

	while (w.n < MOST_WORK && x->index > n->slot[c->slot].since &&
	       (p = channel_at(c, x->index - 1)) && p->end_ns > x->begin_ns) {
		w.n += !p->dead;
		x = p;
	}
	/* An interrupt behind the start of x, of one that had ended before it, was
	 * late. */
	p = channel_at(c, x->index - 1);
	bool busy = !p || p->end_ns > x->begin_ns;
	w.from_ns = busy && n->slot[c->slot].last_ns > x->begin_ns
			    ? n->slot[c->slot].last_ns
			    : x->begin_ns;
	return w;
}

float fit_device(const struct model *m, const struct node *parent,
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
static bool after_passed(const struct node *n, const struct jtransfer *x)
{
	uint64_t before = ((uint64_t)x->c->slot << PEND_SLOT | x->index) - 1;

	for (size_t i = 0; i < n->npend; i++)
		if (x->index && n->pend[i] == before)
			return true;
	return false;
}

float fit_passed(const struct group *g, const struct node *n, struct jtransfer *x)
{
	const struct model *m = &g->m;

	if (x->dead)
		return 1;
	if (x->fixed)
		return 1 - ABORTED_END;
	float w = after_passed(n, x) ? fmaxf(m->p_more, fit_any(m))
				     : fit_any(m) * (1 - m->p_more);
	if (!x->latched || !x->use_notice)
		return w;
	return w * fit_unseen(m, x) / x->scale;
}

float fit_size(const struct model *m, size_t k, size_t all)
{
	if (m->pairing == PAIRING_DRAIN)
		return k >= all ? 1 : 0.002f;
	return m->p_size[k < COALESCE ? k : COALESCE];
}

/* Does its vector's next interrupt come before the end of x, and before the next
 * start? */
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

float fit_rule(const struct group *g, const struct jtransfer *x, const struct jirq *q,
	       size_t vector)
{
	const struct jtransfer *p = channel_at(x->c, x->index - 1);
	const struct jtransfer *n = channel_at(x->c, x->index + 1);

	if ((p && p->end_ns > x->begin_ns) || (n && n->t.submit_ns < x->end_ns))
		return 1;
	if (g->m.pairing == PAIRING_FIRST)
		return g->prev_ns[vector] >= x->begin_ns ? AGAINST_RULE : 1;
	return followed(g, x, q) ? AGAINST_RULE : 1;
}

float fit_so_late(const struct model *m, const struct jtransfer *x,
		  const struct jtransfer *y, const struct jirq *q)
{
	const struct density *late = &m->late, *device = &m->device[0];
	int64_t lag = q->time_ns - x->end_ns;
	float w = (float)lag * density_at(late, lag, witness(x, q)->told);
	int64_t most = late->high_ns > 0 ? late->high_ns : m->total.median_ns;
	float far = (float)lag / fmaxf((float)most, 1000);

	if (y && device->high_ns > 0 && q->time_ns - y->begin_ns > 2 * device->high_ns)
		far = 1;
	return fminf(far > 1 ? w / (far * far * far * far) : w, 1);
}

/* Where many late ones were seen, one far beyond nearly all of them is not like them. */
static float fit_far(const struct model *m, int64_t lag)
{
	float far = (float)lag / (2 * fmaxf((float)m->late.high_ns, 1000));

	return m->late.n < MANY_SEEN || far < 1 ? 1 : 1 / (far * far * far * far);
}

float fit_late(const struct group *g, const struct jtransfer *x, const struct jirq *q,
	       size_t vector)
{
	const struct model *m = &g->m;
	int64_t lag = q->time_ns - x->end_ns;
	float w = model_affinity(m, g->serves, g->nvector, vector, x->c->slot) *
		  m->scale_ns;

	w *= x->end_ns == INT64_MAX || lag < 0
		     ? 0.1f * model_device(m, 1, q->time_ns - x->begin_ns, 0)
		     : density_at(&m->late, lag, witness(x, q)->told);
	w *= x->fixed ? 0.1f : m->p_late / fit_any(m);
	if (x->end_ns != INT64_MAX)
		w *= fit_far(m, lag);
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
		if (n->slot[s].last_ns == q->time_ns && n->slot[s].since)
			return channel_at(g->slot[s], n->slot[s].since - 1);
	return NULL;
}

float fit_late_again(const struct group *g, const struct node *n,
		     const struct jtransfer *x, const struct jirq *q, size_t vector)
{
	const struct model *m = &g->m;
	bool ended = x->end_ns <= q->time_ns;
	float held = ended ? m->p_held * fit_so_late(m, x, ended_by(g, n, q), q) : 0;
	float w = x->fixed ? 0.1f * m->p_cross
			   : fmaxf(m->p_cross * m->p_late, held) / fit_any(m);

	return w * model_affinity(m, g->serves, g->nvector, vector, x->c->slot);
}

/* Several interrupts for one transfer: is q a further one? Of one that an interrupt has
 * ended, or of the one in flight, if the next one comes before its end. */
static bool further(const struct group *g, const struct node *n, const struct jirq *q)
{
	for (size_t s = 0; s < g->nslot; s++) {
		const struct channel *c = g->slot[s];
		if (!g->serves[g->t->vector][s])
			continue;
		const struct jtransfer *old = channel_at(c, n->slot[s].next - 1);
		const struct jtransfer *x = channel_at(c, n->slot[s].next);
		if (g->m.pairing == PAIRING_FIRST && n->slot[s].last_ns != DMA_UNKNOWN &&
		    (!visible(x, q) || (old && old->end_ns >= q->time_ns) ||
		     q->time_ns - n->slot[s].last_ns < g->m.device[0].median_ns / 2))
			return true;
		if (g->m.pairing == PAIRING_LAST && visible(x, q) && followed(g, x, q))
			return true;
	}
	return false;
}

float fit_next_end(const struct group *g, const struct jirq *q, size_t vector)
{
	const struct model *m = &g->m;

	for (size_t i = g->cursor + 1; i < g->first + g->nev; i++) {
		const struct jtransfer *x = g->ev[i].end;
		if (!x || x->dead || !g->serves[vector][x->c->slot])
			continue;
		if (x->begin_ns > q->time_ns)
			return 0;
		const struct jtransfer *p = channel_at(x->c, x->index - 1);
		bool busy = p && p->end_ns > x->begin_ns && p->end_ns < q->time_ns;
		int64_t ns = q->time_ns - (busy ? p->end_ns : x->begin_ns);
		float w = model_device(m, 1, ns, 0);
		if (fit_shows_end(x) && x->t.wait_ns < q->time_ns)
			w = fminf(w, model_notice(m, false, x->end_ns - q->time_ns, 0));
		return (1 - m->p_late) * w;
	}
	return 0;
}

float fit_last_end(const struct group *g, const struct jirq *q, const struct jtransfer *x)
{
	return g->m.p_late * density_at(&g->m.late, q->time_ns - x->end_ns, 0);
}

float fit_stray(const struct group *g, const struct node *n, const struct jirq *q)
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
