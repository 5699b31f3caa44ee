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

/* Bins are merged two by two on a narrow canvas. */
static uint64_t bar(const struct phase_bins *b, int series, size_t i, size_t merge)
{
	uint64_t n = 0;

	for (size_t k = i * merge; k < (i + 1) * merge && k < b->nbins; k++)
		n += b->bin[series][k];
	return n;
}

static uint64_t column(const struct report *r, const struct phase_bins *b, size_t i,
		       size_t merge)
{
	uint64_t n = 0;

	for (int s = 0; s < r->nseries; s++)
		n += bar(b, s, i, merge);
	return n;
}

static void draw_bars(struct drawing *d, const struct report *r,
		      const struct phase_bins *b, size_t bars, size_t merge, double top)
{
	double w = 1.0 / (double)bars, gap = w * 0.06;

	for (int s = 0; s < r->nseries; s++) {
		for (size_t i = 0; i < bars; i++) {
			uint64_t below = 0, n = bar(b, s, i, merge);

			for (int k = 0; k < s; k++)
				below += bar(b, k, i, merge);
			if (n)
				draw_row(d, (double)i * w + gap,
					 (double)(i + 1) * w - gap, (double)below / top,
					 (double)(below + n) / top);
		}
		draw_rects(d, r->series[s].color, 1);
	}
	/* Bars too low to be seen get a dash on the axis: nothing hides. */
	for (size_t i = 0; i < bars; i++) {
		uint64_t n = column(r, b, i, merge);

		if (n && (double)n < 0.006 * top)
			draw_row(d, (double)i * w + gap, (double)(i + 1) * w - gap, 0,
				 0.006);
	}
	draw_rects(d, COLOR_SOFT, 1);
}

static void hover_bars(struct drawing *d, const struct report *r,
		       const struct phase_bins *b, double top)
{
	char lo[32], hi[32], n[32];

	for (size_t i = 0; i < b->nbins; i++) {
		uint64_t c = column(r, b, i, 1);
		double w = 1.0 / (double)b->nbins;

		if (c)
			draw_hover(
				d, ((double)i + 0.5) * w, (double)c / top, "%s – %s: %s",
				axis_print(AXIS_NS, axis_value(&b->axis, (double)i * w),
					   lo, 32),
				axis_print(AXIS_NS,
					   axis_value(&b->axis, ((double)i + 1) * w), hi,
					   32),
				text_count(c, n));
	}
}

static void draw_quantile_marks(struct drawing *d, const struct summary_row *s,
				const struct axis *x)
{
	static const char *const name[] = {"median", NULL, "p99"};
	struct marks marks = {0};
	char value[32], text[64];

	/* among fewer than 100 values p99 is just the largest */
	for (int i = 0; i < 3; i += 2)
		if (s->q[i] != DMA_UNKNOWN && (i == 0 || s->n >= 100)) {
			snprintf(text, sizeof(text), "%s %s", name[i],
				 axis_print(AXIS_NS, (double)s->q[i], value,
					    sizeof(value)));
			draw_mark(d, &marks, axis_pos(x, (double)s->q[i]), i ? 2 : 1,
				  text);
		}
}

static void draw_histogram(const struct figure *f, struct drawing *d)
{
	const struct histogram *h = f->data;
	const struct report *r = h->r;
	const struct phase_bins *b = &r->scan->phase[h->p];
	size_t merge = drawing_narrow(d) && b->nbins > 36 ? 2 : 1,
	       bars = (b->nbins + merge - 1) / merge;
	struct axis x = b->axis, y;
	char title[64];
	double most = 0;

	if (b->axis.scale == AXIS_LINEAR)
		axis_init_scale(&x, AXIS_NS, AXIS_LINEAR, x.lo, x.hi,
				drawing_narrow(d) ? 4 : 8);
	for (size_t i = 0; i < bars; i++)
		most = fmax(most, (double)column(r, b, i, merge));
	axis_init_scale(&y, AXIS_COUNT, AXIS_LINEAR, 0, most * 1.2, 5);
	panel_begin(d, 0, drawing_narrow(d) && r->nseries > 1 ? 0.26 : 0.15, 1, 0.88);
	snprintf(title, sizeof(title), h->p == r->latency ? "latency (%s)" : "%s",
		 phase_name(h->p));
	panel_axes(d, &x, title, &y, "transfers");
	legend_series(d, r);
	draw_bars(d, r, b, bars, merge, y.hi);
	draw_quantile_marks(d, &r->summary[h->p], &x);
	hover_bars(d, r, b, y.hi);
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
