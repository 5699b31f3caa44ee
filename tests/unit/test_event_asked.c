/* SPDX-License-Identifier: GPL-2.0-only */
/* lib/event/event: an exit that carries the size, and conditions that compare what was
 * returned with what was asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "tests/unit/eventrig.h"

static const struct raw_event events[] = {
	{"dmarec_1:fpga_send", "u32 channel,s32 asked", false},
	{"dmarec_1:fpga_send_ret0", "s32 ret,s32 size", false},
};

static void begin(struct rig *r)
{
	memset(r, 0, sizeof(*r));
	meta_init(&r->m);
	for (int i = 0; i < 2; i++) {
		struct meta_event *ev = meta_add_event(&r->m);

		ev->attr = i;
		ev->name = strdup(events[i].name);
		ev->role = i ? ROLE_WOKEN : ROLE_SUBMIT;
		ev->func = 0;
		ev->blocking = !i;
		ev->size_unit = 4;
		if (i)
			assert_int_equal(condition_parse("ret<asked", &ev->fail, NULL),
					 0);
	}
	r->f = rawfile_new(events, 2, &r->m);
}

static void size_is_what_was_returned(void **state)
{
	static const struct {
		int64_t asked, ret, size;
		bool failed;
	} call[] = {
		{1024, 1024, 4096, false},
		{1024, 100, 400, true}, /* the time ran out */
		{1024, 0, 0, true},
		{1024, -5, DMA_UNKNOWN, true},
	};
	struct rig r;

	(void)state;
	begin(&r);
	for (int i = 0; i < 4; i++) {
		rawfile_sample(r.f, 0, 10 + 10 * i, 0, 7, V(2, call[i].asked));
		rawfile_sample(r.f, 1, 15 + 10 * i, 0, 7, V(call[i].ret, call[i].ret));
	}
	rig_open(&r, NULL);
	for (int i = 0; i < 4; i++) {
		struct sample s = sample(&r);

		assert_int_equal(s.size_bytes, DMA_UNKNOWN); /* not before it is known */
		s = sample(&r);
		assert_int_equal(s.size_bytes, call[i].size);
		assert_int_equal(s.channel, 2);
		assert_int_equal(!!(s.bits & SAMPLE_FAILED), call[i].failed);
	}
	rig_end(&r);
}

/* Whose call it was is not known, nor what it asked for. */
static void exit_without_its_entry_has_not_failed(void **state)
{
	struct sample s;
	struct rig r;

	(void)state;
	begin(&r);
	rawfile_sample(r.f, 1, 10, 0, 7, V(3, 3));
	rig_open(&r, NULL);
	s = sample(&r);
	assert_false(s.bits & SAMPLE_FAILED);
	assert_int_equal(s.size_bytes, 12);
	rig_end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(size_is_what_was_returned),
		cmocka_unit_test(exit_without_its_entry_has_not_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
