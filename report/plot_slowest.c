/* SPDX-License-Identifier: GPL-2.0-only */
/* Plot 8: the ten slowest transfers as time lines, with what happened around them. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/db/db.h"
#include "lib/err.h"
#include "lib/num.h"
#include "report/plots.h"

enum {
	BEFORE = 1000, /* transfers looked at that began before, by number */
	CELLS = 300,   /* of a row's time line */
	LANES = 3,
};

struct slowest {
	const struct report *r;
	struct around {
		int16_t flight[CELLS + 1]; /* differences of the others in flight */
		bool irq[CELLS], same_cpu[CELLS];
		int64_t t0, t1, own_irq_ns, cpu, id;
		size_t others;
	} around[SCAN_SLOW];
	double longest;
	bool share; /* each row is as long as the others */
};

static int64_t end_of(const struct slow *t)
{
	return t->woken_ns != DMA_UNKNOWN &&
			       (t->irq_ns == DMA_UNKNOWN || t->woken_ns > t->irq_ns)
		       ? t->woken_ns
		       : t->irq_ns;
}

static int cell_at(const struct around *a, int64_t ns)
{
	double at = (double)(ns - a->t0) / (double)(a->t1 - a->t0) * CELLS;

	return at < 0 ? 0 : at >= CELLS ? CELLS - 1 : (int)at;
}

static void note_irq(struct around *a, int64_t ns, int64_t cpu)
{
	if (ns == DMA_UNKNOWN || ns < a->t0 || ns > a->t1)
		return;
	a->irq[cell_at(a, ns)] = true;
	if (cpu == a->cpu && cpu != DMA_UNKNOWN)
		a->same_cpu[cell_at(a, ns)] = true;
}

/* Transfers come in order of submit, so the first behind the window ends the search. */
static int transfer_row(struct db_stmt *st, void *arg)
{
	struct around *a = arg;
	int64_t submit = db_i64(st, "submit_ns"), irq_ns = db_i64(st, "irq_ns"),
		end = db_i64(st, "woken_ns");

	if (submit != DMA_UNKNOWN && submit >= a->t1)
		return 1;
	if (submit == DMA_UNKNOWN || db_i64(st, "id") == a->id)
		return 0;
	if (end == DMA_UNKNOWN)
		end = irq_ns;
	if (end != DMA_UNKNOWN && end > a->t0) {
		a->flight[cell_at(a, submit)]++;
		a->flight[cell_at(a, end) + 1]--;
		a->others++;
	}
	if (irq_ns != a->own_irq_ns)
		note_irq(a, irq_ns, db_i64(st, "irq_cpu"));
	return 0;
}

static int stray_row(struct db_stmt *st, void *arg)
{
	note_irq(arg, db_i64(st, "time_ns"), db_i64(st, "cpu"));
	return 0;
}

static int load_around(struct slowest *z, size_t i, struct err *e)
{
	const struct slow *t = &z->r->scan->slow[i];
	struct around *a = &z->around[i];
	struct db_stmt *st;
	int error;

	a->id = t->id;
	a->t0 = t->submit_ns;
	a->t1 = end_of(t);
	a->own_irq_ns = t->irq_ns;
	a->cpu = t->irq_cpu;
	if (a->t0 == DMA_UNKNOWN || a->t1 == DMA_UNKNOWN || a->t1 <= a->t0)
		return 0;
	z->longest = fmax(z->longest, (double)(a->t1 - a->t0));
	error = report_prepare(z->r, "report_around", &st, e);
	if (error)
		return error;
	db_bind_i64(st, ":id", t->id - BEFORE);
	error = report_rows(st, transfer_row, a, e);
	if (!error)
		error = report_prepare(z->r, "report_strays_around", &st, e);
	if (error)
		return error;
	db_bind_i64(st, ":from", a->t0);
	db_bind_i64(st, ":to", a->t1);
	return report_rows(st, stray_row, a, e);
}

/* Where on the axis a time since the submit of row i lies. */
static double at(const struct slowest *z, const struct axis *x, size_t i, int64_t ns)
{
	const struct around *a = &z->around[i];

	return axis_pos(x, z->share ? (double)ns / (double)(a->t1 - a->t0) : (double)ns);
}

enum { UNPARTED = PHASE_TOTAL, PARTS }; /* doorbell to woken, no interrupt between */

/* From and to of part p of a transfer; false = it has none. */
static bool part_of(const struct slow *t, int p, int64_t *from, int64_t *to)
{
	int64_t bell = t->doorbell_ns != DMA_UNKNOWN ? t->doorbell_ns : t->submit_ns;
	bool parted = t->irq_ns != DMA_UNKNOWN;

	if (p != PHASE_API && parted == (p == UNPARTED))
		return false;
	*from = p == PHASE_API ? t->submit_ns : p == PHASE_NOTICE ? t->irq_ns : bell;
	*to = p == PHASE_API ? bell : p == PHASE_DEVICE ? t->irq_ns : t->woken_ns;
	return *from != DMA_UNKNOWN && *to != DMA_UNKNOWN && *to > *from &&
	       t->submit_ns != DMA_UNKNOWN;
}

