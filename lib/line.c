/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/line.h"

#include <math.h>
#include <stdlib.h>

#include "lib/err.h"
#include "lib/stat.h"

/* xorshift64* (Marsaglia 2003, Vigna 2016). */
static uint64_t next_random(uint64_t *state)
{
	if (!*state)
		*state = UINT64_C(0x9e3779b97f4a7c15);
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(2685821657736338717);
}

int line_add(struct line *l, double x, double y)
{
	uint64_t at;

	l->n++;
	if (l->kept < LINE_POINTS) {
		if (l->kept == l->room) {
			size_t room = l->room ? 2 * l->room : 16;
			struct line_point *p = reallocarray(l->point, room, sizeof(*p));

			if (!p)
				return ERR_NOMEM;
			l->point = p;
			l->room = room;
		}
		l->point[l->kept++] = (struct line_point){x, y};
		return 0;
	}
	at = next_random(&l->random) % l->n;
	if (at < LINE_POINTS)
		l->point[at] = (struct line_point){x, y};
	return 0;
}

void line_release(struct line *l)
{
	free(l->point);
	*l = (struct line){0};
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int by_x(const void *a, const void *b)
{
	return by_value(&((const struct line_point *)a)->x,
			&((const struct line_point *)b)->x);
}

static double median(const double *sorted, size_t n)
{
	return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

/* Variance of Kendall's S: n (n - 1) (2 n + 5) less the same of each group of equal x, over
 * 18. Sorted by x. */
static double variance_of_s(const struct line_point *p, size_t n)
{
	double v = (double)n * (double)(n - 1) * (double)(2 * n + 5);

	for (size_t i = 0, k; i < n; i = k) {
		double t;

		for (k = i; k < n && p[k].x == p[i].x;)
			k++;
		t = (double)(k - i);
		v -= t * (t - 1) * (2 * t + 5);
	}
	return v / 18;
}

static size_t slopes_of(const struct line_point *p, size_t n, double *slope)
{
	size_t m = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 1; k < n; k++)
			if (p[k].x > p[i].x)
				slope[m++] = (p[k].y - p[i].y) / (p[k].x - p[i].x);
	qsort(slope, m, sizeof(*slope), by_value);
	return m;
}

/* Median of y - b x, or the end of its 95 % interval: side -1, 0, 1. */
static double intercept(const struct line_point *p, size_t n, double b, int side,
			double *rest)
{
	uint64_t low, high;

	for (size_t i = 0; i < n; i++)
		rest[i] = p[i].y - b * p[i].x;
	qsort(rest, n, sizeof(*rest), by_value);
	if (!side)
		return median(rest, n);
	stat_quantile_ranks(n, 0.5, 0.95, &low, &high);
	return side < 0 ? rest[low ? low - 1 : 0] : rest[high ? high - 1 : n - 1];
}

static void solve(const struct line_point *p, size_t n, double *slope, size_t m,
		  struct line_result *r)
{
	double half = normal_quantile(0.975) * sqrt(variance_of_s(p, n)) / 2;
	double low = floor((double)m / 2 - half), high = ceil((double)m / 2 + half) - 1;

	r->b = median(slope, m);
	r->ci_b[0] = slope[low > 0 ? (size_t)low : 0];
	r->ci_b[1] = slope[high < (double)m ? (size_t)high : m - 1];
	r->supported = r->ci_b[0] > 0 && r->ci_b[1] <= LINE_FACTOR * r->ci_b[0];
	/* the slopes are done with: their place holds the rests */
	r->a = intercept(p, n, r->b, 0, slope);
	r->ci_a[0] = intercept(p, n, r->ci_b[1], -1, slope);
	r->ci_a[1] = intercept(p, n, r->ci_b[0], 1, slope);
}

int line_solve(const struct line *l, struct line_result *r)
{
	size_t n = l->kept, m;
	double *slope;

	*r = (struct line_result){NAN, NAN, {NAN, NAN}, {NAN, NAN}, false};
	if (n < LINE_FEWEST)
		return 0;
	slope = malloc(n * (n - 1) / 2 * sizeof(*slope)); /* n or more of them */
	if (!slope)
		return ERR_NOMEM;
	qsort(l->point, n, sizeof(*l->point), by_x);
	m = slopes_of(l->point, n, slope);
	if (m)
		solve(l->point, n, slope, m, r);
	free(slope);
	return 0;
}
