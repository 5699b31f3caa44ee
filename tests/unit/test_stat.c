/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Histogram and statistics against known answers: published tables, NIST's reference
 * data, and sorting.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "lib/dma.h"
#include "lib/hist.h"
#include "lib/stat.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void near(double got, double want, double tolerance)
{
	if (!(fabs(got - want) <= tolerance)) {
		print_message("# got %.12g, want %.12g\n", got, want);
		fail();
	}
}

/* ---- hist ---- */

static void test_empty(void **state)
{
	struct hist *h = hist_new();
	struct quantile q;
	int64_t low, high;
	uint64_t n;
	size_t i = 0;

	(void)state;
	assert_true(hist_min(h) == DMA_UNKNOWN && hist_max(h) == DMA_UNKNOWN);
	assert_true(isnan(hist_mean(h)) && isnan(hist_stddev(h)));
	assert_true(hist_at_rank(h, 1) == DMA_UNKNOWN);
	assert_false(hist_next(h, &i, &low, &high, &n));
	stat_quantile(h, 0, 0.5, 0.95, &q);
	assert_true(q.value_ns == DMA_UNKNOWN && q.ci_low_ns == DMA_UNKNOWN);
	hist_free(h);
	hist_free(NULL);
}

static void test_one(void **state)
{
	struct hist *h = hist_new();
	struct quantile q;

	(void)state;
	hist_add(h, 123456789, 1);
	assert_int_equal(hist_at_rank(h, 1), 123456789); /* clamped into [min, max] */
	assert_true(isnan(hist_stddev(h)));
	stat_quantile(h, 0, 0.5, 0.95, &q);
	assert_int_equal(q.value_ns, 123456789);
	assert_true(q.ci_low_ns == DMA_UNKNOWN && q.ci_high_ns == DMA_UNKNOWN);
	hist_free(h);
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Any rank, over 12 decades and both signs, is within 0.4 % of the sorted value. */
static void test_error_bound(void **state)
{
	enum { N = 20000 };
	static int64_t v[N];
	struct hist *h = hist_new();

	(void)state;
	srandom(7);
	for (size_t i = 0; i < N; i++) {
		v[i] = (int64_t)exp((double)random() / RAND_MAX * 27);
		v[i] *= i % 5 ? 1 : -1;
		assert_int_equal(hist_add(h, v[i], 1), 0);
	}
	qsort(v, N, sizeof(*v), by_value);
	for (size_t i = 0; i < N; i++)
		near((double)hist_at_rank(h, i + 1), (double)v[i],
		     fabs((double)v[i]) / 256 + 0.5);
	assert_int_equal(hist_min(h), v[0]);
	assert_int_equal(hist_max(h), v[N - 1]);
	hist_free(h);
}

static void test_extremes(void **state)
{
	struct hist *h = hist_new();
	int64_t low, high, before = INT64_MIN;
	uint64_t n, sum = 0;
	size_t i = 0;

	(void)state;
	hist_add(h, INT64_MAX, 1);
	hist_add(h, -INT64_MAX, 1);
	hist_add(h, 0, 1);
	hist_add(h, -1, 1);
	assert_int_equal(hist_at_rank(h, 1), -INT64_MAX);
	assert_int_equal(hist_at_rank(h, 2), -1);
	assert_int_equal(hist_at_rank(h, 3), 0);
	assert_int_equal(hist_at_rank(h, 4), INT64_MAX);
	while (hist_next(h, &i, &low, &high, &n)) {
		assert_true(low >= before && high > low);
		before = high;
		sum += n;
	}
	assert_int_equal(sum, 4);
	hist_free(h);
}

static void test_merge_is_addition(void **state)
{
	struct hist *a = hist_new(), *b = hist_new(), *all = hist_new();

	(void)state;
	srandom(3);
	for (int i = 0; i < 5000; i++) {
		int64_t v = random() % 1000000 - 1000;

		hist_add(i % 3 ? a : b, v, 1 + (uint64_t)(i % 2));
		hist_add(all, v, 1 + (uint64_t)(i % 2));
	}
	hist_merge(a, b);
	assert_int_equal(hist_n(a), hist_n(all));
	for (uint64_t r = 1; r <= hist_n(all); r += 97)
		assert_int_equal(hist_at_rank(a, r), hist_at_rank(all, r));
	near(hist_mean(a), hist_mean(all), 1e-6);
	near(hist_stddev(a), hist_stddev(all), 1e-6);
	hist_free(a);
	hist_free(b);
	hist_free(all);
}

/* ---- quantiles ---- */

static void test_nearest_rank(void **state)
{
	struct hist *h = hist_new();
	struct quantile q;

	(void)state;
	for (int i = 1; i <= 10; i++)
		hist_add(h, i, 1);
	stat_quantile(h, 0, 0.5, 0.95, &q);
	assert_int_equal(q.value_ns, 5);
	stat_quantile(h, 0, 0.9, 0.95, &q);
	assert_int_equal(q.value_ns, 9);
	stat_quantile(h, 0, 0.99, 0.95, &q);
	assert_int_equal(q.value_ns, 10);
	assert_true(q.bound_low_ns == 10 && q.bound_high_ns == 10);
	hist_free(h);
}

/* Ten values 1..10 and two left out: of twelve the median is the 6th, which is 4 when
 * both were faster and 6 when both were slower; the p99 may be anything above. */
static void test_bounds_with_excluded(void **state)
{
	struct hist *h = hist_new();
	struct quantile q;

	(void)state;
	for (int i = 1; i <= 10; i++)
		hist_add(h, i, 1);
	stat_quantile(h, 2, 0.5, 0.95, &q);
	assert_int_equal(q.bound_low_ns, 4);
	assert_int_equal(q.bound_high_ns, 6);
	stat_quantile(h, 2, 0.99, 0.95, &q);
	assert_int_equal(q.bound_low_ns, 10);
	assert_true(q.bound_high_ns == DMA_UNKNOWN);
	hist_free(h);
}

/* Conover, Practical Nonparametric Statistics, table of the sign test's intervals for the
 * median at 95 %: n = 10 -> ranks 2 and 9 (97.9 %); n = 20 -> 6 and 15 (95.9 %); n = 5 ->
 * none. */
static void test_median_interval_ranks(void **state)
{
	uint64_t low, high;

	(void)state;
	stat_quantile_ranks(10, 0.5, 0.95, &low, &high);
	assert_true(low == 2 && high == 9);
	stat_quantile_ranks(20, 0.5, 0.95, &low, &high);
	assert_true(low == 6 && high == 15);
	stat_quantile_ranks(5, 0.5, 0.95, &low, &high);
	assert_true(low == 0 && high == 0);
	/* p99 of 100: no upper end, since P(all 100 below it) = 36.6 % */
	stat_quantile_ranks(100, 0.99, 0.95, &low, &high);
	assert_true(low == 97 && high == 0);
}

/* Just above n = 1000 the approximation may be wider than the exact one, never by more
 * than a rank or two. */
static void test_ranks_meet(void **state)
{
	uint64_t l1, h1, l2, h2;

	(void)state;
	stat_quantile_ranks(1000, 0.9, 0.95, &l1, &h1);
	stat_quantile_ranks(1001, 0.9, 0.95, &l2, &h2);
	assert_in_range(l1 - l2 + 3, 0, 6);
	assert_in_range(h2 - h1 + 3, 0, 6);
}

/* ---- distributions ---- */

/* P(B <= k), B binomial(n, q), each term for itself. */
static double binomial(uint64_t n, double q, uint64_t k)
{
	double sum = 0;

	for (uint64_t i = 0; i <= k; i++)
		sum += exp(lgamma((double)n + 1) - lgamma((double)i + 1) -
			   lgamma((double)(n - i) + 1) + (double)i * log(q) +
			   (double)(n - i) * log1p(-q));
	return sum;
}

/* The largest l with P(B < l) <= 2.5 %, the smallest u with P(B >= u) <= 2.5 %. */
static void test_ranks_by_definition(void **state)
{
	static const uint64_t n[] = {1, 7, 40, 369, 1000};

	(void)state;
	for (size_t i = 0; i < COUNT(n); i++)
		for (size_t k = 0; k < stat_nquantiles; k++) {
			double q = stat_quantiles[k];
			uint64_t low, high;

			stat_quantile_ranks(n[i], q, 0.95, &low, &high);
			assert_true(!low || binomial(n[i], q, low - 1) <= 0.025);
			assert_true(binomial(n[i], q, low) > 0.025);
			assert_true(!high || 1 - binomial(n[i], q, high - 1) <= 0.025);
			assert_true(
				high == 1 ||
				1 - binomial(n[i], q, (high ? high : n[i]) - 2 + !high) >
					0.025);
		}
}

static double cpu_seconds(uint64_t n)
{
	struct timespec a, b;
	uint64_t low, high;
	double least = INFINITY;

	for (int round = 0; round < 5; round++) {
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
		for (int i = 0; i < 20; i++)
			stat_quantile_ranks(n, 0.5, 0.95, &low, &high);
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
		least = fmin(least, (double)(b.tv_sec - a.tv_sec) +
					    1e-9 * (double)(b.tv_nsec - a.tv_nsec));
	}
	return least;
}

/* A report asks for hundreds of intervals: their cost must not grow with the square. Ten
 * times the values cost ten times as much, and with the square a hundred times. */
static void test_ranks_are_linear(void **state)
{
	double few = cpu_seconds(100), many = cpu_seconds(1000);

	(void)state;
	print_message("# 1000 values cost %.1f times as much as 100\n", many / few);
	assert_true(many < 30 * few);
}

static void test_normal(void **state)
{
	(void)state;
	near(normal_quantile(0.975), 1.959963984540054, 1e-14);
	near(normal_quantile(0.5), 0, 1e-15);
	near(normal_quantile(1e-10), -6.361340902404056, 1e-9);
}

/* Tabulated values (NIST/SEMATECH e-Handbook 1.3.6.7.2). */
static void test_student_t(void **state)
{
	(void)state;
	near(student_t_quantile(0.975, 1), 12.706205, 1e-6);
	near(student_t_quantile(0.975, 10), 2.228139, 1e-6);
	near(student_t_quantile(0.95, 30), 1.697261, 1e-6);
	near(student_t_quantile(0.005, 5), -4.032143, 1e-6);
	near(student_t_quantile(0.975, 1e6), 1.959966, 1e-6);
}

/* NIST StRD, linear regression, dataset Norris: certified values. */
static void test_norris(void **state)
{
	static const double yx[][2] = {
		{0.1, 0.2},	{338.8, 337.4}, {118.1, 118.2}, {888.0, 884.6},
		{9.2, 10.1},	{228.1, 226.5}, {668.5, 666.3}, {998.5, 996.3},
		{449.1, 448.6}, {778.9, 777.0}, {559.2, 558.2}, {0.3, 0.4},
		{0.1, 0.6},	{778.1, 775.5}, {668.8, 666.9}, {339.3, 338.0},
		{448.9, 447.5}, {10.8, 11.6},	{557.7, 556.0}, {228.3, 228.1},
		{998.0, 995.8}, {888.8, 887.6}, {119.6, 120.2}, {0.3, 0.3},
		{0.6, 0.3},	{557.6, 556.8}, {339.3, 339.1}, {888.0, 887.2},
		{998.5, 999.0}, {778.9, 779.0}, {10.2, 11.1},	{117.6, 118.3},
		{228.9, 229.2}, {668.4, 669.1}, {449.2, 448.9}, {0.2, 0.5},
	};
	struct linear_fit f = {0};
	struct linear_result r;

	(void)state;
	for (size_t i = 0; i < COUNT(yx); i++)
		linear_fit_add(&f, yx[i][1], yx[i][0]);
	linear_fit_solve(&f, &r);
	near(r.a, -0.262323073774029, 1e-9);
	near(r.b, 1.00211681802045, 1e-11);
	near(r.se_a, 0.232818234301152, 1e-9);
	near(r.se_b, 0.429796848199937e-3, 1e-12);
	near(r.r2, 0.999993745883712, 1e-12);
}

static double uniform(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return ((double)(*s >> 11) + 0.5) / 9007199254740992.0;
}

/* latency = 20 us + size / 2 GB/s with noise, plain or with a tail: how often do the
 * intervals hold the truth? */
static void test_fit_covers(void **state)
{
	(void)state;
	for (int tail = 0; tail < 2; tail++) {
		int a = 0, b = 0;

		for (uint64_t seed = 1; seed <= 400; seed++) {
			uint64_t s = seed * 0x9e3779b97f4a7c15u;
			struct linear_fit f = {0};
			struct linear_result r;

			for (int i = 0; i < 500; i++) {
				double size = 4096 << (int)(5 * uniform(&s));
				double noise = 1000 * sqrt(-2 * log(uniform(&s))) *
					       cos(6.283185307179586 * uniform(&s));

				if (tail && uniform(&s) < 0.02)
					noise += 20000 * -log(uniform(&s)) - 20000;
				linear_fit_add(&f, size, 20000 + size / 2 + noise);
			}
			linear_fit_solve(&f, &r);
			a += r.ci_a[0] <= 20000 && 20000 <= r.ci_a[1];
			b += r.ci_b[0] <= 0.5 && 0.5 <= r.ci_b[1];
		}
		print_message(
			"# fit, %s: a in %d, bandwidth in %d of 400 intervals of 95 %%\n",
			tail ? "tail" : "normal", a, b);
		assert_in_range(a, tail ? 360 : 372, 395);
		assert_in_range(b, tail ? 360 : 372, 395);
	}
}

static void test_fit_needs_two_sizes(void **state)
{
	struct linear_fit f = {0};
	struct linear_result r;

	(void)state;
	linear_fit_solve(&f, &r);
	assert_true(isnan(r.a) && isnan(r.b));
	linear_fit_add(&f, 4096, 10);
	linear_fit_add(&f, 4096, 20);
	linear_fit_solve(&f, &r);
	assert_true(isnan(r.a) && isnan(r.b));
	linear_fit_add(&f, 8192, 30);
	linear_fit_solve(&f, &r);
	near(r.b, 15.0 / 4096, 1e-12);
}

/* 1 - 0.05^(1/10); R: qbeta(0.95, 2, 9), qbeta(0.95, 21, 999980). */
static void upper_bounds_of_shares_are_exact(void **state)
{
	(void)state;
	assert_true(fabs(proportion_upper(0, 10, 0.95) - 0.2588656) < 1e-6);
	assert_true(fabs(proportion_upper(1, 10, 0.95) - 0.3941633) < 1e-6);
	assert_true(fabs(proportion_upper(20, 1000000, 0.95) - 2.9062e-5) < 1e-8);
	assert_true(proportion_upper(10, 10, 0.95) == 1);
	assert_true(isnan(proportion_upper(0, 0, 0.95)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(upper_bounds_of_shares_are_exact),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_one),
		cmocka_unit_test(test_error_bound),
		cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_merge_is_addition),
		cmocka_unit_test(test_nearest_rank),
		cmocka_unit_test(test_bounds_with_excluded),
		cmocka_unit_test(test_median_interval_ranks),
		cmocka_unit_test(test_ranks_meet),
		cmocka_unit_test(test_ranks_by_definition),
		cmocka_unit_test(test_ranks_are_linear),
		cmocka_unit_test(test_normal),
		cmocka_unit_test(test_student_t),
		cmocka_unit_test(test_norris),
		cmocka_unit_test(test_fit_needs_two_sizes),
		cmocka_unit_test(test_fit_covers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
