/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The card and what the host makes of its messages. An end goes: register (visible), unit
 * (note), message (raise), handler (enter).
 */
#include "tests/gen/world_priv.h"

#include <math.h>
#include <stdlib.h>

/* The kinds of vectors behind those that end transfers. */
enum { DATA, TIMER, OTHER, PER_N, KINDS };

/* A state's target residency over its exit latency: 3 to 10 in the intel_idle tables. */
enum { IDLE_SHARE = 5 };

unsigned world_vectors(const struct world_options *o)
{
	return (o->vectors ? o->vectors : 1) + KINDS;
}

static struct vector *decoy(struct world *w, unsigned kind)
{
	return &w->v[w->nown + kind];
}

/* ---- the engine ---- */

static double factor(struct world *w, struct channel *c)
{
	const struct world_options *o = &w->o;

	switch (o->latency) {
	case WORLD_LOGNORMAL:
		return exp(o->spread * world_normal(w) - o->spread * o->spread / 2);
	case WORLD_GAMMA: { /* a sum of exponentials: shape 1, 2, ... */
		unsigned shape = (unsigned)fmax(1, round(1 / (o->spread * o->spread)));
		double sum = 0;
		for (unsigned i = 0; i < shape; i++)
			sum += world_exponential(w);
		return sum / shape;
	}
	case WORLD_PARETO:
		return pow(1 - world_uniform(w), -o->spread) * (1 - o->spread);
	case WORLD_BIMODAL:
		return (world_chance(w, o->slow) ? o->slower : 1) *
		       (0.98 + 0.04 * world_uniform(w));
	case WORLD_DRIFT:
		w->drift += 1;
		return pow(o->slower, sin(w->drift * 2 * M_PI * o->slow)) *
		       (0.95 + 0.1 * world_uniform(w));
	case WORLD_BURSTS: /* tens of transfers slow, of which a share `slow` in all */
		if (world_chance(w, c->burst ? 1.0 / 30 : o->slow / 30 / (1 - o->slow)))
			c->burst = !c->burst;
		return (c->burst ? o->slower : 1) * (0.9 + 0.2 * world_uniform(w));
	case WORLD_LINEAR:
		return 0.98 + 0.04 * world_uniform(w);
	default:
		return 0.995 + 0.01 * world_uniform(w);
	}
}

static int64_t service_ns(struct world *w, const struct flight *f)
{
	double size = (double)f->size / w->mean_size;

	return 1 + (int64_t)((double)w->o.service_ns *
			     (w->o.fixed + (1 - w->o.fixed) * size) * factor(w, f->c));
}

static void data_available(struct world *w, int64_t at)
{
	if (w->o.data_vector)
		world_at(w, at + world_about(w, 300 + w->o.service_ns / 30, 0.2),
			 AT_MESSAGE, decoy(w, DATA), 0);
}

/* A part of the time overlaps with the transfer before, the rest does not. */
void card_ring(struct world *w, struct flight *f)
{
	struct channel *c = f->c;
	int64_t *free_ns = w->o.shared_link ? &w->link_free_ns : &c->free_ns;
	int64_t takes = service_ns(w, f);
	int64_t alone = (int64_t)((double)takes * (1 - w->o.pipeline));
	int64_t begins = *free_ns - (takes - alone);

	f->rung = true;
	if (begins < w->now)
		begins = w->now;
	f->t.end_ns = begins + takes;
	if (f->t.end_ns <= c->last_end_ns)
		f->t.end_ns = c->last_end_ns + 1;
	if (!c->hung)
		data_available(w, begins);
	c->hung |= f->hung;
	if (c->hung) { /* nothing behind it ends either */
		f->hung = true;
		f->t.end_ns = DMA_UNKNOWN;
		return;
	}
	*free_ns = c->last_end_ns = f->t.end_ns;
	f->moments += 2;
	world_at(w, f->t.end_ns + w->o.register_ns, AT_VISIBLE, f, 0);
	world_at(w, f->t.end_ns + w->o.msi_ns, AT_NOTE, f, 0);
	if (world_chance(w, w->o.spurious) && c->vector) {
		f->t.touched |= WORLD_SPURIOUS;
		world_at(w, w->now + (int64_t)(2 * (double)takes * world_uniform(w)),
			 AT_MESSAGE, c->vector, 0);
	}
}

