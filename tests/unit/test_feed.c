/* SPDX-License-Identifier: GPL-2.0-only */
/* lib/file/perfdata_feed: records that are fed give what the file of them gives, whatever
 * the pieces, and in memory that does not grow with them. */
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

enum { CPUS = 3, ROUNDS = 400, EACH = 97, DATA_OFFSET = 40, DATA_SIZE = 48 };

static const struct raw_event events[] = {
	{"irq:irq_handler_entry", "s32 irq", true},
	{"probe_l:dma_to_host", "u32 channel,u64 size", false},
};

/* Rings that overlap in time across the ends of rounds, and losses. */
static void *recording(size_t *len, uint64_t *begin, uint64_t *size)
{
	struct rawfile *f = rawfile_new(events, 2, NULL);
	uint32_t random = 7;
	void *buf;

	for (int64_t r = 0; r < ROUNDS; r++) {
		for (int cpu = 0; cpu < CPUS; cpu++) {
			int64_t t = 1000000 + r * 10000 + cpu;

			if (r % 50 == 20 && cpu == 1)
				rawfile_lost(f, 5, t, cpu);
			for (int i = 0; i < EACH; i++) {
				random = random * 1103515245 + 12345;
				t += random >> 16 & 127;
				rawfile_sample(f, i % 2, t, cpu, 5, (int64_t[]){i, i});
			}
		}
		rawfile_round(f);
	}
	buf = rawfile_finish(f, NULL, true, len);
	memcpy(begin, (char *)buf + DATA_OFFSET, sizeof(*begin));
	memcpy(size, (char *)buf + DATA_SIZE, sizeof(*size));
	return buf;
}

/* What a header says before the recorder has ended. */
static void *head_of(const void *file, uint64_t begin)
{
	char *head = malloc(begin);

	assert_non_null(head);
	memcpy(head, file, begin);
	memset(head + DATA_SIZE, 0, sizeof(uint64_t));
	memset(head + 72, 0, 32); /* the features' bits come at the end */
	return head;
}

static void assert_same(const struct perfdata_rec *a, const struct perfdata_rec *b)
{
	assert_int_equal(a->type, b->type);
	assert_int_equal(a->attr, b->attr);
	assert_int_equal(a->time_ns, b->time_ns);
	assert_int_equal(a->cpu, b->cpu);
	assert_int_equal(a->tid, b->tid);
	assert_int_equal(a->raw_len, b->raw_len);
	if (a->raw_len)
		assert_memory_equal(a->raw, b->raw, a->raw_len);
	assert_int_equal(a->lost, b->lost);
	assert_int_equal(a->lost_from_ns, b->lost_from_ns);
}

/* All that fed can give is what the file gives next; how many records. */
static size_t drain(struct perfdata *fed, struct perfdata *whole)
{
	struct perfdata_rec a, b;
	struct err e = {0};
	size_t n = 0;

	while (perfdata_next(fed, &a, &e) > 0) {
		assert_int_equal(perfdata_next(whole, &b, &e), 1);
		assert_same(&a, &b);
		n++;
	}
	assert_int_equal(e.code, 0);
	return n;
}

/* The head once more, now shorter, now longer by this: what was fed lies elsewhere then. */
enum { PADDING = 4096 };

static void renew(struct perfdata **fed, const char *file, uint64_t begin, uint64_t nth)
{
	char *head = head_of(file, begin), *longer = calloc(1, begin + PADDING);
	uint64_t at = begin + (nth & 1 ? PADDING : 0);
	struct err e = {0};

	memcpy(longer, head, begin);
	memcpy(longer + DATA_SIZE - sizeof(at), &at, sizeof(at));
	assert_int_equal(perfdata_feed_renew(fed, longer, at, &e), 0);
	free(head);
	free(longer);
}

