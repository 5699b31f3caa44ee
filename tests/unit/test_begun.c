/* SPDX-License-Identifier: GPL-2.0-only */
/* Recordings that begin in the middle: how far that reaches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/use/begun.h"

enum { DEVICE = 10000, MOST = 4000 };

struct made {
	struct sample s[MOST];
	size_t n;
	int64_t now, free_ns, end_ns[64];
	unsigned begun, ended;
};

static void call(struct made *m, enum role r, int64_t at)
{
	if (m->n < MOST)
		m->s[m->n++] = (struct sample){.role = r,
					       .time_ns = at,
					       .tid = 7,
					       .card = 0,
					       .channel = 3,
					       .size_bytes = 4096};
	m->now = at;
}

static void start(struct made *m)
{
	call(m, ROLE_SUBMIT, m->now + 200);
	call(m, ROLE_STARTED, m->now + 500);
	m->free_ns = (m->free_ns > m->now ? m->free_ns : m->now) + DEVICE;
	m->end_ns[m->begun++ % 64] = m->free_ns;
}

static void await(struct made *m)
{
	int64_t end = m->end_ns[m->ended++ % 64];

	call(m, ROLE_WAIT, m->now + 200);
	call(m, ROLE_WOKEN, (end > m->now ? end : m->now) + 300);
}

/* A program that keeps depth in flight, waits for all of them every `drain` transfers,
 * and pauses now and then. */
static void program(struct made *m, unsigned depth, unsigned drain, int64_t pause)
{
	*m = (struct made){.now = 1000000};
	while (m->begun < 600) {
		while (m->begun - m->ended < depth)
			start(m);
		await(m);
		if (pause && m->begun % 7 == 0)
			m->now += pause;
		while (drain && m->begun % drain == 0 && m->ended < m->begun)
			await(m);
	}
	while (m->ended < m->begun)
		await(m);
}

/* The result of what is left when `cut` samples are; -1 = nothing is uncertain. */
static int64_t uncertain(const struct made *m, size_t cut, size_t end, bool ended)
{
	struct begun *b = begun_new();
	struct begun_channel c;

	assert_non_null(b);
	for (size_t i = cut; i < m->n - end; i++)
		assert_int_equal(begun_push(b, &m->s[i]), 0);
	size_t n = begun_result(b, ended, &c, 1);
	begun_free(b);
	assert_true(!n || c.channel == 3);
	return n ? c.until_ns : -1;
}

static void whole(void **state)
{
	struct made *m = *state;

	for (unsigned depth = 1; depth <= 8; depth *= 2) {
		program(m, depth, 0, 0);
		assert_int_equal(uncertain(m, 0, 0, true), -1);
		assert_int_equal(uncertain(m, 0, 0, false), -1);
		assert_int_equal(uncertain(m, 0, 3, false), -1);
	}
}

/* Wherever it begins in a queue: nothing is certain before the last one from before was
 * waited for, or at all where the end is not seen. */
static void in_a_queue(void **state)
{
	struct made *m = *state;

	program(m, 8, 0, 0);
	for (size_t cut = 101; cut < 140; cut++) {
		assert_true(uncertain(m, cut, 0, true) >= m->s[m->n - 1].time_ns);
		assert_true(uncertain(m, cut, 0, false) >= m->s[m->n - 1].time_ns);
	}
	for (size_t cut = 101; cut < 140; cut++)
		if (m->s[cut].role == ROLE_STARTED || m->s[cut].role == ROLE_WOKEN)
			assert_true(uncertain(m, cut, 101, false) == INT64_MAX);
}

/* Of bursts all is certain again with the next one. */
static void in_a_burst(void **state)
{
	struct made *m = *state;

	program(m, 4, 4, 0);
	for (size_t cut = 101; cut < 140; cut++) {
		int64_t until = uncertain(m, cut, 0, false);
		if (until != -1 && until != INT64_MAX)
			assert_true(until < m->s[cut].time_ns + 8 * DEVICE);
	}
}

/* One at a time: certain where pauses show it, or the end is whole. */
static void one_by_one(void **state)
{
	struct made *m = *state;

	program(m, 1, 0, 2 * DEVICE);
	for (size_t cut = 101; cut < 140; cut++)
		assert_true(uncertain(m, cut, 50, false) < m->s[cut + 4].time_ns);
	program(m, 1, 0, 0);
	for (size_t cut = 101; cut < 140; cut++)
		assert_true(uncertain(m, cut, 0, true) < m->s[cut + 4].time_ns);
}

/* A card that is never idle: a program that thinks for most of the time that one takes waits
 * for what is left of it, as long as ever, though eight are in flight. */
static void thinks(void **state)
{
	struct made *m = *state;

	*m = (struct made){.now = 1000000};
	while (m->begun < 8)
		start(m);
	while (m->begun < 600) {
		await(m);
		m->now += 6000 + m->begun % 5 * 100;
		start(m);
	}
	for (size_t cut = 41; cut < 80; cut++)
		if (m->s[cut].role == ROLE_WOKEN)
			assert_true(uncertain(m, cut, 101, false) == INT64_MAX);
}

/* Calls that say their channel, but not the card: two channels that fill first, and are
 * waited for in turns until they are empty. */
static void no_card(void **state)
{
	struct begun *b = begun_new();
	struct begun_channel c[2];
	int64_t now = 0;

	(void)state;
	assert_non_null(b);
	for (unsigned i = 0; i < 200; i++) {
		bool waits = i >= 192 || (i >= 8 && i % 4 >= 2);
		enum role first = waits ? ROLE_WAIT : ROLE_SUBMIT;
		struct sample s = {.role = first,
				   .time_ns = now += 1000,
				   .tid = 7,
				   .card = DMA_UNKNOWN,
				   .channel = (i / 2 + i) % 2};

		assert_int_equal(begun_push(b, &s), 0);
		s.role = first == ROLE_WAIT ? ROLE_WOKEN : ROLE_STARTED;
		s.time_ns = now += 1000;
		s.channel = DMA_UNKNOWN;
		assert_int_equal(begun_push(b, &s), 0);
	}
	assert_int_equal(begun_result(b, true, c, 2), 0);
	begun_free(b);
}

int main(void)
{
	static struct made m;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(whole, &m),
		cmocka_unit_test_prestate(in_a_queue, &m),
		cmocka_unit_test_prestate(in_a_burst, &m),
		cmocka_unit_test_prestate(one_by_one, &m),
		cmocka_unit_test_prestate(thinks, &m),
		cmocka_unit_test(no_card),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
