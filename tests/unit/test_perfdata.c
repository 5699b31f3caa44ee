/* SPDX-License-Identifier: GPL-2.0-only */
/* lib/file/perfdata: what the writer wrote is read again, in order of time, whole or cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/dma.h"
#include "lib/err.h"
#include "lib/file/perfdata.h"
#include "tests/unit/rawfile.h"

static const struct raw_event events[] = {
	{"irq:irq_handler_entry", "s32 irq", true},
	{"probe_l:dma_to_host", "u32 channel,u64 size", false},
};

static struct rawfile *start(void)
{
	return rawfile_new(events, 2, NULL);
}

static void irq(struct rawfile *f, int64_t time_ns, int cpu)
{
	rawfile_sample(f, 0, time_ns, cpu, 0, (int64_t[]){68});
}

static struct perfdata *open_mem(const void *buf, size_t len)
{
	struct perfdata *p;
	struct err e = {0};

	if (perfdata_open_mem(&p, buf, len, "mem", &e))
		fail_msg("%s", e.text);
	return p;
}

static bool next(struct perfdata *p, struct perfdata_rec *r)
{
	struct err e = {0};
	int rc = perfdata_next(p, r, &e);

	if (rc < 0)
		fail_msg("%s", e.text);
	return rc;
}

/* The times of all records are those given; ends with 0. */
static void expect_times(struct perfdata *p, const int64_t *time)
{
	struct perfdata_rec r;

	for (; *time; time++) {
		assert_true(next(p, &r));
		assert_int_equal(r.time_ns, *time);
	}
	assert_false(next(p, &r));
	assert_int_equal(perfdata_data_done(p), perfdata_data_size(p));
}

static void close_mem(struct perfdata *p, void *buf)
{
	perfdata_close(p);
	free(buf);
}

/* ---- one record ---- */

static void expect_fields(struct perfdata *p)
{
	uint64_t size;
	uint32_t channel;
	struct perfdata_rec r;

	assert_int_equal(perfdata_nattrs(p), 2);
	assert_string_equal(perfdata_attr(p, 1)->name, "probe_l:dma_to_host");
	assert_int_equal(perfdata_attr(p, 1)->nids, RAW_RINGS);
	assert_null(perfdata_attr(p, 2));
	assert_true(next(p, &r));
	assert_int_equal(r.type, PERF_RECORD_SAMPLE);
	assert_int_equal(r.misc, PERF_RECORD_MISC_USER);
	assert_int_equal(r.attr, 1);
	assert_int_equal(r.time_ns, 1000);
	assert_int_equal(r.cpu, 3);
	assert_int_equal(r.pid, 77);
	assert_int_equal(r.tid, 77);
	assert_int_equal(r.id, raw_id(1, 3));
	assert_int_equal(r.ip, 0x401000);
	assert_int_equal(r.lost, 0);
	assert_true(r.raw_len >= 32);
	memcpy(&channel, (const char *)r.raw + 16, 4);
	memcpy(&size, (const char *)r.raw + 24, 8);
	assert_int_equal(channel, 5);
	assert_int_equal(size, 1ull << 40);
	assert_true(next(p, &r));
	assert_int_equal(r.type, PERF_RECORD_COMM);
	assert_int_equal(r.body_len, 16);
	assert_memory_equal((const char *)r.body + 8, "workload", 8);
	assert_int_equal(r.tid, 9);
	assert_int_equal(r.cpu, 1);
	assert_false(next(p, &r));
	assert_false(perfdata_truncated(p));
	assert_int_equal(perfdata_disordered(p), 0);
}

static void test_file_and_memory(void **state)
{
	struct rawfile *f = start();
	struct perfdata *p;
	struct err e = {0};
	size_t len;
	void *buf;

	(void)state;
	rawfile_sample(f, 1, 1000, 3, 77, (int64_t[]){5, INT64_C(1) << 40});
	rawfile_record(f, PERF_RECORD_COMM, 0, "\1\0\0\0\1\0\0\0workload", 16, 1001, 1,
		       9);
	rawfile_finish_file(f, NULL, true);
	assert_int_equal(perfdata_open(&p, rawfile_path(f), &e), 0);
	expect_fields(p);
	perfdata_rewind(p, NULL);
	expect_fields(p);
	perfdata_close(p);
	buf = slurp(rawfile_path(f), &len);
	p = open_mem(buf, len);
	expect_fields(p);
	close_mem(p, buf);
	unlink(rawfile_path(f));
	free(f);
}

/* ---- order ---- */

