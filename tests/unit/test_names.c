/* SPDX-License-Identifier: GPL-2.0-only */
/* record/elf: what names of thunks and of Rust say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "record/elf/elf_file.h"
#include "record/elf/pattern.h"

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

static void types_arguments_may_be_left_out(void **state)
{
	static const char *const name[][2] = {
		{"r2::hw::Channel<4>::begin", "r2::hw::Channel::begin"},
		{"<hw::Channel<4> as hw::Transfer<&str>>::begin",
		 "<hw::Channel as hw::Transfer>::begin"},
		{"<hw::Queue<fn(u8) -> u32, 2> as hw::Dma>::go",
		 "<hw::Queue as hw::Dma>::go"},
		{"card::go::<card::Card<u8>>", "card::go"},
		{"Dev<std::vector<int> >::kick<short>", "Dev::kick"},
		{"Card::operator<", "Card::operator<"},
		{"plain", "plain"},
		{"a<", "a"},
		{"<", "<"},
		{">", ">"},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(name) / sizeof(*name); i++) {
		char *bare = elf_bare(name[i][0]);

		assert_string_equal(bare, name[i][1]);
		free(bare);
	}
}

static void parameters_are_one_text(void **state)
{
	static const char *const same[][2] = {
		{"(void *, size_t)", "(void*, unsigned long)"},
		{"(const char *, const unsigned int &)",
		 "(char const*,unsigned int const&)"},
		{"(unsigned, unsigned long , unsigned)",
		 "(unsigned int, unsigned long, unsigned int)"},
		{"(std::uint32_t,u_long) const", "(unsigned int, unsigned long)const"},
		{"(void)", "()"},
		{"(std::vector<int, std::allocator<int> > const&)",
		 "(const std::vector<int, std::allocator<int>>&)"},
	};
	static const char *const differ[][2] = {
		{"(int*)", "(int**)"},
		{"(int)", "(unsigned int)"},
		{"(char*)", "(char const*)"},
		{"(long, int)", "(int, long)"},
		{"(unsigned char)", "(unsigned)"},
		{"()", "(int)"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++) {
		char *a = elf_parameters(same[i][0]), *b = elf_parameters(same[i][1]);

		assert_string_equal(a, b);
		free(a);
		free(b);
	}
	for (size_t i = 0; i < sizeof(differ) / sizeof(*differ); i++) {
		char *a = elf_parameters(differ[i][0]), *b = elf_parameters(differ[i][1]);

		assert_string_not_equal(a, b);
		free(a);
		free(b);
	}
}

static void patterns_are_in_names_alone(void **state)
{
	static const char *const glob[] = {"dma_*", "Card::dma_*(void*)", "send<*>",
					   "(anonymous namespace)::dma_?", "[ab]_go"};
	static const char *const name[] = {"f(void*)",
					   "ns::Card::f(int [4], char*) const",
					   "Card::operator*",
					   "Card::operator[](int)",
					   "(anonymous namespace)::f(char**)",
					   ""};

	(void)state;
	for (size_t i = 0; i < sizeof(glob) / sizeof(*glob); i++)
		assert_true(elf_is_glob(glob[i]));
	for (size_t i = 0; i < sizeof(name) / sizeof(*name); i++)
		assert_false(elf_is_glob(name[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_thunks),
		cmocka_unit_test(thunks_are_called_as_their_function),
		cmocka_unit_test(names_of_rust),
		cmocka_unit_test(types_arguments_may_be_left_out),
		cmocka_unit_test(parameters_are_one_text),
		cmocka_unit_test(patterns_are_in_names_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
