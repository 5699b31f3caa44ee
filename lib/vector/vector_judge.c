/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Judges what vector.c gathered: is an interrupt related to transfers at all, and to
 * which end of them (vector.h says by what)? Robust figures only: medians, the shortest
 * window that holds 60 %, Theil-Sen slopes (Sen 1968), Kendall's tau.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/vector/vector_priv.h"

#define SLOPED	    128 /* points that slopes are taken of */
#define FLAT	    0.25 /* of the growth of the transfer itself; 1 - FLAT = grows with it */
#define NEAR	    0.15 /* of the interval: close to its end */
#define NEAR_MOVING 0.35
#define PATTERN	    300 /* transfers that show a pattern, if there is one */

struct points {
	size_t n;
	double size[VECTOR_SLOTS], span[VECTOR_SLOTS];
	double first[VECTOR_SLOTS], end[VECTOR_SLOTS]; /* NAN = no interrupt */
	double pause[VECTOR_SLOTS];		       /* NAN = not known */
};

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The numbers among a[0 .. n), sorted into out. */
static size_t sorted(const double *a, size_t n, double *out)
{
	size_t m = 0;

	for (size_t i = 0; i < n; i++)
		if (!isnan(a[i]))
			out[m++] = a[i];
	qsort(out, m, sizeof(*out), compare);
	return m;
}

static double quantile(const double *a, size_t n, double q)
{
	double s[VECTOR_SLOTS];
	size_t m = sorted(a, n, s);

	return m ? s[(size_t)(q * (double)(m - 1) + 0.5)] : NAN;
}

/* Width of the narrowest window that holds VECTOR_HELD of all n. */
static double window(const double *a, size_t n)
{
	double s[VECTOR_SLOTS], best = INFINITY;
	size_t m = sorted(a, n, s), k = (size_t)ceil(VECTOR_HELD * (double)n);

	for (size_t i = 0; k && i + k <= m; i++)
		best = fmin(best, s[i + k - 1] - s[i]);
	return fmax(best, 50);
}

struct trend {
	double slope; /* NAN = too few differ in x */
	double tau_z; /* Kendall's S in standard deviations */
};

/* -1 = no memory. */
static int trend(const double *x, const double *y, size_t n, struct trend *t)
{
	double *s, concord = 0, var;
	size_t m = 0, used = 0, from[SLOPED];

	*t = (struct trend){NAN, 0};
	for (size_t i = 0; i < n && used < SLOPED; i++)
		if (!isnan(x[i]) && !isnan(y[i]))
			from[used++] = i;
	if (!(s = malloc((used * used / 2 + 1) * sizeof(*s))))
		return -1;
	for (size_t i = 0; i < used; i++)
		for (size_t j = 0; j < i; j++) {
			double dx = x[from[i]] - x[from[j]], dy = y[from[i]] - y[from[j]];
			if (dx == 0)
				continue;
			s[m++] = dy / dx;
			concord += (dy / dx > 0) - (dy / dx < 0);
		}
	var = (double)used * ((double)used - 1) * (2 * (double)used + 5) / 18;
	if (m >= 30) {
		qsort(s, m, sizeof(*s), compare);
		t->slope = s[m / 2];
		t->tau_z = concord / sqrt(var);
	}
	free(s);
	return 0;
}

static void points(const struct vector_case *c, int kind, struct points *p)
{
	const struct vector_channel *ch = c->channel;
	size_t limit = c->pair ? c->pair->slots : VECTOR_SLOTS;
	const struct vector_hit *h = c->pair ? c->pair->kept[kind] : NULL;

	p->n = ch->seen[kind] < limit ? (size_t)ch->seen[kind] : limit;
	if (!ch->kept[kind])
		p->n = 0;
	for (size_t i = 0; i < p->n; i++) {
		p->size[i] = ch->kept[kind][i].size_bytes;
		p->span[i] = (double)ch->kept[kind][i].span_ns;
		p->pause[i] = (double)ch->kept[kind][i].pause_ns;
		p->first[i] = h ? (double)h[i].first_ns : NAN;
		p->end[i] = h ? (double)h[i].end_ns : NAN;
		if (p->first[i] == (double)LATE_BUSY &&
		    2 * c->pair->late_busy > c->pair->present)
			p->end[i] = p->first[i] = NAN; /* rather of that start */
		else if (p->end[i] < 0)
			p->first[i] = p->span[i] - p->end[i];
	}
}