/* every: after so many pieces the head is renewed; 0 = never. */
static void in_pieces_of(size_t piece, uint64_t every)
{
	struct perfdata *fed, *whole;
	struct perfdata_rec rec;
	struct err e = {0};
	uint64_t begin, size;
	size_t len, n = 0;
	char *file = recording(&len, &begin, &size);
	void *head = head_of(file, begin);

	assert_int_equal(perfdata_open_mem(&whole, file, len, "whole", &e), 0);
	assert_int_equal(perfdata_open_feed(&fed, head, begin, "fed", &e), 0);
	free(head); /* it is copied */
	for (uint64_t at = 0; at < size; at += piece) {
		size_t some = size - at < piece ? size - at : piece;

		assert_int_equal(perfdata_feed(fed, file + begin + at, some, &e), 0);
		if (every && at / piece % every == every - 1)
			renew(&fed, file, begin, at / piece / every);
		n += drain(fed, whole);
	}
	assert_true(n > (size_t)(ROUNDS - 2) * CPUS * EACH);
	perfdata_feed_end(fed);
	drain(fed, whole);
	assert_int_equal(perfdata_next(whole, &rec, &e), 0);
	assert_int_equal(perfdata_disordered(fed), perfdata_disordered(whole));
	perfdata_close(fed);
	perfdata_close(whole);
	free(file);
}

static void gives_what_the_file_gives(void **state)
{
	(void)state;
	in_pieces_of(1 << 20, 0);
	in_pieces_of(65536, 0);
	in_pieces_of(4096, 0);
	in_pieces_of(24, 0); /* less than a record */
}

static void goes_on_behind_a_new_head(void **state)
{
	(void)state;
	in_pieces_of(65536, 1);
	in_pieces_of(4096, 1);
	in_pieces_of(4104, 3);
}

/* A round without a record ends the wait of the one before it. */
static void an_empty_round_lets_go(void **state)
{
	struct perfdata *fed;
	struct perfdata_rec rec;
	struct err e = {0};
	uint64_t begin, size, one;
	size_t len;
	char *file = recording(&len, &begin, &size);
	void *head = head_of(file, begin);

	(void)state;
	assert_int_equal(perfdata_open_feed(&fed, head, begin, "fed", &e), 0);
	one = 0;
	for (uint16_t n; one < size; one += n) {
		uint32_t type;

		memcpy(&type, file + begin + one, sizeof(type));
		memcpy(&n, file + begin + one + 6, sizeof(n));
		if (type == 68)
			break;
	}
	assert_int_equal(perfdata_feed(fed, file + begin, one, &e), 0);
	assert_int_equal(perfdata_next(fed, &rec, &e), 0);
	assert_int_equal(perfdata_feed_round(fed, &e), 0);
	assert_int_equal(perfdata_next(fed, &rec, &e), 0);
	assert_int_equal(perfdata_feed_round(fed, &e), 0);
	for (int i = 0; i < CPUS * EACH; i++)
		assert_int_equal(perfdata_next(fed, &rec, &e), 1);
	assert_int_equal(perfdata_next(fed, &rec, &e), 0);
	perfdata_close(fed);
	free(head);
	free(file);
}

static void refuses_what_is_no_record(void **state)
{
	struct perfdata *fed;
	struct err e = {0};
	uint64_t begin, size;
	size_t len;
	char *file = recording(&len, &begin, &size), zeros[16] = {0};
	void *head = head_of(file, begin);

	(void)state;
	assert_int_equal(perfdata_open_feed(&fed, head, begin, "fed", &e), 0);
	assert_int_equal(perfdata_feed(fed, zeros, sizeof(zeros), &e), ERR_FORMAT);
	perfdata_close(fed);
	e = (struct err){0};
	assert_int_equal(perfdata_open_feed(&fed, file, 50, "cut", &e), ERR_FORMAT);
	assert_null(fed);
	free(head);
	free(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_what_the_file_gives),
		cmocka_unit_test(goes_on_behind_a_new_head),
		cmocka_unit_test(an_empty_round_lets_go),
		cmocka_unit_test(refuses_what_is_no_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
