/* SPDX-License-Identifier: GPL-2.0-only */
/* lib/flow/follow and tail: transfers while they come. What is told is what a joiner says that was
 * told the vector beforehand; nothing is left out; and what is not decided yet can be looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/flow/follow.h"
#include "lib/flow/tail.h"
#include "lib/join/join.h"

enum {
	PERIOD_NS = 3000000, /* so that a thousand take longer than the least time */
	IRQ = 68,
	OTHER_IRQ = 99,
	MOST = 4000,
};

struct run {
	struct follow *f; /* NULL: into j */
	struct join *j;
	struct tail *tail; /* NULL = none */
	struct transfer t[MOST];
	size_t n, nstray;
	size_t held_most; /* samples that waited */
	int64_t seq;
	size_t undecided; /* transfers until it was decided */
};

static int keep(void *arg, const struct transfer *t, struct err *e)
{
	struct run *r = arg;

	(void)e;
	assert_true(r->n < MOST);
	r->t[r->n++] = *t;
	if (r->tail)
		tail_transfer(r->tail, t);
	return 0;
}

static int keep_stray(void *arg, const struct stray *x, struct err *e)
{
	struct run *r = arg;

	(void)e;
	r->nstray++;
	if (r->tail)
		tail_stray(r->tail, x);
	return 0;
}

static void push(struct run *r, enum role role, int64_t at, int64_t channel, int irq)
{
	struct sample s = sample_blank(role, at);

	s.seq = ++r->seq;
	s.cpu = 0;
	s.irq = irq;
	if (irq < 0) {
		s.pid = s.tid = 7;
		s.channel = channel;
		s.card = 0;
		s.size_bytes = 4096;
	}
	if (r->tail)
		assert_int_equal(tail_push(r->tail, &s, NULL), 0);
	assert_int_equal(r->f ? follow_push(r->f, &s, NULL) : join_push(r->j, &s, NULL),
			 0);
	if (r->f && follow_held(r->f) > r->held_most)
		r->held_most = follow_held(r->f);
}

/* One transfer; up to: 1 = its start, 2 = its interrupt, 3 = all. */
static void transfer(struct run *r, int64_t i, int64_t channel, int upto)
{
	int64_t t = i * PERIOD_NS, took = 100000 + 1000 * (i % 7);

	push(r, ROLE_SUBMIT, t, channel, -1);
	push(r, ROLE_STARTED, t + 1000, channel, -1);
	push(r, ROLE_WAIT, t + 2000, channel, -1);
	if (i % 3 == 0)
		push(r, ROLE_INTERRUPT, t + 40000 + 500 * (i % 11), channel, OTHER_IRQ);
	if (upto > 1)
		push(r, ROLE_INTERRUPT, t + took, channel, IRQ);
	if (upto > 2)
		push(r, ROLE_WOKEN, t + took + 9000, channel, -1);
	if (r->f && !follow_decided(r->f))
		r->undecided++;
}

static void begin(struct run *r, bool follow, bool named)
{
	static const int32_t recorded[] = {IRQ, OTHER_IRQ};
	static const struct join_vector v = {IRQ, DMA_UNKNOWN, DMA_UNKNOWN};
	struct follow_options o = {.vector = &v,
				   .nvector = named,
				   .recorded = recorded,
				   .nrecorded = 2,
				   .from_start = true};
	struct join_options plain = {.vector = &v, .nvector = 1};
	struct join_sink sink = {.arg = r, .transfer = keep, .stray = keep_stray};

	memset(r, 0, sizeof(*r));
	assert_int_equal(follow ? follow_new(&r->f, &o, &sink, NULL)
				: join_new(&r->j, &plain, &sink, NULL),
			 0);
}

static void end(struct run *r)
{
	struct join_totals totals;

	assert_int_equal(r->f ? follow_finish(r->f, &totals, NULL)
			      : join_finish(r->j, &totals, NULL),
			 0);
}

static void drop(struct run *r)
{
	follow_free(r->f);
	join_free(r->j);
	tail_free(r->tail);
}

static struct run a, b;

static void same(const struct run *x, const struct run *y)
{
	assert_int_equal(x->n, y->n);
	for (size_t i = 0; i < x->n; i++) {
		assert_int_equal(x->t[i].submit_ns, y->t[i].submit_ns);
		assert_int_equal(x->t[i].irq_ns, y->t[i].irq_ns);
		assert_int_equal(x->t[i].woken_ns, y->t[i].woken_ns);
		assert_int_equal(x->t[i].state, y->t[i].state);
	}
}

