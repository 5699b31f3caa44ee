/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is learned before anything is decided. The first events are gone through several
 * times, each pass judged by what the one before counted. Such passes only refine the
 * reading that they begin with: begun without any, they give an interrupt to the transfer
 * that it lies in. Where that leaves transfers without one and interrupts over, other
 * readings are tried from their own beginning, and the one that leaves clearly least is
 * kept: that programs wake before the interrupt is handled, and that the k-th interrupt
 * is the k-th transfer's. Where none is clearly better the first is kept, and where
 * something speaks against that one too, all its transfers are unknown.
 */
#include <math.h>
#include <stdlib.h>

#include "join_decide.h"
#include "join_trellis.h"

#define SETTLED	      0.001f /* change of a rate from one pass to the next */
#define SETTLED_STRAY 0.1f   /* the same of theirs, as a part of it */
#define NO_STRAYS     1e-6f
#define ODD	      0.3 /* transfers and interrupts that do not fit, at least */
#define CLEARLY	      1.5 /* so many fewer of them ... */
#define HALF	      0.5 /* ... and at most this part */
#define CHANCE	      4.5 /* standard deviations of a correlation */
#define UNMOVED	      0.3 /* a slope that is about 0 */
#define DIFFERENT     0.1 /* of all transfers, in two readings */
#define MANY_LATE     0.1 /* of all transfers */

enum {
	FEWEST_SIZES = 32,
	FEWEST_POINTS = 24,
	LINES = 30000,
	NEIGHBOURS = 8,
	FROZEN = 2,
	SWINGING = 8,
	PASSES = 20
};

/* What is gone through: from which transfers on, and up to when all is known. */
struct window {
	uint64_t at[SLOTS];
	int64_t until;
};

static void unlearned(struct group *g, const struct window *w, bool mean)
{
	for (size_t s = 0; s < g->nslot; s++) {
		struct channel *c = g->slot[s];
		c->next_decide = c->frontier = w->at[s];
		for (uint64_t i = c->base; i < c->tail; i++)
			decide_undo(channel_at(c, i), mean);
	}
	for (size_t i = 0; i < g->nev; i++) {
		struct jevent *ev = &g->ev[g->first + i];
		if (ev->end)
			ev->end->queued = true;
		if (ev->irq) {
			ev->irq->undecided = ev->irq->used = 0;
			ev->irq->own = mean ? (ev->irq->own + ev->irq->stray) / 2
					    : ev->irq->stray;
			ev->irq->stray = 0;
			ev->irq->idle = false;
			ev->irq->committed = ev->irq->extra = false;
		}
	}
	for (size_t v = 0; v < SLOTS; v++)
		g->prev_ns[v] = INT64_MIN;
	g->lost_ns = INT64_MIN;
	trellis_root(g->t, (const struct channel *const *)g->slot, g->nslot);
}

/* Without it the first pass would take the interrupts of slow transfers for strays. */
static void learn_scale(struct group *g)
{
	int64_t total_ns[FIRST_LOOK];
	size_t n = 0;

	for (size_t i = 0; i < g->nev && n < FIRST_LOOK; i++) {
		const struct jtransfer *x = g->ev[g->first + i].end;
		if (x && !x->fixed && x->t.woken_ns != DMA_UNKNOWN)
			total_ns[n++] = x->t.woken_ns - x->begin_ns;
	}
	if (n)
		model_scale(&g->m, total_ns, n);
}

/* Have the rates stopped to change? A small one of strays matters as much as a large one.
 */
static bool settles(const struct model *m, float missing, float stray)
{
	return fabsf(m->p_missing + m->p_late - missing) < SETTLED &&
	       fabsf(m->p_stray - stray) < fmaxf(SETTLED_STRAY * stray, NO_STRAYS);
}

/* ---- readings ---- */

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
		density_add(&m->late, q->time_ns - woken_ns, 1);
		return;
	}
	m->size[1]++;
	m->uses++;
	density_add(&m->age, q->time_ns - x->begin_ns, 1);
	if (asked_ns < q->time_ns)
		asked_ns = q->time_ns;
	density_add(&m->notice, woken_ns - asked_ns, 1);
	density_add(asked_ns > q->time_ns ? &m->asked : &m->woken, woken_ns - asked_ns,
		    1);
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

/* A program that polls the card may see the end before the interrupt is handled, and have
 * begun the next transfer by then: each interrupt is that of the transfer that ended last
 * and has none yet, else of the next to end. */
static bool behind_the_end(struct group *g)
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

