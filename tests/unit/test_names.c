/* SPDX-License-Identifier: GPL-2.0-only */
/* record/elf: what names of thunks and of Rust say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "record/elf/elf_file.h"

static void names_of_thunks(void **state)
{
	static const struct {
		const char *name, *function;
		int64_t plus, vcall;
	} all[] = {
		{"_ZThn16_N6MyCard8dma_waitEj", "N6MyCard8dma_waitEj", -16, 0},
		{"_ZTh8_N1A1fEv", "N1A1fEv", 8, 0},
		{"_ZTv0_n24_N4Virt13dma_from_hostEj", "N4Virt13dma_from_hostEj", 0, -24},
		{"_ZTchn16_h16_N6MyCard4selfEv", "N6MyCard4selfEv", -16, 0},
		{"_ZTch0_v0_n40_N1B1gEv", "N1B1gEv", 0, 0},
		{"_ZTcv0_n32_h8_N1B1gEv", "N1B1gEv", 0, -32},
	};
	static const char *const none[] = {
		"_ZTV6MyCard",	 "_ZN6MyCard8dma_waitEj", "dma_wait", "_ZTh",  "_ZThn_f",
		"_ZTh16N1A1fEv", "_ZTv0_N1A1fEv",	  "_ZTc0_",   "_ZTch", "",
	};
	int64_t plus, vcall;

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		assert_string_equal(elf_thunk(all[i].name, &plus, &vcall),
				    all[i].function);
		assert_int_equal(plus, all[i].plus);
		assert_int_equal(vcall, all[i].vcall);
	}
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		assert_null(elf_thunk(none[i], &plus, &vcall));
}

static void thunks_are_called_as_their_function(void **state)
{
	static const char *const name[][2] = {
		{"non-virtual thunk to MyCard::dma_wait(unsigned int)",
		 "MyCard::dma_wait"},
		{"virtual thunk to ns::V::f()", "ns::V::f"},
		{"covariant return thunk to A::g() const", "A::g"},
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		char *q = elf_qualified(name[i][0]);

		assert_string_equal(q, name[i][1]);
		free(q);
	}
}

static void names_of_rust(void **state)
{
	static const char *const name[][2] = {
		{"<card::Card>::dma_wait", "card::Card::dma_wait"},
		{"<card::Card<u8>>::dma_wait::<u32, fn() -> u64>",
		 "card::Card<u8>::dma_wait"},
		{"card::go::<card::Card>", "card::go"},
		{"<card::Card as card::Dma<u8>>::dma_wait",
		 "<card::Card as card::Dma<u8>>::dma_wait"},
		{"<", "<"},
		{"<a", "<a"},
		{"<>", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(name) / sizeof(*name); i++) {
		char *q = elf_qualified(name[i][0]);

		assert_string_equal(q, name[i][1]);
		free(q);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_thunks),
		cmocka_unit_test(thunks_are_called_as_their_function),
		cmocka_unit_test(names_of_rust),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
