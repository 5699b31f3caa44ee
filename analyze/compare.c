/* SPDX-License-Identifier: GPL-2.0-only */
#include "compare.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "err.h"
#include "num.h"

#define LEVEL 0.95

static const double line_quantiles[] = {0.5, 0.9, 0.99, 0.999, 0};

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

void comparison_release(struct comparison *c)
{
	for (size_t i = 0; i < c->n; i++) {
		side_release(&c->group[i].base);
		side_release(&c->group[i].fresh);
	}
	free(c->group);
	*c = (struct comparison){0};
}

const char *group_name(const struct group_key *k, char *buf, size_t len)
{
	char bytes[32];
	size_t at = 0;

	buf[0] = 0;
#define PART(...) at += (size_t)snprintf(buf + at, at < len ? len - at : 0, __VA_ARGS__)
	if (k->by & BY_CARD && k->card != DMA_UNKNOWN)
		PART("%scard %" PRId64, at ? ", " : "", k->card);
	if (k->by & BY_CHANNEL && k->channel != DMA_UNKNOWN)
		PART("%schannel %" PRId64, at ? ", " : "", k->channel);
	if (k->by & BY_DIRECTION && k->direction != DIR_UNKNOWN)
		PART("%s%s", at ? ", " : "", direction_name(k->direction));
	if (k->by & BY_SIZE && k->size_bytes != DMA_UNKNOWN)
		PART("%s%s", at ? ", " : "", num_print_bytes(bytes, k->size_bytes));
	if (!at)
		PART("all transfers");
#undef PART
	return buf;
}

/* ---- a side's values ---- */

/* The group's recordings as the statistics take them; borrowed values, malloc'ed list. */
static int side_view(const struct group_side *g, struct series **list, struct side *s,
		     struct err *e)
{
	*list = calloc(g->nrun ? g->nrun : 1, sizeof(**list));
	if (!*list)
		return err_set(e, ERR_NOMEM, "no memory for %zu recordings", g->nrun);
	for (size_t i = 0; i < g->nrun; i++)
		(*list)[i] = (struct series){g->run[i].value_ns, g->run[i].n};
	*s = (struct side){*list, g->nrun};
	return 0;
}

static size_t side_count(const struct group_side *g)
{
	size_t n = 0;

	for (size_t i = 0; i < g->nrun; i++)
		n += g->run[i].n;
	return n;
}

static double side_excluded_share(const struct group_side *g)
{
	uint64_t excluded = 0;
	size_t n = side_count(g);

	for (size_t i = 0; i < g->nrun; i++)
		excluded += g->run[i].excluded;
	return n + excluded ? (double)excluded / ((double)n + (double)excluded) : 0;
}

/* All values of a side in one series (malloc'ed), for the rank test. */
static int side_pool(const struct group_side *g, struct series *out, struct err *e)
{
	size_t n = side_count(g), at = 0;
	int64_t *v = malloc((n ? n : 1) * sizeof(*v));

	if (!v)
		return err_set(e, ERR_NOMEM, "no memory for %zu values", n);
	for (size_t i = 0; i < g->nrun; i++)
		for (size_t j = 0; j < g->run[i].n; j++)
			v[at++] = g->run[i].value_ns[j];
	*out = (struct series){v, n};
	return 0;
}

