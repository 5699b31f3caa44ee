/* SPDX-License-Identifier: GPL-2.0-only */
/* lib/num: strict numbers, exact durations, lists, and what a person reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/num.h"

typedef int parse(const char *text, int64_t min, int64_t max, int64_t *out,
		  struct err *e);

static void good(parse *p, const char *text, int64_t value)
{
	struct err e = {0};
	int64_t v = -77;

	if (p(text, INT64_MIN, INT64_MAX, &v, &e))
		fail_msg("'%s': %s", text, e.text);
	if (v != value)
		fail_msg("'%s': %lld", text, (long long)v);
}

/* Refused, naming the text, and *out left alone. */
static void bad(parse *p, const char *text, int64_t min, int64_t max)
{
	struct err e = {0};
	int64_t v = -77;

	if (p(text, min, max, &v, &e) != ERR_USAGE)
		fail_msg("'%s' was taken", text);
	assert_int_equal(v, -77);
	assert_non_null(strstr(e.text, text));
}

static void test_whole_numbers(void **state)
{
	static const char *const none[] = {"",	 " ",	"-",	"+",   "0x",  "1x", "1 ",
					   " 1", "1.5", "0x1g", "--1", "ten", "1e3"};

	(void)state;
	good(num_i64, "0", 0);
	good(num_i64, "-5", -5);
	good(num_i64, "+7", 7);
	good(num_i64, "0x1F", 31);
	good(num_i64, "-0x10", -16);
	good(num_i64, "010", 10);
	good(num_i64, "9223372036854775807", INT64_MAX);
	good(num_i64, "-9223372036854775808", INT64_MIN);
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		bad(num_i64, none[i], INT64_MIN, INT64_MAX);
	bad(num_i64, "9223372036854775808", INT64_MIN, INT64_MAX);
	bad(num_i64, "99999999999999999999999", INT64_MIN, INT64_MAX);
	bad(num_i64, "6", 0, 5);
	bad(num_i64, "-1", 0, 5);
}

static void test_range_is_named(void **state)
{
	struct err e = {0};
	int64_t v;

	(void)state;
	num_i64("6", 1, 5, &v, &e);
	assert_non_null(strstr(e.text, "1 to 5"));
}

static void test_bytes(void **state)
{
	static const char *const none[] = {"", "K", "1.5K", "4 K", "4KK", "4Kb/s", "4T"};

	(void)state;
	good(num_bytes, "4096", 4096);
	good(num_bytes, "4k", 4096);
	good(num_bytes, "4KiB", 4096);
	good(num_bytes, "0x10K", 16384);
	good(num_bytes, "8M", 8 << 20);
	good(num_bytes, "2GiB", INT64_C(2) << 30);
	good(num_bytes, "7B", 7);
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		bad(num_bytes, none[i], INT64_MIN, INT64_MAX);
	bad(num_bytes, "9007199254740993G", 0, INT64_MAX);
	bad(num_bytes, "-1", 0, INT64_MAX);
}

static void test_durations(void **state)
{
	static const char *const none[] = {"",	  "s",	   ".5s", "1.s",    "-1s",
					   "1 s", "1msec", "0x",  "1.5.5s", "1..5s"};

	(void)state;
	good(num_duration_ns, "10s", 10000000000);
	good(num_duration_ns, "2.5ms", 2500000);
	good(num_duration_ns, "300us", 300000);
	good(num_duration_ns, "300µs", 300000);
	good(num_duration_ns, "7ns", 7);
	good(num_duration_ns, "1min", 60000000000);
	good(num_duration_ns, "1.5min", 90000000000);
	good(num_duration_ns, "1h", 3600000000000);
	good(num_duration_ns, "1.000000001", 1000000001);
	good(num_duration_ns, "0.1", 100000000);
	good(num_duration_ns, "0", 0);
	good(num_duration_ns, "1.0000000000s", 1000000000);
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		bad(num_duration_ns, none[i], INT64_MIN, INT64_MAX);
	bad(num_duration_ns, "1.5ns", 0, INT64_MAX);
	bad(num_duration_ns, "1.0000000001s", 0, INT64_MAX);
	bad(num_duration_ns, "9999999999h", 0, INT64_MAX);
	bad(num_duration_ns, "2s", 0, 1000000000);
}

