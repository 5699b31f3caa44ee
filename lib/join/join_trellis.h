/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hypotheses side by side: which transfers had their interrupt so far. A layer holds the
 * states that are possible behind one event, with the sum of the probabilities of all
 * ways that lead there; edges between layers are what the event did. Ways that meet in
 * one state are one from there on, so a layer of a single state is where everything
 * before it can be decided.
 */
#ifndef DMA_JOIN_TRELLIS_H
#define DMA_JOIN_TRELLIS_H

#include <string.h>

#include "lib/join/join_priv.h"

enum edge_kind { EDGE_PASS, EDGE_STRAY, EDGE_END, EDGE_LATE };

/* Of one channel, in a state. */
struct place {
	uint64_t next; /* the first transfer that had no interrupt yet */
	/* When the last transfer ended, and which came next; of the likeliest way here. */
	int64_t last_ns;
	uint64_t since;
};

/* Only the places of the group's channels are there (trellis.size). */
struct node {
	float a, b; /* forwards, backwards */
	float heaviest;
	uint32_t hash;
	uint8_t npend,
		used; /* used: this interrupt has ended transfers of an earlier slot */
	/* Transfers (slot << 56 | index) passed without one that may still come. */
	uint64_t pend[PENDS];
	struct place slot[SLOTS];
};

struct edge {
	uint16_t from, to; /* in the layer before, in this one */
	float w;
	uint8_t kind, slot;
	bool again; /* of a further slot by the same interrupt */
	uint32_t k;
	uint32_t held; /* of them, ended before the others, their interrupt held up */
	uint64_t first;
};

struct layer {
	uint32_t node, nnode, edge, nedge;
	struct jirq *irq;
	bool whole; /* no further layer of the same event follows */
};

/* States of a layer, before it is closed; layers; a power of two above NODES_RAW. */
enum { NODES = 96, NODES_RAW = 400, LAYERS = 1024, BUCKETS = 1024 };

struct trellis {
	unsigned char *node; /* nnode of them, each of `size` bytes */
	size_t size;
	struct edge *edge;
	struct layer *layer;
	size_t nslot, nlayer, nnode, nedge;
	size_t anode, aedge, alayer;
	bool final; /* the layer being made is the last of its event */
	float best; /* largest a of the layer being made */
	bool nomem;
	double evidence; /* logarithm of what all hypotheses weigh together, since it was
			    set to 0 */
	/* Share of the hypotheses that were given up because they were too many, in the
	 * layer closed last, and which transfers of each slot they may have told
	 * otherwise. */
	float cut;
	uint64_t low[SLOTS], high[SLOTS];
	size_t vector; /* of the interrupt looked at */
	/* States of the layer being made, by hash; those of another layer's mark are
	 * empty. */
	struct bucket {
		uint32_t mark;
		uint16_t node;
	} bucket[BUCKETS];
	uint32_t mark;
};

static inline size_t node_size(size_t nslot)
{
	return offsetof(struct node, slot) + nslot * sizeof(struct place);
}

static inline void node_copy(struct node *to, const struct node *from, size_t nslot)
{
	memcpy(to, from, node_size(nslot));
}

static inline struct node *trellis_node(const struct trellis *t, size_t i)
{
	return (struct node *)(t->node + i * t->size);
}

int trellis_new(struct trellis **t, struct err *e);
void trellis_free(struct trellis *t);
void trellis_root(struct trellis *t, const struct channel *const *slot, size_t nslot);
static inline struct layer *trellis_last(const struct trellis *t)
{
	return &t->layer[t->nlayer - 1];
}
/* A further channel. */
int trellis_slot(struct trellis *t, size_t slot, struct err *e);
struct layer *trellis_open(struct trellis *t, struct jirq *irq);
void trellis_emit(struct trellis *t, size_t nslot, size_t from, const struct edge *how,
		  struct node *child);
void trellis_close(struct trellis *t, bool whole);
/* Backwards from the last layer to the first; then a, w and b make the probability of an
 * edge.*/
void trellis_backwards(struct trellis *t);
/* The first n layers are dropped; layer n becomes the root. */
void trellis_drop(struct trellis *t, size_t n);

int step_irq(struct group *g, struct jirq *q, struct jtransfer **x);
void step_end(struct group *g, struct jtransfer *x);

#endif
