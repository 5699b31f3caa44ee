/* SPDX-License-Identifier: GPL-2.0-only */
/* A register's changes beside transfers whose ends are known: whose clear it is, what is
 * not certain, and in which order the interrupt came. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyze/derive.h"
#include "analyze/witness.h"
#include "lib/db/db.h"
#include "lib/err.h"

struct rig {
	char path[64];
	struct db *db;
	struct derive *d;
};

static void check(int rc, const struct err *e)
{
	if (rc)
		fail_msg("%s", e->text);
}

static void sql(struct rig *r, const char *text)
{
	struct err e = {0};

	check(db_exec(r->db, text, &e), &e);
}

static int setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct err e = {0};
	int fd;

	assert_non_null(r);
	snprintf(r->path, sizeof(r->path), "/tmp/test_witness.XXXXXX");
	fd = mkstemp(r->path);
	assert_true(fd >= 0);
	close(fd);
	check(db_open(&r->db, r->path, DB_CREATE, &e), &e);
	check(db_begin(r->db, &e), &e);
	sql(r, "INSERT INTO run (uuid, finished, roles_guessed, disordered, raw_sha256) "
	       "VALUES ('u', 1, 0, 0, 's'); "
	       "INSERT INTO source (run_id, name, role, direction) "
	       "VALUES (1, 'dmarec:R', 'register', 'unknown')");
	check(derive_new(&r->d, &e), &e);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;

	derive_free(r->d);
	db_rollback(r->db);
	db_close(r->db);
	unlink(r->path);
	free(r);
	return 0;
}

static void watch(struct rig *r, const char *channel, const char *channels)
{
	char text[200];

	snprintf(text, sizeof(text),
		 "INSERT INTO register (run_id, source_id, name, channel, channels, "
		 "shared_cpu) VALUES (1, 1, 'R', %s, %s, 0)",
		 channel, channels);
	sql(r, text);
}

static void put(char *to, size_t len, int64_t v)
{
	if (v == DMA_UNKNOWN)
		snprintf(to, len, "NULL");
	else
		snprintf(to, len, "%" PRId64, v);
}

/* The doorbell is the store, 100 ns behind the submit. */
static void transfer(struct rig *r, int64_t id, int64_t channel, int64_t doorbell,
		     int64_t irq, int64_t woken, const char *state)
{
	struct transfer t = {.id = id,
			     .card = 0,
			     .channel = channel,
			     .size_bytes = 64,
			     .direction = DIR_TO_HOST,
			     .submit_ns = doorbell - 100,
			     .doorbell_ns = doorbell,
			     .irq_ns = irq,
			     .wait_ns = DMA_UNKNOWN,
			     .woken_ns = woken,
			     .state = (enum transfer_state)state_parse(state)};
	struct err e = {0};
	char text[400], a[32], b[32];

	put(a, sizeof(a), irq);
	put(b, sizeof(b), woken);
	snprintf(
		text, sizeof(text),
		"INSERT INTO transfer (run_id, id, card, channel, direction, size_bytes, "
		"submit_ns, doorbell_ns, irq_ns, woken_ns, state) VALUES (1, %" PRId64
		", 0, %" PRId64 ", 'to_host', 64, %" PRId64 ", %" PRId64
		", %s, %s, '%s')",
		id, channel, doorbell - 100, doorbell, a, b, state);
	sql(r, text);
	check(derive_add(r->d, &t, &e), &e);
}

static void edge(struct rig *r, int64_t channel, bool busy, int64_t since, int64_t time)
{
	char text[200], a[32];

	put(a, sizeof(a), channel);
	snprintf(text, sizeof(text),
		 "INSERT INTO edge (run_id, source_id, time_ns, since_ns, channel, busy) "
		 "VALUES (1, 1, %" PRId64 ", %" PRId64 ", %s, %d)",
		 time, since, a, busy);
	sql(r, text);
}

