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
	pthread_t waker;
	bool waking, stop;
	uint64_t tail[HOST_RINGS]; /* our own: the shared one is only for the agents */
	/* Behind a slot that is taken and not given yet, those that were read already:
	 * one byte for each slot of the ring; NULL = none. */
	uint8_t *done[HOST_RINGS];
	uint64_t delivered[AGENT_MAX_PLACES];
	uint64_t abandoned; /* slots whose hit never came to its end */
};

struct agent_ring *host_ring(const struct agent_host *h, uint32_t i);
/* Keeps a store of free rings. */
void host_provide(struct agent_host *h);
void host_stop_waker(struct agent_host *h);

#endif
