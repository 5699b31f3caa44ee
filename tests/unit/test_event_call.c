/* SPDX-License-Identifier: GPL-2.0-only */
/* lib/event/event: an exit and a doorbell take what they do not carry from the entry of their
 * call, and from no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/event/event.h"
#include "tests/unit/rawfile.h"

enum { START, START_EXIT, WAIT, WAIT_EXIT, DOORBELL, NEVENT };

static const struct raw_event events[NEVENT] = {
	[START] = {"dmarec_1:dma_to_host", "u32 channel,u64 size", false},
	[START_EXIT] = {"dmarec_1:dma_to_host_x0", "s32 ret", false},
	[WAIT] = {"dmarec_1:dma_wait", "u32 channel", false},
	[WAIT_EXIT] = {"dmarec_1:dma_wait_x0", "s32 ret", false},
	[DOORBELL] = {"dmarec_1:doorbell", "", false},
};

static const enum role roles[NEVENT] = {ROLE_SUBMIT, ROLE_STARTED, ROLE_WAIT, ROLE_WOKEN,
					ROLE_DOORBELL};

struct rig {
	struct rawfile *f;
	struct meta m;
	void *buf;
	struct perfdata *p;
	struct event_decoder *d;
	int64_t now;
};

static void begin(struct rig *r, bool no_exit)
{
	memset(r, 0, sizeof(*r));
	meta_init(&r->m);
	for (int i = 0; i < NEVENT; i++) {
		struct meta_event *ev = meta_add_event(&r->m);

		ev->attr = i;
		ev->name = strdup(events[i].name);
		ev->role = roles[i];
		ev->func = i == WAIT || i == WAIT_EXIT;
		ev->direction = i == START ? DIR_TO_HOST : DIR_UNKNOWN;
		ev->no_exit = no_exit && i == START;
	}
	r->f = rawfile_new(events, NEVENT, &r->m);
	r->now = 1000;
}

static void start(struct rig *r, int tid, int64_t channel, int64_t size)
{
	rawfile_sample(r->f, START, r->now++, 0, tid, (int64_t[]){channel, size});
}

static void hit(struct rig *r, int event, int tid, int64_t value)
{
	rawfile_sample(r->f, (size_t)event, r->now++, 0, tid, &value);
}

static void open_it(struct rig *r)
{
	struct err e = {0};
	bool guessed;
	size_t len;

	r->buf = rawfile_finish(r->f, &r->m, true, &len);
	meta_release(&r->m);
	assert_int_equal(perfdata_open_mem(&r->p, r->buf, len, "mem", &e), 0);
	assert_int_equal(event_decoder_new(&r->d, r->p, NULL, &r->m, &guessed, &e), 0);
}

static void end(struct rig *r)
{
	event_decoder_free(r->d);
	perfdata_close(r->p);
	meta_release(&r->m);
	free(r->buf);
}

/* The channels of all samples of an event, in order; ends with -1. U = unknown. */
#define U DMA_UNKNOWN

static void expect(struct rig *r, int event, const int64_t *channel)
{
	struct perfdata_rec rec;
	struct err e = {0};
	struct sample s;
	int rc, n = 0;

	while ((rc = perfdata_next(r->p, &rec, &e)) > 0) {
		rc = event_decode(r->d, &rec, &s, &e);
		if (rc < 0)
			fail_msg("%s", e.text);
		if (!rc || s.source != event)
			continue;
		if (s.channel != channel[n])
			fail_msg("exit %d: channel %lld", n, (long long)s.channel);
		n++;
	}
	assert_int_equal(rc, 0);
	assert_int_equal(channel[n], -1);
	end(r);
}

static void test_exit_of_its_entry(void **state)
{
	struct perfdata_rec rec;
	struct sample s;
	struct rig r;

	(void)state;
	begin(&r, false);
	start(&r, 7, 3, 4096);
	hit(&r, DOORBELL, 7, 0);
	hit(&r, START_EXIT, 7, 0);
	open_it(&r);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(perfdata_next(r.p, &rec, NULL), 1);
		assert_int_equal(event_decode(r.d, &rec, &s, NULL), 1);
		assert_int_equal(s.channel, 3);
		assert_int_equal(s.size_bytes, 4096);
		assert_int_equal(s.direction, DIR_TO_HOST);
	}
	end(&r);
}

static void test_threads_and_functions_apart(void **state)
{
	struct rig r;

	(void)state;
	begin(&r, false);
	start(&r, 7, 1, 1);
	start(&r, 8, 2, 1);
	hit(&r, WAIT, 7, 3);
	hit(&r, WAIT, 8, 4);
	hit(&r, START_EXIT, 8, 0);
	hit(&r, WAIT_EXIT, 8, 0);
	hit(&r, START_EXIT, 7, 0);
	hit(&r, WAIT_EXIT, 7, 0);
	open_it(&r);
	expect(&r, START_EXIT, (int64_t[]){2, 1, -1});
}

static void test_exit_without_entry(void **state)
{
	struct rig r;

	(void)state;
	begin(&r, false);
	hit(&r, START_EXIT, 7, 0);
	start(&r, 7, 1, 1);
	hit(&r, START_EXIT, 7, 0);
	hit(&r, START_EXIT, 7, 0);
	hit(&r, DOORBELL, 7, 0);
	open_it(&r);
	expect(&r, START_EXIT, (int64_t[]){U, 1, U, -1});
}

