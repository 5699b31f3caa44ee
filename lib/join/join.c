/* SPDX-License-Identifier: GPL-2.0-only */
/* The joiner's interface: samples in, in order as far as slack allows; totals out,
 * checked. */
#include "lib/join/join.h"

#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/join/join_priv.h"

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

static int64_t told_ns(const struct transfer *t)
{
	if (transfer_is_keyed(t))
		return t->ended_ns;
	return t->key == KEY_NO ? t->irq_ns : DMA_UNKNOWN;
}

int64_t transfer_phase_ns(const struct transfer *t, enum phase p)
{
	bool interrupt_unknown = t->state == STATE_UNKNOWN;

	if (t->state == STATE_FAILED || (interrupt_unknown && !t->end_certain))
		return DMA_UNKNOWN;
	if (interrupt_unknown && (p == PHASE_DEVICE || p == PHASE_NOTICE))
		return DMA_UNKNOWN;
	if (p == PHASE_API)
		return minus(t->doorbell_ns, t->submit_ns);
	if (t->state == STATE_ABORTED || t->state == STATE_IN_FLIGHT ||
	    t->state == STATE_CIRCULAR)
		return DMA_UNKNOWN;
	if (p == PHASE_DEVICE)
		return minus(told_ns(t), t->doorbell_ns);
	return p == PHASE_NOTICE ? minus(t->woken_ns, told_ns(t))
				 : minus(t->woken_ns, t->submit_ns);
}

int join_nomem(struct err *e)
{
	return err_nomem(e, "the joiner");
}

