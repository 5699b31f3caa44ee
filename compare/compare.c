/* SPDX-License-Identifier: GPL-2.0-only */
#include "compare/compare.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/num.h"

#define LEVEL 0.95

enum { MEDIAN }; /* of the lines, the first */
static const double line_quantiles[COMPARE_LINES] = {0.5, 0.9, 0.99, 0.999, 0};

const char *compare_verdict_name(enum compare_verdict v)
{
	static const char *const name[] = {
		[COMPARE_SAME] = "same",
		[COMPARE_FASTER] = "faster",
		[COMPARE_SLOWER] = "slower",
		[COMPARE_CANNOT_TELL] = "cannot tell",
	};

	return name[v];
}

static void side_release(struct group_side *s)
{
	for (size_t i = 0; i < s->nrun; i++)
		free(s->run[i].value_ns);
	free(s->run);
}

void group_release(struct compare_group *g)
{
	side_release(&g->base);
	side_release(&g->fresh);
}

void comparison_release(struct comparison *c)
{
	for (size_t i = 0; i < c->n; i++)
		group_release(&c->group[i]);
	free(c->group);
	*c = (struct comparison){0};
}

static const char *number_text(char buf[32], int64_t v)
{
	if (v == DMA_UNKNOWN)
		return "unknown";
	snprintf(buf, 32, "%" PRId64, v);
	return buf;
}

const char *statistic_name(double q, char *buf, size_t len)
{
	if (q <= 0)
		snprintf(buf, len, "mean");
	else if (q == 0.5)
		snprintf(buf, len, "median");
	else
		snprintf(buf, len, "p%.10g", 100 * q);
	return buf;
}

const char *group_name(const struct group_key *k, char *buf, size_t len)
{
	char number[32];
	size_t at = 0;

	buf[0] = 0;
#define PART(...) at += (size_t)snprintf(buf + at, at < len ? len - at : 0, __VA_ARGS__)
	if (k->by & BY_CARD)
		PART("%scard %s", at ? ", " : "", number_text(number, k->card));
	if (k->by & BY_CHANNEL)
		PART("%schannel %s", at ? ", " : "", number_text(number, k->channel));
	if (k->by & BY_DIRECTION)
		PART("%s%s", at ? ", " : "",
		     k->direction == DIR_UNKNOWN ? "direction unknown"
						 : direction_name(k->direction));
	if (k->by & BY_SIZE)
		PART("%s%s", at ? ", " : "",
		     k->size_bytes == DMA_UNKNOWN
			     ? "size unknown"
			     : num_print_bytes(number, k->size_bytes));
	if (!(k->by & ~(unsigned)BY_PHASE))
		PART("all transfers");
	if (k->by & BY_PHASE)
		PART(", %s", phase_name(k->phase));
#undef PART
	return buf;
}

/* ---- a side's values ---- */

/* The group's recordings as the statistics take them; borrowed values, malloc'ed list. */
int side_view(const struct group_side *g, struct series **list, struct side *s,
	      struct err *e)
{
	*list = calloc(g->nrun ? g->nrun : 1, sizeof(**list));
	if (!*list)
		return err_nomem(e, "%zu recordings", g->nrun);
	for (size_t i = 0; i < g->nrun; i++)
		(*list)[i] = (struct series){g->run[i].value_ns, g->run[i].n};
	*s = (struct side){*list, g->nrun};
	return 0;
}

size_t side_kept(const struct group_side *g)
{
	size_t n = 0;

	for (size_t i = 0; i < g->nrun; i++)
		n += g->run[i].n;
	return n;
}

uint64_t side_met(const struct group_side *g)
{
	uint64_t n = 0;

	for (size_t i = 0; i < g->nrun; i++)
		n += g->run[i].met > g->run[i].n ? g->run[i].met : g->run[i].n;
	return n;
}

uint64_t side_excluded(const struct group_side *g)
{
	uint64_t n = 0;

	for (size_t i = 0; i < g->nrun; i++)
		n += g->run[i].excluded;
	return n;
}

double side_bytes_per_s(const struct group_side *g)
{
	double bytes = 0, ns = 0;

	for (size_t i = 0; i < g->nrun; i++) {
		if (!g->run[i].sized)
			continue;
		bytes += (double)g->run[i].bytes;
		ns += (double)(g->run[i].to_ns - g->run[i].from_ns);
	}
	return ns > 0 ? 1e9 * bytes / ns : NAN;
}

static double side_excluded_share(const struct group_side *g)
{
	double excluded = (double)side_excluded(g), met = (double)side_met(g);

	return met + excluded > 0 ? excluded / (met + excluded) : 0;
}