/* What the figures of a pair are. */
struct figures {
	uint64_t n;		     /* transfers */
	double rate, outside_rate;   /* per ns */
	double covered;		     /* share of the recording inside intervals */
	double end_lock, begin_lock; /* times as often as by chance, at least */
	double end_median, span_median;
	double end_window;
	double period;	  /* between two ends, of small transfers */
	double end_ratio; /* median of irq -> woken in units of the interval; NAN in a
			     queue */
	bool several_sizes, grows, varies;
	bool few;	     /* hits among them to see a growth */
	double begin_growth; /* of start -> first irq against size, as end_growth */
	double end_growth;   /* of irq -> woken against size, in units of the whole's */
	double end_moves;    /* ... against the interval's own length */
};

static int growth(const struct points *p, struct figures *g, struct vector_evidence *e)
{
	double lag[VECTOR_SLOTS] = {0}, *span = g->span_median > 0 ? lag : NULL;
	struct trend whole, end, begin, first, moves;
	double low = quantile(p->size, p->n, 0.1), high = quantile(p->size, p->n, 0.9);
	double spread = quantile(p->span, p->n, 0.9) - quantile(p->span, p->n, 0.1);

	for (size_t i = 0; i < p->n; i++)
		lag[i] = p->span[i] - p->end[i];
	if (trend(p->size, p->span, p->n, &whole) || trend(p->size, p->end, p->n, &end) ||
	    trend(p->size, lag, p->n, &begin) || trend(p->span, p->end, p->n, &moves) ||
	    trend(p->size, p->first, p->n, &first))
		return -1;
	g->several_sizes = !isnan(whole.slope);
	g->few = g->several_sizes && isnan(end.slope);
	g->grows = span && whole.tau_z > 4 &&
		   whole.slope * (high - low) >= 0.2 * g->span_median;
	g->period = quantile(p->span, p->n, g->grows ? 0.1 : 0.5);
	g->end_growth = end.slope / whole.slope;
	g->begin_growth = first.slope / whole.slope;
	g->varies = spread >= 0.3 * g->span_median;
	g->end_moves = moves.slope;
	e->slope_ns_per_byte = begin.slope;
	e->intercept_ns = NAN;
	if (!isnan(begin.slope)) {
		for (size_t i = 0; i < p->n; i++)
			lag[i] -= begin.slope * p->size[i];
		e->intercept_ns = quantile(lag, p->n, 0.5);
	}
	return 0;
}

static void rates(const struct vector_case *c, struct figures *g)
{
	const struct vector_channel *ch = c->channel;
	double span = fmax((double)c->recorded_ns, 1), busy = (double)ch->busy_ns;
	double inside = c->pair ? (double)c->pair->inside : 0;
	double outside = (double)c->e->outside;

	g->n = ch->transfers;
	g->covered = busy / span;
	g->rate = fmax((double)(c->interrupts - c->before) / span,
		       busy > 0 ? inside / busy : 0);
	/* As high as it may well be. */
	g->outside_rate = g->covered < 0.8 ? (outside + 2 * sqrt(outside) + 1) /
						     fmax(span - busy, 1)
					   : (double)(c->interrupts - c->before) / span;
}

static void count(struct vector_case *c)
{
	static const struct vector_pair nothing;
	const struct vector_pair *p = c->pair ? c->pair : &nothing;
	struct vector_evidence *e = c->e;
	uint64_t in = p->inside + c->before;

	e->transfers = c->channel->transfers;
	e->one = p->present - p->many;
	e->many = p->many;
	e->none = e->transfers - p->present;
	e->late = p->late;
	e->interrupts = c->interrupts;
	e->outside = in < c->interrupts ? c->interrupts - in : 0;
	e->position = e->to_end_ns = e->slope_ns_per_byte = e->intercept_ns = NAN;
	c->share =
		e->transfers ? (double)(p->present + p->late) / (double)e->transfers : 0;
}

static bool uniform(const struct figures *g)
{
	return g->end_lock > 0.75 && g->end_lock < 1.3 && g->begin_lock > 0.75 &&
	       g->begin_lock < 1.3;
}

/* Exactly one in each and none elsewhere: no chance does that, unless the intervals are
 * nearly all there is. */
static bool one_each(const struct vector_case *c, const struct figures *g)
{
	const struct vector_evidence *e = c->e;
	uint64_t late = c->pair ? c->pair->late_outside : 0;

	return (double)(e->one + e->late) >= 0.85 * (double)g->n && !uniform(g) &&
	       (double)(e->outside - late) <= VECTOR_OUTSIDE * (double)e->interrupts;
}

