/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the plots and the page need of one run: figures that dmaanalyze stored, read as
 * they are, and one pass over the transfers that bins them for drawing. Nothing is
 * computed here that the database already says.
 */
#ifndef REPORT_DATA_H
#define REPORT_DATA_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/dma.h"
#include "lib/draw/axis.h"
#include "lib/draw/figure.h"
#include "lib/text.h"

struct db;
struct db_stmt;
struct err;

/* One card, channel and direction; one of the first FIGURE_SERIES by number of transfers
 * has a colour of its own, the rest share the last series. */
struct group {
	int64_t card, channel; /* DMA_UNKNOWN = NULL */
	int direction;
	uint64_t n;
	int series;
	double total_q[2]; /* median and p99 of its total time; NAN = not known */
	char name[64];
};

struct series_name {
	char name[64];
	enum color color;
	uint64_t n;
};

struct summary_row { /* of the whole run, one phase */
	bool known;
	int64_t n, excluded, negative, min_ns, max_ns, error_ns; /* DMA_UNKNOWN = NULL */
	double mean_ns;
	int64_t q[5]; /* of 0.5 0.9 0.99 0.999 0.9999 */
	bool thin
		[5]; /* too few transfers for it: no upper confidence limit; marked "~" */
};
extern const double summary_q[5];

struct slow {
	int64_t id, card, channel, size_bytes, submit_ns, doorbell_ns, irq_ns, woken_ns,
		irq, irq_cpu;
	int64_t latency_ns;
	int direction, state;
};

enum {
	SCAN_BINS = 72,	    /* of a histogram */
	SCAN_TIME = 120,    /* slices of time */
	SCAN_LEVELS = 60,   /* latency rows of a grid */
	SCAN_FINE = 600,    /* the same where a quantile is read: finer than a pixel */
	SCAN_SIZES = 80,    /* size columns */
	SCAN_POINTS = 2500, /* up to so many transfers are drawn one by one */
	SCAN_SLOW = 10,
};

/* The transfers whose total time lies near a quantile of it, and what their phases took: sums
 * that add up to that of the total. */
struct near {
	double ns[PHASE_N];
	double rest_ns; /* doorbell -> woken where no interrupt parts it */
	uint64_t n;
};

/* Which CPU took how many of an interrupt that ended transfers. */
struct irq_cpu {
	int64_t irq, cpu; /* DMA_UNKNOWN = not told */
	uint64_t n;
};

/* latency = a + size * slope of one group, as the analysis found it. */
struct fit {
	int64_t card, channel;
	int direction;
	double a, a_low, a_high, slope, slope_low,
		slope_high; /* ns, ns per byte; NAN = not known */
};

struct outlier {
	double size_bytes, latency_ns, residual_ns;
};

struct scan {
	struct phase_bins {
		struct axis axis;
		double least; /* where an axis that has a strip for what is below begins */
		enum { BELOW_LEAST, BELOW_0, UP_TO_0 } below; /* what stands in it */
		size_t nbins;
		uint64_t bin[FIGURE_SERIES + 1][SCAN_BINS + 1];
		uint64_t n;
	} phase[PHASE_N];
	int64_t from_ns, to_ns, zero_ns; /* range of time, and the time called 0 */
	struct axis time, latency, size;
	size_t nslices;
	uint32_t cell[SCAN_TIME][SCAN_LEVELS]; /* transfers, by submit and latency */
	uint64_t slice_n[SCAN_TIME];
	uint32_t fine[SCAN_TIME]
		     [SCAN_FINE]; /* the same finer, for the rolling quantiles */
	uint32_t size_cell[SCAN_SIZES][SCAN_LEVELS];
	uint64_t sized; /* with size and latency */
	size_t npoints;
	struct point {
		double at_ns, latency_ns, size_bytes; /* size < 0 = unknown */
		int series;
	} * point;		   /* all, when n <= SCAN_POINTS */
	double bytes[SCAN_TIME];   /* of transfers that ended in the slice */
	double busy_ns[SCAN_TIME]; /* sum of the time in flight within it */
	uint64_t ended, ended_sized,
		endless;	     /* endless: moved no bytes, or end unknown */
	uint64_t missing[SCAN_TIME]; /* no_interrupt, late and unknown, by submit */
	uint64_t stray[SCAN_TIME];
	uint64_t stray_total, missing_total;
	uint64_t used[SCAN_TIME];    /* interrupts that ended transfers */
	struct slow slow[SCAN_SLOW]; /* slowest first */
	size_t nslow;
	struct outlier
		outlier[SCAN_SLOW]; /* farthest above their group's fit, farthest first */
	size_t noutliers;
	struct irq_cpu *irq_cpu;
	size_t nirq_cpu;
	/* Near the median and near p99, of all and of each series with a colour. */
	struct near near_all[2], near[FIGURE_SERIES + 1][2];
	uint64_t rows;
};

