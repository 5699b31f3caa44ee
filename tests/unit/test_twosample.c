/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Known answers for the rank test, and simulations for what a bootstrap can only be
 * judged by: how often it raises a false alarm on equal autocorrelated data, and how
 * often it sees a real shift.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "compare/twosample.h"
#include "lib/err.h"
#include "tests/unit/sim.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void near(double got, double want, double tolerance)
{
	if (fabs(got - want) > tolerance) {
		print_message("# got %.9g, want %.9g\n", got, want);
		fail();
	}
}

/* The example of SciPy's manual for mannwhitneyu (ages at diagnosis of diabetes by sex):
 * U = 17 for the first sample; without continuity correction z = 1.7146, p = 0.0864. */
static void test_mann_whitney_known(void **state)
{
	static const int64_t male[] = {19, 22, 16, 29, 24}, female[] = {20, 11, 17, 12};
	const struct series base = {female, COUNT(female)}, fresh = {male, COUNT(male)};
	struct rank_test t;

	(void)state;
	assert_int_equal(rank_test(&base, &fresh, 1, &t, NULL), 0);
	near(t.u, 17, 0);
	near(t.above, 0.85, 1e-12);
	near(t.z, (17 - 10) / sqrt(5 * 4 * 10 / 12.0), 1e-12);
	near(t.p, 0.0864107, 1e-6);
}

/* Ties: {1 2 2 3} against {2 3 3 4}. By hand: pairs above 11, equal 4 (2-2 twice, 3-3
 * twice) -> U =
 * 13.  Tie groups 1:1 2:3 3:3 4:1 -> sum t^3-t = 48; var = 16/12 (9 - 48/56). */
static void test_mann_whitney_ties(void **state)
{
	static const int64_t x[] = {1, 2, 2, 3}, y[] = {2, 3, 3, 4};
	const struct series base = {x, 4}, fresh = {y, 4};
	struct rank_test t;

	(void)state;
	assert_int_equal(rank_test(&base, &fresh, 1, &t, NULL), 0);
	near(t.u, 13, 0);
	near(t.z, 5 / sqrt(16.0 / 12 * (9 - 48.0 / 56)), 1e-12);
	near(t.shift, 1, 0);
}

static void test_all_equal(void **state)
{
	static const int64_t x[] = {7, 7, 7};
	const struct series s = {x, 3};
	struct rank_test t;

	(void)state;
	assert_int_equal(rank_test(&s, &s, 1, &t, NULL), 0);
	near(t.p, 1, 0);
	near(t.above, 0.5, 0);
	near(t.shift, 0, 0);
}

/* Hollander & Wolfe, Nonparametric Statistical Methods, example 4.1/4.5 (tritiated water
 * diffusion, in units of 1e-2): Delta estimate -0.305. */
static void test_hodges_lehmann_known(void **state)
{
	static const int64_t x[] = {80, 83, 189, 104, 145, 138, 191, 164, 73, 146};
	static const int64_t y[] = {115, 88, 90, 74, 121};
	const struct series base = {x, COUNT(x)}, fresh = {y, COUNT(y)};
	struct rank_test t;

	(void)state;
	assert_int_equal(rank_test(&base, &fresh, 1, &t, NULL), 0);
	near(t.u, 15, 0);
	near(t.shift, -30.5, 0);
}

static void test_no_values(void **state)
{
	const struct series none = {NULL, 0};
	const struct side side = {&none, 1};
	struct estimate est;
	struct rank_test t;

	(void)state;
	assert_int_equal(rank_test(&none, &none, 1, &t, NULL), 0);
	assert_true(isnan(t.p));
	assert_int_equal(side_estimate(&side, 0.5, false, 1, &est, NULL), 0);
	assert_true(isnan(est.value) && isnan(est.se));
	assert_int_equal(est.n, 0);
}

static void test_one_value(void **state)
{
	static const int64_t v[] = {42};
	const struct series one = {v, 1};
	const struct side side = {&one, 1};
	struct estimate est;

	(void)state;
	assert_int_equal(side_estimate(&side, 0.5, false, 1, &est, NULL), 0);
	near(est.value, 42, 0);
	assert_true(isnan(est.se));
}

/* ---- simulations ---- */

static uint64_t random_state;

static double uniform(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return ((double)((random_state * UINT64_C(2685821657736338717)) >> 11) + 0.5) /
	       0x1p53;
}

static double normal(void)
{
	return sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform());
}

/* Lognormal latencies around 50 us whose logarithm is an AR(1) with coefficient phi. */
static void ar1(int64_t *v, size_t n, double phi, double scale)
{
	double z = normal();

	for (size_t i = 0; i < n; i++) {
		v[i] = (int64_t)(scale * 50e3 * exp(0.2 * z));
		z = phi * z + sqrt(1 - phi * phi) * normal();
	}
}

static struct difference compare(const int64_t *a, const int64_t *b, size_t n, double q)
{
	const struct series x = {a, n}, y = {b, n};
	const struct side base = {&x, 1}, fresh = {&y, 1};
	struct estimate eb, ef;
	struct difference d;

