/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How long something takes: a density over times on a logarithmic scale, learned from
 * counts. A Polya tree (Lavine 1992): 512 leaves, 16 in an octave from 64 ns to 70 s, each
 * node a Beta variable whose prior mean is that of another density or even; the finer the
 * node, the more counts it takes to be believed. To it is added the one robust part: so
 * much of the whole, even over all leaves (that is, log-uniform over nine decades).
 */
#ifndef DMA_GATE_DENSITY_H
#define DMA_GATE_DENSITY_H

#include <stdbool.h>
#include <stdint.h>

enum { DENSITY_LEVELS = 9, DENSITY_LEAVES = 1 << DENSITY_LEVELS };

struct density {
	float node[2 * DENSITY_LEAVES]; /* counts; node[1] is all of them */
	float log[DENSITY_LEAVES];	/* natural logarithm of the density, 1/ns */
	float made_at;			/* counts when log[] was made; < 0 = never */
	const struct density *prior;	/* NULL = even over all leaves */
};

void polya_reset(struct density *d, const struct density *prior);
void polya_clear(struct density *d); /* no counts; log[] stays */
unsigned polya_leaf(int64_t ns);     /* negative times count as 0 */
void polya_count(struct density *d, int64_t ns, float weight);
void polya_keep(struct density *d, float share); /* forgets the rest */
void polya_sum(struct density *d, const struct density *a, const struct density *b);
void polya_make(struct density *d); /* log[] */
/* Natural logarithm of the probability of a leaf and all above it. */
void polya_tail(const struct density *d, float *log_tail);
float polya_quantile(const struct density *d, float q); /* ns; NAN when empty */

static inline float polya_log_at(const struct density *d, int64_t ns)
{
	return d->log[polya_leaf(ns)];
}

#endif
