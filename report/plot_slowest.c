/* SPDX-License-Identifier: GPL-2.0-only */
/* Plot 8: the ten slowest transfers as time lines, with what happened around them. */
#include <inttypes.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "plots.h"

enum { AROUND = 100 /* neighbours looked at, by number, each way */, MAX_OTHERS = 64 };

struct slowest {
	const struct report *r;
	struct around {
		struct other {
			double from, to;
		} transfer[MAX_OTHERS]; /* in flight at the same time, from the transfer's
					   submit */
		struct seen {
			double at;
			bool same_cpu;
		} interrupt[MAX_OTHERS]; /* other interrupts, strays included */
		size_t ntransfer, ninterrupt;
		int64_t t0, t1, own_irq_ns, cpu, id;
	} around[SCAN_SLOW];
	double longest;
};

static int64_t end_of(const struct slow *t)
{
	return t->woken_ns != DMA_UNKNOWN &&
			       (t->irq_ns == DMA_UNKNOWN || t->woken_ns > t->irq_ns)
		       ? t->woken_ns
		       : t->irq_ns;
}

static int transfer_row(sqlite3_stmt *st, void *arg)
{
	struct around *a = arg;
	int64_t submit = column_i64(st, 0), irq_ns = column_i64(st, 1),
		woken = column_i64(st, 2), end;

	end = woken != DMA_UNKNOWN ? woken : irq_ns;
	if (submit == DMA_UNKNOWN || column_i64(st, 4) == a->id)
		return 0;
	if (end != DMA_UNKNOWN && end > a->t0 && submit < a->t1 &&
	    a->ntransfer < MAX_OTHERS)
		a->transfer[a->ntransfer++] =
			(struct other){(double)(submit - a->t0), (double)(end - a->t0)};
	if (irq_ns != DMA_UNKNOWN && irq_ns >= a->t0 && irq_ns <= a->t1 &&
	    irq_ns != a->own_irq_ns && a->ninterrupt < MAX_OTHERS)
		a->interrupt[a->ninterrupt++] = (struct seen){
			(double)(irq_ns - a->t0), column_i64(st, 3) == a->cpu};
	return 0;
}

static int stray_row(sqlite3_stmt *st, void *arg)
{
	struct around *a = arg;

	if (a->ninterrupt < MAX_OTHERS)
		a->interrupt[a->ninterrupt++] = (struct seen){
			(double)(column_i64(st, 0) - a->t0), column_i64(st, 1) == a->cpu};
	return 0;
}

static int load_around(struct slowest *z, size_t i, struct err *e)
{
	const struct slow *t = &z->r->scan->slow[i];
	struct around *a = &z->around[i];
	char sql[400];
	int error;

	a->id = t->id;
	a->t0 = t->submit_ns;
	a->t1 = end_of(t);
	a->own_irq_ns = t->irq_ns;
	a->cpu = t->irq_cpu;
	if (a->t0 == DMA_UNKNOWN || a->t1 == DMA_UNKNOWN)
		return 0;
	z->longest = fmax(z->longest, (double)(a->t1 - a->t0));
	snprintf(sql, sizeof(sql),
		 "SELECT submit_ns, irq_ns, woken_ns, irq_cpu, id FROM transfer WHERE "
		 "run_id = :run AND id "
		 "BETWEEN %" PRId64 " AND %" PRId64,
		 t->id - AROUND, t->id + AROUND);
	error = report_query(z->r, sql, transfer_row, a, e);
	snprintf(sql, sizeof(sql),
		 "SELECT time_ns, cpu FROM stray WHERE run_id = :run AND kind = "
		 "'interrupt' AND time_ns "
		 "BETWEEN %" PRId64 " AND %" PRId64 " LIMIT 64",
		 a->t0, a->t1);
	return error ? error : report_query(z->r, sql, stray_row, a, e);
}

static void segments(struct drawing *d, const struct slowest *z, const struct axis *x,
		     int p)
{
	const struct scan *s = z->r->scan;
	double h = 1.0 / (double)s->nslow;

	for (size_t i = 0; i < s->nslow; i++) {
		const struct slow *t = &s->slow[i];
		int64_t bell =
			t->doorbell_ns != DMA_UNKNOWN ? t->doorbell_ns : t->submit_ns;
		int64_t irq = t->irq_ns != DMA_UNKNOWN ? t->irq_ns : t->woken_ns;
		int64_t from = p == 0 ? t->submit_ns : p == 1 ? bell : irq;
		int64_t to = p == 0 ? bell : p == 1 ? irq : t->woken_ns;

		if (from == DMA_UNKNOWN || to == DMA_UNKNOWN || to <= from ||
		    t->submit_ns == DMA_UNKNOWN)
			continue;
		draw_row(d, axis_pos(x, (double)(from - t->submit_ns)),
			 axis_pos(x, (double)(to - t->submit_ns)),
			 1 - ((double)i + 0.52) * h, 1 - ((double)i + 0.2) * h);
	}
}

