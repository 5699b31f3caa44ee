/* SPDX-License-Identifier: GPL-2.0-only */
/* lib/event/event: what a decoder is made of: formats, roles told or guessed; and damage. */
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

/* ---- damage ---- */

static int decode_error(struct rig *r, const char *part)
{
	struct perfdata_rec rec;
	struct err e = {0};
	struct sample s;
	int rc;

	while (perfdata_next(r->p, &rec, NULL) > 0) {
		rc = event_decode(r->d, &rec, &s, &e);
		if (rc < 0 && !strstr(e.text, part))
			fail_msg("%s", e.text);
		if (rc < 0)
			return rc;
	}
	fail_msg("no error");
	return 0;
}

static uint64_t data_of(const struct rig *r)
{
	uint64_t v;

	memcpy(&v, (const char *)r->buf + 40, 8);
	return v;
}

static void patched(uint64_t at, uint32_t value, const char *part)
{
	struct rig r;

	rig_begin(&r);
	rig_file(&r);
	submit(&r, 1, 7, 3, 4096);
	r.buf = rawfile_finish(r.f, &r.m, true, &r.len);
	r.f = NULL;
	memcpy((char *)r.buf + data_of(&r) + at, &value, 4);
	rig_open(&r, NULL);
	assert_int_equal(decode_error(&r, part), ERR_FORMAT);
	rig_end(&r);
}

static void test_damaged_samples(void **state)
{
	enum { RAW_LEN = 56, RAW = 60 }; /* in a sample of rawfile */

	(void)state;
	patched(RAW_LEN, 20, "of its raw data, which has 20 bytes");
	patched(RAW_LEN, 0, "of its raw data, which has 0 bytes");
	patched(RAW, 999, "its raw data is of event 999");
}

static void expect_no_decoder(struct rig *r, int code, const char *part)
{
	struct err e = {0};

	meta_release(&r->m);
	assert_int_equal(perfdata_open_mem(&r->p, r->buf, r->len, "mem", &e), 0);
	assert_int_equal(event_decoder_new(&r->d, r->p, NULL, &r->m, &r->guessed, &e),
			 code);
	assert_null(r->d);
	if (!strstr(e.text, part))
		fail_msg("%s", e.text);
	rig_end(r);
}

static void test_foreign_attribute(void **state)
{
	struct rig r;

	(void)state;
	rig_begin(&r);
	r.m.event[IRQ].attr = 8;
	r.buf = rawfile_finish(rawfile_new(rig_events, NEVENT, &r.m), &r.m, true, &r.len);
	expect_no_decoder(&r, ERR_FORMAT,
			  "event 0 belongs to attribute 8, the file has 8");
}

static void test_attribute_of_two_events(void **state)
{
	struct rig r;

	(void)state;
	rig_begin(&r);
	r.m.event[WAIT].attr = IRQ;
	r.buf = rawfile_finish(rawfile_new(rig_events, NEVENT, &r.m), &r.m, true, &r.len);
	expect_no_decoder(&r, ERR_FORMAT, "attribute 0 belongs to events 0 and 3");
}

static void test_samples_without_time(void **state)
{
	struct rig r;
	uint64_t type;
	size_t at = 104 + offsetof(struct perf_event_attr, sample_type);

	(void)state;
	rig_begin(&r);
	r.buf = rawfile_finish(rawfile_new(rig_events, NEVENT, &r.m), &r.m, true, &r.len);
	memcpy(&type, (char *)r.buf + at, 8);
	type &= ~(uint64_t)PERF_SAMPLE_TIME;
	memcpy((char *)r.buf + at, &type, 8);
	expect_no_decoder(&r, ERR_UNSUPPORTED, "its samples carry no time");
}

static void damaged_formats(const char *find, const char *put, const char *part)
{
	struct rig r;
	char *at;

	rig_begin(&r);
	r.buf = rawfile_finish(rawfile_new(rig_events, NEVENT, NULL), NULL, true, &r.len);
	at = memmem(r.buf, r.len, find, strlen(find));
	assert_non_null(at);
	memcpy(at, put, strlen(find));
	expect_no_decoder(&r, ERR_FORMAT, part);
}

