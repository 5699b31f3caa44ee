/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Event streams with known truth. A simulation: cards with channels that end transfers
 * one after the other, interrupts that end one or several, programs that start and wait;
 * and on top of it everything that goes wrong, each with a rate of its own. Pure and
 * seeded: the same options give the same stream. Memory is bounded by what is in flight.
 */
#ifndef DMA_GEN_H
#define DMA_GEN_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/dma.h"

enum gen_latency { GEN_CONSTANT, GEN_LINEAR, GEN_TAIL };

struct gen_options {
	uint64_t seed;
	uint64_t count;	   /* transfers over all channels */
	unsigned channels; /* 0 = 1 */
	unsigned cards;	   /* 0 = 1; channels are dealt out in turn */
	unsigned depth;	   /* in flight on one channel; 0 = 1 */
	unsigned vectors;  /* channel c has vector c % vectors; 0 with `polled` */
	bool polled;	   /* no interrupts at all */
	unsigned coalesce_min, coalesce_max; /* 0 = 1 */
	unsigned several;		     /* interrupts for one transfer; 0 = 1 */
	bool several_last; /* the last of them is the end, else the first */
	enum gen_latency latency;
	int64_t typical_ns; /* of the card for one transfer; 0 = 10 us */
	int64_t think_ns;   /* between an end and the next start, on average; 0 = 5 us */
	int64_t skew_ns; /* interrupts are stamped so much too early or late, at most */
	/* waits see the end at once; the handler is entered up to 8 us later */
	bool polls;
	bool other_thread;	     /* waits on a thread of its own */
	bool drain_wait;	     /* one wait covers all that is in flight */
	double missing, late, stray; /* share of interrupts */
	int64_t late_ns; /* a late one comes up to so much after the program saw the end;
			    0 = 3 * (typical + think) */
	double restart, stop, fail; /* share of transfers (restart, stop: depth 1) */
	double empty_wait;	    /* share of waits followed by one for nothing */
	double preempted;	    /* share of waits that return 1 to 5 ms late */
	unsigned loss;		    /* windows in which every sample vanishes */
	int64_t loss_ns;	    /* their length; 0 = 200 us */
	uint64_t cut_begin;	    /* so many samples are not recorded at the start */
	bool data_vector; /* interrupts of gen_data_irq() soon after each start */
	int64_t timer_ns; /* interrupts of gen_timer_irq() at this period; 0 = none */
};

/* What really happened to a transfer. */
struct gen_truth {
	int64_t submit_seq, irq_seq, woken_seq; /* of samples; DMA_UNKNOWN = none */
	int64_t card, channel, submit_ns, doorbell_ns, irq_ns, woken_ns, end_ns;
	enum transfer_state state;
	int coalesced;
	bool touched; /* by a disorder: missing, late, restarted, ... */
};

struct gen_sink {
	void *arg;
	/* When all of it is known, not in order. */
	void (*truth)(void *arg, const struct gen_truth *t);
	/* Windows of loss, before any sample. */
	void (*loss)(void *arg, int64_t from_ns, int64_t to_ns);
	/* A sample that vanished in a window that ends at to_ns; out of order. */
	void (*lost)(void *arg, const struct sample *s, int64_t to_ns);
};

/* The vectors that end transfers are GEN_IRQ and following, these are after them. */
enum { GEN_IRQ = 68, GEN_PID = 4242 };
int gen_data_irq(const struct gen_options *o);
int gen_timer_irq(const struct gen_options *o);

struct gen;
int gen_new(struct gen **g, const struct gen_options *o,
	    const struct gen_sink *sink); /* -1 */
void gen_free(struct gen *g);
/* 1 = the next sample in order of time, 0 = end, -1 = no memory. seq names it. */
int gen_next(struct gen *g, struct sample *s);
uint64_t gen_random(uint64_t *state);

#endif
