/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Log-linear histogram of int64 nanoseconds, negative ones included. 128 linear
 * sub-buckets for each power of two: a value is reported as the midpoint of its bucket,
 * so the relative error is at most 1/256 < 0.4 %; below 256 ns it is exact. Mergeable by
 * addition. Min, max, sum and n are exact.
 */
#ifndef DMA_HIST_H
#define DMA_HIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hist;
struct hist *hist_new(void); /* NULL = no memory */
void hist_free(struct hist *h);
int hist_add(struct hist *h, int64_t value_ns, uint64_t n); /* 0, or ERR_NOMEM */
int hist_merge(struct hist *to, const struct hist *from);
uint64_t hist_n(const struct hist *h);
int64_t
hist_min(const struct hist *h); /* DMA_UNKNOWN when n = 0; also max, mean -> NAN */
int64_t hist_max(const struct hist *h);
double hist_mean(const struct hist *h);
double hist_stddev(const struct hist *h); /* sample (n - 1); NAN when n < 2 */

/* Value of 1-based rank r among n ordered values: exact for the first and the last, else
 * its bucket's midpoint, clamped into [min, max]; DMA_UNKNOWN when r < 1 or r > n. */
int64_t hist_at_rank(const struct hist *h, uint64_t rank);

/* Buckets in ascending order: *iter starts at 0. false = no more. [low, high) in ns. */
bool hist_next(const struct hist *h, size_t *iter, int64_t *low_ns, int64_t *high_ns,
	       uint64_t *n);

#endif
