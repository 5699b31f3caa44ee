/* SPDX-License-Identifier: GPL-2.0-only */
/* Properties of the joiner over seeds: pairs presented as certain against known truth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/err.h"
#include "lib/join.h"

#define N 500

struct sim {
	uint64_t rng;
	int64_t truth[N + 1]; /* seq of the interrupt that ended transfer i; 0 = none */
	uint64_t right, wrong, unknown;
};

static double chance(struct sim *s)
{
	s->rng = s->rng * 6364136223846793005u + 1442695040888963407u;
	return (double)(s->rng >> 33) / 2147483648.0;
}

static int judge(void *arg, const struct transfer *t, struct err *e)
{
	struct sim *s = arg;
	int64_t got = t->irq_seq == DMA_UNKNOWN ? 0 : t->irq_seq;

	(void)e;
	if (t->state == STATE_UNKNOWN)
		s->unknown++;
	else if (got == s->truth[t->id])
		s->right++;
	else
		s->wrong++;
	return 0;
}

static void push(struct join *j, enum role r, int64_t at, int64_t seq)
{
	struct sample s = {.time_ns = at,
			   .seq = seq,
			   .size_bytes = 4096,
			   .tid = 7,
			   .pid = 7,
			   .irq = r == ROLE_INTERRUPT ? 68 : -1,
			   .role = r};
	assert_int_equal(join_push(j, &s, NULL), 0);
}

static void run(struct sim *s, double missing, double late, double extra)
{
	static const struct join_vector v = {68, DMA_UNKNOWN, DMA_UNKNOWN};
	struct join_options o = {.vector = &v, .nvector = 1, .slack_ns = 10000000};
	struct join_sink sink = {.arg = s, .transfer = judge};
	struct join_totals n;
	struct join *j;
	int64_t at = 0, seq = 0;

	assert_int_equal(join_new(&j, &o, &sink, NULL), 0);
	for (int i = 1; i <= N; i++) {
		int64_t end, irq;
		push(j, ROLE_SUBMIT, at += 5000, ++seq);
		push(j, ROLE_STARTED, at += 1000, ++seq);
		push(j, ROLE_WAIT, at += 500, ++seq);
		irq = end = at + 10000 + (int64_t)(20000 * chance(s));
		s->truth[i] = 0;
		if (chance(s) < late)
			irq = end + 1000 + (int64_t)(15000 * chance(s));
		if (chance(s) >= missing)
			push(j, ROLE_INTERRUPT, irq, s->truth[i] = ++seq);
		if (chance(s) < extra)
			push(j, ROLE_INTERRUPT, end + 2500, ++seq);
		push(j, ROLE_WOKEN, at = end + 2000, ++seq);
	}
	assert_int_equal(join_finish(j, &n, NULL), 0);
	join_free(j);
}

static void seeds(const char *what, double missing, double late, double extra,
		  double limit)
{
	struct sim s = {0};

	for (int i = 0; i < 100; i++) {
		s.rng = (uint64_t)i * 7919 + 1;
		run(&s, missing, late, extra);
	}
	print_message("# %s: 100 seeds, %d pairs, right %llu, wrong %llu, unknown %llu\n",
		      what, 100 * N, (unsigned long long)s.right,
		      (unsigned long long)s.wrong, (unsigned long long)s.unknown);
	if ((double)s.wrong > limit * (double)(s.right + s.wrong))
		fail_msg("%s: %llu wrong", what, (unsigned long long)s.wrong);
}

static void test_plain(void **state)
{
	(void)state;
	seeds("no disorder", 0, 0, 0, 0);
}

static void test_missing(void **state)
{
	(void)state;
	seeds("missing 1 %", 0.01, 0, 0, 0);
}

static void test_late(void **state)
{
	(void)state;
	seeds("late 1 %", 0, 0.01, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_plain),
					   cmocka_unit_test(test_missing),
					   cmocka_unit_test(test_late)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