void card_kill(struct world *w, struct channel *c)
{
	for (struct flight *f = c->first; f; f = f->next_flight) {
		bool ended = f->t.end_ns != DMA_UNKNOWN && f->t.end_ns <= w->now;

		if (f->rung && !ended) {
			f->dead = true;
			f->t.end_ns = DMA_UNKNOWN;
		}
		f->settled |= !f->rung || !ended;
		f->aborted = !f->failed;
		f->t.touched |= f->failed ? WORLD_FAILED : WORLD_ABORTED;
		f->t.woken_ns = w->now; /* until judged */
	}
	c->free_ns = c->last_end_ns = w->now;
	c->hung = false;
}

/* ---- the interrupt unit ---- */

static void append(struct list *l, struct flight *f)
{
	f->next_asked = NULL;
	if (!l->first)
		l->end = &l->first;
	*l->end = f;
	l->end = &f->next_asked;
}

static void move(struct list *to, struct list *from)
{
	if (!from->first)
		return;
	if (!to->first)
		to->end = &to->first;
	*to->end = from->first;
	to->end = from->end;
	from->first = NULL;
}

void card_visible(struct world *w, struct flight *f)
{
	f->moments--;
	if (!f->dead) {
		f->visible = true;
		program_visible(w, f);
	}
	world_tell(w, f);
}

static void count_ends(struct world *w)
{
	w->ends++;
	if (w->o.per_n && w->ends % w->o.per_n == 0)
		world_at(w, w->now + w->o.msi_ns, AT_MESSAGE, decoy(w, PER_N), 0);
}

void card_note(struct world *w, struct flight *f)
{
	struct vector *v = f->c->vector;
	unsigned most = w->o.moderate_count;

	f->moments--;
	if (!f->dead)
		count_ends(w);
	if (f->dead || f->missing || !v) {
		f->settled = true;
		world_tell(w, f);
		return;
	}
	append(&v->asked, f);
	if (f->late) {
		int64_t later = world_about(w, w->o.late_ns, 0.7);
		world_at(w, w->now + later, AT_RAISE, v, v->generation);
		return;
	}
	v->nasked++;
	if (!most || v->nasked >= most)
		card_raise(w, v);
	else if (v->nasked == 1)
		world_at(w, w->now + w->o.moderate_ns, AT_RAISE, v, v->generation);
}

/* With everything that the unit holds back; what its timers were to do is done. */
void card_raise(struct world *w, struct vector *v)
{
	v->generation++;
	v->nasked = 0;
	move(&v->pending, &v->asked);
	card_message(w, v);
}

/* ---- the CPU ---- */

static bool is_idle(const struct world *w, const struct cpu *c)
{
	return !c->spinning && w->now > c->busy_until &&
	       w->now - c->active_ns > w->o.idle_after_ns;
}

/* The kernel's governor picks a state whose wake-up is short beside the time asleep. */
static int64_t idle_wake_ns(const struct world *w, const struct cpu *c)
{
	int64_t asleep = w->now - c->active_ns;

	return asleep / IDLE_SHARE < w->o.idle_wake_ns ? asleep / IDLE_SHARE
						       : w->o.idle_wake_ns;
}

void card_message(struct world *w, struct vector *v)
{
	const struct cpu *c = &w->cpu[v->cpu];
	int64_t enter = world_about(w, w->o.enter_ns, w->o.enter_spread);

	if (v->is_pending)
		return;
	v->is_pending = true;
	v->postponed = false;
	if (w->o.idle_wake_ns && is_idle(w, c))
		enter += world_about(w, idle_wake_ns(w, c), 0.3);
	world_at(w, w->now + enter, AT_ENTER, v, 0);
}

static bool stands_still(struct world *w, struct cpu *c)
{
	while (w->o.standstill > 0 && c->still_to < w->now) {
		double gap = (double)world_gap_ns(w) / w->o.standstill;

		c->still_from = (c->still_to ? c->still_to : w->begin_ns) +
				(int64_t)(gap * world_exponential(w));
		c->still_to = c->still_from + world_about(w, w->o.standstill_ns, 0.7);
	}
	return w->o.standstill > 0 && w->now >= c->still_from;
}

int64_t card_cpu_free(struct world *w, struct cpu *c)
{
	if (stands_still(w, c))
		return c->still_to + 1;
	return c->busy_until >= w->now ? c->busy_until + 1 : w->now;
}

