/* SPDX-License-Identifier: GPL-2.0-only */
/* Plot 2: latency against quantile on a logarithmic 1 - q axis, from the stored histogram
 * (0.4 %). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/db/db.h"
#include "lib/err.h"
#include "lib/hist.h"
#include "lib/stat.h"
#include "report/plots.h"

enum { BAND = 160 }; /* places of the band along the axis */

struct bucket {
	double low, high;
	uint64_t n;
	int series;
};

struct tail {
	const struct report *r;
	struct bucket *b; /* ascending */
	size_t n;
	uint64_t total;
	struct hist *h; /* all groups */
	struct ci {
		double q, low, high, bound_low, bound_high; /* NAN = none */
	} ci[8];
	size_t nci;
};

static int bucket_row(struct db_stmt *st, void *arg)
{
	struct tail *t = arg;
	int dir = direction_parse(column_text(st, "direction", "unknown"));
	const struct group *g = report_group(t->r, db_i64(st, "card"),
					     db_i64(st, "channel"), dir < 0 ? 0 : dir);
	struct bucket *grown;

	if (t->n % 1024 == 0) {
		grown = realloc(t->b, (t->n + 1024) * sizeof(*grown));
		if (!grown)
			return ERR_NOMEM;
		t->b = grown;
	}
	t->b[t->n++] = (struct bucket){db_real(st, "low_ns"), db_real(st, "high_ns"),
				       (uint64_t)db_i64(st, "n"), g ? g->series : 0};
	t->total += t->b[t->n - 1].n;
	return hist_add(t->h,
			(int64_t)((t->b[t->n - 1].low + t->b[t->n - 1].high - 1) / 2),
			t->b[t->n - 1].n);
}

static int ci_row(struct db_stmt *st, void *arg)
{
	struct tail *t = arg;

	if (t->nci < 8)
		t->ci[t->nci++] = (struct ci){db_real(st, "q"), db_real(st, "ci_low_ns"),
					      db_real(st, "ci_high_ns"),
					      db_real(st, "bound_low_ns"),
					      db_real(st, "bound_high_ns")};
	return 0;
}

static void tail_free(void *data)
{
	struct tail *t = data;

	hist_free(t->h);
	free(t->b);
	free(t);
}

/* Place of quantile q: 0 at q = 0, 1 at the last value of all. */
static double place(const struct tail *t, double q)
{
	return -log10(1 - q) / (log10((double)t->total) + 0.35);
}

/* A value's quantile is its rank less a half over n, so that the largest has a place. */
static void draw_curve(struct drawing *d, const struct tail *t, int series, enum color c,
		       double width)
{
	uint64_t n = 0, sum = 0;
	double lx = -1, ly = -1;

	for (size_t i = 0; i < t->n; i++)
		if (series < 0 || t->b[i].series == series)
			n += t->b[i].n;
	if (!n)
		return;
	for (size_t i = 0; i < t->n; i++) {
		double x0, x1, y;

		if ((series >= 0 && t->b[i].series != series) || !t->b[i].n)
			continue;
		x0 = place(t, ((double)sum + 0.5) / (double)n);
		sum += t->b[i].n;
		x1 = place(t, ((double)sum - 0.5) / (double)n);
		y = axis_pos(&t->r->scan->latency, (t->b[i].low + t->b[i].high - 1) / 2);
		if (x1 - lx < 0.002 && fabs(y - ly) < 0.002 && sum != n)
			continue;
		if (lx >= 0)
			draw_row(d, fmax(x0, lx), ly, 0, 0);
		draw_row(d, fmax(x0, lx), y, 0, 0);
		draw_row(d, x1, y, 0, 0);
		lx = x1;
		ly = y;
	}
	draw_line(d, c, width, 1);
	if (n > 30)
		return;
	sum = 0;
	for (size_t i = 0; i < t->n; i++) /* few: each value for itself */
		if ((series < 0 || t->b[i].series == series) && t->b[i].n) {
			draw_row(d, place(t, ((double)sum + 0.5) / (double)n),
				 axis_pos(&t->r->scan->latency,
					  (t->b[i].low + t->b[i].high - 1) / 2),
				 0, 0);
			sum += t->b[i].n;
		}
	draw_points(d, c, 0.7, 7);
}

static void tail_axis(struct axis *x, const struct tail *t)
{
	static const char *const label[] = {"0",	"p90",	   "p99",
					    "p99.9",	"p99.99",  "p99.999",
					    "p99.9999", "7 nines", "8 nines"};

	axis_init_scale(x, AXIS_COUNT, AXIS_LINEAR, 0, 1, 2);
	x->nticks = 0;
	for (int k = 0; k < 9; k++) {
		double at = k ? place(t, 1 - pow(10, -k)) : 0;

		if (at > 1)
			break;
		x->tick[x->nticks].pos = at;
		snprintf(x->tick[x->nticks++].label, 24, "%s", label[k]);
		if (k == 0) {
			x->tick[x->nticks].pos = place(t, 0.5);
			snprintf(x->tick[x->nticks++].label, 24, "median");
		}
	}
}

