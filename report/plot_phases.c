/* SPDX-License-Identifier: GPL-2.0-only */
/* Plot 7: where the time goes, phase after phase, at the median and at p99. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/db.h"
#include "lib/err.h"
#include "report/plots.h"

enum { MAX_ROWS = 1 + FIGURE_SERIES };

struct phases {
	const struct report *r;
	struct phase_row {
		char name[64];
		double v[2][PHASE_N]; /* median, p99; NAN = not known */
	} row[MAX_ROWS];
	size_t n, more;
};

static int quantile_row(struct db_stmt *st, void *arg)
{
	struct phases *t = arg;
	int p = phase_parse(column_text(st, 3, "")), dir;
	double q = db_real(st, 4);
	const char *name = "all transfers";
	const struct group *g = NULL;
	size_t i;

	if (column_text(st, 2, NULL)) {
		dir = direction_parse(column_text(st, 2, "unknown"));
		g = report_group(t->r, db_i64(st, 0), db_i64(st, 1), dir < 0 ? 0 : dir);
		if (!g || t->r->series[g->series].color == COLOR_OTHER ||
		    t->r->nseries < 2)
			return 0;
		name = g->name;
	} else if (db_i64(st, 1) != DMA_UNKNOWN || db_i64(st, 0) != DMA_UNKNOWN) {
		return 0;
	}
	for (i = 0; i < t->n && strcmp(t->row[i].name, name); i++)
		;
	if (i == MAX_ROWS || p < 0)
		return 0;
	if (i == t->n) {
		snprintf(t->row[t->n++].name, sizeof(t->row[0].name), "%s", name);
		for (int k = 0; k < 2 * PHASE_N; k++)
			t->row[i].v[k / PHASE_N][k % PHASE_N] = NAN;
	}
	t->row[i].v[q > 0.9][p] = db_real(st, 5);
	return 0;
}

static double extent(const struct phases *t, int which)
{
	double most = 0;

	for (size_t i = 0; i < t->n; i++) {
		double sum = 0;

		for (int p = 0; p < PHASE_TOTAL; p++)
			sum += t->row[i].v[which][p] > 0 ? t->row[i].v[which][p] : 0;
		most = fmax(most, fmax(sum, t->row[i].v[which][PHASE_TOTAL]));
	}
	return most;
}

static void draw_side(struct drawing *d, const struct phases *t, int which, bool names)
{
	static const enum color color[] = {COLOR_S4, COLOR_S0, COLOR_S2};
	double h = 1.0 / (double)t->n;
	struct axis x;
	char v[3][32];

	axis_init_scale(&x, AXIS_NS, AXIS_LINEAR, 0, fmax(extent(t, which) * 1.02, 1),
			drawing_narrow(d) ? 4 : 5);
	panel_axes(d, &x, which ? "p99 of each phase" : "median of each phase", NULL,
		   NULL);
	for (int p = 0; p < PHASE_TOTAL; p++) {
		for (size_t i = 0; i < t->n; i++) {
			double from = 0, w = t->row[i].v[which][p];

			for (int k = 0; k < p; k++)
				from += t->row[i].v[which][k] > 0 ? t->row[i].v[which][k]
								  : 0;
			if (w > 0)
				draw_row(d, axis_pos(&x, from), axis_pos(&x, from + w),
					 1 - ((double)i + 0.82) * h,
					 1 - ((double)i + 0.38) * h);
		}
		draw_rects(d, color[p], 1);
	}
	for (size_t i = 0; i < t->n; i++)
		if (t->row[i].v[which][PHASE_TOTAL] > 0) {
			double at = axis_pos(&x, t->row[i].v[which][PHASE_TOTAL]);

			draw_row(d, at, at, 1 - ((double)i + 0.9) * h,
				 1 - ((double)i + 0.3) * h);
		}
	draw_segments(d, COLOR_INK, 2, 0);
	for (size_t i = 0; i < t->n; i++) {
		if (names)
			draw_text(d, 0, 1 - ((double)i + 0.2) * h, 3, 0, ALIGN_LEFT,
				  COLOR_INK, t->row[i].name);
		for (int p = 0; p < 3; p++)
			if (isnan(t->row[i].v[which][p]))
				snprintf(v[p], 32, "not known");
			else
				axis_print(AXIS_NS, t->row[i].v[which][p], v[p], 32);
		if (!which)
			draw_hover(d, 0.3, 1 - ((double)i + 0.6) * h,
				   "%s, median: api %s, device %s, notice %s",
				   t->row[i].name, v[0], v[1], v[2]);
	}
}

static void draw_phases(const struct figure *f, struct drawing *d)
{
	const struct phases *t = f->data;
	static const char *const name[] = {"api", "device", "notice"};
	static const enum color color[] = {COLOR_S4, COLOR_S0, COLOR_S2};

	if (drawing_narrow(d))
		panel_begin(d, -0.13, 0.1, 1, 0.46);
	else
		panel_begin(d, -0.04, 0.1, 0.46, 0.88);
	for (int p = 0; p < 3; p++)
		panel_legend(d, color[p], name[p]);
	panel_legend_line(d, COLOR_INK, 1, "total");
	draw_side(d, t, 0, true);
	if (drawing_narrow(d))
		panel_begin(d, -0.13, 0.58, 1, 0.92);
	else
		panel_begin(d, 0.5, 0.1, 1, 0.88);
	draw_side(d, t, 1, true);
}

int make_phases(struct report *r, struct figure *fig, size_t *n, struct err *e)
{
	struct figure *f = &fig[(*n)++];
	struct phases *t = calloc(1, sizeof(*t));
	char counts[700];
	int error;

	if (!t)
		return err_nomem(e, "a report");
	t->r = r;
	f->data = t;
	f->release = free;
	f->draw = draw_phases;
	snprintf(f->name, sizeof(f->name), "phases");
	snprintf(f->title, sizeof(f->title), "Phases: api, device, notice");
	error = report_query(r, "report_phases", quantile_row, t, e);
	if (!error && (!t->n || !(extent(t, 0) > 0))) {
		if (!no_latency(r, PHASE_TOTAL, f))
			snprintf(f->why_not, sizeof(f->why_not),
				 "no phase has a known, positive median.");
		return 0;
	}
	f->height = 130 + 44 * (double)t->n;
	f->height_narrow = 180 + 84 * (double)t->n;
	caption_counts(r, PHASE_TOTAL, counts, sizeof(counts));
	snprintf(f->caption, sizeof(f->caption),
		 "%s Each bar is the quantile of its phase alone, so the bars need "
		 "not add up to the total's, which is the black line. api: submit "
		 "→ doorbell; device: doorbell → interrupt; notice: interrupt → "
		 "woken. A phase whose quantile is below 0 has no bar.",
		 counts);
	snprintf(f->alt, sizeof(f->alt),
		 "Bars of the median and the 99th percentile of the phases api, device "
		 "and notice, for all "
		 "transfers and for each channel and direction.");
	return error;
}
