/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entries and exits of functions into calls, thread by thread. An entry without an exit
 * before the next entry on its thread was left by an exception. Which channel a wait
 * speaks of is said by its arguments, else by what is in flight, where that leaves no
 * choice.
 */
#include <stdlib.h>

#include "lib/err.h"
#include "lib/join/join_priv.h"

static struct thread *thread_get(struct join *j, int32_t tid)
{
	struct thread **p = &j->th[(uint32_t)tid % THREADS];

	for (struct thread *t = *p; t; t = t->next)
		if (t->tid == tid)
			return t;
	struct thread *t = calloc(1, sizeof(*t));
	if (t) {
		t->tid = tid;
		t->last_ns = DMA_UNKNOWN;
		t->next = *p;
		*p = t;
	}
	return t;
}

/* ---- which channel a wait is for ---- */

static bool may_be(const struct channel *c, const struct sample *w)
{
	return (w->card == DMA_UNKNOWN || w->card == c->card || c->card == DMA_UNKNOWN) &&
	       (w->channel == DMA_UNKNOWN || w->channel == c->channel);
}

/* The only channel that fits; *several when there is a choice. */
static struct channel *only_channel(struct join *j, const struct thread *th,
				    bool in_flight, bool own, bool *several)
{
	struct channel *found = NULL;

	for (size_t i = 0; i < j->nch; i++) {
		struct channel *c = j->ch[i];
		struct jtransfer *x = channel_waitable(c);
		if (!may_be(c, &th->wait) || (in_flight && !x) ||
		    (own && (!x || x->t.tid != th->tid)))
			continue;
		if (found) {
			*several = true;
			return NULL;
		}
		found = c;
	}
	return found;
}

static struct channel *wait_channel(struct join *j, const struct thread *th,
				    bool *several, struct err *e)
{
	const struct sample *w = &th->wait;
	struct channel *c;
	bool ignored;

	*several = false;
	if (w->card != DMA_UNKNOWN && w->channel != DMA_UNKNOWN)
		return join_channel(j, w->card, w->channel, e);
	if ((c = only_channel(j, th, true, false, several)))
		return c;
	if (*several && w->channel == DMA_UNKNOWN &&
	    (c = only_channel(j, th, true, true, &ignored))) {
		*several = false;
		return c;
	}
	if (*several)
		return NULL;
	if ((c = only_channel(j, th, false, false, &ignored)))
		return c;
	if (th->last && may_be(th->last, w))
		return th->last;
	return join_channel(j, w->card, w->channel, e);
}

static int undecidable_wait(struct join *j, const struct thread *th, struct err *e)
{
	for (size_t i = 0; i < j->nch; i++) {
		struct channel *c = j->ch[i];
		if (!may_be(c, &th->wait) || !channel_waitable(c))
			continue;
		int r = channel_doubt(j, c, "a wait did not say which channel it was for",
				      INT64_MAX, e);
		if (r < 0)
			return r;
	}
	return join_stray(j, STRAY_WAIT, &th->wait, "several channels that it may be for",
			  e);
}

/* ---- calls ---- */

static int wait_over(struct join *j, struct thread *th, struct ending *w, bool pending,
		     const char *none, struct err *e)
{
	bool several;
	struct channel *c = wait_channel(j, th, &several, e);

	if (several)
		return pending ? join_stray(j, STRAY_WAIT, &th->wait, "not ended yet", e)
			       : undecidable_wait(j, th, e);
	if (!c)
		return ERR_NOMEM;
	if (!channel_waitable(c))
		return join_stray(j, STRAY_WAIT, &th->wait, none, e);
	j->n.waits_used++;
	if (pending)
		return 0;
	w->before = c->tail;
	return channel_ending(j, c, w, e);
}

/* Was the half of a call that is not there lost? No, where all were counted and nothing
 * was lost since. */
static bool may_be_lost(const struct join *j, int64_t from_ns)
{
	return !j->o.whole || join_lossy(j, from_ns, j->released);
}

/* A half of a call of this thread was lost since from_ns; on which channel, only th->last
 * may tell. What it did to the channel's order is not known. */
