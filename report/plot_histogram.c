/* SPDX-License-Identifier: GPL-2.0-only */
/* Plot 1: how often each latency was met, one figure for the latency and one for each
 * other phase. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/err.h"
#include "lib/text.h"
#include "report/plots.h"

struct histogram {
	const struct report *r;
	enum phase p;
};

/* Bars: bins, merged two by two on a narrow canvas; the strip's stays one. */
struct bars {
	const struct report *r;
	const struct phase_bins *b;
	size_t n, merge, first; /* first: 1 with a strip */
};

static struct bars bars_of(const struct report *r, const struct phase_bins *b,
			   bool narrow)
{
	struct bars v = {.r = r, .b = b, .merge = narrow && b->nbins > 36 ? 2 : 1};

	v.first = b->axis.strip > 0;
	v.n = v.first + (b->nbins - v.first + v.merge - 1) / v.merge;
	return v;
}

/* Bins from .. to of bar i. */
static void bins_of(const struct bars *v, size_t i, size_t *from, size_t *to)
{
	*from = i < v->first ? i : v->first + (i - v->first) * v->merge;
	*to = i < v->first ? i + 1 : *from + v->merge;
	*to = *to > v->b->nbins ? v->b->nbins : *to;
}

static uint64_t bar(const struct bars *v, int series, size_t i)
{
	size_t from, to;
	uint64_t n = 0;

	bins_of(v, i, &from, &to);
	for (size_t k = from; k < to; k++)
		n += v->b->bin[series][k];
	return n;
}

static uint64_t column(const struct bars *v, size_t i)
{
	uint64_t n = 0;

	for (int s = 0; s < v->r->nseries; s++)
		n += bar(v, s, i);
	return n;
}

static void place(const struct bars *v, size_t i, double *from, double *to)
{
	size_t a, b;
	double gap;

	bins_of(v, i, &a, &b);
	*from = axis_edge(&v->b->axis, a, v->b->nbins);
	*to = axis_edge(&v->b->axis, b, v->b->nbins);
	gap = i < v->first ? (*to - *from) * 0.2 : (*to - *from) * 0.06;
	*from += i < v->first ? 0 : gap;
	*to -= gap;
}

static void draw_bars(struct drawing *d, const struct bars *v, double top)
{
	double from, to;

	for (int s = 0; s < v->r->nseries; s++) {
		for (size_t i = 0; i < v->n; i++) {
			uint64_t below = 0, n = bar(v, s, i);

			for (int k = 0; k < s; k++)
				below += bar(v, k, i);
			place(v, i, &from, &to);
			if (n)
				draw_row(d, from, to, (double)below / top,
					 (double)(below + n) / top);
		}
		draw_rects(d, v->r->series[s].color, 1);
	}
	/* Bars too low to be seen get a dash on the axis: nothing hides. */
	for (size_t i = 0; i < v->n; i++) {
		uint64_t n = column(v, i);

		place(v, i, &from, &to);
		if (n && (double)n < 0.006 * top)
			draw_row(d, from, to, 0, 0.006);
	}
	draw_rects(d, COLOR_SOFT, 1);
}

static void hover_bars(struct drawing *d, const struct bars *v, double top)
{
	const struct axis *x = &v->b->axis;
	char lo[32], hi[32], n[32];
	double from, to;

	for (size_t i = 0; i < v->n; i++) {
		uint64_t c = column(v, i);

		place(v, i, &from, &to);
		if (!c)
			continue;
		if (i < v->first)
			draw_hover(d, (from + to) / 2, (double)c / top, "%s: %s",
				   x->tick[0].label, text_count(c, n));
		else
			draw_hover(d, (from + to) / 2, (double)c / top, "%s – %s: %s",
				   axis_print(AXIS_NS, axis_value(x, from), lo, 32),
				   axis_print(AXIS_NS, axis_value(x, to), hi, 32),
				   text_count(c, n));
	}
}

/* The strip's count stands above it. */
static void label_strip(struct drawing *d, const struct bars *v, double top)
{
	uint64_t c = v->first ? column(v, 0) : 0;
	char n[32];

	if (c)
		draw_text(d, 0, (double)c / top, 2, -d->c.font, ALIGN_LEFT, COLOR_INK,
			  text_count(c, n));
}