/* All values of a side in one series (malloc'ed), for the rank test. */
static int side_pool(const struct group_side *g, struct series *out, struct err *e)
{
	size_t n = side_kept(g), at = 0;
	int64_t *v = malloc((n ? n : 1) * sizeof(*v));

	if (!v)
		return err_nomem(e, "%zu values", n);
	for (size_t i = 0; i < g->nrun; i++)
		for (size_t j = 0; j < g->run[i].n; j++)
			v[at++] = g->run[i].value_ns[j];
	*out = (struct series){v, n};
	return 0;
}

bool interval_holds(double q, const struct estimate *base, const struct estimate *fresh,
		    bool across)
{
	double few = fmin(base->effective, fresh->effective);

	return across || q <= 0 || few * fmin(q, 1 - q) >= COMPARE_MIN_BEYOND;
}

static void line_fill(struct compare_line *l, double q, double level,
		      const struct estimate *base, const struct estimate *fresh,
		      const struct compare_options *o)
{
	l->q = q;
	l->base = *base;
	l->fresh = *fresh;
	estimate_difference(base, fresh, level, &l->diff);
	if (!interval_holds(q, base, fresh, o->across))
		l->diff.low = l->diff.high = NAN;
}

static int lines_fill(struct compare_group *g, const struct side *base,
		      const struct side *fresh, const struct compare_options *o,
		      double level, struct err *e)
{
	enum { N = COMPARE_LINES };
	struct estimate b[N + 1], f[N + 1];
	double q[N + 1];
	int rc;

	memcpy(q, line_quantiles, sizeof(line_quantiles));
	q[N] = o->q;
	rc = side_estimates(base, q, N + 1, o->across, o->seed, b, e);
	if (!rc)
		rc = side_estimates(fresh, q, N + 1, o->across, o->seed + 1, f, e);
	if (rc)
		return rc;
	g->nline = N;
	for (size_t i = 0; i <= N && !o->across; i++) {
		estimate_scatter(&b[i], o->run_scatter, b[MEDIAN].value, base->nrun);
		estimate_scatter(&f[i], o->run_scatter, f[MEDIAN].value, fresh->nrun);
	}
	for (size_t i = 0; i < N; i++)
		line_fill(&g->line[i], q[i], LEVEL, &b[i], &f[i], o);
	line_fill(&g->judged, o->q, level, &b[N], &f[N], o);
	return 0;
}

static double inflation_of(const struct estimate *e)
{
	return e->effective > 0 ? (double)e->n / e->effective : 1;
}

static int rank_fill(struct compare_group *g, const struct compare_options *o,
		     struct err *e)
{
	struct series base = {0}, fresh = {0};
	double a = inflation_of(&g->judged.base), b = inflation_of(&g->judged.fresh);
	int rc = side_pool(&g->base, &base, e);

	if (!rc)
		rc = side_pool(&g->fresh, &fresh, e);
	if (!rc)
		rc = rank_test(&base, &fresh, o->across ? 1 : a > b ? a : b, &g->rank, e);
	free((void *)base.value);
	free((void *)fresh.value);
	return rc;
}

/* ---- the verdict ---- */

/* A difference relative to the base, in the unit that half widths of intervals have. */
static double in_width(const struct compare_line *l, double relative)
{
	return l->diff.ratio ? log1p(relative) : relative * fabs(l->base.value);
}

/* A verdict wants the interval's half width down to this: outside zero when the difference
 * is beyond the threshold, inside the threshold when it is below. */
static double wanted_half_width(const struct compare_line *l, double relative,
				double threshold)
{
	double at = in_width(l, relative);

	if (fabs(relative) >= threshold)
		return fabs(at);
	return fmin(in_width(l, threshold) - at, at - in_width(l, -threshold));
}

/* A next recording's difference scatters by its own standard error. For four verdicts in
 * five the interval must be smaller by so much: 1 + z(0.8) / z(0.975). */
#define FOUR_IN_FIVE (1 + 0.8416 / 1.96)

/* By the interval's width, which shrinks with the root of n; and enough for an interval
 * at all. */
