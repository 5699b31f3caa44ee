/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What can be known at all: the posterior of an observer who knows the parameters of the
 * simulated world, but not what happened in it. It is the bound for every joiner, where it
 * can be computed: one channel, polled, no fault but missing interrupts, no moderation, nothing lost.
 *
 * A hidden Markov chain over the transfers. The state of a transfer is the moment its end
 * reached the interrupt unit, and the interrupt that served it; or, missing, that moment
 * and the last interrupt before it. The next transfer's end follows from its doorbell and
 * the one before (struct law); it has the same interrupt, when its end came while that was
 * pending, or it is the first of the next one, whose handler then was entered by the law of
 * enter_density(). Every interrupt is used. Moments are cells of a grid, narrow just before
 * an interrupt and wider farther off: the sums are as exact as the grid is fine, which the
 * reliability table shows. Forward and backward sums give the probabilities.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/err.h"
#include "tests/gate/judge.h"

enum { SERVED_CELLS = 150, MISSING_CELLS = 24, PARTS = 8, REACH = 40 };

#define NEAR_NS	   15.0 /* the first cell before an interrupt */
#define FAR_NS	   1e6	/* the last one: no handler is later */
#define UNUSUAL	   1e-3 /* share of what the laws do not tell: busy or standing CPUs */
#define PRUNED	   1e-8 /* beside the likeliest with the same interrupt */
#define VANISHING  1e-200
#define CERTAIN	   1e-4 /* may be wrong, of what is called certain */
#define DECADES_NS 1e7	/* the unusual is log-uniform below it */

struct cell {
	double note_ns, width_ns;
	int irq; /* index; of a missing one the last before it, -1 = none */
	bool missing;
	double alpha, beta, seen; /* seen = of the wait, given the moment */
};

struct call {
	struct transfer t;
	double ring_ns, drift;
	int64_t woken_stamp; /* as recorded; t.woken_ns is on the world's clock */
	bool at_once;	     /* the wait found it ended */
	bool inside; /* the wait was for later ones, too: it ended before its return */
	struct cell *cell;
	size_t ncell;
};

struct entry {
	int64_t time_ns, stamp_ns, seq;
	double active_ns; /* the CPU's last work before it, as far as was seen */
};

struct oracle {
	struct judge_task task;
	const struct world_options *o;
	struct world *w;
	struct call *call;
	struct entry *entry;
	size_t ncall, nentry, waited;
	int64_t wait_ns; /* of the open one */
	double active_ns[WORLD_CPUS];
};

/* ---- the laws ---- */

static double gauss(double x, double mean, double sigma)
{
	double z = (x - mean) / sigma;

	return exp(-z * z / 2) / (sigma * sqrt(2 * M_PI));
}

static double lognormal(double x, double mean, double sigma)
{
	double z;

	if (x <= 0)
		return 0;
	z = (log(x / mean) + sigma * sigma / 2) / sigma;
	return exp(-z * z / 2) / (x * sigma * sqrt(2 * M_PI));
}

/* Of a uniform law of half width h about the mean; at least as wide as a cell. */
static double flat(double x, double mean, double h, double cell)
{
	return gauss(x, mean, hypot(mean * h / sqrt(3), cell / 2));
}

