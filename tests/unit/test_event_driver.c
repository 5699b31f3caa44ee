/* SPDX-License-Identifier: GPL-2.0-only */
/* lib/event/event: samples of the driver, of a card's register and of counting units; and formats of
 * events that are cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "tests/unit/eventrig.h"

enum { REGISTER, COUNT, ISSUED, N };
static const struct raw_event events[N] = {
	[REGISTER] = {"dma_watch:control", "s64 since,u64 value,u8 busy,s32 channel",
		      true},
	[COUNT] = {"dma_count:iio", "u64 value,u64 enabled,u64 running", true},
	[ISSUED] = {"block:block_rq_issue", "u32 dev,u64 sector,u32 nr_sector,s8 rw",
		    true},
};

static void begin(struct rig *r)
{
	static const enum role role[N] = {ROLE_REGISTER, ROLE_COUNT, ROLE_ISSUED};

	memset(r, 0, sizeof(*r));
	meta_init(&r->m);
	for (int i = 0; i < N; i++) {
		struct meta_event *ev = meta_add_event(&r->m);

		ev->attr = i;
		ev->name = strdup(events[i].name);
		ev->role = role[i];
	}
}

static void file(struct rig *r)
{
	r->f = rawfile_new(events, N, &r->m);
}

static void a_register(void **state)
{
	struct rig r;
	struct sample s;

	(void)state;
	begin(&r);
	r.m.event[REGISTER].constant.card = 2;
	file(&r);
	rawfile_sample(r.f, REGISTER, 1000, 0, 7, V(900, 0xff05, 1, 3));
	rawfile_sample(r.f, REGISTER, 1100, 0, 7, V(1100, 0, 0, -1));
	rig_open(&r, NULL);
	s = sample(&r);
	assert_int_equal(s.role, ROLE_REGISTER);
	assert_int_equal(s.since_ns, 900);
	assert_int_equal(s.ret, 0xff05);
	assert_int_equal(s.channel, 3);
	assert_int_equal(s.card, 0); /* cards are numbered as they are told of */
	assert_true(s.bits & SAMPLE_BUSY);
	s = sample(&r);
	assert_false(s.bits & SAMPLE_BUSY);
	assert_true(s.channel == U);
	rig_end(&r);
}

/* The reading before a change is not behind it. */
static void a_register_that_is_read_backwards(void **state)
{
	struct perfdata_rec rec;
	struct sample s;
	struct err e = {0};
	struct rig r;

	(void)state;
	begin(&r);
	file(&r);
	rawfile_sample(r.f, REGISTER, 1000, 0, 7, V(1001, 0, 0, 0));
	rig_open(&r, NULL);
	assert_int_equal(perfdata_next(r.p, &rec, &e), 1);
	assert_int_equal(event_decode(r.d, &rec, &s, &e), ERR_FORMAT);
	assert_non_null(strstr(
		e.text,
		"a change of register dma_watch:control does not lie between two readings"));
	rig_end(&r);
}

static void a_count(void **state)
{
	struct rig r;
	struct sample s;

	(void)state;
	begin(&r);
	file(&r);
	rawfile_sample(r.f, COUNT, 1000, 0, 7, V(123456789012, 1000, 400));
	rig_open(&r, NULL);
	s = sample(&r);
	assert_int_equal(s.role, ROLE_COUNT);
	assert_true(s.ret == 123456789012);
	assert_int_equal(s.enabled_ns, 1000);
	assert_int_equal(s.running_ns,
			 400); /* the unit was shared: the rest is estimated */
	rig_end(&r);
}

/* Where the kernel's event calls its fields otherwise; what is no part of a transfer. */
static void the_driver(void **state)
{
	struct rig r;
	struct sample s;

	(void)state;
	begin(&r);
	r.m.event[ISSUED].places = strdup("key=sector size=nr_sector");
	condition_parse("ret>0", &r.m.event[ISSUED].when, NULL);
	file(&r);
	rawfile_sample(r.f, ISSUED, 1000, 0, 7, V(8, 4096, 16, 1));
	rig_open(&r, NULL);
	s = sample(&r);
	assert_int_equal(s.role, ROLE_ISSUED);
	assert_int_equal(s.key, 4096);
	assert_int_equal(s.size_bytes, 16);
	rig_end(&r);
}

static void fields_that_are_not_there(void **state)
{
	static const char *const bad[] = {"key=nothing", "key", "=sector", "what=sector"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct err e = {0};
		struct rig r;

		begin(&r);
		r.m.event[ISSUED].places = strdup(bad[i]);
		file(&r);
		r.buf = rawfile_finish(r.f, &r.m, true, &r.len);
		meta_release(&r.m);
		assert_int_equal(perfdata_open_mem(&r.p, r.buf, r.len, "mem", &e), 0);
		assert_true(event_decoder_new(&r.d, r.p, NULL, &r.m, &r.guessed, &e) < 0);
		if (!strstr(e.text, bad[i]) || !strstr(e.text, "block:block_rq_issue"))
			fail_msg("%s: %s", bad[i], e.text);
		perfdata_close(r.p);
		meta_release(&r.m);
		free(r.buf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_register),
		cmocka_unit_test(a_register_that_is_read_backwards),
		cmocka_unit_test(a_count),
		cmocka_unit_test(the_driver),
		cmocka_unit_test(fields_that_are_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
