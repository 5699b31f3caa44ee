/* SPDX-License-Identifier: GPL-2.0-only */
/* Densities with known answers: nothing seen, one value, two sizes, memory that fades. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/gate/align/model.h"

static double mass(const struct density *d)
{
	double sum = 0;
	int64_t from = 0;

	/* Leaf by leaf: from each to the first time that is in the next. */
	for (unsigned leaf = 0; leaf + 1 < DENSITY_LEAVES; leaf++) {
		int64_t to = (int64_t)(64 * exp2((leaf + 1) / 16.0)) - 64;
		sum += exp((double)d->log[leaf]) * (double)(to - from);
		from = to;
	}
	return sum;
}

static void nothing_seen_is_even_over_all_scales(void **state)
{
	struct density d;

	(void)state;
	polya_reset(&d, NULL);
	polya_make(&d);
	double a = exp(polya_log_at(&d, 1000000)), b = exp(polya_log_at(&d, 2000000));
	assert_true(fabs(a / b - 2) < 0.1);
	assert_true(fabs(mass(&d) - 1) < 0.02);
}

static void counts_take_over(void **state)
{
	struct density d;

	(void)state;
	polya_reset(&d, NULL);
	for (int i = 0; i < 1000; i++)
		polya_count(&d, 10000, 1);
	polya_make(&d);
	assert_true(fabs(mass(&d) - 1) < 0.02);
	assert_true(exp(polya_log_at(&d, 10000)) * 10000 > 10);
	/* What was never seen keeps its part of the robust share. */
	double far = exp(polya_log_at(&d, 1000000000)) * 1e9 * M_LN2 / 16;
	assert_true(far >= 0.9 * (double)MODEL_ROBUST / DENSITY_LEAVES);
	assert_true(fabs((double)polya_quantile(&d, 0.5f) / 10000 - 1) < 0.05);
}

static void kin_stands_in_for_counts_that_are_not_there(void **state)
{
	struct density all, one;

	(void)state;
	polya_reset(&all, NULL);
	polya_reset(&one, &all);
	for (int i = 0; i < 1000; i++)
		polya_count(&all, 10000, 1);
	polya_make(&all);
	polya_make(&one);
	assert_true(fabs((double)(polya_log_at(&all, 10000) -
				  polya_log_at(&one, 10000))) < 0.01);
}

static void rates_are_never_nought(void **state)
{
	struct model m;

	(void)state;
	law_init(&m);
	m.matched = 1e6;
	m.size[1] = 1e6;
	law_make(&m);
	assert_true(m.log_miss > log(1e-9) && m.log_miss < log(1e-5));
	assert_true(m.log_size[64] > -60);
	law_release(&m);
}

static void sums_of_logarithms(void **state)
{
	(void)state;
	assert_true(fabs(log_add(log(0.25), log(0.5)) - log(0.75)) < 1e-12);
	assert_true(log_add(0, -1000) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_seen_is_even_over_all_scales),
		cmocka_unit_test(counts_take_over),
		cmocka_unit_test(kin_stands_in_for_counts_that_are_not_there),
		cmocka_unit_test(rates_are_never_nought),
		cmocka_unit_test(sums_of_logarithms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
