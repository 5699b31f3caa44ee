/* SPDX-License-Identifier: GPL-2.0-only */
/* Hits on their way from the rings to the file: chunks, used again. */
#include <stdlib.h>

#include "record/agent/host_impl.h"

/* How far the writer may be behind before hits stay in the rings: 256 MiB, chosen: 3.7
 * million hits. */
enum { MAX_CHUNKS = (256 << 20) / sizeof(struct chunk) };

static struct chunk *one_more(struct hits *q)
{
	struct chunk *c = q->spare;

	if (q->held >= MAX_CHUNKS)
		return NULL;
	if (c)
		q->spare = c->next;
	else
		c = malloc(sizeof(*c));
	if (!c)
		return NULL;
	c->next = NULL;
	c->n = 0;
	q->held++;
	return c;
}

uint64_t hits_reserve(struct hits *q, uint64_t n)
{
	struct chunk *c = q->last;
	uint64_t room = c ? CHUNK_HITS - c->n : 0;

	for (; c && c->next; c = c->next) /* reserved before, and not needed */
		room += CHUNK_HITS;
	for (; room < n; room += CHUNK_HITS) {
		struct chunk *more = one_more(q);

		if (!more)
			return room;
		if (c)
			c->next = more;
		else
			q->first = q->last = more;
		c = more;
	}
	return n;
}

struct moved *hits_add(struct hits *q)
{
	if (q->last->n == CHUNK_HITS)
		q->last = q->last->next;
	return &q->last->hit[q->last->n++];
}

struct chunk *hits_take(struct hits *q)
{
	struct chunk *c = q->first;

	q->first = q->last = NULL;
	return c;
}

void hits_return(struct hits *q, struct chunk *c)
{
	c->next = q->spare;
	q->spare = c;
	q->held--;
}

static void free_all(struct chunk *c)
{
	while (c) {
		struct chunk *next = c->next;

		free(c);
		c = next;
	}
}

void hits_release(struct hits *q)
{
	free_all(q->first);
	free_all(q->spare);
	*q = (struct hits){.held = 0};
}
