/* SPDX-License-Identifier: GPL-2.0-only */
/* Driver counters, on the text that the flx driver shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/err.h"
#include "record/counters.h"

static const char flx[] =
	"FLX driver for release 3.4.2 (based on SVN tag x, flx.c revision y)\n"
	"\n"
	"Debug                       = 0\n"
	"Number of cards detected    = 2\n"
	"\n"
	"Card 0: build revision: 1234, date: 01-02-2015, time: 10h30\n"
	"Number of descriptors: 2, number of interrupts : 8\n"
	"Interrupt count |      0 |      0 |   5012 |\n"
	"Interrupt flag  |      0 |      0 |      1 |\n"
	"Interrupt mask  |      1 |      1 |      0 |\n"
	"MSIX PBA        00000000\n"
	"\n"
	"Card 1: build revision: 1235, date: 01-02-2015, time: 10h30\n"
	"Interrupt count |      7 |      8 |      9 |\n";

static int scan(const char *name, const char *pattern, struct counter_set *s)
{
	struct profile_counter c = {
		.file = "/proc/flx", .pattern = (char *)pattern, .name = (char *)name};

	return counters_scan(&c, flx, s, NULL);
}

static void has(const struct counter_set *s, const char *name, const char *value)
{
	const char *v = counters_find(s, name);

	assert_non_null(v);
	assert_string_equal(v, value);
}

static void test_one_value(void **state)
{
	struct counter_set s = {0};

	(void)state;
	assert_int_equal(scan("debug", "^Debug *= ([0-9]+)", &s), 1);
	assert_int_equal(scan("driver", "^FLX driver (.*)", &s), 1);
	has(&s, "debug", "0");
	has(&s, "driver", "for release 3.4.2 (based on SVN tag x, flx.c revision y)");
	counters_release(&s);
}

static void test_row_of_vectors_and_two_cards(void **state)
{
	struct counter_set s = {0};

	(void)state;
	assert_int_equal(scan("irq_count", "^Interrupt count *\\|(.*)", &s), 6);
	has(&s, "irq_count.2", "5012");
	has(&s, "irq_count#2.0", "7");
	has(&s, "irq_count#2.2", "9");
	assert_null(counters_find(&s, "irq_count.3"));
	counters_release(&s);
}

static void test_named_by_the_file(void **state)
{
	struct counter_set s = {0};

	(void)state;
	assert_int_equal(scan("irq", "^Interrupt ([a-z]+) *\\|(.*)", &s), 12);
	has(&s, "irq.mask.1", "1");
	has(&s, "irq.count#2.1", "8");
	counters_release(&s);
}

static void test_nothing_fits(void **state)
{
	struct counter_set s = {0};

	(void)state;
	assert_int_equal(scan("x", "^nothing (.*)", &s), 0);
	counters_release(&s);
}

static void test_missing_is_said(void **state)
{
	struct profile_counter c[2] = {
		{.file = "/nonexistent", .pattern = "(.*)", .name = "a"},
		{.file = "/proc/sys/kernel/pid_max", .pattern = "^([0-9]+)", .name = "b"},
	};
	struct profile p = {.counter = c, .ncounter = 2};
	struct counter_set s;
	char *missing = NULL;

	(void)state;
	assert_int_equal(counters_read(&p, NULL, &s, &missing, NULL), 0);
	assert_non_null(counters_find(&s, "b"));
	assert_non_null(strstr(missing, "/nonexistent"));
	free(missing);
	counters_release(&s);
}

/* What a profile may not read, though it may be there and readable. */
static void test_files_of_the_kernel_only(void **state)
{
	static const char *const secret[] = {"/etc/passwd", "/proc/self/root/etc/passwd",
					     "/proc/1/environ", "/proc/kallsyms",
					     "/proc/../etc/passwd"};
	const char *named = "/etc/passwd";
	const struct counter_files files = {&named, 1};
	struct counter_set s;

	(void)state;
	for (size_t k = 0; k < sizeof(secret) / sizeof(*secret); k++) {
		struct profile_counter c = {
			.file = (char *)secret[k], .pattern = "(.+)", .name = "x"};
		struct profile p = {.counter = &c, .ncounter = 1};
		char *missing = NULL;

		assert_int_equal(counters_read(&p, NULL, &s, &missing, NULL), 0);
		assert_int_equal(s.n, 0);
		assert_non_null(missing);
		free(missing);
		assert_int_equal(counters_read(&p, &files, &s, &missing, NULL), 0);
		assert_int_equal(s.n > 0, k == 0);
		free(missing);
		counters_release(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_value),
		cmocka_unit_test(test_row_of_vectors_and_two_cards),
		cmocka_unit_test(test_named_by_the_file),
		cmocka_unit_test(test_nothing_fits),
		cmocka_unit_test(test_missing_is_said),
		cmocka_unit_test(test_files_of_the_kernel_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
