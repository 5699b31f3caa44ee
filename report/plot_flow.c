/* SPDX-License-Identifier: GPL-2.0-only */
/* Plot 6: throughput and transfers in flight; plot 9: interrupts by CPU and vector,
 * strays and missing. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/text.h"
#include "report/plots.h"

static double slice_ns(const struct scan *s)
{
	return (s->time.hi - s->time.lo) / (double)s->nslices;
}

/* A stair over the slices, value(i) / top. */
static void draw_stair(struct drawing *d, const struct scan *s, const double *v,
		       double top, enum color c, bool fill, int dash)
{
	double n = (double)s->nslices;

	if (fill) {
		for (size_t i = 0; i < s->nslices; i++)
			if (v[i] > 0)
				draw_row(d, (double)i / n, ((double)i + 1) / n, 0,
					 v[i] / top);
		draw_rects(d, c, 0.35);
	}
	for (size_t i = 0; i < s->nslices; i++) {
		draw_row(d, (double)i / n, v[i] / top, 0, 0);
		draw_row(d, ((double)i + 1) / n, v[i] / top, 0, 0);
	}
	draw_line(d, c, 1.6, dash);
}

static double largest(const double *v, size_t n)
{
	double most = 0;

	for (size_t i = 0; i < n; i++)
		most = fmax(most, v[i]);
	return most;
}

static void time_ticks(struct axis *x, const struct scan *s, const struct drawing *d)
{
	axis_init_scale(x, AXIS_NS, AXIS_LINEAR, s->time.lo, s->time.hi,
			drawing_narrow(d) ? 4 : 9);
}

static void panel_throughput(struct drawing *d, const struct scan *s,
			     const struct axis *x)
{
	double rate[SCAN_TIME];
	struct axis y;
	char v[32], at[32];

	for (size_t i = 0; i < s->nslices; i++)
		rate[i] = s->bytes[i] / slice_ns(s) * 1e9;
	axis_init_scale(&y, AXIS_BYTES_PER_S, AXIS_LINEAR, 0,
			fmax(largest(rate, s->nslices) * 1.05, 1), 4);
	panel_axes(d, x, NULL, &y, "throughput");
	draw_stair(d, s, rate, y.hi, COLOR_OTHER, true, 1);
	for (size_t i = 0; i < s->nslices; i++) {
		double xp = ((double)i + 0.5) / (double)s->nslices;

		draw_hover(d, xp, rate[i] / y.hi, "at %s: %s, %.2f in flight",
			   axis_print(AXIS_NS, axis_value(&s->time, xp), at, sizeof(at)),
			   axis_print(AXIS_BYTES_PER_S, rate[i], v, sizeof(v)),
			   s->busy_ns[i] / slice_ns(s));
	}
}

static void draw_throughput(const struct figure *f, struct drawing *d)
{
	const struct report *r = f->data;
	const struct scan *s = r->scan;
	double busy[SCAN_TIME], deep = 1; /* the part of the figure that is its own */
	struct axis x, y;

	time_ticks(&x, s, d);
	if (counts_any(r)) {
		panel_begin(d, 0, 0.70, 1, 0.92);
		draw_counts(d, r, &x);
		deep = 0.66;
	}
	if (s->ended_sized) {
		panel_begin(d, 0, 0.08 * deep, 1, 0.42 * deep);
		draw_losses(d, r);
		panel_throughput(d, s, &x);
	}
	for (size_t i = 0; i < s->nslices; i++)
		busy[i] = s->busy_ns[i] / slice_ns(s);
	axis_init_scale(&y, AXIS_NUMBER, AXIS_LINEAR, 0,
			fmax(largest(busy, s->nslices) * 1.05, 1e-3), 4);
	panel_begin(d, 0, (s->ended_sized ? 0.6 : 0.08) * deep, 1, 0.9 * deep);
	draw_losses(d, r);
	panel_axes(d, &x, "since the recording began", &y, "in flight (mean)");
	draw_stair(d, s, busy, y.hi, COLOR_OTHER, true, 1);
}

int make_throughput(struct report *r, struct figure *fig, size_t *n, struct err *e)
{
	struct figure *f = &fig[(*n)++];
	const struct scan *s = r->scan;
	char ended[32], less[64] = "", none[32], w[32];

	if (counts_load(r, e))
		return e->code;
	snprintf(f->name, sizeof(f->name), "throughput");
	snprintf(f->title, sizeof(f->title), "Throughput and transfers in flight");
	f->data = r;
	f->draw = draw_throughput;
	f->height = counts_any(r) ? 640 : 480;
	f->height_narrow = counts_any(r) ? 500 : 380;
	if (!s->ended) {
		if (!no_latency(r, PHASE_TOTAL, f))
			snprintf(f->why_not, sizeof(f->why_not),
				 "the end of no transfer is known.");
		return 0;
	}
	if (s->ended_sized < s->ended)
		snprintf(less, sizeof(less), ", %s of them of unknown size",
			 text_count(s->ended - s->ended_sized, none));
	snprintf(f->caption, sizeof(f->caption),
		 "n = %s transfers that ended for the program%s; %s are left out (no "
		 "known end, failed, aborted or circular). Slices of %s; bytes count "
		 "where their transfer ends (the wait's exit, else its interrupt), in "
		 "flight is from submit to that end.",
		 text_count(s->ended, ended), less, text_count(s->endless, none),
		 axis_print(AXIS_NS, slice_ns(s), w, sizeof(w)));
	counts_caption(r, f->caption, sizeof(f->caption));
	snprintf(f->alt, sizeof(f->alt),
		 "Throughput and mean number of transfers in "
		 "flight over the time of the recording.");
	return 0;
}