struct report {
	struct db *db;
	const char *path;
	int64_t run;
	bool analysed;
	char *name; /* "run 1 (label)" */
	char *label, *host, *kernel, *command, *started, *tool, *clock, *profile;
	int64_t begin_ns, end_ns, probe_cost_ns, finished;
	enum phase latency; /* the phase that stands for latency */
	int64_t transfers, submits;
	struct group *group;
	size_t ngroup;
	struct series_name series[FIGURE_SERIES + 1];
	int nseries;
	uint64_t state[STATE_N];
	/* Throughput of the whole run (schema/derived.sql); NAN = not known. */
	double bytes_per_s;
	int64_t bytes, ended, left_out;
	struct summary_row summary[PHASE_ALL];
	int64_t counted, delivered,
		lost; /* over the sources; DMA_UNKNOWN = not counted */
	struct loss {
		int64_t from_ns, to_ns, lost;
	} * loss;
	size_t nloss;
	struct fit *fit; /* of the latency's phase, where a line is supported */
	size_t nfit;
	int64_t most_sizes;    /* distinct sizes of the group that has most */
	struct scan *scan;     /* NULL until report_scan() */
	struct counts *counts; /* NULL until counts_load() (report/plots.h) */
};

/* Runs in the file: ids ascending, malloc'ed. */
int report_runs(struct db *db, int64_t **ids, size_t *n, struct err *e);
int report_load(struct report *r, struct db *db, int64_t run, struct err *e);
int report_scan(struct report *r, struct err *e);
void report_release(struct report *r);
/* Rolling quantile of slice i by nearest rank among SCAN_FINE levels: its place on the
 * latency axis (0 .. 1), to half a level. -1 when the slice holds fewer than `least`. */
double scan_quantile(const struct scan *s, size_t i, double q, uint64_t least);

/* Each row of a named query (schema/queries.sql) whose :run is bound. row() returns 0, a
 * negative error, or 1 to stop. */
typedef int (*row_fn)(struct db_stmt *st, void *arg);
int report_query(const struct report *r, const char *name, row_fn row, void *arg,
		 struct err *e);
/* In two steps, for a query with more to bind; report_rows() ends the statement. */
int report_prepare(const struct report *r, const char *name, struct db_stmt **st,
		   struct err *e);
int report_rows(struct db_stmt *st, row_fn row, void *arg, struct err *e);
const char *column_text(struct db_stmt *st, const char *column, const char *null);

const struct group *report_group(const struct report *r, int64_t card, int64_t channel,
				 int direction);

/* "n = 19,998 of 20,000 transfers; left out: 1 unknown, 1 in flight. Probes inside ...:
 * about 2.4 µs." */
void caption_counts(const struct report *r, enum phase p, char *buf, size_t len);
/* "device (doorbell → interrupt)" */
const char *phase_words(enum phase p);
const char *state_words(enum transfer_state s);

#endif
