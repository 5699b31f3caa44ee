/* SPDX-License-Identifier: GPL-2.0-only */
/* Text from outside, as a person's terminal and as JSON get it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/dma.h"
#include "lib/json.h"
#include "lib/text.h"

static void what_steers_a_terminal(void **state)
{
	char text[] = "a\033[2J\x07 b\x7f\nc\tä\xc2\x9b"
		      "31m",
	     plain[] = "übrig: 3 µs\n";

	(void)state;
	assert_string_equal(text_clean(text), "a?[2J? b?\nc?ä??31m");
	assert_string_equal(text_clean(plain), "übrig: 3 µs\n");
	assert_null(text_clean(NULL));
}

/* Unicode 15, table 3-7: the first and last of each row, and their neighbours. */
static void well_formed_utf8(void **state)
{
	static const struct {
		const char *text;
		size_t bytes;
	} c[] = {
		{"\x7f", 1},
		{"\x80", 0},
		{"\xc1\xbf", 0},
		{"\xc2\x80", 2},
		{"\xdf\xbf", 2},
		{"\xc2\x7f", 0},
		{"\xe0\x9f\xbf", 0},
		{"\xe0\xa0\x80", 3},
		{"\xed\x9f\xbf", 3},
		{"\xed\xa0\x80", 0},
		{"\xef\xbf\xbf", 3},
		{"\xf0\x8f\xbf\xbf", 0},
		{"\xf0\x90\x80\x80", 4},
		{"\xf4\x8f\xbf\xbf", 4},
		{"\xf4\x90\x80\x80", 0},
		{"\xf5\x80\x80\x80", 0},
		{"\xe2\x82", 0},
		{"\xf0\x90\x80", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(c) / sizeof(*c); i++)
		if (text_utf8((const unsigned char *)c[i].text) != c[i].bytes)
			fail_msg("case %zu", i);
}

static void numbers(void **state)
{
	char buf[32];

	(void)state;
	assert_string_equal(text_count(0, buf), "0");
	assert_string_equal(text_count(999, buf), "999");
	assert_string_equal(text_count(1000, buf), "1,000");
	assert_string_equal(text_count(UINT64_MAX, buf), "18,446,744,073,709,551,615");
	assert_string_equal(text_s(0), "s");
	assert_string_equal(text_s(1), "");
	assert_string_equal(text_number(2, "it", "they"), "they");
}

static char *json(const char *text, int64_t i, double real)
{
	char *out = NULL;
	size_t len;
	FILE *f = open_memstream(&out, &len);

	json_text(f, text);
	putc(' ', f);
	json_i64(f, i);
	putc(' ', f);
	json_real(f, real);
	fclose(f);
	return out;
}

static void json_says(const char *text, int64_t i, double real, const char *expected)
{
	char *got = json(text, i, real);

	assert_string_equal(got, expected);
	free(got);
}

static void json_values(void **state)
{
	(void)state;
	json_says("a\"b\\c\n\x7f", INT64_MIN + 1, 0.25,
		  "\"a\\\"b\\\\c\\u000a\\u007f\" -9223372036854775807 0.25");
	json_says("\xff\xc3(ü\xed\xa0\x80", 0, 1e300,
		  "\"\\ufffd\\ufffd(ü\\ufffd\\ufffd\\ufffd\" 0 1e+300");
	json_says(NULL, DMA_UNKNOWN, NAN, "null null null");
	json_says("", 1, INFINITY, "\"\" 1 null");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_steers_a_terminal),
		cmocka_unit_test(well_formed_utf8),
		cmocka_unit_test(numbers),
		cmocka_unit_test(json_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
