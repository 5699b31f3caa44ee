/* SPDX-License-Identifier: GPL-2.0-only */
/* Device files by their names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/dma.h"
#include "lib/file/meta.h"

static int64_t card, channel;

static bool match(const char *pattern, const char *path)
{
	struct meta_path p = {.pattern = (char *)pattern};

	card = channel = -7;
	return meta_path_match(&p, path, &card, &channel);
}

static void test_card_and_channel(void **state)
{
	(void)state;
	assert_true(match("/dev/xdma{card}_c2h_{channel}", "/dev/xdma12_c2h_3"));
	assert_int_equal(card, 12);
	assert_int_equal(channel, 3);
	assert_true(match("/dev/litepcie{card}", "/dev/litepcie0"));
	assert_int_equal(card, 0);
	assert_int_equal(channel, DMA_UNKNOWN);
	assert_true(match("/dev/x", "/dev/x"));
	assert_int_equal(card, DMA_UNKNOWN);
}

static void test_hexadecimal(void **state)
{
	(void)state;
	assert_true(match("/dev/qdma{card:x}-MM-{channel}", "/dev/qdma3b0f1-MM-10"));
	assert_int_equal(card, 0x3b0f1);
	assert_int_equal(channel, 10);
	assert_false(match("/dev/qdma{card}-MM-{channel}", "/dev/qdma3b0f1-MM-10"));
}

static void test_whole_path(void **state)
{
	static const char *const other[] = {
		"/dev/xdma0_c2h_",
		"/dev/xdma_c2h_0",
		"/dev/xdma0_h2c_0",
		"/dev/xdma0_c2h_0x",
		"/dev/xdma0_c2h_0/",
		"xdma0_c2h_0",
		"",
		"/dev/xdma-1_c2h_0",
		"/dev/xdma0",
		"/dev/",
		"/tmp/dev/xdma0_c2h_0",
		"/dev/xdma0_c2h_0 (deleted)",
		"/dev/xdma99999999999999999999_c2h_0",
	};

	(void)state;
	for (size_t k = 0; k < sizeof(other) / sizeof(*other); k++) {
		assert_false(match("/dev/xdma{card}_c2h_{channel}", other[k]));
		assert_int_equal(card, -7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_card_and_channel),
		cmocka_unit_test(test_hexadecimal),
		cmocka_unit_test(test_whole_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
