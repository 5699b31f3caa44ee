/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a vector's interrupts have to do with a channel, where their place within single
 * transfers does not tell.
 *
 * Lock. Whether its interrupts come at a time of their own around the ends: how long
 * before and after an end the nearest one is, against the same for moments drawn at
 * random out of the transfers (two-sample Kolmogorov-Smirnov distance over logarithmic
 * buckets). Both look equally far ahead, so that what is independent gives none.
 *
 * Turns. In a queue the next transfer begins when the one before ends, so that an
 * interrupt at the beginning and one at the end look alike but for the first and the last
 * of a busy period: the first one of an end comes after all that the card takes, the last
 * one just before or after the program saw the end. Where programs poll and start again
 * at once the interrupt may still be owed when the next period begins; such periods have
 * no first one that is surely theirs, and are counted apart.
 */
#include <math.h>

#include "lib/vector/vector_seen.h"

#define LOCKED	     4096 /* ends looked at: enough to see any lock that matters */
#define SHORTEST     32	  /* ns: the first bucket */
#define MANY_ENDED   256  /* transfers, that as many interrupts are no chance */
#define ONE_FOR_EACH 0.5  /* what that is worth, as a lock */
#define FIRST	     8	  /* ends of a period, after which its first interrupt was seen */

static int bucket(int64_t ns)
{
	double b = ns <= SHORTEST ? 0 : 2 * log2((double)ns / SHORTEST) + 1;

	return b < VECTOR_BUCKETS - 1 ? (int)b : VECTOR_BUCKETS - 1;
}

/* From t back to the last interrupt, forward to the first one; INT64_MAX = none. */
static int64_t back_from(const struct ring *r, int64_t t)
{
	uint64_t k = vector_ring_from(r, t + 1);

	return k > vector_ring_oldest(r) ? t - vector_ring_at(r, k - 1) : INT64_MAX;
}

static int64_t ahead_of(const struct ring *r, int64_t t)
{
	uint64_t k = vector_ring_from(r, t + 1);

	return k < r->n ? vector_ring_at(r, k) - t : INT64_MAX;
}

static struct vector_turns *turns_of(const struct channel *c, size_t v)
{
	return c->v.pair[v] ? c->v.pair[v]->turns : NULL;
}

void vector_lock_add(struct vector_finder *f, struct channel *c, const struct ended *x)
{
	int64_t moment = x->end_ns - (int64_t)vector_draw(f, (uint64_t)x->span_ns);
	int64_t far = f->to_ns - x->end_ns;

	if (c->v.locked >= LOCKED)
		return;
	c->v.locked++;
	for (size_t v = 0; v < c->v.npair; v++) {
		struct vector_turns *p = turns_of(c, v);
		const struct ring *r = &f->ring[v];
		int64_t end, other;

		if (!p)
			continue;
		p->lock[LOCK_BEFORE_END][bucket(back_from(r, x->end_ns))]++;
		p->lock[LOCK_BEFORE_ANY][bucket(back_from(r, moment))]++;
		end = ahead_of(r, x->end_ns);
		other = ahead_of(r, moment);
		p->lock[LOCK_AFTER_END][bucket(end <= far ? end : INT64_MAX)]++;
		p->lock[LOCK_AFTER_ANY][bucket(other <= far ? other : INT64_MAX)]++;
	}
}

static double distance(const uint16_t *a, const uint16_t *b, double *n)
{
	double d = 0, na = 0, nb = 0, sa = 0, sb = 0;

	for (int i = 0; i < VECTOR_BUCKETS; i++) {
		na += a[i];
		nb += b[i];
	}
	for (int i = 0; i < VECTOR_BUCKETS && na > 0 && nb > 0; i++) {
		sa += a[i] / na;
		sb += b[i] / nb;
		d = fmax(d, fabs(sa - sb));
	}
	*n = na;
	return d;
}

/* As many as transfers, nearer than independent ones of the same rate would be. */
static bool one_for_each(const struct vector_turns *p)
{
	double n = (double)p->ended, off = fabs((double)p->seen - n);

	return n >= MANY_ENDED && off <= sqrt(n) / 8;
}

