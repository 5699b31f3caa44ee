/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is known of a channel: how long things take and how often they go wrong. Every
 * density is learned (density.h), every rate is the mean of a Beta or Dirichlet variable
 * whose prior is never 0.
 *
 * The numbers that are neither derived nor measured stand here, all of them.
 */
#ifndef DMA_GATE_MODEL_H
#define DMA_GATE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/gate/align/density.h"

/* Certain: all other readings together are no more likely than this. Two in 10,000 is what
 * may be wrong; half of it is left to what the model does not know of. */
#define TAU	      1e-4
/* Share of every density that is even over all scales: one event in 200 is of a kind that
 * was not met before. */
#define MODEL_ROBUST  0.005f
/* Counts that outweigh the prior of a node: of an octave's half, and of kin (a size's
 * density against that of all sizes). */
#define MODEL_SMOOTH  1.0f
#define MODEL_KIN     4.0f
/* Rates before anything is seen: one in a hundred, worth 20 transfers. */
#define PRIOR_RATE    0.01
#define PRIOR_WEIGHT  20.0
/* Of k transfers ended at once, the prior falls by this with each further one. */
#define PRIOR_MORE    0.6
/* Of groups, those of several before anything is seen. */
#define PRIOR_SEVERAL 0.05
/* A reading this much less likely than the best (natural logarithm) is let go. */
#define PRUNE	      30.0
/* Evidence of many events, each of which the model describes a little wrong, counts for as
 * much (Miller and Dunson 2019). */
#define TEMPER	      0.25
/* Readings kept after each interrupt, at most; for each channel beyond one as many more. */
#define BEAM	      96
/* Interrupts looked at before the first decision; and transfers that outweigh older ones. */
#define LEARN	      800
#define MEMORY	      4096
/* An interrupt is never later than this after the program saw the end: longer than the
 * longest time that a handler was seen to be held up, a watchdog's 1 s apart. */
#define LATE_NS	      INT64_C(100000000)
/* Chance that a recording begins in the middle though nothing shows it; and that a channel
 * behind a loss is deeper in flight than ever before. */
#define PRIOR_HIDDEN  1e-5
/* What a habit costs (natural logarithm, each time): a start given up, and a transfer that
 * is in flight at the end. */
#define COST_ABORT    -4.0
#define COST_LEFT     -3.0
/* Of transfers that were given up: have their interrupt after all. */
#define GIVEN_UP_HAS  0.1

enum { MODEL_SIZES = 42, MODEL_MOST = 64, MODEL_RUNS = 6 };

struct model {
	struct density *device[MODEL_SIZES], *service[MODEL_SIZES], *turn[MODEL_SIZES];
	struct density device_all, service_all, turn_all;
	struct density run_last[MODEL_RUNS], run_first[MODEL_RUNS];
	struct density woken, asked, late, asked_any;
	/* counts */
	double matched, missed, seen_late, seen, by_service, by_device, at_once, after;
	double size[MODEL_MOST + 1];
	/* natural logarithms */
	double log_has, log_miss, log_late, log_in_time, log_service, log_device,
		log_at_once, log_after;
	double log_size[MODEL_MOST + 1];
	double peak; /* of device_all */
	float late_tail[DENSITY_LEAVES];
	double made; /* matched and missed when law_make() was called */
};

void law_init(struct model *m);
void law_release(struct model *m);
void law_clear(struct model *m); /* forgets all counts */
int law_sum(struct model *m, const struct model *a, const struct model *b);
void law_make(struct model *m); /* what is derived */
void law_fade(struct model *m);
unsigned law_size(int64_t size_bytes);

/* Natural logarithm of the density of the interrupt, 1/ns: `n` transfers, the first of which
 * began at first_ns and the last at begin_ns; last_ns: the channel's interrupt before. */
double law_device(const struct model *m, unsigned n, unsigned size, int64_t irq_ns,
		  int64_t first_ns, int64_t begin_ns, int64_t last_ns, int64_t woken_ns);
/* Of the program's being told, given an interrupt that is not late; wait_ns DMA_UNKNOWN = it
 * was there. */
double law_notice(const struct model *m, int64_t irq_ns, int64_t wait_ns,
		  int64_t woken_ns);
/* The same, whatever the interrupt. */
double law_turn(const struct model *m, unsigned size, int64_t begin_ns, int64_t wait_ns,
		int64_t woken_ns, int64_t woken_before_ns);

int law_count_device(struct model *m, unsigned n, unsigned size, int64_t irq_ns,
		     int64_t first_ns, int64_t begin_ns, int64_t last_ns,
		     int64_t woken_ns, float weight);
void law_count_notice(struct model *m, int64_t irq_ns, int64_t wait_ns, int64_t woken_ns,
		      float weight);
int law_count_turn(struct model *m, unsigned size, int64_t begin_ns, int64_t wait_ns,
		   int64_t woken_ns, int64_t woken_before_ns, float weight);

double log_add(double a, double b);

#endif
