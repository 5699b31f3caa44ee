/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads: what is called next, and what makes a call return. A thread has one moment to
 * come at most, or waits to be kicked (parked), or for the end of a transfer (waiting).
 */
#include "tests/gen/world_priv.h"

#include <stdlib.h>

static void later(struct world *w, struct thread *t, int64_t ns, enum step step)
{
	t->step = step;
	world_at(w, w->now + ns, AT_THREAD, t, ++t->generation);
}

static void call(struct world *w, struct thread *t, enum role r, unsigned bits,
		 struct flight *f, int64_t *seq, int64_t *stamp)
{
	struct sample s = sample_blank(r, 0);
	int64_t n;

	s.pid = WORLD_PID;
	s.tid = t->tid;
	s.bits = (uint8_t)bits;
	if (r != ROLE_WAIT || !w->o.silent_wait) {
		s.card = 0;
		s.channel = t->c->index;
	}
	if (r == ROLE_SUBMIT) {
		s.size_bytes = f->size;
		s.direction = t->c->index & 1 ? DIR_FROM_HOST : DIR_TO_HOST;
		s.addr = 0x1000 + (int64_t)(w->started % 256) * 0x1000;
	}
	w->cpu[t->cpu].active_ns = w->now;
	n = world_emit(w, &s, t->cpu, f, stamp);
	if (seq)
		*seq = n;
}

/* Where several threads use a channel, none of them gives it up for the others. */
static bool may_fail(const struct world *w)
{
	return w->o.wait != WORLD_BLOCK && !w->o.other_thread;
}

/* ---- the flights of a channel ---- */

/* Its place is that of its doorbell: of calls side by side the later may ring first. */
static void join_channel(struct flight *f)
{
	*f->c->end = f;
	f->c->end = &f->next_flight;
	f->c->inflight++;
}

static void leave_channel(struct flight *f)
{
	struct flight **p = &f->c->first;

	while (*p && *p != f)
		p = &(*p)->next_flight;
	if (!*p)
		return;
	*p = f->next_flight;
	if (!*p)
		f->c->end = p;
	f->c->inflight--;
}

static struct flight *flight_new(struct world *w, struct thread *t)
{
	const struct world_options *o = &w->o;
	struct flight *f = calloc(1, sizeof(*f));

	if (!f) {
		w->nomem = true;
		return NULL;
	}
	f->c = t->c;
	f->thread = t;
	f->size = w->sizes[(unsigned)(world_uniform(w) * o->sizes)];
	f->t = (struct world_truth){.submit_seq = DMA_UNKNOWN,
				    .irq_seq = DMA_UNKNOWN,
				    .woken_seq = DMA_UNKNOWN,
				    .doorbell_ns = DMA_UNKNOWN,
				    .end_ns = DMA_UNKNOWN,
				    .irq_ns = DMA_UNKNOWN,
				    .wait_ns = DMA_UNKNOWN,
				    .woken_ns = DMA_UNKNOWN,
				    .channel = t->c->index,
				    .size_bytes = f->size,
				    .irq = world_irq(o, t->c->index)};
	f->missing = f->c->vector && world_chance(w, o->missing);
	f->late = f->c->vector && !f->missing && world_chance(w, o->late);
	f->hung = may_fail(w) && world_chance(w, o->hang);
	f->t.touched = (f->missing ? WORLD_MISSING : 0) | (f->late ? WORLD_LATE : 0);
	f->behind = w->all;
	if (w->all)
		w->all->before = f;
	w->all = f;
	if (o->wait != WORLD_BLOCK)
		join_channel(f);
	return f;
}

/* The program is done with the oldest, up to last (NULL = all). */
static void leave(struct world *w, struct channel *c, struct flight *last)
{
	struct flight *f, *next;

	for (f = c->first; f; f = next) {
		next = f->next_flight;
		c->first = next;
		c->inflight--;
		f->over = true;
		bool more = f != last;
		world_tell(w, f);
		if (!more)
			break;
	}
	if (!c->first)
		c->end = &c->first;
}

