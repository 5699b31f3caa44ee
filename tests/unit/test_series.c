/* SPDX-License-Identifier: GPL-2.0-only */
/* Several recordings: their order, their files, and when they end. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/err.h"
#include "record/series.h"

static void test_cut_at_vs(void **state)
{
	char a[] = "./a", x[] = "-x", vs[] = "--vs", b[] = "./b";
	char *argv[] = {a, x, vs, b, NULL}, *alone[] = {a, x, NULL};

	(void)state;
	assert_ptr_equal(series_cut(argv), &argv[3]);
	assert_null(argv[2]);
	assert_null(series_cut(alone));
	assert_null(series_cut(NULL));
}

/* Neither command is always the first of its pair. */
static void test_in_turns(void **state)
{
	char *argv[] = {NULL};
	struct series s = {.runs = 3, .command = {argv, argv}};
	static const int want[] = {0, 1, 1, 0, 0, 1};

	(void)state;
	for (int i = 0; i < 6; i++)
		assert_int_equal(series_side(&s, i), want[i]);
	s.command[1] = NULL;
	assert_int_equal(series_side(&s, 1), 0);
}

static void expect_output(const char *output, const char *label, const char *want)
{
	struct series s = {.output = output, .label = {label}};
	char *got = series_output(&s, 0, 2);

	assert_string_equal(got, want);
	free(got);
}

static void test_files(void **state)
{
	(void)state;
	expect_output("dma.data", NULL, "dma-2.data");
	expect_output("dma.data", "fw 4.10/b", "dma-fw_4.10_b-2.data");
	expect_output("d.ir/dma", "x", "d.ir/dma-x-2");
	expect_output(".data", NULL, ".data-2");
}

static int exit_at(void *arg, char **command, const char *label, const char *output)
{
	(void)command;
	(void)label;
	return strstr(output, arg) ? 7 : 0;
}

static void test_first_failure_ends_it(void **state)
{
	char *argv[] = {NULL}, second[] = "-2.data", never[] = "no";
	struct series s = {.runs = 3, .command = {argv}, .output = "dma.data"};
	struct err e = {0};
	int made;

	(void)state;
	assert_int_equal(series_run(&s, exit_at, never, &made, &e), 0);
	assert_int_equal(made, 3);
	assert_int_equal(series_run(&s, exit_at, second, &made, &e), 7);
	assert_int_equal(made, 2);
}

static volatile sig_atomic_t seen;

static void on_signal(int sig)
{
	(void)sig;
	seen++;
}

static int interrupt_parent(void *arg, char **command, const char *label,
			    const char *output)
{
	(void)arg;
	(void)command;
	(void)label;
	(void)output;
	kill(getppid(), SIGINT);
	return 0;
}

/* What is recorded is kept, and no further one begun. */
static void test_interrupt_ends_it(void **state)
{
	char *argv[] = {NULL};
	struct series s = {.runs = 3, .command = {argv}, .output = "dma.data"};
	struct err e = {0};
	int made;

	(void)state;
	signal(SIGINT, on_signal); /* it is delivered when the series has ended */
	assert_int_equal(series_run(&s, interrupt_parent, NULL, &made, &e), 0);
	signal(SIGINT, SIG_DFL);
	assert_int_equal(made, 1);
	assert_int_equal(seen, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut_at_vs),
		cmocka_unit_test(test_in_turns),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_first_failure_ends_it),
		cmocka_unit_test(test_interrupt_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
