/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which interrupt vector ends transfers? Evidence from one streaming pass over the same samples
 * as the joiner's: for every vector and every channel, how its interrupts lie against the intervals
 * doorbell -> woken. O(vectors x channels) memory. Pure.
 */
#ifndef DMA_VECTOR_H
#define DMA_VECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dma.h"

struct err;

enum verdict {
	VERDICT_UNCLEAR,	/* the evidence is too thin: the user must name it */
	VERDICT_COMPLETION,
	VERDICT_DATA_AVAILABLE, /* comes in every transfer, early, at a time independent of size */
	VERDICT_SHARED,		/* ends transfers, and fires for other things or channels too */
	VERDICT_UNRELATED,
	VERDICT_SILENT,		/* never fired: masked or not enabled */
	VERDICT_N
};
const char *verdict_name(enum verdict v); /* "completion", "data available", ... */

struct vector_evidence {
	int32_t irq;
	int64_t card, channel;	   /* DMA_UNKNOWN = over all channels */
	uint64_t transfers;	   /* intervals doorbell (else submit) -> woken looked at */
	uint64_t one, none, many;  /* intervals holding exactly one, no, several of its interrupts */
	uint64_t interrupts;	   /* of this vector in the recording */
	uint64_t outside;	   /* of those, inside no interval (of this channel) */
	double position;	   /* median of (irq - begin) / (end - begin) over `one`; NAN */
	double to_end_ns;	   /* median of end - irq over `one`; NAN */
	double slope_ns_per_byte;  /* of begin -> irq against size, robust; NAN = one size only */
	double intercept_ns;
	double score;		   /* 0 .. 1, how well it fits a completion */
	enum verdict verdict;
	char why[256];		   /* the evidence in one sentence */
};

struct vector_finder;
int vector_finder_new(struct vector_finder **f, struct err *e);
void vector_finder_free(struct vector_finder *f);
/* A vector that is known to exist though it may never fire; count_delta from /proc/interrupts
 * (DMA_UNKNOWN = not known). */
int vector_finder_known(struct vector_finder *f, int32_t irq, int64_t count_delta, struct err *e);
int vector_finder_push(struct vector_finder *f, const struct sample *s, struct err *e);
int vector_finder_loss(struct vector_finder *f, int32_t cpu, int64_t from_ns, int64_t to_ns);

struct vector_result {
	struct vector_evidence *overall; /* one for each vector, best score first */
	size_t noverall;
	struct vector_evidence *channel; /* one for each vector and channel with any evidence */
	size_t nchannel;
	bool thin;	 /* too few transfers or no clear winner: ask for --irq */
	char advice[256];
};
/* The result is owned by f. */
int vector_finder_finish(struct vector_finder *f, const struct vector_result **r, struct err *e);

#endif
