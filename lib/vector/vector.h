/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which interrupt vector ends transfers? Evidence from one streaming pass over the same
 * samples as the joiner's: for every vector and every channel, how its interrupts lie
 * against the intervals doorbell -> woken. Pure, deterministic.
 *
 * Intervals. A wait ends the oldest transfer of its channel that is open (deep queues),
 * or all of them where the program waits once for several; a start on a channel that is
 * used one transfer at a time replaces the one before (it was aborted). Failed and
 * pending waits end nothing that is looked at, and an interval that touches a loss is
 * left out.
 *
 * Chance. The share of ends with an interrupt of an independent vector within w before
 * them is at most rate * w, whatever that vector's pattern; a vector is related only when
 * it comes in 60 % of the transfers within a window, counted from the end or from the
 * start, that chance would fill less than half as often.
 *
 * The end. Where transfers of several sizes take visibly different times, an interrupt
 * whose distance to woken does not grow with size is the completion, and one whose
 * distance from the start does not is `data available`. With one size neither can be
 * seen: then only an interrupt close to the end (0.15 of the interval, or 0.35 where the
 * device's own time varies and the interrupt moves with it) is taken for it.
 *
 * Queues, and programs that poll. In a queue the next transfer's beginning looks like the
 * end of the one before, and a program that polls may have started again when the
 * interrupt of the end comes. There the busy periods decide, from a start on an idle
 * channel until it is idle again (vector_turn.c): the first interrupt of an end comes
 * when a transfer may be over (0.75 of the time between ends), the last one at the last
 * end or after it; one of a beginning does the opposite. It must also keep to the ends:
 * its distance to them is not as to moments at random (Kolmogorov-Smirnov), or it comes
 * exactly as often as transfers do. Where several channels share a vector, the whole
 * recording is taken as one busy period of all that it keeps to.
 *
 * How verdicts combine. A vector ends no more transfers than it has interrupts for. At
 * most one vector of a channel is `completion` or `shared`: that with the narrower
 * window, else that nearer to the end; when they are alike, all are `unclear`. Once it is
 * found, a vector that comes earlier in the same transfers is `data available`. A vector
 * that ends transfers of several channels, or of which more than a tenth comes outside of
 * any, is `shared`. Over all channels a vector has the verdict of the channels that it
 * ends, else the best of its channels.
 *
 * Memory: about 5 KiB for each pair of a vector and a channel of which interrupts fall
 * into transfers (twice that with a queue); after 16 MiB of them 600 bytes for each
 * further one.
 */
#ifndef DMA_VECTOR_H
#define DMA_VECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/dma.h"

struct begun;
struct err;

enum verdict {
	VERDICT_UNCLEAR, /* the evidence is too thin: the user must name it */
	VERDICT_COMPLETION,
	/* in every transfer, early, at a time independent of size */
	VERDICT_DATA_AVAILABLE,
	VERDICT_SHARED, /* ends transfers, and fires for other things or channels too */
	VERDICT_UNRELATED,
	VERDICT_SILENT, /* never fired: masked or not enabled */
	VERDICT_N
};
const char *verdict_name(enum verdict v); /* "completion", "data available", ... */

struct vector_evidence {
	int32_t irq;
	int64_t card, channel; /* DMA_UNKNOWN = over all channels */
	uint64_t transfers;    /* intervals doorbell (else submit) -> woken looked at */
	/* Intervals holding exactly one, no, several of its interrupts; of a queue,
	 * several since the end of the transfer before. */
	uint64_t one, none, many;
	uint64_t interrupts; /* of this vector in the recording */
	uint64_t outside; /* of those, inside no interval (of this channel), nor late */
	double position;  /* median of (irq - begin) / (end - begin); > 1 = late; NAN */
	double to_end_ns; /* median of end - irq, of the last irq; < 0 = late; NAN */
	double slope_ns_per_byte; /* of begin -> irq against size, Theil-Sen; NAN = one
				     size */
	double intercept_ns;
	double score; /* 0 .. 1, how well it fits a completion */
	enum verdict verdict;
	char why[256]; /* the evidence in one sentence */
	uint64_t late; /* of `none`: with one shortly after woken */
};

struct vector_finder;
int vector_finder_new(struct vector_finder **f, struct err *e);
void vector_finder_free(struct vector_finder *f);
/* A vector that is known to exist though it may never fire; count_delta from
 * /proc/interrupts (DMA_UNKNOWN = not known). */
int vector_finder_known(struct vector_finder *f, int32_t irq, int64_t count_delta,
			struct err *e);
int vector_finder_push(struct vector_finder *f, const struct sample *s, struct err *e);
/* Samples were lost in [from, to] (DMA_UNKNOWN: from the beginning / to the end), on any
 * CPU. To be told before the first sample after its end. */
int vector_finder_loss(struct vector_finder *f, int32_t cpu, int64_t from_ns,
		       int64_t to_ns);

/* For the joiner: this channel's transfers are ended by this vector. */
struct vector_winner {
	int32_t irq;
	int64_t card, channel;
};

struct vector_result {
	struct vector_evidence *overall; /* one for each vector, best score first */
	size_t noverall;
	struct vector_evidence
		*channel; /* one for each vector and channel with evidence */
	size_t nchannel;
	bool thin; /* too few transfers or no clear winner: ask for --irq */
	/* what to do then; also when only some channels have a winner */
	char advice[256];
	const struct begun *begun;    /* what was in flight when it began (begun.h) */
	struct vector_winner *winner; /* at most one for each channel */
	size_t nwinner;
};
/* The result is owned by f; it may be asked for once, after the last sample. */
int vector_finder_finish(struct vector_finder *f, const struct vector_result **r,
			 struct err *e);

#endif