/* ---- interrupts ---- */
static int by_irq(const void *a, const void *b)
{
	const struct irq_cpu *x = a, *y = b;

	if (x->irq != y->irq)
		return x->irq < y->irq ? -1 : 1;
	return x->cpu < y->cpu ? -1 : x->cpu > y->cpu;
}

enum { MAX_ROWS = 12, MAX_CPUS = 24 };

struct matrix {
	int64_t irq[MAX_ROWS], cpu[MAX_CPUS];
	size_t nirq, ncpu;
	uint64_t shown, all;
};

static bool known(const int64_t *v, size_t n, int64_t x)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] == x)
			return true;
	return false;
}

static int by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static void matrix_of(struct matrix *m, const struct scan *s)
{
	*m = (struct matrix){0};
	if (!s->nirq_cpu)
		return;
	qsort(s->irq_cpu, s->nirq_cpu, sizeof(*s->irq_cpu), by_irq);
	for (size_t i = 0; i < s->nirq_cpu; i++) {
		const struct irq_cpu *c = &s->irq_cpu[i];

		if (!known(m->irq, m->nirq, c->irq) && m->nirq < MAX_ROWS)
			m->irq[m->nirq++] = c->irq;
		if (!known(m->cpu, m->ncpu, c->cpu) && m->ncpu < MAX_CPUS)
			m->cpu[m->ncpu++] = c->cpu;
	}
	qsort(m->cpu, m->ncpu, sizeof(*m->cpu), by_number);
	for (size_t i = 0; i < s->nirq_cpu; i++) {
		m->all += s->irq_cpu[i].n;
		if (known(m->irq, m->nirq, s->irq_cpu[i].irq) &&
		    known(m->cpu, m->ncpu, s->irq_cpu[i].cpu))
			m->shown += s->irq_cpu[i].n;
	}
}

static size_t index_of(const int64_t *v, size_t n, int64_t x)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] == x)
			return i;
	return n;
}

static void matrix_labels(struct drawing *d, const struct matrix *m)
{
	char text[40];

	for (size_t i = 0; i < m->nirq; i++) {
		if (m->irq[i] == DMA_UNKNOWN)
			snprintf(text, sizeof(text), "irq ?");
		else
			snprintf(text, sizeof(text),
				 drawing_narrow(d) ? "%lld" : "irq %lld",
				 (long long)m->irq[i]);
		draw_text(d, 0, 1 - ((double)i + 0.5) / (double)m->nirq, -7, 0,
			  ALIGN_RIGHT, COLOR_SOFT, text);
	}
	for (size_t i = 0; i < m->ncpu; i++) {
		if (m->cpu[i] == DMA_UNKNOWN)
			snprintf(text, sizeof(text), "?");
		else
			snprintf(text, sizeof(text),
				 m->ncpu > 8 || drawing_narrow(d) ? "%lld" : "CPU %lld",
				 (long long)m->cpu[i]);
		draw_text(d, ((double)i + 0.5) / (double)m->ncpu, 0, 0, 15, ALIGN_CENTER,
			  COLOR_SOFT, text);
	}
}

static void panel_matrix(struct drawing *d, const struct scan *s)
{
	struct matrix m;
	uint64_t most = 1;
	char n[32];

	matrix_of(&m, s);
	if (!m.nirq || !m.ncpu)
		return;
	for (size_t i = 0; i < s->nirq_cpu; i++)
		most = s->irq_cpu[i].n > most ? s->irq_cpu[i].n : most;
	for (int level = 0; level < FIGURE_RAMP; level++) {
		for (size_t i = 0; i < s->nirq_cpu; i++) {
			const struct irq_cpu *c = &s->irq_cpu[i];
			size_t row = index_of(m.irq, m.nirq, c->irq),
			       col = index_of(m.cpu, m.ncpu, c->cpu);

			if (row == m.nirq || col == m.ncpu ||
			    (int)((double)c->n / (double)most * (FIGURE_RAMP - 1) +
				  0.5) != level)
				continue;
			draw_row(d, (double)col / (double)m.ncpu + 0.002,
				 ((double)col + 1) / (double)m.ncpu - 0.002,
				 1 - ((double)row + 0.97) / (double)m.nirq,
				 1 - ((double)row + 0.03) / (double)m.nirq);
			if (m.ncpu <= (drawing_narrow(d) ? 4u : 12u) && m.nirq <= 8)
				draw_text(d, ((double)col + 0.5) / (double)m.ncpu,
					  1 - ((double)row + 0.5) / (double)m.nirq, 0, 0,
					  ALIGN_CENTER,
					  level >= 3 ? COLOR_BACK : COLOR_INK,
					  text_count(c->n, n));
		}
		draw_rects(d, (enum color)(COLOR_D0 + level), 1);
	}
	for (size_t i = 0; i < s->nirq_cpu; i++) {
		const struct irq_cpu *c = &s->irq_cpu[i];
		size_t row = index_of(m.irq, m.nirq, c->irq),
		       col = index_of(m.cpu, m.ncpu, c->cpu);

		if (row < m.nirq && col < m.ncpu && c->irq != DMA_UNKNOWN &&
		    c->cpu != DMA_UNKNOWN)
			draw_hover(d, ((double)col + 0.5) / (double)m.ncpu,
				   1 - ((double)row + 0.5) / (double)m.nirq,
				   "interrupt %lld on CPU %lld ended %s transfers",
				   (long long)c->irq, (long long)c->cpu,
				   text_count(c->n, n));
	}
	matrix_labels(d, &m);
}