/* Hardly ever outside of transfers, where chance would put many. */
static bool only_inside(const struct vector_case *c, const struct figures *g)
{
	double chance = (double)(c->interrupts - c->before) * (1 - g->covered);

	return chance >= 10 && (double)c->e->outside <= 0.2 * chance;
}

static enum fit unlocked(const struct vector_case *c, const struct figures *g)
{
	double chance = fmin(1, fmax(g->outside_rate, 0) *
					(double)c->channel->resident_ns / (double)g->n);
	/* Overlapping intervals hold the same interrupts. */
	double sigma =
		sqrt(chance * (1 - chance) / (double)g->n *
		     (double)c->channel->resident_ns / (double)c->channel->busy_ns);
	double present = (double)(c->e->one + c->e->many) / (double)g->n;

	if (g->grows && g->end_growth >= 1 - FLAT && present >= 0.9)
		return FIT_EARLY; /* by chance half at most */
	if (one_each(c, g) || only_inside(c, g))
		return FIT_MAYBE;
	/* Hardly ever idle: chance cannot be measured, but its pattern is none of chance,
	 * or too little was seen of it. */
	if (chance >= 0.8 && present >= 0.9 &&
	    (fmax(g->end_lock, g->begin_lock) >= 1.4 || g->n < PATTERN))
		return FIT_MAYBE;
	return present < 0.2 || present <= 1.25 * chance + 3 * sigma ? FIT_NONE
								     : FIT_MAYBE;
}

/* In a queue that is hardly ever empty: was it near, too, when nothing came after? */
static bool last_is_near(const struct vector_case *c, const struct points *p)
{
	static const double far = 3;
	double limit = far * fmax(quantile(p->end, p->n, 0.9), 500);
	struct points last;
	size_t near = 0;

	points(c, KEPT_LAST, &last);
	for (size_t i = 0; i < last.n; i++)
		near += last.end[i] <= limit;
	return last.n && (double)near >= VECTOR_HELD * (double)last.n;
}

static enum fit locked(const struct vector_case *c, const struct figures *g,
		       bool end_locked)
{
	/* Of the middle transfer as of each: spans may be of two kinds. */
	double ratio = fmax(g->end_median / g->span_median, g->end_ratio);

	if (g->grows) {
		/* (Below 0 where the program sees the end of small ones later; what comes
		 * early does not do that.) */
		if (end_locked && g->end_growth <= FLAT)
			return FIT_END;
		if (!end_locked && c->begins && fabs(g->begin_growth) <= FLAT)
			return FIT_EARLY;
		return g->end_growth >= 1 - FLAT && (c->begins || one_each(c, g))
			       ? FIT_EARLY
			       : FIT_MAYBE;
	}
	if (!end_locked)
		return FIT_MAYBE;
	if (ratio <= NEAR && g->end_window <= 1.5 * NEAR * g->span_median)
		return FIT_END;
	return ratio <= NEAR_MOVING && g->varies && g->end_moves <= NEAR ? FIT_END
									 : FIT_MAYBE;
}

/* What the first and the last of busy periods say, FIT_MAYBE = nothing clear. */
static enum fit turning(struct vector_case *c, const struct figures *g, bool queue)
{
	const struct vector_turns *p = c->pair ? c->pair->turns : NULL;
	double first[VECTOR_FEW], last[VECTOR_FEW], from_begin, to_end;
	double period = queue ? g->period : 0;
	size_t n = p && p->n < VECTOR_FEW ? (size_t)p->n : VECTOR_FEW;

	if (!p || !p->n || 4 * p->surplus > p->n ||
	    (double)p->n < VECTOR_HELD * (double)(c->channel->turns - p->owing))
		return FIT_MAYBE;
	for (size_t i = 0; i < n; i++) {
		first[i] = (double)p->first_ns[i];
		last[i] = (double)p->last_ns[i];
	}
	c->from_begin_ns = from_begin = quantile(first, n, 0.5);
	c->to_end_ns = quantile(last, n, 0.5);
	to_end = fmax(c->to_end_ns, 0);
	if (to_end <= (queue ? VECTOR_NEAR_TURN : NEAR) * (from_begin + to_end))
		return from_begin < VECTOR_PERIOD * period ? FIT_MAYBE : FIT_END;
	return from_begin <= VECTOR_NEAR_TURN * (from_begin + to_end) &&
			       to_end >= period / 2
		       ? FIT_EARLY
		       : FIT_MAYBE;
}