/* ---- what comes next ---- */

static void kick(struct world *w, const struct channel *c)
{
	for (unsigned i = 0; i < w->nth; i++) {
		struct thread *t = &w->th[i];
		if (t->step == STEP_PARKED && c->index >= t->from && c->index < t->to)
			later(w, t, world_about(w, 400, 0.3), STEP_DECIDE);
	}
}

/* How far up and down the next turn goes. */
static void draw_turn(struct world *w, struct channel *c)
{
	c->high = w->o.depth;
	c->low = w->o.use == WORLD_SLIDE ? w->o.depth - 1 : 0;
	if (w->o.use == WORLD_MIXED) {
		c->high = 1 + (unsigned)(world_uniform(w) * w->o.depth);
		c->low = (unsigned)(world_uniform(w) * c->high);
	}
	if (c->pause_next && w->o.pause_drained)
		c->low = 0;
	c->filling = true;
}

static bool would_start(struct world *w, struct thread *t, struct channel *c)
{
	if (!t->starts || !c->left)
		return false;
	if (w->o.wait == WORLD_BLOCK)
		return true;
	if (!t->waits) /* another thread takes them out */
		return c->inflight < w->o.depth;
	if (!c->filling && c->inflight <= c->low)
		draw_turn(w, c);
	if (c->filling && c->inflight >= c->high)
		c->filling = false;
	return c->filling;
}

static struct channel *turn(struct world *w, struct thread *t, unsigned i)
{
	return &w->ch[t->from + (t->cursor + i) % (t->to - t->from)];
}

static int64_t think(struct world *w, struct channel *c)
{
	int64_t ns = world_about(w, w->o.think_ns, w->o.think_spread);

	if (c->pause_next && (!w->o.pause_drained || !c->inflight)) {
		ns += world_about(w, w->o.pause_ns, 0.5);
		c->pause_next = false;
	} else if (world_chance(w, w->o.pause)) {
		c->pause_next = true;
	}
	return ns;
}

static void stop_channel(struct world *w, struct thread *t, struct channel *c)
{
	t->c = c;
	later(w, t, world_about(w, 500, 0.3), STEP_STOP);
}

static void decide(struct world *w, struct thread *t)
{
	unsigned n = t->to - t->from;

	for (unsigned i = 0; i < n; i++) {
		struct channel *c = turn(w, t, i);
		if (c->stop_next && t->starts) {
			stop_channel(w, t, c);
			return;
		}
		if (would_start(w, t, c)) {
			t->c = c;
			later(w, t, think(w, c), STEP_SUBMIT);
			return;
		}
	}
	for (unsigned i = 0; i < n && t->waits && w->o.wait != WORLD_BLOCK; i++) {
		struct channel *c = turn(w, t, i);
		if (c->inflight > c->waits && c->first->rung) {
			t->c = c;
			t->cursor = c->index - t->from + 1;
			later(w, t, world_about(w, 250, 0.3), STEP_WAIT);
			return;
		}
	}
	t->step = STEP_PARKED;
}

/* ---- starts ---- */

static void submit(struct world *w, struct thread *t)
{
	struct flight *f;

	if (!t->c->left ||
	    (!t->waits && t->c->inflight >= w->o.depth && w->o.wait != WORLD_BLOCK)) {
		decide(w, t); /* another thread was faster */
		return;
	}
	if (++w->started == w->o.begin_after) /* somewhere between this start and later */
		world_at(w,
			 w->now + (int64_t)(2 * world_uniform(w) *
					    (double)(w->o.service_ns + w->o.think_ns)),
			 AT_RECORD, NULL, 0);
	f = t->f = flight_new(w, t);
	if (!f)
		return;
	t->c->left -= w->recording; /* those before are beside the count */
	call(w, t, ROLE_SUBMIT, w->o.wait == WORLD_BLOCK ? SAMPLE_BLOCKING : 0, f,
	     &f->t.submit_seq, &f->t.submit_ns);
	if (world_chance(w, w->o.start_fails)) {
		f->failed = true;
		f->t.touched |= WORLD_FAILED;
		f->settled = true;
	}
	later(w, t, world_about(w, w->o.api_ns, 0.1),
	      f->failed ? STEP_EXIT : STEP_DOORBELL);
}