static int line_fill(struct compare_line *l, double q, double level,
		     const struct side *base, const struct side *fresh,
		     const struct compare_options *o, struct err *e)
{
	int rc;

	l->q = q;
	rc = side_estimate(base, q, o->across, o->seed, &l->base, e);
	if (!rc)
		rc = side_estimate(fresh, q, o->across, o->seed + 1, &l->fresh, e);
	if (!rc)
		estimate_difference(&l->base, &l->fresh, level, &l->diff);
	return rc;
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

/* A verdict wants the interval's half width down to this share of the base: outside zero
 * when the difference is beyond the threshold, inside the threshold when it is below. */
static double wanted_half_width(double relative, double threshold)
{
	double d = fabs(relative);

	return d >= threshold ? d : threshold - d;
}

static double transfers_needed(const struct compare_group *g, double relative,
			       double half, double threshold)
{
	double want = wanted_half_width(relative, threshold);
	size_t a = g->judged.base.n, b = g->judged.fresh.n;
	double n = (double)(a < b ? a : b), by_width, by_minimum;
	double effective = fmin(g->judged.base.effective, g->judged.fresh.effective);

	if (!(want > 0) || isnan(half) || !(effective > 0))
		return NAN;
	by_width = n * (half / want) * (half / want);
	by_minimum = COMPARE_MIN_EFFECTIVE * n / effective;
	return ceil(fmax(by_width, by_minimum));
}

/* Could the transfers left out have turned the difference round? The statistic's rank
 * moves by their share at most, to either side. */
static bool excluded_matter(const struct compare_group *g, double q)
{
	double share =
		fmax(side_excluded_share(&g->base), side_excluded_share(&g->fresh));

	return share > 0.01 && share > fmin(q > 0 ? q : 0.5, 1 - (q > 0 ? q : 0.5)) / 2;
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

static void judge_group(struct compare_group *g, const struct compare_options *o)
{
	const struct compare_line *l = &g->judged;
	double unit = fabs(l->base.value), d, low, high;
	double fewest =
		o->across ? INFINITY : fmin(l->base.effective, l->fresh.effective);

	g->needed = NAN;
	if (!l->base.n || !l->fresh.n) {
		cannot_tell(g, l->base.n ? "the new side has no such transfers"
					 : "the base has no such transfers");
		return;
	}
	if (isnan(l->diff.low) || !(unit > 0)) {
		cannot_tell(g, "too few transfers for an interval");
		return;
	}
	d = l->diff.value / unit;
	low = l->diff.low / unit;
	high = l->diff.high / unit;
	g->needed = transfers_needed(g, d, (high - low) / 2, o->threshold);
	g->verdict = verdict_of(d, low, high, o->threshold);
	if (fewest < COMPARE_MIN_EFFECTIVE)
		cannot_tell(g, "too few independent transfers on a side");
	else if (g->verdict == COMPARE_CANNOT_TELL)
		snprintf(g->why, sizeof(g->why),
			 "the interval %+.1f %% to %+.1f %% is too wide for a threshold "
			 "of %.3g %%",
			 100 * low, 100 * high, 100 * o->threshold);
	else if (excluded_matter(g, l->q))
		cannot_tell(g, "so many transfers have no known value that they could "
			       "turn it round");
	else
		snprintf(g->why, sizeof(g->why),
			 "%+.1f %%, interval %+.1f %% to %+.1f %%", 100 * d, 100 * low,
			 100 * high);
}

static int group_judge(struct compare_group *g, const struct compare_options *o,
		       double level, struct err *e)
{
	struct series *base_list = NULL, *fresh_list = NULL;
	struct side base = {0}, fresh = {0};
	int rc = side_view(&g->base, &base_list, &base, e);

	if (!rc)
		rc = side_view(&g->fresh, &fresh_list, &fresh, e);
	g->nline = sizeof(line_quantiles) / sizeof(*line_quantiles);
	for (size_t i = 0; !rc && i < g->nline; i++)
		rc = line_fill(&g->line[i], line_quantiles[i], LEVEL, &base, &fresh, o,
			       e);
	if (!rc)
		rc = line_fill(&g->judged, o->q, level, &base, &fresh, o, e);
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
		both += side_count(&c->group[i].base) && side_count(&c->group[i].fresh);
	c->level = 1 - (1 - LEVEL) / (double)(both ? both : 1);
	for (size_t i = 0; !rc && i < c->n; i++)
		rc = group_judge(&c->group[i], o, c->level, e);
	return rc;
}

enum compare_verdict comparison_verdict(const struct comparison *c)
{
	bool cannot = !c->n, faster = false;

	for (size_t i = 0; i < c->n; i++) {
		if (c->group[i].verdict == COMPARE_SLOWER)
			return COMPARE_SLOWER;
		cannot |= c->group[i].verdict == COMPARE_CANNOT_TELL;
		faster |= c->group[i].verdict == COMPARE_FASTER;
	}
	return cannot ? COMPARE_CANNOT_TELL : faster ? COMPARE_FASTER : COMPARE_SAME;
}
