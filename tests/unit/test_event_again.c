/* SPDX-License-Identifier: GPL-2.0-only */
/* lib/event/event: a library that starts its channel at each turn of a loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "tests/unit/eventrig.h"

enum { START, STOP, N };

static const struct raw_event events[N] = {
	{"dmarec_1:dma_writer", "u32 channel,u32 mode,u64 card", false},
	{"dmarec_1:dma_writer_2", "u32 channel,u32 mode,u64 card", false},
};

static void begin(struct rig *r)
{
	memset(r, 0, sizeof(*r));
	meta_init(&r->m);
	for (int i = 0; i < N; i++) {
		struct meta_event *ev = meta_add_event(&r->m);

		ev->attr = ev->func = i;
		ev->name = strdup(events[i].name);
		ev->role = i == START ? ROLE_SUBMIT : ROLE_STOP;
		ev->restarts = i == START;
		assert_int_equal(condition_parse(i == START ? "mode!=0" : "mode==0",
						 &ev->when, NULL),
				 0);
	}
	r->f = rawfile_new(events, N, &r->m);
}

/* Both probes are hit by each call, as they stand at one place. */
static void call(struct rig *r, int64_t t, int64_t channel, int64_t mode, int64_t card)
{
	rawfile_sample(r->f, START, t, 0, 7, V(channel, mode, card));
	rawfile_sample(r->f, STOP, t + 1, 0, 7, V(channel, mode, card));
}

static void expect(struct rig *r, const char *roles)
{
	for (const char *p = roles; *p; p++) {
		struct sample s = sample(r);
		enum role want = *p == 's'   ? ROLE_SUBMIT
				 : *p == 'x' ? ROLE_STOP
					     : ROLE_OTHER;

		if (s.role != want)
			fail_msg("sample %d: %s", (int)(p - roles), role_name(s.role));
	}
}

static void the_same_again_is_nothing_new(void **state)
{
	struct rig r;

	(void)state;
	begin(&r);
	for (int i = 0; i < 4; i++)
		call(&r, 10 * (i + 1), 0, 1, 1);
	call(&r, 100, 0, 0, 1);
	call(&r, 110, 0, 1, 1);
	rig_open(&r, NULL);
	expect(&r, "s.......");
	expect(&r, ".x");
	expect(&r, "s.");
	rig_end(&r);
}

static void other_channels_cards_and_arguments_are_new(void **state)
{
	struct rig r;

	(void)state;
	begin(&r);
	call(&r, 10, 0, 1, 1);
	call(&r, 20, 1, 1, 1); /* another channel */
	call(&r, 30, 0, 1, 2); /* another card */
	call(&r, 40, 0, 3, 1); /* other arguments */
	call(&r, 50, 0, 3, 1);
	call(&r, 60, 1, 1, 1);
	rig_open(&r, NULL);
	expect(&r, "s.s.s.s.....");
	rig_end(&r);
}

/* What was lost may have been the stop. */
static void a_loss_makes_it_new(void **state)
{
	struct rig r;

	(void)state;
	begin(&r);
	call(&r, 10, 0, 1, 1);
	rawfile_lost(r.f, 3, 20, 0);
	call(&r, 30, 0, 1, 1);
	rig_open(&r, NULL);
	expect(&r, "s.s.");
	rig_end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_again_is_nothing_new),
		cmocka_unit_test(other_channels_cards_and_arguments_are_new),
		cmocka_unit_test(a_loss_makes_it_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