/* 95 % band by lib/stat's order statistics on the stored histogram; it ends where n gives
 * no interval. */
static void draw_intervals(struct drawing *d, const struct tail *t)
{
	const struct axis *y = &t->r->scan->latency;
	bool any = false;

	for (int i = 1; i < BAND; i++) {
		double x = (double)i / BAND,
		       q = 1 - pow(10, -x * (log10((double)t->total) + 0.35));
		struct quantile v;

		if (!(q > 0 && q < 1))
			continue;
		stat_quantile(t->h, 0, q, 0.95, &v);
		if (v.ci_low_ns == DMA_UNKNOWN || v.ci_high_ns == DMA_UNKNOWN)
			continue;
		draw_row(d, x, axis_pos(y, (double)v.ci_low_ns),
			 axis_pos(y, (double)v.ci_high_ns), 0);
		any = true;
	}
	if (any) {
		draw_band(d, COLOR_OTHER, 0.4);
		panel_legend(d, COLOR_OTHER, "95 % band");
	}
}

static void hover_quantiles(struct drawing *d, const struct tail *t)
{
	const struct summary_row *s = &t->r->summary[t->r->latency];
	char v[32], low[32], high[32];

	for (int i = 0; i < 5; i++) {
		const struct ci *c = NULL;

		if (s->q[i] == DMA_UNKNOWN || place(t, summary_q[i]) > 1)
			continue;
		for (size_t k = 0; k < t->nci; k++)
			if (fabs(t->ci[k].q - summary_q[i]) < 1e-9)
				c = &t->ci[k];
		axis_print(AXIS_NS, (double)s->q[i], v, sizeof(v));
		if (c && !isnan(c->low) && !isnan(c->high))
			draw_hover(d, place(t, summary_q[i]),
				   axis_pos(&t->r->scan->latency, (double)s->q[i]),
				   "p%g: %s (95 %%: %s – %s)", summary_q[i] * 100, v,
				   axis_print(AXIS_NS, c->low, low, sizeof(low)),
				   axis_print(AXIS_NS, c->high, high, sizeof(high)));
		else
			draw_hover(d, place(t, summary_q[i]),
				   axis_pos(&t->r->scan->latency, (double)s->q[i]),
				   "p%g: %s", summary_q[i] * 100, v);
	}
}

static void draw_tail(const struct figure *f, struct drawing *d)
{
	const struct tail *t = f->data;
	const struct report *r = t->r;
	struct axis x;
	char title[64];

	tail_axis(&x, t);
	panel_begin(d, 0, drawing_narrow(d) ? 0.34 : 0.15, 1, 0.88);
	snprintf(title, sizeof(title), "latency (%s)", phase_name(r->latency));
	panel_axes(d, &x, "share of transfers that were faster", &r->scan->latency,
		   title);
	legend_series(d, r);
	if (r->nseries > 1)
		panel_legend_line(d, COLOR_INK, 1, "all");
	if (r->nseries > 1)
		for (int s = 0; s < r->nseries; s++)
			draw_curve(d, t, s, r->series[s].color, 1.4);
	draw_intervals(d, t);
	draw_curve(d, t, -1, r->nseries > 1 ? COLOR_INK : r->series[0].color, 2);
	hover_quantiles(d, t);
}

int make_tail(struct report *r, struct figure *fig, size_t *n, struct err *e)
{
	struct figure *f = &fig[(*n)++];
	struct tail *t = calloc(1, sizeof(*t));
	struct db_stmt *st;
	char counts[700];
	int error;

	if (!t)
		return err_nomem(e, "a report");
	t->r = r;
	f->data = t;
	f->release = tail_free;
	t->h = hist_new();
	if (!t->h)
		return err_nomem(e, "a report");
	f->draw = draw_tail;
	snprintf(f->name, sizeof(f->name), "tail");
	snprintf(f->title, sizeof(f->title), "The tail: latency against quantile, %s",
		 phase_words(r->latency));
	if (no_latency(r, r->latency, f))
		return 0;
	error = report_prepare(r, "report_histogram", &st, e);
	if (!error) {
		db_bind_text(st, ":phase", phase_name(r->latency));
		error = report_rows(st, bucket_row, t, e);
	}
	if (!error)
		error = report_prepare(r, "report_intervals", &st, e);
	if (!error) {
		db_bind_text(st, ":phase", phase_name(r->latency));
		error = report_rows(st, ci_row, t, e);
	}
	if (!error && !t->total)
		snprintf(f->why_not, sizeof(f->why_not),
			 "the analysis stored no histogram of this phase.");
	caption_counts(r, r->latency, counts, sizeof(counts));
	snprintf(f->caption, sizeof(f->caption),
		 "%s Each step to the right is ten times rarer; the last value of all "
		 "stands at the right end. Band: 95 %% by order "
		 "statistics, which take the values for independent.",
		 counts);
	snprintf(f->alt, sizeof(f->alt),
		 "Latency against quantile on a logarithmic axis of 1 "
		 "minus q, for each channel and direction and for all.");
	return error;
}
