/* SPDX-License-Identifier: GPL-2.0-only */
/* The lattice of hypotheses itself: storage, merging, pruning, the backward pass. */
#include "lib/join/join_trellis.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PRUNE 1e-7f

int trellis_new(struct trellis **t, struct err *e)
{
	*t = calloc(1, sizeof(**t));
	if (!*t)
		return join_nomem(e);
	(*t)->size = node_size(0);
	return 0;
}

void trellis_free(struct trellis *t)
{
	if (!t)
		return;
	free(t->node);
	free(t->edge);
	free(t->layer);
	free(t);
}

static bool room(struct trellis *t, void **p, size_t *a, size_t n, size_t size)
{
	if (n < *a)
		return true;
	size_t grown = *a ? 2 * *a : 64;
	void *q = reallocarray(*p, grown, size);
	if (!q) {
		t->nomem = true;
		return false;
	}
	*p = q;
	*a = grown;
	return true;
}

struct layer *trellis_open(struct trellis *t, struct jirq *irq)
{
	if (!room(t, (void **)&t->layer, &t->alayer, t->nlayer, sizeof(*t->layer)))
		return NULL;
	t->layer[t->nlayer] = (struct layer){
		.node = (uint32_t)t->nnode, .edge = (uint32_t)t->nedge, .irq = irq};
	t->best = 0;
	if (!++t->mark) { /* once around: all are empty */
		memset(t->bucket, 0, sizeof(t->bucket));
		t->mark = 1;
	}
	return &t->layer[t->nlayer++];
}

static uint64_t mixed(uint64_t hash, uint64_t value)
{
	return (hash ^ value) * 0x9e3779b97f4a7c15u;
}

static uint32_t hash_of(const struct node *x, size_t nslot)
{
	uint64_t h = x->used + 1;

	for (size_t s = 0; s < nslot; s++)
		h = mixed(h, x->slot[s].next);
	for (size_t i = 0; i < x->npend; i++)
		h = mixed(h, x->pend[i]);
	return (uint32_t)(h >> 32);
}

static void sort_pends(struct node *x)
{
	uint64_t *p = x->pend;

	for (size_t i = 1; i < x->npend; i++)
		for (size_t k = i; k && p[k] < p[k - 1]; k--) {
			uint64_t s = p[k];
			p[k] = p[k - 1];
			p[k - 1] = s;
		}
}

static bool same(const struct node *a, const struct node *b, size_t nslot)
{
	if (a->hash != b->hash || a->used != b->used || a->npend != b->npend)
		return false;
	for (size_t i = 0; i < a->npend; i++)
		if (a->pend[i] != b->pend[i])
			return false;
	for (size_t s = 0; s < nslot; s++)
		if (a->slot[s].next != b->slot[s].next)
			return false;
	return true;
}

/* Where the state of the layer is, or would be. */
static struct bucket *bucket_of(struct trellis *t, const struct layer *l,
				const struct node *x, size_t nslot)
{
	for (uint32_t i = x->hash;; i++) {
		struct bucket *b = &t->bucket[i % BUCKETS];

		if (b->mark != t->mark ||
		    same(trellis_node(t, l->node + b->node), x, nslot))
			return b;
	}
}

void trellis_emit(struct trellis *t, size_t nslot, size_t from, const struct edge *how,
		  struct node *child)
{
	struct layer *l = trellis_last(t);
	float a = trellis_node(t, (l - 1)->node + from)->a * how->w;

	if (!(a > t->best * PRUNE) || t->nomem)
		return;
	sort_pends(child);
	child->hash = hash_of(child, nslot);
	struct bucket *b = bucket_of(t, l, child, nslot);
	struct node *n = trellis_node(t, l->node + b->node);
	if (b->mark != t->mark) {
		if (t->nnode - l->node >= NODES_RAW ||
		    !room(t, (void **)&t->node, &t->anode, t->nnode, t->size))
			return;
		n = trellis_node(t, t->nnode++);
		*b = (struct bucket){t->mark, (uint16_t)(t->nnode - 1 - l->node)};
		node_copy(n, child, nslot);
		n->a = n->heaviest = 0;
	}
	if (!room(t, (void **)&t->edge, &t->aedge, t->nedge, sizeof(*t->edge)))
		return;
	n->a += a;
	if (a > n->heaviest) {
		n->heaviest = a;
		memcpy(n->slot, child->slot, nslot * sizeof(*n->slot));
	}
	if (n->a > t->best)
		t->best = n->a;
	struct edge *x = &t->edge[t->nedge++];
	*x = *how;
	x->from = (uint16_t)from;
	x->to = b->node;
}

/* The k-th largest of n, k from 0 (Hoare's selection). */
static float kth_largest(float *v, size_t n, size_t k)
{
	size_t low = 0, high = n - 1;

	while (low < high) {
		float pivot = v[low + (high - low) / 2], x;
		size_t i = low, j = high;

		for (;;) {
			while (v[i] > pivot)
				i++;
			while (v[j] < pivot)
				j--;
			if (i >= j)
				break;
			x = v[i];
			v[i++] = v[j];
			v[j--] = x;
		}
		if (k <= j)
			high = j;
		else
			low = j + 1;
	}
	return v[k];
}

static float threshold(const struct trellis *t, const struct layer *l, size_t n)
{
	float all[NODES_RAW], limit = t->best * PRUNE;

	if (n <= NODES)
		return limit;
	for (size_t i = 0; i < n; i++)
		all[i] = trellis_node(t, l->node + i)->a;
	return fmaxf(kth_largest(all, n, NODES), limit);
}

