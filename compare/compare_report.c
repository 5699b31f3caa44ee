/* SPDX-License-Identifier: GPL-2.0-only */
/* The pictures: for each group a histogram, a tail plot, and the difference of each
 * quantile with its band. */
#include "compare/compare_report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compare/compare_page.h"
#include "lib/cli.h"
#include "lib/draw/figure.h"
#include "lib/draw/render.h"
#include "lib/err.h"
#include "lib/text.h"

enum { BINS = 64, BASE = 0, FRESH = 1 };

static const enum color side_color[2] = {COLOR_S0, COLOR_S1};
static const enum color difference_color = COLOR_S3; /* which is of neither side */
static const char *const side_name[2] = {"base", "new"};

/* Along the tail's axis, evenly in log10(1 - q) from the median on. */
static const double band_q[] = {0.05,  0.1,   0.2,    0.3,    0.4,    0.5,
				0.6,   0.7,   0.8,    0.85,   0.9,    0.93,
				0.95,  0.965, 0.98,   0.985,  0.99,   0.993,
				0.995, 0.998, 0.9990, 0.9995, 0.9998, 0.9999};
enum { BAND = sizeof(band_q) / sizeof(*band_q) };

/* One group's values, sorted, for its three figures. */
struct pair {
	const struct compare_result *r;
	const struct compare_group *g;
	int64_t *v[2];
	size_t n[2];
	struct difference diff[BAND]; /* at 95 % */
	double at[BAND];	      /* the base's quantile */
	int users;		      /* figures that hold it */
};

