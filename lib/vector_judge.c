/* SPDX-License-Identifier: GPL-2.0-only */
/* Verdicts. The rules are in vector.h. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "num.h"
#include "vector_priv.h"

enum { RIVAL_NS = 2000 }; /* two that are nearer to each other cannot be told apart */

#define RIVAL_SCORE 0.45 /* more than any other that is no completion has */

static const char *const names[VERDICT_N] = {"unclear", "completion", "data available",
					     "shared",	"unrelated",  "silent"};

const char *verdict_name(enum verdict v)
{
	return (unsigned)v < VERDICT_N ? names[v] : "?";
}

/* What the points of a pair say; NAN where there are too few. */
struct shape {
	size_t n;
	double coverage, chance, sigma; /* sigma: coverage above chance, in deviations */
	double nearness, following, position, to_end, took, flat;
	double slope, intercept;
};

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* q-th value of n; a is sorted. */
static double sorted_at(const double *a, size_t n, double q)
{
	return n ? a[(size_t)(q * (double)(n - 1))] : NAN;
}

static double spread(const double *a, size_t n)
{
	return sorted_at(a, n, 0.75) - sorted_at(a, n, 0.25);
}

/* Theil-Sen over pairs of points: of all when they are few, else of neighbours at several
 * distances. */
static void slope_of(const struct vpair *p, struct shape *s, double *work, size_t room)
{
	size_t n = 0, m = 0;

	for (size_t step = 1; step < p->npoint && n < room; step += 1 + step / 3)
		for (size_t i = 0; i + step < p->npoint && n < room; i++) {
			const struct vpoint *a = &p->point[i], *b = &p->point[i + step];

			if (a->size == DMA_UNKNOWN || b->size == DMA_UNKNOWN ||
			    a->size == b->size)
				continue;
			work[n++] = (double)((b->took_ns - b->to_end_ns) -
					     (a->took_ns - a->to_end_ns)) /
				    (double)(b->size - a->size);
		}
	s->slope = s->intercept = NAN;
	if (n < 3)
		return;
	qsort(work, n, sizeof(*work), by_value);
	s->slope = sorted_at(work, n, 0.5);
	for (size_t i = 0; i < p->npoint && m < room; i++)
		if (p->point[i].size != DMA_UNKNOWN)
			work[m++] =
				(double)(p->point[i].took_ns - p->point[i].to_end_ns) -
				s->slope * (double)p->point[i].size;
	qsort(work, m, sizeof(*work), by_value);
	s->intercept = sorted_at(work, m, 0.5);
}

/* A program that only asks when it has been told (irq_wait, then dma_wait) has none but
 * early points; where there are others, they alone say how near the interrupt came. */
static bool early_points(const struct vpair *p)
{
	size_t early = 0;

	for (size_t i = 0; i < p->npoint; i++)
		early += p->point[i].early;
	return early > p->npoint - p->npoint / 20 || p->npoint - early < 4;
}

static void points_of(const struct vpair *p, double rate, struct shape *s, double *work,
		      size_t room)
{
	double *took = work, *to_end = work + KEEP, *part = work + 2 * KEEP;
	double *abs_end = work + 3 * KEEP, by_chance, took_spread, end_spread;
	bool early = early_points(p);
	size_t n = 0;

	for (size_t i = 0; i < p->npoint; i++) {
		if (p->point[i].early != early)
			continue;
		took[n] = (double)p->point[i].took_ns;
		to_end[n] = (double)p->point[i].to_end_ns;
		abs_end[n] = fabs(to_end[n]);
		part[n] = took[n] > 0 ? 1 - to_end[n] / took[n] : 0;
		n++;
	}
	s->n = n;
	if (n < 4)
		return;
	qsort(took, n, sizeof(*took), by_value);
	qsort(to_end, n, sizeof(*to_end), by_value);
	qsort(part, n, sizeof(*part), by_value);
	qsort(abs_end, n, sizeof(*abs_end), by_value);
	s->took = sorted_at(took, n, 0.5);
	s->to_end = sorted_at(to_end, n, 0.5);
	s->position = sorted_at(part, n, 0.5);
	by_chance = rate > 0 ? M_LN2 / rate : INFINITY;
	s->nearness = sorted_at(abs_end, n, 0.5) / by_chance;
	took_spread = spread(took, n);
	end_spread = spread(to_end, n);
	s->flat = took_spread / s->took;
	s->following = took_spread > 0
			       ? 1 - end_spread * end_spread / (took_spread * took_spread)
			       : 0;
	slope_of(p, s, work, room);
}