static void run(struct rig *r)
{
	struct err e = {0};

	check(witness_run(r->db, 1, r->d, &e), &e);
}

/* As text, by SQLite: "after 1050 50 1040 50". */
static void expect(struct rig *r, int64_t id, const char *want)
{
	struct err e = {0};
	struct db_stmt *q;
	char got[200] = "no row";

	check(db_prepare(
		      r->db, &q,
		      "SELECT coalesce(witness, '-') || ' ' || coalesce(cleared_ns, '-') || ' ' || "
		      "coalesce(cleared_error_ns, '-') || ' ' || coalesce(card_ns, '-') || "
		      "' ' || coalesce(delivery_ns, '-') || ' ' || "
		      "coalesce(notice_ns, '-') AS got FROM transfer WHERE id = :id",
		      &e),
	      &e);
	db_bind_i64(q, ":id", id);
	if (db_step(q, &e) > 0)
		snprintf(got, sizeof(got), "%s", db_text(q, "got"));
	check(db_finalize(q, 0, &e), &e);
	assert_string_equal(got, want);
}

#define NONE DMA_UNKNOWN

/* Cleared between 2000 and 2100: at 2050 to within 50; the interrupt 300 later. */
static void clear_then_interrupt(void **state)
{
	struct rig *r = *state;

	watch(r, "NULL", "8");
	transfer(r, 1, 3, 1000, 2350, 5000, "complete");
	edge(r, 3, true, 1000, 1100);
	edge(r, 3, false, 2000, 2100);
	run(r);
	expect(r, 1, "after 2050 50 1050 300 -");
}

/* An interrupt within the readings' own distance is not said to be early. */
static void what_is_too_close_to_tell(void **state)
{
	struct rig *r = *state;

	watch(r, "NULL", "8");
	transfer(r, 1, 3, 1000, 2010, 5000, "complete");
	transfer(r, 2, 3, 6000, 6900, 8000, "complete");
	edge(r, 3, false, 2000, 2100);
	edge(r, 3, false, 7000, 7100);
	run(r);
	expect(r, 1, "after 2050 50 1050 -40 -");
	expect(r, 2, "before 7050 50 1050 -150 -");
}

static void cleared_without_an_interrupt(void **state)
{
	struct rig *r = *state;

	watch(r, "NULL", "8");
	transfer(r, 1, 0, 1000, NONE, 2500, "polled");
	edge(r, 0, false, 2000, 2100);
	run(r);
	expect(r, 1, "alone 2050 50 1050 - 450");
}

/* Cleared; of its interrupt nothing is known, which is not to say that it had none. */
static void cleared_and_not_paired(void **state)
{
	struct rig *r = *state;

	watch(r, "NULL", "8");
	transfer(r, 1, 0, 1000, NONE, 2500, "unknown");
	edge(r, 0, false, 2000, 2100);
	run(r);
	expect(r, 1, "unpaired 2050 50 1050 - -");
}

/* The first reading began before the doorbell: it cleared after the doorbell all the same. */
static void the_doorbell_bounds_it_too(void **state)
{
	struct rig *r = *state;

	watch(r, "NULL", "8");
	transfer(r, 1, 0, 1000, NONE, 2500, "polled");
	edge(r, 0, false, 1000, 1100);
	run(r);
	expect(r, 1, "alone 1050 50 50 - 1450");
}

/* Too short to be seen; the next one is not taken for it. */
static void not_seen(void **state)
{
	struct rig *r = *state;

	watch(r, "NULL", "8");
	transfer(r, 1, 0, 1000, 1200, 1300, "complete");
	transfer(r, 2, 0, 2000, 2600, 2700, "complete");
	edge(r, 0, false, 2400, 2500);
	run(r);
	expect(r, 1, "unseen - - - - -");
	expect(r, 2, "after 2450 50 450 150 -");
}

