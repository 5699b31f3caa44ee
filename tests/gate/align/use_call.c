/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entries and exits of functions into calls, thread by thread. An entry without an exit
 * before the next entry on its thread was left by an exception, unless samples were lost
 * meanwhile. Which channel a wait speaks of is said by its arguments, else by what is in
 * flight, where that leaves no choice.
 */
#include <stdlib.h>

#include "lib/err.h"
#include "tests/gate/align/use_priv.h"

static struct use_thread *thread_get(struct use *u, int32_t tid)
{
	struct use_thread **p = &u->th[(uint32_t)tid % USE_THREADS];

	for (struct use_thread *t = *p; t; t = t->next)
		if (t->tid == tid)
			return t;
	struct use_thread *t = calloc(1, sizeof(*t));
	if (t) {
		t->tid = tid;
		t->next = *p;
		*p = t;
	}
	return t;
}

/* ---- which channel a wait is for ---- */

static bool may_be(const struct use_channel *c, const struct sample *w)
{
	return (w->card == DMA_UNKNOWN || w->card == c->card || c->card == DMA_UNKNOWN) &&
	       (w->channel == DMA_UNKNOWN || w->channel == c->channel);
}

static bool has_own(const struct use_channel *c, int32_t tid)
{
	const struct use_transfer *t = use_oldest(c);

	return t && t->t.tid == tid;
}

/* The only channel that fits; *several when there is a choice. */
static struct use_channel *only_channel(struct use *u, const struct use_thread *th,
					bool in_flight, bool own, bool *several)
{
	struct use_channel *found = NULL;

	for (size_t i = 0; i < u->nch; i++) {
		struct use_channel *c = u->ch[i];
		if (!may_be(c, &th->wait) || (in_flight && !use_oldest(c)) ||
		    (own && !has_own(c, th->tid)))
			continue;
		if (found) {
			*several = true;
			return NULL;
		}
		found = c;
	}
	return found;
}

static struct use_channel *wait_channel(struct use *u, const struct use_thread *th,
					bool *several, struct err *e)
{
	const struct sample *w = &th->wait;
	struct use_channel *c;
	bool ignored;

	*several = false;
	if (w->card != DMA_UNKNOWN && w->channel != DMA_UNKNOWN)
		return use_channel(u, w->card, w->channel, e);
	if ((c = only_channel(u, th, true, false, several)))
		return c;
	if (*several && w->channel == DMA_UNKNOWN &&
	    (c = only_channel(u, th, true, true, &ignored))) {
		*several = false;
		return c;
	}
	if (*several)
		return NULL;
	if ((c = only_channel(u, th, false, false, &ignored)))
		return c;
	if (th->last && may_be(th->last, w))
		return th->last;
	return use_channel(u, w->card, w->channel, e);
}

static int undecidable_wait(struct use *u, const struct use_thread *th, struct err *e)
{
	for (size_t i = 0; i < u->nch; i++) {
		struct use_channel *c = u->ch[i];
		if (may_be(c, &th->wait) && use_oldest(c) && channel_epoch(u, c, e) < 0)
			return ERR_NOMEM;
	}
	return use_stray(u, STRAY_WAIT, &th->wait, "several channels that it may be for",
			 e);
}

/* ---- calls ---- */

static int wait_over(struct use *u, struct use_thread *th, const struct ending *x,
		     bool pending, const char *none, struct err *e)
{
	bool several, used;
	struct use_channel *c = wait_channel(u, th, &several, e);

	if (several)
		return pending ? use_stray(u, STRAY_WAIT, &th->wait, "not ended yet", e)
			       : undecidable_wait(u, th, e);
	if (!c)
		return ERR_NOMEM;
	if (pending) {
		if (!use_oldest(c))
			return use_stray(u, STRAY_WAIT, &th->wait, none, e);
		u->n->waits_used++;
		return 0;
	}
	if (channel_wait(u, c, x, th->tid, &used, e) < 0)
		return ERR_NOMEM;
	if (!used)
		return use_stray(u, STRAY_WAIT, &th->wait, none, e);
	u->n->waits_used++;
	return 0;
}

