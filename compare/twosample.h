/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Are two sets of latencies different, and by how much? Values of one recording are not
 * independent (queues, caches, other load), so uncertainty comes from blocks of
 * neighbouring values, not from single ones; and across recordings, when each side has
 * several.
 *
 * One side's standard error: block bootstrap (Kuensch 1989) with blocks that never cross
 * a border between recordings. Block length by Politis & White (2004, with Patton's
 * correction of 2009) for the circular block bootstrap, from the autocorrelation of the
 * indicator "value <= quantile" for a quantile (the series whose mean a quantile's error
 * hangs on) and of the values for a mean; at least n / TWOSAMPLE_MAX_BLOCKS and at most n
 * / TWOSAMPLE_MIN_BLOCKS.
 *
 * The two together: durations are compared by their ratio, on a logarithmic scale, so that
 * no bound lies below a ratio of 0, and the sides exchanged give the reciprocal. The
 * interval is put together from the two sides' own (MOVER: Zou & Donner 2008, Donner & Zou
 * 2012): with each side's limits l < v < u at t standard errors,
 *   ln low  = ln(new / base) - sqrt(ln(new / l_new)^2 + ln(u_base / base)^2)
 *   ln high = ln(new / base) + sqrt(ln(u_new / new)^2 + ln(base / l_base)^2)
 * and a side that may be 0 leaves the interval open there. (Were the limits taken on the
 * logarithmic scale too, a mean that a single value far out has raised would be surely
 * larger than another one.) t is Student's, with Welch-Satterthwaite degrees of freedom of
 * the relative variances, each side counting its blocks - 1. Where a value is 0 or below (a
 * notice may be: the program saw the end before the interrupt) there is no ratio, and the
 * interval is of the difference, with se^2 = se_base^2 + se_new^2.
 *
 * Pure; seeded, so that the same input gives the same figures. Arrays are borrowed.
 */
#ifndef DMA_TWOSAMPLE_H
#define DMA_TWOSAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum {
	TWOSAMPLE_MIN_BLOCKS = 12,
	TWOSAMPLE_MAX_BLOCKS = 200,
	TWOSAMPLE_REPLICATES = 400,
};

/* Values of one recording in order of time. */
struct series {
	const int64_t *value;
	size_t n;
};

/* One side of a comparison: one or more recordings. */
struct side {
	const struct series *run;
	size_t nrun;
};

/* What is compared: a quantile 0 < q < 1 (nearest rank), or the mean when q is 0. */
struct estimate {
	double value;	  /* NAN when there are no values */
	double se;	  /* NAN when it cannot be told */
	double df;	  /* degrees of freedom behind se */
	double scatter;	  /* share of the value by which its run may be off (standard
			   * deviation); not in se */
	size_t n;	  /* values */
	size_t block;	  /* length; 0 = across recordings */
	size_t nblock;	  /* blocks, or recordings */
	double effective; /* n / variance inflation by autocorrelation: worth so many
			     independent ones */
};

/* Estimate with its standard error: across recordings when `across` (needs >= 2 of them:
 * the estimate is then the mean of theirs), else by blocks. 0, or ERR_NOMEM. */
int side_estimate(const struct side *s, double q, bool across, uint64_t seed,
		  struct estimate *out, struct err *e);

/* nq of them at once, out[0 .. nq): the same figures, but the values are sorted once. */
int side_estimates(const struct side *s, const double *q, size_t nq, bool across,
		   uint64_t seed, struct estimate *out, struct err *e);

/* Of blocks within one recording: what changes from run to run is not in the standard
 * error. Adds it, as a relative standard deviation of a run's statistic (of its logarithm)
 * that was guessed and not measured: it counts as if three degrees of freedom stood behind
 * both sides together, so that a machine whose runs differ by twice as much seldom
 * deceives. Where the two sides have no ratio its unit is the larger one's size. nrun runs
 * shrink it by their root.
 *
 * `relative` is of the side's median. What lies above it - a tail's quantile, a mean that the
 * tail has raised - comes from disturbances, whose number changes much more from run to
 * run than what a transfer takes: that part of the value scatters by five times as much. */
void estimate_scatter(struct estimate *e, double relative, double median, size_t nrun);

struct difference {
	double value; /* new - base */
	/* The interval at the level asked for; NAN = cannot be told. Of a ratio: its bounds
	 * less 1, times the base's value; low is never below -base (which says that the new
	 * value may be 0), and high is INFINITY where the base may be. */
	double low, high;
	double half; /* t standard errors: of the ratio's logarithm, or of the difference */
	double df;
	bool ratio; /* both values are above 0 */
};
void estimate_difference(const struct estimate *base, const struct estimate *fresh,
			 double level, struct difference *out);

/* Automatic block length for n values (at least 1), and by how much their autocorrelation
 * inflates the variance of their mean (at least 1: negative correlation is not relied
 * on). */
struct dependence {
	size_t block;
	double inflation;
};
void series_dependence(const double *x, size_t n, struct dependence *d);

/*
 * Mann-Whitney: U of `fresh` (number of pairs with fresh > base, ties count a half), the
 * normal deviate with tie correction, and the two-sided p; both with the variance
 * multiplied by `inflation` (1 for independent values). Hodges-Lehmann: the median of all
 * differences fresh - base, exact, O((n + m) log range). n and m at least 1; p = 1 when
 * all values are equal.
 */
struct rank_test {
	double u;
	double above; /* u / (n m): share of pairs in which fresh is larger */
	double z, p;
	double shift; /* Hodges-Lehmann, same unit as the values */
};
int rank_test(const struct series *base, const struct series *fresh, double inflation,
	      struct rank_test *out, struct err *e);

#endif
