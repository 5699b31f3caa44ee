/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/stat.h"

#include <math.h>

#include "lib/dma.h"
#include "lib/hist.h"

const double stat_quantiles[] = {0.5, 0.9, 0.99, 0.999, 0.9999};
const size_t stat_nquantiles = sizeof(stat_quantiles) / sizeof(*stat_quantiles);

/* ---- quantiles ---- */

/* ceil(q n), not pushed up by rounding of q (0.9 * 10 must give 9). */
static uint64_t nearest_rank(double q, uint64_t n)
{
	double x = q * (double)n, r = ceil(x - 1e-9 * (x > 1 ? x : 1));

	return r < 1 ? 1 : r > (double)n ? n : (uint64_t)r;
}

/*
 * [X(l), X(u)] covers the quantile with P(l <= B <= u - 1), B binomial(n, q): l is the
 * largest with P(B <= l - 1) <= a, u the smallest with P(B >= u) <= a, a = (1 - level)
 * / 2. The distribution is added up once, each term from the one before by its logarithm:
 * (1 - q)^n may be too small for a double.
 */
static void exact_ranks(uint64_t n, double q, double tail, uint64_t *low, uint64_t *high)
{
	double log_term = (double)n * log1p(-q), log_odds = log(q) - log1p(-q);
	double cdf = exp(log_term); /* P(B <= k) */
	uint64_t k = 0;

	*low = 0; /* no such rank */
	while (k < n && 1 - cdf > tail) {
		if (cdf <= tail)
			*low = k + 1;
		log_term += log((double)(n - k) / (double)(k + 1)) + log_odds;
		k++;
		cdf += exp(log_term);
	}
	*high = k < n ? k + 1 : 0;
}

static void normal_ranks(uint64_t n, double q, double tail, uint64_t *low, uint64_t *high)
{
	double mean = (double)n * q, sd = sqrt(mean * (1 - q)),
	       z = -normal_quantile(tail);
	double l = floor(mean - z * sd - 0.5), u = ceil(mean + z * sd + 0.5) + 1;

	*low = l >= 1 ? (uint64_t)l : 0;
	*high = u <= (double)n ? (uint64_t)u : 0;
}

void stat_quantile_ranks(uint64_t n, double q, double level, uint64_t *low,
			 uint64_t *high)
{
	double tail = (1 - level) / 2;

	*low = *high = 0;
	if (!n)
		return;
	if (n <= 1000)
		exact_ranks(n, q, tail, low, high);
	else
		normal_ranks(n, q, tail, low, high);
}

/* Bounds: of n + excluded values, the excluded all below or all above the known ones; a
 * rank outside 1 .. n is DMA_UNKNOWN, unbounded on that side. */
void stat_quantile(const struct hist *h, uint64_t excluded, double q, double level,
		   struct quantile *out)
{
	uint64_t n = hist_n(h), rank, low, high;

	*out = (struct quantile){q,	      DMA_UNKNOWN, DMA_UNKNOWN,
				 DMA_UNKNOWN, DMA_UNKNOWN, DMA_UNKNOWN};
	if (!n)
		return;
	out->value_ns = hist_at_rank(h, nearest_rank(q, n));
	rank = nearest_rank(q, n + excluded);
	out->bound_low_ns =
		rank > excluded ? hist_at_rank(h, rank - excluded) : DMA_UNKNOWN;
	out->bound_high_ns = hist_at_rank(h, rank);
	stat_quantile_ranks(n, q, level, &low, &high);
	out->ci_low_ns = low ? hist_at_rank(h, low) : DMA_UNKNOWN;
	out->ci_high_ns = high ? hist_at_rank(h, high) : DMA_UNKNOWN;
}

/* ---- distributions ---- */

/* Acklam's rational approximation, then one step of Halley's rule on erfc: full double
 * precision. */
