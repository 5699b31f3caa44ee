/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a joiner said of recordings, held against the truth. A transfer is certain when
 * its state is said; it is wrong when anything that was said of it is not so.
 */
#ifndef DMA_TALLY_H
#define DMA_TALLY_H

#include "tests/gate/judge.h"

/* Said probabilities by the odds against them: below 0.5, 0.9, 0.99, 0.999, 0.9999, more.
 */
enum { TALLY_BINS = 6 };
extern const double tally_bin_from[TALLY_BINS];

struct tally {
	uint64_t recordings, failed; /* failed: the joiner gave an error, or crashed */
	uint64_t transfers, certain, wrong;
	uint64_t unknown, beyond;  /* beyond those touched by a fault */
	uint64_t counted, limited; /* behind the stratum's first; of those unknown */
	uint64_t limited_beyond;
	uint64_t fact[FACT_N], fact_wrong[FACT_N];
	uint64_t false_state[STATE_N]; /* wrong ones by the state said */
	uint64_t vector_right, vector_unclear, vector_wrong; /* channels */
	/* Of the slowest of each recording, by device and total: where people look. */
	uint64_t slowest, slowest_wrong;
	uint64_t events;
	double seconds;
	struct {
		uint64_t n, right;
		double said;
	} bin[FACT_N][TALLY_BINS];
};

void tally_add(struct tally *to, const struct tally *from);

enum { TALLY_SLOWEST = 10 };
struct tally_slow {
	int64_t ns;
	bool wrong;
};

struct tally_judge {
	struct tally *n;
	const struct recording *r;
	unsigned skip;
	/* Told of each transfer, for people; NULL. */
	void (*tell)(void *arg, const struct judge_said *s, const struct world_truth *x,
		     bool certain, bool wrong);
	void *tell_arg;
	uint64_t seen;	  /* transfers so far */
	uint64_t *judged; /* of each truth, how often it was told; by its index */
	struct tally_slow slow[2][TALLY_SLOWEST]; /* the slowest first */
	size_t nslow[2];
};
/* Behind the last transfer of a recording. */
void tally_close(struct tally_judge *j);
/* The sink of a joiner that is judged; arg = struct tally_judge. */
void tally_transfer(void *arg, const struct judge_said *s);
void tally_vector(void *arg, int64_t channel, int32_t irq);

#endif
