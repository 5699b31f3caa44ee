/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A world to judge the joiner by: host, card, program and recorder, simulated event by
 * event, so that only what physics allows can happen. Its options are drawn at random
 * from a seed; the truth of every transfer is told apart from the samples.
 *
 * The card. A channel ends its transfers in the order of their doorbells. Channels run
 * side by side or share one link. A transfer's end shows in the register `register_ns`
 * later and asks for an interrupt `msi_ns` later. The interrupt unit of a vector raises
 * at once, or holds back until so many ends or so much time since the first of them
 * (moderation). An interrupt that the card is late with goes out with the next of its
 * vector: it overtakes nothing. One that is missing was never asked for.
 *
 * The host. A message that arrives while one of its vector is still pending is one with
 * it. The handler is entered after `enter_ns`, after the wake-up of an idle CPU, and not
 * while its CPU stands still (interrupts off) or runs another handler. Which transfers an
 * interrupt ended is what its messages had asked for; there may be none (foreign).
 *
 * The program. Threads start, wait, pause. A polling wait sees the register, a sleeping
 * one is woken by the handler of its vector; no thread runs while its CPU runs a handler; neither knows what only the other can see. A
 * handler that completes a transfer completes those before it on the channel. A call that
 * fails makes the program stop its channel or, with one in flight, start it anew.
 *
 * The recorder. A sample carries the stamp of its CPU's clock (a constant skew each). The
 * doorbell's probe fires before the store, the exit's stands behind it, maybe even behind
 * the interrupt. Samples vanish in windows or one at a time, and the
 * loss is told as a window of that CPU between its neighbours. A recording may begin and
 * stop in the middle of everything.
 *
 * Memory is bounded by what is in flight. The same options give the same stream.
 */
#ifndef DMA_WORLD_H
#define DMA_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/dma.h"

enum world_latency {
	WORLD_CONSTANT,	 /* +- 0.5 % */
	WORLD_LINEAR,	 /* nearly all of it grows with the size, +- 2 % */
	WORLD_LOGNORMAL, /* spread = sigma */
	WORLD_GAMMA,	 /* spread = 1 / sqrt(shape) */
	WORLD_PARETO,	 /* spread = 1 / alpha */
	WORLD_BIMODAL,	 /* a share `slow` takes `slower` times as long */
	WORLD_DRIFT,  /* up and down by the factor `slower`, over hundreds of transfers */
	WORLD_BURSTS, /* times of `slower` for tens of transfers */
	WORLD_LATENCY_N
};

enum world_wait {
	WORLD_POLL,	  /* reads the register */
	WORLD_SLEEP,	  /* until the handler has completed it, at once if it has */
	WORLD_LOOK_SLEEP, /* returns when the register says so: at entry, at interrupts */
	WORLD_SPIN_SLEEP, /* polls for spin_ns, then as the one above */
	WORLD_NEXT,	  /* sleeps until an interrupt after its entry, then looks */
	WORLD_BLOCK,	  /* no waits: the start function returns at the end */
	WORLD_WAIT_N
};

enum world_use {
	WORLD_SLIDE, /* as many in flight as may be: one ended, one started */
	WORLD_BATCH, /* `depth` started, then waited for one by one */
	WORLD_DRAIN, /* `depth` started, one wait for all */
	WORLD_MIXED, /* so many up and so many down at random */
	WORLD_USE_N
};

struct world_options {
	uint64_t seed;
	uint64_t count; /* transfers whose start is recorded, over all channels */

	/* ---- the card ---- */
	unsigned channels; /* all on card 0 */
	unsigned vectors;  /* channel c has the vector c % vectors; 0 = masked */
	bool shared_link;  /* one transfer at a time over all channels */
	enum world_latency latency;
	int64_t service_ns;	     /* of a transfer of mean size, on average */
	double spread, slow, slower; /* see enum world_latency */
	double fixed;		     /* share of it that does not grow with size, 0..1 */
	double pipeline;	 /* share of it that overlaps with the one before, 0..1 */
	unsigned sizes;		 /* how many different ones */
	int64_t register_ns;	 /* an end -> the register shows it */
	int64_t msi_ns;		 /* an end -> the interrupt unit */
	unsigned moderate_count; /* ends that raise; 0 = no moderation */
	int64_t moderate_ns;	 /* time since the first of them that raises */

	/* ---- the host ---- */
	unsigned cpus;	     /* 1 .. WORLD_CPUS */
	int64_t enter_ns;    /* a message -> its handler, on a CPU that is awake */
	double enter_spread; /* sigma of its logarithm */
	/* Without work for -> asleep; its wake-up, or a fifth of the time asleep. */
	int64_t idle_after_ns, idle_wake_ns;
	int64_t handler_ns; /* its length: nothing else enters on that CPU meanwhile */
	int64_t wake_ns;    /* handler -> the sleeper runs */
	double wake_spread;
	double standstill; /* times a CPU stands still, per transfer */
	int64_t standstill_ns;

	/* ---- the program ---- */
	enum world_wait wait;
	enum world_use use;
	unsigned depth;	   /* in flight on one channel, 1 .. 64 */
	bool one_thread;   /* one for all channels, else one for each */
	bool other_thread; /* waits on a second thread of the channel */
	bool silent_wait;  /* the wait does not say for which channel */
	int64_t api_ns;	   /* entry of the start function -> doorbell */
	int64_t exit_ns;   /* doorbell -> its exit */
	int64_t think_ns;  /* before a start, on average */
	double think_spread;
	int64_t poll_ns, spin_ns;
	double pause; /* share of starts after a pause */
	int64_t pause_ns;
	bool pause_drained; /* everything is waited for before it */
	int64_t timeout_ns; /* a wait that ran out looks once at the register */
	bool timeout_fails; /* ... and is an error all the same */