static void test_damaged_formats(void **state)
{
	(void)state;
	damaged_formats("\nID: 103\n", "\nID: 903\n",
			"event 3 (dmarec_1:dma_wait, number 103) has no format");
	damaged_formats("\nID: 103\n", "\nIX: 103\n", "has no ID line");
	damaged_formats("tracing0.6", "Tracing0.6",
			"does not begin with its magic number");
}

/* A line of a format that no kernel writes. What a damaged line says of a field is not
 * believed, nor is the rest of its format; where the event counts, this is told. */
static void test_damaged_lines(void **state)
{
	static const struct {
		const char *find, *put;
		int line;
	} cases[] = {
		{"name: dma_wait\nID", "nAme: dma_wait\nID", 1},
		{"name: dma_wait\nID", "name: dma-wait\nID", 1},
		{"common_type;\toffset:0;\tsize:2;",
		 "common_type;\toffset:0;\tsize:2:", 4},
		{"common_type;\toffset:0;\tsize:2;", "common_typ[;\toffset:0;\tsize:2;",
		 4},
		{"common_flags;\toffset:2;", "common_flags;\toffset:x;", 5},
		{"common_preempt_count", "common_preem]t_count", 6},
		{"common_preempt_count", "common_preemp_PR_FMT", 6},
		{"common_preempt_count", "__attribute__((a)) p", 6},
		{"\tfield:int common_pid;", "\tfield:int:common_pid;", 7},
		{"\tfield:int common_pid;", "\tfield:intycommon_pid;", 7},
		{"\tsigned:1;\n\n\tfield", "\tsigned:1;\n-\tfield", 8},
		{"offset:16;\tsize:4;", "offset:016;\tsize:4", 10},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char part[64];
		struct rig r;
		char *format, *at;

		rig_begin(&r);
		r.buf = rawfile_finish(rawfile_new(rig_events, NEVENT, NULL), NULL, true,
				       &r.len);
		format = memmem(r.buf, r.len, "name: dma_wait\n", 15);
		assert_non_null(format);
		at = memmem(format, 600, cases[i].find, strlen(cases[i].find));
		if (!at)
			fail_msg("no %s", cases[i].find);
		memcpy(at, cases[i].put, strlen(cases[i].put));
		snprintf(part, sizeof(part), "number 103): line %d of its format",
			 cases[i].line);
		meta_release(&r.m);
		expect_no_decoder(&r, ERR_FORMAT, part);
	}
}

/* The same of an event that nobody asks: no reason to refuse the recording. */
static void test_damaged_line_of_another_event(void **state)
{
	static const struct raw_event ev[] = {{"irq:irq_handler_entry", "s32 irq", true},
					      {"sched:other", "u32 channel", true}};
	struct rig r;
	struct sample s;
	char *at;

	(void)state;
	rig_foreign(&r, ev, 2);
	rawfile_sample(r.f, 0, 5, 0, 0, V(33));
	rawfile_sample(r.f, 1, 6, 0, 0, V(44));
	r.buf = rawfile_finish(r.f, NULL, true, &r.len);
	r.f = NULL;
	at = memmem(r.buf, r.len, "u32 channel", 11);
	assert_non_null(at);
	memcpy(at, "u32(channel", 11);
	rig_open(&r, NULL);
	assert_int_equal(sample(&r).irq, 33);
	s = sample(&r);
	assert_int_equal(s.role, ROLE_OTHER);
	assert_int_equal(s.channel, U);
	rig_end(&r);
}

/* Only a number is taken for one, whatever its name. */
static struct sample typed(const char *declaration)
{
	static const char old[] = "u64 a2345678901234567";
	static const struct raw_event one[] = {{"probe_l:dma_to_host", old, false}};
	struct rig r;
	struct sample s;
	char *at;

