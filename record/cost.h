/* SPDX-License-Identifier: GPL-2.0-only */
/* What one probe hit costs on this host, measured. */
#ifndef DMA_COST_H
#define DMA_COST_H

#include <stdint.h>

struct err;
struct probes;

/* Nanoseconds that one hit of an entry uprobe without arguments adds to the program,
 * written into a ring like any other: the median of 9 rounds of 100 calls, less the same
 * calls without. Takes a few milliseconds. DMA_UNKNOWN when it cannot be measured. */
int64_t cost_uprobe_ns(struct probes *p);

#endif