static void restart(struct world *w, struct channel *c, struct flight *f)
{
	struct flight *old = c->first;

	c->restart_next = false;
	c->high = w->o.depth;
	c->low = 0;
	if (old == f)
		return;
	/* The new one was appended behind; it is no part of what ends here. */
	while (old->next_flight != f)
		old = old->next_flight;
	old->next_flight = NULL;
	card_kill(w, c);
	old->next_flight = f;
	leave(w, c, old);
}

static void ring(struct world *w, struct thread *t)
{
	struct flight *f = t->f;

	if (t->c->restart_next)
		restart(w, t->c, f);
	if (w->o.wait == WORLD_BLOCK)
		join_channel(f);
	card_ring(w, f);
	if (w->o.wait == WORLD_BLOCK) {
		t->step = STEP_WAITING;
		t->entered_ns = w->now;
		world_at(w, w->now + w->o.timeout_ns, AT_TIMEOUT, t, ++t->generation);
		return;
	}
	later(w, t, world_about(w, w->o.exit_ns, 0.2), STEP_EXIT);
}

/* After a start: shall its channel be started or stopped again before the end? */
static void accident(struct world *w, struct thread *t, struct flight *f)
{
	int64_t left = f->t.end_ns == DMA_UNKNOWN ? 0 : f->t.end_ns - w->now;
	int64_t call_ns = 3 * (w->o.api_ns + w->o.stamp_ns) + 2 * w->o.think_ns + 2000;
	struct channel *c = t->c;

	if (left < call_ns || !t->waits || w->o.wait == WORLD_BLOCK || !c->left)
		return;
	if (w->o.depth == 1 && world_chance(w, w->o.restart)) {
		c->restart_next = true;
		c->low = c->inflight;
		c->high = c->inflight + 1;
		c->filling = true;
	} else if (world_chance(w, w->o.stop)) {
		c->stop_next = true;
	}
}

static void exited(struct world *w, struct thread *t)
{
	struct flight *f = t->f;
	bool failed = f->failed;

	if (!failed || !world_chance(w, w->o.throws))
		call(w, t, ROLE_STARTED, failed ? SAMPLE_FAILED : 0, f, NULL,
		     w->o.doorbell || failed ? NULL : &f->t.doorbell_ns);
	if (failed) {
		leave_channel(f);
		f->over = true;
		world_tell(w, f);
	} else {
		accident(w, t, f);
		kick(w, t->c);
	}
	t->f = NULL;
	decide(w, t);
}

static void stopped(struct world *w, struct thread *t)
{
	t->c->stop_next = false;
	call(w, t, ROLE_STOP, 0, NULL, NULL, NULL);
	card_kill(w, t->c);
	leave(w, t->c, NULL);
	t->c->filling = false;
	decide(w, t);
}

/* ---- waits ---- */

static bool polls(const struct world *w, const struct thread *t)
{
	return w->o.wait == WORLD_POLL || !t->c->vector ||
	       (w->o.wait == WORLD_SPIN_SLEEP && w->now <= t->entered_ns + w->o.spin_ns);
}

static bool satisfied(const struct world *w, const struct thread *t)
{
	switch (w->o.wait) {
	case WORLD_SLEEP:
	case WORLD_BLOCK:
		return t->f->done || (!t->c->vector && t->f->visible);
	case WORLD_NEXT:
		return t->f->visible && (t->heard || !t->c->vector);
	default:
		return t->f->visible;
	}
}

static void spin(struct world *w, struct thread *t, bool on)
{
	if (on != t->spins)
		w->cpu[t->cpu].spinning += on ? 1 : (unsigned)-1;
	t->spins = on;
}

