/* SPDX-License-Identifier: GPL-2.0-only */
/* What speaks against a decision that the probabilities would allow: how much may be open,
 * and what else may have become of an interrupt that seems to be missing. */
#include "lib/join/join_doubt.h"

#include <math.h>

#define DOUBT		 2e-4f
#define DOUBT_OF_SHARED	 1e-4f
#define DOUBT_OF_FEW	 5e-3f
#define DOUBT_OF_MISSING 1e-3f
#define DOUBT_OF_SEVERAL 3e-6f
#define MOST_DOUBT	 0.01f
#define MOST_OF_QUEUE	 1e-3f
#define MOST_OF_SEVERAL	 1e-4f
#define FEW		 100 /* transfers, from which little can be learned */
#define FEW_OF_SEVERAL	 200
#define MANY		 1000 /* transfers without an accident, to trust more */
#define MOST_TRUST	 30
#define WITHOUT_STRAYS	 10    /* any other reading needs two accidents in one place */
#define MANY_MISSING	 0.05f /* share of transfers: more than come too late */
#define STRAY_OF_SEVERAL 4     /* times as bad: it makes two of one that ends many */
#define DISORDER	 0.1f  /* share of transfers with something wrong, for these */
#define USUALLY_LATE	 0.25f /* so many are no disorder */
#define HELD_UP		 4 /* ends behind one interrupt: its own, and several without */
#define SOME_RUNS	 0.5
#define MANY_RUNS	 3
#define MORE_RUNS	 4	 /* times as many as by chance */
#define PERHAPS_HELD	 0.1f	 /* probability, to be named as the reason */
#define SOME_LATE	 0.5	 /* that one was seen at all */
#define MERGED		 32	 /* one in so many that seem to be missing is too many */
#define LATER		 32	 /* times as long as a transfer takes: none is so late */
#define ODD_NOTICE	 8	 /* times as long as usual */
#define ODD_DEVICE	 4	 /* the same, of the card's time */
#define LEAST_PLACE	 1e-12f	 /* 1/ns */
#define LEAST_CHANCE	 1e-12f	 /* of a run */
#define LEAST_LAG_NS	 1000.0f /* sooner, none is told from another */
#define LIKELIEST	 0.5f	 /* probability */
#define SOON		 1e-3f	 /* as likely as the usual time, or more */
#define MOST_KEPT	 3e-3f	 /* that the next one was its, too */
#define SOME_KEPT	 3	 /* a logarithm: 20 times as likely as none */
#define MOST_MISSING	 0.2	 /* of all transfers of a queue */

static bool queues(const struct group *g)
{
	for (size_t s = 0; s < g->nslot; s++)
		if (g->slot[s]->overlapped)
			return true;
	return false;
}

/* Are so many in a row without one that it is not by chance? Then handlers seem to stand
 * still at times, and the next interrupt to be that of all of them. */
static bool more_runs(const struct model *m, double runs, double some)
{
	double chance = m->missing * m->missing / fmax(m->transfers, 1);

	return runs >= some + MORE_RUNS * chance;
}

/* How much may speak against what is called certain. Where nothing goes wrong a doubt of
 * one in a hundred is the model's caution (tests/unit/test_joinprop: none of those is
 * wrong); the more goes wrong, the oftener two accidents look like something else,
 * most of all where one interrupt ends several transfers. What was learned of few
 * transfers is not certain itself. */
float doubt_open(const struct group *g)
{
	const struct model *m = &g->m;
	bool more = ends_several(m);
	float least = more ? DOUBT_OF_SEVERAL : g->nslot > 1 ? DOUBT_OF_SHARED : DOUBT;
	float most = more ? MOST_OF_SEVERAL : queues(g) ? MOST_OF_QUEUE : MOST_DOUBT;

	if (g->lost_ns != INT64_MIN) /* what was lost is a disorder that is not learned */
		return least;
	if (m->p_missing > MANY_MISSING && m->p_late < USUALLY_LATE && m->strays < 1 &&
	    !more && !queues(g) && !more_runs(m, m->runs, SOME_RUNS))
		least *= WITHOUT_STRAYS;
	float stray = m->p_stray * (more ? STRAY_OF_SEVERAL : 1);
	float late = m->often_late && m->p_late > USUALLY_LATE ? 0 : m->p_late;
	float order = DISORDER / (m->p_missing + late + stray);
	float doubt = fmaxf(least * order * (more ? order : 1), least);
	float known = fminf((float)m->transfers / (more ? FEW_OF_SEVERAL : FEW), 1);

	if (more && m->missing + m->lates + m->strays < 1)
		most *= fminf(fmaxf((float)m->transfers / MANY, 1), MOST_TRUST);
	if (known < 1 && !more && g->nslot == 1 && !queues(g) && m->strays < 1 &&
	    fmin(m->missing, m->lates) < 1) {
		/* one after the other, and hardly an accident, or one kind of it */
		float few = m->missing < 1 ? DOUBT_OF_FEW : DOUBT_OF_MISSING;
		return fminf(fmaxf(doubt, few), most);
	}
	return fminf(doubt, most) * known * known;
}

