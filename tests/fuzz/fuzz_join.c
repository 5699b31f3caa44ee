/* SPDX-License-Identifier: GPL-2.0-only */
/* Any sequence of samples: the joiner never fails, every start becomes exactly one
 * transfer, an interrupt ends as many transfers as it says, and what is unknown has no
 * latency. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/join/join.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_SAMPLES = 4096, IRQ = 40 };

struct seen {
	uint64_t transfers, strays, state[STATE_N];
	int64_t last_id;
	int32_t used[MAX_SAMPLES], said[MAX_SAMPLES]; /* by the interrupt's seq */
	bool submit[MAX_SAMPLES];
	bool unsure; /* of a complete one it is not known how many share its interrupt */
};

static void need(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

static int on_transfer(void *arg, const struct transfer *t, struct err *e)
{
	struct seen *s = arg;

	(void)e;
	need(t->state < STATE_N, "a state");
	need(t->submit_seq >= 0 && t->submit_seq < MAX_SAMPLES, "submit_seq");
	need(!s->submit[t->submit_seq], "one transfer for each start");
	s->submit[t->submit_seq] = true;
	s->transfers++;
	s->state[t->state]++;
	if (t->state == STATE_COMPLETE)
		need(t->irq_ns != DMA_UNKNOWN && t->irq_seq >= 0,
		     "complete has its interrupt");
	s->unsure |= t->state == STATE_COMPLETE && !t->coalesced;
	if (t->coalesced > 0) {
		need(t->irq_seq >= 0 && t->irq_seq < MAX_SAMPLES, "irq_seq");
		s->used[t->irq_seq]++;
		s->said[t->irq_seq] = t->coalesced;
	}
	for (int p = 0; p < PHASE_N; p++)
		if (t->state == STATE_UNKNOWN || t->state == STATE_FAILED)
			need(transfer_phase_ns(t, (enum phase)p) == DMA_UNKNOWN,
			     "unknown has no latency");
	return 0;
}

static int on_stray(void *arg, const struct stray *x, struct err *e)
{
	struct seen *s = arg;

	(void)e;
	need(x->kind < STRAY_N && x->reason, "a kind and a reason");
	s->strays++;
	return 0;
}

/* Four bytes a sample: role and thread; channel and flags; step in time (signed). */
static struct sample decode(const uint8_t *b, int64_t *now, int64_t seq)
{
	static const enum role roles[8] = {ROLE_SUBMIT, ROLE_STARTED,  ROLE_INTERRUPT,
					   ROLE_WAIT,	ROLE_WOKEN,    ROLE_DOORBELL,
					   ROLE_STOP,	ROLE_INTERRUPT};
	enum role role = roles[b[0] & 7];
	struct sample s = {.seq = seq,
			   .card = 0,
			   .channel = b[1] & 3,
			   .size_bytes = 4096,
			   .addr = DMA_UNKNOWN,
			   .flags = DMA_UNKNOWN,
			   .ret = DMA_UNKNOWN,
			   .cpu = b[0] >> 6,
			   .pid = 7,
			   .tid = 7 + (b[0] >> 3 & 3),
			   .irq = -1,
			   .role = (uint8_t)role,
			   .direction = DIR_TO_HOST};

	*now += (int8_t)b[2] * (b[3] & 1 ? 10000 : 100) + 3000;
	*now = *now < 1 ? 1 : *now;
	s.time_ns = *now;
	if (role == ROLE_INTERRUPT) {
		s.irq = IRQ + (b[1] & 3);
		s.channel = s.card = DMA_UNKNOWN;
	}
	s.bits = b[1] >> 2 & (SAMPLE_FAILED | SAMPLE_PENDING | SAMPLE_BLOCKING |
			      SAMPLE_CIRCULAR | SAMPLE_NO_EXIT);
	if (b[3] & 2) /* mostly plain ones */
		s.bits = 0;
	if (b[3] & 4 && role != ROLE_SUBMIT)
		s.channel = DMA_UNKNOWN;
	return s;
}

static void check_end(const struct seen *s, const struct join_totals *n)
{
	uint64_t sum = 0;

	need(n->submits == n->transfers && n->transfers == s->transfers, "conservation");
	for (int i = 0; i < STATE_N; i++) {
		need(n->by_state[i] == s->state[i], "states");
		sum += n->by_state[i];
	}
	need(sum == n->transfers, "sum of states");
	need(n->interrupts_used + n->interrupts_stray == n->interrupts, "interrupts");
	/* Of what it ended, some may have become unknown by a loss. */
	for (int i = 0; i < MAX_SAMPLES; i++)
		need(s->used[i] <= s->said[i], "no more than coalesced");
	need(!s->unsure || s->state[STATE_UNKNOWN],
	     "how many share an interrupt is known but for those that are unknown");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct join_vector one[] = {{IRQ, DMA_UNKNOWN, DMA_UNKNOWN}};
	static const struct join_vector four[] = {
		{IRQ, 0, 0}, {IRQ + 1, 0, 1}, {IRQ + 2, 0, 2}, {IRQ + 3, 0, 3}};
	struct seen *seen = calloc(1, sizeof(*seen));
	struct join_sink sink = {seen, on_transfer, on_stray};
	struct join_options o = {.slack_ns = 100000};
	struct join_totals n;
	struct err e = {0};
	struct join *j;
	int64_t now = 1000000;

	if (size < 4 || !seen) {
		free(seen);
		return 0;
	}
	o.pairing = (enum pairing)(data[0] % PAIRING_N);
	o.vector = data[1] & 1 ? four : data[1] & 2 ? one : NULL;
	o.nvector = data[1] & 1 ? 4 : data[1] & 2 ? 1 : 0;
	o.max_in_flight = data[2] & 1 ? 8 : 0;
	o.whole = data[2] & 2;
	need(!join_new(&j, &o, &sink, &e), "new");
	for (size_t at = 4; at + 4 <= size && at / 4 < MAX_SAMPLES; at += 4) {
		struct sample s = decode(data + at, &now, (int64_t)(at / 4));

		if (data[at + 3] == 0x80)
			need(!join_loss(j, s.cpu - 1, now, now + 20000, &e), "loss");
		else if (join_push(j, &s, &e) < 0)
			need(0, e.text);
	}
	if (join_finish(j, &n, &e) < 0)
		need(0, e.text);
	check_end(seen, &n);
	join_free(j);
	free(seen);
	return 0;
}
