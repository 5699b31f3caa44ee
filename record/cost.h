/* SPDX-License-Identifier: GPL-2.0-only */
/* What one probe hit costs on this host, measured. */
#ifndef DMA_COST_H
#define DMA_COST_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct probes;

/* Nanoseconds that one hit of an entry uprobe without arguments adds to the program,
 * written into a ring like any other: what 64 rounds of 20 calls say, less the same calls
 * without. Takes 20 ms where a hit costs 15 us. DMA_UNKNOWN when it cannot be measured. */
int64_t cost_uprobe_ns(struct probes *p);

/* Of rounds of so many hits each: the quickest with, less the quickest without. A cost can
 * only be overstated, by whatever else ran in between, so that the least is the nearest;
 * and what is overstated here is said of every transfer. DMA_UNKNOWN: with no rounds, or
 * when the quickest with is quicker. */
int64_t cost_of_hit(const int64_t *with_ns, const int64_t *without_ns, size_t rounds,
		    int64_t hits);

#endif
