/* SPDX-License-Identifier: GPL-2.0-only */
/* Plot 3: latency along the recording, as density with rolling quantiles. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/text.h"
#include "report/plots.h"

static void time_axis(struct axis *x, const struct scan *s, const struct drawing *d)
{
	axis_init_scale(x, AXIS_NS, AXIS_LINEAR, s->time.lo, s->time.hi,
			drawing_narrow(d) ? 4 : 9);
}

static void panel_time(struct drawing *d, const struct report *r)
{
	const struct scan *s = r->scan;
	struct axis x, y = s->latency;
	char title[64];

	time_axis(&x, s, d);
	panel_begin(d, 0, drawing_narrow(d) ? 0.27 : 0.15, 1, 0.88);
	snprintf(title, sizeof(title), "latency (%s)", phase_name(r->latency));
	panel_axes(d, &x, "since the recording began", &y, title);
}

/* Cells by shade; runs of one shade along a column become one rectangle. */
static void draw_cells(struct drawing *d, const struct scan *s, double most)
{
	for (int level = 0; level < FIGURE_RAMP; level++) {
		for (size_t i = 0; i < s->nslices; i++)
			for (size_t k = 0, run; k < SCAN_LEVELS; k += run) {
				run = 1;
				if (ramp_level(s->cell[i][k], most) != level)
					continue;
				while (k + run < SCAN_LEVELS &&
				       ramp_level(s->cell[i][k + run], most) == level)
					run++;
				draw_row(d, (double)i / (double)s->nslices,
					 ((double)i + 1) / (double)s->nslices,
					 axis_edge(&s->latency, k, SCAN_LEVELS),
					 axis_edge(&s->latency, k + run, SCAN_LEVELS));
			}
		draw_rects(d, (enum color)(COLOR_D0 + level), 1);
	}
}

static double fullest(const struct scan *s)
{
	double most = 1;

	for (size_t i = 0; i < s->nslices; i++)
		for (size_t k = 0; k < SCAN_LEVELS; k++)
			most = fmax(most, s->cell[i][k]);
	return most;
}

static void draw_single(struct drawing *d, const struct report *r)
{
	const struct scan *s = r->scan;
	double size = s->npoints > 600 ? 0.35 : s->npoints > 100 ? 0.5 : 0.8;

	for (int g = 0; g < r->nseries; g++) {
		for (size_t i = 0; i < s->npoints; i++)
			if (s->point[i].series == g)
				draw_row(d, axis_pos(&s->time, s->point[i].at_ns),
					 axis_pos(&s->latency, s->point[i].latency_ns), 0,
					 0);
		draw_points(d, r->series[g].color, drawing_narrow(d) ? size * 0.8 : size,
			    7);
	}
}

/* p99 only where a slice holds enough for it to be one of its values and not just the
 * largest. */
static void draw_rolling(struct drawing *d, const struct scan *s, double q,
			 uint64_t least, double width, int dash)
{
	for (size_t i = 0; i < s->nslices; i++) {
		double y = scan_quantile(s, i, q, least);

		if (y < 0)
			draw_gap(d);
		else
			draw_row(d, ((double)i + 0.5) / (double)s->nslices, y, 0, 0);
	}
	draw_line(d, COLOR_BACK, width + 2.2, 1);
	for (size_t i = 0; i < s->nslices; i++) {
		double y = scan_quantile(s, i, q, least);

		if (y < 0)
			draw_gap(d);
		else
			draw_row(d, ((double)i + 0.5) / (double)s->nslices, y, 0, 0);
	}
	draw_line(d, COLOR_INK, width, dash);
}

static void hover_slices(struct drawing *d, const struct scan *s)
{
	char at[32], n[32], med[32], p99[48];

	for (size_t i = 0; i < s->nslices; i++) {
		double m = scan_quantile(s, i, 0.5, 1),
		       h = scan_quantile(s, i, 0.99, 100);
		double x = ((double)i + 0.5) / (double)s->nslices;

		if (m < 0)
			continue;
		p99[0] = 0;
		if (h >= 0) {
			memcpy(p99, ", p99 ≈ ", sizeof(", p99 ≈ "));
			axis_print(AXIS_NS, axis_value(&s->latency, h), p99 + strlen(p99),
				   32);
		}
		draw_hover(
			d, x, m, "at %s: %s transfer%s, median ≈ %s%s",
			axis_print(AXIS_NS, axis_value(&s->time, x), at, sizeof(at)),
			text_count(s->slice_n[i], n), text_s(s->slice_n[i]),
			axis_print(AXIS_NS, axis_value(&s->latency, m), med, sizeof(med)),
			p99);
	}
}

static bool enough_for(const struct scan *s, uint64_t least)
{
	for (size_t i = 0; i < s->nslices; i++)
		if (s->slice_n[i] >= least)
			return true;
	return false;
}

static void draw_time(const struct figure *f, struct drawing *d)
{
	const struct report *r = f->data;
	const struct scan *s = r->scan;

	panel_time(d, r);
	draw_losses(d, r);
	if (s->npoints <= SCAN_POINTS) {
		legend_series(d, r);
		draw_single(d, r);
	} else {
		legend_ramp(d, fullest(s), "transfers in a cell");
		draw_cells(d, s, fullest(s));
	}
	if (enough_for(s, 10)) {
		panel_legend_line(d, COLOR_INK, 1, "median");
		draw_rolling(d, s, 0.5, 10, 1.8, 1);
	}
	if (enough_for(s, 100)) {
		panel_legend_line(d, COLOR_INK, 2, "p99");
		draw_rolling(d, s, 0.99, 100, 1.4, 2);
	}
	hover_slices(d, s);
}

static void describe(const struct report *r, struct figure *f, const char *what)
{
	size_t at;

	caption_counts(r, r->latency, f->caption, sizeof(f->caption));
	at = strlen(f->caption);
	snprintf(f->caption + at, sizeof(f->caption) - at, " %s", what);
	if (r->nloss && at + strlen(what) + 80 < sizeof(f->caption))
		strncat(f->caption, " Shaded: samples were lost there.",
			sizeof(f->caption) - strlen(f->caption) - 1);
}

int make_time(struct report *r, struct figure *fig, size_t *n, struct err *e)
{
	struct figure *f = &fig[(*n)++];
	char width[32], what[200];

	(void)e;
	snprintf(f->name, sizeof(f->name), "time");
	snprintf(f->title, sizeof(f->title), "Latency over time: %s",
		 phase_words(r->latency));
	if (no_latency(r, r->latency, f))
		return 0;
	f->data = r;
	f->draw = draw_time;
	snprintf(what, sizeof(what), "Each transfer stands at its submit.");
	if (enough_for(r->scan, 10))
		snprintf(what, sizeof(what),
			 "Each transfer stands at its submit. The lines are "
			 "the median and p99 of each of %zu slices of %s "
			 "(where a slice holds at least 10 or 100 transfers).",
			 r->scan->nslices,
			 axis_print(AXIS_NS,
				    (r->scan->time.hi - r->scan->time.lo) /
					    (double)r->scan->nslices,
				    width, sizeof(width)));
	describe(r, f, what);
	snprintf(f->alt, sizeof(f->alt),
		 "Latency of %lld transfers over the time of the recording, with its "
		 "rolling median and 99th percentile.",
		 (long long)r->summary[r->latency].n);
	return 0;
}