/* An interrupt that comes later than is looked for leaves a transfer without one and a
 * stray. So of those without, no more can be late than there are strays; where that is
 * more than a few of them, none is certain to have had none. */
static bool perhaps_later(const struct model *m)
{
	return m->strays > 0.5 && m->strays > 0.01 * m->missing;
}

/* In a queue where so many have none, one interrupt may well end several. */
static bool perhaps_shared(const struct group *g)
{
	return queues(g) && g->m.missing > MOST_MISSING * g->m.transfers;
}

/* The share of hypotheses in which an interrupt is its. */
float doubt_with_one(const struct jtransfer *x)
{
	float sum = x->other;

	for (size_t i = 0; i < x->ncand; i++)
		sum += x->cand[i].weight;
	return sum;
}

/* It and one beside it have none. */
static bool in_a_row(const struct jtransfer *x)
{
	const struct model *m = &x->c->g->m;
	const struct jtransfer *next = channel_at(x->c, x->index + 1);
	bool behind = x->c->missed == x->index;
	bool before =
		next && next->together == x->together && doubt_with_one(next) < 0.5f;

	if (x->together < 2 || (!behind && !before))
		return false;
	/* Its run with the next one is not counted yet. */
	return more_runs(m, m->runs + !behind, SOME_RUNS);
}

/* Where handlers often stand still, one alone may have been held up, too. */
static bool perhaps_held(const struct jtransfer *x)
{
	const struct model *m = &x->c->g->m;

	return x->together >= HELD_UP || in_a_row(x) || more_runs(m, m->runs, MANY_RUNS);
}

/* Did one of c end without an interrupt between the two times? */
static bool missed_between(const struct channel *c, int64_t from_ns, int64_t to_ns)
{
	for (uint64_t i = c->next_decide; i < c->tail; i++) {
		const struct jtransfer *x = channel_at(c, i);
		if (x->t.submit_ns > to_ns)
			break;
		if (!x->decided && !x->dead && !x->fixed && x->end_ns > from_ns &&
		    x->end_ns <= to_ns && doubt_with_one(x) < 0.5f)
			return true;
	}
	return c->missed > 0 && c->missed_ns > from_ns && c->missed_ns <= to_ns;
}

static struct jirq *likeliest(const struct jtransfer *x)
{
	struct jirq *q = x->irq;

	for (size_t i = 0; i < x->ncand; i++)
		if (x->cand[i].weight > LIKELIEST)
			q = x->cand[i].irq;
	return q;
}

struct jirq *doubt_behind(const struct jtransfer *x, const struct jirq *q)
{
	const struct model *m = &x->c->g->m;
	const struct jtransfer *y;
	int64_t woken_ns = x->t.woken_ns;

	for (uint64_t i = x->index + 1; (y = channel_at(x->c, i)); i++) {
		struct jirq *next = y->dead || y->fixed ? NULL : likeliest(y);
		if (next && next->time_ns > q->time_ns) {
			if (i == x->index + 1) /* none to be behind of */
				return NULL;
			float soon = model_notice(m, false, woken_ns - next->time_ns, 0);
			float own = model_notice(m, false, woken_ns - q->time_ns, 0);
			return next->time_ns < woken_ns && soon > SOON * own ? next
									     : NULL;
		}
		if (y->t.submit_ns > x->begin_ns)
			return NULL;
	}
	return NULL;
}

/* Where handlers often stand still: the one before it has no interrupt, and this one came
 * long before the program saw the end. It may be that of the one before, held up. */
bool doubt_others(const struct jtransfer *x, const struct jirq *q)
{
	const struct group *g = x->c->g;
	const struct model *m = &g->m;
	int64_t from_ns = x->begin_ns - m->total.median_ns;

	if (x->t.woken_ns == DMA_UNKNOWN ||
	    x->t.woken_ns - q->time_ns <= ODD_NOTICE * m->woken.median_ns ||
	    !more_runs(m, m->runs, SOME_RUNS))
		return false;
	for (size_t s = 0; s < g->nslot; s++)
		if (missed_between(g->slot[s], from_ns, q->time_ns))
			return true;
	return false;
}

/* When the next transfer behind x begins, on any channel of its group; INT64_MAX. */
static int64_t next_begin_ns(const struct jtransfer *x)
{
	const struct group *g = x->c->g;
	int64_t next_ns = INT64_MAX;

	for (size_t s = 0; s < g->nslot; s++) {
		const struct jtransfer *y =
			channel_at(g->slot[s], channel_begun_from(g->slot[s], x->end_ns));
		if (y && y->t.submit_ns < next_ns)
			next_ns = y->t.submit_ns;
	}
	return next_ns;
}

/* Where most are late: the next interrupt came long after the next transfer was begun, so
 * that the handler stood still, perhaps with this one's. */
