/* SPDX-License-Identifier: GPL-2.0-only */
/* Plot 5: latency against size with the fit of each group and the link's limit. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/db/db.h"
#include "lib/err.h"
#include "report/plots.h"

struct sizes {
	const struct report *r;
	double link; /* bytes per second; NAN = not known */
};

static const char *group_name_of(const struct report *r, const struct fit *f,
				 enum color *c)
{
	const struct group *g = report_group(r, f->card, f->channel, f->direction);

	if (!g || r->series[g->series].color == COLOR_OTHER)
		return NULL;
	*c = r->series[g->series].color;
	return g->name;
}

static void draw_density(struct drawing *d, const struct scan *s)
{
	double most = 0;

	for (int i = 0; i < SCAN_SIZES; i++)
		for (int k = 0; k < SCAN_LEVELS; k++)
			most = fmax(most, s->size_cell[i][k]);
	for (int level = 0; level < FIGURE_RAMP; level++) {
		for (int i = 0; i < SCAN_SIZES; i++)
			for (int k = 0; k < SCAN_LEVELS; k++)
				if (ramp_level(s->size_cell[i][k], most) == level)
					draw_row(d, (double)i / SCAN_SIZES,
						 (i + 1.0) / SCAN_SIZES,
						 axis_edge(&s->latency, (size_t)k,
							   SCAN_LEVELS),
						 axis_edge(&s->latency, (size_t)k + 1,
							   SCAN_LEVELS));
		draw_rects(d, (enum color)(COLOR_D0 + level), 1);
	}
	legend_ramp(d, most, "transfers in a cell");
}

static void draw_single(struct drawing *d, const struct report *r)
{
	const struct scan *s = r->scan;

	for (int g = 0; g < r->nseries; g++) {
		for (size_t i = 0; i < s->npoints; i++)
			if (s->point[i].series == g && s->point[i].size_bytes >= 0)
				draw_row(d, axis_pos(&s->size, s->point[i].size_bytes),
					 axis_pos(&s->latency, s->point[i].latency_ns), 0,
					 0);
		draw_points(d, r->series[g].color, s->npoints > 300 ? 0.35 : 0.7, 7);
	}
}

/* latency = a + size * slope along the size axis, where it lies on the picture. */
static void draw_law(struct drawing *d, const struct scan *s, double a, double slope,
		     enum color c, double width, int dash)
{
	bool before = false;

	for (int i = 0; i <= 100; i++) {
		double v = a + slope * axis_value(&s->size, i / 100.0),
		       y = axis_pos(&s->latency, v);

		if (y >= -0.02 && y <= 1.02) {
			draw_row(d, i / 100.0, y, 0, 0);
			before = true;
		} else if (before) {
			draw_gap(d);
			before = false;
		}
	}
	draw_line(d, c, width, dash);
}

static void draw_fits(struct drawing *d, const struct report *r)
{
	const struct scan *s = r->scan;
	enum color c = COLOR_INK;
	char a[32], rate[32];

	for (size_t i = 0; i < r->nfit; i++) {
		const struct fit *f = &r->fit[i];
		const char *name = group_name_of(r, f, &c);

		if (!name)
			continue;
		draw_law(d, s, f->a, f->slope, COLOR_BACK, 4, 1);
		draw_law(d, s, f->a, f->slope, c, 2, 1);
		panel_legend_line(d, c, 1, name);
		if (f->slope > 0)
			draw_hover(d, 0.5,
				   axis_pos(&s->latency,
					    f->a + f->slope * axis_value(&s->size, 0.5)),
				   "%s: a = %s, bandwidth %s", name,
				   axis_print(AXIS_NS, f->a, a, sizeof(a)),
				   axis_print(AXIS_BYTES_PER_S, 1e9 / f->slope, rate,
					      sizeof(rate)));
	}
}

static void draw_outliers(struct drawing *d, const struct scan *s)
{
	for (size_t i = 0; i < s->noutliers; i++)
		draw_row(d, axis_pos(&s->size, s->outlier[i].size_bytes),
			 axis_pos(&s->latency, s->outlier[i].latency_ns), 0, 0);
	draw_points(d, COLOR_WARN, 1.1, 6);
}

