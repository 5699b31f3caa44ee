/* SPDX-License-Identifier: GPL-2.0-only */
/* Readings that learning may begin with, other than none: what each makes of the first
 * events, into the model. */
#include "lib/join/join_learn.h"

/* q is taken for that of x; from_ns: the card could not turn to x before. */
static void seed(struct group *g, const struct jtransfer *x, const struct jirq *q,
		 int64_t from_ns)
{
	struct model *m = &g->m;
	int64_t woken_ns = x->t.woken_ns, asked_ns = x->t.wait_ns;
	int64_t begin_ns = from_ns > x->begin_ns ? from_ns : x->begin_ns;

	m->transfers++;
	if (woken_ns == DMA_UNKNOWN)
		return;
	density_add(&m->turn, channel_turn_ns(x), 1);
	density_add(&m->device[0], q->time_ns - begin_ns, 1);
	if (q->time_ns > woken_ns) {
		m->lates++;
		m->waited++;
		density_add(&m->late, q->time_ns - woken_ns, 1);
		return;
	}
	m->size[1]++;
	m->uses++;
	density_add(&m->age, q->time_ns - x->begin_ns, 1);
	if (asked_ns < q->time_ns)
		asked_ns = q->time_ns;
	density_add(&m->notice, woken_ns - asked_ns, 1);
	bool asked = asked_ns > q->time_ns;
	density_add(asked ? &m->asked : &m->woken, woken_ns - asked_ns, 1);
	m->waited += !asked;
}

/* The transfer that ended last, on any channel that the vector serves. */
static size_t ended_last(const struct group *g, const struct jirq *q,
			 struct jtransfer *const *ended)
{
	size_t v = vector_index(g, q->irq), best = SLOTS;

	for (size_t s = 0; s < g->nslot; s++)
		if (g->serves[v][s] && ended[s] &&
		    (best == SLOTS || ended[s]->end_ns > ended[best]->end_ns))
			best = s;
	return best;
}

bool begin_behind_the_end(struct group *g)
{
	struct jtransfer *ended[SLOTS] = {NULL};
	const struct jirq *kept = NULL;

	for (size_t i = 0; i < g->nev; i++) {
		const struct jevent *ev = &g->ev[g->first + i];
		struct jtransfer *x = ev->end;
		if (ev->irq) {
			size_t s = ended_last(g, ev->irq, ended);
			g->m.strays += kept != NULL;
			kept = s == SLOTS ? ev->irq : NULL;
			if (s < SLOTS) {
				seed(g, ended[s], ev->irq, INT64_MIN);
				ended[s] = NULL;
			}
		} else if (x && !x->dead && !x->fixed && x->t.woken_ns != DMA_UNKNOWN) {
			if (kept && kept->time_ns >= x->begin_ns) {
				seed(g, x, kept, INT64_MIN);
				kept = NULL;
				continue;
			}
			bool none = ended[x->c->slot] != NULL;
			g->m.transfers += none;
			g->m.missing += none;
			ended[x->c->slot] = x;
		}
	}
	return true;
}

static bool walk_in_turn(struct group *g, bool seeds)
{
	if (g->nslot != 1 || g->nvector != 1)
		return false;
	const struct channel *c = g->slot[0];
	uint64_t k = c->frontier;
	int64_t from_ns = INT64_MIN;

	for (size_t i = 0; i < g->nev; i++) {
		const struct jevent *ev = &g->ev[g->first + i];
		const struct jtransfer *x;
		if (ev->end && (ev->end->dead || ev->end->fixed))
			return false;
		if (!ev->irq)
			continue;
		if (!(x = channel_at(c, k++)) || x->begin_ns > ev->time_ns)
			return false;
		if (seeds)
			seed(g, x, ev->irq, from_ns);
		from_ns = ev->time_ns;
	}
	/* Those without one have just ended, or not yet. */
	const struct jtransfer *x = channel_at(c, k + 1);
	return !x || from_ns == INT64_MIN || x->end_ns > from_ns;
}

/* The first that may still have one: those given up, or that ended too long before q, are
 * left out. */
static const struct jtransfer *next_of(struct group *g, const struct channel *c,
				       uint64_t *next, const struct jirq *q,
				       int64_t late_ns)
{
	const struct jtransfer *x;

	for (; (x = channel_at(c, *next)); ++*next) {
		bool counts = !x->dead && !x->fixed;
		if (!x->dead && x->end_ns >= q->time_ns - (counts ? late_ns : 0))
			break;
		g->m.transfers += counts;
		g->m.missing += counts;
	}
	return x && x->begin_ns <= q->time_ns ? x : NULL;
}

struct count begin_count(const struct group *g)
{
	struct count n = {0};

	for (size_t i = 0; i < g->nev; i++) {
		const struct jevent *ev = &g->ev[g->first + i];
		n.irqs += ev->irq != NULL;
		n.ends += ev->end && !ev->end->dead;
	}
	return n;
}

/* Far fewer interrupts than transfers: one ends several. */
static bool shared(const struct group *g)
{
	struct count n = begin_count(g);

	return n.irqs * 5 < n.ends * 4;
}

/* Each to the oldest that has none, with some missing and some strays; not behind a loss,
 * nor where channels share a vector or transfers an interrupt. */
static bool oldest_first(struct group *g)
{
	int64_t last = INT64_MIN, late_ns = g->m.total.median_ns / 2;

	if (g->nslot != 1 || shared(g))
		return false;
	const struct channel *c = g->slot[0];
	uint64_t next = c->frontier;
	for (size_t i = 0; i < g->nev; i++) {
		const struct jevent *ev = &g->ev[g->first + i];
		const struct jirq *q = ev->irq;
		if (!q && (!ev->end || ev->end->doubt))
			return false;
		if (!q)
			continue;
		const struct jtransfer *x = next_of(g, c, &next, q, late_ns);
		g->m.strays += !x;
		if (!x)
			continue;
		if (!x->fixed)
			seed(g, x, q, last);
		last = q->time_ns;
		next++;
	}
	return true;
}

bool begin_in_turn(struct group *g)
{
	if (walk_in_turn(g, false))
		return walk_in_turn(g, true);
	return oldest_first(g);
}

bool begin_fits_in_turn(struct group *g)
{
	return walk_in_turn(g, false);
}
