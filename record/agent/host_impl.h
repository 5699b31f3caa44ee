/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by host*.c only. */
#ifndef DMA_AGENT_HOST_IMPL_H
#define DMA_AGENT_HOST_IMPL_H

#include <pthread.h>

#include "record/agent/host.h"

enum {
	HOST_RINGS = 512,
	HOST_STORE = 2 /* rings that are ready before they are asked for */
};

/* A hit that was taken out of its ring. */
struct moved {
	int32_t pid, tid; /* of the ring */
	struct agent_slot slot;
};

enum { CHUNK_HITS = 4096 };
struct chunk {
	struct chunk *next;
	uint32_t n;
	struct moved hit[CHUNK_HITS];
};

/* Hits between the rings and whoever writes them down; not locked by itself. */
struct hits {
	struct chunk *first, *last; /* NULL = empty */
	struct chunk *spare;	    /* empty ones */
	size_t held;		    /* chunks that are not spare */
};

/* Makes room: how many of n may now be added. */
uint64_t hits_reserve(struct hits *q, uint64_t n);
/* There must be room. */
struct moved *hits_add(struct hits *q);
/* All that is in it; it goes back by hits_return(). */
struct chunk *hits_take(struct hits *q);
void hits_return(struct hits *q, struct chunk *c); /* one, not those behind it */
void hits_release(struct hits *q);

struct agent_host {
	char *dir, *ring_dir; /* of the library and the plan; of the rings */
	char *library, *rings_path;
	int lock[2]; /* of the two directories */
	int clockid;
	bool slow_clock;
	int fd; /* of the rings' file */
	int event;
	uint32_t slots; /* of a ring; a power of two */
	size_t ring_bytes, bytes;
	struct agent_shared *shared;
	struct agent_file *file;
	uint32_t nfile;
	struct agent_place *place;
	uint32_t nplace;
	uint64_t damaged, passes;
	uint32_t spare;	 /* free ones, when last provided for */
	uint32_t backed; /* rings with memory behind them: 0 .. backed - 1 */
	/* The drainer empties the rings into the queue as soon as one is a quarter full,
	 * whatever its owner is doing; the owner asks for a pass and empties the queue. */
	pthread_t drainer;
	bool draining, stop;
	pthread_mutex_t lock_queue; /* of all down to `whole` */
	pthread_cond_t passed;
	struct hits queue;
	uint64_t asked, answered;  /* passes of the owner's */
	bool skip;		   /* asked for: hits under way will not come */
	bool whole;		   /* answered: nothing is still open */
	uint64_t tail[HOST_RINGS]; /* our own: the shared one is only for the agents */
	/* Behind a slot that is taken and not given yet, those that were read already:
	 * one byte for each slot of the ring; NULL = none. */
	uint8_t *done[HOST_RINGS];
	uint64_t delivered[AGENT_MAX_PLACES];
	uint64_t abandoned; /* slots whose hit never came to its end */
};

static inline struct agent_ring *host_ring(const struct agent_host *h, uint32_t i)
{
	return (struct agent_ring *)((uint8_t *)h->shared + AGENT_SHARED_BYTES +
				     i * h->ring_bytes);
}

/* Keeps a store of free rings. */
void host_provide(struct agent_host *h);
/* Moves what the rings hold into the queue. *whole: nothing was left behind. */
void host_pass(struct agent_host *h, bool skip, bool *whole);
/* A pass that begins now, by the drainer where it runs; then what is in the queue. */
struct chunk *host_ask(struct agent_host *h, bool skip, bool *whole);
void host_stop_drainer(struct agent_host *h);

#endif
