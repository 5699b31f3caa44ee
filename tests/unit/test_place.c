/* SPDX-License-Identifier: GPL-2.0-only */
/* record/agent/place: which places are safe, and what the others are refused for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/err.h"
#include "record/agent/place.h"
#include "record/elf/elf_file.h"

#ifdef __x86_64__
static struct elf_file *shapes(void)
{
	struct elf_file *f;
	struct err e = {0};

	if (elf_file_open(&f, TEST_BUILD "/tests/unit/libshapes.so", &e))
		fail_msg("%s", e.text);
	return f;
}

static int make(struct elf_file *f, const char *function, enum place_where where,
		size_t nth, struct agent_place *p, struct err *e)
{
	const struct elf_function *x = elf_function_named(f, function);
	struct symbol_list l;
	struct code_sites sites = {0};
	uint64_t addr;
	int rc;

	assert_non_null(x);
	addr = x->addr;
	*e = (struct err){0};
	if (where != PLACE_ENTRY) {
		assert_int_equal(elf_file_find(f, function, &l, NULL), 0);
		rc = where == PLACE_LEAVE
			     ? elf_file_calls(f, &l.sym[0], "outside", &sites, e)
			     : elf_file_exits(f, &l.sym[0], &sites, e);
		symbol_list_release(&l);
		if (rc || nth >= sites.n)
			fail_msg("%s has no place %zu: %s", function, nth, e->text);
		addr = sites.site[nth].addr;
		code_sites_release(&sites);
	}
	return place_make(p, f, x->addr, addr, where, "", e);
}

static void safe(const char *function, enum place_where where, size_t nth, int old_len,
		 enum agent_lead lead)
{
	struct elf_file *f = shapes();
	struct agent_place p;
	struct err e;

	if (make(f, function, where, nth, &p, &e))
		fail_msg("%s: %s", function, e.text);
	assert_int_equal(p.old_len, old_len);
	assert_int_equal(p.lead, lead);
	elf_file_close(f);
}

static void unsafe(const char *function, enum place_where where, size_t nth,
		   const char *why)
{
	struct elf_file *f = shapes();
	struct agent_place p;
	struct err e;

	if (make(f, function, where, nth, &p, &e) != ERR_UNSUPPORTED)
		fail_msg("%s was taken for safe", function);
	if (!strstr(e.text, why))
		fail_msg("%s: '%s' lacks '%s'", function, e.text, why);
	elf_file_close(f);
}

static void test_entries(void **state)
{
	(void)state;
	safe("plain", PLACE_ENTRY, 0, 7, AGENT_LEAD_JUMP);
	safe("relative", PLACE_ENTRY, 0, 7, AGENT_LEAD_JUMP);
	safe("branch", PLACE_ENTRY, 0, 9, AGENT_LEAD_JUMP);
}

static void test_endbr_stays_first(void **state)
{
	struct elf_file *f = shapes();
	struct agent_place p;
	struct err e;

	(void)state;
	assert_int_equal(make(f, "landing", PLACE_ENTRY, 0, &p, &e), 0);
	assert_int_equal(p.addr, p.probe + 4);
	assert_int_equal(p.old_len, 7);
	elf_file_close(f);
	unsafe("second", PLACE_ENTRY, 0, "head of a loop");
}

static void test_short_jump_becomes_long(void **state)
{
	struct elf_file *f = shapes();
	struct agent_place p;
	struct err e;

	(void)state;
	assert_int_equal(make(f, "branch", PLACE_ENTRY, 0, &p, &e), 0);
	assert_int_equal(p.code_len, 2 + 6 + 5);
	assert_int_equal(p.code[2], 0x0f);
	assert_int_equal(p.code[3], 0x84);
	assert_int_equal(p.nfix, 1);
	assert_int_equal(p.fix[0].target, p.addr + 10);
	elf_file_close(f);
}

static void test_relative_operand(void **state)
{
	struct elf_file *f = shapes();
	struct agent_place p;
	struct err e;
	int32_t disp;

	(void)state;
	assert_int_equal(make(f, "relative", PLACE_ENTRY, 0, &p, &e), 0);
	memcpy(&disp, p.old + 3, 4);
	assert_int_equal(p.nfix, 1);
	assert_int_equal(p.fix[0].at, 3);
	assert_int_equal(p.fix[0].end, 7);
	assert_int_equal(p.fix[0].target, p.addr + 7 + (uint64_t)(int64_t)disp);
	elf_file_close(f);
}

static void test_nothing_lands_inside(void **state)
{
	(void)state;
	unsafe("head", PLACE_ENTRY, 0, "would land inside");
	unsafe("switched", PLACE_ENTRY, 0, "would land inside");
	unsafe("victim", PLACE_ENTRY, 0, "other code");
	unsafe("shared", PLACE_EXIT, 0, "would land inside");
	unsafe("short", PLACE_EXIT, 0, "no room");
}

static void test_what_cannot_be_moved(void **state)
{
	(void)state;
	unsafe("caller", PLACE_ENTRY, 0, "call cannot be moved");
	unsafe("counted", PLACE_ENTRY, 0, "no longer form");
}

static void test_exits(void **state)
{
	(void)state;
	safe("straight", PLACE_EXIT, 0, 5, AGENT_LEAD_JUMP);
	safe("padded", PLACE_EXIT, 0, 5, AGENT_LEAD_JUMP); /* nothing but padding */
}

static void test_calls_keep_their_return_address(void **state)
{
	(void)state;
	safe("calling", PLACE_LEAVE, 0, 5, AGENT_LEAD_CALL);
	safe("calling", PLACE_LEAVE, 1, 6, AGENT_LEAD_CALL67);
	safe("calling", PLACE_LEAVE, 2, 5, AGENT_LEAD_JUMP); /* the tail jump */
}
#endif

static void test_arguments(void **state)
{
	struct agent_place p;
	struct err e = {0};

	(void)state;
	assert_int_equal(
		place_args(&p, "x86_64", "channel=%di:u32 size=$stack2 ret=%ax:s8", &e),
		0);
	assert_int_equal(p.narg, 3);
	assert_int_equal(p.arg_bytes, 13);
	assert_int_equal(p.args[0].reg, 7);
	assert_int_equal(p.args[1].reg, AGENT_REG_STACK);
	assert_int_equal(p.args[1].word, 2);
	assert_int_equal(p.args[1].at, 4);
	assert_int_equal(p.args[2].bytes, 1);
	assert_int_equal(place_args(&p, "aarch64", "a=%x30:x16 b=%sp", &e), 0);
	assert_int_equal(place_args(&p, "x86_64", "a=+8(%si):u32", &e), ERR_UNSUPPORTED);
	e = (struct err){0};
	assert_int_equal(place_args(&p, "x86_64", "a=%di:string", &e), ERR_UNSUPPORTED);
	e = (struct err){0};
	assert_int_equal(place_args(&p, "x86_64", "a=%xmm0", &e), ERR_UNSUPPORTED);
	e = (struct err){0};
	assert_int_equal(place_args(&p, "x86_64", "a=%di b=%si c=%dx d=%cx e=%r8", &e),
			 ERR_UNSUPPORTED); /* more than a slot has */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#ifdef __x86_64__
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_endbr_stays_first),
		cmocka_unit_test(test_short_jump_becomes_long),
		cmocka_unit_test(test_relative_operand),
		cmocka_unit_test(test_nothing_lands_inside),
		cmocka_unit_test(test_what_cannot_be_moved),
		cmocka_unit_test(test_exits),
		cmocka_unit_test(test_calls_keep_their_return_address),
#endif
		cmocka_unit_test(test_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