static int measure(struct vector_case *c, struct points *p, struct figures *g)
{
	double at[VECTOR_SLOTS] = {0};

	g->end_median = quantile(p->end, p->n, 0.5);
	g->span_median = quantile(p->span, p->n, 0.5);
	g->end_window = window(p->end, p->n);
	g->end_lock = VECTOR_HELD / (g->rate * g->end_window);
	g->begin_lock = VECTOR_HELD / (g->rate * window(p->first, p->n));
	for (size_t i = 0; i < p->n; i++)
		at[i] = 1 - p->end[i] / p->span[i];
	c->e->position = quantile(at, p->n, 0.5);
	g->end_ratio = 1 - c->e->position;
	if (c->e->position < 0)
		c->e->position = NAN; /* in a queue: before its own interval */
	c->e->to_end_ns = c->end_ns = g->end_median;
	c->window_ns = g->end_window;
	c->span_ns = g->span_median;
	return growth(p, g, c->e);
}

static void say(struct vector_case *c, const struct figures *g, bool queue)
{
	const struct vector_evidence *e = c->e;
	double after = e->transfers ? (double)e->late / (double)e->transfers : 0;
	char size[100] = "", place[60] = "", late[48] = "";

	if (c->share < 0.005 || isnan(g->end_median)) {
		snprintf(c->e->why, sizeof(c->e->why),
			 "comes in %llu of %llu transfers; %llu of its %llu interrupt%s "
			 "outside of any",
			 (unsigned long long)(e->one + e->many),
			 (unsigned long long)e->transfers, (unsigned long long)e->outside,
			 (unsigned long long)e->interrupts,
			 e->interrupts == 1 ? "" : "s");
		return;
	}
	if (g->few)
		snprintf(size, sizeof(size),
			 "; in too few to see how it moves with size");
	else if (g->grows)
		snprintf(size, sizeof(size),
			 "; with size its distance to the end "
			 "grows %.2f times as much as the transfer",
			 g->end_growth);
	else
		snprintf(size, sizeof(size), "; %s",
			 g->several_sizes ? "transfers take no longer with size"
					  : "all transfers have one size");
	if (!isnan(e->position))
		snprintf(place, sizeof(place), " (at %.2f of %s)", e->position,
			 queue ? "the time since the end before" : "the transfer");
	/* a tenth of a percent, downwards: 100.0 are all of them */
	if (e->late)
		snprintf(late, sizeof(late), " and soon after %llu more",
			 (unsigned long long)e->late);
	snprintf(c->e->why, sizeof(c->e->why),
		 "in %.1f %% of %llu transfers%s, %.1f µs %s%s, %.1f times as "
		 "often there as by chance%s; %.1f %% of its interrupts outside",
		 floor(1000 * (c->share - after) + 1e-6) / 10,
		 (unsigned long long)e->transfers, late, fabs(g->end_median) / 1e3,
		 g->end_median < 0 ? "after the program saw the end" : "before the end",
		 place, fmin(g->end_lock, 9999), size,
		 e->interrupts ? 100 * (double)e->outside / (double)e->interrupts : 0);
}

/* Nothing to judge by. */
static bool nothing(struct vector_case *c)
{
	struct vector_evidence *e = c->e;
	const char *few = e->transfers < VECTOR_ENOUGH ? ": too few" : "";

	if (!c->interrupts && c->count_delta != DMA_UNKNOWN && c->count_delta > 0 &&
	    (uint64_t)c->count_delta < e->transfers / VECTOR_IDLE)
		snprintf(
			e->why, sizeof(e->why),
			"%lld interrupt%s by /proc/interrupts, of which none was recorded: "
			"too few to end %llu transfers",
			(long long)c->count_delta, c->count_delta == 1 ? "" : "s",
			(unsigned long long)e->transfers);
	else if (!c->interrupts && c->count_delta != DMA_UNKNOWN && c->count_delta > 0)
		snprintf(e->why, sizeof(e->why),
			 "/proc/interrupts counted %lld while recording, but not one was "
			 "recorded: record it with --irq %d",
			 (long long)c->count_delta, e->irq);
	else if (!c->interrupts)
		snprintf(e->why, sizeof(e->why), "not one interrupt in %llu transfer%s%s",
			 (unsigned long long)e->transfers, e->transfers == 1 ? "" : "s",
			 c->count_delta == 0 ? ", nor by /proc/interrupts" : "");
	else if (*few)
		snprintf(e->why, sizeof(e->why),
			 "comes in %llu of %llu transfer%s%s to tell; %llu of its %llu "
			 "interrupt%s outside of any",
			 (unsigned long long)(e->one + e->many),
			 (unsigned long long)e->transfers, e->transfers == 1 ? "" : "s",
			 few, (unsigned long long)e->outside,
			 (unsigned long long)e->interrupts,
			 e->interrupts == 1 ? "" : "s");
	return !c->interrupts || *few;
}