/* Rates are per ns. While the channel was busy the vector's own rate counts for nearness:
 * interrupts that have nothing to do with the transfers come as densely as any. */
static void shape_of(const struct vectors *v, const struct vchannel *c, size_t at,
		     struct shape *s, double *work, size_t room)
{
	const struct vpair *p = &c->pair[at];
	double span = (double)(v->to_ns - v->from_ns), idle = span - (double)c->busy_ns;
	double out = (double)(v->vector[at].count - p->inside);
	double each = c->periods ? (double)c->busy_ns / (double)c->periods : 0;
	double busy = (double)c->busy_ns;

	*s = (struct shape){.nearness = NAN,
			    .following = NAN,
			    .position = NAN,
			    .to_end = NAN,
			    .took = NAN,
			    .flat = NAN,
			    .slope = NAN,
			    .intercept = NAN,
			    .chance = NAN,
			    .sigma = NAN};
	if (!c->periods)
		return;
	s->coverage = (double)p->covered / (double)c->periods;
	if (idle > 0.02 * span && idle > 4 * each) {
		/* one more than seen, so that none is no proof of none */
		double chance = 1 - exp(-(out + 1) / idle * each);

		s->chance = chance;
		s->sigma = (s->coverage - chance) /
			   sqrt(chance * (1 - chance) / (double)c->periods + 1e-12);
	}
	points_of(p, busy > 0 ? (double)p->inside / busy : 0, s, work, room);
}

static bool ends_transfers(const struct shape *s)
{
	if (!(s->nearness < 0.5) || s->coverage < 0.5)
		return false;
	return s->following >= 0.5 || (s->flat < 0.1 && s->position >= 0.8);
}

static enum verdict verdict_of(const struct vvector *v, const struct vchannel *c,
			       const struct vpair *p, const struct shape *s)
{
	bool related = s->sigma > 4 || s->nearness < 0.3;

	if (!v->count)
		return v->delta == DMA_UNKNOWN || v->delta <= 0 ? VERDICT_SILENT
								: VERDICT_UNCLEAR;
	if (c->transfers < VECTOR_MIN)
		return VERDICT_UNCLEAR;
	if (related && ends_transfers(s))
		return VERDICT_COMPLETION;
	if (s->coverage < 0.2 || (!related && !isnan(s->sigma)) ||
	    p->inside > 3 * c->transfers)
		return VERDICT_UNRELATED;
	if (!related)
		return VERDICT_UNCLEAR;
	if (s->coverage >= 0.8 && (s->position < 0.5 || s->following < 0.3))
		return s->flat < 0.1 && s->position >= 0.5 ? VERDICT_UNCLEAR
							   : VERDICT_DATA_AVAILABLE;
	return VERDICT_UNCLEAR;
}

static double limited(double x)
{
	return x > 1 ? 1 : x > 0 ? x : 0;
}

static double score_of(enum verdict v, const struct shape *s)
{
	double near = isnan(s->nearness) ? 0 : limited(1 - s->nearness);
	double with = isnan(s->following) ? 0 : limited(s->following);

	if (s->flat < 0.1)
		with = fmax(with, limited(s->position));
	switch (v) {
	case VERDICT_COMPLETION:
		return 0.5 + 0.5 * s->coverage * near * with;
	case VERDICT_UNCLEAR:
	case VERDICT_DATA_AVAILABLE:
		return 0.4 * s->coverage * (near + with) / 2;
	default:
		return 0.1 * s->coverage * near;
	}
}

