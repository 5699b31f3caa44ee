/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Moments come from a heap in order of time; whatever happens at one may plan later ones.
 * Samples go through a second heap, since a stamp may lie a little before its moment.
 */
#include "tests/gen/world_priv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/gen/gen.h"

/* ---- chance ---- */

double world_uniform(struct world *w)
{
	return (double)(gen_random(&w->rng) >> 11) / 9007199254740992.0;
}

bool world_chance(struct world *w, double p)
{
	return p > 0 && world_uniform(w) < p;
}

double world_normal(struct world *w)
{
	double u = 1 - world_uniform(w), v = world_uniform(w);

	return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

double world_exponential(struct world *w)
{
	return -log(1 - world_uniform(w));
}

int64_t world_about(struct world *w, int64_t ns, double sigma)
{
	return 1 +
	       (int64_t)((double)ns * exp(sigma * world_normal(w) - sigma * sigma / 2));
}

/* Before anything has ended, what the options promise. */
int64_t world_gap_ns(const struct world *w)
{
	int64_t first = w->o.service_ns + w->o.think_ns;

	return w->ends < 16 ? first : 1 + (w->now - w->begin_ns) / (int64_t)w->ends;
}

/* ---- the queue ---- */

static bool sooner(const struct moment *a, const struct moment *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static bool grow(struct world *w, void **p, size_t n, size_t *a, size_t size)
{
	size_t more = *a ? 2 * *a : 256;
	void *grown = n < *a ? *p : reallocarray(*p, more, size);

	w->nomem |= !grown;
	if (!grown || n < *a)
		return grown;
	*p = grown;
	*a = more;
	return true;
}

void world_at(struct world *w, int64_t at, enum happening what, void *object,
	      uint64_t generation)
{
	struct moment m = {at > w->now ? at : w->now, ++w->order, what, object,
			   generation};
	size_t i;

	if (!grow(w, (void **)&w->q, w->nq, &w->aq, sizeof(*w->q)))
		return;
	for (i = w->nq++; i && sooner(&m, &w->q[(i - 1) / 2]); i = (i - 1) / 2)
		w->q[i] = w->q[(i - 1) / 2];
	w->q[i] = m;
}

static struct moment next_moment(struct world *w)
{
	struct moment first = w->q[0], x = w->q[--w->nq];
	size_t i = 0, k;

	for (; (k = 2 * i + 1) < w->nq; i = k) {
		if (k + 1 < w->nq && sooner(&w->q[k + 1], &w->q[k]))
			k++;
		if (!sooner(&w->q[k], &x))
			break;
		w->q[i] = w->q[k];
	}
	w->q[i] = x;
	return first;
}

/* ---- the recorder ---- */

static bool before(const struct out *a, const struct out *b)
{
	return a->key != b->key ? a->key < b->key : a->s.seq < b->s.seq;
}

static void put_out(struct world *w, const struct out *o)
{
	size_t i;

	if (!grow(w, (void **)&w->out, w->nout, &w->aout, sizeof(*w->out)))
		return;
	for (i = w->nout++; i && before(o, &w->out[(i - 1) / 2]); i = (i - 1) / 2)
		w->out[i] = w->out[(i - 1) / 2];
	w->out[i] = *o;
}

static struct out take_out(struct world *w)
{
	struct out first = w->out[0], x = w->out[--w->nout];
	size_t i = 0, k;

	for (; (k = 2 * i + 1) < w->nout; i = k) {
		if (k + 1 < w->nout && before(&w->out[k + 1], &w->out[k]))
			k++;
		if (!before(&w->out[k], &x))
			break;
		w->out[i] = w->out[k];
	}
	w->out[i] = x;
	return first;
}

static void loss(struct world *w, int32_t cpu, int64_t from, int64_t to)
{
	if (w->sink.loss)
		w->sink.loss(w->sink.arg, cpu, from, to);
}

static bool in_window(const struct world *w, const struct sample *s)
{
	return s->time_ns >= w->window.from && s->time_ns <= w->window.to &&
	       (w->window.cpu < 0 || w->window.cpu == s->cpu);
}

/* A CPU's samples stay in order; how late they come out changes now and then. */
static int64_t out_key(struct world *w, struct cpu *c, int64_t stamp)
{
	if (w->o.disorder_ns && w->now > c->lag_until) {
		c->lag_ns = (int64_t)((double)w->o.disorder_ns * world_uniform(w));
		c->lag_until = w->now + 4 * w->o.disorder_ns;
	}
	if (c->last_key < stamp + c->lag_ns)
		c->last_key = stamp + c->lag_ns;
	return c->last_key;
}

int64_t world_emit(struct world *w, struct sample *s, unsigned cpu, struct flight *f,
		   int64_t *stamp)
{
	struct out o = {0};
	bool gone;

	s->cpu = (int32_t)cpu;
	s->seq = (int64_t)++w->seq;
	s->time_ns = w->now + w->cpu[cpu].skew_ns;
	if (stamp)
		*stamp = s->time_ns;
	if (!w->recording)
		return s->seq;
	o.lost = world_chance(w, w->o.lose);
	gone = in_window(w, s);
	if (f && (o.lost || gone))
		f->t.touched |= WORLD_LOST;
	if (f && s->role == ROLE_SUBMIT)
		f->t.recorded = !o.lost && !gone;
	o.s = *s;
	o.key = out_key(w, &w->cpu[cpu], s->time_ns);
	if (!gone)
		put_out(w, &o);
	return s->seq;
}

static void next_window(struct world *w)
{
	int64_t gap =
		(int64_t)((double)world_gap_ns(w) * world_exponential(w) / w->o.windows);

	world_at(w, w->now + gap + 1, AT_WINDOW, NULL, 0);
}

static void open_window(struct world *w)
{
	if (w->now > w->window.to) {
		w->window.from = w->now + 1;
		w->window.to = w->now + world_about(w, w->o.window_ns, 0.5);
		w->window.cpu =
			w->o.window_cpu ? (int32_t)(world_uniform(w) * w->o.cpus) : -1;
		if (w->recording)
			loss(w, w->window.cpu, w->window.from, w->window.to);
	}
	next_window(w);
}

/* A lost one is told when the next of its CPU is delivered. */
static bool deliver(struct world *w, const struct out *o)
{
	struct cpu *c = &w->cpu[o->s.cpu];

	if (o->lost) {
		c->lost = true;
		return false;
	}
	if (c->lost)
		loss(w, o->s.cpu, c->last_ns, o->s.time_ns);
	c->lost = false;
	c->last_ns = o->s.time_ns;
	return true;
}

/* ---- the truth ---- */

static void judge_state(struct world *w, struct flight *f)
{
	struct world_truth *t = &f->t;

	if (f->failed)
		t->state = STATE_FAILED;
	else if (f->aborted)
		t->state = t->irq_seq != DMA_UNKNOWN && t->irq_ns <= t->woken_ns
				   ? STATE_COMPLETE
				   : STATE_ABORTED;
	else if (t->woken_seq == DMA_UNKNOWN)
		t->state = t->irq_seq != DMA_UNKNOWN ? STATE_COMPLETE : STATE_IN_FLIGHT;
	else if (!f->c->vector)
		t->state = STATE_POLLED;
	else if (f->missing)
		t->state = STATE_NO_INTERRUPT;
	else
		t->state = t->irq_seq == DMA_UNKNOWN || t->irq_ns > t->woken_ns
				   ? STATE_LATE
				   : STATE_COMPLETE;
	if (t->state == STATE_LATE && t->irq_seq == DMA_UNKNOWN)
		t->irq_seq = WORLD_UNSEEN;
	if (f->aborted) /* woken_ns was the moment of the stop */
		t->woken_ns = DMA_UNKNOWN;
	(void)w;
}

static void unlink_flight(struct world *w, struct flight *f)
{
	if (f->before)
		f->before->behind = f->behind;
	else
		w->all = f->behind;
	if (f->behind)
		f->behind->before = f->before;
}

void world_tell(struct world *w, struct flight *f)
{
	if (!f->over || !f->settled || f->moments)
		return;
	judge_state(w, f);
	unlink_flight(w, f);
	if (w->sink.truth)
		w->sink.truth(w->sink.arg, &f->t);
	free(f);
}

/* What is open when the recording stops. */
static void stop(struct world *w)
{
	while (w->all) {
		struct flight *f = w->all;

		f->t.touched |= WORLD_CUT;
		f->over = f->settled = true;
		f->moments = 0;
		world_tell(w, f);
	}
	w->nq = 0;
	w->stopped = true;
}

/* ---- the interface ---- */

static void happen(struct world *w, const struct moment *m)
{
	struct flight *f = m->object;
	struct thread *t = m->object;
	struct vector *v = m->object;

	switch (m->what) {
	case AT_THREAD:
		if (t->generation == m->generation)
			program_go(w, t);
		break;
	case AT_TIMEOUT:
		if (t->generation == m->generation)
			program_timeout(w, t);
		break;
	case AT_VISIBLE:
		card_visible(w, f);
		break;
	case AT_NOTE:
		card_note(w, f);
		break;
	case AT_RAISE:
		if (v->generation == m->generation)
			card_raise(w, v);
		break;
	case AT_MESSAGE:
		card_message(w, v);
		break;
	case AT_ENTER:
		card_enter(w, v);
		break;
	case AT_TICK:
		card_tick(w);
		break;
	case AT_FOREIGN:
		card_foreign(w, v);
		break;
	case AT_OTHER:
		card_other(w);
		break;
	case AT_WINDOW:
		open_window(w);
		break;
	case AT_RECORD:
		w->recording = true;
		w->started_before = w->started;
		break;
	}
}

int world_new(struct world **out, const struct world_options *o,
	      const struct world_sink *sink)
{
	struct world *w = calloc(1, sizeof(*w));

	if (!(*out = w))
		return -1;
	w->o = *o;
	if (sink)
		w->sink = *sink;
	w->rng = o->seed * 0x2545f4914f6cdd1du + 7;
	w->now = w->begin_ns = 1000000000;
	w->window.to = w->now;
	w->recording = !o->begin_after;
	for (unsigned i = 0; i < WORLD_CPUS; i++) {
		w->cpu[i].skew_ns =
			(int64_t)((2 * world_uniform(w) - 1) * (double)o->skew_ns);
		w->cpu[i].last_ns = DMA_UNKNOWN;
	}
	if (card_new(w) || program_new(w)) {
		world_free(w);
		*out = NULL;
		return -1;
	}
	if (o->windows > 0)
		next_window(w);
	return 0;
}

void world_free(struct world *w)
{
	if (!w)
		return;
	while (w->all) {
		struct flight *f = w->all;
		unlink_flight(w, f);
		free(f);
	}
	free(w->q);
	free(w->out);
	free(w->v);
	free(w->th);
	free(w);
}

/* Every start is over and its interrupt known: what still comes is of no interest. */
static bool finished(const struct world *w)
{
	for (unsigned i = 0; i < w->o.channels; i++)
		if (w->ch[i].left)
			return false;
	return !w->all;
}

static void last_losses(struct world *w)
{
	for (unsigned i = 0; i < WORLD_CPUS; i++)
		if (w->cpu[i].lost)
			loss(w, (int32_t)i, w->cpu[i].last_ns, DMA_UNKNOWN);
}

int world_next(struct world *w, struct sample *s)
{
	for (;;) {
		if (w->nomem)
			return -1;
		while (w->nout &&
		       (w->stopped || w->out[0].key <= w->now - w->o.skew_ns)) {
			struct out o = take_out(w);
			if (!deliver(w, &o))
				continue;
			*s = o.s;
			return 1;
		}
		if (w->stopped) {
			last_losses(w);
			memset(w->cpu, 0, sizeof(w->cpu));
			return 0;
		}
		if (!w->nq || finished(w) ||
		    (w->o.cut && w->started >= w->started_before + w->o.count)) {
			stop(w);
			continue;
		}
		struct moment m = next_moment(w);
		w->now = m.at;
		happen(w, &m);
	}
}

int32_t world_irq(const struct world_options *o, unsigned channel)
{
	return o->vectors ? (int32_t)(WORLD_IRQ + channel % o->vectors) : -1;
}

uint64_t world_irq_count(const struct world *w, int32_t irq)
{
	unsigned i = (unsigned)(irq - WORLD_IRQ);

	return irq >= WORLD_IRQ && i < w->nv ? w->v[i].count : 0;
}

int64_t world_skew_ns(const struct world *w, unsigned cpu)
{
	return w->cpu[cpu].skew_ns;
}

double world_mean_size(const struct world *w)
{
	return w->mean_size;
}

double world_drift(const struct world *w)
{
	return w->drift;
}
