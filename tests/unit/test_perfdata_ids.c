/* SPDX-License-Identifier: GPL-2.0-only */
/* lib/file/perfdata: event ids that are made to meet in one place of a hash table (1.4 MB of them)
 * cost what any others cost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <time.h>

#include "lib/err.h"
#include "lib/file/perfdata.h"
#include "lib/file/perfdata_impl.h"

enum {
	IDS = 180000,	 /* 1.4 MB */
	TABLE_BITS = 19, /* of a table for so many */
	/* Chosen: a chain of collisions takes a thousand times as long (8 s against 10 ms, as
	 * it was found); caches and a busy machine some times. */
	MOST_TIMES = 20,
	TRIES = 3,
};

typedef uint64_t id_of(uint64_t i);

static uint64_t in_order(uint64_t i)
{
	return i + 1;
}

static uint64_t high_bits(uint64_t i)
{
	return i << (64 - TABLE_BITS);
}

static uint64_t one_remainder(uint64_t i)
{
	return (i << TABLE_BITS) + 77;
}

/* The number whose product with an odd one is 1. */
static uint64_t inverse(uint64_t odd)
{
	uint64_t x = odd;

	for (int i = 0; i < 6; i++)
		x *= 2 - odd * x;
	return x;
}

/* As who knows the hash, but not its seed, would make them: for a seed of 0 all are one slot. */
static uint64_t inverted(uint64_t i)
{
	uint64_t x = i << TABLE_BITS;

	x ^= x >> 33;
	x *= inverse(UINT64_C(0xc4ceb9fe1a85ec53));
	x ^= x >> 33;
	x *= inverse(UINT64_C(0xff51afd7ed558ccd));
	return x ^ x >> 33;
}

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The least CPU time of some openings; every id is found. */
static double opening(id_of *of)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_TRACEPOINT,
				       .size = sizeof(attr),
				       .sample_type =
					       PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_TIME,
				       .sample_id_all = 1};
	uint64_t *ids = calloc(IDS, sizeof(*ids));
	struct perfdata_attr a = {.attr = attr, .name = "a", .ids = ids, .nids = IDS};
	double least = 1e9;
	struct err e = {0};
	void *head;
	size_t len;

	assert_non_null(ids);
	for (uint64_t i = 0; i < IDS; i++)
		ids[i] = of(i);
	assert_int_equal(perfdata_head(&head, &len, &a, 1, NULL, 0, &e), 0);
	for (int i = 0; i < TRIES; i++) {
		double begin = cpu_s();
		struct perfdata *p;

		assert_int_equal(perfdata_open_mem(&p, head, len, "ids.data", &e), 0);
		for (size_t k = 0; k < IDS; k++)
			assert_true(record_id_slot(p, ids[k]) >= 0);
		least = cpu_s() - begin < least ? cpu_s() - begin : least;
		assert_int_equal(p->nids, IDS);
		perfdata_close(p);
	}
	free(head);
	free(ids);
	return least;
}

static void the_attack_is_one(void **state)
{
	struct perfdata p = {.nslot = (size_t)1 << TABLE_BITS};

	(void)state;
	for (uint64_t i = 0; i < 1000; i++)
		assert_int_equal(id_hash(&p, inverted(i)), 0);
	p.seed = 12345;
	assert_true(id_hash(&p, inverted(1)) != id_hash(&p, inverted(2)));
}

static void ids_that_are_made_to_meet_do_not(void **state)
{
	double usual = opening(in_order);

	(void)state;
	assert_true(opening(high_bits) < MOST_TIMES * usual);
	assert_true(opening(one_remainder) < MOST_TIMES * usual);
	assert_true(opening(inverted) < MOST_TIMES * usual);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_attack_is_one),
		cmocka_unit_test(ids_that_are_made_to_meet_do_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
