/* SPDX-License-Identifier: GPL-2.0-only */
/* The front end's interface: samples in, in order as far as slack allows. */
#include "tests/gate/align/use.h"

#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "tests/gate/align/use_priv.h"

int use_new(struct use **out, const struct use_options *o, const struct use_sink *s,
	    struct join_totals *n, struct err *e)
{
	struct use *u = calloc(1, sizeof(*u));

	*out = NULL;
	if (!u)
		return use_nomem(e);
	u->o = *o;
	u->sink = *s;
	u->n = n;
	u->released = INT64_MIN;
	if (!u->o.slack_ns)
		u->o.slack_ns = 1000000;
	if (use_order_new(&u->order, e) < 0) {
		free(u);
		return ERR_NOMEM;
	}
	*out = u;
	return 0;
}

void use_free(struct use *u)
{
	if (!u)
		return;
	for (size_t i = 0; i < u->nch; i++)
		channel_release(u, u->ch[i]);
	for (size_t i = 0; i < USE_THREADS; i++)
		while (u->th[i]) {
			struct use_thread *t = u->th[i];
			u->th[i] = t->next;
			free(t);
		}
	while (u->free_transfer) {
		struct use_transfer *t = u->free_transfer;
		u->free_transfer = t->next_free;
		free(t);
	}
	use_order_free(u->order);
	free(u->ch);
	free(u->loss.at);
	free(u->begun);
	free(u);
}

void use_begun(struct use *u, int64_t card, int64_t channel)
{
	void *p = reallocarray(u->begun, u->nbegun + 1, sizeof(*u->begun));

	if (!p)
		return;
	u->begun = p;
	u->begun[u->nbegun].card = card;
	u->begun[u->nbegun++].channel = channel;
}

size_t use_channels(const struct use *u)
{
	return u->nch;
}

struct use_channel *use_channel_at(const struct use *u, size_t i)
{
	return u->ch[i];
}

int64_t use_now(const struct use *u)
{
	return u->released;
}

static int on_stop(struct use *u, const struct sample *s, struct err *e)
{
	static const struct ending stop = {.kind = END_ABORTED,
					   .state = STATE_ABORTED,
					   .wait_ns = DMA_UNKNOWN,
					   .woken_ns = DMA_UNKNOWN,
					   .seq = DMA_UNKNOWN,
					   .reason = "stopped before it ended"};
	bool any = false;
	int r = 0;

	for (size_t i = 0; i < u->nch && r >= 0; i++) {
		struct use_channel *c = u->ch[i];
		if ((s->card != DMA_UNKNOWN && s->card != c->card) ||
		    (s->channel != DMA_UNKNOWN && s->channel != c->channel))
			continue;
		if (c->circular_to == INT64_MAX) {
			c->circular_to = s->time_ns;
			any = true;
		}
		r = channel_halt(u, c, &stop, &any, e);
	}
	return r < 0 || any ? r : use_stray(u, STRAY_STOP, s, "no transfer in flight", e);
}

/* A window of loss lies behind: what is open, and what threads are in, is not known. */
static int pass_losses(struct use *u, struct err *e)
{
	int r = 0;
	bool any = false;

	for (; u->nextloss < u->loss.n && u->loss.at[u->nextloss].to_ns < u->released;
	     u->nextloss++)
		any = true;
	if (!any)
		return 0;
	for (size_t i = 0; i < USE_THREADS; i++)
		for (struct use_thread *t = u->th[i]; t; t = t->next) {
			if (t->start)
				t->start->opener = NULL;
			t->start = NULL;
			if (t->waiting)
				r = use_stray(u, STRAY_WAIT, &t->wait,
					      "samples were lost in it", NULL);
			t->waiting = false;
			t->blind = true;
		}
	for (size_t i = 0; i < u->nch && r >= 0; i++)
		r = channel_epoch(u, u->ch[i], e);
	return r;
}

static int take(struct use *u, const struct sample *s, struct err *e)
{
	int r;

	if (s->time_ns > u->released)
		u->released = s->time_ns;
	if (u->nextloss < u->loss.n && (r = pass_losses(u, e)) < 0)
		return r;
	switch (s->role) {
	case ROLE_INTERRUPT:
		return u->sink.irq(u->sink.arg, s, e);
	case ROLE_STOP:
		return on_stop(u, s, e);
	case ROLE_OTHER:
	case ROLE_HANDLED:
		return 0;
	default:
		return s->role < ROLE_N ? use_call(u, s, e) : 0;
	}
}

static int drain(struct use *u, int64_t until, struct err *e)
{
	const struct sample *s;
	int r = 0;

	while (r >= 0 && (s = use_order_pop(u->order, until)))
		r = take(u, s, e);
	return r < 0 ? r : 0;
}

void use_tell(struct use *u, const struct use_told *told, size_t n)
{
	u->told = told;
	u->ntold = n;
}

int use_push(struct use *u, const struct sample *s, struct err *e)
{
	int r;

	if (s->time_ns < u->released) {
		u->n->disordered++;
		if ((r = use_loss_add(u, s->time_ns, u->released, e)) < 0)
			return r;
	}
	if ((r = use_order_push(u->order, s, e)) < 0)
		return r;
	/* Slack is measured from the newest; what is older goes out. */
	return s->time_ns < INT64_MIN + u->o.slack_ns
		       ? 0
		       : drain(u, s->time_ns - u->o.slack_ns, e);
}

int use_loss(struct use *u, int64_t from_ns, int64_t to_ns, struct err *e)
{
	return use_loss_add(u, from_ns == DMA_UNKNOWN ? INT64_MIN : from_ns,
			    to_ns == DMA_UNKNOWN ? INT64_MAX : to_ns, e);
}

int use_drain(struct use *u, struct err *e)
{
	return drain(u, INT64_MAX, e);
}

int use_finish(struct use *u, struct err *e)
{
	static const struct ending stopped = {.kind = END_IN_FLIGHT,
					      .state = STATE_IN_FLIGHT,
					      .wait_ns = DMA_UNKNOWN,
					      .woken_ns = DMA_UNKNOWN,
					      .seq = DMA_UNKNOWN};
	int r = use_call_finish(u, e);

	u->finishing = true;
	for (size_t i = 0; i < u->nch && r >= 0; i++) {
		struct use_channel *c = u->ch[i];
		bool any = false;
		r = channel_halt(u, c, &stopped, &any, e);
		for (uint64_t k = c->base; k < c->tail && r >= 0; k++)
			if (use_at(c, k)->nopen)
				r = channel_close_one(u, use_at(c, k), &stopped, e);
	}
	return r;
}

bool use_lossy(const struct use *u, int64_t from, int64_t to)
{
	return loss_windows_touch(&u->loss, from, to);
}