static const char *meaning(enum verdict v)
{
	switch (v) {
	case VERDICT_COMPLETION:
		return "and follows what they take";
	case VERDICT_DATA_AVAILABLE:
		return "but does not follow what they take";
	case VERDICT_UNRELATED:
		return "no more than chance brings";
	default:
		return "not clearly enough";
	}
}

static void say(struct vector_evidence *o, const struct vvector *v,
		const struct vchannel *c, const struct shape *s)
{
	char end[32], chance[48] = "";
	size_t len;

	if (!v->count && v->delta != DMA_UNKNOWN && v->delta > 0) {
		snprintf(o->why, sizeof(o->why),
			 "fired %" PRId64
			 " times by /proc/interrupts, but none was recorded",
			 v->delta);
		return;
	}
	if (!v->count) {
		snprintf(o->why, sizeof(o->why), "never fired: masked, or not enabled");
		return;
	}
	if (!c || !c->periods) {
		snprintf(o->why, sizeof(o->why),
			 "%" PRIu64
			 " interrupts, and no transfer that ended to hold them "
			 "against",
			 v->count);
		return;
	}
	if (!isnan(s->chance))
		snprintf(chance, sizeof(chance), " (%.3g %% by chance)", 100 * s->chance);
	len = (size_t)snprintf(o->why, sizeof(o->why),
			       "comes in %.4g %%%s of %" PRIu64 " transfers",
			       100 * s->coverage, chance, c->transfers);
	if (!isnan(s->to_end) && len < sizeof(o->why))
		len += (size_t)snprintf(o->why + len, sizeof(o->why) - len,
					", %s %s their end",
					num_print_ns(end, (int64_t)fabs(s->to_end)),
					s->to_end < 0 ? "after" : "before");
	if (len < sizeof(o->why))
		snprintf(o->why + len, sizeof(o->why) - len,
			 ", %s; %" PRIu64 " of its %" PRIu64 " interrupts outside",
			 c->transfers < VECTOR_MIN ? "too few to tell"
						   : meaning(o->verdict),
			 o->outside, v->count);
}

static void fill(const struct vectors *v, const struct vchannel *c, size_t at,
		 struct vector_evidence *o, double *work, size_t room)
{
	const struct vpair *p = &c->pair[at];
	struct shape s;

	shape_of(v, c, at, &s, work, room);
	*o = (struct vector_evidence){.irq = v->vector[at].irq,
				      .card = c->card,
				      .channel = c->channel,
				      .transfers = c->transfers,
				      .one = p->one,
				      .none = p->none,
				      .many = p->many,
				      .interrupts = v->vector[at].count,
				      .outside = v->vector[at].count - p->inside,
				      .position = s.position,
				      .to_end_ns = s.to_end,
				      .slope_ns_per_byte = s.slope,
				      .intercept_ns = s.intercept};
	o->verdict = verdict_of(&v->vector[at], c, p, &s);
	o->score = score_of(o->verdict, &s);
	say(o, &v->vector[at], c, &s);
}

/* ---- several channels ---- */

/* Its interrupts that lie in no channel's transfers, or in such of channels that it does
 * not end. */
static bool fires_elsewhere(const struct vectors *v, size_t at)
{
	return (double)v->vector[at].outside > 0.1 * (double)v->vector[at].count;
}