/* The k-th interrupt as that of the k-th transfer: can it be, with none missing and none
 * a stray? */
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

static bool in_turn(struct group *g)
{
	return walk_in_turn(g, true);
}

/* ---- passes ---- */

static int passes(struct group *g, const struct window *w, int first, struct err *e)
{
	bool settled = false;
	int r = 0;

	for (int pass = first; pass < PASSES && r >= 0 && !settled; pass++) {
		float missing = g->m.p_missing + g->m.p_late, stray = g->m.p_stray;
		g->m.frozen = pass < FROZEN;
		g->m.blind = !pass && g->j->o.typical_device_ns <= 0;
		bool mean = pass >= SWINGING;
		model_begin(&g->m, mean);
		if (!pass)
			model_derive(&g->m);
		r = group_pass(g, w->until, e);
		model_end(&g->m, mean);
		if (pass > FROZEN)
			model_hasten(&g->m, stray);
		settled = pass > FROZEN && settles(&g->m, missing, stray);
		unlearned(g, w, mean);
	}
	return r;
}

/* From that beginning (NULL = none); false in *can: it is none. */
static int learn_from(struct group *g, const struct window *w,
		      bool (*begin)(struct group *), bool *can, struct err *e)
{
	model_init(&g->m, g->j->o.pairing, g->j->o.typical_device_ns);
	unlearned(g, w, false); /* twice: not even what the pass before counted */
	unlearned(g, w, false);
	learn_scale(g);
	g->m.often_late = begin != NULL;
	if (!(*can = !begin || begin(g)))
		return 0;
	if (begin)
		model_end(&g->m, false);
	int r = passes(g, w, begin ? FROZEN : 0, e);
	if (begin || r < 0 || g->m.lates < fmax(MANY_LATE * g->m.transfers, FEWEST))
		return r;
	g->m.often_late = true;
	return passes(g, w, FROZEN, e);
}

/* ---- which one? ---- */

/* Do interrupts lie closer behind an end than before one? */
static bool trails(const struct group *g)
{
	int64_t after[FIRST_LOOK], before[FIRST_LOOK], end = INT64_MIN;
	size_t n = 0, known = 0;

	for (size_t i = 0; i < g->nev; i++) {
		const struct jevent *ev = &g->ev[g->first + i];
		if (ev->irq && end != INT64_MIN && n < FIRST_LOOK) {
			after[n] = ev->time_ns - end;
			before[n++] = ev->time_ns;
		} else if (ev->end && ev->end->t.woken_ns != DMA_UNKNOWN) {
			end = ev->time_ns;
			for (; known < n; known++)
				before[known] = end - before[known];
		}
	}
	if (known < FEWEST)
		return false;
	qsort(after, known, sizeof(*after), by_time);
	qsort(before, known, sizeof(*before), by_time);
	return after[known / 2] < before[known / 2];
}

/* An interrupt while a transfer was under way, as long after its begin, and its end. */
struct point {
	double irq, end;
};