static void draw_size(const struct figure *f, struct drawing *d)
{
	const struct sizes *z = f->data;
	const struct report *r = z->r;
	const struct scan *s = r->scan;
	char title[64], limit[80], rate[32];
	struct axis x;

	axis_init_scale(&x, AXIS_BYTES, s->size.scale, s->size.lo, s->size.hi,
			drawing_narrow(d) ? 5 : 9);
	panel_begin(d, 0, drawing_narrow(d) ? 0.38 : 0.2, 1, 0.88);
	snprintf(title, sizeof(title), "latency (%s)", phase_name(r->latency));
	panel_axes(d, &x, "size", &s->latency, title);
	if (s->npoints <= SCAN_POINTS)
		draw_single(d, r);
	else
		draw_density(d, s);
	if (!r->nfit && s->npoints <= SCAN_POINTS)
		legend_series(d, r);
	draw_fits(d, r);
	if (!isnan(z->link)) {
		snprintf(limit, sizeof(limit), "link limit %s",
			 axis_print(AXIS_BYTES_PER_S, z->link, rate, sizeof(rate)));
		draw_law(d, s, 0, 1e9 / z->link, COLOR_INK, 1.4, 2);
		panel_legend_line(d, COLOR_INK, 2, limit);
	}
	if (s->noutliers) {
		draw_outliers(d, s);
	}
}

/* The link of the device whose vector ended the transfers, or the only one known. */
static int link_row(struct db_stmt *st, void *arg)
{
	double speed = strtod(column_text(st, "speed", "0"), NULL);
	double width = strtod(column_text(st, "width", "0"), NULL);
	double *out = arg;

	/* GT/s and lanes; 8b/10b below 8 GT/s, 128b/130b from there (PCI Express
	 * Base, 4.2) */
	if (speed > 0 && width > 0 && speed < 200 && width <= 32)
		*out = speed * 1e9 * width / 8 * (speed < 7.9 ? 0.8 : 128.0 / 130);
	return 0;
}

static void describe_fit(const struct report *r, struct figure *f)
{
	char a[32], lo[32], hi[32], rate[32], rlo[32], rhi[32];
	size_t at = strlen(f->caption), told = 0;
	enum color c;

	for (size_t i = 0; i < r->nfit && told < 3 && at < 700; i++) {
		const struct fit *fit = &r->fit[i];
		const char *name = group_name_of(r, fit, &c);

		if (!name) /* one of many that have no colour of their own */
			continue;
		told++;
		at += (size_t)snprintf(
			f->caption + at, sizeof(f->caption) - at,
			" %s: a = %s (%s to %s), bandwidth %s", name,
			axis_print(AXIS_NS, fit->a, a, 32),
			axis_print(AXIS_NS, fit->a_low, lo, 32),
			axis_print(AXIS_NS, fit->a_high, hi, 32),
			axis_print(AXIS_BYTES_PER_S, 1e9 / fit->slope, rate, 32));
		at += (size_t)snprintf(
			f->caption + at, sizeof(f->caption) - at, " (%s to %s).",
			axis_print(AXIS_BYTES_PER_S, 1e9 / fit->slope_high, rlo, 32),
			axis_print(AXIS_BYTES_PER_S, 1e9 / fit->slope_low, rhi, 32));
	}
	if (!r->nfit)
		snprintf(
			f->caption + at, sizeof(f->caption) - at,
			r->most_sizes < 2
				? " No line: all transfers have one size."
				: " No line, and no bandwidth: latency does not follow size "
				  "clearly enough.");
	else if (r->nfit > told)
		snprintf(f->caption + at, sizeof(f->caption) - at,
			 " The other fits are in the table.");
}

int make_size(struct report *r, struct figure *fig, size_t *n, struct err *e)
{
	struct figure *f = &fig[(*n)++];
	struct sizes *z = calloc(1, sizeof(*z));
	size_t at;
	int error;

	if (!z)
		return err_nomem(e, "a report");
	*z = (struct sizes){r, NAN};
	f->data = z;
	f->release = free;
	f->draw = draw_size;
	snprintf(f->name, sizeof(f->name), "size");
	snprintf(f->title, sizeof(f->title), "Latency against size: %s",
		 phase_words(r->latency));
	if (no_latency(r, r->latency, f))
		return 0;
	if (!r->scan->sized) {
		snprintf(f->why_not, sizeof(f->why_not),
			 "the size of no transfer is known; a profile or --start with "
			 "size= tells dmarec where it is.");
		return 0;
	}
	error = report_query(r, "report_link", link_row, &z->link, e);
	caption_counts(r, r->latency, f->caption, sizeof(f->caption));
	at = strlen(f->caption);
	snprintf(f->caption + at, sizeof(f->caption) - at, "%s%s%s",
		 r->nfit ? " Lines: latency = a + size / bandwidth (Theil and Sen), with "
			   "95 % intervals."
			 : "",
		 r->scan->noutliers ? " Rings: the transfers farthest above their line."
				    : "",
		 isnan(z->link)
			 ? ""
			 : " The link's limit is its raw rate, before packet overhead.");
	describe_fit(r, f);
	snprintf(f->alt, sizeof(f->alt),
		 "Latency against transfer size with a fitted "
		 "line for each channel and direction.");
	return error;
}