/* A channel with few transfers takes the vector of its card's other channels. */
static void lend(struct vectors *v, struct vector_evidence *all)
{
	size_t nv = v->nvector;

	for (size_t i = 0; i < v->nchannel; i++) {
		const struct vchannel *c = v->channel[i];

		if (c->transfers >= VECTOR_MIN || !c->transfers)
			continue;
		for (size_t k = 0; k < nv; k++) {
			struct vector_evidence *o = &all[i * nv + k];
			bool other = false;

			for (size_t j = 0; j < v->nchannel; j++)
				other |= v->channel[j]->card == c->card &&
					 v->channel[j]->transfers >= VECTOR_MIN &&
					 all[j * nv + k].verdict == VERDICT_COMPLETION;
			if (!other || c->pair[k].covered < c->periods)
				continue;
			o->verdict = VERDICT_COMPLETION;
			o->score = 0.5;
			snprintf(o->why, sizeof(o->why),
				 "comes in all of %" PRIu64
				 " transfers, and ends those of other channels",
				 c->transfers);
		}
	}
}

/* Of several that fit, the latest is the end: nothing comes from a transfer behind it,
 * and what comes earlier in the same transfers cannot be it. */
static void rivals(const struct vectors *v, const struct vchannel *c,
		   struct vector_evidence *of)
{
	const struct vector_evidence *last = NULL;

	for (size_t k = 0; k < v->nvector; k++)
		if (of[k].verdict == VERDICT_COMPLETION &&
		    (!last || of[k].to_end_ns < last->to_end_ns))
			last = &of[k];
	for (size_t k = 0; k < v->nvector; k++) {
		struct vector_evidence *o = &of[k];

		if (o == last || o->verdict != VERDICT_COMPLETION ||
		    !(o->to_end_ns - last->to_end_ns > RIVAL_NS))
			continue;
		o->verdict = VERDICT_DATA_AVAILABLE;
		o->score = RIVAL_SCORE;
		snprintf(o->why, sizeof(o->why),
			 "comes in %.4g %% of %" PRIu64
			 " transfers, but before interrupt %d does",
			 100 * (double)c->pair[k].covered / (double)c->periods,
			 c->transfers, last->irq);
	}
}

static bool is_rival(const struct vector_evidence *o)
{
	return o->verdict == VERDICT_DATA_AVAILABLE && o->score >= RIVAL_SCORE;
}

/* Cards that are driven in step see each other's interrupts as well as their own. An
 * interrupt that seems to end the transfers of several cards, with a rival on each, is
 * none that can be told. */
static void in_step(const struct vectors *v, struct vector_evidence *all)
{
	size_t nv = v->nvector;

	for (size_t n = 0; n < v->nchannel * v->nchannel * nv * nv; n++) {
		size_t i = n / nv / nv / v->nchannel, j = n / nv / nv % v->nchannel;
		struct vector_evidence *a = &all[i * nv + n / nv % nv];
		struct vector_evidence *b = &all[j * nv + n / nv % nv];

		if (v->channel[i]->card == v->channel[j]->card ||
		    a->verdict != VERDICT_COMPLETION ||
		    b->verdict != VERDICT_COMPLETION ||
		    !is_rival(&all[i * nv + n % nv]) || !is_rival(&all[j * nv + n % nv]))
			continue;
		a->verdict = b->verdict = VERDICT_UNCLEAR;
		a->score = b->score = RIVAL_SCORE;
		snprintf(a->why, sizeof(a->why),
			 "comes near the end on several cards that work in step, as "
			 "interrupt %d does",
			 all[i * nv + n % nv].irq);
		memcpy(b->why, a->why, sizeof(a->why));
	}
}

static void overall(const struct vectors *v, size_t at, const struct vector_evidence *all,
		    struct vector_evidence *o)
{
	static const int rank[VERDICT_N] = {[VERDICT_COMPLETION] = 5,
					    [VERDICT_DATA_AVAILABLE] = 4,
					    [VERDICT_UNCLEAR] = 3,
					    [VERDICT_UNRELATED] = 2,
					    [VERDICT_SILENT] = 1};
	const struct vector_evidence *best = NULL;
	size_t ends = 0, nv = v->nvector;

