/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The joiner: samples into order, calls per thread, windows per channel. Rules where the
 * evidence allows two readings: a wait ends the oldest transfer of its channel; with two
 * in flight on a channel that has never shown a queue (two waits in a row, or three in
 * flight) a single wait before the next start leaves both unknown, since a restart and a
 * queue look alike. An interrupt of a vector that serves several channels with transfers
 * in flight makes those unknown.
 */
#include "join.h"

#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "join_priv.h"

#define WINDOW 64

struct channel {
	int64_t card, channel;
	struct jwindow w;
	bool deep, expects;
	uint64_t waits;
	struct {
		bool set;
		int64_t wait_ns, woken_ns, seq;
	} held;
};

struct thread {
	int32_t tid;
	struct jtransfer *start; /* open start call */
	bool waiting, noexit;
	struct sample wait;
	struct channel *last;
	struct thread *next;
};

struct loss {
	int32_t cpu;
	int64_t from, to;
};

struct join {
	struct join_options o;
	struct join_vector *vector;
	struct join_sink sink;
	struct join_totals n;
	struct channel **ch;
	size_t nch;
	struct thread *th[1024];
	struct sample *heap;
	size_t nheap, aheap;
	struct loss *loss;
	size_t nloss;
	int64_t newest, released, next_id;
	size_t in_flight;
};

static const char *const stray_names[STRAY_N] = {"interrupt", "wait", "doorbell", "exit",
						 "stop"};

const char *stray_kind_name(enum stray_kind k)
{
	return (unsigned)k < STRAY_N ? stray_names[k] : "?";
}

static int64_t minus(int64_t a, int64_t b)
{
	return a == DMA_UNKNOWN || b == DMA_UNKNOWN ? DMA_UNKNOWN : a - b;
}

int64_t transfer_phase_ns(const struct transfer *t, enum phase p)
{
	if (t->state == STATE_UNKNOWN || t->state == STATE_FAILED)
		return DMA_UNKNOWN;
	if (p == PHASE_API)
		return minus(t->doorbell_ns, t->submit_ns);
	if (t->state == STATE_ABORTED || t->state == STATE_IN_FLIGHT ||
	    t->state == STATE_CIRCULAR)
		return DMA_UNKNOWN;
	if (p == PHASE_DEVICE)
		return minus(t->irq_ns, t->doorbell_ns);
	return p == PHASE_NOTICE ? minus(t->woken_ns, t->irq_ns)
				 : minus(t->woken_ns, t->submit_ns);
}

int join_new(struct join **out, const struct join_options *o,
	     const struct join_sink *sink, struct err *e)
{
	struct join *j = calloc(1, sizeof(*j));

	*out = NULL;
	if (!j || !(j->vector = calloc(o->nvector + 1, sizeof(*j->vector)))) {
		free(j);
		return err_set(e, ERR_NOMEM, "joiner: no memory");
	}
	j->o = *o;
	if (o->nvector)
		memcpy(j->vector, o->vector, o->nvector * sizeof(*o->vector));
	j->sink = *sink;
	if (!j->o.slack_ns)
		j->o.slack_ns = 1000000;
	if (!j->o.max_in_flight)
		j->o.max_in_flight = 65536;
	j->n.pairing = o->pairing;
	j->newest = j->released = INT64_MIN;
	*out = j;
	return 0;
}

void join_free(struct join *j)
{
	if (!j)
		return;
	for (size_t i = 0; i < j->nch; i++) {
		for (size_t k = 0; k < j->ch[i]->w.ntr; k++)
			free(j->ch[i]->w.tr[k]);
		free(j->ch[i]->w.tr);
		free(j->ch[i]->w.irq);
		free(j->ch[i]);
	}
	for (size_t i = 0; i < 1024; i++)
		while (j->th[i]) {
			struct thread *t = j->th[i];
			j->th[i] = t->next;
			free(t);
		}
	free(j->ch);
	free(j->heap);
	free(j->loss);
	free(j->vector);
	free(j);
}

static bool serves(const struct join *j, int32_t irq, const struct channel *c)
{
	for (size_t i = 0; i < j->o.nvector; i++) {
		const struct join_vector *v = &j->vector[i];
		if ((irq < 0 || v->irq == irq) &&
		    (v->card == DMA_UNKNOWN || v->card == c->card) &&
		    (v->channel == DMA_UNKNOWN || v->channel == c->channel))
			return true;
	}
	return false;
}

