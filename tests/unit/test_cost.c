/* SPDX-License-Identifier: GPL-2.0-only */
/* The cost of a probe's hit, from the rounds that were measured. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/dma.h"
#include "record/cost.h"

enum { HITS = 20 };

/* Whatever else ran in between is not the probe's: all rounds but one may hold it. */
static void test_preemption_is_left_out(void **state)
{
	static const int64_t without[] = {2000, 90000, 2100, 4000000},
			     with[] = {900000, 4300000, 302000, 650000};

	(void)state;
	assert_int_equal(cost_of_hit(with, without, 4, HITS), 15000);
}

static void test_quicker_with_is_not_known(void **state)
{
	static const int64_t without[] = {2000}, with[] = {1000};

	(void)state;
	assert_true(cost_of_hit(with, without, 1, HITS) == DMA_UNKNOWN);
	assert_true(cost_of_hit(with, without, 0, HITS) == DMA_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_preemption_is_left_out),
		cmocka_unit_test(test_quicker_with_is_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
