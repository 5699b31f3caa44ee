/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The line y = a + b x through most of the points, whatever a few outliers say: Theil and
 * Sen's slope, the median of the slopes of all pairs of points with different x (Theil 1950,
 * Sen 1968), and a = median(y - b x). Up to 29 % of the points may lie anywhere. Interval of
 * the slope by the distribution of Kendall's tau with ties in x (Sen 1968), 95 %, as if the
 * points were independent; that of a holds at either end of the slope's.
 *
 * All pairs of LINE_POINTS points: of more, a sample (reservoir, seeded: the same points
 * give the same line).
 */
#ifndef DMA_LINE_H
#define DMA_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LINE_POINTS = 512 };

struct line { /* zero-initialised */
	struct line_point {
		double x, y;
	} * point; /* malloc'ed */
	size_t kept, room;
	uint64_t n, random;
};

int line_add(struct line *l, double x, double y); /* 0, or ERR_NOMEM */
void line_release(struct line *l);

struct line_result {
	double a, b, ci_a[2],
		ci_b[2]; /* NAN with fewer than LINE_FEWEST points, or one x */
	bool supported;	 /* b is above 0 and known to a factor of LINE_FACTOR */
};
enum { LINE_FEWEST = 10, LINE_FACTOR = 3 };

/* 0, or ERR_NOMEM. */
int line_solve(const struct line *l, struct line_result *r);

#endif