/* A new call on this thread: a start or wait still open was left by an exception. */
static int leave_open(struct use *u, struct use_thread *th, struct err *e)
{
	struct use_transfer *t = th->start;
	int r = 0;

	if (t) {
		t->opener = NULL;
		th->start = NULL;
		if (t->nopen && (t->t.doorbell_ns == DMA_UNKNOWN || t->blocking)) {
			struct ending x = {.kind = t->blocking ? END_FAILED : END_NEVER,
					   .state = STATE_FAILED,
					   .wait_ns = DMA_UNKNOWN,
					   .woken_ns = DMA_UNKNOWN,
					   .seq = DMA_UNKNOWN,
					   .absence = true,
					   .reason = "the start left by an exception"};
			r = channel_close_one(u, t, &x, e);
			t->dead |= x.kind == END_NEVER;
		}
	}
	if (r < 0 || !th->waiting)
		return r;
	th->waiting = false;
	if (th->noexit)
		return use_stray(u, STRAY_WAIT, &th->wait,
				 "its function has no exits armed", e);
	struct ending x = {.kind = END_FAILED,
			   .state = STATE_FAILED,
			   .wait_ns = th->wait.time_ns,
			   .woken_ns = DMA_UNKNOWN,
			   .seq = DMA_UNKNOWN,
			   .absence = true,
			   .reason = "the wait left by an exception"};
	return wait_over(u, th, &x, false, "no exit was seen", e);
}

static int on_submit(struct use *u, struct use_thread *th, const struct sample *s,
		     struct err *e)
{
	struct use_channel *c = use_channel(u, s->card, s->channel, e);
	struct use_transfer *t = c ? channel_start(u, c, s, e) : NULL;

	if (!t)
		return ERR_NOMEM;
	u->n->submits++;
	t->t = (struct transfer){.id = ++u->next_id,
				 .card = s->card,
				 .channel = s->channel,
				 .size_bytes = s->size_bytes,
				 .addr = s->addr,
				 .direction = s->direction,
				 .pid = s->pid,
				 .tid = s->tid,
				 .submit_ns = s->time_ns,
				 .doorbell_ns = DMA_UNKNOWN,
				 .irq_ns = DMA_UNKNOWN,
				 .wait_ns = DMA_UNKNOWN,
				 .woken_ns = DMA_UNKNOWN,
				 .submit_seq = s->seq,
				 .irq_seq = DMA_UNKNOWN,
				 .woken_seq = DMA_UNKNOWN,
				 .irq = -1,
				 .irq_cpu = -1};
	t->begin_ns = s->time_ns;
	if (!(s->bits & SAMPLE_NO_EXIT)) {
		t->opener = th;
		th->start = t;
	}
	th->last = c;
	if (!(s->bits & SAMPLE_CIRCULAR))
		return 0;
	c->circular_from = s->time_ns;
	c->circular_to = INT64_MAX;
	return channel_close_one(
		u, t,
		&(struct ending){.kind = END_NEVER,
				 .state = STATE_CIRCULAR,
				 .wait_ns = DMA_UNKNOWN,
				 .woken_ns = DMA_UNKNOWN,
				 .seq = DMA_UNKNOWN,
				 .reason = "circular: runs until it is stopped"},
		e);
}

static int on_doorbell(struct use *u, struct use_thread *th, const struct sample *s,
		       struct err *e)
{
	struct use_transfer *t = th->start;

	u->n->doorbells++;
	if (!t)
		return use_stray(u, STRAY_DOORBELL, s, "no open start", e);
	if (t->t.doorbell_ns == DMA_UNKNOWN || t->t.doorbell_is_exit) {
		t->t.doorbell_ns = s->time_ns;
		t->t.doorbell_is_exit = false;
		t->begin_ns = s->time_ns;
	}
	u->n->doorbells_used++;
	return 0;
}

static int start_over(struct use *u, struct use_thread *th, const struct sample *s,
		      struct err *e)
{
	struct use_transfer *t = th->start;
	struct ending x = {.kind = END_WOKEN,
			   .state = STATE_COMPLETE,
			   .wait_ns = DMA_UNKNOWN,
			   .woken_ns = s->time_ns,
			   .seq = s->seq};