static struct channel *channel_get(struct join *j, int64_t card, int64_t channel)
{
	for (size_t i = 0; i < j->nch; i++)
		if (j->ch[i]->card == card && j->ch[i]->channel == channel)
			return j->ch[i];
	struct channel **a = realloc(j->ch, (j->nch + 1) * sizeof(*a));
	if (!a)
		return NULL;
	j->ch = a;
	struct channel *c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->card = card;
	c->channel = channel;
	c->expects = serves(j, -1, c);
	return j->ch[j->nch++] = c;
}

static struct thread *thread_get(struct join *j, int32_t tid)
{
	struct thread **p = &j->th[(uint32_t)tid % 1024];

	for (struct thread *t = *p; t; t = t->next)
		if (t->tid == tid)
			return t;
	struct thread *t = calloc(1, sizeof(*t));
	if (t) {
		t->tid = tid;
		t->next = *p;
		*p = t;
	}
	return t;
}

static int stray(struct join *j, enum stray_kind k, const struct sample *s,
		 const char *why, struct err *e)
{
	struct stray x = {k,	  s->time_ns, s->seq, s->card, s->channel,
			  s->irq, s->cpu,     s->tid, why};

	if (k == STRAY_INTERRUPT)
		j->n.interrupts_stray++;
	else if (k == STRAY_WAIT)
		j->n.waits_stray++;
	else if (k == STRAY_DOORBELL)
		j->n.doorbells_stray++;
	return j->sink.stray ? j->sink.stray(j->sink.arg, &x, e) : 0;
}

static bool lossy(const struct join *j, int64_t from, int64_t to)
{
	for (size_t i = 0; i < j->nloss; i++)
		if ((j->loss[i].to == DMA_UNKNOWN || j->loss[i].to >= from) &&
		    (j->loss[i].from == DMA_UNKNOWN || j->loss[i].from <= to))
			return true;
	return false;
}

static void count_negative(struct join *j, const struct transfer *t)
{
	for (int p = 0; p < PHASE_N; p++) {
		int64_t v = transfer_phase_ns(t, p);
		if (v != DMA_UNKNOWN && v < 0)
			j->n.negative++;
	}
}

static void forget(const struct jtransfer *x)
{
	struct thread *t = x->opener;

	if (t && t->start == x)
		t->start = NULL;
}

/* The first n transfers and m interrupts of the window are decided and leave it. */
static int close_window(struct join *j, struct channel *c, size_t n, size_t m, bool last,
			struct err *e)
{
	struct jwindow *w = &c->w;
	uint32_t *used = calloc(m + 1, sizeof(*used));
	int r = 0;

	if (!used || (c->expects && join_assign(w, n, m, j->o.pairing, last, used) < 0)) {
		free(used);
		return err_set(e, ERR_NOMEM, "joiner: no memory for a window of %zu", n);
	}
	int64_t end = n < w->ntr ? w->tr[n]->t.submit_ns : j->released;
	bool lost = n && j->nloss && lossy(j, w->tr[0]->t.submit_ns, end);
	for (size_t i = 0; i < n && !r; i++) {
		struct jtransfer *x = w->tr[i];
		struct transfer *t = &x->t;
		if (!c->expects && !x->decided) {
			t->state = x->ended ? STATE_POLLED
				   : last   ? STATE_IN_FLIGHT
					    : STATE_UNKNOWN;
			if (!x->ended && !last)
				t->reason = "no wait shows its end";
		}
		if (t->state != STATE_FAILED && t->state != STATE_CIRCULAR &&
		    (lost || x->decided == false) && lost) {
			t->state = STATE_UNKNOWN;
			t->reason = "samples were lost while it was in flight";
		}
		if (!last)
			forget(x);
		j->n.transfers++;
		j->n.by_state[t->state]++;
		count_negative(j, t);
		j->in_flight--;
		r = j->sink.transfer ? j->sink.transfer(j->sink.arg, t, e) : 0;
	}
	for (size_t k = 0; k < m && !r; k++) {
		struct sample s = {.time_ns = w->irq[k].time_ns,
				   .seq = w->irq[k].seq,
				   .irq = w->irq[k].irq,
				   .cpu = w->irq[k].cpu,
				   .tid = -1,
				   .card = c->card,
				   .channel = c->channel};
		if (used[k])
			j->n.interrupts_used++;
		else
			r = stray(j, STRAY_INTERRUPT, &s, "surplus or ambiguous", e);
	}
	free(used);
	for (size_t i = 0; i < n; i++)
		free(w->tr[i]);
	if (n)
		memmove(w->tr, w->tr + n, (w->ntr - n) * sizeof(*w->tr));
	if (m)
		memmove(w->irq, w->irq + m, (w->nirq - m) * sizeof(*w->irq));
	w->ntr -= n;
	w->nirq -= m;
	return r;
}

