/* SPDX-License-Identifier: GPL-2.0-only */
/* The vector finder's evidence as it is gathered (vector.c) and judged
 * (vector_judge.c). */
#ifndef DMA_VECTOR_PRIV_H
#define DMA_VECTOR_PRIV_H

#include "lib/vector/vector.h"

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

#define VECTOR_BUCKETS 40 /* of distances, half an octave each */
enum { LOCK_BEFORE_END, LOCK_BEFORE_ANY, LOCK_AFTER_END, LOCK_AFTER_ANY, LOCK_N };

/* What vector_turn.c gathers of a pair. */
struct vector_turns {
	uint16_t lock[LOCK_N][VECTOR_BUCKETS]; /* how many ends have it so near */
	/* Busy periods: interrupts owed when the last one ended; periods begun with some
	 * owed; the others that held any, those with more of them than transfers, and of
	 * a sample: from the start to the first interrupt, from the last one to the end
	 * as seen (negative = late). */
	uint64_t owed, owing, n, surplus;
	uint64_t ended, seen; /* transfers of all of them; their interrupts */
	float first_ns[VECTOR_FEW], last_ns[VECTOR_FEW];
	uint64_t ordinal, from; /* of the period looked at; its first interrupt */
	int64_t at_ns;		/* and that one's time */
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
	struct vector_turns *turns; /* NULL = one of very many pairs */
};

/* How much its interrupts keep to the ends: Kolmogorov-Smirnov distance, 0 .. 1; 0 = no
 * more than chance may. At least 0.5 where they come as often as transfers do. */
double vector_locked(const struct vector_turns *p);

struct vector_kept {
	double size_bytes; /* NAN = not known */
	float span_ns;	   /* from begin, or the end of the one before, to woken */
	float pause_ns;	   /* since the last end of any channel; NAN = not known */
};

struct vector_channel {
	int64_t card, channel;
	uint64_t transfers;
	uint64_t busy_ns, resident_ns; /* counted once; of each transfer by itself */
	uint64_t seen[KEPT_N];
	struct vector_kept *kept[KEPT_N];
	struct vector_pair **pair; /* by vector; NULL = never hit */
	size_t npair;
	uint64_t ended;		   /* transfers, whatever is looked at; */
	int64_t first_ns, last_ns; /* from the begin of the first to the last end */
	uint64_t locked;	   /* ends that were looked at for a lock */
	uint64_t turns;		   /* busy periods */
	uint64_t deepest;	   /* most in flight */
	uint64_t *before; /* by vector: its interrupts before what is looked at */
	size_t nbefore;	  /* 0 = all is looked at */
	int64_t since_ns; /* looked at from here on */
};

/* What both judges hold to. */
#define VECTOR_ENOUGH	 10   /* transfers */
#define VECTOR_IDLE	 10   /* transfers per interrupt: too few to end them */
#define VECTOR_HELD	 0.6  /* share of transfers that a window must hold */
#define VECTOR_NEAR_TURN 0.35 /* of a busy period's first: close to its end */
#define VECTOR_PERIOD	 0.75 /* of the time between ends: the least of a first end */
#define VECTOR_KEEPS	 0.06 /* of the lock, so that it matters */
#define VECTOR_OUTSIDE	 0.1  /* of a vector's interrupts: fires for other things too */

/* What the judge found for a pair. */
enum fit { FIT_NONE, FIT_MAYBE, FIT_EARLY, FIT_END };

struct vector_case {
	const struct vector_channel *channel;
	const struct vector_pair *pair; /* NULL = never hit */
	uint64_t interrupts, before;	/* in all; before what is looked at */
	int64_t first_irq_ns, last_irq_ns;
	int64_t count_delta, recorded_ns;
	enum fit fit;
	double lock;	  /* vector_locked() */
	double period_ns; /* between two ends */
	bool by_turns; /* FIT_END by the turns of busy periods alone; and what those were:
			  the start to the first interrupt, the last one to the end */
	double from_begin_ns, to_end_ns;
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
/* Verdicts of all: that of vector v and channel i is at c[v * nch + i]; -1 = no
 * memory. */
int vector_cases_settle(struct vector_case *c, size_t nv, size_t nch);

#endif