int join_new(struct join **out, const struct join_options *o,
	     const struct join_sink *sink, struct err *e)
{
	struct join *j = calloc(1, sizeof(*j));
	int r;

	*out = NULL;
	if (!j || !(j->vector = calloc(o->nvector + 1, sizeof(*j->vector)))) {
		free(j);
		return join_nomem(e);
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
	j->released = INT64_MIN;
	if ((r = order_new(&j->order, e)) < 0 || (r = groups_new(j, e)) < 0) {
		join_free(j);
		return r;
	}
	*out = j;
	return 0;
}

static void channel_free(struct channel *c)
{
	for (uint64_t i = c->base; i < c->tail; i++)
		free(c->ring[i & c->mask]);
	free(c->ring);
	free(c->held);
	free(c);
}

void join_free(struct join *j)
{
	if (!j)
		return;
	for (size_t i = 0; i < j->nch; i++)
		channel_free(j->ch[i]);
	for (size_t i = 0; i < THREADS; i++)
		while (j->th[i]) {
			struct thread *t = j->th[i];
			j->th[i] = t->next;
			free(t);
		}
	groups_free(j);
	while (j->free_transfer) {
		struct jtransfer *x = j->free_transfer;
		j->free_transfer = x->next_free;
		free(x);
	}
	order_free(j->order);
	free(j->ch);
	free(j->loss.at);
	free(j->lost.at);
	free(j->vector);
	free(j);
}

bool join_serves(const struct join_vector *v, const struct channel *c)
{
	return (v->card == DMA_UNKNOWN || c->card == DMA_UNKNOWN || v->card == c->card) &&
	       (v->channel == DMA_UNKNOWN || c->channel == DMA_UNKNOWN ||
		v->channel == c->channel);
}

struct channel *join_channel(struct join *j, int64_t card, int64_t channel, struct err *e)
{
	if (j->recent && j->recent->card == card && j->recent->channel == channel)
		return j->recent;
	for (size_t i = 0; i < j->nch; i++)
		if (j->ch[i]->card == card && j->ch[i]->channel == channel)
			return j->recent = j->ch[i];
	struct channel **a = reallocarray(j->ch, j->nch + 1, sizeof(*a));
	struct channel *c = calloc(1, sizeof(*c));
	if (a)
		j->ch = a;
	if (!a || !c || !(c->ring = calloc(16, sizeof(*c->ring)))) {
		free(c);
		join_nomem(e);
		return NULL;
	}
	c->mask = 15;
	c->card = card;
	c->channel = channel;
	c->last_ns = c->prev_woken = c->circular_from = c->circular_to = DMA_UNKNOWN;
	density_init(&c->total);
	c->until_ns = DMA_UNKNOWN;
	c->doubt_ns = c->unclear_ns = INT64_MIN;
	for (size_t i = 0; i < j->o.nbegun; i++)
		if (j->o.begun[i].card == card && j->o.begun[i].channel == channel) {
			c->doubt = j->o.from_start ? BEGUN_LOST : BEGUN;
			c->until_ns = j->o.begun[i].until_ns;
		}
	if (j->nextloss) {
		const struct loss_window *w = &j->loss.at[j->nextloss - 1];
		c->doubt =
			join_loss_word(j, w->from_ns, w->to_ns, LOST_BEFORE, LATE_BEFORE);
		c->last_ns = w->to_ns;
	}
	j->recent = j->ch[j->nch++] = c;
	return group_adopt(j, c, e) < 0 ? NULL : c;
}

int join_stray(struct join *j, enum stray_kind k, const struct sample *s, const char *why,
	       struct err *e)
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

static int on_stop(struct join *j, const struct sample *s, struct err *e)
{
	bool any = false;
	int r = call_leave(j, s->tid, e);

	for (size_t i = 0; i < j->nch && r >= 0; i++) {
		struct channel *c = j->ch[i];
		if ((s->card == DMA_UNKNOWN || s->card == c->card) &&
		    (s->channel == DMA_UNKNOWN || s->channel == c->channel))
			r = channel_stop(j, c, s->time_ns, &any, e);
	}
	if (r < 0 || any)
		return r;
	return join_stray(j, STRAY_STOP, s, "no transfer in flight", e);
}

/* A window of loss lies behind: no channel's order is certain any more. */
static int pass_losses(struct join *j, struct err *e)
{
	int r = 0;

	while (j->nextloss < j->loss.n && j->loss.at[j->nextloss].to_ns < j->released &&
	       r >= 0) {
		const struct loss_window *w = &j->loss.at[j->nextloss++];
		int64_t at = w->to_ns;
		const char *why =
			join_loss_word(j, w->from_ns, at, LOST_BEFORE, LATE_BEFORE);
		for (size_t i = 0; i < j->nch && r >= 0; i++)
			r = channel_doubt(j, j->ch[i], why, INT64_MAX, e);
		for (size_t i = 0; i < j->ngroup && r >= 0; i++)
			r = group_reset(j->group[i], at, e);
	}
	return r;
}

int join_take(struct join *j, const struct sample *s, struct err *e)
{
	int r;

	if (s->time_ns > j->released)
		j->released = s->time_ns;
	if (j->nextloss < j->loss.n && (r = pass_losses(j, e)) < 0)
		return r;
	switch (s->role) {
	case ROLE_INTERRUPT:
		return group_irq(j, s, e);
	case ROLE_STOP:
		return on_stop(j, s, e);
	case ROLE_OTHER:
	case ROLE_HANDLED:
		return 0;
	default:
		return s->role < ROLE_N ? call_take(j, s, e) : 0;
	}
}

static int drain(struct join *j, int64_t until, struct err *e)
{
	const struct sample *s;
	int r = 0;

	while (r >= 0 && (s = order_pop(j->order, until)))
		r = join_take(j, s, e);
	return r < 0 ? r : 0;
}

int join_push(struct join *j, const struct sample *s, struct err *e)
{
	int r;

	if (sample_is_foreign(s))
		return 0;
	if (s->time_ns < j->released) {
		j->n.disordered++;
		if ((r = join_loss_add(j, s->time_ns, j->released, false, e)) < 0)
			return r;
	}
	if ((r = order_push(j->order, s, e)) < 0)
		return r;
	/* Slack is measured from the newest; what is older goes out. */
	return s->time_ns < INT64_MIN + j->o.slack_ns
		       ? 0
		       : drain(j, s->time_ns - j->o.slack_ns, e);
}

int join_loss(struct join *j, int32_t cpu, int64_t from_ns, int64_t to_ns, struct err *e)
{
	(void)cpu; /* a thread or an interrupt may have been on it just then */
	return join_loss_add(j, from_ns == DMA_UNKNOWN ? INT64_MIN : from_ns,
			     to_ns == DMA_UNKNOWN ? INT64_MAX : to_ns, true, e);
}

static int unequal(const char *what, uint64_t all, uint64_t used, uint64_t stray,
		   struct err *e)
{
	return err_set(
		e, ERR_FORMAT,
		"joiner: conservation violated: %llu %s, %llu used and %llu stray; "
		"this is a defect of the program",
		(unsigned long long)all, what, (unsigned long long)used,
		(unsigned long long)stray);
}

static int conserve(const struct join_totals *n, struct err *e)
{
	if (n->submits != n->transfers)
		return unequal("submits", n->submits, n->transfers, 0, e);
	if (n->interrupts != n->interrupts_used + n->interrupts_stray)
		return unequal("interrupts", n->interrupts, n->interrupts_used,
			       n->interrupts_stray, e);
	if (n->waits != n->waits_used + n->waits_stray)
		return unequal("waits", n->waits, n->waits_used, n->waits_stray, e);
	if (n->doorbells != n->doorbells_used + n->doorbells_stray)
		return unequal("doorbells", n->doorbells, n->doorbells_used,
			       n->doorbells_stray, e);
	return 0;
}

int join_finish(struct join *j, struct join_totals *totals, struct err *e)
{
	int r = drain(j, INT64_MAX, e);

	j->finishing = true;
	if (r >= 0)
		r = call_finish(j, e);
	for (size_t i = 0; i < j->nch && r >= 0; i++)
		r = channel_finish(j, j->ch[i], e);
	for (size_t i = 0; i < j->ngroup && r >= 0; i++)
		r = group_finish(j, j->group[i], e);
	for (size_t i = 0; i < j->nch && r >= 0; i++)
		r = group_flush(j, j->ch[i], e);
	if (totals)
		*totals = j->n;
	return r < 0 ? r : conserve(&j->n, e);
}