/* Everything ended, and each transfer has one interrupt between its start and the next's.
 */
static bool clean(const struct channel *c)
{
	const struct jwindow *w = &c->w;

	if (c->held.set || (c->expects && w->nirq != w->ntr))
		return false;
	for (size_t i = 0; i < w->ntr; i++) {
		if (!w->tr[i]->ended)
			return false;
		if (c->expects &&
		    (w->irq[i].time_ns < w->tr[i]->t.submit_ns ||
		     (i + 1 < w->ntr && w->irq[i].time_ns >= w->tr[i + 1]->t.submit_ns)))
			return false;
	}
	return true;
}

static size_t unended(const struct channel *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->w.ntr; i++)
		n += !c->w.tr[i]->ended;
	return n;
}

static struct jtransfer *oldest(const struct channel *c)
{
	for (size_t i = 0; i < c->w.ntr; i++)
		if (!c->w.tr[i]->ended)
			return c->w.tr[i];
	return NULL;
}

static void decide(struct jtransfer *x, enum transfer_state s, const char *why)
{
	x->decided = x->ended = true;
	x->t.state = s;
	x->t.reason = why;
}

static void wake(struct jtransfer *x, int64_t wait_ns, int64_t woken_ns, int64_t seq)
{
	x->ended = true;
	x->t.wait_ns = wait_ns;
	x->t.woken_ns = woken_ns;
	x->t.woken_seq = seq;
}

/* One wait for two starts, and then another start or the end. */
static void resolve_held(struct channel *c)
{
	for (int i = 0; i < 2 && c->held.set; i++) {
		struct jtransfer *x = oldest(c);
		if (x)
			decide(x, STATE_UNKNOWN,
			       "one wait for two starts: a restart or a queue");
	}
	c->held.set = false;
}

/* Has transfer i exactly one interrupt before the next start? A window is cut behind such
 * ones. */
static bool single(const struct jwindow *w, size_t i)
{
	size_t n = 0;

	for (size_t k = 0; k < w->nirq; k++)
		n += w->irq[k].time_ns >= w->tr[i]->t.submit_ns &&
		     (i + 1 == w->ntr || w->irq[k].time_ns < w->tr[i + 1]->t.submit_ns);
	return n == 1;
}

static int trim(struct join *j, struct channel *c, struct err *e)
{
	size_t n = c->w.ntr / 2, m = 0;

	if (n > 2 * WINDOW)
		n = 2 * WINDOW;

	if (clean(c))
		return close_window(j, c, c->w.ntr, c->w.nirq, false, e);
	if (c->w.ntr < WINDOW && c->w.nirq < 4 * WINDOW)
		return 0;
	while (n > 0 && !c->w.tr[n - 1]->ended && c->waits &&
	       c->w.ntr < j->o.max_in_flight)
		n--;
	if (!n && c->w.ntr)
		return 0;
	for (size_t k = n; c->expects && k > 2; k--)
		if (single(&c->w, k - 1) && single(&c->w, k - 2)) {
			n = k;
			break;
		}
	while (m < c->w.nirq &&
	       (n == c->w.ntr || c->w.irq[m].time_ns < c->w.tr[n]->t.submit_ns))
		m++;
	return close_window(j, c, n, m, false, e);
}

static int on_submit(struct join *j, struct thread *th, const struct sample *s,
		     struct err *e)
{
	struct channel *c = channel_get(j, s->card, s->channel);
	struct jtransfer *x = calloc(1, sizeof(*x));
	int r;