static void draw_interrupts(const struct figure *f, struct drawing *d)
{
	const struct report *r = f->data;
	const struct scan *s = r->scan;
	struct axis x, y;
	double used[SCAN_TIME], stray[SCAN_TIME], missing[SCAN_TIME], most;

	bool matrix = s->nirq_cpu > 1;

	if (matrix) {
		panel_begin(d, 0, 0.02, 1, 0.34);
		panel_matrix(d, s);
	}
	for (size_t i = 0; i < s->nslices; i++) {
		used[i] = (double)s->used[i];
		stray[i] = (double)s->stray[i];
		missing[i] = (double)s->missing[i];
	}
	most = fmax(largest(used, s->nslices),
		    fmax(largest(stray, s->nslices), largest(missing, s->nslices)));
	time_ticks(&x, s, d);
	axis_init_scale(&y, AXIS_COUNT, AXIS_LINEAR, 0, fmax(most * 1.05, 1), 4);
	panel_begin(d, 0, matrix ? 0.58 : 0.2, 1, 0.86);
	panel_axes(d, &x, "since the recording began", &y, "in each slice");
	draw_losses(d, r);
	panel_legend(d, COLOR_OTHER, "interrupts that ended transfers");
	panel_legend_line(d, COLOR_INK, 2, "strays");
	panel_legend_line(d, COLOR_WARN, 1, "missing, late or uncertain");
	draw_stair(d, s, used, y.hi, COLOR_OTHER, true, 1);
	draw_stair(d, s, stray, y.hi, COLOR_INK, false, 2);
	draw_stair(d, s, missing, y.hi, COLOR_WARN, false, 1);
	for (size_t i = 0; i < s->nslices && !matrix; i++)
		draw_hover(d, ((double)i + 0.5) / (double)s->nslices, used[i] / y.hi,
			   "%.0f used, %.0f strays, %.0f missing", used[i], stray[i],
			   missing[i]);
}

int make_interrupts(struct report *r, struct figure *fig, size_t *n, struct err *e)
{
	struct figure *f = &fig[(*n)++];
	const struct scan *s = r->scan;
	struct matrix m;
	uint64_t used = 0;
	char a[32], b[32], c[32], left[96] = "";

	(void)e;
	snprintf(f->name, sizeof(f->name), "interrupts");
	snprintf(f->title, sizeof(f->title),
		 s->nirq_cpu > 1
			 ? "Interrupts by vector and CPU; strays and missing over time"
			 : "Interrupts over time; strays and missing");
	f->data = r;
	f->draw = draw_interrupts;
	f->height = s->nirq_cpu > 1 ? 500 : 300;
	f->height_narrow = s->nirq_cpu > 1 ? 430 : 330;
	for (size_t i = 0; i < s->nslices; i++)
		used += s->used[i];
	if (!used && !s->stray_total && !s->missing_total) {
		snprintf(f->why_not, sizeof(f->why_not),
			 r->transfers ? "no transfer was ended by an interrupt, "
					"and none is missing or stray."
				      : "the recording holds no transfer.");
		return 0;
	}
	matrix_of(&m, s);
	if (s->nirq_cpu == 1 && m.irq[0] != DMA_UNKNOWN && m.cpu[0] != DMA_UNKNOWN)
		snprintf(left, sizeof(left), " All by interrupt %lld on CPU %lld.",
			 (long long)m.irq[0], (long long)m.cpu[0]);
	if (m.shown < m.all)
		snprintf(left, sizeof(left),
			 " %s on further vectors or CPUs are not shown above.",
			 text_count(m.all - m.shown, a));
	snprintf(
		f->caption, sizeof(f->caption),
		"%s transfer%s ended by an interrupt; %s stray interrupt%s; %s "
		"transfer%s whose interrupt is missing, late or uncertain (at their submit).%s",
		text_count(used, a), text_s(used), text_count(s->stray_total, b),
		text_s(s->stray_total), text_count(s->missing_total, c),
		text_s(s->missing_total), left);
	snprintf(f->alt, sizeof(f->alt),
		 "Which CPU took how many of each interrupt, and "
		 "interrupts, strays and missing ones over time.");
	return 0;
}
