/* SPDX-License-Identifier: GPL-2.0-only */
/* lib/file/perfdata: what was lost, how much of it, and in which window. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

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

static void test_window_of_a_loss(void **state)
{
	struct rawfile *f = start();
	struct perfdata_rec r;
	struct perfdata *p;
	size_t len;
	void *buf;

	(void)state;
	irq(f, 100, 0);
	rawfile_lost(f, 5, 205, 0); /* stamped after what it makes room for */
	irq(f, 200, 0);
	irq(f, 150, 1);
	rawfile_lost(f, 2, 300, 2);
	irq(f, 310, 2);
	buf = rawfile_finish(f, NULL, true, &len);
	p = open_mem(buf, len);
	assert_true(next(p, &r)); /* nothing before it on its CPU: from the beginning */
	assert_int_equal(r.type, PERF_RECORD_LOST);
	assert_int_equal(r.cpu, 2);
	assert_int_equal(r.lost, 2);
	assert_int_equal(r.lost_from_ns, DMA_UNKNOWN);
	assert_int_equal(r.lost_to_ns, 310);
	assert_true(next(p, &r));
	assert_int_equal(r.time_ns, 100);
	assert_true(next(p, &r)); /* before 150, which lies inside */
	assert_int_equal(r.type, PERF_RECORD_LOST);
	assert_int_equal(r.cpu, 0);
	assert_int_equal(r.lost, 5);
	assert_int_equal(r.time_ns, 205);
	assert_int_equal(r.lost_from_ns, 100);
	assert_int_equal(r.lost_to_ns, 205);
	expect_times(p, (int64_t[]){150, 200, 310, 0});
	assert_int_equal(perfdata_disordered(p), 0);
	close_mem(p, buf);
}

static void test_window_over_rounds(void **state)
{
	struct rawfile *f = start();
	struct perfdata_rec r;
	struct perfdata *p;
	size_t len;
	void *buf;
	int64_t last = 0;
	int losses = 0;

	(void)state;
	irq(f, 100, 0);
	for (int i = 2; i < 40; i++) {
		irq(f, i * 100, 1);
		rawfile_round(f);
	}
	rawfile_lost(f, 9, 5000, 0);
	irq(f, 4990, 0);
	buf = rawfile_finish(f, NULL, true, &len);
	p = open_mem(buf, len);
	while (next(p, &r)) {
		if (r.type == PERF_RECORD_LOST) {
			losses++;
			assert_int_equal(r.lost_from_ns, 100);
			assert_int_equal(r.lost_to_ns, 5000);
			assert_true(last < 4990);
		} else {
			assert_true(r.time_ns > last);
			last = r.time_ns;
		}
	}
	assert_int_equal(losses, 1);
	assert_int_equal(perfdata_disordered(p), 0);
	close_mem(p, buf);
}

/* What perf writes at the end for each id: no time, and 0 for the CPU. */
static void lost_samples(struct rawfile *f, uint16_t misc, uint64_t id, uint64_t lost)
{
	uint64_t rec[6] = {0, lost, 0, 0, 0, id};
	struct perf_event_header h = {PERF_RECORD_LOST_SAMPLES, misc, sizeof(rec)};

	memcpy(rec, &h, sizeof(h));
	rawfile_bytes(f, rec, sizeof(rec));
}

/* The losses of a file, in order. */
static size_t losses(struct rawfile *f, struct perfdata_rec *out, size_t max)
{
	struct perfdata_rec r;
	struct perfdata *p;
	size_t len, n = 0;
	void *buf = rawfile_finish(f, NULL, true, &len);

	p = open_mem(buf, len);
	while (next(p, &r)) {
		if (r.type == PERF_RECORD_SAMPLE)
			continue;
		assert_true(n < max);
		out[n++] = r;
	}
	close_mem(p, buf);
	return n;
}

/* LOST_SAMPLES repeats what LOST said of the same ring; what is left was lost at its
 * end. */
static void test_lost_samples(void **state)
{
	struct rawfile *f = start();
	struct perfdata_rec r[4];

	(void)state;
	irq(f, 100, 0);
	irq(f, 150, 1);
	rawfile_lost(f, 5, 200, 1);
	irq(f, 199, 1);
	rawfile_lost(f, 3, 210, 0);
	rawfile_sample(f, 1, 209, 0, 7, (int64_t[]){1, 1});
	lost_samples(f, 0, raw_id(0, 1), 7);
	lost_samples(f, 0, raw_id(0, 0), 1);
	lost_samples(f, 0, raw_id(1, 0), 2);
	lost_samples(f, 1 << 15, raw_id(1, 0), 9); /* filtered by BPF, not lost */
	assert_int_equal(losses(f, r, 4), 3);
	assert_int_equal(r[0].lost, 3);
	assert_int_equal(r[0].cpu, 0);
	assert_int_equal(r[1].lost, 5);
	assert_int_equal(r[1].cpu, 1);
	assert_int_equal(r[2].lost, 2);
	assert_int_equal(r[2].cpu, 1);
	assert_int_equal(r[2].lost_from_ns, 199);
	assert_int_equal(r[2].lost_to_ns, DMA_UNKNOWN);
}

