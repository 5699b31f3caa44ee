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
#include "lib/stat.h"
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

static struct difference compare(const int64_t *a, const int64_t *b, size_t n, double q,
				 double *base_value)
{
	const struct series x = {a, n}, y = {b, n};
	const struct side base = {&x, 1}, fresh = {&y, 1};
	struct estimate eb, ef;
	struct difference d;

	assert_int_equal(side_estimate(&base, q, false, 1, &eb, NULL), 0);
	assert_int_equal(side_estimate(&fresh, q, false, 2, &ef, NULL), 0);
	estimate_difference(&eb, &ef, 0.95, &d);
	*base_value = eb.value;
	return d;
}

/* ---- the interval of a ratio ---- */

static struct difference between(double base, double base_se, double fresh,
				 double fresh_se)
{
	const struct estimate b = {.value = base, .se = base_se, .df = 1e9};
	const struct estimate f = {.value = fresh, .se = fresh_se, .df = 1e9};
	struct difference d;

	estimate_difference(&b, &f, 0.95, &d);
	return d;
}

/* By hand, with z = 1.959964: the base's limits are 200 -+ 6 z = 188.24022, 211.75978, the new
 * side's 600 -+ 24 z = 552.96086, 647.03914. ln low = ln 3 - sqrt(ln(600 / 552.96086)^2 +
 * ln(211.75978 / 200)^2) = 1.098612 - sqrt(0.0816424^2 + 0.0571352^2) = 0.998963; ln high =
 * ln 3 + sqrt(ln(647.03914 / 600)^2 + ln(200 / 188.24022)^2) = 1.195406. */
static void test_ratio_known(void **state)
{
	struct difference d = between(200, 6, 600, 24), back = between(600, 24, 200, 6);

	(void)state;
	assert_true(d.ratio);
	near(d.value, 400, 0);
	near(d.half, 0.0979982, 1e-6);
	near(d.low, 200 * (exp(0.998963) - 1), 1e-3);
	near(d.high, 200 * (exp(1.195406) - 1), 1e-3);
	near(1 + back.low / 600, 1 / (1 + d.high / 200), 1e-12);
	near(1 + back.high / 600, 1 / (1 + d.low / 200), 1e-12);
}

/* However wide: a duration does not fall by more than it was. A side that may be 0 leaves the
 * interval open there. */
static void test_ratio_stays_above_zero(void **state)
{
	(void)state;
	for (double se = 1e-6; se < 1e6; se *= 10) {
		struct difference d = between(100, se, 7, se);

		assert_true(d.low >= -100 && d.low <= -93 && d.high >= -93);
		assert_int_equal(d.low > -100, 1.96 * se < 7);
		assert_int_equal(isfinite(d.high), 1.96 * se < 100);
	}
}

/* 999 values of 40 to 50 ns, and one of 100 us that has raised the mean of one side threefold:
 * from blocks without it and with it the mean may be anything down to 45 ns. */
static void test_value_far_out(void **state)
{
	int64_t a[1000], b[1000];
	double base;
	struct difference d;

	(void)state;
	for (int i = 0; i < 1000; i++)
		a[i] = b[i] = 40 + i % 11;
	a[500] = 100000;
	d = compare(a, b, 1000, 0, &base);
	assert_true(d.value < -90);
	assert_true(d.high > 0);
	d = compare(b, a, 1000, 0, &base);
	assert_true(d.low < 0);
}

/* A time below 0 has no ratio: the difference's interval, 1.959964 * 5 to either side. */
static void test_signed_values(void **state)
{
	static const double pair[][2] = {{-40, 10}, {10, -40}, {0, 20}, {-40, -60}};

	(void)state;
	for (size_t i = 0; i < COUNT(pair); i++) {
		struct difference d = between(pair[i][0], 3, pair[i][1], 4);

		assert_false(d.ratio);
		near(d.low, pair[i][1] - pair[i][0] - 9.79982, 1e-4);
		near(d.high, pair[i][1] - pair[i][0] + 9.79982, 1e-4);
	}
}