double vector_locked(const struct vector_turns *p)
{
	double n,
		before = distance(p->lock[LOCK_BEFORE_END], p->lock[LOCK_BEFORE_ANY], &n);
	double after = distance(p->lock[LOCK_AFTER_END], p->lock[LOCK_AFTER_ANY], &n);
	double d = fmax(before, after);

	/* One in 10000 by chance (Smirnov 1948), of each of the two. */
	d = d * sqrt(n / 2) >= 2.23 ? d : 0;
	return one_for_each(p) ? fmax(d, ONE_FOR_EACH) : d;
}

/* ---- busy periods ---- */

void vector_turn_start(struct vector_finder *f, struct channel *c, int64_t now_ns)
{
	vector_turn_close(f, c, now_ns);
	c->turn = (struct turn){.open = true, .ordinal = c->turn.ordinal + 1};
}

/* Where its first interrupts are, while they are remembered. */
static void look_first(struct vector_turns *p, const struct ring *r, const struct turn *t)
{
	p->from = vector_ring_from(r, t->from_ns);
	p->at_ns = p->from < r->n && (p->from > vector_ring_oldest(r) ||
				      !vector_ring_oldest(r))
			   ? vector_ring_at(r, p->from)
			   : DMA_UNKNOWN;
	p->ordinal = t->ordinal;
}

void vector_turn_ended(struct vector_finder *f, struct channel *c, size_t n,
		       int64_t from_ns, int64_t end_ns, bool idle, bool clean)
{
	struct turn *t = &c->turn;

	if (!t->n)
		t->from_ns = from_ns;
	for (size_t v = 0; v < c->v.npair && t->n < FIRST && t->n + n >= FIRST; v++)
		if (turns_of(c, v))
			look_first(turns_of(c, v), &f->ring[v], t);
	if (!c->v.ended)
		c->v.first_ns = from_ns;
	c->v.ended += n;
	c->v.last_ns = end_ns;
	t->n += n;
	t->spoilt |= !clean && (t->n < FIRST || idle);
	t->holed |= !clean;
	t->end_ns = end_ns;
	t->whole = idle;
}

static void look(struct vector_finder *f, struct vector_turns *p, const struct ring *r,
		 const struct turn *t, int64_t next_ns)
{
	uint64_t next = vector_ring_from(r, next_ns), from, to, seen;
	int64_t step = (t->end_ns - t->from_ns) / (int64_t)t->n, last = INT64_MAX;
	uint64_t owed = p->owed, slot;
	bool late;

	if (p->ordinal != t->ordinal)
		look_first(p, r, t);
	from = p->from;
	seen = next > from ? next - from : 0;
	if (seen && p->at_ns == DMA_UNKNOWN)
		return;
	to = vector_ring_from(r, t->end_ns + 1);
	late = next > to && vector_ring_at(r, to) - t->end_ns <= step;
	if (next > to && !late)
		seen = to > from ? to - from : 0; /* what came long after is none of it */
	if (seen)
		last = t->end_ns - vector_ring_at(r, from + seen - 1);
	if (t->holed && seen)
		seen = t->n; /* as many as were lost */
	p->owed = owed + t->n > seen ? owed + t->n - seen : 0;
	if (late || last <= step / 3 || next_ns - t->end_ns >= 2 * step)
		p->owed = 0;
	if (owed || !seen) {
		p->owing += owed > 0;
		return;
	}
	p->surplus += seen > t->n;
	p->ended += t->holed ? 0 : t->n;
	p->seen += t->holed ? 0 : seen;
	slot = p->n < VECTOR_FEW ? p->n : vector_draw(f, p->n + 1);
	p->n++;
	if (slot >= VECTOR_FEW)
		return;
	p->first_ns[slot] = (float)(p->at_ns - t->from_ns);
	p->last_ns[slot] = (float)last;
}

void vector_turn_close(struct vector_finder *f, struct channel *c, int64_t next_ns)
{
	const struct turn *t = &c->turn;

	if (!t->open || !t->whole || !t->n || t->end_ns <= t->from_ns)
		return;
	if (!t->spoilt)
		c->v.turns++;
	for (size_t v = 0; v < c->v.npair; v++)
		if (turns_of(c, v) && t->spoilt)
			turns_of(c, v)->owed = 0;
		else if (turns_of(c, v))
			look(f, turns_of(c, v), &f->ring[v], t, next_ns);
}