static void draw_around(struct drawing *d, const struct slowest *z, const struct axis *x)
{
	const struct scan *s = z->r->scan;
	double h = 1.0 / (double)s->nslow;

	for (size_t i = 0; i < s->nslow; i++)
		for (size_t k = 0; k < z->around[i].ntransfer; k++) {
			double lane = 0.6 + 0.1 * (double)(k % 3),
			       a = axis_pos(x, z->around[i].transfer[k].from);
			double b = axis_pos(x, z->around[i].transfer[k].to);
			double end =
				axis_pos(x, (double)(z->around[i].t1 - z->around[i].t0));

			a = fmax(a, 0);
			b = fmin(b, end);
			if (b > a)
				draw_row(d, a, b, 1 - ((double)i + lane + 0.07) * h,
					 1 - ((double)i + lane) * h);
		}
	draw_rects(d, COLOR_OTHER, 1);
	for (int same = 0; same < 2; same++) {
		for (size_t i = 0; i < s->nslow; i++)
			for (size_t k = 0; k < z->around[i].ninterrupt; k++) {
				double at = axis_pos(x, z->around[i].interrupt[k].at);

				if (z->around[i].interrupt[k].same_cpu == (bool)same)
					draw_row(d, at, at, 1 - ((double)i + 0.94) * h,
						 1 - ((double)i + 0.56) * h);
			}
		draw_segments(d, same ? COLOR_WARN : COLOR_INK, same ? 1.8 : 1, 0);
	}
}

static void draw_slowest(const struct figure *f, struct drawing *d)
{
	static const enum color color[] = {COLOR_S4, COLOR_S0, COLOR_S2};
	static const char *const name[] = {"api", "device", "notice"};
	const struct slowest *z = f->data;
	const struct scan *s = z->r->scan;
	double h = 1.0 / (double)s->nslow;
	struct axis x;
	char text[64], v[32];

	axis_init_scale(&x, AXIS_NS, AXIS_LINEAR, 0, fmax(z->longest * 1.01, 1),
			drawing_narrow(d) ? 4 : 8);
	panel_begin(d, 0, drawing_narrow(d) ? 0.18 : 0.1, 1, 0.91);
	for (int p = 0; p < 3; p++)
		panel_legend(d, color[p], name[p]);
	panel_legend(d, COLOR_OTHER, "others in flight");
	panel_legend_line(d, COLOR_INK, 1, "other interrupts");
	panel_legend_line(d, COLOR_WARN, 1, "on its CPU");
	panel_axes(d, &x, "since its submit", NULL, NULL);
	for (int p = 0; p < 3; p++) {
		segments(d, z, &x, p);
		draw_rects(d, color[p], 1);
	}
	draw_around(d, z, &x);
	for (size_t i = 0; i < s->nslow; i++) {
		const struct slow *t = &s->slow[i];

		snprintf(text, sizeof(text), "#%" PRId64, t->id);
		draw_text(d, 0, 1 - ((double)i + 0.4) * h, -6, 0, ALIGN_RIGHT, COLOR_SOFT,
			  text);
		draw_hover(d, 0.1, 1 - ((double)i + 0.4) * h,
			   "transfer %" PRId64 ": %s, %s; %zu others in flight", t->id,
			   axis_print(AXIS_NS, (double)t->latency_ns, v, sizeof(v)),
			   state_words((enum transfer_state)t->state),
			   z->around[i].ntransfer);
	}
}

int make_slowest(struct report *r, struct figure *fig, size_t *n, struct err *e)
{
	struct figure *f = &fig[(*n)++];
	struct slowest *z = calloc(1, sizeof(*z));
	int error = 0;

	if (!z)
		return err_set(e, ERR_NOMEM, "out of memory");
	z->r = r;
	f->data = z;
	f->release = free;
	f->draw = draw_slowest;
	snprintf(f->name, sizeof(f->name), "slowest");
	snprintf(f->title, sizeof(f->title),
		 r->scan->nslow == 1 ? "The only transfer with a latency"
				     : "The %zu slowest transfers (%s)",
		 r->scan->nslow, phase_name(r->latency));
	if (no_latency(r, r->latency, f))
		return 0;
	for (size_t i = 0; i < r->scan->nslow && !error; i++)
		error = load_around(z, i, e);
	f->height = 110 + 40 * (double)r->scan->nslow;
	f->height_narrow = 130 + 36 * (double)r->scan->nslow;
	snprintf(f->caption, sizeof(f->caption),
		 "Each row begins at its transfer's submit. Grey: up to %d transfers "
		 "that were in "
		 "flight at the same time, among the %d started before and after. Ticks: "
		 "interrupts that ended others, and "
		 "strays; red ones came on the CPU that took this transfer's interrupt. "
		 "The table below names them.",
		 MAX_OTHERS, AROUND);
	snprintf(f->alt, sizeof(f->alt),
		 "Time lines of the slowest transfers with their phases, other transfers "
		 "in flight and other "
		 "interrupts.");
	return error;
}
