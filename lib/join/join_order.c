/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Samples into order of time. Those that come in order wait in a ring, the few others in
 * a heap; the earlier of the two heads goes out. And the windows of loss, in order and
 * without overlap.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/join/join_priv.h"

struct order {
	struct sample *ring, *heap, out;
	size_t first, n, a; /* ring; a is a power of two */
	size_t nheap, aheap;
};

static bool before(const struct sample *a, const struct sample *b)
{
	return a->time_ns != b->time_ns ? a->time_ns < b->time_ns : a->seq < b->seq;
}

int order_new(struct order **o, struct err *e)
{
	*o = calloc(1, sizeof(**o));
	return *o ? 0 : join_nomem(e);
}

void order_free(struct order *o)
{
	if (!o)
		return;
	free(o->ring);
	free(o->heap);
	free(o);
}

static int ring_grow(struct order *o, struct err *e)
{
	size_t a = o->a ? 2 * o->a : 256;
	struct sample *p = malloc(a * sizeof(*p));

	if (!p)
		return join_nomem(e);
	for (size_t i = 0; i < o->n; i++)
		p[i] = o->ring[(o->first + i) & (o->a - 1)];
	free(o->ring);
	o->ring = p;
	o->first = 0;
	o->a = a;
	return 0;
}

static int heap_push(struct order *o, const struct sample *s, struct err *e)
{
	if (o->nheap == o->aheap) {
		size_t a = o->aheap ? 2 * o->aheap : 64;
		struct sample *p = reallocarray(o->heap, a, sizeof(*p));
		if (!p)
			return join_nomem(e);
		o->heap = p;
		o->aheap = a;
	}
	size_t i = o->nheap++;
	for (; i && before(s, &o->heap[(i - 1) / 2]); i = (i - 1) / 2)
		o->heap[i] = o->heap[(i - 1) / 2];
	o->heap[i] = *s;
	return 0;
}

static void heap_pop(struct order *o)
{
	struct sample x = o->heap[--o->nheap];
	size_t i = 0, k;

	for (; (k = 2 * i + 1) < o->nheap; i = k) {
		if (k + 1 < o->nheap && before(&o->heap[k + 1], &o->heap[k]))
			k++;
		if (!before(&o->heap[k], &x))
			break;
		o->heap[i] = o->heap[k];
	}
	if (o->nheap)
		o->heap[i] = x;
}

int order_push(struct order *o, const struct sample *s, struct err *e)
{
	int r;

	if (o->n && before(s, &o->ring[(o->first + o->n - 1) & (o->a - 1)]))
		return heap_push(o, s, e);
	if (o->n == o->a && (r = ring_grow(o, e)) < 0)
		return r;
	o->ring[(o->first + o->n++) & (o->a - 1)] = *s;
	return 0;
}

const struct sample *order_pop(struct order *o, int64_t until)
{
	struct sample *r = o->n ? &o->ring[o->first] : NULL;

	if (o->nheap && (!r || before(&o->heap[0], r))) {
		if (o->heap[0].time_ns > until)
			return NULL;
		o->out = o->heap[0];
		heap_pop(o);
		return &o->out;
	}
	if (!r || r->time_ns > until)
		return NULL;
	o->first = (o->first + 1) & (o->a - 1);
	o->n--;
	return r;
}

/* ---- loss ---- */

bool join_lossy(const struct join *j, int64_t from, int64_t to)
{
	return loss_windows_touch(&j->loss, from, to);
}

const char *join_loss_word(const struct join *j, int64_t from, int64_t to,
			   const char *lost, const char *late)
{
	return loss_windows_touch(&j->lost, from, to) ? lost : late;
}

int join_loss_add(struct join *j, int64_t from, int64_t to, bool lost, struct err *e)
{
	size_t i;

	if (loss_windows_add(&j->loss, from, to) < 0 ||
	    (lost && loss_windows_add(&j->lost, from, to) < 0))
		return join_nomem(e);
	i = loss_windows_from(&j->loss, from);
	if (j->nextloss > i)
		j->nextloss = i;
	return 0;
}