	/* ---- faults, as a share of the transfers ---- */
	double missing, late;
	int64_t late_ns; /* on average */
	double spurious; /* one more interrupt of the vector, somewhen after the start */
	double foreign;	 /* interrupts of the vector at random times */
	double restart;	 /* its channel started again before its end (depth 1) */
	double stop;	 /* its channel stopped before its end */
	double hang;	 /* never ends: the wait runs out and fails */
	double throws;	 /* of failing calls, those left by an exception: no exit */
	double start_fails;
	double empty_wait; /* a wait for nothing (depth 1, polling) */
	double preempted;  /* of waits, 1 to 5 ms late */

	/* ---- interrupts of other vectors ---- */
	bool data_vector; /* soon after the card begins a transfer */
	int64_t timer_ns; /* period; 0 = none */
	double other;	  /* of an independent device, per transfer */
	unsigned per_n;	  /* one for so many ends of all channels; 0 = none */

	/* ---- the recorder ---- */
	bool doorbell;	     /* the store is recorded, beside the exit */
	int64_t stamp_ns;    /* its probe stamps so much before the card sees the store */
	int64_t skew_ns;     /* of the CPUs' clocks, at most */
	int64_t disorder_ns; /* a CPU's samples come out late by so much, at most */
	double lose;	     /* share of samples that vanish one at a time */
	double windows;	     /* of loss, per transfer */
	int64_t window_ns;
	bool window_cpu; /* on one CPU, else on all */
	uint64_t
		begin_after; /* it begins some time after so many starts; 0 = before all */
	bool cut;	     /* the recording stops with the count-th start */
};

enum { WORLD_CPUS = 33, WORLD_DEPTH = 64, WORLD_CHANNELS = 16 };
enum { WORLD_IRQ = 66, WORLD_PID = 4242 };

/* What a transfer was touched by. */
enum world_touch {
	WORLD_MISSING = 1,
	WORLD_LATE = 2,
	WORLD_HELD = 4,	    /* its handler waited for a CPU that stood still */
	WORLD_SPURIOUS = 8, /* a spurious interrupt while it was in flight */
	WORLD_ABORTED = 16,
	WORLD_FAILED = 32,
	WORLD_LOST = 64, /* a sample of its own vanished */
	WORLD_CUT = 128, /* in flight when the recording began or stopped */
	WORLD_PREEMPTED = 256
};

/* An irq_seq: it has one, after the recording stopped. */
#define WORLD_UNSEEN (-1)

struct world_truth {
	/* struct sample.seq, also of samples that vanished; DMA_UNKNOWN = there was none
	 */
	int64_t submit_seq, irq_seq, woken_seq;
	int64_t submit_ns, doorbell_ns, end_ns, irq_ns, wait_ns,
		woken_ns; /* as stamped, but end_ns (the card's); DMA_UNKNOWN */
	int64_t channel, size_bytes;
	int32_t irq; /* the vector of its channel; -1 = masked */
	/* As far as the recording reaches. After a stop or restart: `complete` when its
	 * handler had run, else `aborted`. */
	enum transfer_state state;
	int coalesced;	  /* transfers that its interrupt ended; 0 = no interrupt */
	unsigned touched; /* enum world_touch */
	bool recorded;	  /* its submit was delivered */
};

struct world_sink {
	void *arg;
	/* Once for every transfer that started, when all of it is known; not in order. */
	void (*truth)(void *arg, const struct world_truth *t);
	/* Before the first sample after its end; DMA_UNKNOWN = to the end. */
	void (*loss)(void *arg, int32_t cpu, int64_t from_ns, int64_t to_ns);
};

struct world;
int world_new(struct world **w, const struct world_options *o,
	      const struct world_sink *sink); /* 0, -1 = no memory */
void world_free(struct world *w);
/* 1 = the next sample, 0 = end, -1 = no memory. The stream is in order of time, but for
 * disorder_ns. */
int world_next(struct world *w, struct sample *s);

/* The vector that ends the channel's transfers; -1 = masked. */
int32_t world_irq(const struct world_options *o, unsigned channel);
/* All vectors that the host knows of, completing ones first: WORLD_IRQ .. + n - 1. */
unsigned world_vectors(const struct world_options *o);
/* What /proc/interrupts counted of one during the recording, lost samples included. */
uint64_t world_irq_count(const struct world *w, int32_t irq);

/* For an observer who knows the world but not its events: of the clocks, of the sizes, of
 * the first transfer's place in a drift. */
int64_t world_skew_ns(const struct world *w, unsigned cpu);
double world_mean_size(const struct world *w);
double world_drift(const struct world *w);

/* ---- drawing (world_draw.c) ---- */

struct world_stratum {
	const char *name;
	/* Of the limits: unknown at most this share (beyond the touched ones
	 * where `beyond`), not counting the first `skip` transfers; negative = no limit.
	 */
	double unknown_limit;
	bool beyond;
	unsigned skip;
	void (*shape)(struct world_options *o, uint64_t *rng);
};
extern const struct world_stratum world_strata[];
extern const size_t world_nstrata;
/* All options but count, from the seed. A stratum fixes what its name says. */
void world_draw(struct world_options *o, uint64_t seed, const struct world_stratum *s);
/* One line, for people. Returns buf. */
const char *world_describe(const struct world_options *o, char *buf, size_t len);

#endif