	assert_int_equal(side_estimate(&base, q, false, 1, &eb, NULL), 0);
	assert_int_equal(side_estimate(&fresh, q, false, 2, &ef, NULL), 0);
	estimate_difference(&eb, &ef, 0.95, &d);
	return d;
}

/* Of sim_seeds(seeds) comparisons, those whose 95 % interval leaves out zero. */
static unsigned alarms(size_t n, double phi, double q, double scale, unsigned seeds)
{
	int64_t *a = malloc(n * sizeof(*a)), *b = malloc(n * sizeof(*b));
	unsigned found = 0;

	assert_non_null(a);
	assert_non_null(b);
	for (unsigned s = 1; s <= sim_seeds(seeds); s++) {
		struct difference d;

		random_state = UINT64_C(0x9e3779b97f4a7c15) * s;
		ar1(a, n, phi, 1);
		ar1(b, n, phi, scale);
		d = compare(a, b, n, q);
		found += d.low > 0 || d.high < 0;
	}
	free(a);
	free(b);
	return found;
}

static void test_false_alarms(void **state)
{
	enum { SEEDS = 300 };
	static const struct {
		size_t n;
		double phi, q;
	} scene[] = {{2000, 0, 0.5},   {2000, 0.6, 0.5},  {2000, 0.9, 0.5},
		     {5000, 0.6, 0.9}, {5000, 0.6, 0.99}, {2000, 0.6, 0},
		     {500, 0.3, 0.5}};

	(void)state;
	for (size_t i = 0; i < COUNT(scene); i++) {
		unsigned found = alarms(scene[i].n, scene[i].phi, scene[i].q, 1, SEEDS);

		print_message("# false alarms: n %zu, AR(1) %.1f, q %.2f: %u of %u\n",
			      scene[i].n, scene[i].phi, scene[i].q, found,
			      sim_seeds(SEEDS));
		/* 5 %, give or take three standard errors of 300 trials, and a
		 * bootstrap's own optimism on strongly correlated data */
		assert_true(sim_rate(found, SEEDS, 0.012, 0.095));
	}
}

static void test_power(void **state)
{
	enum { SEEDS = 20 };
	unsigned found = alarms(20000, 0.6, 0.5, 1.05, SEEDS);

	(void)state;
	print_message("# power: shift 5 %%, n 20000, AR(1) 0.6: %u of %u seen\n", found,
		      sim_seeds(SEEDS));
	assert_true(sim_rate(found, SEEDS, 0.95, 1));
}

/* AR(1) with phi: the variance of the mean is inflated by (1 + phi) / (1 - phi). */
static void test_dependence_of_ar1(void **state)
{
	enum { N = 50000 };
	double *x = malloc(N * sizeof(*x)), z = 0;
	struct dependence d;

	(void)state;
	assert_non_null(x);
	random_state = 12345;
	for (size_t i = 0; i < N; i++)
		x[i] = z = 0.5 * z + normal();
	series_dependence(x, N, &d);
	near(d.inflation, 3, 0.6);
	/* b = (2 G^2 / D)^(1/3) n^(1/3) with G / g(0) = 2 phi / (1 - phi^2) = 4/3 */
	near((double)d.block, cbrt(1.5 * 16 / 9.0 * N), 20);
	free(x);
}

static void test_across_recordings(void **state)
{
	static const int64_t a[] = {10, 11, 12}, b[] = {20, 21, 22}, c[] = {30, 31, 32};
	const struct series run[] = {{a, 3}, {b, 3}, {c, 3}};
	const struct side side = {run, 3};
	struct estimate est;

	(void)state;
	assert_int_equal(side_estimate(&side, 0.5, true, 1, &est, NULL), 0);
	near(est.value, 21, 1e-12);
	near(est.se, 10 / sqrt(3), 1e-12);
	near(est.df, 2, 0);
	assert_int_equal(est.n, 9);
}

static void test_seeded(void **state)
{
	int64_t a[400], b[400];
	struct difference first, again;

	(void)state;
	random_state = 99;
	ar1(a, COUNT(a), 0.5, 1);
	ar1(b, COUNT(b), 0.5, 1);
	first = compare(a, b, COUNT(a), 0.5);
	again = compare(a, b, COUNT(a), 0.5);
	near(first.low, again.low, 0);
	near(first.high, again.high, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mann_whitney_known),
		cmocka_unit_test(test_mann_whitney_ties),
		cmocka_unit_test(test_all_equal),
		cmocka_unit_test(test_hodges_lehmann_known),
		cmocka_unit_test(test_no_values),
		cmocka_unit_test(test_one_value),
		cmocka_unit_test(test_false_alarms),
		cmocka_unit_test(test_power),
		cmocka_unit_test(test_dependence_of_ar1),
		cmocka_unit_test(test_across_recordings),
		cmocka_unit_test(test_seeded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