static void test_rings_are_merged(void **state)
{
	struct rawfile *f = start();
	struct perfdata *p;
	size_t len;
	void *buf;

	(void)state;
	irq(f, 100, 0);
	irq(f, 300, 0);
	irq(f, 200, 1);
	irq(f, 250, 1);
	rawfile_round(f);
	irq(f, 400, 0);
	irq(f, 290, 1); /* read too late for the round before */
	irq(f, 350, 1);
	rawfile_round(f);
	irq(f, 380, 2);
	irq(f, 410, 2);
	buf = rawfile_finish(f, NULL, true, &len);
	p = open_mem(buf, len);
	expect_times(p, (int64_t[]){100, 200, 250, 290, 300, 350, 380, 400, 410, 0});
	assert_int_equal(perfdata_disordered(p), 0);
	perfdata_rewind(p, NULL);
	expect_times(p, (int64_t[]){100, 200, 250, 290, 300, 350, 380, 400, 410, 0});
	close_mem(p, buf);
}

static void test_without_rounds(void **state)
{
	struct rawfile *f = start();
	struct perfdata *p;
	size_t len;
	void *buf;

	(void)state;
	for (int cpu = 3; cpu >= 0; cpu--)
		for (int i = 1; i <= 2; i++)
			irq(f, i * 100 + cpu, cpu);
	buf = rawfile_finish(f, NULL, false, &len);
	p = open_mem(buf, len);
	expect_times(p, (int64_t[]){100, 101, 102, 103, 200, 201, 202, 203, 0});
	assert_int_equal(perfdata_disordered(p), 0);
	close_mem(p, buf);
}

static void test_equal_times_in_file_order(void **state)
{
	struct rawfile *f = start();
	struct perfdata_rec r;
	struct perfdata *p;
	size_t len;
	void *buf;

	(void)state;
	for (int cpu = 3; cpu >= 0; cpu--)
		irq(f, 100, cpu);
	buf = rawfile_finish(f, NULL, true, &len);
	p = open_mem(buf, len);
	for (int cpu = 3; cpu >= 0; cpu--) {
		assert_true(next(p, &r));
		assert_int_equal(r.cpu, cpu);
	}
	close_mem(p, buf);
}

static void test_broken_promise_is_counted(void **state)
{
	struct rawfile *f = start();
	struct perfdata *p;
	size_t len;
	void *buf;

	(void)state;
	irq(f, 1000, 0);
	rawfile_round(f);
	irq(f, 2000, 0);
	rawfile_round(f);
	irq(f, 500, 1);
	irq(f, 2500, 1);
	buf = rawfile_finish(f, NULL, true, &len);
	p = open_mem(buf, len);
	expect_times(p, (int64_t[]){1000, 500, 2000, 2500, 0});
	assert_int_equal(perfdata_disordered(p), 1);
	perfdata_rewind(p, NULL);
	assert_int_equal(perfdata_disordered(p), 0);
	close_mem(p, buf);
}

/* A nested interrupt is stamped later and written earlier. */
static void test_step_back_inside_a_ring(void **state)
{
	struct rawfile *f = start();
	struct perfdata *p;
	size_t len;
	void *buf;

	(void)state;
	irq(f, 100, 0);
	irq(f, 140, 0);
	irq(f, 130, 0);
	irq(f, 150, 0);
	irq(f, 120, 1);
	buf = rawfile_finish(f, NULL, true, &len);
	p = open_mem(buf, len);
	expect_times(p, (int64_t[]){100, 120, 130, 140, 150, 0});
	assert_int_equal(perfdata_disordered(p), 0);
	close_mem(p, buf);
}

/* ---- cut ---- */

static struct rawfile *some(void)
{
	struct rawfile *f = start();

	for (int i = 1; i <= 6; i++) {
		rawfile_sample(f, i % 2, i * 100, i % 3, 7, (int64_t[]){i, i});
		if (i % 2)
			rawfile_round(f);
	}
	return f;
}

/* How many whole kernel records lie before `end`; their times. */
static size_t whole(const uint8_t *buf, size_t end, int64_t *time)
{
	uint64_t at;
	size_t n = 0;

	memcpy(&at, buf + 40, 8);
	while (at + 8 <= end) {
		struct perf_event_header h;

		memcpy(&h, buf + at, 8);
		if (!h.size || at + h.size > end)
			break;
		if (h.type == PERF_RECORD_SAMPLE)
			memcpy(&time[n++], buf + at + 32, 8);
		at += h.size;
	}
	return n;
}