static void serve(struct world *w, struct vector *v, int64_t seq, int64_t stamp,
		  bool lost)
{
	int n = 0;

	for (struct flight *f = v->pending.first; f; f = f->next_asked)
		n++;
	while (v->pending.first) {
		struct flight *f = v->pending.first;

		v->pending.first = f->next_asked;
		f->t.irq_seq = seq;
		f->t.irq_ns = stamp;
		f->t.coalesced = n;
		f->t.touched |= (lost ? WORLD_LOST : 0) | (v->postponed ? WORLD_HELD : 0);
		f->settled = true;
		f->visible |= w->o.wait != WORLD_POLL; /* the handler read the register */
		for (struct flight *g = f->over ? NULL : f->c->first; g;
		     g = g->next_flight) {
			g->done = true;
			if (g == f)
				break;
		}
		world_tell(w, f);
	}
}

void card_enter(struct world *w, struct vector *v)
{
	struct cpu *c = &w->cpu[v->cpu];
	struct sample s = sample_blank(ROLE_INTERRUPT, 0);
	struct flight witness = {0};
	int64_t seq, stamp;

	if (card_cpu_free(w, c) > w->now) {
		v->postponed |= stands_still(w, c);
		world_at(w, card_cpu_free(w, c), AT_ENTER, v, 0);
		return;
	}
	c->busy_until = c->active_ns = w->now + world_about(w, w->o.handler_ns, 0.2);
	s.irq = v->irq;
	seq = world_emit(w, &s, v->cpu, &witness, &stamp);
	v->count += w->recording;
	v->is_pending = false;
	serve(w, v, seq, stamp, witness.t.touched & WORLD_LOST);
	program_interrupt(w, v);
}

/* ---- what is none of the transfers' ---- */

void card_tick(struct world *w)
{
	card_message(w, decoy(w, TIMER));
	world_at(w, w->now + w->o.timer_ns, AT_TICK, NULL, 0);
}

static int64_t random_gap(struct world *w, double per_transfer)
{
	return 1 +
	       (int64_t)((double)world_gap_ns(w) * world_exponential(w) / per_transfer);
}

void card_foreign(struct world *w, struct vector *v)
{
	card_message(w, v);
	world_at(w, w->now + random_gap(w, w->o.foreign / w->nown), AT_FOREIGN, v, 0);
}

void card_other(struct world *w)
{
	card_message(w, decoy(w, OTHER));
	world_at(w, w->now + random_gap(w, w->o.other), AT_OTHER, NULL, 0);
}

static void draw_sizes(struct world *w)
{
	unsigned n = w->o.sizes < 1 ? 1 : w->o.sizes > 32 ? 32 : w->o.sizes;
	double sum = 0;

	w->o.sizes = n;
	for (unsigned i = 0; i < n; i++) {
		w->sizes[i] = (int64_t)512 << (int)(world_uniform(w) * 11);
		if (n > 2) /* not only powers of two */
			w->sizes[i] += 64 * (int64_t)(8 * world_uniform(w));
		if (i == 1 && n == 2 && w->sizes[1] == w->sizes[0])
			w->sizes[1] *= 8;
		sum += (double)w->sizes[i];
	}
	w->mean_size = sum / n;
}

int card_new(struct world *w)
{
	w->nown = w->o.vectors ? w->o.vectors : 1;
	w->nv = world_vectors(&w->o);
	w->v = calloc(w->nv, sizeof(*w->v));
	if (!w->v)
		return -1;
	for (unsigned i = 0; i < w->nv; i++) {
		w->v[i].irq = (int32_t)(WORLD_IRQ + i);
		w->v[i].cpu = (unsigned)(world_uniform(w) * w->o.cpus);
		if (w->o.foreign > 0 && i < w->o.vectors)
			world_at(w, w->now + random_gap(w, w->o.foreign / w->nown),
				 AT_FOREIGN, &w->v[i], 0);
	}
	for (unsigned i = 0; i < w->o.channels; i++) {
		struct channel *c = &w->ch[i];

		c->index = i;
		c->end = &c->first;
		c->vector = w->o.vectors ? &w->v[i % w->o.vectors] : NULL;
	}
	draw_sizes(w);
	w->drift = world_uniform(w) / (w->o.slow > 0 ? w->o.slow : 1);
	if (w->o.timer_ns)
		world_at(w, w->now + (int64_t)((double)w->o.timer_ns * world_uniform(w)),
			 AT_TICK, NULL, 0);
	if (w->o.other > 0)
		world_at(w, w->now + random_gap(w, w->o.other), AT_OTHER, NULL, 0);
	return 0;
}
