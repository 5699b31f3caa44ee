/* SPDX-License-Identifier: GPL-2.0-only */
/* Plot 6: where the time goes, in the transfers near the median and in those near p99. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "report/plots.h"

enum { MAX_ROWS = 1 + FIGURE_SERIES, PARTS = 4 };

static const char *const part_name[PARTS] = {"api", "device", "notice",
					     "doorbell to woken, no interrupt between"};
static const enum color part_color[PARTS] = {COLOR_P0, COLOR_P1, COLOR_P2, COLOR_SOFT};

struct phases {
	const struct report *r;
	struct phase_row {
		const char *name;
		const struct near *near; /* [2]: near the median, near p99 */
	} row[MAX_ROWS];
	size_t n;
	bool has[PARTS];
};

/* Mean of a part over the transfers of a row. */
static double part(const struct near *n, int p)
{
	return (p < PHASE_TOTAL ? n->ns[p] : n->rest_ns) / (double)n->n;
}

static void add_row(struct phases *t, const char *name, const struct near *near)
{
	if ((!near[0].n && !near[1].n) || t->n == MAX_ROWS)
		return;
	t->row[t->n++] = (struct phase_row){name, near};
	for (int which = 0; which < 2; which++)
		for (int p = 0; p < PARTS; p++)
			t->has[p] |= near[which].n && fabs(part(&near[which], p)) > 0;
}

static double extent(const struct phases *t, int which)
{
	double most = 0;

	for (size_t i = 0; i < t->n; i++) {
		const struct near *n = &t->row[i].near[which];
		double sum = 0;

		for (int p = 0; n->n && p < PARTS; p++)
			sum += fmax(part(n, p), 0);
		most = fmax(most, sum);
	}
	return most;
}

static void draw_bars(struct drawing *d, const struct phases *t, int which,
		      const struct axis *x, double h)
{
	for (int p = 0; p < PARTS; p++) {
		for (size_t i = 0; i < t->n; i++) {
			const struct near *n = &t->row[i].near[which];
			double from = 0;

			if (!n->n || !(part(n, p) > 0))
				continue;
			for (int k = 0; k < p; k++)
				from += fmax(part(n, k), 0);
			draw_row(d, axis_pos(x, from), axis_pos(x, from + part(n, p)),
				 1 - ((double)i + 0.86) * h, 1 - ((double)i + 0.44) * h);
		}
		draw_rects(d, part_color[p], 1);
	}
}

static void hover_row(struct drawing *d, const struct phase_row *row, int which, double y)
{
	const struct near *n = &row->near[which];
	char v[PARTS][32];

	for (int p = 0; p < PARTS; p++)
		axis_print(AXIS_NS, part(n, p), v[p], 32);
	draw_hover(d, 0.3, y, "%s, %s: api %s, device %s, notice %s", row->name,
		   which ? "near p99" : "near the median", v[0], v[1], v[2]);
}

/* The scale says what a bar's length is, so that its end needs its figure only. */
static void draw_side(struct drawing *d, const struct phases *t, int which)
{
	double h = 1.0 / (double)t->n;
	struct axis x;
	char text[120], v[32], n[32];

	axis_init_scale(&x, AXIS_NS, AXIS_LINEAR, 0, fmax(extent(t, which) * 1.02, 1),
			drawing_narrow(d) ? 4 : 5);
	panel_axes(d, &x, which ? "near p99" : "near the median", NULL, NULL);
	draw_bars(d, t, which, &x, h);
	for (size_t i = 0; i < t->n; i++) {
		const struct near *near = &t->row[i].near[which];

		if (near->n)
			snprintf(text, sizeof(text), "%s: %s, mean of %s", t->row[i].name,
				 axis_print(AXIS_NS,
					    near->ns[PHASE_TOTAL] / (double)near->n, v,
					    sizeof(v)),
				 text_count(near->n, n));
		else
			snprintf(text, sizeof(text), "%s: none", t->row[i].name);
		draw_text(d, 0, 1 - ((double)i + 0.22) * h, 3, 0, ALIGN_LEFT, COLOR_INK,
			  text);
		if (!which && near->n)
			hover_row(d, &t->row[i], which, 1 - ((double)i + 0.65) * h);
	}
}

static void draw_phases(const struct figure *f, struct drawing *d)
{
	const struct phases *t = f->data;

	if (drawing_narrow(d))
		panel_begin(d, -0.13, 0.15, 1, 0.45);
	else
		panel_begin(d, -0.04, 0.12, 0.46, 0.78);
	for (int p = 0; p < PARTS; p++)
		if (t->has[p])
			panel_legend(d, part_color[p], part_name[p]);
	draw_side(d, t, 0);
	if (drawing_narrow(d))
		panel_begin(d, -0.13, 0.62, 1, 0.92);
	else
		panel_begin(d, 0.5, 0.12, 1, 0.78);
	draw_side(d, t, 1);
}

int make_phases(struct report *r, struct figure *fig, size_t *n, struct err *e)
{
	struct figure *f = &fig[(*n)++];
	struct phases *t = calloc(1, sizeof(*t));

	if (!t)
		return err_nomem(e, "a report");
	t->r = r;
	f->data = t;
	f->release = free;
	f->draw = draw_phases;
	snprintf(f->name, sizeof(f->name), "phases");
	snprintf(f->title, sizeof(f->title), "Where the time goes");
	add_row(t, "all transfers", r->scan->near_all);
	for (int s = 0; s < r->nseries && r->nseries > 1; s++)
		if (r->series[s].color != COLOR_OTHER)
			add_row(t, r->series[s].name, r->scan->near[s]);
	if (!t->n || !(extent(t, 0) > 0)) {
		if (!no_latency(r, PHASE_TOTAL, f))
			snprintf(f->why_not, sizeof(f->why_not),
				 "the phases of no transfer are known.");
		return 0;
	}
	f->height = 150 + 56 * (double)t->n;
	f->height_narrow = 210 + 96 * (double)t->n;
	snprintf(f->caption, sizeof(f->caption),
		 "The phases of the transfers whose total time lies within 5 %% of its "
		 "median, and of those within 5 %% of its p99: means over the same "
		 "transfers, so that the parts add up to the whole. api: submit → "
		 "doorbell; device: doorbell → interrupt; notice: interrupt → woken.%s",
		 r->summary[PHASE_DEVICE].negative > 0 ? " A mean below 0 has no bar."
						       : "");
	snprintf(f->alt, sizeof(f->alt),
		 "Bars of what the phases take in the transfers near the median and in "
		 "those near the 99th percentile of the total time.");
	return 0;
}
