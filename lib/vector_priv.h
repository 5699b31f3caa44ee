/* SPDX-License-Identifier: GPL-2.0-only */
/* The vector finder's evidence as it is gathered (vector.c) and judged (vector_judge.c).
 */
#ifndef DMA_VECTOR_PRIV_H
#define DMA_VECTOR_PRIV_H

#include "vector.h"

#define VECTOR_SLOTS 256 /* intervals kept of each kind, a uniform sample */
#define VECTOR_FEW   32	 /* ... of a pair, once there are very many pairs */

/* Two samples of a channel's intervals: those after which it was idle, and, in a queue,
 * the others. */
enum { KEPT_LAST, KEPT_OTHER, KEPT_N };

/* first_ns of a late one that came after another start, whose it may be as well */
#define LATE_BUSY (-1.0f)

/* What is kept of a pair for an interval; NAN = it held none. */
struct vector_hit {
	float first_ns; /* begin -> its first interrupt */
	float end_ns;	/* its last interrupt -> woken; negative = it came late */
};

struct vector_pair {
	uint64_t present,
		many;	       /* intervals with any; with several since the one before */
	uint64_t late;	       /* intervals with none but one shortly after */
	uint64_t inside;       /* interrupts in any interval */
	uint64_t late_outside; /* of those, before anything was started */
	uint64_t late_busy;    /* of those, after another start */
	uint64_t counted;      /* interrupts up to this ordinal are in `inside` */
	uint64_t hit;	       /* ordinal of the last interval that held one */
	size_t slots;
	struct vector_hit *kept[KEPT_N];
};

struct vector_kept {
	double size_bytes; /* NAN = not known */
	float span_ns;	   /* from begin, or the end of the one before, to woken */
};

struct vector_channel {
	int64_t card, channel;
	uint64_t transfers;
	uint64_t busy_ns, resident_ns; /* counted once; of each transfer by itself */
	uint64_t seen[KEPT_N];
	struct vector_kept *kept[KEPT_N];
	struct vector_pair **pair; /* by vector; NULL = never hit */
	size_t npair;
	uint64_t *before; /* by vector: its interrupts before what is looked at */
	size_t nbefore;	  /* 0 = all is looked at */
	int64_t since_ns; /* looked at from here on */
};

/* What the judge found for a pair. */
enum fit { FIT_NONE, FIT_MAYBE, FIT_EARLY, FIT_END };

struct vector_case {
	const struct vector_channel *channel;
	const struct vector_pair *pair; /* NULL = never hit */
	uint64_t interrupts, before;	/* in all; before what is looked at */
	int64_t count_delta, recorded_ns;
	enum fit fit;
	double window_ns; /* the narrowest before the end that holds 60 % */
	double end_ns;	  /* median of interrupt -> woken */
	double share;	  /* of the intervals, with it inside or late */
	double span_ns;	  /* median of the intervals */
	bool begins;	  /* comes at a time of its own after the start */
	bool grows;	  /* the transfers take visibly longer with size */
	struct vector_evidence *e;
};

/* Fills all of c and c->e but its verdict; -1 = no memory. */
int vector_case_judge(struct vector_case *c);
/* Verdicts of all: that of vector v and channel i is at c[v * nch + i]; -1 = no memory.
 */
int vector_cases_settle(struct vector_case *c, size_t nv, size_t nch);

#endif