/* What is late of a vector that ends transfers is by chance of any other. */
static void late_ones(struct vector_case *c)
{
	struct vector_evidence *e = c->e;

	if (c->fit == FIT_END && c->pair) {
		e->outside -= c->pair->late_outside < e->outside ? c->pair->late_outside
								 : e->outside;
		return;
	}
	e->late = 0;
	c->share = (double)(e->one + e->many) / (double)e->transfers;
}

/* An interrupt soon after a start may be that of the transfer before, which comes late
 * where programs poll and start again at once. It is none where it keeps to starts more
 * closely than to the ends before them, or comes behind pauses too, longer than it can be
 * late by. */
static bool of_the_start(const struct points *p)
{
	double late[VECTOR_SLOTS] = {0}, usual;
	size_t paused = 0, there = 0;

	for (size_t i = 0; i < p->n; i++)
		late[i] = p->pause[i] + p->first[i];
	if (2 * window(p->first, p->n) <= window(late, p->n))
		return true;
	usual = quantile(late, p->n, 0.5);
	for (size_t i = 0; i < p->n; i++) {
		paused += p->pause[i] > 2 * usual;
		there += p->pause[i] > 2 * usual && p->first[i] <= p->span[i];
	}
	return 2 * there > paused;
}

/* One that is not clear by its place within single transfers. */
static enum fit by_turns(struct vector_case *c, const struct points *p,
			 const struct figures *g, bool queue)
{
	enum fit turns = turning(c, g, queue);
	bool owing = c->pair && c->pair->turns &&
		     2 * c->pair->turns->owing > c->channel->turns;

	if (queue && c->lock >= VECTOR_KEEPS && turns == FIT_EARLY)
		return FIT_EARLY;
	if (c->fit == FIT_END || (c->lock >= VECTOR_KEEPS && turns == FIT_END))
		return FIT_END;
	if (c->fit == FIT_EARLY)
		return queue || turns == FIT_END || owing || !of_the_start(p) ? FIT_MAYBE
									      : FIT_EARLY;
	return c->fit;
}

int vector_case_judge(struct vector_case *c)
{
	struct figures g = {0};
	struct points p;
	bool queue = c->channel->seen[KEPT_LAST] < VECTOR_ENOUGH, end_locked;
	enum fit turned;
	double enough;

	c->fit = FIT_MAYBE;
	count(c);
	if (nothing(c)) {
		c->e->score = c->interrupts ? 0.3 * c->share : 0;
		return 0;
	}
	rates(c, &g);
	points(c, queue ? KEPT_OTHER : KEPT_LAST, &p);
	if (measure(c, &p, &g))
		return -1;
	if (2 * c->channel->seen[KEPT_OTHER] > c->channel->seen[KEPT_LAST]) {
		/* Waits come in bursts: what counts is the time between its
		 * interrupts. */
		g.span_median =
			fmax((double)c->channel->busy_ns / (double)g.n, 1 / g.rate);
		g.end_ratio = NAN;
	}
	c->grows = g.grows;
	enough = 2 + 40 / (double)p.n;
	end_locked = g.end_lock >= enough;
	c->begins = g.begin_lock >= enough;
	if (end_locked || c->begins || (one_each(c, &g) && g.covered <= 0.85))
		c->fit = locked(c, &g, end_locked || (one_each(c, &g) && g.grows));
	else
		c->fit = unlocked(c, &g);
	if (c->fit == FIT_END && queue && !last_is_near(c, &p))
		c->fit = FIT_MAYBE;
	c->lock = c->pair && c->pair->turns ? vector_locked(c->pair->turns) : 0;
	c->period_ns = g.period;
	turned = by_turns(c, &p, &g, queue);
	c->by_turns = c->fit != FIT_END && turned == FIT_END;
	c->fit = turned;
	late_ones(c);
	c->e->score = c->share * (c->fit == FIT_END ? 0.6 + 0.4 * fmin(1, g.end_lock / 50)
				  : c->fit == FIT_MAYBE ? 0.5
				  : c->fit == FIT_EARLY ? 0.3
							: 0.1);
	say(c, &g, queue);
	return 0;
}