static int call_lost(struct join *j, const struct thread *th, const struct sample *s,
		     int64_t from_ns, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < j->nch && r >= 0; i++)
		if (may_be(j->ch[i], s) || th->last == j->ch[i])
			r = channel_doubt(j, j->ch[i], LOST_CALL, from_ns, e);
	return r;
}

static int leave_start(struct join *j, struct thread *th, struct err *e)
{
	struct jtransfer *x = th->start;

	x->opener = NULL;
	th->start = NULL;
	if (x->ended || (x->t.doorbell_ns != DMA_UNKNOWN && !x->blocking))
		return 0;
	x->absence = true;
	if (!may_be_lost(j, x->t.submit_ns)) {
		x->dead = x->t.doorbell_ns == DMA_UNKNOWN;
		return channel_close(j, x, STATE_FAILED, "the start left by an exception",
				     j->released, e);
	}
	if (x->blocking)
		return channel_close(j, x, STATE_UNKNOWN, LOST_CALL, j->released, e);
	return channel_doubt(j, x->c, LOST_CALL, x->t.submit_ns, e);
}

/* A new call on this thread: a start or wait still open was left by an exception, or its
 * exit was lost. */
static int leave_open(struct join *j, struct thread *th, struct err *e)
{
	int r = 0;

	if (th->start)
		r = leave_start(j, th, e);
	if (r < 0 || !th->waiting)
		return r;
	th->waiting = false;
	if (th->noexit)
		return join_stray(j, STRAY_WAIT, &th->wait,
				  "its function has no exits armed", e);
	if (may_be_lost(j, th->wait.time_ns)) {
		r = call_lost(j, th, &th->wait, th->wait.time_ns, e);
		return r < 0 ? r : join_stray(j, STRAY_WAIT, &th->wait, LOST_CALL, e);
	}
	struct ending w = {.wait_ns = th->wait.time_ns,
			   .woken_ns = DMA_UNKNOWN,
			   .seq = DMA_UNKNOWN,
			   .failed = true,
			   .absence = true,
			   .reason = "the wait left by an exception"};
	return wait_over(j, th, &w, false, "no exit was seen", e);
}

int call_leave(struct join *j, int32_t tid, struct err *e)
{
	struct thread *th = thread_get(j, tid);

	return th ? leave_open(j, th, e) : join_nomem(e);
}

static int on_submit(struct join *j, struct thread *th, const struct sample *s,
		     struct err *e)
{
	struct channel *c = join_channel(j, s->card, s->channel, e);
	struct jtransfer *x = c ? transfer_new(j) : NULL;

	if (!x)
		return c ? join_nomem(e) : ERR_NOMEM;
	j->n.submits++;
	x->t = (struct transfer){.id = ++j->next_id,
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
	x->begin_ns = s->time_ns;
	x->end_ns = INT64_MAX;
	x->blocking = s->bits & SAMPLE_BLOCKING;
	if (!(s->bits & SAMPLE_NO_EXIT)) {
		x->opener = th;
		th->start = x;
	}
	th->last = c;
	int r = channel_submit(j, c, x, e);
	if (r < 0 || !(s->bits & SAMPLE_CIRCULAR))
		return r;
	x->dead = true;
	c->circular_from = s->time_ns;
	c->circular_to = INT64_MAX;
	return channel_close(j, x, STATE_CIRCULAR, "circular: runs until it is stopped",
			     s->time_ns, e);
}

static int on_doorbell(struct join *j, struct thread *th, const struct sample *s,
		       struct err *e)
{
	struct jtransfer *x = th->start;

	j->n.doorbells++;
	if (!x)
		return join_stray(j, STRAY_DOORBELL, s, "no open start", e);
	if (x->t.doorbell_ns == DMA_UNKNOWN || x->t.doorbell_is_exit) {
		x->t.doorbell_ns = s->time_ns;
		x->t.doorbell_is_exit = false;
		x->begin_ns = s->time_ns;
	}
	j->n.doorbells_used++;
	return 0;
}

static int start_over(struct join *j, struct thread *th, const struct sample *s,
		      struct err *e)
{
	struct jtransfer *x = th->start;