static void segments(struct drawing *d, const struct slowest *z, const struct axis *x,
		     int p)
{
	const struct scan *s = z->r->scan;
	double h = 1.0 / (double)s->nslow;
	int64_t from, to;

	for (size_t i = 0; i < s->nslow; i++)
		if (part_of(&s->slow[i], p, &from, &to))
			draw_row(d, at(z, x, i, from - s->slow[i].submit_ns),
				 at(z, x, i, to - s->slow[i].submit_ns),
				 1 - ((double)i + 0.62) * h, 1 - ((double)i + 0.4) * h);
}

static bool has_part(const struct scan *s, int p)
{
	int64_t from, to;

	for (size_t i = 0; i < s->nslow; i++)
		if (part_of(&s->slow[i], p, &from, &to))
			return true;
	return false;
}

/* Interrupts on the CPU that took a transfer's own, or on others. */
static bool has_ticks(const struct slowest *z, bool same_cpu)
{
	for (size_t i = 0; i < z->r->scan->nslow; i++)
		for (int k = 0; k < CELLS; k++)
			if (z->around[i].irq[k] && z->around[i].same_cpu[k] == same_cpu)
				return true;
	return false;
}

static bool has_others(const struct slowest *z)
{
	for (size_t i = 0; i < z->r->scan->nslow; i++)
		if (z->around[i].others)
			return true;
	return false;
}

/* Lane k is grey where more than k others were in flight. */
static void draw_lane(struct drawing *d, const struct around *a, double end, double top,
		      double h, int lane)
{
	int flight = 0, from = -1;

	for (int i = 0; i <= CELLS; i++) {
		bool busy;

		flight += a->flight[i];
		busy = i < CELLS && flight > lane;
		if (busy && from < 0)
			from = i;
		if (!busy && from >= 0) {
			draw_row(d, end * from / CELLS, end * i / CELLS,
				 top - (0.74 + 0.09 * lane) * h,
				 top - (0.67 + 0.09 * lane) * h);
			from = -1;
		}
	}
}

static double width_of(const struct slowest *z, const struct axis *x, size_t i)
{
	const struct around *a = &z->around[i];

	return a->t1 > a->t0 ? at(z, x, i, a->t1 - a->t0) : 0;
}

static void draw_around(struct drawing *d, const struct slowest *z, const struct axis *x)
{
	size_t n = z->r->scan->nslow;
	double h = 1.0 / (double)n;

	for (size_t i = 0; i < n; i++)
		for (int lane = 0; lane < LANES; lane++)
			draw_lane(d, &z->around[i], width_of(z, x, i), 1 - (double)i * h,
				  h, lane);
	draw_rects(d, COLOR_OTHER, 1);
	for (int same = 0; same < 2; same++) {
		for (size_t i = 0; i < n; i++)
			for (int k = 0; k < CELLS; k++) {
				const struct around *a = &z->around[i];
				double cell = width_of(z, x, i) * (k + 0.5) / CELLS;

				if (a->irq[k] && a->same_cpu[k] == (bool)same)
					draw_row(d, cell, cell,
						 1 - ((double)i + 0.92) * h,
						 1 - ((double)i + 0.62) * h);
			}
		draw_segments(d, same ? COLOR_WARN : COLOR_INK, same ? 1.6 : 0.7, 0);
	}
}

/* Rows of one scale while all can be seen on it; else each is as long as the others, and the
 * scale is the share of its own time. */
static bool of_one_scale(const struct slowest *z)
{
	static const double most =
		6; /* times the shortest: its bar has 50 of 300 pixels */
	double shortest = z->longest;

	for (size_t i = 0; i < z->r->scan->nslow; i++)
		if (z->around[i].t1 > z->around[i].t0)
			shortest = fmin(shortest,
					(double)(z->around[i].t1 - z->around[i].t0));
	return z->longest <= most * shortest;
}

/* "channel 0 to host", for a phone "ch 0 to host". */
static const char *group_text(const struct drawing *d, const struct group *g, char *buf,
			      size_t len)
{
	static const char word[] = "channel";
	const char *at = g ? strstr(g->name, word) : NULL;

	if (!g)
		return "–";
	if (!at || !drawing_narrow(d))
		return g->name;
	snprintf(buf, len, "%.*sch%s", (int)(at - g->name), g->name,
		 at + sizeof(word) - 1);
	return buf;
}

