/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mann-Whitney and Hodges-Lehmann on two sorted arrays (twosample.h).
 */
#include "compare/twosample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int64_t *sorted_copy(const struct series *s)
{
	int64_t *v = malloc(s->n * sizeof(*v));

	if (!v)
		return NULL;
	memcpy(v, s->value, s->n * sizeof(*v));
	qsort(v, s->n, sizeof(*v), by_value);
	return v;
}

/* Pairs (x, y) with y - x <= delta. */
static double pairs_within(const int64_t *x, size_t n, const int64_t *y, size_t m,
			   int64_t delta)
{
	double pairs = 0;
	size_t j = 0;

	for (size_t i = 0; i < n; i++) {
		while (j < m && y[j] - x[i] <= delta)
			j++;
		pairs += (double)j;
	}
	return pairs;
}

/* The smallest delta that at least `want` differences do not exceed: an order statistic
 * of them. */
static int64_t difference_at(const int64_t *x, size_t n, const int64_t *y, size_t m,
			     double want)
{
	int64_t low = y[0] - x[n - 1], high = y[m - 1] - x[0];

	while (low < high) {
		int64_t mid = low + (high - low) / 2;

		if (pairs_within(x, n, y, m, mid) >= want)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

static double hodges_lehmann(const int64_t *x, size_t n, const int64_t *y, size_t m)
{
	double pairs = (double)n * (double)m;
	int64_t lower = difference_at(x, n, y, m, floor((pairs + 1) / 2));
	int64_t upper = difference_at(x, n, y, m, floor(pairs / 2) + 1);

	return ((double)lower + (double)upper) / 2;
}

/* Sum of t^3 - t over the groups of equal values of both arrays together. */
static double tie_sum(const int64_t *x, size_t n, const int64_t *y, size_t m)
{
	double sum = 0;
	size_t i = 0, j = 0;

	while (i < n || j < m) {
		int64_t v = j == m || (i < n && x[i] <= y[j]) ? x[i] : y[j];
		double t = 0;

		for (; i < n && x[i] == v; i++)
			t++;
		for (; j < m && y[j] == v; j++)
			t++;
		sum += t * t * t - t;
	}
	return sum;
}

static void mann_whitney(const int64_t *x, size_t n, const int64_t *y, size_t m,
			 double inflation, struct rank_test *out)
{
	double nm = (double)n * (double)m, all = (double)n + (double)m;
	double equal_or_less = pairs_within(x, n, y, m, 0);
	double less = pairs_within(x, n, y, m, -1); /* y < x */
	double var;

	out->u = nm - equal_or_less + (equal_or_less - less) / 2;
	out->above = out->u / nm;
	var = nm / 12 * (all + 1 - tie_sum(x, n, y, m) / (all * (all - 1))) * inflation;
	out->z = var > 0 ? (out->u - nm / 2) / sqrt(var) : 0;
	out->p = erfc(fabs(out->z) / sqrt(2));
}

int rank_test(const struct series *base, const struct series *fresh, double inflation,
	      struct rank_test *out, struct err *e)
{
	int64_t *x, *y;
	int rc = 0;

	*out = (struct rank_test){
		.u = NAN, .above = NAN, .z = NAN, .p = NAN, .shift = NAN};
	if (!base->n || !fresh->n)
		return 0;
	x = sorted_copy(base);
	y = sorted_copy(fresh);
	if (!x || !y)
		rc = err_nomem(e, "%zu values", base->n + fresh->n);
	if (!rc) {
		mann_whitney(x, base->n, y, fresh->n, inflation, out);
		out->shift = hodges_lehmann(x, base->n, y, fresh->n);
	}
	free(x);
	free(y);
	return rc;
}