static void test_shares(void **state)
{
	static const char *const none[] = {"",	  "%",	  "5 %",   "5%%", "-5%", "nan",
					   "inf", "five", "0.05x", "1",	  "10",	 "5."};
	double v = -1;

	(void)state;
	assert_int_equal(num_share("5%", 0, 1, &v, NULL), 0);
	assert_true(v == 0.05);
	assert_int_equal(num_share("0.25", 0, 1, &v, NULL), 0);
	assert_true(v == 0.25);
	assert_int_equal(num_share(".5", 0, 1, &v, NULL), 0);
	assert_true(v == 0.5);
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		assert_int_equal(num_share(none[i], 0, 1, &v, NULL), ERR_USAGE);
	assert_int_equal(num_share("101%", 0, 1, &v, NULL), ERR_USAGE);
	assert_int_equal(num_share("1e400", 0, 1, &v, NULL), ERR_USAGE);
}

static void list(const char *text, const int64_t *want, size_t nwant)
{
	struct err e = {0};
	int64_t *v;
	size_t n;

	if (num_list(text, 0, 4096, 100, &v, &n, &e))
		fail_msg("%s", e.text);
	assert_int_equal(n, nwant);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(v[i], want[i]);
	free(v);
}

static void test_lists(void **state)
{
	int64_t all[100];

	(void)state;
	for (int i = 0; i < 100; i++)
		all[i] = i;
	list("5", (int64_t[]){5}, 1);
	list("1,5,7-9", (int64_t[]){1, 5, 7, 8, 9}, 5);
	list("9,7-9,7", (int64_t[]){9, 7, 8}, 3);
	list("0-99", all, 100);
}

static void test_bad_lists(void **state)
{
	static const char *const none[] = {
		"",    ",",    "1,",	 ",1",	      "1-",
		"-1",  "3-1",  "1-2-3",	 "1 2",	      "a",
		"1;2", "5000", "0-4000", "4095-4097", "0-9223372036854775807"};
	int64_t *v = NULL;
	size_t n = 9;

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
		struct err e = {0};

		assert_int_equal(num_list(none[i], 0, 4096, 100, &v, &n, &e), ERR_USAGE);
		assert_true(e.text[0]);
		assert_int_equal(num_list(none[i], 0, 4096, 100, &v, &n, NULL),
				 ERR_USAGE);
	}
	assert_null(v);
	assert_int_equal(n, 9);
}

static void expect_ns(int64_t ns, const char *text)
{
	char buf[32];

	assert_string_equal(num_print_ns(buf, ns), text);
}

static void test_print_durations(void **state)
{
	(void)state;
	expect_ns(0, "0 ns");
	expect_ns(999, "999 ns");
	expect_ns(-999, "-999 ns");
	expect_ns(1000, "1.00 µs");
	expect_ns(12345, "12.3 µs");
	expect_ns(123456, "123 µs");
	expect_ns(999499, "999 µs");
	expect_ns(999500, "1.00 ms");
	expect_ns(9994, "9.99 µs");
	expect_ns(9996, "10.0 µs");
	expect_ns(98000000, "98.0 ms");
	expect_ns(-1500000000, "-1.50 s");
	expect_ns(INT64_MAX, "9223372037 s");
	expect_ns(INT64_MIN, "-9223372037 s");
}

static void expect_bytes(int64_t bytes, const char *text)
{
	char buf[32];

	assert_string_equal(num_print_bytes(buf, bytes), text);
}

static void test_print_bytes(void **state)
{
	(void)state;
	expect_bytes(0, "0 B");
	expect_bytes(1023, "1023 B");
	expect_bytes(65536, "64 KiB");
	expect_bytes(1536, "1.5 KiB");
	expect_bytes(INT64_C(3) << 29, "1.5 GiB");
	expect_bytes(INT64_MAX, "8388608 TiB");
	expect_bytes(-2048, "-2 KiB");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_numbers),
		cmocka_unit_test(test_range_is_named),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_bad_lists),
		cmocka_unit_test(test_print_durations),
		cmocka_unit_test(test_print_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
