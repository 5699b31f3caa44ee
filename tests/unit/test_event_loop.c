/* SPDX-License-Identifier: GPL-2.0-only */
/* lib/event/event: a function whose loop begins at its first instruction. Each turn hits the
 * entry's probe; the stack pointer tells turns from calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/eventrig.h"

enum { POLL, POLL_EXIT, SEND, SEND_EXIT, NLOOP };

static const struct raw_event events[NLOOP] = {
	[POLL] = {"probe_card:dma_wait", "u32 channel,u64 stack", false},
	[POLL_EXIT] = {"probe_card:dma_wait__return", "s32 ret", false},
	[SEND] = {"probe_card:dma_to_host", "u64 stack,u32 channel,u64 size", false},
	[SEND_EXIT] = {"probe_card:dma_to_host__return", "s32 ret", false},
};

static void expect(struct rig *r, enum role role, int64_t channel)
{
	struct sample s = sample(r);

	assert_int_equal(s.role, role);
	if (role != ROLE_OTHER)
		assert_int_equal(s.channel, channel);
}

static void turns_of_a_wait_are_one_call(void **state)
{
	struct rig r;

	(void)state;
	rig_foreign(&r, events, NLOOP);
	for (int64_t call = 0; call < 3; call++) {
		for (int turn = 0; turn < 5; turn++) /* arguments are lost in the loop */
			rawfile_sample(r.f, POLL, 10 + call * 100 + turn, 0, 7,
				       V(turn ? 99 : call, 0x7fff1000));
		rawfile_sample(r.f, POLL_EXIT, 50 + call * 100, 0, 7, V(0));
	}
	rig_open(&r, NULL);
	for (int64_t call = 0; call < 3; call++) {
		expect(&r, ROLE_WAIT, call);
		for (int turn = 1; turn < 5; turn++)
			expect(&r, ROLE_OTHER, 0);
		expect(&r, ROLE_WOKEN, call);
	}
	rig_end(&r);
}

static void turns_of_a_start_are_one_call(void **state)
{
	struct rig r;

	(void)state;
	rig_foreign(&r, events, NLOOP);
	for (int turn = 0; turn < 4; turn++)
		rawfile_sample(r.f, SEND, 10 + turn, 0, 7, V(0x1000, 3, 64 << turn));
	rawfile_sample(r.f, SEND_EXIT, 20, 0, 7, V(0));
	rig_open(&r, NULL);
	assert_int_equal(sample(&r).size_bytes, 64);
	for (int turn = 1; turn < 4; turn++)
		expect(&r, ROLE_OTHER, 0);
	expect(&r, ROLE_STARTED, 3);
	rig_end(&r);
}

/* Another thread, and a call from deeper down, are calls of their own. */
static void other_stacks_are_other_calls(void **state)
{
	struct rig r;

	(void)state;
	rig_foreign(&r, events, NLOOP);
	rawfile_sample(r.f, POLL, 10, 0, 7, V(1, 0x2000));
	rawfile_sample(r.f, POLL, 11, 0, 8, V(2, 0x2000));
	rawfile_sample(r.f, POLL, 12, 0, 7, V(1, 0x1f80));
	rig_open(&r, NULL);
	expect(&r, ROLE_WAIT, 1);
	expect(&r, ROLE_WAIT, 2);
	expect(&r, ROLE_WAIT, 1);
	rig_end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(turns_of_a_wait_are_one_call),
		cmocka_unit_test(turns_of_a_start_are_one_call),
		cmocka_unit_test(other_stacks_are_other_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