/* What it was and what it took, above its bar. */
static void label_row(struct drawing *d, const struct slowest *z, size_t i, double y)
{
	const struct slow *t = &z->r->scan->slow[i];
	const struct group *g = report_group(z->r, t->card, t->channel, t->direction);
	char text[200], size[32], v[32], whole[32], name[96];
	int64_t whole_ns = z->around[i].t1 - z->around[i].t0;
	bool both = z->share && whole_ns != t->latency_ns;

	snprintf(text, sizeof(text), "%s%s%s, %s, %s",
		 axis_print(AXIS_NS, (double)t->latency_ns, v, sizeof(v)),
		 both ? " of " : "",
		 both ? axis_print(AXIS_NS, (double)whole_ns, whole, sizeof(whole)) : "",
		 t->size_bytes == DMA_UNKNOWN ? "size not known"
					      : num_print_bytes(size, t->size_bytes),
		 group_text(d, g, name, sizeof(name)));
	draw_text(d, 0, y, 3, 0, ALIGN_LEFT, COLOR_INK, text);
}

static void draw_slowest(const struct figure *f, struct drawing *d)
{
	static const enum color color[PARTS] = {COLOR_P0, COLOR_P1, COLOR_P2, COLOR_SOFT};
	static const char *const name[PARTS] = {"api", "device", "notice",
						"doorbell to woken"};
	const struct slowest *z = f->data;
	const struct scan *s = z->r->scan;
	double h = 1.0 / (double)s->nslow;
	struct axis x;
	char text[64], v[32];

	if (z->share)
		axis_init_scale(&x, AXIS_SHARE, AXIS_LINEAR, 0, 1,
				drawing_narrow(d) ? 3 : 5);
	else
		axis_init_scale(&x, AXIS_NS, AXIS_LINEAR, 0, fmax(z->longest * 1.01, 1),
				drawing_narrow(d) ? 4 : 8);
	/* a phone's margin holds four digits of a transfer's number */
	panel_begin(d, drawing_narrow(d) ? 0.06 : 0, drawing_narrow(d) ? 0.18 : 0.1, 1,
		    0.91);
	for (int p = 0; p < PARTS; p++)
		if (has_part(s, p))
			panel_legend(d, color[p], name[p]);
	if (has_others(z))
		panel_legend(d, COLOR_OTHER, "others in flight");
	if (has_ticks(z, false))
		panel_legend_line(d, COLOR_INK, 1, "other interrupts");
	if (has_ticks(z, true))
		panel_legend_line(d, COLOR_WARN, 1, "on its CPU");
	panel_axes(d, &x, z->share ? "share of its own time" : "since its submit", NULL,
		   NULL);
	for (int p = 0; p < PARTS; p++) {
		segments(d, z, &x, p);
		draw_rects(d, color[p], 1);
	}
	draw_around(d, z, &x);
	for (size_t i = 0; i < s->nslow; i++) {
		const struct slow *t = &s->slow[i];

		snprintf(text, sizeof(text), "#%" PRId64, t->id);
		draw_text(d, 0, 1 - ((double)i + 0.4) * h, -6, 0, ALIGN_RIGHT, COLOR_SOFT,
			  text);
		label_row(d, z, i, 1 - ((double)i + 0.15) * h);
		draw_hover(d, 0.1, 1 - ((double)i + 0.4) * h,
			   "transfer %" PRId64 ": %s, %s; %zu others in flight", t->id,
			   axis_print(AXIS_NS, (double)t->latency_ns, v, sizeof(v)),
			   state_words((enum transfer_state)t->state),
			   z->around[i].others);
	}
}

int make_slowest(struct report *r, struct figure *fig, size_t *n, struct err *e)
{
	struct figure *f = &fig[(*n)++];
	struct slowest *z = calloc(1, sizeof(*z));
	int error = 0;

	if (!z)
		return err_nomem(e, "a report");
	z->r = r;
	f->data = z;
	f->release = free;
	f->draw = draw_slowest;
	snprintf(f->name, sizeof(f->name), "slowest");
	snprintf(f->title, sizeof(f->title),
		 r->scan->nslow == 0   ? "The slowest transfers"
		 : r->scan->nslow == 1 ? "The only transfer with a latency"
				       : "The %zu slowest transfers (%s)",
		 r->scan->nslow, phase_name(r->latency));
	if (no_latency(r, r->latency, f))
		return 0;
	for (size_t i = 0; i < r->scan->nslow && !error; i++)
		error = load_around(z, i, e);
	z->share = !of_one_scale(z);
	f->height = fmax(280, 110 + 50 * (double)r->scan->nslow);
	f->height_narrow = fmax(280, 130 + 50 * (double)r->scan->nslow);
	snprintf(f->caption, sizeof(f->caption),
		 "%s"
		 "Each row begins at its transfer's submit. Grey below it: "
		 "where at least one, two and three other transfers were in "
		 "flight. Ticks: interrupts that ended others, and strays; "
		 "red ones came on the CPU that took this transfer's own "
		 "interrupt. The table of them is among the tables.",
		 z->share ? "They differ by more than six times, so that each bar is as "
			    "long as the others; above it stands its latency, of its "
			    "time in all. "
			  : "");
	snprintf(f->alt, sizeof(f->alt),
		 "Time lines of the slowest transfers with their phases, "
		 "other transfers in flight and other interrupts.");
	return error;
}
