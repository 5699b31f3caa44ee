/* SPDX-License-Identifier: GPL-2.0-only */
/* lib/event/event: from a record's bytes to a sample: fields, roles, conditions, cards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "tests/unit/eventrig.h"

/* ---- fields ---- */

static int64_t width(const char *type, int64_t value)
{
	char fields[32];
	struct raw_event one[1] = {{"probe_l:dma_wait__return", fields, false}};
	struct rig r;
	struct sample s;

	snprintf(fields, sizeof(fields), "%s ret", type);
	rig_foreign(&r, one, 1);
	rawfile_sample(r.f, 0, 10, 0, 7, &value);
	rig_open(&r, NULL);
	s = sample(&r);
	assert_int_equal(s.role, ROLE_WOKEN);
	rig_end(&r);
	return s.ret;
}

static void test_widths_and_signs(void **state)
{
	static const struct {
		const char *type;
		int64_t in, out;
	} cases[] = {
		{"u8", -1, 255},	 {"s8", -1, -1},
		{"s8", 127, 127},	 {"u16", -1, 65535},
		{"s16", -32768, -32768}, {"u32", -1, UINT32_MAX},
		{"s32", -5, -5},	 {"u64", INT64_MAX, INT64_MAX},
		{"s64", -5, -5},	 {"s64", INT64_MAX, INT64_MAX},
		{"u64", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (width(cases[i].type, cases[i].in) != cases[i].out)
			fail_msg("%s %lld: %lld", cases[i].type, (long long)cases[i].in,
				 (long long)width(cases[i].type, cases[i].in));
}

static void test_fields_of_a_start(void **state)
{
	struct rig r;
	struct sample s;

	(void)state;
	rig_begin(&r);
	rig_file(&r);
	rawfile_sample(r.f, TO_HOST, 1000, 2, 77, V(3, 4096, 0x7f00dead0000, 1, 9));
	rawfile_sample(r.f, IRQ, 1100, 1, 0, V(68));
	rig_open(&r, NULL);
	assert_false(r.guessed);
	s = sample(&r);
	assert_int_equal(s.time_ns, 1000);
	assert_int_equal(s.seq, 0);
	assert_int_equal(s.role, ROLE_SUBMIT);
	assert_int_equal(s.direction, DIR_TO_HOST);
	assert_int_equal(s.channel, 3);
	assert_int_equal(s.size_bytes, 4096);
	assert_int_equal(s.addr, 0x7f00dead0000);
	assert_int_equal(s.flags, 9);
	assert_int_equal(s.ret, U);
	assert_int_equal(s.card, 0);
	assert_int_equal(s.cpu, 2);
	assert_int_equal(s.pid, 77);
	assert_int_equal(s.tid, 77);
	assert_int_equal(s.irq, -1);
	assert_int_equal(s.source, TO_HOST);
	assert_int_equal(s.bits, 0);
	s = sample(&r);
	assert_int_equal(s.role, ROLE_INTERRUPT);
	assert_int_equal(s.irq, 68);
	assert_int_equal(s.cpu, 1);
	assert_int_equal(s.seq, 1);
	assert_int_equal(s.channel, U);
	assert_int_equal(s.size_bytes, U);
	assert_int_equal(s.card, U);
	rig_end(&r);
}

static void test_sizes(void **state)
{
	struct rig r;

	(void)state;
	rig_begin(&r);
	r.m.event[TO_HOST].size_unit = 4;
	rig_file(&r);
	submit(&r, 1, 7, 0, 1024);
	submit(&r, 2, 7, 0, -1);	    /* beyond 2^63 */
	submit(&r, 3, 7, 0, INT64_MAX / 2); /* times 4 is */
	submit(&r, 4, 7, 0, 0);
	rig_open(&r, NULL);
	assert_int_equal(sample(&r).size_bytes, 4096);
	assert_int_equal(sample(&r).size_bytes, U);
	assert_int_equal(sample(&r).size_bytes, U);
	assert_int_equal(sample(&r).size_bytes, 0);
	rig_end(&r);
}

static void test_constants(void **state)
{
	struct rig r;
	struct sample s;

	(void)state;
	rig_begin(&r);
	r.m.event[TO_HOST].constant = (struct meta_const){4, 5, 6};
	rig_file(&r);
	submit(&r, 1, 7, 9, 9);
	rig_open(&r, NULL);
	s = sample(&r);
	assert_int_equal(s.card, 0); /* the first met */
	assert_int_equal(s.channel, 5);
	assert_int_equal(s.size_bytes, 6);
	rig_end(&r);
}

/* ---- conditions ---- */

static void test_when_takes_the_call_out(void **state)
{
	struct rig r;

	(void)state;
	rig_begin(&r);
	condition_parse("flags==1", &r.m.event[TO_HOST].when, NULL);
	rig_file(&r);
	rawfile_sample(r.f, TO_HOST, 1, 0, 7, V(0, 1, 0, 0, 1));
	rawfile_sample(r.f, TO_HOST_EXIT, 2, 0, 7, V(0));
	rawfile_sample(r.f, TO_HOST, 3, 0, 7, V(0, 1, 0, 0, 2));
	rawfile_sample(r.f, DOORBELL, 4, 0, 7, V(0));
	rawfile_sample(r.f, TO_HOST_EXIT, 5, 0, 7, V(0));
	rawfile_sample(r.f, TO_HOST_EXIT, 6, 0, 7, V(0));
	rig_open(&r, NULL);
	assert_int_equal(sample(&r).role, ROLE_SUBMIT);
	assert_int_equal(sample(&r).role, ROLE_STARTED);
	assert_int_equal(sample(&r).role, ROLE_OTHER);
	assert_int_equal(sample(&r).role, ROLE_OTHER);
	assert_int_equal(sample(&r).role, ROLE_OTHER);
	assert_int_equal(sample(&r).role, ROLE_STARTED); /* whose, nobody knows */
	rig_end(&r);
}

static void test_fail_pending_circular(void **state)
{
	struct rig r;

	(void)state;
	rig_begin(&r);
	condition_parse("ret<0", &r.m.event[WAIT_EXIT].fail, NULL);
	condition_parse("ret==1", &r.m.event[WAIT_EXIT].pending, NULL);
	condition_parse("flags&1", &r.m.event[TO_HOST].circular, NULL);
	r.m.event[PREAD].blocking = true;
	r.m.event[PREAD].no_exit = true;
	rig_file(&r);
	rawfile_sample(r.f, WAIT_EXIT, 1, 0, 7, V(-110));
	rawfile_sample(r.f, WAIT_EXIT, 2, 0, 7, V(1));
	rawfile_sample(r.f, WAIT_EXIT, 3, 0, 7, V(0));
	rawfile_sample(r.f, TO_HOST, 4, 0, 7, V(0, 1, 0, 0, 3));
	rawfile_sample(r.f, PREAD, 5, 0, 7, V(3, 1, 1));
	rig_open(&r, NULL);
	assert_int_equal(sample(&r).bits, SAMPLE_FAILED);
	assert_int_equal(sample(&r).bits, SAMPLE_PENDING);
	assert_int_equal(sample(&r).bits, 0);
	assert_int_equal(sample(&r).bits, SAMPLE_CIRCULAR);
	assert_int_equal(sample(&r).bits, SAMPLE_BLOCKING | SAMPLE_NO_EXIT);
	rig_end(&r);
}

/* An exit's condition may ask for what only the entry carries. */
static void test_condition_on_the_entrys_argument(void **state)
{
	struct rig r;

	(void)state;
	rig_begin(&r);
	condition_parse("channel==2", &r.m.event[WAIT_EXIT].pending, NULL);
	rig_file(&r);
	rawfile_sample(r.f, WAIT, 1, 0, 7, V(2));
	rawfile_sample(r.f, WAIT_EXIT, 2, 0, 7, V(0));
	rawfile_sample(r.f, WAIT, 3, 0, 7, V(1));
	rawfile_sample(r.f, WAIT_EXIT, 4, 0, 7, V(0));
	rig_open(&r, NULL);
	sample(&r);
	assert_int_equal(sample(&r).bits, SAMPLE_PENDING);
	sample(&r);
	assert_int_equal(sample(&r).bits, 0);
	rig_end(&r);
}

static void test_direction_by_field(void **state)
{
	struct rig r;

	(void)state;
	rig_begin(&r);
	condition_parse("flags==0", &r.m.event[TO_HOST].from_host, NULL);
	rig_file(&r);
	rawfile_sample(r.f, TO_HOST, 1, 0, 7, V(0, 1, 0, 0, 0));
	rawfile_sample(r.f, TO_HOST_EXIT, 2, 0, 7, V(0));
	rawfile_sample(r.f, TO_HOST, 3, 0, 7, V(0, 1, 0, 0, 1));
	rig_open(&r, NULL);
	assert_int_equal(sample(&r).direction, DIR_FROM_HOST);
	assert_int_equal(sample(&r).direction, DIR_FROM_HOST);
	assert_int_equal(sample(&r).direction, DIR_TO_HOST);
	rig_end(&r);
}

/* ---- descriptors and cards ---- */

static void add_fd(struct rig *r, int32_t pid, int32_t fd, int64_t from_ns,
		   const char *path)
{
	struct meta_fd *one = meta_add_fd(&r->m);

	one->pid = pid;
	one->fd = fd;
	one->from_ns = from_ns;
	one->path = strdup(path);
}

static void add_path(struct rig *r, const char *pattern, enum direction d)
{
	struct meta_path *path = meta_add_path(&r->m.event[PREAD]);

	path->pattern = strdup(pattern);
	path->direction = d;
}

static void pread_of(struct rig *r, int64_t t, int pid, int fd)
{
	rawfile_sample(r->f, PREAD, t, 0, pid, V(fd, 512, 0));
}

static void expect_path(struct rig *r, enum role role, int64_t card, int64_t channel,
			enum direction d)
{
	struct sample s = sample(r);

	assert_int_equal(s.role, role);
	assert_int_equal(s.card, card);
	assert_int_equal(s.channel, channel);
	assert_int_equal(s.direction, d);
}

static void test_descriptor_to_device(void **state)
{
	const struct event_card *card;
	struct rig r;

	(void)state;
	rig_begin(&r);
	add_path(&r, "/dev/xdma{card}_c2h_{channel}", DIR_TO_HOST);
	add_path(&r, "/dev/xdma{card}_h2c_{channel:x}", DIR_FROM_HOST);
	add_fd(&r, 7, 3, 500, "/dev/xdma5_c2h_1"); /* reopened at 500 */
	add_fd(&r, 7, 3, 100, "/dev/xdma0_h2c_a");
	add_fd(&r, 7, 4, 100, "/var/log/x");
	add_fd(&r, 8, 3, 100, "/dev/xdma0_c2h_2");
	rig_file(&r);
	pread_of(&r, 50, 7, 3); /* before it was first seen: that it was */
	rawfile_sample(r.f, PREAD_EXIT, 51, 0, 7, V(512));
	pread_of(&r, 499, 7, 3);
	rawfile_sample(r.f, PREAD_EXIT, 499, 0, 7, V(512));
	pread_of(&r, 500, 7, 3);
	rawfile_sample(r.f, PREAD_EXIT, 501, 0, 7, V(512));
	pread_of(&r, 600, 7, 4);
	pread_of(&r, 601, 8, 3);
	pread_of(&r, 602, 8, 5); /* never seen */
	pread_of(&r, 603, 9, 3);
	rig_open(&r, NULL);
	expect_path(&r, ROLE_SUBMIT, 0, 10, DIR_FROM_HOST);
	expect_path(&r, ROLE_WOKEN, 0, 10, DIR_FROM_HOST);
	expect_path(&r, ROLE_SUBMIT, 0, 10, DIR_FROM_HOST);
	expect_path(&r, ROLE_WOKEN, 0, 10, DIR_FROM_HOST);
	expect_path(&r, ROLE_SUBMIT, 1, 1, DIR_TO_HOST);
	expect_path(&r, ROLE_WOKEN, 1, 1, DIR_TO_HOST);
	expect_path(&r, ROLE_OTHER, U, U, DIR_UNKNOWN);
	assert_int_equal(event_unresolved(r.d), 0);
	expect_path(&r, ROLE_SUBMIT, 0, 2, DIR_TO_HOST);
	expect_path(&r, ROLE_OTHER, U, U, DIR_UNKNOWN);
	expect_path(&r, ROLE_OTHER, U, U, DIR_UNKNOWN);
	assert_int_equal(event_unresolved(r.d), 2);
	assert_int_equal(event_cards(r.d, &card), 2);
	assert_int_equal(card[0].key, 0);
	assert_int_equal(card[1].key, 5);
	assert_int_equal(card[1].pid, -1);
	rig_end(&r);
}

/* The same small number is the same card everywhere, the same pointer is not. */
static void test_cards(void **state)
{
	const struct event_card *card;
	struct rig r;

	(void)state;
	rig_begin(&r);
	rig_file(&r);
	rawfile_sample(r.f, TO_HOST, 1, 0, 7, V(0, 1, 0, 1, 0));
	rawfile_sample(r.f, TO_HOST, 2, 0, 8, V(0, 1, 0, 1, 0));
	rawfile_sample(r.f, TO_HOST, 3, 0, 7, V(0, 1, 0, 0x7f0000001000, 0));
	rawfile_sample(r.f, TO_HOST, 4, 0, 8, V(0, 1, 0, 0x7f0000001000, 0));
	rawfile_sample(r.f, TO_HOST, 5, 0, 7, V(0, 1, 0, 0x7f0000001000, 0));
	rig_open(&r, NULL);
	assert_int_equal(sample(&r).card, 0);
	assert_int_equal(sample(&r).card, 0);
	assert_int_equal(sample(&r).card, 1);
	assert_int_equal(sample(&r).card, 2);
	assert_int_equal(sample(&r).card, 1);
	assert_int_equal(event_cards(r.d, &card), 3);
	assert_int_equal(card[2].pid, 8);
	assert_int_equal(card[2].key, 0x7f0000001000);
	rig_end(&r);
}

static void test_too_many_cards(void **state)
{
	struct perfdata_rec rec;
	struct err e = {0};
	struct sample s;
	struct rig r;
	int n = 0;

	(void)state;
	rig_begin(&r);
	rig_file(&r);
	for (int i = 0; i <= 65536; i++)
		rawfile_sample(r.f, TO_HOST, 1 + i, 0, 7, V(0, 1, 0, 0x100000 + i, 0));
	rig_open(&r, NULL);
	while (perfdata_next(r.p, &rec, &e) > 0 && event_decode(r.d, &rec, &s, &e) > 0)
		assert_int_equal(s.card, n++);
	assert_int_equal(n, 65536);
	assert_int_equal(e.code, ERR_LIMIT);
	rig_end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_widths_and_signs),
		cmocka_unit_test(test_fields_of_a_start),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_constants),
		cmocka_unit_test(test_when_takes_the_call_out),
		cmocka_unit_test(test_fail_pending_circular),
		cmocka_unit_test(test_condition_on_the_entrys_argument),
		cmocka_unit_test(test_direction_by_field),
		cmocka_unit_test(test_descriptor_to_device),
		cmocka_unit_test(test_cards),
		cmocka_unit_test(test_too_many_cards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
