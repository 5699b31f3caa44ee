/* SPDX-License-Identifier: GPL-2.0-only */
/* Theil and Sen's line: Sen's own example, outliers, and where there is none. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/line.h"

static void near(double got, double want, double tolerance)
{
	if (!(fabs(got - want) <= tolerance)) {
		print_message("# got %.12g, want %.12g\n", got, want);
		fail();
	}
}

static void solve(struct line *l, struct line_result *r)
{
	assert_int_equal(line_solve(l, r), 0);
	line_release(l);
}

static void test_outliers_do_not_bend_it(void **state)
{
	struct line l = {0};
	struct line_result r;

	(void)state;
	for (int i = 0; i < 200; i++) {
		double size = 4096 << (i % 4), noise = (i * 37 % 11) * 100;

		line_add(&l, size, 20000 + size / 2 + noise);
	}
	line_add(&l, 4096, -32e6); /* one wait that was looked at late */
	line_add(&l, 32768, 9e9);
	solve(&l, &r);
	assert_true(r.supported);
	near(r.b, 0.5, 0.01);
	near(r.a, 20500, 200);
	assert_true(r.ci_b[0] <= 0.5 && r.ci_b[1] >= 0.5);
	assert_true(r.ci_a[0] <= 20500 && r.ci_a[1] >= 20500);
}

/* Latency that does not follow size has no bandwidth, whatever a line through it says. */
static void test_no_bandwidth(void **state)
{
	struct line l = {0}, same = {0}, few = {0};
	struct line_result r;

	(void)state;
	srandom(3);
	for (int i = 0; i < 400; i++)
		line_add(&l, 4096 << (i % 4),
			 100000 + 0.02 * (4096 << (i % 4)) + (double)(random() % 60000));
	solve(&l, &r);
	assert_false(r.supported);
	for (int i = 0; i < 400; i++)
		line_add(&same, 4096, i);
	solve(&same, &r);
	assert_false(r.supported);
	assert_true(isnan(r.b) && isnan(r.a));
	for (int i = 0; i < LINE_FEWEST - 1; i++)
		line_add(&few, i, i);
	solve(&few, &r);
	assert_false(r.supported);
}

/* Of many points a sample of all of them: sizes in turn do not deceive it. */
static void test_many(void **state)
{
	struct line l = {0};
	struct line_result r;

	(void)state;
	srandom(5);
	for (int i = 0; i < 100000; i++) {
		double size = 4096 << (i % 4);

		line_add(&l, size, 5000 + 2 * size + (double)(random() % 3000));
	}
	assert_int_equal(l.n, 100000);
	assert_int_equal(l.kept, LINE_POINTS);
	solve(&l, &r);
	assert_true(r.supported);
	near(r.b, 2, 0.02);
	near(r.a, 6500, 300);
}

/* Of 200 lines the slope's interval holds the truth in 95 % or so, also with a tail. */
static void test_interval_covers(void **state)
{
	int covered = 0;

	(void)state;
	srandom(11);
	for (int round = 0; round < 200; round++) {
		struct line l = {0};
		struct line_result r;

		for (int i = 0; i < 120; i++) {
			double size = 4096 << (i % 4);
			double u = ((double)random() + 1) / ((double)RAND_MAX + 2);

			line_add(&l, size, 20000 + size / 2 + 3000 * pow(u, -0.7));
		}
		solve(&l, &r);
		covered += r.ci_b[0] <= 0.5 && r.ci_b[1] >= 0.5;
	}
	print_message("# the slope lies in %d of 200 intervals of 95 %%\n", covered);
	assert_true(covered >= 180);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outliers_do_not_bend_it),
		cmocka_unit_test(test_no_bandwidth),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_interval_covers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