/* Density of a service time of s ns. */
static double service_density(const struct oracle *q, const struct call *c, double s,
			      double cell)
{
	const struct world_options *o = q->o;
	double size = (double)c->t.size_bytes / world_mean_size(q->w);
	double m = (double)o->service_ns * (o->fixed + (1 - o->fixed) * size);
	double k, x = s / m;

	if (s <= 0)
		return 0;
	switch (o->latency) {
	case WORLD_LOGNORMAL:
		return lognormal(s, m, o->spread);
	case WORLD_GAMMA:
		k = fmax(1, round(1 / (o->spread * o->spread)));
		return exp(k * log(k) + (k - 1) * log(x) - k * x - lgamma(k)) / m;
	case WORLD_PARETO: {
		double low = m * (1 - o->spread), alpha = 1 / o->spread;
		return s < low ? 0 : alpha / low * pow(s / low, -alpha - 1);
	}
	case WORLD_BIMODAL:
		return (1 - o->slow) * flat(s, m, 0.02, cell) +
		       o->slow * flat(s, m * o->slower, 0.02, cell);
	case WORLD_BURSTS: /* which time it is, is not carried from one to the next */
		return (1 - o->slow) * flat(s, m, 0.1, cell) +
		       o->slow * flat(s, m * o->slower, 0.1, cell);
	case WORLD_DRIFT:
		m *= pow(o->slower, sin(c->drift * 2 * M_PI * o->slow));
		return flat(s, m, 0.05, cell);
	case WORLD_LINEAR:
		return flat(s, m, 0.02, cell);
	default:
		return flat(s, m, 0.005, cell);
	}
}

/* Density of this end, given that of the one before (see card_ring()). */
static double end_density(const struct oracle *q, const struct call *c, double before,
			  double end, double cell)
{
	double p = q->o->pipeline, wide = hypot(cell, 0.2 * (double)q->o->exit_ns);
	double alone = end - c->ring_ns, behind = (end - before) / (1 - p);
	double d;

	if (end < before)
		return 0;
	d = UNUSUAL * lognormal(alone, (double)q->o->service_ns, 2);
	if (p * alone >= before - c->ring_ns)
		d += service_density(q, c, alone, q->o->doorbell ? cell : wide);
	if (p * behind < before - c->ring_ns)
		d += service_density(q, c, behind, cell) / (1 - p);
	return d;
}

/* Of the wait's return, given when the register showed the end. */
static double seen_density(const struct oracle *q, const struct call *c, double visible)
{
	double poll = (double)q->o->poll_ns;
	double late = (double)c->t.woken_ns - visible;

	if (late <= 0)
		return 0;
	if (c->inside)
		return 1;
	if (c->at_once && visible <= (double)c->t.wait_ns)
		return 1;
	if (!c->at_once && visible > (double)c->t.wait_ns && late >= 0.5 * poll &&
	    late <= 1.5 * poll)
		return (1 - UNUSUAL) / poll;
	return UNUSUAL / (late * log(DECADES_NS)); /* its CPU was busy in between */
}

/* Of the handler's entry, given the moment its message was sent. */
static double enter_density(const struct oracle *q, const struct entry *e, double note)
{
	const struct world_options *o = q->o;
	double u = (double)e->time_ns - note, asleep = note - e->active_ns;
	double usual = lognormal(u, (double)o->enter_ns, o->enter_spread);
	double wake = fmin(asleep / 5, (double)o->idle_wake_ns);

	if (u <= 0)
		return 0;
	if (o->idle_wake_ns && asleep > (double)o->idle_after_ns)
		usual = 0.98 * lognormal(u - (double)o->enter_ns, wake, 0.3) +
			0.02 * usual; /* what kept it awake was not recorded */
	return (1 - UNUSUAL) * usual + UNUSUAL / (u * log(DECADES_NS));
}

/* ---- the grid ---- */

/* The wait's law may be narrower than a cell: its mean over the cell. */
static int add_cell(const struct oracle *q, struct call *c, double note, double width,
		    int irq, bool missing)
{
	double shift = (double)(q->o->register_ns - q->o->msi_ns), seen = 0;
	struct cell *x;

	for (int i = 0; i < PARTS; i++)
		seen += seen_density(q, c,
				     note + shift + width * ((i + 0.5) / PARTS - 0.5)) /
			PARTS;

	if (seen <= 0)
		return 0;
	x = array_add(&c->cell, &c->ncell);
	if (!x)
		return -1;
	*x = (struct cell){note, width, irq, missing, 0, 0, seen};
	return 0;
}

