/* SPDX-License-Identifier: GPL-2.0-only */
/* lib/err: the first fault is told, once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/err.h"

static void test_first_wins(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(err_set(&e, ERR_FORMAT, "%s: %d", "a", 1), ERR_FORMAT);
	assert_int_equal(err_set(&e, ERR_IO, "b"), ERR_IO);
	errno = EPERM;
	assert_int_equal(err_errno(&e, "c"), ERR_PERM);
	assert_int_equal(e.code, ERR_FORMAT);
	assert_string_equal(e.text, "a: 1");
}

static void test_without_err(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ERR_LIMIT, "x"), ERR_LIMIT);
	errno = ENOENT;
	assert_int_equal(err_errno(NULL, "x"), ERR_NOTFOUND);
	err_prefix(NULL, "x");
}

static void test_codes_of_errno(void **state)
{
	static const struct {
		int error;
		enum err_code code;
	} codes[] = {{EACCES, ERR_PERM},  {EPERM, ERR_PERM}, {ENOENT, ERR_NOTFOUND},
		     {ENOMEM, ERR_NOMEM}, {EIO, ERR_IO},     {ENOSPC, ERR_IO}};

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		struct err e = {0};
		char want[128];

		snprintf(want, sizeof(want), "f: cannot: %s", strerror(codes[i].error));
		errno = codes[i].error;
		assert_int_equal(err_errno(&e, "%s: cannot", "f"), codes[i].code);
		assert_string_equal(e.text, want);
	}
}

static void test_prefix(void **state)
{
	struct err e = {0};

	(void)state;
	err_prefix(&e, "nothing yet");
	assert_int_equal(e.code, 0);
	assert_string_equal(e.text, "");
	err_set(&e, ERR_USAGE, "bad value");
	err_prefix(&e, "%s:%d", "f.ini", 3);
	assert_string_equal(e.text, "f.ini:3: bad value");
	assert_int_equal(e.code, ERR_USAGE);
}

/* Longer than the text: cut, and still a string. */
static void test_long(void **state)
{
	struct err e = {0};
	char text[3000];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = 0;
	errno = EIO;
	err_errno(&e, "%s", text);
	err_prefix(&e, "%s", text);
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_wins),     cmocka_unit_test(test_without_err),
		cmocka_unit_test(test_codes_of_errno), cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
