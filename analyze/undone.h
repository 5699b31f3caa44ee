/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Starts that another thread's store undid (field.md 1.6): a register whose bits are the
 * channels, which the library reads, changes and writes without a lock. From the samples
 * alone, in order of time, where the stores' probes carry what they write (profiles with a
 * [register] of bits at the doorbell's offset).
 *
 * A start reads the register somewhere between its entry and its store. A second start that
 * was entered before the first had stored may have read before; where it then stores a value
 * without the first one's bit behind it, the card has lost that bit, or had ended that
 * transfer by the time of the reading. The second is excluded where the stores are closer
 * together than a tenth of the shortest transfer of that card: chosen, since what is known of
 * the shortest (its store to its wait's return) is longer than the card took.
 *
 * A probe is hit before its store, and the two probes' order is the stores' only where the
 * first function had gone on (its exit) before the second probe. Else one of the two is
 * undone, and which is told by who has its bit later on: in the value of a third store that
 * read behind both, in a register that was watched, or by the wait that took as long as a
 * transfer, when the other's returned at once.
 */
#ifndef ANALYZE_UNDONE_H
#define ANALYZE_UNDONE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/dma.h"

struct undone;

struct undone_start {
	int64_t card, channel;
	int64_t store_ns; /* its doorbell */
	int64_t at_ns;	  /* from then on its channel does not run */
	bool certain;	  /* else it may be that one, or have ended in time */
};

/* A channel's bit in a register that was watched was set at since_ns, and cleared then. */
struct undone_clear {
	int64_t card, channel; /* DMA_UNKNOWN = the only card */
	int64_t since_ns;
};

struct undone_totals {
	int64_t lost;	    /* starts that were undone */
	int64_t maybe;	    /* starts of which that is not certain */
	int64_t longest_ns; /* between the two stores of a lost one; DMA_UNKNOWN = none */
	int64_t shortest_ns; /* transfer, store to its wait's return; DMA_UNKNOWN = none */
};

/* NULL = no memory. */
struct undone *undone_new(void);
void undone_free(struct undone *u);
/* Negative = no memory. */
int undone_push(struct undone *u, const struct sample *s);
/* whole: no sample is missing; else nothing is certain. *list, in order of at_ns, is the
 * caller's. Once; negative = no memory. */
int undone_finish(struct undone *u, bool whole, const struct undone_clear *clear,
		  size_t nclear, struct undone_totals *t, struct undone_start **list,
		  size_t *n);

#endif
