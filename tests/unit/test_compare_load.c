/* SPDX-License-Identifier: GPL-2.0-only */
/* Transfers of a database into groups: keys, what is left out, and what is thinned. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "compare/compare_load.h"
#include "lib/db/db.h"
#include "lib/err.h"

static char path[64];

static void run_sql(struct db *db, const char *sql)
{
	struct err e = {0};

	if (db_exec(db, sql, &e))
		fail_msg("%s", e.text);
}

/* A database with one run of the given id and no transfers, open for more. */
static struct db *make_db(void)
{
	struct err e = {0};
	struct db *db;

	snprintf(path, sizeof(path), "/tmp/test-compare-load-%d.db", (int)getpid());
	unlink(path);
	if (db_open(&db, path, DB_CREATE, &e) || db_begin(db, &e) || db_commit(db, &e))
		fail_msg("%s", e.text);
	run_sql(db,
		"INSERT INTO run (id, uuid, finished, roles_guessed, disordered, "
		"raw_sha256) VALUES (1, 'a', 1, 0, 0, 'a'), (2, 'b', 1, 0, 0, 'b');"
		"INSERT INTO analysis (run_id, tool, pairing, pairing_from, vectors_from, "
		"latency_phase, doorbell_from, submits, transfers, interrupts, "
		"interrupts_used, interrupts_stray, interrupts_ignored, waits, waits_used, "
		"waits_stray, in_wait_ns, pending, pending_ns, overlapping, undone, "
		"undone_maybe, negative, disordered) SELECT id, 't', 'one', 'inferred', "
		"'found', 'device', 'exit', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, "
		"0 FROM run");
	return db;
}

static void end_db(struct db *db)
{
	db_close(db);
	unlink(path);
}

/* Run 1 against run 2. */
static void load(struct db *db, struct comparison *c, unsigned phases, unsigned by)
{
	const struct compare_values v = {.phases = phases, .by = by};
	struct compare_set base = {0}, fresh = {0};
	struct err e = {0};

	*c = (struct comparison){0};
	if (compare_set_add(&base, db, "1", &e) || compare_set_add(&fresh, db, "2", &e) ||
	    compare_set_load(&base, &e) || compare_set_load(&fresh, &e) ||
	    compare_load(c, &base, &fresh, &v, &e))
		fail_msg("%s", e.text);
	compare_set_release(&base);
	compare_set_release(&fresh);
}

enum { DEVICE = 1 << PHASE_DEVICE, TOTAL = 1 << PHASE_TOTAL };

static void test_what_is_left_out(void **state)
{
	struct db *db = make_db();
	struct comparison c;

	(void)state;
	/* a polled or aborted transfer has no device time; a missing interrupt's is not
	 * known */
	run_sql(db,
		"INSERT INTO transfer (run_id, id, channel, direction, size_bytes, "
		"submit_ns, irq_ns, woken_ns, state, device_ns, total_ns) VALUES "
		"(1, 1, 0, 'to_host', 100, 1000, 1500, 2000, 'complete', 500, 1000),"
		"(1, 2, 0, 'to_host', 100, 2000, NULL, 3000, 'polled', NULL, 1000),"
		"(1, 3, 0, 'to_host', 100, 3000, NULL, 4000, 'no_interrupt', NULL, 1000),"
		"(1, 4, 0, 'to_host', 100, 4000, NULL, NULL, 'aborted', NULL, NULL),"
		"(1, 5, 0, 'to_host', 100, 5000, NULL, NULL, 'unknown', NULL, NULL),"
		"(1, 6, 0, 'to_host', 100, 6000, NULL, NULL, 'circular', NULL, NULL),"
		"(1, 7, 0, 'to_host', NULL, 7000, 7500, 9000, 'complete', 500, 2000),"
		"(1, 8, 0, 'to_host', 200, 3500, NULL, 6000, 'unknown', NULL, NULL),"
		"(1, 9, 0, 'to_host', 100, 8000, NULL, 9000, 'failed', NULL, NULL)");
	load(db, &c, DEVICE | TOTAL, BY_CHANNEL | BY_DIRECTION);
	assert_int_equal(c.n, 2);
	assert_int_equal(c.group[0].key.phase, PHASE_DEVICE);
	assert_int_equal(side_met(&c.group[0].base), 2);
	assert_int_equal(side_excluded(&c.group[0].base), 4);
	assert_int_equal(side_met(&c.group[1].base), 4);
	assert_int_equal(side_excluded(&c.group[1].base), 3);
	assert_int_equal(side_met(&c.group[0].fresh), 0);
	/* 500 bytes from 1000 to 6000 ns: what ended for the program, also where it is not
	 * known by which interrupt; not what failed, nor without a size */
	assert_true(fabs(side_bytes_per_s(&c.group[0].base) - 1e8) < 1);
	assert_true(isnan(side_bytes_per_s(&c.group[0].fresh)));
	comparison_release(&c);
	end_db(db);
}