/* Between the two readings the next transfer began: whose clear it is cannot be told. */
static void either_of_two(void **state)
{
	struct rig *r = *state;

	watch(r, "NULL", "8");
	transfer(r, 1, 0, 1000, 1950, 1960, "complete");
	transfer(r, 2, 0, 2000, 2950, 2960, "complete");
	transfer(r, 3, 0, 3000, 3950, 3960, "complete");
	edge(r, 0, false, 1900, 2100);
	edge(r, 0, false, 2900, 2950);
	edge(r, 0, false, 3900, 3940);
	run(r);
	expect(r, 1, "unclear - - - - -");
	expect(r, 2, "unclear - - - - -");
	expect(r, 3, "after 3920 20 920 30 -");
}

/* A card that clears twice for one start: which of them was the end is not told. */
static void several_clears(void **state)
{
	struct rig *r = *state;

	watch(r, "NULL", "8");
	transfer(r, 1, 0, 1000, 1950, 1960, "complete");
	edge(r, 0, false, 1200, 1300);
	edge(r, 0, false, 1600, 1700);
	run(r);
	expect(r, 1, "unclear - - - - -");
}

/* Another channel's clear is not taken, nor is a channel judged that no register tells of. */
static void channels_are_apart(void **state)
{
	struct rig *r = *state;

	watch(r, "NULL", "4");
	transfer(r, 1, 0, 1000, 3000, 3100, "complete");
	transfer(r, 2, 1, 1000, 3000, 3100, "complete");
	transfer(r, 3, 5, 1000, 3000, 3100, "complete");
	edge(r, 1, false, 2000, 2100);
	run(r);
	expect(r, 1, "unseen - - - - -");
	expect(r, 2, "after 2050 50 1050 950 -");
	expect(r, 3, "- - - - - -");
}

/* A register that does not say of which channel is the only channel's, or nobody's. */
static void a_register_without_a_channel(void **state)
{
	struct rig *r = *state;

	watch(r, "NULL", "NULL");
	transfer(r, 1, 7, 1000, 2350, 5000, "complete");
	edge(r, NONE, false, 2000, 2100);
	run(r);
	expect(r, 1, "after 2050 50 1050 300 -");
}

static void of_two_channels_it_tells_nothing(void **state)
{
	struct rig *r = *state;

	watch(r, "NULL", "NULL");
	transfer(r, 1, 0, 1000, 2350, 5000, "complete");
	transfer(r, 2, 1, 1000, 2350, 5000, "complete");
	edge(r, NONE, false, 2000, 2100);
	run(r);
	expect(r, 1, "unseen - - - - -");
	expect(r, 2, "unseen - - - - -");
}

/* A start is no end, what the card held before the first transfer is nobody's, and what
 * never ends has none. */
static void what_is_no_end(void **state)
{
	struct rig *r = *state;

	watch(r, "NULL", "8");
	transfer(r, 1, 0, 1000, 3000, 3100, "complete");
	transfer(r, 2, 1, 1000, NONE, NONE, "circular");
	edge(r, 0, false, 500, 600);
	edge(r, 0, true, 1000, 1100);
	edge(r, 1, false, 2000, 2100);
	run(r);
	expect(r, 1, "unseen - - - - -");
	expect(r, 2, "- - - - - -");
}

static void nothing_was_watched(void **state)
{
	struct rig *r = *state;

	transfer(r, 1, 0, 1000, 3000, 3100, "complete");
	run(r);
	expect(r, 1, "- - - - - -");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(clear_then_interrupt),
		TEST(what_is_too_close_to_tell),
		TEST(cleared_without_an_interrupt),
		TEST(cleared_and_not_paired),
		TEST(the_doorbell_bounds_it_too),
		TEST(not_seen),
		TEST(either_of_two),
		TEST(several_clears),
		TEST(channels_are_apart),
		TEST(a_register_without_a_channel),
		TEST(of_two_channels_it_tells_nothing),
		TEST(what_is_no_end),
		TEST(nothing_was_watched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