static int served_cells(struct oracle *q, struct call *c, int irq)
{
	double ratio = pow(FAR_NS / NEAR_NS, 1.0 / SERVED_CELLS), u = NEAR_NS;
	double at = (double)q->entry[irq].time_ns;
	double past = irq ? (double)q->entry[irq - 1].time_ns : -INFINITY;
	int rc = 0;

	for (int i = 0; i < SERVED_CELLS && !rc; i++, u *= ratio) {
		double note = at - u * sqrt(ratio);
		if (note < past || note < c->ring_ns)
			break;
		rc = add_cell(q, c, note, u * (ratio - 1), irq, false);
	}
	return rc;
}

/* Over the time in which the wait says it ended. Behind the next interrupt nothing could
 * use that any more. */
static int missing_cells(struct oracle *q, struct call *c, int irq)
{
	double shift = (double)(q->o->register_ns - q->o->msi_ns);
	double to = (double)(c->at_once ? c->t.wait_ns : c->t.woken_ns) - shift;
	double from =
		c->at_once || c->inside ? c->ring_ns : to - 2 * (double)q->o->poll_ns;
	double next =
		irq + 1 < (int)q->nentry ? (double)q->entry[irq + 1].time_ns : INFINITY;
	double width = (to - from) / MISSING_CELLS;
	int rc = 0;

	for (int i = 0; i < MISSING_CELLS && !rc && width > 0; i++) {
		double note = from + (i + 0.5) * width;
		if (note > next)
			break;
		rc = add_cell(q, c, note, width, irq, true);
	}
	return rc;
}

/* The interrupts that may be its own, from the first one still to be used. */
static int make_cells(struct oracle *q, struct call *c, int first)
{
	int rc = 0;

	for (int j = first; j < (int)q->nentry && j < first + REACH && !rc; j++) {
		if (j >= 0 &&
		    (double)q->entry[j].time_ns > (double)c->t.woken_ns + FAR_NS)
			break;
		if (j >= 0)
			rc = served_cells(q, c, j);
		if (!rc && q->o->missing > 0)
			rc = missing_cells(q, c, j);
	}
	return rc;
}

/* ---- forward and backward ---- */

/* From a cell of the one before to one of this. */
static double step(const struct oracle *q, const struct call *c, const struct cell *a,
		   const struct cell *b)
{
	double shift = (double)q->o->msi_ns, d;

	if (b->missing ? b->irq != a->irq
		       : b->irq != a->irq + 1 && (b->irq != a->irq || a->missing))
		return 0;
	d = end_density(q, c, a->note_ns - shift, b->note_ns - shift, b->width_ns);
	if (b->missing)
		return d * q->o->missing;
	if (b->irq != a->irq)
		d *= enter_density(q, &q->entry[b->irq], b->note_ns);
	return d * (1 - q->o->missing);
}

static const struct cell before_all = {-1e18, 1, -1, true, 1, 0, 1};

/* What is unlikely beside others with the same interrupt is left out. States with different
 * ones are not compared here: one that has yet to use its interrupts looks too likely. Were
 * nothing left, the grid would have been too coarse. */
static int normalise(struct call *c)
{
	double sum = 0, most = 0;
	size_t n = 0, end;

	for (size_t i = 0; i < c->ncell; i++)
		sum += c->cell[i].alpha;
	for (size_t i = 0; i < c->ncell && sum > 0; i = end, most = 0) {
		for (end = i; end < c->ncell && c->cell[end].irq == c->cell[i].irq; end++)
			most = fmax(most, c->cell[end].alpha);
		for (size_t k = i; k < end && most > sum * VANISHING; k++) {
			struct cell x = c->cell[k];
			x.alpha /= sum;
			if (x.alpha * sum > PRUNED * most)
				c->cell[n++] = x;
		}
	}
	c->ncell = n;
	return n ? 0 : -1;
}

static int forward(struct oracle *q, size_t i)
{
	struct call *c = &q->call[i];
	const struct cell *from = i ? c[-1].cell : &before_all;
	size_t nfrom = i ? c[-1].ncell : 1;
	int first = from[0].irq;

	for (size_t k = 0; k < nfrom; k++)
		if (from[k].irq < first)
			first = from[k].irq;
	if (make_cells(q, c, first))
		return -1;
	for (size_t m = 0; m < c->ncell; m++) {
		struct cell *b = &c->cell[m];
		for (size_t k = 0; k < nfrom; k++)
			b->alpha += from[k].alpha * step(q, c, &from[k], b);
		b->alpha *= b->seen * b->width_ns;
	}
	return normalise(c);
}