static void test_keys(void **state)
{
	struct db *db = make_db();
	struct comparison c;
	char name[128];

	(void)state;
	run_sql(db, "INSERT INTO transfer (run_id, id, card, channel, direction, state, "
		    "total_ns) VALUES (1, 1, NULL, 2, 'from_host', 'complete', 5),"
		    "(1, 2, NULL, NULL, 'to_host', 'complete', 6),"
		    "(1, 3, NULL, 1, 'unknown', 'complete', 7),"
		    "(2, 1, NULL, 1, 'to_host', 'complete', 8)");
	load(db, &c, TOTAL, BY_CARD | BY_CHANNEL | BY_DIRECTION | BY_SIZE);
	assert_int_equal(c.n, 4);
	/* in order, unknown last; a card and a size are known of none and not named */
	assert_string_equal(group_name(&c.group[0].key, name, sizeof(name)),
			    "channel 1, to_host");
	assert_string_equal(group_name(&c.group[1].key, name, sizeof(name)),
			    "channel 1, direction unknown");
	assert_string_equal(group_name(&c.group[2].key, name, sizeof(name)),
			    "channel 2, from_host");
	assert_string_equal(group_name(&c.group[3].key, name, sizeof(name)),
			    "channel unknown, to_host");
	comparison_release(&c);
	load(db, &c, TOTAL, 0);
	assert_int_equal(c.n, 1);
	assert_string_equal(group_name(&c.group[0].key, name, sizeof(name)),
			    "all transfers");
	assert_int_equal(c.group[0].base.run[0].value_ns[2], 7);
	comparison_release(&c);
	end_db(db);
}

/* Values are their own places, so that it shows which were kept. */
static void fill_run(struct db *db, int64_t n)
{
	char sql[500];

	snprintf(sql, sizeof(sql),
		 "WITH RECURSIVE i (x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM i "
		 "WHERE x + 1 < %lld) INSERT INTO transfer (run_id, id, direction, "
		 "state, total_ns) SELECT 1, x + 1, 'to_host', 'complete', x FROM i",
		 (long long)n);
	run_sql(db, sql);
}

static void check_kept(const struct group_run *r, int64_t n, size_t stride)
{
	size_t at = 0;

	assert_int_equal(r->met, (uint64_t)n);
	assert_true(r->n <= COMPARE_KEEP);
	for (int64_t v = 0; v < n; v++)
		if ((size_t)(v / COMPARE_STRETCH) % stride == 0) {
			if (at >= r->n || r->value_ns[at] != v)
				fail_msg("place %zu: not %lld", at, (long long)v);
			at++;
		}
	assert_int_equal(at, r->n);
}

static void test_all_are_kept_up_to_the_bound(void **state)
{
	struct db *db = make_db();
	struct comparison c;

	(void)state;
	fill_run(db, COMPARE_KEEP);
	load(db, &c, TOTAL, 0);
	check_kept(&c.group[0].base.run[0], COMPARE_KEEP, 1);
	comparison_release(&c);
	end_db(db);
}

static void test_stretches_are_left_out(void **state)
{
	struct db *db = make_db();
	struct comparison c;

	(void)state;
	fill_run(db, 2 * COMPARE_KEEP + 12345);
	load(db, &c, TOTAL, 0);
	check_kept(&c.group[0].base.run[0], 2 * COMPARE_KEEP + 12345, 4);
	comparison_release(&c);
	end_db(db);
}

static void test_choice_of_runs(void **state)
{
	static const struct {
		const char *list;
		int code;
		size_t n;
	} scene[] = {{NULL, 0, 2},	  {"1", 0, 1},		{"1,2", 0, 2},
		     {"1,1", 0, 1},	  {"old", 0, 1},	{"old,1", 0, 1},
		     {"3", ERR_USAGE, 0}, {"", ERR_USAGE, 0},	{"1,,2", ERR_USAGE, 0},
		     {"0", ERR_USAGE, 0}, {"-1", ERR_USAGE, 0}, {"2", ERR_USAGE, 0}};
	struct db *db = make_db();

	(void)state;
	run_sql(db, "UPDATE run SET label = 'old' WHERE id = 1");
	for (size_t i = 0; i < sizeof(scene) / sizeof(*scene); i++) {
		struct compare_set s = {0};
		struct err e = {0};

		if (i + 1 == sizeof(scene) / sizeof(*scene)) /* "2" is both */
			run_sql(db, "UPDATE run SET label = '2' WHERE id = 1");
		assert_int_equal(compare_set_add(&s, db, scene[i].list, &e),
				 scene[i].code);
		assert_int_equal(e.code, scene[i].code);
		if (!scene[i].code)
			assert_int_equal(s.n, scene[i].n);
		compare_set_release(&s);
	}
	end_db(db);
}

static void test_few_sizes(void **state)
{
	static const struct {
		const char *sql;
		bool same;
	} scene[] = {
		{"INSERT INTO transfer (run_id, id, direction, state, size_bytes) VALUES "
		 "(1, 1, 'to_host', 'complete', 1), (1, 2, 'to_host', 'complete', 2),"
		 "(2, 1, 'to_host', 'complete', 2), (2, 2, 'to_host', 'complete', 1)",
		 true},
		{"UPDATE transfer SET size_bytes = 3 WHERE run_id = 2 AND id = 1", false},
		{"UPDATE transfer SET size_bytes = NULL WHERE run_id = 2", false},
		{"UPDATE transfer SET size_bytes = 1",
		 false}, /* one size tells nothing */
	};
	struct db *db = make_db();

	(void)state;
	for (size_t i = 0; i < sizeof(scene) / sizeof(*scene); i++) {
		struct compare_set base = {0}, fresh = {0};
		bool same;

		run_sql(db, scene[i].sql);
		assert_int_equal(compare_set_add(&base, db, "1", NULL), 0);
		assert_int_equal(compare_set_add(&fresh, db, "2", NULL), 0);
		assert_int_equal(compare_few_sizes(&base, &fresh, &same, NULL), 0);
		assert_int_equal(same, scene[i].same);
		compare_set_release(&base);
		compare_set_release(&fresh);
	}
	end_db(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_left_out),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_all_are_kept_up_to_the_bound),
		cmocka_unit_test(test_stretches_are_left_out),
		cmocka_unit_test(test_choice_of_runs),
		cmocka_unit_test(test_few_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
