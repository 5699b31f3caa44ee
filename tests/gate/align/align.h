/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The alignment of interrupts with transfers: what its parts share.
 *
 * - joiner.c: the interface; channels and vectors that belong together
 * - align.c: layers of states, moved on by one interrupt at a time
 * - learn.c: the model from the first interrupts
 * - decide.c: posterior of the layers, and what becomes of transfers and interrupts
 *
 * A state is, for each channel of the group, the first transfer that is still open, the
 * time of the interrupt that ended the last one, and the hypothesis of its habit. An
 * interrupt ends k transfers of a channel behind r skipped ones, or nothing. A transfer is
 * decided when every state that is left has passed it.
 */
#ifndef DMA_GATE_ALIGN_H
#define DMA_GATE_ALIGN_H

#include "tests/gate/align/model.h"
#include "tests/gate/align/use.h"

enum { ANY = 255, MAX_SLOTS = 64, MAX_VECTORS = 64 };

struct pos {
	uint64_t open;	 /* index in its channel */
	int64_t last_ns; /* INT64_MIN = none */
	uint8_t hyp;	 /* ANY = not branched yet */
};

/* Followed by nslot struct pos. */
struct state {
	double alpha, beta;
	double rank; /* alpha, and what is open may yet earn: only to choose by */
	uint64_t key;
	bool dead;
	struct pos pos[];
};

struct match {
	uint16_t slot;
	uint32_t n;
	uint64_t first;
};

struct edge {
	uint32_t from, to; /* states */
	uint32_t match;	   /* first of them */
	uint16_t nmatch;
	float w;
};

struct layer {
	uint32_t state, nstate; /* its states */
	uint64_t edge, nedge;	/* those that lead to them */
	struct use_irq *irq; /* NULL: transfers were only passed, or hypotheses split */
	float cut;	     /* share of what the beam had no room for */
};

/* What happened, in order of time: an interrupt, or a channel's new epoch. */
struct pending {
	struct use_irq *irq;
	struct use_channel *c;
	uint64_t index; /* first transfer of the new epoch */
	uint32_t epoch;
	unsigned nphantom;
	int64_t time_ns;
};

struct slot {
	struct use_channel *c;
	struct model *model;	       /* judged by now */
	struct model *whole, *half[2]; /* while learning: of even and odd blocks */
	uint64_t begun;	 /* transfers before it have begun at the layer's time */
	uint64_t closed; /* transfers before it are closed */
	uint64_t out;	 /* transfers before it are handed out */
	uint32_t epoch;
	double delta[USE_HYPS]; /* per hypothesis, in this layer */
	/* What those still open may yet earn: sums from `low` + i to the last begun. */
	double ahead[USE_HYPS]; /* paid for waits that return later than this layer */
	double *credit;
	size_t acredit;
	uint64_t low;
	double *affinity; /* natural logarithm, by vector */
	double *ended;	  /* counts */
};

struct group {
	struct joiner *j;
	int32_t *vector; /* distinct interrupts */
	size_t nvector;
	struct slot *slot[MAX_SLOTS];
	size_t nslot, stride;
	struct pending *pend; /* ring */
	size_t first, npend, apend;
	/* arenas */
	char *states;
	size_t nstates, astates;
	struct edge *edge;
	size_t nedge, aedge;
	struct match *match;
	size_t nmatch, amatch;
	struct layer *layer;
	size_t nlayer, alayer;
	uint32_t *hash;
	size_t nhash;
	double best, prune;
	bool learned, learning;
	int only; /* while learning: this habit alone; -1 = all */
	double strays, span_ns, log_stray, log_cross, cross, irqs;
	int64_t since_ns;
	uint64_t count; /* interrupts so far, for blocks */
	uint64_t learned_until;
	double evidence;
	double habit_log[USE_KINDS]; /* what the first interrupts say of each, tempered */
	size_t next_look;	     /* layers, for the posterior */
	int64_t last_ns;
};

struct joiner {
	struct join_options o;
	struct join_vector *vector;
	struct join_sink sink;
	struct use *use;
	struct join_totals n;
	struct group **group;
	size_t ngroup, nvgroup; /* the first ones have vectors */
	struct sample *first;	/* buffered, until it is known what it begins with */
	size_t nfirst;
	bool replayed, finishing;
	uint64_t pushed;
	enum pairing pairing;
};

static inline struct state *state_at(const struct group *g, size_t i)
{
	return (struct state *)(void *)(g->states + i * g->stride);
}

/* One layer for one interrupt; for a channel's epoch; for what is over for long. */
int align_irq(struct group *g, struct use_irq *q, struct err *e);
int align_epoch(struct group *g, const struct pending *p, struct err *e);
/* Passes transfers of all states: those before limit[slot]. */
int align_pass(struct group *g, const uint64_t *limit, bool final, struct err *e);
int align_reset(struct group *g, struct err *e); /* one state, as the channels are now */
/* When the program saw the end before this one; DMA_UNKNOWN = not seen. */
int64_t align_woken_before(const struct slot *s, const struct use_transfer *t,
			   unsigned hyp);
/* beta of all states, from the last layer back to `until`. */
void align_back(struct group *g, size_t until);
/* Of this layer only one state is left, and what comes from it. */
void align_keep(struct group *g, size_t layer, uint32_t the);
/* Forgets layers before `layer`, which becomes the first. */
void align_forget(struct group *g, size_t layer);

/* From the first n that are pending. */
int learn_group(struct group *g, size_t n, struct err *e);
void learn_choose(struct group *g, uint64_t n); /* the model for the n-th interrupt */
void learn_over(struct group *g);
void learn_rates(struct group *g);
/* Adds what an edge says, with this weight, to a half of the models, or the whole (-1). */
int learn_edge(struct group *g, const struct layer *l, const struct edge *x, float weight,
	       int half);
int group_start(struct group *g, struct err *e); /* the first layer */

int decide_layers(struct group *g, bool all, struct err *e);

int group_run(struct group *g, bool all, struct err *e);

#endif