static void backward(struct oracle *q, size_t i)
{
	struct call *c = &q->call[i], *next = c + 1;
	double sum = 0;

	for (size_t k = 0; k < c->ncell; k++) {
		struct cell *a = &c->cell[k];
		if (i + 1 == q->ncall) { /* every interrupt is used */
			a->beta = a->irq == (int)q->nentry - 1;
		} else {
			for (size_t m = 0; m < next->ncell; m++)
				a->beta += step(q, next, a, &next->cell[m]) *
					   next->cell[m].seen * next->cell[m].width_ns *
					   next->cell[m].beta;
		}
		sum += a->alpha * a->beta;
	}
	for (size_t k = 0; k < c->ncell && sum > 0; k++)
		c->cell[k].beta /= sum;
}

/* ---- what is said ---- */

static double share(const struct call *c, int irq, bool missing)
{
	double sum = 0;

	for (size_t k = 0; k < c->ncell; k++)
		if (c->cell[k].missing == missing && (missing || c->cell[k].irq == irq))
			sum += c->cell[k].alpha * c->cell[k].beta;
	return sum;
}

static void say(const struct oracle *q, struct call *c)
{
	struct judge_said s = {.t = &c->t, .probability = {-1, -1, -1, -1}};
	double best = share(c, 0, true), p;
	int irq = -1;

	for (size_t k = 0; k < c->ncell; k++) {
		if (c->cell[k].missing || c->cell[k].irq == irq ||
		    (k && c->cell[k].irq == c->cell[k - 1].irq))
			continue;
		p = share(c, c->cell[k].irq, false);
		if (p > best) {
			best = p;
			irq = c->cell[k].irq;
		}
	}
	c->t.state = STATE_NO_INTERRUPT;
	if (irq >= 0) {
		c->t.irq_seq = q->entry[irq].seq;
		c->t.irq_ns = q->entry[irq].stamp_ns;
		c->t.state = c->t.irq_ns > c->woken_stamp ? STATE_LATE : STATE_COMPLETE;
	}
	s.certain[FACT_END] = true;
	s.certain[FACT_INTERRUPT] = s.certain[FACT_STATE] = best >= 1 - CERTAIN;
	s.probability[FACT_INTERRUPT] = s.probability[FACT_STATE] = fmin(best, 1);
	q->task.sink->transfer(q->task.sink->arg, &s);
}

/* ---- the samples ---- */

static void oracle_free(void *arg)
{
	struct oracle *q = arg;

	if (!q)
		return;
	for (size_t i = 0; i < q->ncall; i++)
		free(q->call[i].cell);
	free(q->call);
	free(q->entry);
	world_free(q->w);
	free(q);
}

static bool can(const struct world_options *o)
{
	return o->channels == 1 && o->vectors == 1 && o->wait == WORLD_POLL &&
	       !o->moderate_count && !o->cut && !o->begin_after && !(o->late > 0) &&
	       !(o->spurious > 0) && !(o->foreign > 0) && !(o->restart > 0) &&
	       !(o->stop > 0) && !(o->hang > 0) && !(o->start_fails > 0) &&
	       !(o->empty_wait > 0) && !(o->lose > 0) && !(o->windows > 0);
}

static int oracle_new(void **out, const struct judge_task *t, struct err *e)
{
	struct oracle *q = calloc(1, sizeof(*q));

	*out = q;
	if (!q)
		return err_set(e, ERR_NOMEM, "no memory");
	if (!can(t->world))
		return err_set(e, ERR_UNSUPPORTED, "the oracle has no law for this");
	q->task = *t;
	q->o = t->world;
	for (int i = 0; i < WORLD_CPUS; i++)
		q->active_ns[i] = 1e9;
	return world_new(&q->w, q->o, NULL) ? err_set(e, ERR_NOMEM, "no memory") : 0;
}

