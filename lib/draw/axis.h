/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An axis of a plot: a range, a scale and its ticks. Values are mapped to 0 .. 1 here, so
 * that gnuplot gets plain coordinates (no empty range or logarithm of 0 can upset it) and
 * what lies under a pointer can be told.
 */
#ifndef DMA_AXIS_H
#define DMA_AXIS_H

#include <stdbool.h>
#include <stddef.h>

/* AXIS_COUNT is whole things, AXIS_NUMBER any number. */
enum axis_unit {
	AXIS_NS,
	AXIS_BYTES,
	AXIS_COUNT,
	AXIS_NUMBER,
	AXIS_BYTES_PER_S,
	AXIS_SHARE
};
enum axis_scale {
	AXIS_LINEAR,
	AXIS_LOG,
	AXIS_SYMLOG, /* sign(v) log(1 + |v| / knee): both signs and many decades */
};

enum { AXIS_MAX_TICKS = 64 };

struct axis {
	enum axis_unit unit;
	enum axis_scale scale;
	double lo, hi; /* range, lo < hi, rounded outward to look well */
	double knee;   /* AXIS_SYMLOG only */
	/* Share of the axis at its low end where everything below lo stands, in one bin
	 * ("< 0"): few values must not own decades. 0 = none. */
	double strip;
	double div;	      /* linear: labels are value / div */
	const char *div_name; /* "ns", "µs", "MB/s", ...; "" on a log axis, whose labels
				 carry units */
	size_t nticks;
	struct {
		double pos;	/* 0 .. 1 */
		char label[24]; /* "" = minor */
	} tick[AXIS_MAX_TICKS];
};

/* Range that covers min .. max (equal or not), at most about `want` labelled ticks.
 * Durations and bytes get a log scale when it helps (max > 20 min > 0), symlog when they
 * go below 0 over decades. */
void axis_init(struct axis *a, enum axis_unit unit, double min, double max, int want);
void axis_init_scale(struct axis *a, enum axis_unit unit, enum axis_scale scale,
		     double min, double max, int want);

/* The same, logarithmic from lo > 0, with everything below in a strip that is one bin of
 * AXIS_STRIP_BINS, under `label`. */
void axis_init_strip(struct axis *a, enum axis_unit unit, double lo, double max,
		     const char *label, int want);
enum { AXIS_STRIP_BINS = 30 };

/* n bins along the axis: the strip, where there is one, is the first, and equal ones share
 * the rest. Which one a value lies in, 0 .. n - 1, and where bin i begins (n = the end). */
size_t axis_bin(const struct axis *a, double value, size_t n);
double axis_edge(const struct axis *a, size_t i, size_t n);

double axis_pos(const struct axis *a, double value); /* not clamped */
double axis_value(const struct axis *a, double pos);

/* A value with its unit, for people: "12.3 µs", "64 KiB", "1.2 GB/s", "1234". */
const char *axis_print(enum axis_unit unit, double value, char *buf, size_t len);

/* "device latency, µs" or "device latency". */
const char *axis_title(const struct axis *a, const char *what, char *buf, size_t len);

#endif
