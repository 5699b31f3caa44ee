/* SPDX-License-Identifier: GPL-2.0-only */
/* The rings: memory for them, and what threads put there moved into the queue. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "record/agent/host_impl.h"

enum {
	LOOK_FOR_DEAD = 16, /* passes between two looks for threads that have ended */
	FULL_PART = 4,	    /* a ring is about to be full with a quarter left */
};

/* ---- one ring ---- */

static void move_slot(struct agent_host *h, const struct agent_ring *r,
		      const struct agent_slot *s)
{
	if (s->place >= h->nplace || h->place[s->place].kind != AGENT_PROBE) {
		h->damaged++;
		return;
	}
	*hits_add(&h->queue) = (struct moved){.pid = r->pid, .tid = r->tid, .slot = *s};
}

/* Has slot t been read behind one that is still open? */
static bool *done_mark(struct agent_host *h, uint32_t i, uint64_t t)
{
	if (!h->done[i])
		h->done[i] = calloc(h->slots, 1);
	return h->done[i] ? (bool *)&h->done[i][t & (h->slots - 1)] : NULL;
}

/* Reads what was given up to `end`. The tail stays at the first slot that is not given
 * yet, until the ring is about to be full of what was taken after it (or with `skip`):
 * then that hit will not come. A full ring alone says nothing of its newest slots.
 * 1 = there is such a slot, or something had no room in the queue. */
static int drain_ring(struct agent_host *h, uint32_t i, uint64_t end, bool skip)
{
	struct agent_ring *r = host_ring(h, i);
	struct agent_slot *slot = (struct agent_slot *)((uint8_t *)r + AGENT_RING_HEAD);
	uint64_t t = h->tail[i], open = UINT64_MAX, until;

	if (end - t > h->slots) {
		h->damaged++;
		t = end;
	}
	until = t + hits_reserve(&h->queue, end - t);
	for (; t != until; t++) {
		struct agent_slot *s = &slot[t & (h->slots - 1)];
		bool *done = h->done[i] || open != UINT64_MAX ? done_mark(h, i, t) : NULL;

		if (done && *done) {
			*done = open != UINT64_MAX;
		} else if (__atomic_load_n(&s->sequence, __ATOMIC_ACQUIRE) == t + 1) {
			struct agent_slot copy = *s; /* the workload may still scribble */

			move_slot(h, r, &copy);
			if (done)
				*done = open != UINT64_MAX;
		} else if (skip || end - t > h->slots - h->slots / FULL_PART) {
			h->abandoned++; /* left by a jump out of a handler, or killed */
		} else if (open == UINT64_MAX) {
			open = t;
		}
	}
	h->tail[i] = open < t ? open : t;
	__atomic_store_n(&r->tail, h->tail[i], __ATOMIC_RELEASE);
	return h->tail[i] != end;
}

static bool is_gone(const struct agent_ring *r)
{
	int32_t pid = r->pid, tid = r->tid;

	return pid <= 0 || tid <= 0 ||
	       (syscall(SYS_tgkill, pid, tid, 0) && errno == ESRCH);
}

/* Its thread has ended: what it left is read, and the ring is free again. */
static int take_back(struct agent_host *h, uint32_t i)
{
	struct agent_ring *r = host_ring(h, i);
	int rc = drain_ring(h, i, __atomic_load_n(&r->reserve, __ATOMIC_ACQUIRE), true);

	if (rc)
		return rc;
	__atomic_store_n(&r->pid, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&r->tid, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&r->state, AGENT_RING_FREE, __ATOMIC_RELEASE);
	return 0;
}

/* A ring is taken before its thread has written who it is. */
static bool is_named(const struct agent_ring *r)
{
	return __atomic_load_n(&r->tid, __ATOMIC_ACQUIRE) != 0;
}

/* ---- all of them ---- */

void host_provide(struct agent_host *h)
{
	uint32_t spare = 0, want;

	for (uint32_t i = 0; i < h->backed; i++)
		spare += __atomic_load_n(&host_ring(h, i)->state, __ATOMIC_ACQUIRE) ==
			 AGENT_RING_FREE;
	want = h->backed -
	       spare; /* as many again as are in use, for a storm of threads */
	if (want < HOST_STORE)
		want = HOST_STORE;
	for (; spare < want && h->backed < HOST_RINGS; spare++) {
		off_t at = (off_t)(AGENT_SHARED_BYTES + h->backed * h->ring_bytes);

		/* with memory behind it, or a full file system would kill the workload */
		if (posix_fallocate(h->fd, at, (off_t)h->ring_bytes))
			break;
		__atomic_store_n(&host_ring(h, h->backed)->state, AGENT_RING_FREE,
				 __ATOMIC_RELEASE);
		h->backed++;
	}
	h->spare = spare;
}

void host_pass(struct agent_host *h, bool skip, bool *whole)
{
	bool look = ++h->passes % LOOK_FOR_DEAD == 0 || !h->spare;
	uint64_t end[HOST_RINGS];

	*whole = true;
	for (uint32_t i = 0; i < h->backed; i++)
		end[i] = __atomic_load_n(&host_ring(h, i)->reserve, __ATOMIC_ACQUIRE);
	for (uint32_t i = 0; i < h->backed; i++) {
		struct agent_ring *r = host_ring(h, i);
		int rc;

		if (__atomic_load_n(&r->state, __ATOMIC_ACQUIRE) != AGENT_RING_TAKEN ||
		    !is_named(r))
			continue;
		rc = drain_ring(h, i, end[i], skip);
		if ((rc || look) && is_gone(r))
			rc = take_back(h, i);
		*whole &= !rc;
	}
	host_provide(h);
}
