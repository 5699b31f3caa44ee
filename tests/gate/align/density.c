/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/gate/align/density.h"

#include <math.h>
#include <string.h>

#include "tests/gate/align/model.h"

enum { OFFSET_NS = 64, PER_OCTAVE = 16, FINE = 256 };

/* Mantissa to sixteenths of an octave. */
static uint8_t sixteenth[FINE];
static float log_width[DENSITY_LEAVES]; /* ns */

static double leaf_width_ns(unsigned leaf)
{
	return OFFSET_NS * (exp2((leaf + 1.0) / PER_OCTAVE) - exp2(leaf / 16.0));
}

__attribute__((constructor)) static void make_table(void)
{
	for (int i = 0; i < FINE; i++)
		sixteenth[i] = (uint8_t)(PER_OCTAVE * log2(1 + (i + 0.5) / (double)FINE));
	for (unsigned i = 0; i < DENSITY_LEAVES; i++)
		log_width[i] = (float)log(leaf_width_ns(i));
}

unsigned polya_leaf(int64_t ns)
{
	uint64_t y = (ns > 0 ? (uint64_t)ns : 0) + OFFSET_NS;
	unsigned e = 63 - (unsigned)__builtin_clzll(y);
	unsigned leaf =
		PER_OCTAVE * (e - 6) + sixteenth[(y << (63 - e)) >> 55 & (FINE - 1)];

	return leaf < DENSITY_LEAVES ? leaf : DENSITY_LEAVES - 1;
}

void polya_reset(struct density *d, const struct density *prior)
{
	memset(d, 0, sizeof(*d));
	d->prior = prior;
	d->made_at = -1;
}

void polya_clear(struct density *d)
{
	memset(d->node, 0, sizeof(d->node));
}

void polya_count(struct density *d, int64_t ns, float weight)
{
	for (unsigned i = polya_leaf(ns) + DENSITY_LEAVES; i; i /= 2)
		d->node[i] += weight;
}

void polya_keep(struct density *d, float share)
{
	for (unsigned i = 1; i < 2 * DENSITY_LEAVES; i++)
		d->node[i] *= share;
}

void polya_sum(struct density *d, const struct density *a, const struct density *b)
{
	for (unsigned i = 1; i < 2 * DENSITY_LEAVES; i++)
		d->node[i] = a->node[i] + b->node[i];
}

/* Share of a leaf's sibling pair that falls to a node, by the prior alone. */
static float prior_share(const float *p, unsigned node)
{
	float both = p[node] + p[node ^ 1];

	return both > 0 ? p[node] / both : 0.5f;
}

/* Probabilities of all nodes. */
static void tree(const struct density *d, float *p)
{
	float q[2 * DENSITY_LEAVES];

	if (d->prior)
		tree(d->prior, q);
	p[1] = 1;
	for (unsigned i = 2; i < 2 * DENSITY_LEAVES; i++) {
		unsigned level = 31 - (unsigned)__builtin_clz(i);
		float all = d->node[i / 2];
		float share = d->prior ? prior_share(q, i) : 0.5f;
		/* The prior counts for as much as so many transfers. */
		float strength = d->prior    ? MODEL_KIN
				 : level > 5 ? (float)(1 << (level - 5)) * MODEL_SMOOTH
					     : MODEL_SMOOTH;
		p[i] = p[i / 2] * (d->node[i] + strength * share) / (all + strength);
	}
}

void polya_make(struct density *d)
{
	float p[2 * DENSITY_LEAVES];

	tree(d, p);
	for (unsigned i = 0; i < DENSITY_LEAVES; i++)
		d->log[i] = logf((1 - MODEL_ROBUST) * p[DENSITY_LEAVES + i] +
				 MODEL_ROBUST / DENSITY_LEAVES) -
			    log_width[i];
	d->made_at = d->node[1];
}

float polya_quantile(const struct density *d, float q)
{
	float sum = 0;

	if (d->node[1] <= 0)
		return NAN;
	for (unsigned i = 0; i < DENSITY_LEAVES; i++)
		if ((sum += d->node[DENSITY_LEAVES + i]) >= q * d->node[1])
			return (float)(OFFSET_NS * (exp2((i + 0.5) / PER_OCTAVE) - 1));
	return NAN;
}

void polya_tail(const struct density *d, float *log_tail)
{
	double sum = 0;

	for (unsigned i = DENSITY_LEAVES; i-- > 0;) {
		sum += exp((double)d->log[i] + (double)log_width[i]);
		log_tail[i] = (float)log(sum < 1 ? sum : 1);
	}
}
