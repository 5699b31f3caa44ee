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
 * / TWOSAMPLE_MIN_BLOCKS. The difference new - base has se^2 = se_base^2 + se_new^2 and a
 * Student t interval with Welch-Satterthwaite degrees of freedom, each side counting its
 * blocks - 1.
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
 * error. Adds it to both sides, as a relative standard deviation of a run's statistic that
 * was guessed and not measured: it counts as if three degrees of freedom stood behind the
 * two together, so that a machine whose runs differ by twice as much seldom deceives. Its
 * unit is the geometric mean of the two values, so that twice as slow and twice as fast are
 * told alike. nrun runs shrink it by their root. */
void estimate_scatter(struct estimate *base, struct estimate *fresh, double relative,
		      size_t nbase, size_t nfresh);

struct difference {
	double value;	  /* new - base */
	double low, high; /* interval at the level asked for; NAN = cannot be told */
	double df;
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