	j->n.submits++;
	if (!c || !x) {
		free(x);
		return err_set(e, ERR_NOMEM, "joiner: no memory");
	}
	resolve_held(c);
	if ((r = trim(j, c, e)) < 0) {
		free(x);
		return r;
	}
	if (c->w.ntr == c->w.atr) {
		size_t a = c->w.atr ? 2 * c->w.atr : 16;
		struct jtransfer **p = realloc(c->w.tr, a * sizeof(*p));
		if (!p) {
			free(x);
			return err_set(e, ERR_NOMEM, "joiner: no memory");
		}
		c->w.tr = p;
		c->w.atr = a;
	}
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
	if (s->bits & SAMPLE_CIRCULAR)
		decide(x, STATE_CIRCULAR, "circular");
	c->w.tr[c->w.ntr++] = x;
	if (unended(c) > 2)
		c->deep = true;
	if (++j->in_flight > j->n.peak_in_flight)
		j->n.peak_in_flight = j->in_flight;
	x->opener = th;
	th->start = s->bits & SAMPLE_NO_EXIT ? NULL : x;
	th->last = c;
	return 0;
}

/* A new call on this thread: a start or wait still open left by an exception. */
static int leave_open(struct join *j, struct thread *th, struct err *e)
{
	struct jtransfer *x = th->start;

	if (x && x->t.doorbell_ns == DMA_UNKNOWN && !x->ended)
		decide(x, STATE_FAILED, "the start left by an exception");
	th->start = NULL;
	if (!th->waiting)
		return 0;
	th->waiting = false;
	struct channel *c = th->wait.channel == DMA_UNKNOWN && th->last
				    ? th->last
				    : channel_get(j, th->wait.card, th->wait.channel);
	x = c && !th->noexit ? oldest(c) : NULL;
	if (!x)
		return stray(j, STRAY_WAIT, &th->wait, "no exit was seen", e);
	decide(x, STATE_FAILED, "the wait left by an exception");
	x->t.wait_ns = th->wait.time_ns;
	j->n.waits_used++;
	return 0;
}

static int on_started(struct join *j, struct thread *th, const struct sample *s,
		      struct err *e)
{
	struct jtransfer *x = th->start;

	if (s->role == ROLE_DOORBELL)
		j->n.doorbells++;
	if (!x)
		return stray(j, s->role == ROLE_DOORBELL ? STRAY_DOORBELL : STRAY_EXIT, s,
			     "no open start", e);
	if (s->role == ROLE_DOORBELL) {
		x->t.doorbell_ns = s->time_ns;
		j->n.doorbells_used++;
		return 0;
	}
	if (x->t.doorbell_ns == DMA_UNKNOWN) {
		x->t.doorbell_ns = s->time_ns;
		x->t.doorbell_is_exit = true;
	}
	if (s->bits & SAMPLE_FAILED)
		decide(x, STATE_FAILED, "the start returned an error");
	th->start = NULL;
	return 0;
}

static int on_woken(struct join *j, struct thread *th, const struct sample *s,
		    struct err *e)
{
	struct jtransfer *x = th->start;

	if (!th->waiting && x) {
		th->start = NULL;
		if (s->bits & SAMPLE_FAILED)
			decide(x, STATE_FAILED, "the start returned an error");
		else if (!(s->bits & SAMPLE_PENDING))
			wake(x, DMA_UNKNOWN, s->time_ns, s->seq);
		return 0;
	}
	if (!th->waiting)
		return stray(j, STRAY_EXIT, s, "no open wait", e);
	struct sample w = th->wait;
	struct channel *c = w.channel == DMA_UNKNOWN && th->last
				    ? th->last
				    : channel_get(j, w.card, w.channel);
	th->waiting = false;
	if (!c)
		return err_set(e, ERR_NOMEM, "joiner: no memory");
	x = oldest(c);
	if (s->bits & SAMPLE_PENDING)
		return stray(j, STRAY_WAIT, &w, "not ended yet", e);
	if (!x)
		return stray(j, STRAY_WAIT, &w, "no transfer in flight", e);
	j->n.waits_used++;
	c->waits++;
	if (s->bits & SAMPLE_FAILED) {
		decide(x, STATE_FAILED, "the wait returned an error");
	} else if (c->held.set) {
		wake(x, c->held.wait_ns, c->held.woken_ns, c->held.seq);
		c->held.set = false;
		c->deep = true;
		if ((x = oldest(c)))
			wake(x, w.time_ns, s->time_ns, s->seq);
	} else if (!c->deep && unended(c) == 2) {
		c->held.set = true;
		c->held.wait_ns = w.time_ns;
		c->held.woken_ns = s->time_ns;
		c->held.seq = s->seq;
	} else {
		wake(x, w.time_ns, s->time_ns, s->seq);
	}
	return 0;
}