static void cut_off(struct trellis *t, const struct layer *l, size_t n, float limit)
{
	float all = 0, lost = 0;

	if (n <= NODES)
		return;
	for (size_t s = 0; s < t->nslot; s++) {
		t->low[s] = UINT64_MAX;
		t->high[s] = 0;
	}
	for (size_t i = 0; i < n; i++) {
		const struct node *x = trellis_node(t, l->node + i);
		all += x->a;
		lost += x->a > limit ? 0 : x->a;
		for (size_t s = 0; s < t->nslot; s++) {
			uint64_t next = x->slot[s].next;
			t->low[s] = next < t->low[s] ? next : t->low[s];
			t->high[s] = next > t->high[s] ? next : t->high[s];
		}
		for (size_t k = 0; k < x->npend; k++) {
			uint64_t p = x->pend[k] & PEND_INDEX;
			size_t s = x->pend[k] >> PEND_SLOT;
			t->low[s] = p < t->low[s] ? p : t->low[s];
		}
	}
	t->cut = lost / all;
}

void trellis_close(struct trellis *t, bool whole)
{
	struct layer *l = trellis_last(t);
	size_t n = t->nnode - l->node, kept = 0, edges = l->edge;
	uint16_t to[NODES_RAW];

	l->whole = whole;
	t->cut = 0;
	if (t->best > 0)
		t->evidence += log(t->best);
	if (n == 1) {
		trellis_node(t, l->node)->a = 1;
		l->nnode = 1;
		l->nedge = (uint32_t)(t->nedge - l->edge);
		return;
	}
	float limit = threshold(t, l, n);
	cut_off(t, l, n, limit);
	for (size_t i = 0; i < n; i++) {
		struct node *x = trellis_node(t, l->node + i);
		to[i] = UINT16_MAX;
		if (!(x->a > limit))
			continue;
		to[i] = (uint16_t)kept;
		if (kept != i)
			node_copy(trellis_node(t, l->node + kept), x, t->nslot);
		trellis_node(t, l->node + kept++)->a /= t->best;
	}
	for (size_t i = l->edge; i < t->nedge; i++)
		if (to[t->edge[i].to] != UINT16_MAX) {
			t->edge[edges] = t->edge[i];
			t->edge[edges++].to = to[t->edge[i].to];
		}
	t->nnode = l->node + kept;
	t->nedge = edges;
	l->nnode = (uint32_t)kept;
	l->nedge = (uint32_t)(edges - l->edge);
}

int trellis_slot(struct trellis *t, size_t slot, struct err *e)
{
	size_t size = node_size(slot + 1), all = t->nnode ? t->nnode : 1;
	unsigned char *wider = calloc(all, size);

	if (!wider)
		return join_nomem(e);
	for (size_t i = 0; i < t->nnode; i++) {
		struct node *n = (struct node *)(wider + i * size);
		node_copy(n, trellis_node(t, i), slot);
		n->slot[slot] = (struct place){0, DMA_UNKNOWN, 0};
	}
	free(t->node);
	t->node = wider;
	t->anode = all;
	t->size = size;
	t->nslot = slot + 1;
	return 0;
}

void trellis_root(struct trellis *t, const struct channel *const *slot, size_t nslot)
{
	struct node *root;

	t->nslot = nslot;
	t->nlayer = t->nnode = t->nedge = 0;
	if (!trellis_open(t, NULL) || !room(t, (void **)&t->node, &t->anode, 0, t->size))
		return;
	root = trellis_node(t, t->nnode++);
	memset(root, 0, t->size);
	root->a = 1;
	for (size_t s = 0; s < nslot; s++)
		root->slot[s] =
			(struct place){slot[s]->frontier, DMA_UNKNOWN, slot[s]->frontier};
	t->layer[0].nnode = 1;
	t->layer[0].whole = true;
}

void trellis_backwards(struct trellis *t)
{
	struct layer *last = trellis_last(t);

	for (size_t i = 0; i < last->nnode; i++)
		trellis_node(t, last->node + i)->b = 1;
	for (size_t k = t->nlayer - 1; k > 0; k--) {
		struct layer *l = &t->layer[k], *p = l - 1;
		float max = 0;
		for (size_t i = 0; i < p->nnode; i++)
			trellis_node(t, p->node + i)->b = 0;
		for (size_t i = l->edge; i < l->edge + l->nedge; i++) {
			struct edge *x = &t->edge[i];
			float *b = &trellis_node(t, p->node + x->from)->b;
			*b += x->w * trellis_node(t, l->node + x->to)->b;
			max = *b > max ? *b : max;
		}
		for (size_t i = 0; i < p->nnode && max > 0; i++)
			trellis_node(t, p->node + i)->b /= max;
	}
}

void trellis_drop(struct trellis *t, size_t n)
{
	struct layer first = t->layer[n];

	t->nlayer -= n;
	memmove(t->layer, t->layer + n, t->nlayer * sizeof(*t->layer));
	t->nnode -= first.node;
	memmove(t->node, t->node + first.node * t->size, t->nnode * t->size);
	t->layer[0].nedge = 0;
	size_t gone = first.edge + first.nedge;
	t->nedge -= gone;
	memmove(t->edge, t->edge + gone, t->nedge * sizeof(*t->edge));
	for (size_t i = 0; i < t->nlayer; i++) {
		t->layer[i].node -= first.node;
		t->layer[i].edge = i ? t->layer[i].edge - (uint32_t)gone : 0;
	}
}