	th->start = NULL;
	t->opener = NULL;
	if (s->role == ROLE_STARTED && t->t.doorbell_ns == DMA_UNKNOWN) {
		t->t.doorbell_ns = t->begin_ns = s->time_ns;
		t->t.doorbell_is_exit = true;
	}
	if (!t->nopen)
		return 0;
	if (s->bits & SAMPLE_FAILED) {
		x.kind = t->blocking ? END_FAILED : END_NEVER;
		x.state = STATE_FAILED;
		x.reason = "the start returned an error";
		x.woken_ns = x.seq = DMA_UNKNOWN;
		if (channel_close_one(u, t, &x, e) < 0)
			return ERR_NOMEM;
		t->dead |= x.kind == END_NEVER;
		return 0;
	}
	if (s->role != ROLE_WOKEN || (s->bits & SAMPLE_PENDING))
		return 0;
	return channel_close_one(u, t, &x, e);
}

/* The exit of a wait whose entry was not seen. */
static int orphan(struct use *u, struct use_thread *th, const struct sample *s,
		  struct err *e)
{
	struct use_channel *c;
	bool several, used = false;
	struct ending x = {.kind = s->bits & SAMPLE_FAILED ? END_FAILED : END_WOKEN,
			   .state = s->bits & SAMPLE_FAILED ? STATE_FAILED
							    : STATE_COMPLETE,
			   .wait_ns = DMA_UNKNOWN,
			   .woken_ns = s->time_ns,
			   .seq = s->seq};

	if (!th->blind || (s->bits & SAMPLE_PENDING))
		return use_stray(u, STRAY_EXIT, s, "no open wait", e);
	th->wait = *s;
	c = only_channel(u, th, true, false, &several);
	if (c && channel_wait(u, c, &x, th->tid, &used, e) < 0)
		return ERR_NOMEM;
	return used ? 0 : use_stray(u, STRAY_EXIT, s, "no open wait", e);
}

static int on_woken(struct use *u, struct use_thread *th, const struct sample *s,
		    struct err *e)
{
	if (!th->waiting)
		return th->start ? start_over(u, th, s, e) : orphan(u, th, s, e);
	struct ending x = {.kind = END_WOKEN,
			   .state = STATE_COMPLETE,
			   .wait_ns = th->wait.time_ns,
			   .woken_ns = s->time_ns,
			   .seq = s->seq};
	th->waiting = false;
	if (s->bits & SAMPLE_FAILED) {
		x.kind = END_FAILED;
		x.state = STATE_FAILED;
		x.reason = "the wait returned an error";
	}
	return wait_over(u, th, &x, s->bits & SAMPLE_PENDING, "no transfer in flight", e);
}

int use_call(struct use *u, const struct sample *s, struct err *e)
{
	struct use_thread *th = thread_get(u, s->tid);
	int r;

	if (!th)
		return use_nomem(e);
	th->pid = s->pid;
	switch (s->role) {
	case ROLE_DOORBELL:
		return on_doorbell(u, th, s, e);
	case ROLE_STARTED:
		return th->start ? start_over(u, th, s, e)
				 : use_stray(u, STRAY_EXIT, s, "no open start", e);
	case ROLE_WOKEN:
		r = on_woken(u, th, s, e);
		th->blind = false;
		return r;
	default:
		break;
	}
	th->blind = false;
	if ((r = leave_open(u, th, e)) < 0)
		return r;
	if (s->role == ROLE_SUBMIT)
		return on_submit(u, th, s, e);
	u->n->waits++;
	th->wait = *s;
	th->waiting = true;
	th->noexit = s->bits & SAMPLE_NO_EXIT;
	return 0;
}

/* A wait that is open when the recording stops was cut off, not left by an exception. */
static int cut_wait(struct use *u, struct use_thread *th, struct err *e)
{
	bool several;
	struct use_channel *c = wait_channel(u, th, &several, e);
	struct use_transfer *t = c && !several ? use_oldest(c) : NULL;

	th->waiting = false;
	if (!c && !several)
		return ERR_NOMEM;
	if (!t || th->noexit)
		return use_stray(u, STRAY_WAIT, &th->wait, "the recording stopped in it",
				 e);
	u->n->waits_used++;
	if (c->nalive == 1 && c->hyp[0].nopen == 1 && c->hyp[0].alive)
		t->t.wait_ns = th->wait.time_ns;
	return 0;
}

int use_call_finish(struct use *u, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < USE_THREADS && r >= 0; i++)
		for (struct use_thread *t = u->th[i]; t && r >= 0; t = t->next) {
			if (u->o.ended && t->pid == t->tid)
				r = leave_open(u, t, e);
			else if (t->waiting)
				r = cut_wait(u, t, e);
			if (t->start)
				t->start->opener = NULL;
			t->start = NULL;
		}
	return r;
}