	rig_foreign(&r, one, 1);
	rawfile_sample(r.f, 0, 5, 0, 7, V(3));
	r.buf = rawfile_finish(r.f, NULL, true, &r.len);
	r.f = NULL;
	assert_int_equal(strlen(declaration), sizeof(old) - 1);
	at = memmem(r.buf, r.len, old, sizeof(old) - 1);
	assert_non_null(at);
	memcpy(at, declaration, sizeof(old) - 1);
	rig_open(&r, NULL);
	s = sample(&r);
	rig_end(&r);
	return s;
}

static void test_types(void **state)
{
	(void)state;
	assert_int_equal(typed("const long word1 size").size_bytes, 3);
	assert_int_equal(typed("const size_t * * size").size_bytes, U);
	assert_int_equal(typed("struct channel * chan").channel, U);
	assert_int_equal(typed("struct device * *card").card, 0);
	assert_int_equal(typed("const volatile * addr").addr, 3);
	assert_int_equal(typed("unsigned size[4 + 4 ]").size_bytes, U);
	assert_int_equal(typed("__data_loc int[] size").size_bytes, U);
}

/* The formats around what we read: arrays, strings, fields of the future. */
static void test_formats_of_real_kernels(void **state)
{
	static const struct raw_event odd[] = {
		{"irq:irq_handler_entry", "s32 irq", true}};
	const char old[] = "\tfield:s32 irq;\toffset:8;\tsize:4;\tsigned:1;\n";
	struct rig r;
	char *at;

	(void)state;
	rig_foreign(&r, odd, 1);
	rawfile_sample(r.f, 0, 5, 0, 0, V(33));
	r.buf = rawfile_finish(r.f, NULL, true, &r.len);
	r.f = NULL;
	/* the same length, with a string behind the number */
	at = memmem(r.buf, r.len, old, sizeof(old) - 1);
	assert_non_null(at);
	memcpy(at, "\tfield:int irq;\toffset:8;\tsize:4;\tsigned:1;\n\n\n\n",
	       sizeof(old) - 1);
	rig_open(&r, NULL);
	assert_int_equal(sample(&r).irq, 33);
	rig_end(&r);
}

/* ---- guessed ---- */

static void test_guessed_roles(void **state)
{
	static const struct raw_event perf[] = {
		{"irq:irq_handler_entry", "s32 irq", true},
		{"irq:irq_handler_exit", "s32 irq,s32 ret", true},
		{"probe_libblkdma:dma_to_host", "u32 channel,u64 size", false},
		{"probe_libblkdma:dma_to_host__return", "s32 arg1", false},
		{"probe_libblkdma:dma_from_host_1", "u32 channel,u64 size", false},
		{"probe_libflx:_ZN7FlxCard8dma_waitEj", "u32 dma_id", false},
		{"probe_libflx:dma_wait_exit_2", "", false},
		{"probe_libflx:doorbell", "", false},
		{"probe_libflx:dma_stop", "u32 chan", false},
		{"sched:dma_to_host", "u32 channel", true},
		{"probe_l:unrelated", "u32 channel", false},
	};
	static const struct {
		enum role role;
		enum direction direction;
		int64_t value[2];
	} want[] = {
		{ROLE_INTERRUPT, DIR_UNKNOWN, {5, 0}},
		{ROLE_HANDLED, DIR_UNKNOWN, {5, 1}},
		{ROLE_SUBMIT, DIR_TO_HOST, {1, 64}},
		{ROLE_STARTED, DIR_TO_HOST, {-3, 0}},
		{ROLE_SUBMIT, DIR_FROM_HOST, {1, 64}},
		{ROLE_WAIT, DIR_UNKNOWN, {1, 0}},
		{ROLE_WOKEN, DIR_UNKNOWN, {0, 0}},
		{ROLE_DOORBELL, DIR_UNKNOWN, {0, 0}},
		{ROLE_STOP, DIR_UNKNOWN, {1, 0}},
		{ROLE_OTHER, DIR_UNKNOWN, {1, 0}},
		{ROLE_OTHER, DIR_UNKNOWN, {1, 0}},
	};
	enum { N = sizeof(perf) / sizeof(*perf) };
	struct sample s[N];
	struct rig r;

	(void)state;
	rig_foreign(&r, perf, N);
	for (int i = 0; i < N; i++)
		rawfile_sample(r.f, (size_t)i, 100 + i, 0, 7, want[i].value);
	rig_open(&r, NULL);
	assert_true(r.guessed);
	assert_string_equal(r.m.clock, "monotonic");
	assert_int_equal(r.m.nevent, N);
	for (int i = 0; i < N; i++) {
		s[i] = sample(&r);
		if (s[i].role != want[i].role || s[i].direction != want[i].direction)
			fail_msg("%s: %s %s", perf[i].name, role_name(s[i].role),
				 direction_name(s[i].direction));
	}
	assert_int_equal(s[1].irq, 5);
	assert_int_equal(s[1].ret, 1);
	assert_int_equal(s[3].ret, -3);
	assert_int_equal(s[3].channel, 1); /* of its entry */
	assert_int_equal(s[5].channel, 1);
	assert_true(s[4].bits & SAMPLE_NO_EXIT);
	assert_false(s[2].bits & SAMPLE_NO_EXIT);
	rig_end(&r);
}