static void pair_release(void *data)
{
	struct pair *p = data;

	if (--p->users > 0)
		return;
	free(p->v[BASE]);
	free(p->v[FRESH]);
	free(p);
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int pair_values(struct pair *p, int side, struct err *e)
{
	const struct group_side *s = side == FRESH ? &p->g->fresh : &p->g->base;
	size_t n = side_kept(s), at = 0;

	p->v[side] = malloc((n ? n : 1) * sizeof(int64_t));
	if (!p->v[side])
		return err_nomem(e, "%zu values", n);
	for (size_t i = 0; i < s->nrun; i++)
		for (size_t k = 0; k < s->run[i].n; k++)
			p->v[side][at++] = s->run[i].value_ns[k];
	p->n[side] = n;
	qsort(p->v[side], n, sizeof(int64_t), by_value);
	return 0;
}

static double value_at(const struct pair *p, int side, double q)
{
	double rank = ceil(q * (double)p->n[side]);

	return (double)p->v[side][rank < 1 ? 0 : (size_t)rank - 1];
}

/* As the figures give it: with several recordings it is not that of all values in one heap. */
static double median_of(const struct pair *p, int side)
{
	for (size_t i = 0; i < p->g->nline; i++)
		if (fabs(p->g->line[i].q - 0.5) < 1e-9)
			return side == FRESH ? p->g->line[i].fresh.value
					     : p->g->line[i].base.value;
	return value_at(p, side, 0.5);
}

static int pair_differences(struct pair *p, struct err *e)
{
	const struct compare_options *o = p->r->o;
	struct series *list[2] = {NULL, NULL};
	struct side side[2] = {{0}, {0}};
	struct estimate b[BAND], f[BAND];
	int rc = side_view(&p->g->base, &list[BASE], &side[BASE], e);

	rc = rc ? rc : side_view(&p->g->fresh, &list[FRESH], &side[FRESH], e);
	rc = rc ? rc
		: side_estimates(&side[BASE], band_q, BAND, o->across, o->seed, b, e);
	rc = rc ? rc
		: side_estimates(&side[FRESH], band_q, BAND, o->across, o->seed + 1, f,
				 e);
	for (size_t i = 0; !rc && i < BAND; i++) {
		if (!o->across) {
			estimate_scatter(&b[i], o->run_scatter, median_of(p, BASE),
					 side[BASE].nrun);
			estimate_scatter(&f[i], o->run_scatter, median_of(p, FRESH),
					 side[FRESH].nrun);
		}
		estimate_difference(&b[i], &f[i], 0.95, &p->diff[i]);
		p->at[i] = b[i].value;
		if (!interval_holds(band_q[i], &b[i], &f[i], o->across))
			p->diff[i].low = p->diff[i].high = NAN;
	}
	free(list[BASE]);
	free(list[FRESH]);
	return rc;
}

/* ---- histogram ---- */

static void count_bins(const struct pair *p, int side, const struct axis *x,
		       double share[BINS])
{
	memset(share, 0, BINS * sizeof(*share));
	for (size_t i = 0; i < p->n[side]; i++) {
		double at = axis_pos(x, (double)p->v[side][i]) * BINS;

		share[at < 0	   ? 0
		      : at >= BINS ? BINS - 1
				   : (int)at] += 1.0 / (double)p->n[side];
	}
}

static void draw_steps(struct drawing *d, const double share[BINS], int side, double top)
{
	/* one band, so that no seams show between bars */
	for (int i = 0; i < BINS; i++) {
		draw_row(d, (double)i / BINS, 0, share[i] / top, 0);
		draw_row(d, (i + 1.0) / BINS, 0, share[i] / top, 0);
	}
	draw_band(d, side_color[side], 0.35);
	draw_row(d, 0, 0, 0, 0);
	for (int i = 0; i < BINS; i++) {
		draw_row(d, (double)i / BINS, share[i] / top, 0, 0);
		draw_row(d, (i + 1.0) / BINS, share[i] / top, 0, 0);
	}
	draw_row(d, 1, 0, 0, 0);
	draw_line(d, side_color[side], 1.6, side == FRESH ? 2 : 1);
	panel_legend_line(d, side_color[side], side == FRESH ? 2 : 1, side_name[side]);
}

static void hover_bins(struct drawing *d, const struct axis *x, double share[2][BINS],
		       double top)
{
	char lo[32], hi[32];

	for (int i = 0; i < BINS; i++) {
		if (share[BASE][i] <= 0 && share[FRESH][i] <= 0)
			continue;
		axis_print(AXIS_NS, axis_value(x, (double)i / BINS), lo, sizeof(lo));
		axis_print(AXIS_NS, axis_value(x, (i + 1.0) / BINS), hi, sizeof(hi));
		draw_hover(d, (i + 0.5) / BINS,
			   fmax(share[BASE][i], share[FRESH][i]) / top,
			   "%s – %s: base %.3g %%, new %.3g %%", lo, hi,
			   100 * share[BASE][i], 100 * share[FRESH][i]);
	}
}

/* Both sides' bulk: a single value far out would squeeze it into one bin, so the axis
 * ends where 0.1 % of a side lie beyond; what lies beyond stands in the last bin. */
static void value_axis(const struct pair *p, struct axis *x, double q_low, double q_high,
		       int want)
{
	axis_init(x, AXIS_NS, fmin(value_at(p, BASE, q_low), value_at(p, FRESH, q_low)),
		  fmax(value_at(p, BASE, q_high), value_at(p, FRESH, q_high)), want);
}

static void axis_words(const struct pair *p, char *buf, size_t len)
{
	snprintf(buf, len, "%s time", phase_name(p->g->key.phase));
}

static void draw_histogram(const struct figure *f, struct drawing *d)
{
	const struct pair *p = f->data;
	double share[2][BINS], top = 0;
	struct mark mark[2];
	struct axis x, y;
	char title[48], value[32];

	value_axis(p, &x, 0, 0.999, drawing_narrow(d) ? 4 : 8);
	for (int side = 0; side < 2; side++) {
		count_bins(p, side, &x, share[side]);
		for (int i = 0; i < BINS; i++)
			top = fmax(top, share[side][i]);
	}
	axis_init_scale(&y, AXIS_SHARE, AXIS_LINEAR, 0, top * 1.2, 5);
	panel_begin(d, 0, drawing_narrow(d) ? 0.22 : 0.15, 1, 0.88);
	axis_words(p, title, sizeof(title));
	panel_axes(d, &x, title, &y, "share of the side's transfers");
	for (int side = 0; side < 2; side++)
		draw_steps(d, share[side], side, y.hi);
	for (int side = 0; side < 2; side++) {
		double median = median_of(p, side);

		mark[side] = (struct mark){.x = axis_pos(&x, median),
					   .dash = side == FRESH ? 2 : 1};
		snprintf(mark[side].text, sizeof(mark[side].text), "%s %s",
			 side_name[side],
			 axis_print(AXIS_NS, median, value, sizeof(value)));
	}
	draw_marks(d, mark, 2);
	hover_bins(d, &x, share, y.hi);
}

/* ---- tail ---- */

static double most(const struct pair *p)
{
	return (double)(p->n[0] > p->n[1] ? p->n[0] : p->n[1]);
}

/* Place of quantile q: 0 at q = 0, 1 a little right of the last value of all. */
static double place(const struct pair *p, double q)
{
	return -log10(1 - q) / (log10(most(p)) + 0.35);
}

static void tail_axis(struct axis *x, const struct pair *p)
{
	static const char *const label[] = {"0",      "p90",	 "p99",	    "p99.9",
					    "p99.99", "p99.999", "p99.9999"};

	axis_init_scale(x, AXIS_COUNT, AXIS_LINEAR, 0, 1, 2);
	x->nticks = 0;
	for (int k = 0; k < 7; k++) {
		double at = k ? place(p, 1 - pow(10, -k)) : 0;

		if (at > 1)
			break;
		x->tick[x->nticks].pos = at;
		snprintf(x->tick[x->nticks++].label, 24, "%s", label[k]);
		if (k == 0 && place(p, 0.5) <= 1) {
			x->tick[x->nticks].pos = place(p, 0.5);
			snprintf(x->tick[x->nticks++].label, 24, "median");
		}
	}
}

/* A value's quantile is its rank less a half over n, so that the largest has a place. */
static void draw_curve(struct drawing *d, const struct pair *p, int side,
		       const struct axis *y)
{
	double n = (double)p->n[side], lx = -1, ly = -1;

	for (size_t i = 0; i < p->n[side]; i++) {
		double x = place(p, ((double)i + 0.5) / n);
		double v = axis_pos(y, (double)p->v[side][i]);

		if (x - lx < 0.002 && fabs(v - ly) < 0.002 && i + 1 < p->n[side])
			continue;
		draw_row(d, x, v, 0, 0);
		lx = x;
		ly = v;
	}
	if (p->n[side] == 1)
		draw_points(d, side_color[side], 0.9, 7);
	else
		draw_line(d, side_color[side], 1.8, side == FRESH ? 2 : 1);
	panel_legend_line(d, side_color[side], side == FRESH ? 2 : 1, side_name[side]);
}

static void draw_tail(const struct figure *f, struct drawing *d)
{
	static const double q[] = {0.5, 0.9, 0.99, 0.999, 0.9999};
	const struct pair *p = f->data;
	char title[48], b[32], v[32];
	struct axis x, y;

	tail_axis(&x, p);
	value_axis(p, &y, 0, 1, 6);
	panel_begin(d, 0, drawing_narrow(d) ? 0.22 : 0.15, 1, 0.88);
	axis_words(p, title, sizeof(title));
	panel_axes(d, &x, "share of transfers that were faster", &y, title);
	for (int side = 0; side < 2; side++)
		draw_curve(d, p, side, &y);
	for (size_t i = 0; i < 5; i++)
		if (place(p, q[i]) <= 1)
			draw_hover(d, place(p, q[i]),
				   axis_pos(&y, value_at(p, FRESH, q[i])),
				   "p%g: base %s, new %s", 100 * q[i],
				   axis_print(AXIS_NS, value_at(p, BASE, q[i]), b,
					      sizeof(b)),
				   axis_print(AXIS_NS, value_at(p, FRESH, q[i]), v,
					      sizeof(v)));
}

/* ---- difference of each quantile ---- */

/* An interval without a limit, drawn: a share that no axis reaches. */
#define OFF_THE_PICTURE 1e6

/* Relative to the base's quantile, where that has a sense. */
static bool relative(const struct pair *p, size_t i, double v[3])
{
	const struct difference *d = &p->diff[i];
	double unit = p->at[i];

	if (!(unit > 0) || isnan(d->low) || place(p, band_q[i]) > 1)
		return false;
	v[0] = d->low / unit;
	v[1] = d->value / unit;
	v[2] = d->high / unit;
	return true;
}

static void hover_difference(struct drawing *d, const struct axis *y, double q,
			     const double v[3], double x)
{
	char high[32] = "no limit";

	if (isfinite(v[2]))
		snprintf(high, sizeof(high), "%+.2g %%", 100 * v[2]);
	draw_hover(d, x, axis_pos(y, v[1]), "p%g: %+.2g %% (95 %%: %+.2g %% to %s)",
		   100 * q, 100 * v[1], 100 * v[0], high);
}

static void draw_zero(struct drawing *d, const struct axis *y, double threshold)
{
	draw_row(d, 0, 1, axis_pos(y, 0), axis_pos(y, 0));
	draw_segments(d, COLOR_INK, 1, 0);
	if (!(threshold > 0))
		return;
	draw_row(d, 0, 1, axis_pos(y, threshold), axis_pos(y, threshold));
	draw_row(d, 0, 1, axis_pos(y, -threshold), axis_pos(y, -threshold));
	draw_segments(d, COLOR_SOFT, 1, 2);
	panel_legend_line(d, COLOR_SOFT, 2, "threshold");
}

static void draw_difference(const struct figure *f, struct drawing *d)
{
	const struct pair *p = f->data;
	double low = -2 * p->r->o->threshold, high = -low, v[3];
	struct axis x, y;

	/* The scale of most transfers; what is beyond leaves the picture, as the tail's
	 * quantiles and their bands may by a hundred times. */
	for (size_t i = 0; i < BAND; i++)
		if (band_q[i] <= 0.9 && relative(p, i, v)) {
			low = fmin(low, 1.3 * v[1]);
			high = fmax(high, 1.3 * v[1]);
		}
	tail_axis(&x, p);
	axis_init_scale(&y, AXIS_SHARE, AXIS_LINEAR, low, high, 6);
	panel_begin(d, 0, drawing_narrow(d) ? 0.22 : 0.15, 1, 0.88);
	panel_axes(d, &x, "quantile", &y, "new against base");
	for (size_t i = 0; i < BAND; i++)
		if (relative(p, i, v))
			draw_row(d, place(p, band_q[i]), axis_pos(&y, v[0]),
				 axis_pos(&y, fmin(v[2], OFF_THE_PICTURE)), 0);
	draw_band(d, difference_color, 0.3);
	draw_zero(d, &y, p->r->o->threshold);
	for (size_t i = 0; i < BAND; i++)
		if (relative(p, i, v)) {
			draw_row(d, place(p, band_q[i]), axis_pos(&y, v[1]), 0, 0);
			hover_difference(d, &y, band_q[i], v, place(p, band_q[i]));
		}
	draw_line(d, difference_color, 1.8, 1);
	panel_legend(d, difference_color, "difference, 95 % band");
}

/* ---- figures ---- */

static void counts(const struct pair *p, char *buf, size_t len)
{
	char b[32], f[32];

	snprintf(buf, len, "base: %s transfers, new: %s",
		 text_count(side_met(&p->g->base), b),
		 text_count(side_met(&p->g->fresh), f));
}

static void fill(struct figure *f, struct pair *p, size_t number, const char *name,
		 const char *what, void (*draw)(const struct figure *, struct drawing *))
{
	char group[96];

	group_name(&p->g->key, group, sizeof(group));
	snprintf(f->name, sizeof(f->name), "%s-%zu", name, number);
	snprintf(f->title, sizeof(f->title), "%s: %s", what, group);
	snprintf(f->alt, sizeof(f->alt),
		 "%s of %s, base and new over one another: %s, %s.", what, group,
		 compare_verdict_name(p->g->verdict), p->g->why);
	f->data = p;
	f->release = pair_release;
	f->draw = draw;
	p->users++;
	if (!p->n[BASE] || !p->n[FRESH])
		snprintf(f->why_not, sizeof(f->why_not), "%s.", p->g->why);
}

static void caption(struct pair *p, struct figure fig[COMPARE_FIGURES])
{
	char n[96];
	bool any = false;
	double v[3];

	counts(p, n, sizeof(n));
	snprintf(fig[0].caption, sizeof(fig[0].caption),
		 "%s. Marks: the medians. What lies beyond the 99.9th percentile of both "
		 "stands in the last bin.",
		 n);
	snprintf(fig[1].caption, sizeof(fig[1].caption),
		 "%s. Each step to the right is ten times rarer.", n);
	snprintf(fig[2].caption, sizeof(fig[2].caption),
		 "%s. Above 0 the new side is slower. Each quantile's band stands for "
		 "itself at 95 %%; where a side has fewer than %d independent values "
		 "beyond a quantile there is none. The scale is that of the quantiles "
		 "up to p90: what differs more leaves the picture.",
		 n, COMPARE_MIN_BEYOND);
	for (size_t i = 0; i < BAND; i++)
		any |= relative(p, i, v);
	if (!any && !*fig[2].why_not)
		snprintf(fig[2].why_not, sizeof(fig[2].why_not),
			 "there are too few transfers for an interval of any quantile.");
}

static int make_group(const struct compare_result *r, const struct compare_group *g,
		      size_t number, struct figure fig[COMPARE_FIGURES], struct err *e)
{
	struct pair *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return err_nomem(e, "a comparison");
	p->r = r;
	p->g = g;
	p->users = 1;
	rc = pair_values(p, BASE, e);
	rc = rc ? rc : pair_values(p, FRESH, e);
	rc = rc ? rc : pair_differences(p, e);
	if (!rc) {
		fill(&fig[0], p, number, "histogram", "Histogram", draw_histogram);
		fill(&fig[1], p, number, "tail", "Tail", draw_tail);
		fill(&fig[2], p, number, "difference", "Difference of each quantile",
		     draw_difference);
		caption(p, fig);
	}
	pair_release(p);
	return rc;
}

/* Slower first, then faster, cannot tell, same; at most COMPARE_DRAWN groups. */
static size_t choose_groups(const struct comparison *c, size_t pick[COMPARE_DRAWN])
{
	static const enum compare_verdict order[] = {COMPARE_SLOWER, COMPARE_FASTER,
						     COMPARE_CANNOT_TELL, COMPARE_SAME};
	size_t n = 0;

	for (int k = 0; k < 4; k++)
		for (size_t i = 0; i < c->n && n < COMPARE_DRAWN; i++)
			if (c->group[i].verdict == order[k])
				pick[n++] = i;
	return n;
}

struct page {
	const struct compare_result *r;
	const struct figure *fig;
	size_t nfig;
};

static int write_page(FILE *f, void *arg, struct err *e)
{
	const struct page *p = arg;

	return compare_page_write(f, p->r, p->fig, p->nfig, e);
}

int compare_report(const struct compare_result *r, const char *dir, char **path,
		   struct err *e)
{
	struct figure *fig = calloc(COMPARE_DRAWN * COMPARE_FIGURES, sizeof(*fig));
	struct gnuplot_terminals can;
	size_t pick[COMPARE_DRAWN], n = choose_groups(r->c, pick);
	struct formats want = {.html = true, .png = true, .svg = true};
	struct gnuplot_watch w = {0};
	struct render_dir into = {.fd = -1};
	int rc = fig ? gnuplot_probe(&can, e) : err_nomem(e, "a comparison");

	*path = NULL;
	rc = rc ? rc : render_open(&into, dir, e);
	for (size_t i = 0; !rc && i < n; i++)
		rc = make_group(r, &r->c->group[pick[i]], i + 1,
				&fig[i * COMPARE_FIGURES], e);
	rc = rc ? rc : render(fig, n * COMPARE_FIGURES, &into, &want, &can, &w, e);
	if (!rc)
		rc = render_page(&into, write_page,
				 &(struct page){r, fig, n * COMPARE_FIGURES}, path, e);
	for (size_t i = 0; fig && i < COMPARE_DRAWN * COMPARE_FIGURES; i++)
		figure_release(&fig[i]);
	render_close(&into);
	free(fig);
	return rc;
}
