/* SPDX-License-Identifier: GPL-2.0-only */
/* lib/event/event: roles that a person gives to events with names of one's own. Entries and
 * exits find each other, and what has no exit says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "lib/err.h"
#include "tests/unit/eventrig.h"

#define NAMED(list)                                                                      \
	{                                                                                \
		(void *)(list), sizeof(list) / sizeof(*(list)) / 2                       \
	}

static void pairs_by_name(void **state)
{
	static const struct raw_event events[] = {
		{"probe_card:mystart", "u32 channel,u64 size", false},
		{"probe_card:mystart__return", "s32 arg1", false},
		{"probe_card:mywait", "u32 channel", false},
		{"probe_card:mywait__return_1", "s32 arg1", false},
	};
	static const char *const given[] = {
		"mystart", "submit:to_host", "mystart__return",	 "started",
		"mywait",  "wait",	     "mywait__return_1", "woken"};
	struct event_rules rules = NAMED(given);
	struct sample s[4];
	struct rig r;

	(void)state;
	rig_foreign(&r, events, 4);
	for (size_t i = 0; i < 4; i++)
		rawfile_sample(r.f, i, 10 + (int64_t)i, 0, 7, V(i % 2 ? -2 : 3, 64));
	rig_open(&r, &rules);
	for (int i = 0; i < 4; i++)
		s[i] = sample(&r);
	assert_int_equal(s[0].direction, DIR_TO_HOST);
	assert_int_equal(s[1].channel, 3); /* of its entry */
	assert_int_equal(s[1].ret, -2);
	assert_int_equal(s[3].channel, 3);
	for (int i = 0; i < 4; i++)
		assert_false(s[i].bits & SAMPLE_NO_EXIT);
	assert_int_not_equal(r.m.event[0].func, r.m.event[2].func);
	rig_end(&r);
}

/* The one entry and the one exit that are left over. */
static void pairs_by_what_is_left(void **state)
{
	static const struct raw_event events[] = {
		{"uprobes:go", "u32 channel", false},
		{"uprobes:sleep_begins", "u32 channel", false},
		{"uprobes:awake", "s32 arg1", false},
	};
	static const char *const given[] = {"go",   "submit", "sleep_begins",
					    "wait", "awake",  "woken"};
	struct event_rules rules = NAMED(given);
	struct sample s[3];
	struct rig r;

	(void)state;
	rig_foreign(&r, events, 3);
	for (size_t i = 0; i < 3; i++)
		rawfile_sample(r.f, i, 10 + (int64_t)i, 0, 7, V(5));
	rig_open(&r, &rules);
	for (int i = 0; i < 3; i++)
		s[i] = sample(&r);
	assert_true(s[0].bits & SAMPLE_NO_EXIT); /* its exit is nowhere */
	assert_false(s[1].bits & SAMPLE_NO_EXIT);
	assert_int_equal(s[2].channel, 5);
	rig_end(&r);
}

/* Entries alone, a start alone: their exits are not known, so none can be missing. */
static void entries_without_exits_say_so(void **state)
{
	static const struct raw_event events[] = {
		{"probe_card:mystart", "u32 channel", false},
		{"probe_card:mywait", "u32 channel", false},
	};
	static const char *const given[] = {"mystart", "submit", "mywait", "wait"};
	struct event_rules both = NAMED(given), start = {(void *)given, 1};
	struct rig r;

	(void)state;
	for (int alone = 0; alone < 2; alone++) {
		rig_foreign(&r, events, 2);
		rawfile_sample(r.f, 0, 10, 0, 7, V(5));
		rawfile_sample(r.f, 1, 11, 0, 7, V(5));
		rig_open(&r, alone ? &start : &both);
		assert_true(sample(&r).bits & SAMPLE_NO_EXIT);
		if (alone)
			assert_int_equal(sample(&r).role, ROLE_OTHER);
		else
			assert_true(sample(&r).bits & SAMPLE_NO_EXIT);
		rig_end(&r);
	}
}

/* --role X=other takes an exit away, also from a recording of dmarec's own. */
static void exits_taken_away_are_not_missing(void **state)
{
	static const char *const given[] = {"dma_wait_x0", "other"};
	struct event_rules rules = NAMED(given);
	struct rig r;

	(void)state;
	rig_begin(&r);
	rig_file(&r);
	rawfile_sample(r.f, WAIT, 10, 0, 7, V(5));
	submit(&r, 20, 7, 5, 64);
	rig_open(&r, &rules);
	assert_true(sample(&r).bits & SAMPLE_NO_EXIT);
	assert_false(sample(&r).bits & SAMPLE_NO_EXIT);
	rig_end(&r);
}

/* A call that starts and whose return is the end. */
static void start_that_ends_with_its_return_blocks(void **state)
{
	static const struct raw_event events[] = {
		{"probe_libc:xfer", "u64 size", false},
		{"probe_libc:xfer__return", "s64 arg1", false},
	};
	static const char *const given[] = {"xfer", "submit:from_host", "xfer__return",
					    "woken"};
	struct event_rules rules = NAMED(given);
	struct rig r;

	(void)state;
	rig_foreign(&r, events, 2);
	rawfile_sample(r.f, 0, 10, 0, 7, V(64));
	rawfile_sample(r.f, 1, 20, 0, 7, V(64));
	rig_open(&r, &rules);
	assert_true(sample(&r).bits & SAMPLE_BLOCKING);
	assert_int_equal(sample(&r).direction, DIR_FROM_HOST);
	rig_end(&r);
}

/* Which of two is meant nobody can know: not the last, not the longer name. */
static void two_roles_for_one_event_are_refused(void **state)
{
	static const struct raw_event events[] = {
		{"probe_a:go", "u32 channel", false},
		{"probe_b:go", "u32 channel", false},
	};
	static const char *const given[][4] = {
		{"go", "submit", "go", "stop"},
		{"go", "other", "probe_b:go", "submit"},
		{"probe_b:go", "submit:to_host", "go", "submit:from_host"},
		{"probe_b:go", "submit", "probe_b:go",
		 "submit"}, /* the same said twice */
		{"probe_a:go", "stop", "probe_b:go", "submit"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(given) / sizeof(*given); i++) {
		struct event_rules rules = NAMED(given[i]);
		struct event_decoder *d = NULL;
		struct err e = {0};
		bool guessed;
		struct rig r;
		int rc;

		rig_foreign(&r, events, 2);
		r.buf = rawfile_finish(r.f, NULL, true, &r.len);
		assert_int_equal(perfdata_open_mem(&r.p, r.buf, r.len, "mem", &e), 0);
		rc = event_decoder_new(&d, r.p, &rules, &r.m, &guessed, &e);
		assert_int_equal(rc, i < 3 ? ERR_USAGE : 0);
		if (i < 3) {
			assert_non_null(strstr(e.text, i ? "event probe_b:go is given"
							 : "event probe_a:go is given"));
			assert_non_null(strstr(e.text, given[i][1]));
			assert_non_null(strstr(e.text, given[i][3]));
		}
		r.d = d;
		rig_end(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_by_name),
		cmocka_unit_test(pairs_by_what_is_left),
		cmocka_unit_test(entries_without_exits_say_so),
		cmocka_unit_test(exits_taken_away_are_not_missing),
		cmocka_unit_test(start_that_ends_with_its_return_blocks),
		cmocka_unit_test(two_roles_for_one_event_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
