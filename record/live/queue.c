/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/live/queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/dma.h"

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct queue_piece *first, **last;
	struct queue_piece *end; /* made at the beginning: it must not fail */
	size_t bytes, bound;
	uint64_t skipped;
	/* the recorder's own */
	bool gap; /* pieces are left out until a round ends */
	/* when the rings were last read, and the time before: what comes now is later
	 * than the latter */
	int64_t round_ns, before_ns;
	int64_t gap_from_ns;
};

static struct queue_piece *piece_new(enum queue_kind kind, size_t len)
{
	struct queue_piece *p = malloc(sizeof(*p) + len);

	if (p)
		*p = (struct queue_piece){.kind = kind, .len = len};
	return p;
}

struct queue *queue_new(size_t bound_bytes)
{
	struct queue *q = calloc(1, sizeof(*q));
	pthread_condattr_t a;

	if (q)
		q->end = piece_new(QUEUE_END, 0);
	if (!q || !q->end) {
		free(q);
		return NULL;
	}
	q->last = &q->first;
	q->bound = bound_bytes;
	q->round_ns = q->before_ns = DMA_UNKNOWN;
	pthread_mutex_init(&q->lock, NULL);
	pthread_condattr_init(&a);
	pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
	pthread_cond_init(&q->more, &a);
	pthread_condattr_destroy(&a);
	return q;
}

void queue_free(struct queue *q)
{
	if (!q)
		return;
	for (struct queue_piece *p = q->first, *next; p; p = next) {
		next = p->next;
		free(p);
	}
	free(q->end);
	pthread_cond_destroy(&q->more);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

/* false = it is full. */
static bool add(struct queue *q, struct queue_piece *p)
{
	bool room;

	pthread_mutex_lock(&q->lock);
	room = q->bytes + p->len <= q->bound || p->kind >= QUEUE_HEAD;
	if (room) {
		*q->last = p;
		q->last = &p->next;
		q->bytes += p->len + sizeof(*p);
	} else {
		q->skipped += p->len;
	}
	pthread_cond_signal(&q->more);
	pthread_mutex_unlock(&q->lock);
	return room;
}

void queue_put(struct queue *q, const void *buf, size_t len)
{
	struct queue_piece *p = q->gap ? NULL : piece_new(QUEUE_RECORDS, len);

	if (p) {
		memcpy(p->buf, buf, len);
		if (add(q, p))
			return;
		free(p);
	} else {
		pthread_mutex_lock(&q->lock);
		q->skipped += len;
		pthread_mutex_unlock(&q->lock);
	}
	if (!q->gap)
		q->gap_from_ns = q->before_ns;
	q->gap = true;
}

/* A gap ends with a round that finds room. */
static void end_gap(struct queue *q, int64_t now_ns)
{
	struct queue_piece *p = piece_new(QUEUE_GAP, 0);

	if (!p)
		return;
	p->from_ns = q->gap_from_ns;
	p->to_ns = now_ns;
	if (add(q, p))
		q->gap = false;
	else
		free(p);
}

void queue_round(struct queue *q, int64_t now_ns)
{
	struct queue_piece *p;

	if (q->gap)
		end_gap(q, now_ns);
	p = q->gap ? NULL : piece_new(QUEUE_ROUND, 0);
	if (p)
		p->from_ns = q->round_ns;
	if (p && !add(q, p))
		free(p);
	q->before_ns = q->round_ns;
	q->round_ns = now_ns;
}

bool queue_head(struct queue *q, const void *buf, size_t len)
{
	struct queue_piece *p = piece_new(QUEUE_HEAD, len);

	if (p) {
		memcpy(p->buf, buf, len);
		add(q, p);
	}
	return p;
}

void queue_end(struct queue *q)
{
	if (q->gap)
		end_gap(q, q->round_ns);
	if (q->end)
		add(q, q->end);
	q->end = NULL;
}

static struct timespec in_ms(int ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000L;
	if (t.tv_nsec >= 1000000000L) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000L;
	}
	return t;
}

struct queue_piece *queue_take(struct queue *q, int timeout_ms)
{
	struct timespec until = in_ms(timeout_ms);
	struct queue_piece *p;
	int rc = 0;

	pthread_mutex_lock(&q->lock);
	while (!q->first && !rc)
		rc = pthread_cond_timedwait(&q->more, &q->lock, &until);
	p = q->first;
	if (p) {
		q->first = p->next;
		if (!q->first)
			q->last = &q->first;
		q->bytes -= p->len + sizeof(*p);
	}
	pthread_mutex_unlock(&q->lock);
	return p;
}

uint64_t queue_skipped(struct queue *q)
{
	uint64_t n;

	pthread_mutex_lock(&q->lock);
	n = q->skipped;
	pthread_mutex_unlock(&q->lock);
	return n;
}