static void wake(struct world *w, struct thread *t, int64_t ns)
{
	if (world_chance(w, w->o.preempted)) {
		ns += 1000000 + (int64_t)(4e6 * world_uniform(w));
		t->f->t.touched |= WORLD_PREEMPTED;
	}
	later(w, t, ns, STEP_WOKEN);
}

/* A register read takes about the time between two of them. */
static int64_t next_read(struct world *w)
{
	return (int64_t)((double)w->o.poll_ns * (0.5 + world_uniform(w)));
}

static void enter_wait(struct world *w, struct thread *t)
{
	struct channel *c = t->c;
	int64_t stamp;

	if (c->inflight <= c->waits) {
		decide(w, t);
		return;
	}
	t->f = c->first;
	for (unsigned i = 0; i < c->waits; i++)
		t->f = t->f->next_flight;
	if (w->o.use == WORLD_DRAIN && t->starts)
		while (t->f->next_flight)
			t->f = t->f->next_flight;
	call(w, t, ROLE_WAIT, 0, t->f, NULL, &stamp);
	for (struct flight *f = c->first; f; f = f == t->f ? NULL : f->next_flight)
		f->t.wait_ns = stamp;
	t->entered_ns = w->now;
	t->heard = t->fails = false;
	c->waits++;
	if (satisfied(w, t)) {
		wake(w, t,
		     polls(w, t) ? w->o.poll_ns / 2 + 100 : world_about(w, 300, 0.2));
		return;
	}
	spin(w, t, polls(w, t));
	t->step = STEP_WAITING;
	world_at(w, w->now + w->o.timeout_ns, AT_TIMEOUT, t, ++t->generation);
}

static struct thread *waits_for(struct world *w, unsigned i, const struct channel *c)
{
	struct thread *t = &w->th[i];

	return t->step == STEP_WAITING && t->c == c && satisfied(w, t) ? t : NULL;
}

void program_visible(struct world *w, struct flight *f)
{
	for (unsigned i = 0; i < w->nth; i++) {
		struct thread *t = waits_for(w, i, f->c);
		if (t && polls(w, t))
			wake(w, t, next_read(w));
	}
}

void program_interrupt(struct world *w, struct vector *v)
{
	for (unsigned i = 0; i < w->nth; i++) {
		struct thread *t = &w->th[i];
		if (t->step != STEP_WAITING || t->c->vector != v)
			continue;
		t->heard = true;
		if (satisfied(w, t) && !polls(w, t))
			wake(w, t,
			     w->o.handler_ns +
				     world_about(w, w->o.wake_ns, w->o.wake_spread));
	}
}

void program_timeout(struct world *w, struct thread *t)
{
	t->fails = may_fail(w) && (t->f->hung || (t->f->visible && w->o.timeout_fails));
	if (t->f->visible || t->fails)
		wake(w, t, world_about(w, w->o.wake_ns, w->o.wake_spread));
	else
		world_at(w, w->now + w->o.timeout_ns, AT_TIMEOUT, t, t->generation);
}

/* The channel is useless until it is stopped or started anew. */
static void wait_failed(struct world *w, struct thread *t)
{
	struct channel *c = t->c;

	for (struct flight *f = c->first; f; f = f == t->f ? NULL : f->next_flight)
		f->failed = true; /* the one wait was for all of them */
	if (!world_chance(w, w->o.throws))
		call(w, t, ROLE_WOKEN, SAMPLE_FAILED, t->f, &t->f->t.woken_seq, NULL);
	card_kill(w, c);
	t->f = NULL;
	if (w->o.depth > 1 || world_chance(w, 0.5)) {
		later(w, t, world_about(w, 1000, 0.3), STEP_STOP);
		return;
	}
	leave(w, c, NULL);
	decide(w, t);
}