static int start(struct oracle *q, const struct sample *s)
{
	struct call *c = array_add(&q->call, &q->ncall);

	if (!c)
		return -1;
	c->t = (struct transfer){.card = s->card,
				 .channel = s->channel,
				 .size_bytes = s->size_bytes,
				 .submit_ns = s->time_ns,
				 .submit_seq = s->seq,
				 .irq_ns = DMA_UNKNOWN,
				 .irq_seq = DMA_UNKNOWN};
	c->drift = world_drift(q->w) + (double)q->ncall;
	return 0;
}

static int interrupt(struct oracle *q, const struct sample *s, int64_t stamp_ns)
{
	struct entry *e = array_add(&q->entry, &q->nentry);

	if (!e)
		return -1;
	*e = (struct entry){s->time_ns, stamp_ns, s->seq, q->active_ns[s->cpu]};
	return 0;
}

static void woken(struct oracle *q, const struct sample *s, int64_t stamp_ns)
{
	size_t to = q->o->use == WORLD_DRAIN ? q->ncall : q->waited + 1;

	for (; q->waited < to && q->waited < q->ncall; q->waited++) {
		struct call *c = &q->call[q->waited];

		c->t.wait_ns = q->wait_ns;
		c->t.woken_ns = s->time_ns;
		c->woken_stamp = stamp_ns;
		c->t.woken_seq = s->seq;
		c->at_once = s->time_ns - q->wait_ns <= q->o->poll_ns / 2 + 101;
		c->inside = q->waited + 1 < to;
	}
}

/* On one clock: the world's. */
static int oracle_push(void *arg, const struct sample *sample, struct err *e)
{
	struct oracle *q = arg;
	struct sample s = *sample;
	struct call *c = q->ncall ? &q->call[q->ncall - 1] : NULL;
	int rc = 0;

	s.time_ns -= world_skew_ns(q->w, (unsigned)s.cpu);
	if (s.role == ROLE_SUBMIT)
		rc = start(q, &s);
	else if (s.role == ROLE_INTERRUPT && s.irq == WORLD_IRQ)
		rc = interrupt(q, &s, sample->time_ns);
	else if (s.role == ROLE_DOORBELL && c)
		c->ring_ns = (double)(s.time_ns + q->o->stamp_ns);
	else if (s.role == ROLE_STARTED && c && !q->o->doorbell)
		c->ring_ns = (double)(s.time_ns - q->o->exit_ns);
	else if (s.role == ROLE_WAIT)
		q->wait_ns = s.time_ns;
	else if (s.role == ROLE_WOKEN)
		woken(q, &s, sample->time_ns);
	q->active_ns[s.cpu] = (double)s.time_ns +
			      (s.role == ROLE_INTERRUPT ? (double)q->o->handler_ns : 0);
	return rc ? err_set(e, ERR_NOMEM, "no memory") : 0;
}

static int oracle_loss(void *j, int32_t cpu, int64_t from_ns, int64_t to_ns,
		       struct err *e)
{
	(void)j;
	(void)cpu;
	(void)from_ns;
	(void)to_ns;
	return err_set(e, ERR_UNSUPPORTED, "the oracle has no law for losses");
}

static int oracle_finish(void *arg, struct err *e)
{
	struct oracle *q = arg;

	for (size_t i = 0; i < q->ncall; i++)
		if (forward(q, i))
			return err_set(e, ERR_LIMIT,
				       "the oracle's grid is too coarse at transfer %zu",
				       i + 1);
	for (size_t i = q->ncall; i--;)
		backward(q, i);
	for (size_t i = 0; i < q->ncall; i++)
		say(q, &q->call[i]);
	return 0;
}

const struct judge_joiner judge_oracle = {"oracle",    oracle_new,    oracle_push,
					  oracle_loss, oracle_finish, oracle_free};
