/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which interrupt vector ends transfers? Evidence from one streaming pass over the same
 * samples as the joiner's. Pure; memory grows with vectors x channels, not with time.
 *
 * A channel is busy from a submit until its last open transfer has ended for the program
 * (woken); such a busy period, or 64 transfers of one that does not end, is the unit. For
 * each vector and channel:
 *
 *   coverage   share of busy periods that hold at least one of its interrupts; one that
 * comes shortly after the end (by at most half the transfer's time) counts for a period
 * without any chance     what coverage its rate while the channel is idle would give
 * (Poisson) nearness   median of the time from its last interrupt to the end, where the
 * program was waiting by then, against ln 2 / rate, which it would be if the two had
 * nothing to do with one another following  1 - (IQR of end - interrupt)^2 / (IQR of end
 * - begin)^2: the share of the transfers' variation (by size, by load) that is over when
 * the interrupt comes. Near 1 for the end; near 0 for an interrupt that comes a fixed
 * time after the start ("data available")
 *
 * completion: near (< 0.5), following (>= 0.5; or, when all transfers take the same
 * within 10 %, in their last fifth), in at least half of the periods. data available:
 * related to the transfers, but not following them, or in their first half. Anything else
 * that is related is `unclear`, as is everything about fewer than VECTOR_MIN transfers; a
 * channel with fewer takes the vector that ends transfers of the card's other channels if
 * it fits there too.
 *
 * Of interrupts that came before the wait began (a program that asks only when it has
 * been told) the distance to the wait's entry is taken, unless one in twenty of the
 * points shows more. Of several vectors that fit a channel the latest is the end, by more
 * than 2 us, and the others are data available; where this gives cards that work in step
 * the same vector, all are unclear. Submits are taken first in, first out; when that
 * finds no end anywhere, once more with every submit giving up what its channel had in
 * flight (restarts).
 */

#ifndef DMA_VECTOR_H
#define DMA_VECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dma.h"

struct err;

enum verdict {
	VERDICT_UNCLEAR, /* the evidence is too thin: the user must name it */
	VERDICT_COMPLETION,
	VERDICT_DATA_AVAILABLE, /* comes in every transfer, early, at a time independent
				   of size */
	VERDICT_SHARED, /* ends transfers, and fires for other things or channels too */
	VERDICT_UNRELATED,
	VERDICT_SILENT, /* never fired: masked or not enabled */
	VERDICT_N
};
const char *verdict_name(enum verdict v); /* "completion", "data available", ... */

enum { VECTOR_MIN = 8 };

struct vector_evidence {
	int32_t irq;
	int64_t card, channel; /* DMA_UNKNOWN = over all channels */
	uint64_t transfers;    /* ended ones looked at */
	/* ... with exactly one interrupt, no, several; in a busy period of m transfers
	 * and n interrupts min(n, m) have one, m - n none, and n - m > 0 counts as one
	 * `many` */
	uint64_t one, none, many;
	uint64_t interrupts; /* of this vector in the recording */
	uint64_t outside;    /* of those, inside no interval (of this channel) */
	double position;  /* median of (irq - begin) / (end - begin) of the last transfer;
			     above 1 = late; NAN */
	double to_end_ns; /* median of end - irq; NAN */
	double slope_ns_per_byte; /* of begin -> irq against size (Theil-Sen); NAN = one
				     size only */
	double intercept_ns;
	double score; /* 0 .. 1, how well it fits a completion */
	enum verdict verdict;
	char why[256]; /* the evidence in one sentence */
};

struct vector_finder;
int vector_finder_new(struct vector_finder **f, struct err *e);
void vector_finder_free(struct vector_finder *f);
/* A vector that is known to exist though it may never fire; count_delta from
 * /proc/interrupts (DMA_UNKNOWN = not known). */
int vector_finder_known(struct vector_finder *f, int32_t irq, int64_t count_delta,
			struct err *e);
int vector_finder_push(struct vector_finder *f, const struct sample *s, struct err *e);
int vector_finder_loss(struct vector_finder *f, int32_t cpu, int64_t from_ns,
		       int64_t to_ns);

struct vector_result {
	struct vector_evidence *overall; /* one for each vector, best score first */
	size_t noverall;
	struct vector_evidence
		*channel; /* one for each vector and channel with any evidence */
	size_t nchannel;
	bool thin; /* too few transfers or no clear winner: ask for --irq */
	char advice[256];
};
/* The result is owned by f. */
int vector_finder_finish(struct vector_finder *f, const struct vector_result **r,
			 struct err *e);

#endif
