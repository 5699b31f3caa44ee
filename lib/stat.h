/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Summary statistics with what is missing. Quantile rule: nearest rank, x(ceil(q n)), the
 * smallest value with at least a share q of the values at or below it (Hyndman & Fan
 * 1996, definition 1); no interpolation, so a quantile is always a value that was
 * measured (to the histogram's 0.4 %).
 */
#ifndef DMA_STAT_H
#define DMA_STAT_H

#include <stddef.h>
#include <stdint.h>

struct hist;

struct quantile {
	double q;	  /* 0 < q < 1 */
	int64_t value_ns; /* DMA_UNKNOWN when n = 0 */
	/* What it could have been had all `excluded` values been the fastest / the
	 * slowest; DMA_UNKNOWN = unbounded on that side. Equal to value_ns when nothing
	 * was excluded. */
	int64_t bound_low_ns, bound_high_ns;
	/* Distribution-free confidence interval from order statistics (binomial; exact
	 * for n <= 1000, else normal approximation with continuity correction);
	 * DMA_UNKNOWN on a side where n is too small to give one at the level. Assumes
	 * independent values: says so where it is printed. */
	int64_t ci_low_ns, ci_high_ns;
};

/* n values in h, `excluded` more whose value is not known; level e.g. 0.95. */
void stat_quantile(const struct hist *h, uint64_t excluded, double q, double level,
		   struct quantile *out);

/* Ranks (1-based) of the order-statistics interval; 0 = does not exist at this n. */
void stat_quantile_ranks(uint64_t n, double q, double level, uint64_t *low,
			 uint64_t *high);

/* The quantiles of every summary. */
extern const double stat_quantiles[]; /* 0.5 0.9 0.99 0.999 0.9999 */
extern const size_t stat_nquantiles;

/* Least squares y = a + b x with standard errors; weights 1. Streaming: add, then
 * solve. */
struct linear_fit {
	uint64_t n;
	double mean_x, mean_y, sxx, sxy, syy;
};
void linear_fit_add(struct linear_fit *f, double x, double y);
struct linear_result {
	double a, b;	   /* NAN when sxx = 0 or n < 2 */
	double se_a, se_b; /* NAN when n < 3 */
	double r2;
	double ci_a[2], ci_b[2]; /* 95 %, Student t with n - 2 degrees of freedom */
};
void linear_fit_solve(const struct linear_fit *f, struct linear_result *r);
double student_t_quantile(double p, double dof); /* e.g. p = 0.975 */
double normal_quantile(double p);

/* The upper confidence bound, one-sided at the level, of a share of which k in n were
 * seen (Clopper and Pearson 1934); 1 for k = n, NAN for n = 0. */
double proportion_upper(uint64_t k, uint64_t n, double level);

#endif
