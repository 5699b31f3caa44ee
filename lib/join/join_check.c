/* SPDX-License-Identifier: GPL-2.0-only */
/* What speaks for or against a reading of the first events. */
#include <math.h>
#include <stdlib.h>

#include "lib/join/join_learn.h"

#define UNMOVED 0.3 /* a slope that is about 0 */

enum { FEWEST_SIZES = 32, FEWEST_POINTS = 24, LINES = 30000, NEIGHBOURS = 8 };

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

int check_follows(const struct group *g)
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

bool check_shifted(const struct group *g, bool even)
{
	const struct model *m = &g->m;
	struct count n = begin_count(g);
	double shared = even ? model_shared(m) : 0;

	if (g->nslot != 1 || g->slot[0]->mode != MODE_QUEUE || ends_several(m) ||
	    m->missing + shared < ODD || m->strays < ODD)
		return false;
	return n.irqs + 1 >= n.ends && n.irqs <= n.ends + 1;
}

void corr_add(struct corr *c, double x, double y)
{
	c->n++;
	c->x += x;
	c->y += y;
	c->xx += x * x;
	c->yy += y * y;
	c->xy += x * y;
}

double corr_of(const struct corr *c)
{
	double xx = c->n * c->xx - c->x * c->x, yy = c->n * c->yy - c->y * c->y;

	if (xx < 1e-9 * c->n * c->xx || yy < 1e-9 * c->n * c->yy || c->n < 1)
		return 0; /* all the same */
	return (c->n * c->xy - c->x * c->y) / sqrt(xx * yy);
}

/* What a reading says of x: how long the card took, and how long the program to wake. */
static bool phases_of(const struct jtransfer *x, size_t reading, double *device,
		      double *notice)
{
	const struct jtransfer *p = channel_at(x->c, x->index - 1);
	int64_t irq = x->reading[reading], from = x->begin_ns, told = x->t.wait_ns;

	if (x->dead || x->fixed || irq == DMA_UNKNOWN || x->t.woken_ns == DMA_UNKNOWN)
		return false;
	if (p && p->reading[reading] != DMA_UNKNOWN && p->reading[reading] > from)
		from = p->reading[reading];
	if (told < irq)
		told = irq;
	*device = log(fmax((double)(irq - from), 1));
	*notice = log(fmax((double)(x->t.woken_ns - told), 1));
	return irq > from;
}

bool check_grows_elsewhere(const struct group *g)
{
	struct corr device[2 * NEIGHBOURS + 1] = {0}, notice = {0};
	double own, other, n, d, w;

	for (size_t s = 0; s < g->nslot; s++)
		for (uint64_t i = g->slot[s]->base; i < g->slot[s]->tail; i++) {
			const struct jtransfer *x = channel_at(g->slot[s], i), *y;
			if (!phases_of(x, g->reading, &d, &w))
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