/* Those of transfers in which just one came, of a program that was waiting by then. */
static size_t points(const struct group *g, struct point *all)
{
	int64_t end = INT64_MIN, irq = INT64_MIN;
	size_t n = 0, inside = 0;

	for (size_t i = 0; i < g->nev && n < FIRST_LOOK; i++) {
		const struct jevent *ev = &g->ev[g->first + i];
		const struct jtransfer *x = ev->end;
		if (ev->irq) {
			inside = irq > end ? inside + 1 : 1;
			irq = ev->time_ns;
		}
		if (!x || x->dead)
			continue;
		int64_t from = end > x->begin_ns ? end : x->begin_ns;
		if (!x->fixed && x->t.woken_ns != DMA_UNKNOWN && inside == 1 &&
		    irq > from && x->t.wait_ns < irq)
			all[n++] = (struct point){(double)(irq - from),
						  (double)(x->end_ns - from)};
		end = x->end_ns;
		inside = 0;
	}
	return n;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Of all lines through two of the points that are not too close, the median slope; 0.5
 * when there are too few. */
static double slope(const struct point *p, size_t n, double *line)
{
	size_t far = 0;

	for (size_t i = 0; i < n; i++)
		line[i] = p[i].irq;
	qsort(line, n, sizeof(*line), by_value);
	double least = n < FEWEST_POINTS ? 0 : (line[n * 3 / 4] - line[n / 4]) / 2;
	for (size_t step = 1; step < n && least > 0 && far < LINES; step++)
		for (size_t i = 0; i + step < n && far < LINES; i++) {
			double apart = p[i + step].irq - p[i].irq;
			if (fabs(apart) > least)
				line[far++] = (p[i + step].end - p[i].end) / apart;
		}
	if (far < FEWEST_POINTS)
		return 0.5;
	qsort(line, far, sizeof(*line), by_value);
	return line[far / 2];
}

/* Where a program sleeps until its interrupt, it wakes as much later as that comes later;
 * where it does not, its end does not move with the interrupt that lies in it, which is
 * another's. 1: it does, or interrupts lie where they would; -1: it does not; 0: that is
 * not clear. */
static int follows(const struct group *g)
{
	if (!trails(g))
		return 1;
	struct point *p = g->nslot == 1 ? calloc(FIRST_LOOK, sizeof(*p)) : NULL;
	double *line = p ? calloc(LINES, sizeof(*line)) : NULL;
	int r = 0;

	if (line) {
		size_t n = points(g, p);
		double a = slope(p, n / 2, line), b = slope(p + n / 2, n - n / 2, line);
		r = a > 0.5 && b > 0.5 ? 1 : a < UNMOVED && b < UNMOVED ? -1 : 0;
	}
	free(line);
	free(p);
	return r;
}

/* As many interrupts as transfers in a queue (or one that was merged), and yet one seems
 * to be missing and another a stray: all between the two may be shifted by one, and
 * nothing have gone wrong. */
static bool shifted(const struct group *g)
{
	const struct model *m = &g->m;
	size_t irqs = 0, ends = 0;

	if (g->nslot != 1 || g->slot[0]->mode != MODE_QUEUE || ends_several(m) ||
	    m->missing < ODD || m->strays < ODD)
		return false;
	for (size_t i = 0; i < g->nev; i++) {
		const struct jevent *ev = &g->ev[g->first + i];
		irqs += ev->irq != NULL;
		ends += ev->end && !ev->end->dead;
	}
	return irqs + 1 >= ends && irqs <= ends + 1;
}

/* Sums for a correlation. */
struct corr {
	double n, x, y, xx, yy, xy;
};

static void corr_add(struct corr *c, double x, double y)
{
	c->n++;
	c->x += x;
	c->y += y;
	c->xx += x * x;
	c->yy += y * y;
	c->xy += x * y;
}

static double corr_of(const struct corr *c)
{
	double xx = c->n * c->xx - c->x * c->x, yy = c->n * c->yy - c->y * c->y;

	if (xx < 1e-9 * c->n * c->xx || yy < 1e-9 * c->n * c->yy || c->n < 1)
		return 0; /* all the same */
	return (c->n * c->xy - c->x * c->y) / sqrt(xx * yy);
}

/* What a reading says of x: how long the card took, and how long the program to wake. */
static bool phases_of(const struct jtransfer *x, double *device, double *notice)
{
	const struct jtransfer *p = channel_at(x->c, x->index - 1);
	int64_t irq = x->reading[1], from = x->begin_ns, told = x->t.wait_ns;

	if (x->dead || x->fixed || irq == DMA_UNKNOWN || x->t.woken_ns == DMA_UNKNOWN)
		return false;
	if (p && p->reading[1] != DMA_UNKNOWN && p->reading[1] > from)
		from = p->reading[1];
	if (told < irq)
		told = irq;
	*device = log(fmax((double)(irq - from), 1));
	*notice = log(fmax((double)(x->t.woken_ns - told), 1));
	return irq > from;
}

/* The larger a transfer, the longer the card takes, and not the program to wake. If the
 * time behind the interrupt grows, or that before it with the size of a neighbour, it is
 * not its own. */
static bool grows_elsewhere(const struct group *g)
{
	struct corr device[2 * NEIGHBOURS + 1] = {0}, notice = {0};
	double own, other, n, d, w;

	for (size_t s = 0; s < g->nslot; s++)
		for (uint64_t i = g->slot[s]->base; i < g->slot[s]->tail; i++) {
			const struct jtransfer *x = channel_at(g->slot[s], i), *y;
			if (!phases_of(x, &d, &w))
				continue;
			for (uint64_t k = 0; k <= 2 * NEIGHBOURS; k++) {
				y = channel_at(g->slot[s], i + k - NEIGHBOURS);
				if (y && y->t.size_bytes > 0)
					corr_add(&device[k], log((double)y->t.size_bytes),
						 d);
			}
			if (x->t.size_bytes > 0)
				corr_add(&notice, log((double)x->t.size_bytes), w);
		}
	n = device[NEIGHBOURS].n;
	own = corr_of(&device[NEIGHBOURS]);
	other = corr_of(&notice);
	for (size_t k = 0; k <= 2 * NEIGHBOURS; k++)
		other = fmax(other, corr_of(&device[k]));
	return n >= FEWEST_SIZES && other > fmax(own, 0) + CHANCE / sqrt(n);
}

static bool clearly_fewer(double a, double b)
{
	return a + CLEARLY <= b && a <= HALF * b;
}

/* How many transfers have no interrupt and interrupts no transfer; and, where there is
 * one for each, or hardly any ends several, how many are shared. */
static double odd_ones(const struct group *g, bool even)
{
	double shared = 0;

	for (size_t k = 2; k <= COALESCE && (even || !ends_several(&g->m)); k++)
		shared += g->m.size[k] * (double)(k - 1);
	return g->m.missing + g->m.strays + shared;
}

static void keep_reading(struct group *g)
{
	for (size_t s = 0; s < g->nslot; s++)
		for (uint64_t i = g->slot[s]->base; i < g->slot[s]->tail; i++) {
			struct jtransfer *x = channel_at(g->slot[s], i);
			x->reading[0] = x->reading[1];
		}
}

/* Transfers that have another interrupt in this reading than in the first. */
static size_t different(const struct group *g)
{
	size_t n = 0;

	for (size_t s = 0; s < g->nslot; s++)
		for (uint64_t i = g->slot[s]->base; i < g->slot[s]->tail; i++) {
			const struct jtransfer *x = channel_at(g->slot[s], i);
			n += x->reading[0] != x->reading[1];
		}
	return n;
}

/* Other readings than the first, of which so many are odd; moved: follows(). */
static int choose(struct group *g, const struct window *w, double first, bool even,
		  int moved, struct err *e)
{
	bool (*const reading[])(struct group *) = {NULL, behind_the_end, in_turn};
	enum { N = sizeof(reading) / sizeof(*reading) };
	double odd[N] = {first};
	size_t best = 0, differ = 0;
	bool can;
	int r = 0;

	keep_reading(g);
	for (size_t i = 1; i < N && r >= 0; i++) {
		r = learn_from(g, w, reading[i], &can, e);
		/* Programs that are hardly ever late are not read that way. */
		if (reading[i] == behind_the_end &&
		    g->m.lates < MANY_LATE * g->m.transfers)
			can = false;
		odd[i] = can ? odd_ones(g, even) : HUGE_VAL;
		if (can && !clearly_fewer(first, odd[i]) && different(g) > differ)
			differ = different(g);
		if (odd[i] < odd[best])
			best = i;
	}
	bool near = differ > DIFFERENT * g->m.transfers;
	if (near && moved < 0 && !clearly_fewer(first, odd[1]))
		best = 1;
	else if (best && !clearly_fewer(odd[best], first))
		best = 0;
	if (r >= 0)
		r = learn_from(g, w, reading[best], &can, e);
	if (best)
		return r;
	if (near && moved <= 0)
		g->doubt = "interrupts come closer behind an end than before one: the "
			   "program may wake before its interrupt";
	else if (shifted(g))
		g->doubt = "as many interrupts as transfers, but they seem not to match: "
			   "all may be shifted";
	return r;
}

int group_learn(struct group *g, bool all, struct err *e)
{
	struct window w = {.until = INT64_MAX};
	bool can;

	for (size_t s = 0; s < g->nslot; s++)
		w.at[s] = g->slot[s]->base > g->slot[s]->frontier ? g->slot[s]->base
								  : g->slot[s]->frontier;
	for (size_t i = 0; i < g->nev && !all; i++)
		if (g->ev[g->first + i].irq)
			w.until = g->ev[g->first + i].time_ns;
	g->learning = true;
	int r = learn_from(g, &w, NULL, &can, e);
	bool even = walk_in_turn(g, false);
	int moved = follows(g);
	double odd = odd_ones(g, even);
	/* Where nothing at all is, it is not another: in that the first transfer would
	 * have none, the last two. */
	if (r >= 0 && odd >= ODD && g->m.transfers >= FEWEST &&
	    (g->m.pairing == PAIRING_INFER || g->m.pairing == PAIRING_ONE))
		r = choose(g, &w, odd, even, moved, e);
	if (!g->doubt && g->m.lates < HALF * g->m.transfers && moved < 0)
		g->doubt = "the program does not wake later when the interrupt comes "
			   "later: it may be another's";
	if (!g->doubt && grows_elsewhere(g))
		g->doubt = "times go with sizes as if interrupts were those of other "
			   "transfers: all may be shifted";
	g->learning = false;
	g->learned = true;
	return r;
}
