/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Buckets: below 256 each value has its own; above, every power of two is cut into 128.
 * Magnitudes are indexed alike on both sides of zero: index >= 0 for v >= 0, and -1 -
 * index(-1 - v) below, so that the order of indexes is the order of values. Counts lie in
 * one array that grows at either end.
 */
#include "lib/hist.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/dma.h"
#include "lib/err.h"

#define SUB_BITS 7
#define SUB	 (1 << SUB_BITS)

struct hist {
	uint64_t *count; /* of bucket first + i */
	int32_t first;
	size_t room;
	uint64_t n;
	int64_t min, max;
	double mean, m2; /* Welford: exact to rounding for any n */
};

static int32_t index_of_magnitude(uint64_t v)
{
	int shift;

	if (v < 2 * SUB)
		return (int32_t)v;
	shift = 63 - __builtin_clzll(v) - SUB_BITS;
	return (int32_t)(((uint64_t)shift << SUB_BITS) + (v >> shift));
}

static int32_t index_of(int64_t v)
{
	return v >= 0 ? index_of_magnitude((uint64_t)v)
		      : -1 - index_of_magnitude((uint64_t)(-1 - v));
}

/* [low, low + width) of the magnitudes of a bucket. */
static void magnitude_range(int32_t index, uint64_t *low, uint64_t *width)
{
	int shift = index < 2 * SUB ? 0 : (index >> SUB_BITS) - 1;

	*width = UINT64_C(1) << shift;
	*low = shift ? (uint64_t)(index - (shift << SUB_BITS)) << shift : (uint64_t)index;
}

/* First and last value of a bucket. */
static void bucket_range(int32_t index, int64_t *first, int64_t *last)
{
	uint64_t low, width;

	magnitude_range(index >= 0 ? index : -1 - index, &low, &width);
	if (index >= 0) {
		*first = (int64_t)low;
		*last = (int64_t)(low + width - 1);
	} else {
		*first = -1 - (int64_t)(low + width - 1);
		*last = -1 - (int64_t)low;
	}
}

struct hist *hist_new(void)
{
	return calloc(1, sizeof(struct hist));
}

void hist_free(struct hist *h)
{
	if (h)
		free(h->count);
	free(h);
}

/* Make room for buckets from..to. */
static int reserve(struct hist *h, int32_t from, int32_t to)
{
	int32_t first = h->room && h->first < from ? h->first : from;
	int32_t last = h->room && h->first + (int32_t)h->room - 1 > to
			       ? h->first + (int32_t)h->room - 1
			       : to;
	size_t room = (size_t)(last - first) + 1;
	uint64_t *grown;

	if (h->room && first == h->first && room == h->room)
		return 0;
	/* some air on the side that grew, so that growing stays rare */
	if (h->room && first < h->first)
		first -= SUB / 2;
	if (h->room && last > h->first + (int32_t)h->room - 1)
		last += SUB / 2;
	room = (size_t)(last - first) + 1;
	grown = calloc(room, sizeof(*grown));
	if (!grown)
		return ERR_NOMEM;
	if (h->room)
		memcpy(grown + (h->first - first), h->count, h->room * sizeof(*grown));
	free(h->count);
	h->count = grown;
	h->first = first;
	h->room = room;
	return 0;
}

/* Chan et al.: moments of two sets put together. */
static void add_moments(struct hist *h, double n, double mean, double m2)
{
	double before = (double)h->n, all = before + n, delta = mean - h->mean;

	h->mean += delta * n / all;
	h->m2 += m2 + delta * delta * before * n / all;
}

int hist_add(struct hist *h, int64_t value_ns, uint64_t n)
{
	int32_t i = index_of(value_ns);

	if (!n)
		return 0;
	if (reserve(h, i, i))
		return ERR_NOMEM;
	add_moments(h, (double)n, (double)value_ns, 0);
	h->min = !h->n || value_ns < h->min ? value_ns : h->min;
	h->max = !h->n || value_ns > h->max ? value_ns : h->max;
	h->n += n;
	h->count[i - h->first] += n;
	return 0;
}

int hist_merge(struct hist *to, const struct hist *from)
{
	if (!from->n)
		return 0;
	if (reserve(to, from->first, from->first + (int32_t)from->room - 1))
		return ERR_NOMEM;
	for (size_t i = 0; i < from->room; i++)
		to->count[from->first - to->first + (int32_t)i] += from->count[i];
	add_moments(to, (double)from->n, from->mean, from->m2);
	to->min = !to->n || from->min < to->min ? from->min : to->min;
	to->max = !to->n || from->max > to->max ? from->max : to->max;
	to->n += from->n;
	return 0;
}

uint64_t hist_n(const struct hist *h)
{
	return h->n;
}

int64_t hist_min(const struct hist *h)
{
	return h->n ? h->min : DMA_UNKNOWN;
}

int64_t hist_max(const struct hist *h)
{
	return h->n ? h->max : DMA_UNKNOWN;
}

double hist_mean(const struct hist *h)
{
	return h->n ? h->mean : NAN;
}

double hist_stddev(const struct hist *h)
{
	return h->n > 1 ? sqrt(h->m2 / (double)(h->n - 1)) : NAN;
}

int64_t hist_at_rank(const struct hist *h, uint64_t rank)
{
	int64_t first, last, middle;
	uint64_t below = 0;
	size_t i = 0;

	if (rank < 1 || rank > h->n)
		return DMA_UNKNOWN;
	if (rank == 1 || rank == h->n)
		return rank == 1 ? h->min : h->max;
	while (below + h->count[i] < rank)
		below += h->count[i++];
	bucket_range(h->first + (int32_t)i, &first, &last);
	middle = first + (last - first) / 2;
	return middle < h->min ? h->min : middle > h->max ? h->max : middle;
}

bool hist_next(const struct hist *h, size_t *iter, int64_t *low_ns, int64_t *high_ns,
	       uint64_t *n)
{
	int64_t last;

	while (*iter < h->room && !h->count[*iter])
		++*iter;
	if (*iter >= h->room)
		return false;
	bucket_range(h->first + (int32_t)*iter, low_ns, &last);
	*high_ns = last == INT64_MAX ? last : last + 1;
	*n = h->count[(*iter)++];
	return true;
}