	for (size_t i = 0; i < v->nchannel; i++) {
		const struct vector_evidence *x = &all[i * nv + at];

		ends += x->verdict == VERDICT_COMPLETION;
		if (!best || rank[x->verdict] > rank[best->verdict] ||
		    (x->verdict == best->verdict && x->score > best->score))
			best = x;
	}
	if (best) {
		*o = *best;
		o->outside = v->vector[at].outside;
	} else {
		*o = (struct vector_evidence){
			.irq = v->vector[at].irq,
			.interrupts = v->vector[at].count,
			.outside = v->vector[at].count,
			.position = NAN,
			.to_end_ns = NAN,
			.slope_ns_per_byte = NAN,
			.intercept_ns = NAN,
			.verdict = v->vector[at].count || v->vector[at].delta > 0
					   ? VERDICT_UNCLEAR
					   : VERDICT_SILENT};
		say(o, &v->vector[at], NULL, NULL);
	}
	o->card = o->channel = DMA_UNKNOWN;
	if (o->verdict == VERDICT_COMPLETION && (ends > 1 || fires_elsewhere(v, at)))
		o->verdict = VERDICT_SHARED;
}

static int by_score(const void *a, const void *b)
{
	const struct vector_evidence *x = a, *y = b;

	if (x->score != y->score)
		return x->score < y->score ? 1 : -1;
	return (x->irq > y->irq) - (x->irq < y->irq);
}

static void advise(struct vectors *v)
{
	struct vector_result *r = &v->result;
	uint64_t transfers = 0;
	size_t without = 0;

	for (size_t i = 0; i < v->nchannel; i++) {
		bool found = false;

		transfers += v->channel[i]->transfers;
		for (size_t k = 0; k < v->nvector; k++)
			found |= r->channel[i * v->nvector + k].verdict ==
				 VERDICT_COMPLETION;
		without += !found && v->channel[i]->transfers;
	}
	r->thin = without || !transfers;
	if (!r->thin)
		return;
	if (!transfers)
		snprintf(r->advice, sizeof(r->advice),
			 "no transfer was seen to end: which interrupt ends them cannot "
			 "be "
			 "told; name it with --irq N");
	else if (!v->nvector)
		snprintf(r->advice, sizeof(r->advice),
			 "no interrupt was recorded: ends are those that the waits saw");
	else
		snprintf(r->advice, sizeof(r->advice),
			 "no interrupt is clearly the end of transfers on %zu of %zu "
			 "channels (--verify shows the evidence): there, ends are those "
			 "that the waits saw; if you know it, name it with --irq N",
			 without, v->nchannel);
}

int vectors_judge(struct vectors *v, struct err *e)
{
	size_t nv = v->nvector, nc = v->nchannel, room = 8 * KEEP;
	double *work = calloc(room, sizeof(*work));
	struct vector_evidence *all;

	free(v->evidence);
	v->evidence = calloc(nv * (nc + 1) + 1, sizeof(*v->evidence));
	if (!v->evidence || !work) {
		free(work);
		return err_set(e, ERR_NOMEM, "vector finder: no memory");
	}
	all = v->evidence + nv;
	for (size_t i = 0; i < nc; i++)
		for (size_t k = 0; k < nv; k++)
			fill(v, v->channel[i], k, &all[i * nv + k], work, room);
	for (size_t i = 0; i < nc; i++)
		rivals(v, v->channel[i], &all[i * nv]);
	if (nc <= 16 && nv <= 64)
		in_step(v, all);
	lend(v, all);
	for (size_t k = 0; k < nv; k++)
		overall(v, k, all, &v->evidence[k]);
	v->result = (struct vector_result){.overall = v->evidence,
					   .noverall = nv,
					   .channel = all,
					   .nchannel = nv * nc};
	advise(v);
	qsort(v->evidence, nv, sizeof(*v->evidence), by_score);
	free(work);
	return 0;
}