static double transfers_needed(const struct compare_group *g, double relative,
			       const struct compare_options *o)
{
	const struct compare_line *l = &g->judged;
	double want = wanted_half_width(l, relative, o->threshold);
	double shrink = FOUR_IN_FIVE * l->diff.half / want;
	double n = (double)(l->base.n < l->fresh.n ? l->base.n : l->fresh.n);
	double effective = fmin(l->base.effective, l->fresh.effective), least;

	if (o->across)
		return want > 0 ? ceil(fmin((double)l->base.nblock,
					    (double)l->fresh.nblock) *
				       shrink * shrink)
				: NAN;
	if (!(effective > 0))
		return NAN;
	least = COMPARE_MIN_EFFECTIVE;
	if (l->q > 0)
		least = fmax(least, COMPARE_MIN_BEYOND / fmin(l->q, 1 - l->q));
	least *= n / effective;
	return ceil(want > 0 && isfinite(shrink) ? fmax(n * shrink * shrink, least)
						 : least);
}

/* Could the transfers left out have turned the difference round? The statistic's rank
 * moves by their share at most, to either side. */
static bool excluded_matter(struct compare_group *g, double q)
{
	double share =
		fmax(side_excluded_share(&g->base), side_excluded_share(&g->fresh));

	if (share <= 0.01 || share <= fmin(q > 0 ? q : 0.5, 1 - (q > 0 ? q : 0.5)) / 2)
		return false;
	g->verdict = COMPARE_CANNOT_TELL;
	snprintf(g->why, sizeof(g->why),
		 "the %s time of %.3g %% of a side's transfers is not known, and they "
		 "could turn it round",
		 phase_name(g->key.phase), 100 * share);
	return true;
}

static enum compare_verdict verdict_of(double d, double low, double high,
				       double threshold)
{
	if (low > 0 && d >= threshold)
		return COMPARE_SLOWER;
	if (high < 0 && d <= -threshold)
		return COMPARE_FASTER;
	if (low > -threshold && high < threshold)
		return COMPARE_SAME;
	return COMPARE_CANNOT_TELL;
}

static void cannot_tell(struct compare_group *g, const char *why)
{
	g->verdict = COMPARE_CANNOT_TELL;
	snprintf(g->why, sizeof(g->why), "%s", why);
}

/* What speaks against a verdict that the interval gives. */
static void doubt(struct compare_group *g, double d, const struct compare_options *o)
{
	double lost = fmax(g->base.lost_share, g->fresh.lost_share);

	g->needed = NAN; /* more of the same would not help */
	if (lost >= (g->verdict == COMPARE_SAME ? o->threshold : fabs(d)) && lost > 0) {
		g->verdict = COMPARE_CANNOT_TELL;
		snprintf(g->why, sizeof(g->why),
			 "%+.1f %%, but %.1f %% of a side's events were lost", 100 * d,
			 100 * lost);
	}
}

static bool no_interval(struct compare_group *g, const struct compare_options *o)
{
	const struct compare_line *l = &g->judged;

	if (!l->base.n || !l->fresh.n)
		cannot_tell(g, l->base.n ? "the new side has no such transfers"
					 : "the base has no such transfers");
	else if (!(fabs(l->base.value) > 0))
		cannot_tell(g, "the base's value is 0: there is no relative difference");
	else if (!isnan(l->diff.low))
		return false;
	else if (o->across)
		cannot_tell(g, "not in several recordings on each side");
	else
		cannot_tell(g, "too few transfers for an interval");
	if (l->base.n && l->fresh.n && !o->across)
		g->needed = transfers_needed(g, 0, o);
	return true;
}

/* A bound of an interval as a share of the base. Of a ratio it is not below -100 %, and not
 * rounded to it; beyond a hundredfold nothing is known but that. */
static const char *bound_words(const struct compare_line *l, double ns, int decimals,
			       char buf[32])
{
	double pct = 100 * ns / fabs(l->base.value);

	if (l->diff.ratio && pct <= -100)
		snprintf(buf, 32, "-100 %%");
	else if (l->diff.ratio && pct < -99)
		snprintf(buf, 32, "below -99 %%");
	else if (isinf(pct))
		snprintf(buf, 32, "no limit");
	else if (l->diff.ratio && pct > 9999)
		snprintf(buf, 32, "above +9999 %%");
	else
		snprintf(buf, 32, "%+.*f %%", decimals, pct);
	return buf;
}

static const char *interval_words(const struct compare_line *l, int decimals,
				  char buf[80])
{
	char low[32], high[32];

	snprintf(buf, 80, "interval %s to %s", bound_words(l, l->diff.low, decimals, low),
		 bound_words(l, l->diff.high, decimals, high));
	return buf;
}