	th->start = NULL;
	x->opener = NULL;
	if (x->t.size_bytes ==
	    DMA_UNKNOWN) /* what was moved, by what the call returned */
		x->t.size_bytes = s->size_bytes;
	if (s->role == ROLE_STARTED && x->t.doorbell_ns == DMA_UNKNOWN) {
		x->t.doorbell_ns = s->time_ns;
		x->t.doorbell_is_exit = true;
	}
	if (x->ended)
		return group_flush(j, x->c, e);
	if (s->bits & SAMPLE_FAILED) {
		x->dead = !x->blocking;
		return channel_close(j, x, STATE_FAILED, "the start returned an error",
				     s->time_ns, e);
	}
	if (s->role != ROLE_WOKEN || (s->bits & SAMPLE_PENDING))
		return 0;
	struct ending w = {.wait_ns = DMA_UNKNOWN, .woken_ns = s->time_ns, .seq = s->seq};
	return channel_end(j, x, &w, e);
}

/* An exit without its entry. That of a thread's first call may be from before the
 * recording. */
static int orphan(struct join *j, struct thread *th, const struct sample *s,
		  const char *none, struct err *e)
{
	int r = 0;

	if (th->last_ns != DMA_UNKNOWN && may_be_lost(j, th->last_ns))
		r = call_lost(j, th, s, th->last_ns, e);
	return r < 0 ? r : join_stray(j, STRAY_EXIT, s, none, e);
}

static int on_woken(struct join *j, struct thread *th, const struct sample *s,
		    struct err *e)
{
	if (!th->waiting)
		return th->start ? start_over(j, th, s, e)
				 : orphan(j, th, s, "no open wait", e);
	struct ending w = {
		.wait_ns = th->wait.time_ns, .woken_ns = s->time_ns, .seq = s->seq};
	th->waiting = false;
	if (s->bits & SAMPLE_FAILED) {
		w.failed = true;
		w.reason = "the wait returned an error";
	}
	return wait_over(j, th, &w, s->bits & SAMPLE_PENDING, "no transfer in flight", e);
}

static int take(struct join *j, struct thread *th, const struct sample *s, struct err *e)
{
	int r;

	switch (s->role) {
	case ROLE_DOORBELL:
		return on_doorbell(j, th, s, e);
	case ROLE_STARTED:
		return th->start ? start_over(j, th, s, e)
				 : orphan(j, th, s, "no open start", e);
	case ROLE_WOKEN:
		return on_woken(j, th, s, e);
	default:
		break;
	}
	if ((r = leave_open(j, th, e)) < 0)
		return r;
	if (s->role == ROLE_SUBMIT)
		return on_submit(j, th, s, e);
	j->n.waits++;
	th->wait = *s;
	th->waiting = true;
	th->noexit = s->bits & SAMPLE_NO_EXIT;
	return 0;
}

int call_take(struct join *j, const struct sample *s, struct err *e)
{
	struct thread *th = thread_get(j, s->tid);
	int r;

	if (!th)
		return join_nomem(e);
	th->pid = s->pid;
	r = take(j, th, s, e);
	th->last_ns = j->released;
	return r;
}

/* A wait that is open when the recording stops was cut off, not left by an exception. */
static int cut_wait(struct join *j, struct thread *th, struct err *e)
{
	bool several;
	struct channel *c = wait_channel(j, th, &several, e);
	struct jtransfer *x = c && !several ? channel_waitable(c) : NULL;

	th->waiting = false;
	if (!c && !several)
		return ERR_NOMEM;
	if (!x || th->noexit)
		return join_stray(j, STRAY_WAIT, &th->wait, "the recording stopped in it",
				  e);
	j->n.waits_used++;
	if (c->nopen == 1)
		x->t.wait_ns = th->wait.time_ns;
	return 0;
}

int call_finish(struct join *j, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < THREADS && r >= 0; i++)
		for (struct thread *t = j->th[i]; t && r >= 0; t = t->next)
			if (j->o.ended && t->pid == j->o.ended && t->pid == t->tid)
				r = leave_open(j, t, e);
			else if (t->waiting)
				r = cut_wait(j, t, e);
	return r;
}