/* Where the file has no names of its events, their formats have. */
static void test_names_from_formats(void **state)
{
	static const struct raw_event one[] = {
		{"uprobes:dma_wait", "u32 channel", false}};
	struct rig r;
	uint64_t *word, twelve = FEAT_EVENT_DESC, none = 77;
	char *directory;

	(void)state;
	rig_foreign(&r, one, 1);
	rawfile_sample(r.f, 0, 5, 0, 7, V(2));
	r.buf = rawfile_finish(r.f, NULL, false, &r.len);
	r.f = NULL;
	directory = memmem(r.buf, r.len, "DMAREC\0\1", 8);
	assert_non_null(directory);
	word = memmem(directory, 200, &twelve, 8);
	assert_non_null(word);
	memcpy(word, &none, 8);
	rig_open(&r, NULL);
	assert_string_equal(r.m.event[0].name, "uprobes:dma_wait");
	assert_int_equal(sample(&r).role, ROLE_WAIT);
	rig_end(&r);
}

static void test_rules_win(void **state)
{
	static const struct raw_event perf[] = {{"probe_l:go", "u32 channel", false}};
	struct event_rules rules = {NULL, 0};
	struct rig r;
	struct err e = {0};
	struct sample s;

	(void)state;
	rig_foreign(&r, perf, 1);
	rawfile_sample(r.f, 0, 5, 0, 7, V(2));
	r.buf = rawfile_finish(r.f, NULL, true, &r.len);
	r.f = NULL;
	rules.role = (void *)(const char *const[]){"go", "submit:from_host"};
	rules.nrole = 1;
	rig_open(&r, &rules);
	s = sample(&r);
	assert_int_equal(s.role, ROLE_SUBMIT);
	assert_int_equal(s.direction, DIR_FROM_HOST);
	event_decoder_free(r.d);
	meta_release(&r.m);
	rules.role = (void *)(const char *const[]){"probe_l:stop", "submit"};
	assert_int_equal(event_decoder_new(&r.d, r.p, &rules, &r.m, &r.guessed, &e),
			 ERR_NOTFOUND);
	assert_non_null(strstr(e.text, "it has probe_l:go"));
	meta_release(&r.m);
	e = (struct err){0};
	rules.role = (void *)(const char *const[]){"go", "begin"};
	assert_int_equal(event_decoder_new(&r.d, r.p, &rules, &r.m, &r.guessed, &e),
			 ERR_USAGE);
	rig_end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damaged_samples),
		cmocka_unit_test(test_foreign_attribute),
		cmocka_unit_test(test_attribute_of_two_events),
		cmocka_unit_test(test_samples_without_time),
		cmocka_unit_test(test_damaged_formats),
		cmocka_unit_test(test_damaged_lines),
		cmocka_unit_test(test_damaged_line_of_another_event),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_formats_of_real_kernels),
		cmocka_unit_test(test_guessed_roles),
		cmocka_unit_test(test_names_from_formats),
		cmocka_unit_test(test_rules_win),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