static int on_interrupt(struct join *j, const struct sample *s, struct err *e)
{
	struct channel *to = NULL, *recent = NULL;
	size_t busy = 0, known = 0;

	for (size_t i = 0; i < j->o.nvector; i++)
		known += j->vector[i].irq == s->irq;
	if (!known) {
		j->n.interrupts_ignored++;
		return 0;
	}
	j->n.interrupts++;
	for (size_t i = 0; i < j->nch; i++) {
		struct channel *c = j->ch[i];
		if (!serves(j, s->irq, c) || !c->w.ntr)
			continue;
		recent = c;
		if (c->w.ntr > c->w.nirq || oldest(c))
			busy++, to = c;
	}
	if (busy > 1) {
		for (size_t i = 0; i < j->nch; i++)
			for (size_t k = 0;
			     serves(j, s->irq, j->ch[i]) && k < j->ch[i]->w.ntr; k++)
				if (!j->ch[i]->w.tr[k]->decided) {
					struct jtransfer *x = j->ch[i]->w.tr[k];
					x->decided = true;
					x->t.state = STATE_UNKNOWN;
					x->t.reason = "its vector serves several "
						      "channels in flight";
				}
		return stray(j, STRAY_INTERRUPT, s,
			     "several channels in flight on this vector", e);
	}
	to = to ? to : recent;
	if (!to)
		return stray(j, STRAY_INTERRUPT, s, "no transfer in flight", e);
	if (to->w.nirq >= 4 * WINDOW)
		return stray(j, STRAY_INTERRUPT, s, "far more interrupts than transfers",
			     e);
	if (to->w.nirq == to->w.airq) {
		size_t a = to->w.airq ? 2 * to->w.airq : 16;
		struct jirq *p = realloc(to->w.irq, a * sizeof(*p));
		if (!p)
			return err_set(e, ERR_NOMEM, "joiner: no memory");
		to->w.irq = p;
		to->w.airq = a;
	}
	to->w.irq[to->w.nirq++] = (struct jirq){s->time_ns, s->seq, s->irq, s->cpu};
	return 0;
}

static int on_stop(struct join *j, const struct sample *s, struct err *e)
{
	struct channel *c = channel_get(j, s->card, s->channel);
	struct jtransfer *x;
	bool any = false;

	if (!c)
		return err_set(e, ERR_NOMEM, "joiner: no memory");
	resolve_held(c);
	while ((x = oldest(c))) {
		decide(x, STATE_ABORTED, "the channel was stopped");
		any = true;
	}
	return any ? 0 : stray(j, STRAY_STOP, s, "no transfer in flight", e);
}

static int take(struct join *j, const struct sample *s, struct err *e)
{
	struct thread *th = NULL;
	int r;

	j->released = s->time_ns;
	if (s->role == ROLE_INTERRUPT)
		return on_interrupt(j, s, e);
	if (s->role == ROLE_STOP)
		return on_stop(j, s, e);
	if (s->role == ROLE_OTHER || s->role == ROLE_HANDLED)
		return 0;
	if (!(th = thread_get(j, s->tid)))
		return err_set(e, ERR_NOMEM, "joiner: no memory");
	if ((s->role == ROLE_SUBMIT || s->role == ROLE_WAIT) &&
	    (r = leave_open(j, th, e)) < 0)
		return r;
	if (s->role == ROLE_SUBMIT)
		return on_submit(j, th, s, e);
	if (s->role == ROLE_WOKEN)
		return on_woken(j, th, s, e);
	if (s->role != ROLE_WAIT)
		return on_started(j, th, s, e);
	j->n.waits++;
	th->wait = *s;
	th->waiting = true;
	th->noexit = s->bits & SAMPLE_NO_EXIT;
	return 0;
}