/* The interval's width is what keeps from a verdict. */
static void too_wide(struct compare_group *g, double d, const struct compare_options *o)
{
	char interval[80];

	g->verdict = COMPARE_CANNOT_TELL;
	g->few_runs = !o->across && o->run_scatter > 0;
	if (g->few_runs)
		snprintf(g->why, sizeof(g->why), "%+.1f %%, seen in one run a side (%s)",
			 100 * d, interval_words(&g->judged, 0, interval));
	else
		snprintf(g->why, sizeof(g->why),
			 "%+.1f %%, and the %s is too wide for a threshold of %.3g %%",
			 100 * d, interval_words(&g->judged, 1, interval),
			 100 * o->threshold);
	if (!g->few_runs)
		g->needed = transfers_needed(g, d, o);
}

bool comparison_explain(struct compare_group *g, double more_ns, const char *what,
			const struct compare_options *o)
{
	const struct difference *v = &g->judged.diff;
	double unit = fabs(g->judged.base.value);
	char more[32];

	if (g->verdict == COMPARE_CANNOT_TELL || !(unit > 0) || isnan(more_ns) ||
	    verdict_of((v->value - more_ns) / unit, (v->low - more_ns) / unit,
		       (v->high - more_ns) / unit, o->threshold) == g->verdict)
		return false;
	g->verdict = COMPARE_CANNOT_TELL;
	g->needed = NAN;
	snprintf(g->why, sizeof(g->why), "%+.1f %%, but %s %s %s on the new side",
		 100 * v->value / unit, what, num_print_ns(more, (int64_t)fabs(more_ns)),
		 more_ns > 0 ? "more" : "less");
	return true;
}

static void judge_group(struct compare_group *g, const struct compare_options *o)
{
	const struct compare_line *l = &g->judged;
	double unit = fabs(l->base.value), d, low, high;
	double fewest =
		o->across ? INFINITY : fmin(l->base.effective, l->fresh.effective);
	char interval[80];

	g->needed = NAN;
	if (l->base.n && l->fresh.n && excluded_matter(g, l->q))
		return; /* more of the same would not help */
	if (no_interval(g, o))
		return;
	d = l->diff.value / unit;
	low = l->diff.low / unit;
	high = l->diff.high / unit;
	g->verdict = verdict_of(d, low, high, o->threshold);
	if (fewest < COMPARE_MIN_EFFECTIVE)
		cannot_tell(g, "too few independent transfers on a side");
	else if (g->verdict != COMPARE_CANNOT_TELL)
		snprintf(g->why, sizeof(g->why), "%+.1f %%, %s", 100 * d,
			 interval_words(l, 1, interval));
	if (fewest < COMPARE_MIN_EFFECTIVE)
		g->needed = transfers_needed(g, d, o);
	else if (g->verdict == COMPARE_CANNOT_TELL)
		too_wide(g, d, o);
	else
		doubt(g, d, o);
}

static int group_judge(struct compare_group *g, const struct compare_options *o,
		       double level, struct err *e)
{
	struct series *base_list = NULL, *fresh_list = NULL;
	struct side base = {0}, fresh = {0};
	int rc = side_view(&g->base, &base_list, &base, e);

	if (!rc)
		rc = side_view(&g->fresh, &fresh_list, &fresh, e);
	if (!rc)
		rc = lines_fill(g, &base, &fresh, o, level, e);
	if (!rc)
		rc = rank_fill(g, o, e);
	if (!rc)
		judge_group(g, o);
	free(base_list);
	free(fresh_list);
	return rc;
}

int comparison_judge(struct comparison *c, const struct compare_options *o, struct err *e)
{
	size_t both = 0;
	int rc = 0;

	for (size_t i = 0; i < c->n; i++)
		both += side_kept(&c->group[i].base) && side_kept(&c->group[i].fresh);
	c->level = 1 - (1 - LEVEL) / (double)(both ? both : 1);
	for (size_t i = 0; !rc && i < c->n; i++) {
		rc = group_judge(&c->group[i], o, c->level, e);
		if (o->step)
			o->step(o->arg, i + 1);
	}
	return rc;
}

enum compare_verdict comparison_verdict(const struct comparison *c)
{
	enum compare_verdict all = COMPARE_CANNOT_TELL;

	for (size_t i = 0; i < c->n; i++) {
		enum compare_verdict v = c->group[i].verdict;

		if (v == COMPARE_SLOWER)
			return v;
		if (v == COMPARE_FASTER || (v == COMPARE_SAME && all != COMPARE_FASTER))
			all = v;
	}
	return all;
}

int comparison_status(const struct comparison *c)
{
	enum compare_verdict v = comparison_verdict(c);

	return v == COMPARE_SLOWER	  ? EXIT_SLOWER
	       : v == COMPARE_CANNOT_TELL ? EXIT_CANNOT_TELL
					  : EXIT_NO_SLOWER;
}