static void woken(struct world *w, struct thread *t)
{
	struct channel *c = t->c;
	int64_t seq, stamp;

	spin(w, t, false);
	c->waits -= w->o.wait != WORLD_BLOCK;
	if (t->fails) {
		wait_failed(w, t);
		return;
	}
	call(w, t, ROLE_WOKEN, 0, t->f, &seq, &stamp);
	for (struct flight *f = c->first; f; f = f->next_flight) {
		if (w->o.wait != WORLD_BLOCK || f == t->f) {
			f->t.woken_seq = seq;
			f->t.woken_ns = stamp;
		}
		if (f == t->f)
			break;
	}
	/* Of calls that block side by side, a later one may return first. */
	if (w->o.wait != WORLD_BLOCK || c->first == t->f)
		leave(w, c, t->f);
	while (w->o.wait == WORLD_BLOCK && c->first &&
	       c->first->t.woken_seq != DMA_UNKNOWN)
		leave(w, c, c->first);
	t->f = NULL;
	kick(w, c);
	if (w->o.depth == 1 && w->o.wait == WORLD_POLL && t->starts && !c->inflight &&
	    world_chance(w, w->o.empty_wait)) {
		call(w, t, ROLE_WAIT, 0, NULL, NULL, NULL);
		later(w, t, w->o.poll_ns, STEP_EMPTY);
		return;
	}
	decide(w, t);
}

/* ---- the interface ---- */

void program_go(struct world *w, struct thread *t)
{
	struct cpu *c = &w->cpu[t->cpu];
	int64_t runs = card_cpu_free(w, c);

	if (runs > w->now) { /* a handler runs on its CPU, or it stands still */
		later(w, t, runs - w->now + 50, t->step);
		return;
	}
	c->active_ns = w->now;
	switch (t->step) {
	case STEP_SUBMIT:
		submit(w, t);
		break;
	case STEP_DOORBELL:
		if (w->o.doorbell)
			call(w, t, ROLE_DOORBELL, 0, t->f, NULL, &t->f->t.doorbell_ns);
		later(w, t, w->o.stamp_ns, STEP_RING);
		break;
	case STEP_RING:
		ring(w, t);
		break;
	case STEP_EXIT:
		exited(w, t);
		break;
	case STEP_WAIT:
		enter_wait(w, t);
		break;
	case STEP_WOKEN:
		woken(w, t);
		break;
	case STEP_STOP:
		stopped(w, t);
		break;
	case STEP_EMPTY:
		call(w, t, ROLE_WOKEN, 0, NULL, NULL, NULL);
		decide(w, t);
		break;
	default:
		decide(w, t);
		break;
	}
}

static void thread_init(struct world *w, unsigned from, unsigned to, bool starts,
			bool waits)
{
	struct thread *t = &w->th[w->nth];

	*t = (struct thread){.tid = WORLD_PID + (int32_t)w->nth,
			     .cpu = w->nth % w->o.cpus,
			     .from = from,
			     .to = to,
			     .starts = starts,
			     .waits = waits};
	w->nth++;
	later(w, t, (int64_t)(world_uniform(w) * (double)w->o.service_ns), STEP_DECIDE);
}

int program_new(struct world *w)
{
	const struct world_options *o = &w->o;
	unsigned each = o->wait == WORLD_BLOCK ? o->depth : o->other_thread ? 2 : 1;

	w->th = calloc((size_t)o->channels * each, sizeof(*w->th));
	if (!w->th)
		return -1;
	for (unsigned i = 0; i < o->channels; i++)
		w->ch[i].left = o->count / o->channels + (i < o->count % o->channels);
	if (o->one_thread && each == 1) {
		thread_init(w, 0, o->channels, true, true);
		return 0;
	}
	for (unsigned i = 0; i < o->channels; i++)
		for (unsigned k = 0; k < each; k++) {
			bool both = each == 1 || o->wait == WORLD_BLOCK;
			thread_init(w, i, i + 1, both || k == 0, both || k == 1);
		}
	return 0;
}