/* Found while it runs: nothing before a thousand have ended, and nothing is left out then. */
static void as_the_joiner_says(void **state)
{
	const struct join_vector *v;
	size_t n;

	(void)state;
	begin(&a, false, true);
	begin(&b, true, false);
	for (int64_t i = 1; i <= 1500; i++) {
		transfer(&a, i, 0, 3);
		transfer(&b, i, 0, 3);
	}
	assert_true(b.undecided >= FOLLOW_ENOUGH - 1 && b.undecided < 1500);
	assert_true(b.held_most >= 5 * (FOLLOW_ENOUGH - 1));
	assert_int_equal(follow_held(b.f), 0);
	v = follow_vectors(b.f, &n);
	assert_int_equal(n, 1);
	assert_int_equal(v[0].irq, IRQ);
	assert_false(follow_named(b.f));
	end(&a);
	end(&b);
	assert_int_equal(b.n, 1500);
	same(&a, &b);
	assert_false(follow_differs(b.f));
	assert_int_equal(follow_late_channels(b.f), 0);
	drop(&a);
	drop(&b);
}

/* Fewer than that: it is decided by what there is. */
static void few(void **state)
{
	(void)state;
	begin(&b, true, true);
	for (int64_t i = 1; i <= 20; i++)
		transfer(&b, i, 0, 3);
	assert_false(follow_decided(b.f));
	assert_int_equal(b.n, 0);
	end(&b);
	assert_true(follow_decided(b.f) && follow_named(b.f));
	assert_int_equal(b.n, 20);
	for (size_t i = 0; i < b.n; i++)
		assert_int_equal(b.t[i].state, STATE_COMPLETE);
	drop(&b);
}

static void none_at_all(void **state)
{
	(void)state;
	begin(&b, true, false);
	push(&b, ROLE_REGISTER, 5, 0, -1); /* none of the joiner's */
	end(&b);
	assert_int_equal(b.n, 0);
	drop(&b);
}

/* A channel that is used only after the decision has no vector, and is counted. */
static void a_channel_that_comes_late(void **state)
{
	(void)state;
	begin(&b, true, false);
	for (int64_t i = 1; i <= 1200; i++)
		transfer(&b, i, 0, 3);
	assert_true(follow_decided(b.f));
	transfer(&b, 1201, 5, 3);
	transfer(&b, 1202, 5, 3);
	assert_int_equal(follow_late_channels(b.f), 1);
	end(&b);
	assert_int_equal(b.n, 1202);
	drop(&b);
}

/* A hole is one before the decision and behind it: no end in it is said as known. */
static void losses(void **state)
{
	enum { EARLY = 500, LATE = 1400, ALL = 1500 };

	(void)state;
	begin(&b, true, true);
	for (int64_t i = 1; i <= ALL; i++) {
		if (i == EARLY || i == LATE)
			assert_int_equal(follow_loss(b.f, -1, i * PERIOD_NS - 1000,
						     i * PERIOD_NS + 150000, NULL),
					 0);
		transfer(&b, i, 0, i == EARLY || i == LATE ? 1 : 3);
		assert_true(i <= 1000 || follow_decided(b.f));
	}
	end(&b);
	assert_int_equal(b.n, ALL);
	for (size_t i = 0; i < b.n; i++) {
		int64_t k = b.t[i].submit_ns / PERIOD_NS;

		if (k == EARLY || k == LATE)
			assert_true(b.t[i].state == STATE_UNKNOWN);
		else if (k < EARLY - 1 || (k > EARLY + 1 && k < LATE - 1))
			assert_int_equal(b.t[i].state, STATE_COMPLETE);
	}
	drop(&b);
}

static struct {
	struct transfer t[MOST];
	size_t n;
} seen;

static int see(void *arg, const struct transfer *t, struct err *e)
{
	(void)arg;
	(void)e;
	assert_true(seen.n < MOST);
	seen.t[seen.n++] = *t;
	return 0;
}

static void look(void)
{
	struct join_sink sink = {.transfer = see};

	seen.n = 0;
	assert_int_equal(follow_preview(b.f, b.tail, &sink, NULL), 0);
}

/* Every transfer is either decided or in the preview, and looks there as it stands. */
static void what_is_not_decided(void **state)
{
	(void)state;
	begin(&b, true, true);
	b.tail = tail_new();
	assert_non_null(b.tail);
	for (int64_t i = 1; i < 900; i++)
		transfer(&b, i, 0, 3);
	look();
	assert_int_equal(seen.n, 0); /* it is not known yet which vector ends them */
	for (int64_t i = 900; i <= 3300; i++)
		transfer(&b, i, 0, 3);
	look();
	assert_true(b.n > 0 && seen.n > 0);
	assert_int_equal(b.n + seen.n, 3300);
	for (size_t i = 0; i < seen.n; i++)
		assert_int_equal(seen.t[i].state, STATE_COMPLETE);
	transfer(&b, 3301, 0, 1);
	look();
	assert_int_equal(b.n + seen.n, 3301);
	assert_int_equal(seen.t[seen.n - 1].state, STATE_IN_FLIGHT);
	assert_int_equal(seen.t[seen.n - 1].submit_ns, 3301 * (int64_t)PERIOD_NS);
	end(&b);
	look();
	assert_int_equal(seen.n, 0);
	assert_int_equal(b.n, 3301);
	drop(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_the_joiner_says),
		cmocka_unit_test(few),
		cmocka_unit_test(none_at_all),
		cmocka_unit_test(a_channel_that_comes_late),
		cmocka_unit_test(losses),
		cmocka_unit_test(what_is_not_decided),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