static bool perhaps_still(const struct jtransfer *x)
{
	const struct group *g = x->c->g;
	int64_t odd_ns = ODD_DEVICE * g->m.device[0].median_ns, next_ns;

	if (!g->m.often_late || g->m.p_late < USUALLY_LATE)
		return false;
	next_ns = next_begin_ns(x);
	for (size_t i = 0; i < x->ncand; i++)
		if (x->cand[i].irq->time_ns > next_ns)
			return x->cand[i].irq->time_ns - next_ns > odd_ns;
	return false;
}

/* When the program sees the next end behind that of x, on any channel of its group;
 * INT64_MAX. */
static int64_t next_end_ns(const struct jtransfer *x)
{
	const struct group *g = x->c->g;
	int64_t next_ns = INT64_MAX;

	for (size_t s = 0; s < g->nslot; s++) {
		const struct channel *c = g->slot[s];
		uint64_t i =
			c == x->c ? x->index + 1 : channel_begun_from(c, x->begin_ns);
		const struct jtransfer *y;
		while ((y = channel_at(c, i)) && y->end_ns < x->end_ns)
			i++;
		if (y && y->end_ns < next_ns)
			next_ns = y->end_ns;
	}
	return next_ns;
}

/* Where late ones are seen, or the program does not wait for interrupts: its own may have
 * come as one with that of the next end, so late. Of all that seem to be missing it is as
 * many as have come so late by themselves, and one more, for those are few that can. */
static bool perhaps_merged(const struct jtransfer *x)
{
	const struct model *m = &x->c->g->m;
	int64_t next_ns = next_end_ns(x);

	if (next_ns == INT64_MAX || (!m->often_late && m->lates < SOME_LATE) ||
	    next_ns - x->end_ns > LATER * m->total.median_ns)
		return false;
	return (density_beyond(&m->late, next_ns - x->end_ns) + 1) * MERGED >
	       m->missing + 1;
}

static bool share_vector(const struct group *g, size_t a, size_t b)
{
	for (size_t v = 0; v < g->nvector; v++)
		if (g->serves[v][a] && g->serves[v][b])
			return true;
	return false;
}

/* The next interrupt that may be that of x, where none has come yet; so many, x included,
 * end before it. */
static int64_t comes_ns(const struct jtransfer *x, unsigned *run)
{
	const struct group *g = x->c->g;
	int64_t at_ns = x->end_ns;

	*run = 1;
	for (size_t i = g->cursor + 1; i < g->first + g->nev; i++) {
		const struct jevent *ev = &g->ev[i];
		const struct jtransfer *y = ev->end;
		at_ns = ev->time_ns;
		if (ev->irq && g->serves[vector_index(g, ev->irq->irq)][x->c->slot])
			return at_ns;
		*run += y && y != x && !y->dead && !y->fixed &&
			share_vector(g, x->c->slot, y->c->slot);
	}
	return at_ns;
}

float doubt_likelier(const struct jtransfer *x)
{
	const struct model *m = &x->c->g->m;
	float usual = (float)(2 * m->total.median_ns + m->late.high_ns);
	unsigned run = x->run;
	int64_t at_ns = run ? x->next_ns : comes_ns(x, &run);
	float lag = fmaxf((float)(at_ns - x->end_ns), LEAST_LAG_NS), likelier = 1;

	if (x->run)
		likelier = 1 / (lag * fmaxf(x->place, LEAST_PLACE));
	/* So many in a row: by chance, or while nothing was delivered. */
	float n = (float)run;
	float row = 1 / (n * (n + 1));
	float by_chance = (1 - m->p_none) * powf(m->p_none, n - 1);
	return likelier * fminf(usual / lag, 1) * row / fmaxf(by_chance, LEAST_CHANCE);
}

/* Not considered until one was seen late by itself, or times speak for it. */
static bool perhaps_kept(const struct jtransfer *x)
{
	const struct model *m = &x->c->g->m;

	if (!m->often_late && m->lates < SOME_LATE && m->kept < SOME_KEPT)
		return false;
	return model_kept(m, x->likelier) > MOST_KEPT;
}

const char *doubt_reason(const struct jtransfer *x)
{
	float held = perhaps_held(x) || perhaps_merged(x) || perhaps_kept(x);

	for (size_t i = 0; i < x->ncand; i++)
		held += x->cand[i].held;
	if (held > PERHAPS_HELD)
		return "its interrupt is missing, or was held up and came as one with "
		       "that of another";
	if (x->ncand == 0)
		return "a stray interrupt may have come for it, much later";
	return x->ncand > 1 ? "several interrupts may have ended it"
			    : "the interrupt that came may be its own or another's";
}

bool doubt_none(const struct jtransfer *x)
{
	const struct group *g = x->c->g;

	return !perhaps_kept(x) && !perhaps_held(x) && !perhaps_still(x) &&
	       !perhaps_merged(x) && !perhaps_later(&g->m) && !perhaps_shared(g);
}
