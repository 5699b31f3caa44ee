/* SPDX-License-Identifier: GPL-2.0-only */
/* The vector finder while it gathers (vector.c), for what is made of it
 * (vector_result.c). */
#ifndef DMA_VECTOR_SEEN_H
#define DMA_VECTOR_SEEN_H

#include "lib/loss.h"
#include "lib/vector/vector_priv.h"

enum { RING = 512 }; /* interrupts remembered of a vector; a power of two */

struct ring {
	int32_t irq;
	int64_t count_delta, first_ns, last_ns;
	uint64_t n;	  /* interrupts so far; those before n - RING are forgotten */
	int64_t *at_ns;	  /* NULL until the first */
	int next;	  /* of the same bucket; -1 */
	int newer, older; /* neighbours in the order of the last interrupt; -1 */
};

struct open {
	int64_t submit_ns, begin_ns, size_bytes;
	int64_t before_ns; /* the last end before it, of any channel; DMA_UNKNOWN */
};

/* How a channel is used, as far as seen: one wait for each of several in flight; one at a
 * time, so that a start over another aborts it; one wait for all in flight. */
enum use { USE_QUEUE, USE_SERIAL, USE_BATCH };

struct ended {		 /* the last one, until it is known what came after it */
	int64_t from_ns; /* busy from here on: begin, or that of one not looked at */
	int64_t begin_ns, end_ns, next_ns, span_ns;
	float pause_ns; /* as kept */
	uint64_t ordinal;
	size_t slot; /* SIZE_MAX = not kept */
	int kind;
	bool waiting;
};

struct turn { /* a busy period: from a start on an idle channel until it is idle again */
	bool open, whole; /* it is idle again */
	bool holed;	  /* not all of it was seen, or ended by itself */
	bool spoilt;	  /* ... of its beginning or end */
	size_t n;	  /* transfers that ended */
	uint64_t ordinal;
	int64_t from_ns, end_ns;
};

struct channel {
	struct vector_channel v;
	struct turn turn;
	struct open *open; /* a ring of cap, the oldest at head */
	size_t head, nopen, cap;
	enum use use;
	unsigned starts, replaced, deep, clean;
	unsigned clean_enough, aborted, empties;
	unsigned waits, raises;
	size_t least, before, base; /* open after a wait: least of this stretch, of the
				       last one, at the start of a run of raises */
	uint64_t ordinal;
	int64_t last_end_ns, covered_ns;
	struct ended last;
};

struct call {
	int32_t tid;
	bool used;
	int channel;  /* -1 = the wait did not say */
	size_t start; /* the channel of its last start, SIZE_MAX */
};

struct vector_finder {
	struct ring *ring;
	size_t nring, ring_cap;
	int newest;
	int *bucket;
	struct channel **ch, **idle; /* idle: since when nothing was started */
	size_t nch, nidle;
	struct call *call;
	struct loss_windows loss;
	int64_t from_ns, to_ns, last_end_ns; /* of any channel; DMA_UNKNOWN = none yet */
	struct begun *begun;
	size_t pair_bytes;
	uint64_t random;
	struct vector_evidence *ev;
	struct vector_winner *winner;
	struct vector_result result;
};

/* Of a vector's interrupts: the ordinal of the first one at or after t, r->n if none;
 * those forgotten are taken for earlier. That of the oldest remembered; its time. */
uint64_t vector_ring_from(const struct ring *r, int64_t t);
uint64_t vector_ring_oldest(const struct ring *r);
int64_t vector_ring_at(const struct ring *r, uint64_t ordinal);
uint64_t vector_draw(struct vector_finder *f, uint64_t below); /* at random */

/* vector_turn.c: an end, once what came after it is known; */
void vector_lock_add(struct vector_finder *f, struct channel *c, const struct ended *x);
/* and a busy period: a start on the idle channel; n transfers that ended, clean = all
 * seen and not failed; the end of what can belong to the last one. */
void vector_turn_start(struct vector_finder *f, struct channel *c, int64_t now_ns);
void vector_turn_ended(struct vector_finder *f, struct channel *c, size_t n,
		       int64_t from_ns, int64_t end_ns, bool idle, bool clean);
void vector_turn_close(struct vector_finder *f, struct channel *c, int64_t next_ns);

/* What lay in the last transfer of c, now that nothing more can come; -1 = no memory. */
int vector_settle(struct vector_finder *f, struct channel *c);
/* Sets e to "out of memory" and returns its code. */
int vector_no_memory(struct err *e);

#endif
