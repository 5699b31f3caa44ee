/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One program and one channel of a card at a time, advanced call by call; what they do
 * goes into a heap, from which comes out what is earlier than everything that any of them
 * can still do.
 *
 * The interrupt: a group of ended transfers is open from the first end on; it closes when
 * it has as many members as were drawn for it, or a short time after the first. Since a
 * program that waits starts nothing, every end before it wakes is known.
 */
#include "gen.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH = 1024 };

#define NOBODY UINT64_MAX

struct flight {
	struct gen_truth t;
	int64_t size;
	bool grouped, done;
	int64_t seen_ns; /* from when a wait finds it ended */
};

struct chan {
	int index;
	int64_t now, device_free; /* of the program, of the card */
	struct flight f[DEPTH];
	uint64_t first, grouped, next; /* in flight: [first, next); [grouped, next) have
					  no interrupt yet */
	uint64_t left;
	unsigned k; /* members of the group that is open; 0 = not drawn */
};

struct gen {
	struct gen_options o;
	struct gen_sink sink;
	uint64_t rng, seq, out;
	int64_t tick_ns; /* the next one of the timer */
	struct chan *ch;
	struct sample *heap;
	size_t n, a;
	int64_t (*loss)[2];
	bool nomem;
};

uint64_t gen_random(uint64_t *s)
{
	uint64_t z = *s += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static double uniform(struct gen *g)
{
	return (double)(gen_random(&g->rng) >> 11) / 9007199254740992.0;
}

static bool chance(struct gen *g, double p)
{
	return p > 0 && uniform(g) < p;
}

static int64_t about(struct gen *g, int64_t ns)
{
	return (int64_t)((double)ns * (0.7 + 0.6 * uniform(g))) + 1;
}

/* ---- the heap ---- */

static bool earlier(const struct sample *a, const struct sample *b)
{
	return a->time_ns != b->time_ns ? a->time_ns < b->time_ns : a->seq < b->seq;
}

static void put(struct gen *g, const struct sample *s)
{
	if (g->n == g->a) {
		size_t a = g->a ? 2 * g->a : 256;
		struct sample *p = reallocarray(g->heap, a, sizeof(*p));
		if (!p) {
			g->nomem = true;
			return;
		}
		g->heap = p;
		g->a = a;
	}
	size_t i = g->n++;
	for (; i && earlier(s, &g->heap[(i - 1) / 2]); i = (i - 1) / 2)
		g->heap[i] = g->heap[(i - 1) / 2];
	g->heap[i] = *s;
}

static void take(struct gen *g, struct sample *out)
{
	*out = g->heap[0];
	struct sample x = g->heap[--g->n];
	size_t i = 0, k;

	for (; (k = 2 * i + 1) < g->n; i = k) {
		if (k + 1 < g->n && earlier(&g->heap[k + 1], &g->heap[k]))
			k++;
		if (!earlier(&g->heap[k], &x))
			break;
		g->heap[i] = g->heap[k];
	}
	if (g->n)
		g->heap[i] = x;
}

static bool is_lost(const struct gen *g, int64_t at, int64_t *to)
{
	for (unsigned i = 0; i < g->o.loss; i++)
		if (at >= g->loss[i][0] && at <= g->loss[i][1]) {
			*to = g->loss[i][1];
			return true;
		}
	return false;
}

/* Its number; a sample in a window of loss is numbered but does not come. */
static int64_t emit(struct gen *g, struct sample *s)
{
	int64_t to;

	s->seq = (int64_t)++g->seq;
	if (!is_lost(g, s->time_ns, &to))
		put(g, s);
	else if (g->sink.lost)
		g->sink.lost(g->sink.arg, s, to);
	return s->seq;
}

static int64_t call(struct gen *g, const struct chan *c, enum role r, int64_t at,
		    const struct flight *f)
{
	struct sample s = sample_blank(r, at);

	s.card = c->index % (int)g->o.cards;
	s.channel = c->index / (int)g->o.cards;
	s.cpu = c->index % 4;
	s.pid = GEN_PID;
	s.tid = GEN_PID + 1 + 2 * c->index;
	if (r == ROLE_SUBMIT || r == ROLE_STARTED)
		s.direction = c->index & 1 ? DIR_FROM_HOST : DIR_TO_HOST;
	if (r == ROLE_SUBMIT) {
		s.size_bytes = f->size;
		s.addr = 0x1000;
	}
	if (g->o.other_thread && (r == ROLE_WAIT || r == ROLE_WOKEN))
		s.tid++;
	return emit(g, &s);
}

static int64_t raise_irq(struct gen *g, int irq, int cpu, int64_t at)
{
	struct sample s = sample_blank(ROLE_INTERRUPT, at);

	s.irq = irq;
	s.cpu = cpu;
	return emit(g, &s);
}

static int64_t raise_own(struct gen *g, const struct chan *c, int64_t at)
{
	return raise_irq(g, GEN_IRQ + c->index % (int)g->o.vectors, 3 - c->index % 4, at);
}

static int behind_ends(const struct gen_options *o)
{
	return GEN_IRQ + (o->vectors ? (int)o->vectors : 1);
}

int gen_data_irq(const struct gen_options *o)
{
	return behind_ends(o);
}

int gen_timer_irq(const struct gen_options *o)
{
	return behind_ends(o) + 1;
}

/* ---- the card ---- */

static int64_t service_ns(struct gen *g, const struct flight *f)
{
	int64_t a = g->o.typical_ns;

	if (g->o.latency == GEN_LINEAR)
		a = a / 2 + f->size * a / 65536;
	if (g->o.latency == GEN_TAIL)
		a = (int64_t)((double)a * pow(1 - uniform(g), -0.5));
	return g->o.latency == GEN_CONSTANT ? a + (int64_t)(100 * uniform(g))
					    : about(g, a);
}

static struct flight *at(struct chan *c, uint64_t i)
{
	return &c->f[i % DEPTH];
}

static void strays(struct gen *g, struct chan *c, int64_t when)
{
	if (chance(g, g->o.stray))
		raise_own(g, c,
			  when + (int64_t)(2 * (double)g->o.typical_ns * uniform(g)));
}

/* One interrupt for the transfers [from, to), raised at `raised`. */
static void interrupt(struct gen *g, struct chan *c, uint64_t from, uint64_t to,
		      int64_t raised)
{
	bool missing = chance(g, g->o.missing), late = !missing && chance(g, g->o.late);
	int64_t seen = raised + about(g, 1500), stamp = raised, seq = DMA_UNKNOWN,
		first_seq;

	if (g->o.polls) {
		seen = raised + about(g, 200);
		stamp += 1000 + (int64_t)(7000 * uniform(g));
	} else if (missing || late) {
		seen = raised + about(g, 3000);
	}
	if (late)
		stamp = seen + 300 + (int64_t)((double)g->o.late_ns * uniform(g));
	if (g->o.skew_ns)
		stamp += (int64_t)((2 * uniform(g) - 1) * (double)g->o.skew_ns);
	first_seq = (int64_t)g->seq + 1;
	for (unsigned i = 0; !missing && i < g->o.several; i++) {
		int64_t when = stamp -
			       (g->o.several_last ? 700 * (g->o.several - 1 - i) : 0) +
			       (g->o.several_last ? 0 : 700 * i);
		seq = raise_own(g, c, when);
	}
	if (!g->o.several_last && !missing)
		seq = first_seq;
	strays(g, c, raised);
	for (uint64_t i = from; i < to; i++) {
		struct flight *f = at(c, i);
		f->grouped = true;
		f->seen_ns = seen;
		f->t.irq_seq = seq;
		f->t.irq_ns = missing ? DMA_UNKNOWN : stamp;
		f->t.coalesced = missing ? 0 : (int)(to - from);
		f->t.touched |= missing || late;
		f->t.state = missing ? STATE_NO_INTERRUPT
			     : late  ? STATE_LATE
				     : STATE_COMPLETE;
	}
}

/* The next group: how far it goes and when its interrupt is raised. */
static uint64_t next_group(struct gen *g, struct chan *c, int64_t *raised)
{
	uint64_t from = c->grouped, to = from + 1;
	int64_t first = at(c, from)->t.end_ns;
	int64_t timer = (int64_t)g->o.coalesce_max * g->o.typical_ns;

	if (!c->k)
		c->k = g->o.coalesce_min +
		       (unsigned)(uniform(g) *
				  (g->o.coalesce_max - g->o.coalesce_min + 1));
	*raised = first;
	while (to < c->next && to - from < c->k && at(c, to)->t.end_ns <= first + timer)
		*raised = at(c, to++)->t.end_ns;
	if (to - from < c->k)
		*raised = first + timer;
	return to;
}

/* Interrupts until transfer i has its own, and those that are raised before `until`. */
static void run_card(struct gen *g, struct chan *c, uint64_t i, int64_t until)
{
	while (c->grouped < c->next) {
		int64_t raised;
		uint64_t from = c->grouped, to = next_group(g, c, &raised);
		if ((i == NOBODY || from > i) && raised >= until)
			return;
		c->grouped = to;
		c->k = 0;
		for (uint64_t n = from; n < to && g->o.polled; n++) {
			at(c, n)->seen_ns = at(c, n)->t.end_ns + about(g, 500);
			at(c, n)->t.state = STATE_POLLED;
		}
		if (!g->o.polled)
			interrupt(g, c, from, to, raised + about(g, 200));
	}
}

/* ---- the program ---- */

static struct flight *start(struct gen *g, struct chan *c)
{
	struct flight *f = at(c, c->next++);

	memset(f, 0, sizeof(*f));
	f->size = 512 << (gen_random(&g->rng) % 8);
	c->now += about(g, g->o.think_ns);
	f->t = (struct gen_truth){.card = c->index % (int)g->o.cards,
				  .channel = c->index / (int)g->o.cards,
				  .submit_ns = c->now,
				  .irq_ns = DMA_UNKNOWN,
				  .woken_ns = DMA_UNKNOWN,
				  .irq_seq = DMA_UNKNOWN,
				  .woken_seq = DMA_UNKNOWN,
				  .state = STATE_IN_FLIGHT};
	f->t.submit_seq = call(g, c, ROLE_SUBMIT, c->now, f);
	c->now += about(g, 600);
	f->t.doorbell_ns = c->now;
	call(g, c, ROLE_STARTED, c->now, f);
	f->t.end_ns =
		(c->now > c->device_free ? c->now : c->device_free) + service_ns(g, f);
	if (g->o.data_vector)
		raise_irq(g, gen_data_irq(&g->o), 2,
			  (c->now > c->device_free ? c->now : c->device_free) +
				  about(g, g->o.typical_ns / 16));
	c->device_free = f->t.end_ns;
	c->left--;
	return f;
}

static void over(struct gen *g, struct chan *c)
{
	if (g->sink.truth)
		g->sink.truth(g->sink.arg, &at(c, c->first)->t);
	c->first++;
	if (c->grouped < c->first)
		c->grouped = c->first;
}

static void wait_for(struct gen *g, struct chan *c, uint64_t i)
{
	struct flight *f = at(c, i);

	run_card(g, c, i, INT64_MIN);
	c->now += about(g, 400);
	if (!g->o.polls && f->t.irq_ns != DMA_UNKNOWN && f->t.irq_ns < c->now &&
	    f->seen_ns > c->now)
		f->seen_ns = c->now; /* ended before it asked */
	call(g, c, ROLE_WAIT, c->now, NULL);
	c->now = (f->seen_ns > c->now ? f->seen_ns : c->now) + about(g, 300);
	if (chance(g, g->o.preempted)) {
		c->now += 1000000 + (int64_t)(4e6 * uniform(g));
		run_card(g, c, NOBODY,
			 c->now); /* what else is in flight ends meanwhile */
	}
	int64_t seq = call(g, c, ROLE_WOKEN, c->now, NULL);
	for (uint64_t k = g->o.drain_wait ? c->first : i; k <= i; k++) {
		struct gen_truth *t = &at(c, k)->t;
		t->woken_ns = c->now;
		t->woken_seq = seq;
		if (t->state == STATE_COMPLETE || t->state == STATE_LATE)
			t->state = t->irq_ns > t->woken_ns ? STATE_LATE : STATE_COMPLETE;
	}
	while (c->first <= i)
		over(g, c);
	if (chance(g, g->o.empty_wait) && c->first == c->next) {
		call(g, c, ROLE_WAIT, c->now += 200, NULL);
		call(g, c, ROLE_WOKEN, c->now += 300, NULL);
	}
}

/* The transfer that was begun last never ends. */
static void abort_last(struct gen *g, struct chan *c, enum transfer_state s)
{
	struct flight *f = at(c, c->next - 1);

	f->t.state = s;
	f->t.touched = true;
	f->t.end_ns = DMA_UNKNOWN;
	c->device_free = c->now;
	c->grouped = c->next;
	over(g, c);
}

static bool accident(struct gen *g, struct chan *c)
{
	struct flight *f = at(c, c->next - 1);

	if (g->o.depth > 1 || !c->left || f->t.end_ns < c->now + g->o.think_ns * 2)
		return false;
	if (chance(g, g->o.restart)) {
		abort_last(g, c, STATE_ABORTED);
		return true;
	}
	if (chance(g, g->o.stop)) {
		call(g, c, ROLE_STOP, c->now += about(g, 1000), NULL);
		abort_last(g, c, STATE_ABORTED);
		return true;
	}
	if (chance(g, g->o.fail)) {
		call(g, c, ROLE_WAIT, c->now += about(g, 400), NULL);
		c->now += 20 * g->o.typical_ns;
		abort_last(g, c, STATE_FAILED);
		return true;
	}
	return false;
}

static void advance(struct gen *g, struct chan *c)
{
	while (c->left && c->next - c->first < g->o.depth) {
		start(g, c);
		if (c->next - c->first > 1)
			run_card(g, c, NOBODY, c->now);
		if (accident(g, c))
			return;
		if (g->o.depth > 1 && c->next - c->first > 1 && chance(g, 0.1))
			break;
	}
	if (c->first < c->next)
		wait_for(g, c, g->o.drain_wait ? c->next - 1 : c->first);
}

/* ---- the interface ---- */

static void defaults(struct gen_options *o)
{
	o->channels = o->channels ? o->channels : 1;
	o->cards = o->cards ? o->cards : 1;
	o->depth = o->depth ? o->depth : 1;
	o->vectors = o->vectors ? o->vectors : 1;
	o->coalesce_min = o->coalesce_min ? o->coalesce_min : 1;
	if (o->coalesce_max < o->coalesce_min)
		o->coalesce_max = o->coalesce_min;
	o->several = o->several ? o->several : 1;
	o->typical_ns = o->typical_ns ? o->typical_ns : 10000;
	o->think_ns = o->think_ns ? o->think_ns : 5000;
	o->loss_ns = o->loss_ns ? o->loss_ns : 200000;
	o->late_ns = o->late_ns ? o->late_ns : 3 * (o->typical_ns + o->think_ns);
	if (o->depth >= DEPTH)
		o->depth = DEPTH - 1;
}

static void place_losses(struct gen *g, int64_t begin)
{
	int64_t each = (g->o.typical_ns + g->o.think_ns + 3000);
	int64_t length = each * (int64_t)(g->o.count / g->o.channels);

	for (unsigned i = 0; i < g->o.loss; i++) {
		int64_t slot = length / (int64_t)g->o.loss;
		g->loss[i][0] = begin + (int64_t)i * slot +
				(int64_t)(uniform(g) * 0.6 * (double)slot);
		g->loss[i][1] = g->loss[i][0] + g->o.loss_ns;
		if (g->sink.loss)
			g->sink.loss(g->sink.arg, g->loss[i][0], g->loss[i][1]);
	}
}

int gen_new(struct gen **out, const struct gen_options *o, const struct gen_sink *sink)
{
	struct gen *g = calloc(1, sizeof(*g));
	const int64_t begin = 1000000000;

	if (!(*out = g))
		return -1;
	g->o = *o;
	defaults(&g->o);
	if (sink)
		g->sink = *sink;
	g->rng = o->seed * 0x2545f4914f6cdd1du + 1;
	g->ch = calloc(g->o.channels, sizeof(*g->ch));
	g->loss = calloc(g->o.loss + 1, sizeof(*g->loss));
	if (!g->ch || !g->loss) {
		gen_free(g);
		*out = NULL;
		return -1;
	}
	for (unsigned i = 0; i < g->o.channels; i++) {
		struct chan *c = &g->ch[i];
		c->index = (int)i;
		c->now = begin + (int64_t)(uniform(g) * (double)(g->o.typical_ns));
		c->left = g->o.count / g->o.channels + (i < g->o.count % g->o.channels);
	}
	g->tick_ns = begin;
	place_losses(g, begin);
	return 0;
}

void gen_free(struct gen *g)
{
	if (!g)
		return;
	free(g->ch);
	free(g->loss);
	free(g->heap);
	free(g);
}

static struct chan *slowest(struct gen *g)
{
	struct chan *low = NULL;

	for (unsigned i = 0; i < g->o.channels; i++) {
		struct chan *c = &g->ch[i];
		if ((c->left || c->first < c->next) && (!low || c->now < low->now))
			low = c;
	}
	return low;
}

int gen_next(struct gen *g, struct sample *s)
{
	for (;;) {
		struct chan *c = slowest(g);
		if (g->nomem)
			return -1;
		for (; g->o.timer_ns && c && g->tick_ns <= c->now;
		     g->tick_ns += g->o.timer_ns)
			raise_irq(g, gen_timer_irq(&g->o), 1, g->tick_ns);
		/* skew may set an interrupt back */
		if (g->n && (!c || g->heap[0].time_ns <= c->now - g->o.skew_ns - 2000)) {
			take(g, s);
			if (g->out++ < g->o.cut_begin)
				continue;
			return 1;
		}
		if (!c)
			return 0;
		advance(g, c);
	}
}
