/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading the rings. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "record/agent/host_impl.h"

enum {
	LOOK_FOR_DEAD = 16, /* passes between two looks for threads that have ended */
	FULL_PART = 4,	    /* a ring is about to be full with a quarter left */
	FINISH_TRIES =
		200, /* milliseconds that a hit under way is waited for at the end */
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

/* ---- handing out ---- */

static int put_hit(struct agent_host *h, const struct moved *m,
		   int (*put)(void *arg, const struct agent_hit *hit, struct err *e),
		   void *arg, struct err *e)
{
	const struct agent_slot *s = &m->slot;
	struct agent_hit hit = {.place = s->place,
				.cpu = s->cpu,
				.pid = m->pid,
				.tid = m->tid,
				.time_ns = s->time_ns,
				.ip = s->ip,
				.args = s->args};

	if (s->tid_delta) /* a child of vfork: a process of one thread */
		hit.pid = hit.tid = (int32_t)((uint32_t)m->tid + (uint32_t)s->tid_delta);
	h->delivered[hit.place]++;
	return put(arg, &hit, e);
}

static int hand_out(struct agent_host *h, struct chunk *c,
		    int (*put)(void *arg, const struct agent_hit *hit, struct err *e),
		    void *arg, struct err *e)
{
	int rc = 0;

	while (c) {
		struct chunk *next = c->next;

		for (uint32_t i = 0; !rc && i < c->n; i++)
			rc = put_hit(h, &c->hit[i], put, arg, e);
		pthread_mutex_lock(&h->lock_queue);
		hits_return(&h->queue, c);
		pthread_mutex_unlock(&h->lock_queue);
		c = next;
	}
	return rc;
}

int agent_host_drain(struct agent_host *h,
		     int (*put)(void *arg, const struct agent_hit *hit, struct err *e),
		     void *arg, bool *whole, struct err *e)
{
	uint64_t n;

	while (read(h->event, &n, sizeof(n)) == sizeof(n))
		;
	return hand_out(h, host_ask(h, false, whole), put, arg, e);
}

/* All that was ever taken from the rings. */
static uint64_t total(const struct agent_host *h)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < h->backed; i++)
		n += __atomic_load_n(&host_ring(h, i)->reserve, __ATOMIC_ACQUIRE);
	return n;
}

int agent_host_finish(struct agent_host *h,
		      int (*put)(void *arg, const struct agent_hit *hit, struct err *e),
		      void *arg, struct err *e)
{
	const struct timespec ms = {0, 1000000};
	bool whole = false;
	uint64_t before;
	int rc = 0;

	for (int i = 0; !rc && i < FINISH_TRIES; i++) {
		before = total(h);
		rc = hand_out(h, host_ask(h, false, &whole), put, arg, e);
		if (whole && before == total(h))
			break;
		nanosleep(&ms, NULL);
	}
	whole = false;
	for (int i = 0; !rc && !whole && i < FINISH_TRIES; i++) /* as the queue needs */
		rc = hand_out(h, host_ask(h, true, &whole), put, arg, e);
	return rc;
}

/* ---- counts ---- */

void agent_host_count(const struct agent_host *h, uint32_t index, uint64_t *counted,
		      uint64_t *lost)
{
	uint64_t missing;

	*counted = h->shared->counted[index];
	*lost = h->shared->lost[index];
	for (uint32_t i = 0; i < h->backed; i++) {
		*counted += host_ring(h, i)->counted[index];
		*lost += host_ring(h, i)->lost[index];
	}
	missing = *counted - h->delivered[index] - *lost;
	if (missing <= h->abandoned) /* and not below 0 */
		*lost += missing;
}

uint64_t agent_host_damaged(const struct agent_host *h)
{
	return h->damaged;
}

void agent_host_reset(struct agent_host *h)
{
	memset(h->shared->counted, 0, sizeof(h->shared->counted));
	memset(h->shared->lost, 0, sizeof(h->shared->lost));
	memset(h->delivered, 0, sizeof(h->delivered));
	h->abandoned = 0;
	memset(h->shared->report, 0, sizeof(h->shared->report));
	h->shared->nreport = 0;
	for (uint32_t i = 0; i < h->backed; i++) {
		struct agent_ring *r = host_ring(h, i);

		memset(r->counted, 0, sizeof(r->counted));
		memset(r->lost, 0, sizeof(r->lost));
		r->pid = r->tid = 0;
		r->tail = h->tail[i] = r->reserve;
		r->state = AGENT_RING_FREE;
	}
}
