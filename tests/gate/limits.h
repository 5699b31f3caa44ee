/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The gate's table and its limits. Each limit is a test of its own. One that is not
 * reached yet stands in a file of names and is printed as a TAP TODO with the limit and
 * the figure; it is never changed there.
 *
 * Wrong among certain: where at least LIMIT_CERTAIN are certain the upper bound (95 %,
 * Clopper and Pearson, which takes transfers for independent) must not be above the limit.
 * With fewer, nothing can be shown; then the lower bound must not be above it.
 */
#ifndef DMA_LIMITS_H
#define DMA_LIMITS_H

#include "tests/gate/tally.h"

#define LIMIT_WRONG  2e-4 /* of the certain ones */
#define LIMIT_VECTOR 0.99 /* found, and never a wrong one */
enum { LIMIT_CERTAIN = 100000 };

struct limits {
	const char *todo; /* file of names; NULL = none */
	unsigned n, broken;
};

/* All lines begin with "# " where tap. */
void print_columns(bool tap);
void print_row(const char *name, bool find, const struct tally *n, bool tap);
/* Said probability against the share right, where the joiner gives any. */
void print_reliability(const struct tally *n, bool tap);
/* The limits of a stratum, or of all together (NULL); printed where tap. A recording that
 * failed breaks one, tap or not. */
void limits_judge(struct limits *l, const struct world_stratum *s, bool find,
		  const struct tally *n, bool tap);

#endif