/* Scatter alone is of the logarithm: t(3) = 3.182446 times 0.1 sqrt(1 + 1 / 4). */
static void test_scatter_of_runs(void **state)
{
	struct estimate b = {.value = 100, .df = 50}, f = {.value = 400, .df = 50};
	struct difference d;

	(void)state;
	estimate_scatter(&b, 0.1, 100, 1);
	estimate_scatter(&f, 0.1, 400, 1);
	estimate_difference(&b, &f, 0.95, &d);
	near(d.df, 3, 1e-9);
	near(d.low, 100 * (exp(log(4) - 0.450066) - 1), 1e-3);
	near(d.high, 100 * (exp(log(4) + 0.450066) - 1), 1e-3);
	estimate_scatter(&f, 0.1, 400, 4);
	near(f.scatter, 0.05, 1e-12);
	estimate_scatter(&b, 0.1, 40, 1); /* 60 of 100 lie above the median */
	near(b.scatter, 0.1 * sqrt(1 + 3 * 3), 1e-12);
	estimate_scatter(&b, 0.1, 400, 1); /* nothing does of what is below it */
	near(b.scatter, 0.1, 1e-12);
	estimate_scatter(&b, 0.1, 100, 1);
	b.value = -100; /* no ratio: 10 % of 400 on either side, 5 % of it on the other */
	estimate_difference(&b, &f, 0.95, &d);
	near(d.half, student_t_quantile(0.975, d.df) * hypot(40, 20), 1e-9);
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

/* Of sim_seeds(seeds) comparisons, those whose 95 % interval leaves out zero. */
static unsigned alarms(size_t n, double phi, double q, double scale, unsigned seeds)
{
	int64_t *a = malloc(n * sizeof(*a)), *b = malloc(n * sizeof(*b));
	unsigned found = 0;

	assert_non_null(a);
	assert_non_null(b);
	for (unsigned s = 1; s <= sim_seeds(seeds); s++) {
		struct difference d;
		double base;

		random_state = UINT64_C(0x9e3779b97f4a7c15) * s;
		ar1(a, n, phi, 1);
		ar1(b, n, phi, scale);
		d = compare(a, b, n, q, &base);
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

/* Of a real change the interval of the ratio holds the true one as often as it says. */
static void test_coverage_of_a_ratio(void **state)
{
	enum { SEEDS = 300, N = 1000 };
	static const double scale[] = {0.4, 2.5};
	int64_t a[N], b[N];

	(void)state;
	for (size_t k = 0; k < COUNT(scale); k++) {
		unsigned missed = 0;

		for (unsigned s = 1; s <= sim_seeds(SEEDS); s++) {
			struct difference d;
			double base;

			random_state = UINT64_C(0x9e3779b97f4a7c15) * s;
			ar1(a, N, 0.3, 1);
			ar1(b, N, 0.3, scale[k]);
			d = compare(a, b, N, 0.5, &base);
			missed += d.low > base * (scale[k] - 1) ||
				  d.high < base * (scale[k] - 1);
		}
		print_message("# ratio %.1f: %u of %u intervals miss it\n", scale[k],
			      missed, sim_seeds(SEEDS));
		assert_true(sim_rate(missed, SEEDS, 0.012, 0.095));
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
	double base;

	(void)state;
	random_state = 99;
	ar1(a, COUNT(a), 0.5, 1);
	ar1(b, COUNT(b), 0.5, 1);
	first = compare(a, b, COUNT(a), 0.5, &base);
	again = compare(a, b, COUNT(a), 0.5, &base);
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
		cmocka_unit_test(test_ratio_known),
		cmocka_unit_test(test_ratio_stays_above_zero),
		cmocka_unit_test(test_signed_values),
		cmocka_unit_test(test_value_far_out),
		cmocka_unit_test(test_scatter_of_runs),
		cmocka_unit_test(test_false_alarms),
		cmocka_unit_test(test_coverage_of_a_ratio),
		cmocka_unit_test(test_power),
		cmocka_unit_test(test_dependence_of_ar1),
		cmocka_unit_test(test_across_recordings),
		cmocka_unit_test(test_seeded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