/* Cut at any byte: refused with a sentence, or read up to the last whole record. */
static void cut_everywhere(bool finish)
{
	int64_t time[8], told;
	size_t len, full, n;
	uint8_t *buf = rawfile_finish(some(), NULL, finish, &full);
	uint64_t data, size;

	memcpy(&data, buf + 40, 8);
	memcpy(&size, buf + 48, 8);
	for (len = 0; len < full; len++) {
		uint8_t *copy = malloc(len ? len : 1); /* for the sanitizer's sake */
		struct perfdata *p;
		struct perfdata_rec r;
		struct err e = {0};

		memcpy(copy, buf, len);
		if (perfdata_open_mem(&p, copy, len, "cut", &e)) {
			assert_true(len < data);
			assert_memory_equal(e.text, "cut: ", 5);
			free(copy);
			continue;
		}
		assert_true(perfdata_truncated(p));
		n = len < data
			    ? 0
			    : whole(buf, finish && len > data + size ? data + size : len,
				    time);
		told = 0;
		for (size_t i = 0; i < n; i++) {
			assert_true(next(p, &r));
			assert_true(r.time_ns > told);
			told = r.time_ns;
			assert_int_equal(r.type, PERF_RECORD_SAMPLE);
		}
		assert_false(next(p, &r));
		perfdata_close(p);
		free(copy);
	}
	free(buf);
}

static void test_cut_everywhere(void **state)
{
	(void)state;
	cut_everywhere(true);
	cut_everywhere(false);
}

/* Zeros that the file system left behind a recorder that died are no records. */
static void test_zeros_behind(void **state)
{
	static const char zeros[100];
	struct rawfile *f = some();
	struct perfdata *p;
	size_t len;
	void *buf;

	(void)state;
	rawfile_bytes(f, zeros, sizeof(zeros));
	buf = rawfile_finish(f, NULL, false, &len);
	p = open_mem(buf, len);
	assert_true(perfdata_truncated(p));
	expect_times(p, (int64_t[]){100, 200, 300, 400, 500, 600, 0});
	close_mem(p, buf);
}

static void test_killed_keeps_its_sections(void **state)
{
	struct perfdata *p;
	const void *text;
	struct meta m;
	size_t len, n;
	void *buf;

	(void)state;
	meta_init(&m);
	m.label = strdup("before");
	buf = rawfile_finish(rawfile_new(events, 2, &m), NULL, false, &len);
	p = open_mem(buf, len);
	assert_true(perfdata_truncated(p));
	assert_string_equal(perfdata_string(p, FEAT_HOSTNAME), "host");
	assert_string_equal(perfdata_attr(p, 0)->name, "irq:irq_handler_entry");
	assert_int_equal(perfdata_feature(p, FEAT_DMAREC, &text, &n, NULL), 1);
	assert_non_null(memmem(text, n, "label=before", 12));
	assert_int_equal(perfdata_feature(p, FEAT_TRACING_DATA, &text, &n, NULL), 1);
	expect_times(p, (int64_t[]){0});
	close_mem(p, buf);
	meta_release(&m);
}

/* A finished file that is cut keeps its roles: the first half of ours stands before the
 * data. */
static void test_cut_keeps_the_first_half(void **state)
{
	struct perfdata *p;
	struct rawfile *f;
	const void *text;
	struct meta m;
	size_t len, n;
	void *buf;

	(void)state;
	meta_init(&m);
	m.label = strdup("before");
	m.exit_status = 9;
	f = rawfile_new(events, 2, &m);
	irq(f, 100, 0);
	buf = rawfile_finish(f, &m, true, &len);
	for (size_t cut = 0; cut < 200; cut += 199) {
		p = open_mem(buf, len - cut);
		assert_int_equal(perfdata_truncated(p), cut > 0);
		assert_int_equal(perfdata_feature(p, FEAT_DMAREC, &text, &n, NULL), 1);
		assert_non_null(memmem(text, n, "label=before", 12));
		assert_int_equal(memmem(text, n, "exit_status=9", 13) != NULL, !cut);
		perfdata_close(p);
	}
	free(buf);
	meta_release(&m);
}

/* Killed between the last section and the directory's entry for it: not finished. */
static void test_killed_at_the_very_end(void **state)
{
	struct perfdata *p;
	const void *text;
	struct meta m, back;
	size_t len, n;
	uint8_t *buf, *directory;
	uint32_t entries;

	(void)state;
	meta_init(&m);
	m.exit_status = 9;
	buf = rawfile_finish(rawfile_new(events, 2, &m), &m, true, &len);
	directory = memmem(buf, len, "DMAREC\0\1", 8);
	assert_non_null(directory);
	memcpy(&entries, directory + 8, 4);
	memset(directory + 16 + 24 * (entries - 1) + 8, 0, 16);
	p = open_mem(buf, len);
	assert_int_equal(perfdata_feature(p, FEAT_DMAREC, &text, &n, NULL), 1);
	meta_init(&back);
	assert_int_equal(meta_parse(&back, text, n, NULL), 0);
	assert_false(back.finished);
	assert_int_equal(back.exit_status, -1);
	close_mem(p, buf);
	meta_release(&m);
	meta_release(&back);
}