double normal_quantile(double p)
{
	static const double a[] = {-3.969683028665376e+01, 2.209460984245205e+02,
				   -2.759285104469687e+02, 1.383577518672690e+02,
				   -3.066479806614716e+01, 2.506628277459239e+00};
	static const double b[] = {-5.447609879822406e+01, 1.615858368580409e+02,
				   -1.556989798598866e+02, 6.680131188771972e+01,
				   -1.328068155288572e+01};
	static const double c[] = {-7.784894002430293e-03, -3.223964580411365e-01,
				   -2.400758277161838e+00, -2.549732539343734e+00,
				   4.374664141464968e+00,  2.938163982698783e+00};
	static const double d[] = {7.784695709041462e-03, 3.224671290700398e-01,
				   2.445134137142996e+00, 3.754408661907416e+00};
	double x, r, e, u;

	if (!(p > 0 && p < 1))
		return p == 0 ? -INFINITY : p == 1 ? INFINITY : NAN;
	if (p < 0.02425 || p > 1 - 0.02425) {
		r = sqrt(-2 * log(p < 0.5 ? p : 1 - p));
		x = (((((c[0] * r + c[1]) * r + c[2]) * r + c[3]) * r + c[4]) * r +
		     c[5]) /
		    ((((d[0] * r + d[1]) * r + d[2]) * r + d[3]) * r + 1);
		x = p < 0.5 ? x : -x;
	} else {
		u = p - 0.5;
		r = u * u;
		x = (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r +
		     a[5]) *
		    u /
		    (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
	}
	e = 0.5 * erfc(-x / sqrt(2)) - p;
	u = e * sqrt(2 * M_PI) * exp(x * x / 2);
	return x - u / (1 + x * u / 2);
}

/* The continued fraction of the incomplete beta function (Lentz's method; Numerical
 * Recipes 6.4). */
static double beta_fraction(double a, double b, double x)
{
	double tiny = 1e-300, c = 1, d = 1 - (a + b) * x / (a + 1), h;

	d = 1 / (fabs(d) < tiny ? tiny : d);
	h = d;
	for (int m = 1; m <= 20000; m++) { /* about sqrt(a + b) are needed */
		double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
		double term[2] = {even, odd}, step = 1;

		for (int i = 0; i < 2; i++) {
			d = 1 + term[i] * d;
			d = 1 / (fabs(d) < tiny ? tiny : d);
			c = 1 + term[i] / c;
			c = fabs(c) < tiny ? tiny : c;
			step = d * c;
			h *= step;
		}
		if (fabs(step - 1) < 1e-15)
			break;
	}
	return h;
}

static double incomplete_beta(double a, double b, double x)
{
	double front;

	if (x <= 0 || x >= 1)
		return x >= 1;
	front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
	if (x < (a + 1) / (a + b + 2))
		return front * beta_fraction(a, b, x) / a;
	return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double proportion_upper(uint64_t k, uint64_t n, double level)
{
	double low = n ? (double)k / (double)n : 0, high = 1, p;

	if (k >= n)
		return n ? 1 : NAN;
	for (int i = 0; i < 60; i++) { /* P(at most k) = I(1 - p; n - k, k + 1) */
		p = (low + high) / 2;
		if (incomplete_beta((double)(n - k), (double)k + 1, 1 - p) > 1 - level)
			low = p;
		else
			high = p;
	}
	return high;
}

static double student_t_cdf(double t, double dof)
{
	double tail = incomplete_beta(dof / 2, 0.5, dof / (dof + t * t)) / 2;

	return t > 0 ? 1 - tail : tail;
}

double student_t_quantile(double p, double dof)
{
	double low, high;

	if (!(p > 0 && p < 1) || !(dof > 0))
		return NAN;
	if (p == 0.5)
		return 0;
	if (p < 0.5)
		return -student_t_quantile(1 - p, dof);
	low = 0;
	high = 1;
	while (student_t_cdf(high, dof) < p && high < 1e300)
		high *= 2;
	for (int i = 0; i < 200 && high - low > 1e-14 * high; i++) {
		double mid = (low + high) / 2;

		if (student_t_cdf(mid, dof) < p)
			low = mid;
		else
			high = mid;
	}
	return (low + high) / 2;
}

/* ---- least squares ---- */

void linear_fit_add(struct linear_fit *f, double x, double y)
{
	double n = (double)++f->n, dx = x - f->mean_x, dy = y - f->mean_y;

	f->mean_x += dx / n;
	f->mean_y += dy / n;
	f->sxx += dx * (x - f->mean_x);
	f->sxy += dx * (y - f->mean_y);
	f->syy += dy * (y - f->mean_y);
}

void linear_fit_solve(const struct linear_fit *f, struct linear_result *r)
{
	double n = (double)f->n, residual, s2, t;

	*r = (struct linear_result){NAN, NAN, NAN, NAN, NAN, {NAN, NAN}, {NAN, NAN}};
	if (f->n < 2 || !(f->sxx > 0))
		return;
	r->b = f->sxy / f->sxx;
	r->a = f->mean_y - r->b * f->mean_x;
	r->r2 = f->syy > 0 ? f->sxy * f->sxy / (f->sxx * f->syy) : 1;
	if (f->n < 3)
		return;
	residual = f->syy - r->b * f->sxy;
	s2 = (residual > 0 ? residual : 0) / (n - 2);
	r->se_b = sqrt(s2 / f->sxx);
	r->se_a = sqrt(s2 * (1 / n + f->mean_x * f->mean_x / f->sxx));
	t = student_t_quantile(0.975, n - 2);
	r->ci_a[0] = r->a - t * r->se_a;
	r->ci_a[1] = r->a + t * r->se_a;
	r->ci_b[0] = r->b - t * r->se_b;
	r->ci_b[1] = r->b + t * r->se_b;
}