/* dma_wait throws on its time limit: the call after it is like any other. */
static void test_exception(void **state)
{
	struct rig r;

	(void)state;
	begin(&r, false);
	hit(&r, WAIT, 7, 5);
	hit(&r, WAIT, 7, 5);
	hit(&r, WAIT_EXIT, 7, 0);
	hit(&r, WAIT, 7, 6);
	hit(&r, WAIT_EXIT, 7, 0);
	open_it(&r);
	expect(&r, WAIT_EXIT, (int64_t[]){5, 6, -1});
}

/* Whether the inner call returned or threw cannot be seen: only what both share is
 * known. */
static void test_call_inside_a_call(void **state)
{
	struct perfdata_rec rec;
	struct sample s;
	struct rig r;

	(void)state;
	begin(&r, false);
	start(&r, 7, 1, 4096);
	start(&r, 7, 2, 4096);
	hit(&r, START_EXIT, 7, 0);
	hit(&r, START_EXIT, 7, 0);
	open_it(&r);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(perfdata_next(r.p, &rec, NULL), 1);
		assert_int_equal(event_decode(r.d, &rec, &s, NULL), 1);
		assert_int_equal(s.channel, i < 2 ? i + 1 : U);
		assert_int_equal(s.size_bytes, i < 3 ? 4096 : U);
	}
	end(&r);
}

/* Where no exit is probed every entry is the newest. */
static void test_doorbell_without_exits(void **state)
{
	struct rig r;

	(void)state;
	begin(&r, true);
	for (int i = 0; i < 3; i++) {
		start(&r, 7, i, 1);
		hit(&r, DOORBELL, 7, 0);
	}
	open_it(&r);
	expect(&r, DOORBELL, (int64_t[]){0, 1, 2, -1});
}

/* The entry of the second call was lost; in order of time the LOST record stands behind
 * the exit that is written after it. */
static void test_loss_closes_calls(void **state)
{
	struct rig r;

	(void)state;
	begin(&r, false);
	hit(&r, WAIT, 7, 1);
	rawfile_lost(r.f, 2, r.now + 5, 0);
	hit(&r, WAIT_EXIT, 7, 0);
	r.now += 10;
	hit(&r, WAIT, 7, 2);
	hit(&r, WAIT_EXIT, 7, 0);
	open_it(&r);
	expect(&r, WAIT_EXIT, (int64_t[]){U, 2, -1});
}

/* A thread that moved: its entry was lost on another CPU. */
static void test_loss_on_another_cpu(void **state)
{
	struct rig r;
	int64_t v = 1;

	(void)state;
	begin(&r, false);
	rawfile_sample(r.f, START, 900, 1, 9, (int64_t[]){8, 1});
	rawfile_sample(r.f, WAIT, 1000, 0, 7, &v);
	rawfile_lost(r.f, 2, 3000, 1);
	rawfile_sample(r.f, START, 2990, 1, 9, (int64_t[]){8, 1});
	rawfile_sample(r.f, WAIT_EXIT, 2000, 0, 7, &v);
	open_it(&r);
	/* the loss begins at 900: before the entry at 1000, which is therefore taken */
	expect(&r, WAIT_EXIT, (int64_t[]){1, -1});
}

static void test_thread_ends(void **state)
{
	uint32_t task[6] = {7, 1, 7, 1, 2000, 0};
	struct rig r;

	(void)state;
	begin(&r, false);
	hit(&r, WAIT, 7, 1);
	hit(&r, WAIT, 8, 2);
	rawfile_record(r.f, PERF_RECORD_EXIT, 0, task, 24, r.now++, 0, 7);
	hit(&r, WAIT_EXIT, 7, 0); /* another thread of that number */
	hit(&r, WAIT_EXIT, 8, 0);
	open_it(&r);
	expect(&r, WAIT_EXIT, (int64_t[]){U, 2, -1});
}

/* No two threads share a place, however many they are. */
static void test_many_threads(void **state)
{
	enum { N = 30000 };
	int64_t *want = malloc((N + 1) * sizeof(*want));
	struct rig r;

	(void)state;
	begin(&r, false);
	for (int i = 0; i < N; i++) {
		hit(&r, WAIT, 1 + i * 3, i % 64);
		start(&r, 1 + i * 3, i % 7, 1);
	}
	for (int i = 0; i < N; i++) {
		hit(&r, WAIT_EXIT, 1 + i * 3, 0);
		want[i] = i % 64;
	}
	want[N] = -1;
	open_it(&r);
	expect(&r, WAIT_EXIT, want);
	free(want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exit_of_its_entry),
		cmocka_unit_test(test_threads_and_functions_apart),
		cmocka_unit_test(test_exit_without_entry),
		cmocka_unit_test(test_exception),
		cmocka_unit_test(test_call_inside_a_call),
		cmocka_unit_test(test_doorbell_without_exits),
		cmocka_unit_test(test_loss_closes_calls),
		cmocka_unit_test(test_loss_on_another_cpu),
		cmocka_unit_test(test_thread_ends),
		cmocka_unit_test(test_many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
