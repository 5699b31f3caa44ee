/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The eight plots. Each fills figures (title, caption, alt, draw) from a loaded report; a
 * figure that has nothing to draw says why. data points into the report, which must live
 * as long.
 */
#ifndef REPORT_PLOTS_H
#define REPORT_PLOTS_H

#include "lib/draw/figure.h"
#include "report/data.h"

enum plot_kind {
	PLOT_HISTOGRAM,
	PLOT_TAIL,
	PLOT_TIME,
	PLOT_SIZE,
	PLOT_THROUGHPUT,
	PLOT_PHASES,
	PLOT_SLOWEST,
	PLOT_INTERRUPTS,
	PLOT_N
};

enum { PLOT_MAX_FIGURES = 4 };

struct plot {
	const char *name;
	const char *title; /* in the page's contents */
	/* Fill fig[0 .. *n), zeroed; n <= PLOT_MAX_FIGURES. */
	int (*make)(struct report *r, struct figure *fig, size_t *n, struct err *e);
};
extern const struct plot plots[PLOT_N];

int plot_parse(const char *name); /* enum plot_kind, or -1 */

int make_histogram(struct report *r, struct figure *fig, size_t *n, struct err *e);
int make_tail(struct report *r, struct figure *fig, size_t *n, struct err *e);
int make_time(struct report *r, struct figure *fig, size_t *n, struct err *e);
int make_size(struct report *r, struct figure *fig, size_t *n, struct err *e);
int make_throughput(struct report *r, struct figure *fig, size_t *n, struct err *e);
int make_phases(struct report *r, struct figure *fig, size_t *n, struct err *e);
int make_slowest(struct report *r, struct figure *fig, size_t *n, struct err *e);
int make_interrupts(struct report *r, struct figure *fig, size_t *n, struct err *e);

/* Why the latency of this run cannot be drawn into f->why_not; false = it can. */
bool no_latency(const struct report *r, enum phase p, struct figure *f);

/* Whether an earlier figure is not drawn for the same reason. */
bool reason_told(const struct figure *fig, size_t i);

/* What the machine's units counted: a panel under throughput. */
enum { COUNTS_DRAWN = 4 };
int counts_load(struct report *r, struct err *e);
bool counts_any(const struct report *r);
void draw_counts(struct drawing *d, const struct report *r, const struct axis *x);
void counts_caption(const struct report *r, char *buf,
		    size_t len); /* behind what is there */

/* Level of a density ramp for n of max, logarithmic; -1 for 0. */
int ramp_level(double n, double max);
/* Shades the loss windows of the run along the time axis. */
void draw_losses(struct drawing *d, const struct report *r);
void legend_series(struct drawing *d, const struct report *r);
/* The colour bar of ramp_level(): how many each shade stands for, up to max. */
void legend_ramp(struct drawing *d, double max, const char *what);

#endif