static void draw_quantile_marks(struct drawing *d, const struct summary_row *s,
				const struct axis *x)
{
	static const char *const name[] = {"median", NULL, "p99"};
	struct mark mark[2];
	size_t n = 0;
	char value[32];

	/* among fewer than 100 values p99 is just the largest */
	for (int i = 0; i < 3; i += 2)
		if (s->q[i] != DMA_UNKNOWN && (i == 0 || s->n >= 100)) {
			mark[n] = (struct mark){.x = axis_pos(x, (double)s->q[i]),
						.dash = i ? 2 : 1};
			snprintf(mark[n].text, sizeof(mark[n].text), "%s %s%s", name[i],
				 i && s->thin[i] ? "~" : "",
				 axis_print(AXIS_NS, (double)s->q[i], value,
					    sizeof(value)));
			n++;
		}
	draw_marks(d, mark, n);
}

static void draw_histogram(const struct figure *f, struct drawing *d)
{
	const struct histogram *h = f->data;
	const struct report *r = h->r;
	const struct phase_bins *b = &r->scan->phase[h->p];
	const struct bars v = bars_of(r, b, drawing_narrow(d));
	struct axis x = b->axis, y;
	char title[64];
	double most = 0;

	if (b->axis.scale == AXIS_LINEAR)
		axis_init_scale(&x, AXIS_NS, AXIS_LINEAR, x.lo, x.hi,
				drawing_narrow(d) ? 4 : 8);
	for (size_t i = 0; i < v.n; i++) /* the strip's count stands below the marks */
		most = fmax(most, (double)column(&v, i) * (i < v.first ? 1.25 : 1));
	axis_init_scale(&y, AXIS_COUNT, AXIS_LINEAR, 0, most * 1.2, 5);
	panel_begin(d, 0, drawing_narrow(d) && r->nseries > 1 ? 0.26 : 0.15, 1, 0.88);
	snprintf(title, sizeof(title), h->p == r->latency ? "latency (%s)" : "%s",
		 phase_name(h->p));
	panel_axes(d, &x, title, &y, "transfers");
	legend_series(d, r);
	draw_bars(d, &v, y.hi);
	label_strip(d, &v, y.hi);
	draw_quantile_marks(d, &r->summary[h->p], &x);
	if (!drawing_narrow(d))
		hover_bars(d, &v, y.hi);
}

static int make_one(struct report *r, enum phase p, struct figure *f, struct err *e)
{
	struct histogram *h = calloc(1, sizeof(*h));
	char med[32], p99[32];
	size_t at;

	if (!h)
		return err_nomem(e, "a report");
	*h = (struct histogram){r, p};
	f->data = h;
	f->release = free;
	f->draw = draw_histogram;
	if (p == r->latency)
		snprintf(f->name, sizeof(f->name), "histogram");
	else
		snprintf(f->name, sizeof(f->name), "histogram-%s", phase_name(p));
	snprintf(f->title, sizeof(f->title),
		 p == r->latency ? "Latency histogram: %s" : "Histogram: %s",
		 phase_words(p));
	if (no_latency(r, p, f))
		return 0;
	caption_counts(r, p, f->caption, sizeof(f->caption));
	at = (size_t)snprintf(f->alt, sizeof(f->alt),
			      "Histogram of the %s time of %lld transfers", phase_name(p),
			      (long long)r->summary[p].n);
	if (r->summary[p].q[0] != DMA_UNKNOWN && r->summary[p].q[2] != DMA_UNKNOWN)
		snprintf(
			f->alt + at, sizeof(f->alt) - at,
			": median %s, 99th percentile %s.",
			axis_print(AXIS_NS, (double)r->summary[p].q[0], med, sizeof(med)),
			axis_print(AXIS_NS, (double)r->summary[p].q[2], p99,
				   sizeof(p99)));
	return 0;
}

int make_histogram(struct report *r, struct figure *fig, size_t *n, struct err *e)
{
	int error = make_one(r, r->latency, &fig[(*n)++], e);

	for (int p = 0; p < PHASE_N && !error; p++)
		if (p != (int)r->latency && r->summary[p].known && r->summary[p].n > 0)
			error = make_one(r, (enum phase)p, &fig[(*n)++], e);
	return error;
}