static bool before(const struct sample *a, const struct sample *b)
{
	return a->time_ns != b->time_ns ? a->time_ns < b->time_ns : a->seq < b->seq;
}

static void sift_down(struct join *j)
{
	struct sample x = j->heap[j->nheap];
	size_t i = 0, k;

	for (; (k = 2 * i + 1) < j->nheap; i = k) {
		if (k + 1 < j->nheap && before(&j->heap[k + 1], &j->heap[k]))
			k++;
		if (!before(&j->heap[k], &x))
			break;
		j->heap[i] = j->heap[k];
	}
	j->heap[i] = x;
}

static int drain(struct join *j, int64_t until, struct err *e)
{
	while (j->nheap && j->heap[0].time_ns <= until) {
		struct sample s = j->heap[0];
		j->nheap--;
		if (j->nheap)
			sift_down(j);
		int r = take(j, &s, e);
		if (r < 0)
			return r;
	}
	return 0;
}

int join_push(struct join *j, const struct sample *s, struct err *e)
{
	if (s->time_ns < j->released) {
		j->n.disordered++;
		join_loss(j, -1, s->time_ns, j->released, e);
	}
	if (j->nheap == j->aheap) {
		size_t a = j->aheap ? 2 * j->aheap : 256;
		struct sample *p = realloc(j->heap, a * sizeof(*p));
		if (!p)
			return err_set(e, ERR_NOMEM, "joiner: no memory");
		j->heap = p;
		j->aheap = a;
	}
	size_t i = j->nheap++;
	for (; i && before(s, &j->heap[(i - 1) / 2]); i = (i - 1) / 2)
		j->heap[i] = j->heap[(i - 1) / 2];
	j->heap[i] = *s;
	if (s->time_ns > j->newest)
		j->newest = s->time_ns;
	return drain(j, j->newest - j->o.slack_ns, e);
}

int join_loss(struct join *j, int32_t cpu, int64_t from_ns, int64_t to_ns, struct err *e)
{
	struct loss *p = realloc(j->loss, (j->nloss + 1) * sizeof(*p));

	if (!p)
		return err_set(e, ERR_NOMEM, "joiner: no memory");
	j->loss = p;
	p[j->nloss++] = (struct loss){cpu, from_ns, to_ns};
	return 0;
}

int join_finish(struct join *j, struct join_totals *totals, struct err *e)
{
	struct join_totals *n = &j->n;
	int r = drain(j, INT64_MAX, e);

	for (size_t i = 0; i < 1024 && r >= 0; i++)
		for (struct thread *t = j->th[i]; t && r >= 0; t = t->next)
			if (t->waiting) { /* cut off by the end, not an exception */
				t->waiting = false;
				r = stray(j, STRAY_WAIT, &t->wait,
					  "the recording stopped in it", e);
			}
	for (size_t i = 0; i < j->nch && r >= 0; i++) {
		struct channel *c = j->ch[i];
		resolve_held(c);
		while (r >= 0 && c->w.ntr > 2 * WINDOW) {
			size_t m = 0;
			while (m < c->w.nirq &&
			       c->w.irq[m].time_ns < c->w.tr[WINDOW]->t.submit_ns)
				m++;
			r = close_window(j, c, WINDOW, m, false, e);
		}
		if (r >= 0)
			r = close_window(j, c, c->w.ntr, c->w.nirq, true, e);
	}
	if (totals)
		*totals = *n;
	if (r < 0)
		return r;
	if (n->submits != n->transfers ||
	    n->interrupts != n->interrupts_used + n->interrupts_stray ||
	    n->waits != n->waits_used + n->waits_stray)
		return err_set(
			e, ERR_FORMAT,
			"joiner: conservation violated: %llu submits, %llu transfers; "
			"%llu interrupts, %llu used, %llu stray; %llu waits, %llu used, "
			"%llu stray",
			(unsigned long long)n->submits, (unsigned long long)n->transfers,
			(unsigned long long)n->interrupts,
			(unsigned long long)n->interrupts_used,
			(unsigned long long)n->interrupts_stray,
			(unsigned long long)n->waits, (unsigned long long)n->waits_used,
			(unsigned long long)n->waits_stray);
	return 0;
}
