/* SPDX-License-Identifier: GPL-2.0-only */
/* Handing out what was in the rings, and counting it. */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "record/agent/host_impl.h"

/* Milliseconds that a hit under way is waited for at the end; chosen. */
enum { FINISH_TRIES = 200 };

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