/* Finished without a record is not killed. */
/* The first sample of a file without an end, with this id and this trace event's number. */
static int read_with(uint64_t id, uint16_t type, uint64_t *unnamed, struct err *e)
{
	enum { AT_ID = 8, AT_RAW = 60 };
	struct perfdata_rec r;
	struct perfdata *p;
	uint64_t data;
	size_t len;
	int rc;
	struct rawfile *f = start();
	uint8_t *buf;

	irq(f, 100, 0);
	irq(f, 200, 0);
	buf = rawfile_finish(f, NULL, false, &len);
	memcpy(&data, buf + 40, sizeof(data));
	memcpy(buf + data + AT_ID, &id, sizeof(id));
	memcpy(buf + data + AT_RAW, &type, sizeof(type));
	p = open_mem(buf, len);
	rc = perfdata_next(p, &r, e);
	*unnamed = perfdata_unnamed(p);
	close_mem(p, buf);
	return rc;
}

/* What a killed recorder armed last is not in the head; what is damaged is not taken for it. */
static void test_armed_late(void **state)
{
	const uint64_t newest = raw_id(1, RAW_RINGS - 1);
	struct err e = {0};
	uint64_t unnamed;

	(void)state;
	assert_int_equal(read_with(newest + 5, 555, &unnamed, &e), 1);
	assert_int_equal(unnamed, 1);
	assert_int_equal(read_with(newest + 5, RAW_FIRST_TYPE, &unnamed, &e), ERR_FORMAT);
	assert_non_null(strstr(e.text, "is none of the"));
	assert_int_equal(unnamed, 0);
	assert_int_equal(read_with(raw_id(0, 0) - 1, 555, &unnamed, &e), ERR_FORMAT);
	assert_int_equal(read_with(UINT64_MAX, 555, &unnamed, &e), ERR_FORMAT);
}

static void test_empty_recording(void **state)
{
	struct perfdata *p;
	size_t len;
	void *buf = rawfile_finish(start(), NULL, true, &len);

	(void)state;
	p = open_mem(buf, len);
	assert_false(perfdata_truncated(p));
	expect_times(p, (int64_t[]){0});
	close_mem(p, buf);
}

/* ---- features ---- */

static void test_both_halves_of_ours(void **state)
{
	struct perfdata_clock c;
	struct perfdata *p;
	struct meta m, back;
	const void *text;
	size_t len, n;
	void *buf;

	(void)state;
	meta_init(&m);
	m.label = strdup("first");
	m.exit_status = 3;
	buf = rawfile_finish(rawfile_new(events, 2, &m), &m, true, &len);
	p = open_mem(buf, len);
	assert_int_equal(perfdata_feature(p, FEAT_DMAREC, &text, &n, NULL), 1);
	meta_init(&back);
	assert_int_equal(meta_parse(&back, text, n, NULL), 0);
	assert_string_equal(back.label, "first");
	assert_int_equal(back.exit_status, 3);
	assert_true(back.finished);
	assert_int_equal(perfdata_clock(p, &c, NULL), 1);
	assert_int_equal(c.clockid, 1);
	assert_int_equal(c.clock_ns, 1000);
	assert_int_equal(perfdata_feature(p, FEAT_CMDLINE, &text, &n, NULL), 0);
	assert_null(perfdata_string(p, FEAT_CMDLINE));
	assert_null(perfdata_string(p, FEAT_BITS));
	close_mem(p, buf);
	meta_release(&m);
	meta_release(&back);
}

/* More than the writer's buffer at once, and in many pieces. */
static void test_large(void **state)
{
	enum { N = 30000 };
	struct rawfile *f = start();
	struct perfdata_rec r;
	struct perfdata *p;
	size_t len, n = 0;
	void *buf;

	(void)state;
	for (int i = 0; i < N; i++) {
		irq(f, 1000 + i / 4, i % 4);
		if (i % 1000 == 999)
			rawfile_round(f);
	}
	buf = rawfile_finish(f, NULL, true, &len);
	assert_true(len > 2 << 20);
	p = open_mem(buf, len);
	while (next(p, &r))
		n++;
	assert_int_equal(n, N);
	assert_int_equal(perfdata_disordered(p), 0);
	close_mem(p, buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file_and_memory),
		cmocka_unit_test(test_rings_are_merged),
		cmocka_unit_test(test_without_rounds),
		cmocka_unit_test(test_equal_times_in_file_order),
		cmocka_unit_test(test_broken_promise_is_counted),
		cmocka_unit_test(test_step_back_inside_a_ring),
		cmocka_unit_test(test_cut_everywhere),
		cmocka_unit_test(test_zeros_behind),
		cmocka_unit_test(test_killed_keeps_its_sections),
		cmocka_unit_test(test_cut_keeps_the_first_half),
		cmocka_unit_test(test_killed_at_the_very_end),
		cmocka_unit_test(test_armed_late),
		cmocka_unit_test(test_empty_recording),
		cmocka_unit_test(test_both_halves_of_ours),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
