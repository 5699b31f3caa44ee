/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/live/trigger.h"

/* An interrupt may come later than the program saw the end: before so long it is not yet
 * missing (that of a shared, masked or threaded line is late by milliseconds). */
#define SETTLED_NS INT64_C(200000000)

void trigger_init(struct trigger *t, const struct rule *rules, size_t n)
{
	*t = (struct trigger){.rules = rules, .n = n, .at_ns = DMA_UNKNOWN};
}

static bool is_done(const struct trigger *t, const struct transfer *x)
{
	for (size_t i = 0; i < t->ndone && i < TRIGGER_DONE; i++)
		if (t->done[i] == x->submit_seq)
			return true;
	return false;
}

bool trigger_is_settled(const struct trigger *t, int64_t now_ns)
{
	return t->fired && (t->at_ns == DMA_UNKNOWN || now_ns - t->at_ns > SETTLED_NS);
}

void trigger_again(struct trigger *t)
{
	if (t->fired && t->has_transfer)
		t->done[t->ndone++ % TRIGGER_DONE] = t->transfer.submit_seq;
	t->fired = t->has_transfer = false;
}

static void fire(struct trigger *t, const struct rule *r, const struct transfer *x,
		 int64_t at_ns)
{
	if (t->fired || (x && is_done(t, x)))
		return;
	t->fired = true;
	t->rule = r;
	t->at_ns = at_ns;
	t->has_transfer = x != NULL;
	if (x)
		t->transfer = *x;
}

static int64_t end_of(const struct transfer *x)
{
	return x->woken_ns > x->irq_ns ? x->woken_ns : x->irq_ns;
}

void trigger_transfer(struct trigger *t, const struct transfer *x, const struct row *row)
{
	for (size_t i = 0; i < t->n && !t->fired; i++)
		if (rule_holds(&t->rules[i], x, row))
			fire(t, &t->rules[i], x, end_of(x));
}

/* ---- what is not decided ---- */

void trigger_preview_begin(struct trigger *t)
{
	t->ncount = 0;
}

/* How many of its row are in flight, this one included. */
static uint64_t count(struct trigger *t, const struct transfer *x)
{
	for (size_t i = 0; i < t->ncount; i++)
		if (t->count[i].card == x->card && t->count[i].channel == x->channel &&
		    t->count[i].direction == x->direction)
			return ++t->count[i].n;
	if (t->ncount == TRIGGER_ROWS)
		return 0;
	t->count[t->ncount++] =
		(struct trigger_count){x->card, x->channel, x->direction, 1};
	return 1;
}

/* It has not ended: when was it over the time? DMA_UNKNOWN = it is not, or may not be. */
static int64_t overdue_ns(const struct rule *r, const struct transfer *x, int64_t now_ns)
{
	int64_t from = r->phase == PHASE_TOTAL || r->phase == PHASE_API ? x->submit_ns
									: x->doorbell_ns;

	if (r->what != RULE_PHASE || r->below || from == DMA_UNKNOWN)
		return DMA_UNKNOWN;
	/* What is known already, the decision judges. */
	if ((r->phase == PHASE_API && x->doorbell_ns != DMA_UNKNOWN) ||
	    (r->phase == PHASE_DEVICE && x->irq_ns != DMA_UNKNOWN))
		return DMA_UNKNOWN;
	if (r->phase == PHASE_NOTICE)
		from = x->irq_ns;
	return from != DMA_UNKNOWN && now_ns - from > r->value ? from + r->value
							       : DMA_UNKNOWN;
}

static void preview_open(struct trigger *t, const struct transfer *x, int64_t now_ns)
{
	uint64_t n = count(t, x);

	for (size_t i = 0; i < t->n && !t->fired; i++) {
		const struct rule *r = &t->rules[i];
		int64_t over_ns = overdue_ns(r, x, now_ns);

		if (r->what == RULE_IN_FLIGHT && n > (uint64_t)r->value)
			fire(t, r, x, now_ns);
		else if (over_ns != DMA_UNKNOWN)
			fire(t, r, x, over_ns);
	}
}

/* The program has not seen its end, whether its interrupt came or not. */
static bool is_unseen(const struct transfer *x)
{
	return x->woken_ns == DMA_UNKNOWN &&
	       (x->state == STATE_UNKNOWN || x->state == STATE_COMPLETE);
}

void trigger_preview(struct trigger *t, const struct transfer *x, int64_t now_ns)
{
	if (t->fired) { /* what has become of it by now */
		if (t->has_transfer && t->transfer.submit_seq == x->submit_seq)
			t->transfer = *x;
		return;
	}
	if (x->state == STATE_IN_FLIGHT || is_unseen(x))
		preview_open(t, x, now_ns);
	if (x->state == STATE_IN_FLIGHT)
		return;
	for (size_t i = 0; i < t->n && !t->fired; i++) {
		const struct rule *r = &t->rules[i];

		if (r->what != RULE_PHASE && r->what != RULE_STATE)
			continue;
		if (r->what == RULE_STATE && r->state == STATE_UNKNOWN)
			continue; /* it may only be unknown yet */
		if (end_of(x) != DMA_UNKNOWN && now_ns - end_of(x) > SETTLED_NS &&
		    rule_holds(r, x, NULL))
			fire(t, r, x, end_of(x));
	}
}

/* ---- the rest ---- */

void trigger_gap(struct trigger *t, int64_t last_ns, int64_t now_ns)
{
	for (size_t i = 0; i < t->n && last_ns != DMA_UNKNOWN; i++)
		if (t->rules[i].what == RULE_GAP && now_ns - last_ns > t->rules[i].value)
			fire(t, &t->rules[i], NULL, now_ns);
}

void trigger_loss(struct trigger *t, uint64_t lost)
{
	for (size_t i = 0; i < t->n && lost; i++)
		if (t->rules[i].what == RULE_LOST)
			fire(t, &t->rules[i], NULL, DMA_UNKNOWN);
}
