// SPDX-License-Identifier: GPL-2.0-only
/* Windows of loss against a map of every nanosecond of a short time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/loss.h"

enum { TIME = 64, ROUNDS = 2000, WINDOWS = 12 };

/* Two windows are one where they meet, not where they are neighbours. */
static void check(const struct loss_windows *l, const bool *lost)
{
	size_t found = 0;

	for (size_t i = 1; i < l->n; i++)
		assert_true(l->at[i - 1].to_ns < l->at[i].from_ns);
	for (size_t i = 0; i < l->n; i++)
		found += l->at[i].to_ns - l->at[i].from_ns + 1;
	for (int from = 0; from < TIME; from++) {
		bool any = false;
		size_t first = loss_windows_from(l, from);

		found -= lost[from];
		assert_true(first == l->n || l->at[first].to_ns >= from);
		assert_true(!first || l->at[first - 1].to_ns < from);
		for (int to = from; to < TIME; to++) {
			any |= lost[to];
			assert_int_equal(loss_windows_touch(l, from, to), any);
		}
	}
	assert_int_equal(found, 0);
}

static void test_every_nanosecond(void **state)
{
	(void)state;
	srandom(1);
	for (int round = 0; round < ROUNDS; round++) {
		struct loss_windows l = {0};
		bool lost[TIME] = {0};

		for (int i = random() % WINDOWS; i >= 0; i--) {
			int from = random() % TIME, to = from + random() % 8 - 1;

			assert_int_equal(
				loss_windows_add(&l, from, to < TIME ? to : TIME - 1), 0);
			lost[from] = true;
			for (int t = from; t <= to && t < TIME; t++)
				lost[t] = true;
		}
		check(&l, lost);
		free(l.at);
	}
}

static void test_without_ends(void **state)
{
	struct loss_windows l = {0};

	(void)state;
	assert_false(loss_windows_touch(&l, INT64_MIN, INT64_MAX));
	assert_int_equal(loss_windows_add(&l, 100, INT64_MAX), 0);
	assert_false(loss_windows_touch(&l, 0, 99));
	assert_true(loss_windows_touch(&l, 1000, 1000));
	assert_int_equal(loss_windows_add(&l, INT64_MIN, 10), 0);
	assert_int_equal(l.n, 2);
	assert_int_equal(loss_windows_add(&l, INT64_MIN, INT64_MAX), 0);
	assert_int_equal(l.n, 1);
	assert_int_equal(l.at[0].from_ns, INT64_MIN);
	assert_int_equal(l.at[0].to_ns, INT64_MAX);
	free(l.at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_nanosecond),
		cmocka_unit_test(test_without_ends),
	};
	return cmocka_run_group_tests_name("loss", tests, NULL, NULL);
}
