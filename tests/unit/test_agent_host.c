/* SPDX-License-Identifier: GPL-2.0-only */
/* record/agent/host: rings as threads write them, and as nobody should. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/err.h"
#include "record/agent/host_impl.h"

enum { SLOTS = 1024 };

static uint64_t got;
static int count(void *arg, const struct agent_hit *hit, struct err *e)
{
	(void)arg;
	(void)e;
	assert_int_equal(hit->place, 0);
	got++;
	return 0;
}

static struct agent_host *open_host(void)
{
	struct agent_place p = {.kind = AGENT_PROBE};
	struct agent_host *h;
	struct err e = {0};
	uint32_t index;

	got = 0;
	if (agent_host_open(&h, "x", 1, SLOTS * AGENT_SLOT, CLOCK_MONOTONIC, &e))
		fail_msg("%s", e.text);
	assert_int_equal(agent_host_add(h, &p, &index, &e), 0);
	return h;
}

/* As a thread takes it. */
static struct agent_ring *take(struct agent_host *h)
{
	struct agent_ring *r = host_ring(h, 0);

	assert_int_equal(r->state, AGENT_RING_FREE);
	r->state = AGENT_RING_TAKEN;
	r->pid = getpid();
	r->tid = (int32_t)syscall(SYS_gettid);
	return r;
}

static struct agent_slot *slot(struct agent_ring *r, uint64_t i)
{
	return (struct agent_slot *)((uint8_t *)r + AGENT_RING_HEAD) + i % SLOTS;
}

static void hit(struct agent_ring *r, bool give)
{
	uint64_t i = r->reserve++;

	r->counted[0]++;
	slot(r, i)->place = 0;
	if (give)
		slot(r, i)->sequence = i + 1;
}

static void drain(struct agent_host *h, bool expect_whole)
{
	struct err e = {0};
	bool whole;

	assert_int_equal(agent_host_drain(h, count, NULL, &whole, &e), 0);
	assert_int_equal(whole, expect_whole);
}

static void expect(struct agent_host *h, uint64_t counted, uint64_t delivered,
		   uint64_t lost)
{
	uint64_t c, l;

	agent_host_count(h, 0, &c, &l);
	assert_int_equal(got, delivered);
	assert_int_equal(c, counted);
	assert_int_equal(l, lost);
	agent_host_close(h);
}

static void test_round_and_round(void **state)
{
	struct agent_host *h = open_host();
	struct agent_ring *r = take(h);

	(void)state;
	for (int lap = 0; lap < 5; lap++) {
		for (int i = 0; i < SLOTS - 7; i++)
			hit(r, true);
		drain(h, true);
		assert_int_equal(r->tail, r->reserve);
	}
	expect(h, 5 * (SLOTS - 7), 5 * (SLOTS - 7), 0);
}

static void test_open_slot_holds_nothing_up(void **state)
{
	struct agent_host *h = open_host();
	struct agent_ring *r = take(h);

	(void)state;
	hit(r, true);
	hit(r, false);
	hit(r, true);
	drain(h, false);
	assert_int_equal(got, 2);
	assert_int_equal(r->tail, 1);
	drain(h, false);
	assert_int_equal(got, 2); /* nothing twice */
	slot(r, 1)->sequence = 2;
	drain(h, true);
	assert_int_equal(r->tail, 3);
	expect(h, 3, 3, 0);
}

/* A recorder that comes late meets a full ring whose thread is in the middle of a hit. */
static void test_newest_slot_of_a_full_ring(void **state)
{
	struct agent_host *h = open_host();
	struct agent_ring *r = take(h);

	(void)state;
	for (int i = 0; i < SLOTS - 1; i++)
		hit(r, true);
	hit(r, false);
	drain(h, false);
	assert_int_equal(r->tail, SLOTS - 1);
	slot(r, SLOTS - 1)->sequence = SLOTS;
	drain(h, true);
	expect(h, SLOTS, SLOTS, 0);
}

/* Rooms that were made and not needed are used later; none is lost. */
static void test_queue(void **state)
{
	struct hits q = {0};
	struct chunk *c;
	uint64_t n = 0;

	(void)state;
	assert_int_equal(hits_reserve(&q, 3 * CHUNK_HITS), 3 * CHUNK_HITS);
	hits_add(&q)->pid = 0;
	assert_int_equal(hits_reserve(&q, 5 * CHUNK_HITS), 5 * CHUNK_HITS);
	for (int i = 1; i <= 5 * CHUNK_HITS; i++)
		hits_add(&q)->pid = i;
	assert_int_equal(q.held, 6);
	c = hits_take(&q);
	while (c) {
		struct chunk *next = c->next;

		for (uint32_t i = 0; i < c->n; i++)
			assert_int_equal(c->hit[i].pid, n++);
		hits_return(&q, c);
		c = next;
	}
	assert_int_equal(n, 5 * CHUNK_HITS + 1);
	assert_int_equal(q.held, 0);
	assert_true(hits_reserve(&q, UINT64_MAX / 2) < 10000000); /* bounded */
	hits_release(&q);
}

static void test_left_by_a_jump(void **state)
{
	struct agent_host *h = open_host();
	struct agent_ring *r = take(h);

	(void)state;
	hit(r, false);
	for (int i = 0; i < SLOTS - 10; i++)
		hit(r, true);
	drain(h, true); /* nearly full of what came later: it will not come */
	assert_int_equal(r->tail, r->reserve);
	expect(h, SLOTS - 9, SLOTS - 10, 1);
}

static void test_thread_that_is_gone(void **state)
{
	struct agent_host *h = open_host();
	struct agent_ring *r = take(h);

	(void)state;
	hit(r, true);
	hit(r, false);
	r->pid = r->tid = 0x3ffffff; /* beyond every number of a process */
	drain(h, true);
	assert_int_equal(r->state, AGENT_RING_FREE);
	expect(h, 2, 1, 1);
}

static void test_impossible_contents(void **state)
{
	struct agent_host *h = open_host();
	struct agent_ring *r = take(h);

	(void)state;
	hit(r, true);
	slot(r, 0)->place = 9999;
	drain(h, true);
	assert_int_equal(agent_host_damaged(h), 1);
	r->reserve += 100 * SLOTS;
	drain(h, true);
	r->reserve = 3; /* backward */
	drain(h, true);
	assert_int_equal(agent_host_damaged(h), 3);
	memset(r, 0xff, AGENT_RING_HEAD);
	memset(h->shared->report, 0xff, sizeof(h->shared->report));
	drain(h, true);
	agent_host_close(h);
}

static void test_reports_end(void **state)
{
	struct agent_host *h = open_host();
	struct agent_report r;
	uint32_t at = 0, n = 0;
	char buf[128];

	(void)state;
	memset(h->shared->report, 0xff, sizeof(h->shared->report));
	while (agent_host_report(h, &at, &r))
		n += agent_verdict_text(&r, buf) != NULL;
	assert_int_equal(n, AGENT_REPORTS);
	agent_host_close(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_and_round),
		cmocka_unit_test(test_open_slot_holds_nothing_up),
		cmocka_unit_test(test_newest_slot_of_a_full_ring),
		cmocka_unit_test(test_queue),
		cmocka_unit_test(test_left_by_a_jump),
		cmocka_unit_test(test_thread_that_is_gone),
		cmocka_unit_test(test_impossible_contents),
		cmocka_unit_test(test_reports_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
