/* SPDX-License-Identifier: GPL-2.0-only */
/* Starts that another thread's store undid, and those that only look so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "analyze/undone.h"

enum { TRANSFER = 100000 };

static struct undone *u;
static int64_t now;

static void see(enum role role, int64_t time_ns, int32_t tid, int64_t channel,
		int64_t ret)
{
	struct sample s = sample_blank(role, time_ns);

	s.tid = tid;
	s.card = 0;
	s.channel = channel;
	s.ret = ret;
	assert_int_equal(undone_push(u, &s), 0);
}

/* Twenty that nobody disturbs, so that it is known how long one takes. */
static int setup(void **state)
{
	(void)state;
	u = undone_new();
	if (!u)
		return -1;
	for (now = 0; now < 20 * INT64_C(1000000); now += 1000000) {
		see(ROLE_SUBMIT, now, 1, 0, DMA_UNKNOWN);
		see(ROLE_DOORBELL, now + 10, 1, 0, 1);
		see(ROLE_STARTED, now + 20, 1, 0, DMA_UNKNOWN);
		see(ROLE_WOKEN, now + 10 + TRANSFER, 1, 0, DMA_UNKNOWN);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	undone_free(u);
	return 0;
}

static void expect(bool whole, const struct undone_clear *c, size_t nc, int64_t lost,
		   int64_t maybe, int64_t channel)
{
	struct undone_start *list;
	struct undone_totals t;
	size_t n;

	assert_int_equal(undone_finish(u, whole, c, nc, &t, &list, &n), 0);
	assert_int_equal(t.lost, lost);
	assert_int_equal(t.maybe, maybe);
	assert_int_equal(n, lost + maybe);
	for (size_t i = 0; i < n; i++)
		if (list[i].certain)
			assert_int_equal(list[i].channel, channel);
	free(list);
}

/* Thread 1's start and thread 2's: entries, stores and exits from `now` on, and values. */
struct two {
	int64_t entry[2], store[2], left[2], value[2];
};

static void start_both(const struct two *x)
{
	int64_t last = -1;

	for (;;) {
		int64_t next = INT64_MAX, at;
		int who = 0, what = 0;

		for (int i = 0; i < 2; i++)
			for (int k = 0; k < 3; k++) {
				at = k == 0   ? x->entry[i]
				     : k == 1 ? x->store[i]
					      : x->left[i];
				if (at > last && at < next) {
					next = at;
					who = i;
					what = k;
				}
			}
		if (next == INT64_MAX)
			return;
		see(what == 0	? ROLE_SUBMIT
		    : what == 1 ? ROLE_DOORBELL
				: ROLE_STARTED,
		    now + next, who + 1, who, what == 1 ? x->value[who] : DMA_UNKNOWN);
		last = next;
	}
}

static void test_undone(void **state)
{
	(void)state;
	start_both(&(struct two){{0, 1}, {10, 30}, {20, 40}, {1, 2}});
	expect(true, NULL, 0, 1, 0, 0);
}

static void test_a_loss_makes_nothing_certain(void **state)
{
	(void)state;
	start_both(&(struct two){{0, 1}, {10, 30}, {20, 40}, {1, 2}});
	expect(false, NULL, 0, 0, 1, 0);
}

static void test_it_has_the_bit(void **state)
{
	(void)state;
	start_both(&(struct two){{0, 1}, {10, 30}, {20, 40}, {1, 3}});
	expect(true, NULL, 0, 0, 0, 0);
}

/* The second start is entered behind the first one's store: that had ended. */
static void test_one_behind_the_other(void **state)
{
	(void)state;
	start_both(&(struct two){{0, 21}, {10, 30}, {20, 40}, {1, 2}});
	expect(true, NULL, 0, 0, 0, 0);
}

/* So long between the stores that the card may have ended it. */
static void test_it_may_have_ended(void **state)
{
	(void)state;
	start_both(&(struct two){{0, 1}, {10, TRANSFER}, {20, TRANSFER + 10}, {1, 2}});
	expect(true, NULL, 0, 0, 1, 0);
}

/* Neither had gone on when the other's store was seen: one of the two. */
static void test_either(void **state)
{
	(void)state;
	start_both(&(struct two){{0, 1}, {10, 12}, {20, 30}, {1, 2}});
	expect(true, NULL, 0, 0, 2, 0);
}

static void test_a_third_store_tells(void **state)
{
	(void)state;
	start_both(&(struct two){{0, 1}, {10, 12}, {20, 30}, {1, 2}});
	see(ROLE_SUBMIT, now + 100, 3, 2, DMA_UNKNOWN);
	see(ROLE_DOORBELL, now + 110, 3, 2, 5); /* the first one's bit is there */
	expect(true, NULL, 0, 1, 0, 1);
}

/* A third one that may have read before the second store sets the first one's bit again. */
static void test_a_bit_comes_back(void **state)
{
	(void)state;
	see(ROLE_SUBMIT, now - 1, 3, 2, DMA_UNKNOWN);
	start_both(&(struct two){{0, 1}, {10, 30}, {20, 40}, {1, 2}});
	see(ROLE_DOORBELL, now + 50, 3, 2, 5);
	see(ROLE_STARTED, now + 60, 3, 2, DMA_UNKNOWN);
	expect(true, NULL, 0, 1, 1, 1); /* and the second one's goes */
}

static void test_a_register_tells(void **state)
{
	const struct undone_clear late = {DMA_UNKNOWN, 1, now + TRANSFER};

	(void)state;
	start_both(&(struct two){{0, 1}, {10, 12}, {20, 30}, {1, 2}});
	expect(true, &late, 1, 1, 0, 0);
}

static void test_waits_tell(void **state)
{
	(void)state;
	start_both(&(struct two){{0, 1}, {10, 12}, {20, 30}, {1, 2}});
	see(ROLE_WOKEN, now + 60, 2, 1, DMA_UNKNOWN);
	see(ROLE_WOKEN, now + 20 + TRANSFER, 1, 0, DMA_UNKNOWN);
	expect(true, NULL, 0, 1, 0, 1);
}

/* Values of stores that are not known say nothing. */
static void test_no_values(void **state)
{
	(void)state;
	start_both(&(struct two){{0, 1}, {10, 30}, {20, 40}, {DMA_UNKNOWN, DMA_UNKNOWN}});
	expect(true, NULL, 0, 0, 0, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_undone),
		TEST(test_a_loss_makes_nothing_certain),
		TEST(test_it_has_the_bit),
		TEST(test_one_behind_the_other),
		TEST(test_it_may_have_ended),
		TEST(test_either),
		TEST(test_a_third_store_tells),
		TEST(test_a_bit_comes_back),
		TEST(test_a_register_tells),
		TEST(test_waits_tell),
		TEST(test_no_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