/* Of this event nothing arrived: which ring it had is not known. */
static void test_lost_samples_of_an_unseen_event(void **state)
{
	struct rawfile *f = start();
	struct perfdata_rec r[4];

	(void)state;
	irq(f, 100, 0);
	rawfile_lost(f, 5, 200, 0);
	irq(f, 199, 0);
	lost_samples(f, 0, raw_id(1, 2), 6);
	assert_int_equal(losses(f, r, 4), 2);
	assert_int_equal(r[1].lost, 5);
	assert_int_equal(r[0].lost, 1); /* from the beginning, therefore first */
	assert_int_equal(r[0].cpu, -1);
	assert_int_equal(r[0].lost_from_ns, DMA_UNKNOWN);
	assert_int_equal(r[0].lost_to_ns, DMA_UNKNOWN);
}

static void id_index(struct rawfile *f, const int64_t (*entry)[3], size_t n)
{
	uint64_t rec[2 + 4 * 8] = {0, n};
	struct perf_event_header h = {69, 0, (uint16_t)(16 + 32 * n)};

	memcpy(rec, &h, sizeof(h));
	for (size_t i = 0; i < n; i++) {
		rec[2 + 4 * i] = (uint64_t)entry[i][0];
		rec[4 + 4 * i] = (uint64_t)entry[i][1]; /* cpu */
		rec[5 + 4 * i] = (uint64_t)entry[i][2]; /* thread */
	}
	rawfile_bytes(f, rec, h.size);
}

static void test_lost_samples_by_the_index(void **state)
{
	const int64_t index[][3] = {{(int64_t)raw_id(0, 0), 0, -1},
				    {(int64_t)raw_id(1, 2), 2, -1}};
	struct rawfile *f = start();
	struct perfdata_rec r[4];

	(void)state;
	id_index(f, index, 2);
	irq(f, 100, 0);
	rawfile_lost(f, 5, 200, 0);
	irq(f, 199, 0);
	lost_samples(f, 0, raw_id(1, 2), 6);
	assert_int_equal(losses(f, r, 4), 2);
	assert_int_equal(r[0].lost, 6); /* nothing was told of its ring */
	assert_int_equal(r[0].cpu, 2);
	assert_int_equal(r[1].lost, 5);
}

/* --per-thread: one ring for the events of a thread, on whatever CPU it runs. */
static void test_loss_of_a_threads_ring(void **state)
{
	const int64_t index[][3] = {{(int64_t)raw_id(0, 0), -1, 7},
				    {(int64_t)raw_id(1, 0), -1, 7},
				    {(int64_t)raw_id(0, 1), -1, 8},
				    {(int64_t)raw_id(1, 1), -1, 8}};
	struct perf_event_header h = {PERF_RECORD_LOST, 0, 56};
	struct rawfile *f = start();
	struct perfdata_rec r[4];
	uint64_t rec[7];
	int32_t cpu = 3;

	(void)state;
	id_index(f, index, 4);
	rawfile_sample(f, 1, 100, 0, 7, (int64_t[]){1, 1});
	irq(f, 150, 1); /* thread 8, later, on the CPU to which 7 goes */
	memset(rec, 0, sizeof(rec));
	memcpy(rec, &h, sizeof(h));
	rec[1] = raw_id(0, 0);
	rec[2] = 5;
	rec[4] = 200;
	memcpy(&rec[5], &cpu, sizeof(cpu));
	rec[6] = raw_id(0, 0);
	rawfile_bytes(f, rec, sizeof(rec));
	lost_samples(f, 0, raw_id(1, 0), 6);
	assert_int_equal(losses(f, r, 4), 2);
	assert_int_equal(r[0].lost, 5);
	assert_int_equal(r[0].cpu, -1);
	assert_int_equal(r[0].lost_from_ns, 100);
	assert_int_equal(r[1].lost, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_window_of_a_loss),
		cmocka_unit_test(test_window_over_rounds),
		cmocka_unit_test(test_lost_samples),
		cmocka_unit_test(test_lost_samples_of_an_unseen_event),
		cmocka_unit_test(test_lost_samples_by_the_index),
		cmocka_unit_test(test_loss_of_a_threads_ring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
