/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How long a series remembers: automatic block length and variance inflation
 * (twosample.h).
 */
#include "compare/twosample.h"

#include <math.h>

static double autocovariance(const double *x, size_t n, double mean, size_t lag)
{
	double sum = 0;

	for (size_t i = 0; i + lag < n; i++)
		sum += (x[i] - mean) * (x[i + lag] - mean);
	return sum / (double)n;
}

/* The flat-top lag window of Politis & Romano (1995). */
static double flat_top(double t)
{
	t = fabs(t);
	return t <= 0.5 ? 1 : t <= 1 ? 2 * (1 - t) : 0;
}

/* The first lag after which K_n autocorrelations in a row are insignificant (Politis &
 * White 2004, footnote c), doubled: the bandwidth M. */
static size_t bandwidth(const double *x, size_t n, double mean, double r0, size_t max_lag)
{
	size_t in_a_row = (size_t)ceil(sqrt(log10((double)n)));
	double limit = 2 * sqrt(log10((double)n) / (double)n);
	size_t quiet = 0, last = 0;

	in_a_row = in_a_row < 5 ? 5 : in_a_row;
	for (size_t k = 1; k <= max_lag && quiet < in_a_row; k++) {
		if (fabs(autocovariance(x, n, mean, k) / r0) < limit) {
			quiet++;
		} else {
			quiet = 0;
			last = k;
		}
	}
	return 2 * (last ? last : 1) < max_lag ? 2 * (last ? last : 1) : max_lag;
}

/* The sums that the block length needs, up to lag m: G = sum |k| w R(k) and g(0) = sum w
 * R(k), both over positive and negative lags. */
static void spectrum_sums(const double *x, size_t n, double mean, size_t m, double *big_g,
			  double *g0)
{
	*big_g = 0;
	*g0 = autocovariance(x, n, mean, 0);
	for (size_t k = 1; k <= m; k++) {
		double w = flat_top((double)k / (double)m);
		double r = w > 0 ? w * autocovariance(x, n, mean, k) : 0;

		*big_g += 2 * r * (double)k;
		*g0 += 2 * r;
	}
}

void series_dependence(const double *x, size_t n, struct dependence *d)
{
	/* Beyond a hundred thousand values the first ones tell it well enough. */
	size_t used = n < 100000 ? n : 100000, max_lag;
	double mean = 0, r0, big_g, g0;

	*d = (struct dependence){.block = 1, .inflation = 1};
	if (used < 8)
		return;
	for (size_t i = 0; i < used; i++)
		mean += x[i] / (double)used;
	r0 = autocovariance(x, used, mean, 0);
	/* all equal, but for the rounding of their mean */
	if (r0 <= 1e-24 * mean * mean)
		return;
	max_lag = (size_t)ceil(sqrt((double)used)) + 5;
	max_lag = max_lag < used - 1 ? max_lag : used - 1;
	spectrum_sums(x, used, mean, bandwidth(x, used, mean, r0, max_lag), &big_g, &g0);
	if (g0 <= 0) /* strongly alternating: blocks of one are on the safe side */
		return;
	/* b = (2 G^2 / D)^(1/3) n^(1/3), D = 4/3 g(0)^2 for the circular bootstrap */
	d->block = (size_t)ceil(cbrt(1.5 * big_g * big_g / (g0 * g0) * (double)n));
	d->block = d->block < 1 ? 1 : d->block > n ? n : d->block;
	d->inflation = g0 / r0 > 1 ? g0 / r0 : 1;
}
