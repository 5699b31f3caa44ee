/* SPDX-License-Identifier: GPL-2.0-only */
/* lib/db: which files are taken and which refused, transactions, and what NULL is. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/db/db.h"
#include "lib/dma.h"
#include "lib/err.h"

extern const char sql_queries[];

static char dir[64], path[96];

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/dma-db-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/t.db", dir);
	return 0;
}

static int remove_dir(void **state)
{
	char journal[128];

	(void)state;
	snprintf(journal, sizeof(journal), "%s-journal", path);
	unlink(journal);
	unlink(path);
	return rmdir(dir);
}

static struct db *opened(enum db_mode mode)
{
	struct err e = {0};
	struct db *db;

	if (db_open(&db, path, mode, &e))
		fail_msg("%s", e.text);
	return db;
}

static void refused(enum db_mode mode, int code, const char *words)
{
	struct err e = {0};
	struct db *db;

	assert_int_equal(db_open(&db, path, mode, &e), code);
	assert_null(db);
	if (!strstr(e.text, words) || !strstr(e.text, path))
		fail_msg("'%s' does not say '%s' of %s", e.text, words, path);
}

static void run(struct db *db, const char *sql)
{
	struct err e = {0};

	if (db_exec(db, sql, &e))
		fail_msg("%s", e.text);
}

/* Of a query whose column is called n. */
static int64_t number(struct db *db, const char *sql)
{
	struct err e = {0};
	struct db_stmt *s;
	int64_t v;

	if (db_prepare(db, &s, sql, &e) || db_step(s, &e) != 1)
		fail_msg("%s: %s", sql, e.text);
	v = db_i64(s, "n");
	if (db_finalize(s, 0, &e))
		fail_msg("%s: %s", sql, e.text);
	return v;
}

static struct db *created(void)
{
	struct db *db = opened(DB_CREATE);
	struct err e = {0};

	assert_int_equal(db_begin(db, &e), 0);
	assert_int_equal(db_commit(db, &e), 0);
	return db;
}

static void write_file(const void *buf, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(buf, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void test_tables_come_with_the_first_commit(void **state)
{
	struct db *db = opened(DB_CREATE);

	(void)state;
	assert_int_equal(number(db, "SELECT count(*) AS n FROM sqlite_master"), 0);
	db_close(db);
	assert_int_not_equal(access(path, F_OK), 0);
	db_close(created());
	db = opened(DB_READ);
	assert_int_equal(
		number(db, "SELECT application_id AS n FROM pragma_application_id"),
		DB_APPLICATION_ID);
	assert_int_equal(number(db, "SELECT user_version AS n FROM pragma_user_version"),
			 DB_VERSION);
	db_close(db);
}

static void test_rolled_back_leaves_no_file(void **state)
{
	struct db *db = opened(DB_CREATE);
	struct err e = {0};

	(void)state;
	assert_int_equal(db_begin(db, &e), 0);
	run(db,
	    "INSERT INTO sample (run_id, time_ns, source_id, bits) VALUES (1, 2, 3, 0)");
	db_rollback(db);
	db_close(db);
	assert_int_not_equal(access(path, F_OK), 0);
}

static void test_closing_rolls_back(void **state)
{
	struct db *db = created();
	struct err e = {0};

	(void)state;
	assert_int_equal(db_begin(db, &e), 0);
	run(db,
	    "INSERT INTO sample (run_id, time_ns, source_id, bits) VALUES (1, 2, 3, 0)");
	db_close(db);
	db = opened(DB_WRITE);
	assert_int_equal(number(db, "SELECT count(*) AS n FROM sample"), 0);
	db_close(db);
}

static void test_what_is_no_trace_is_refused(void **state)
{
	static const char text[] =
		"these are only words, and not few enough for an empty file";
	struct db *db;

	(void)state;
	refused(DB_READ, ERR_NOTFOUND, "no such database");
	refused(DB_WRITE, ERR_NOTFOUND, "no such database");
	write_file("", 0);
	refused(DB_READ, ERR_FORMAT, "is empty");
	write_file(text, sizeof(text));
	refused(DB_CREATE, ERR_FORMAT, "is not an SQLite database");
	unlink(path);
	db = opened(DB_CREATE);
	run(db, "CREATE TABLE other (x)");
	db_close(db);
	unlink(path); /* closing takes away what was never committed by db_commit() */
}

static void test_other_applications_are_refused(void **state)
{
	struct db *db = created();

	(void)state;
	run(db, "PRAGMA application_id = 7");
	db_close(db);
	refused(DB_CREATE, ERR_FORMAT, "another application");
}

static void test_newer_and_lacking_are_refused(void **state)
{
	struct db *db = created();

	(void)state;
	run(db, "PRAGMA user_version = 99");
	db_close(db);
	refused(DB_READ, ERR_UNSUPPORTED, "newer version");
	unlink(path);
	db = created();
	run(db, "DROP TABLE transfer");
	db_close(db);
	refused(DB_READ, ERR_FORMAT, "lacks tables");
}

static void test_damage_is_told(void **state)
{
	struct db *db = created();
	struct err e = {0};
	int rc;

	(void)state;
	assert_int_equal(db_check(db, &e), 0);
	db_close(db);
	FILE *f = fopen(path, "r+");
	assert_non_null(f);
	for (long at = 4096; at < 8 * 4096; at += 512) {
		fseek(f, at, SEEK_SET);
		fwrite("\377\377\377\377\377\377\377\377", 1, 8, f);
	}
	fclose(f);
	rc = db_open(&db, path, DB_READ, &e);
	if (!rc) {
		rc = db_check(db, &e);
		db_close(db);
	}
	assert_int_equal(rc, ERR_FORMAT);
	assert_non_null(strstr(e.text, "damaged"));
}

static void test_a_second_writer_is_told(void **state)
{
	struct db *one = created(), *two = opened(DB_WRITE);
	struct err e = {0};

	(void)state;
	assert_int_equal(db_begin(one, &e), 0);
	assert_int_equal(db_begin(two, &e), ERR_IO);
	assert_non_null(strstr(e.text, "another program is writing"));
	assert_int_equal(db_commit(one, NULL), 0);
	assert_int_equal(db_begin(two, NULL), 0);
	db_close(two);
	db_close(one);
}

static void test_unknown_is_null_and_back(void **state)
{
	struct db *db = created();
	struct err e = {0};
	struct db_stmt *s;

	(void)state;
	assert_int_equal(
		db_prepare(db, &s,
			   "SELECT :a AS a, :b AS b, :c AS c, :a IS NULL AS no_a, "
			   ":b IS NULL AS no_b, :c IS NULL AS no_c",
			   &e),
		0);
	for (int turn = 0; turn < 3; turn++) { /* values, NULLs, values again */
		bool null = turn == 1;

		db_bind_i64(s, ":a", null ? DMA_UNKNOWN : -5);
		db_bind_real(s, ":b", null ? (double)NAN : 0.5);
		db_bind_text(s, ":c", null ? NULL : "text");
		assert_int_equal(db_step(s, &e), 1);
		assert_int_equal(db_i64(s, "a"), null ? DMA_UNKNOWN : -5);
		if (null)
			assert_true(isnan(db_real(s, "b")));
		else
			assert_true(db_real(s, "b") == 0.5);
		if (null)
			assert_null(db_text(s, "c"));
		else
			assert_string_equal(db_text(s, "c"), "text");
		assert_int_equal(db_i64(s, "no_a"), null);
		assert_int_equal(db_i64(s, "no_b"), null);
		assert_int_equal(db_i64(s, "no_c"), null);
		assert_int_equal(db_step(s, &e), 0);
	}
	assert_int_equal(db_finalize(s, 0, &e), 0);
	db_close(db);
}

static void test_looked_up_once_null_and_back(void **state)
{
	struct db *db = created();
	struct err e = {0};
	struct db_stmt *s;
	struct db_param a, b;
	struct db_column n, word;

	(void)state;
	assert_int_equal(db_prepare(db, &s, "SELECT :a AS n, :b AS word", &e), 0);
	a = db_param(s, ":a");
	b = db_param(s, ":b");
	n = db_column(s, "n");
	word = db_column(s, "word");
	for (int turn = 0; turn < 4; turn++) {
		db_set_i64(a, turn & 1 ? DMA_UNKNOWN : turn);
		db_set_static_text(b, turn & 2 ? NULL : "x");
		assert_int_equal(db_step(s, &e), 1);
		assert_int_equal(db_get_i64(n), turn & 1 ? DMA_UNKNOWN : turn);
		assert_int_equal(db_get_text(word) == NULL, (turn & 2) != 0);
		db_reset(s);
	}
	assert_int_equal(db_finalize(s, 0, &e), 0);
	db_close(db);
}

/* The same reader of a statement, and of one that gained columns before, between and
 * behind. */
static void test_an_inserted_column_moves_nothing(void **state)
{
	static const char *const sql[] = {
		"SELECT lost, kind FROM loss",
		"SELECT 7 AS first, lost, 8 AS middle, kind, 9 AS last FROM loss",
		"SELECT kind, lost FROM loss",
		"SELECT * FROM loss",
	};
	struct db *db = created();

	(void)state;
	run(db, "INSERT INTO run (uuid, finished, roles_guessed, disordered, raw_sha256) "
		"VALUES ('u', 1, 0, 0, 's')");
	run(db, "INSERT INTO loss (run_id, from_ns, to_ns, lost, kind) "
		"VALUES (1, 2, 3, 4, 'ring')");
	for (size_t i = 0; i < sizeof(sql) / sizeof(*sql); i++) {
		struct err e = {0};
		struct db_stmt *s;
		struct db_column lost, kind;

		assert_int_equal(db_prepare(db, &s, sql[i], &e), 0);
		lost = db_column(s, "lost");
		kind = db_column(s, "kind");
		assert_int_equal(db_step(s, &e), 1);
		assert_int_equal(db_i64(s, "lost"), 4);
		assert_string_equal(db_text(s, "kind"), "ring");
		assert_int_equal(db_get_i64(lost), 4);
		assert_string_equal(db_get_text(kind), "ring");
		assert_int_equal(db_finalize(s, 0, &e), 0);
	}
	db_close(db);
}

/* The parameters, too: the same values by whatever order of the statement. */
static void test_a_moved_parameter_moves_nothing(void **state)
{
	static const char *const sql[] = {"SELECT :a - :b AS n", "SELECT -:b + :a AS n"};
	struct db *db = created();

	(void)state;
	for (size_t i = 0; i < sizeof(sql) / sizeof(*sql); i++) {
		struct err e = {0};
		struct db_stmt *s;

		assert_int_equal(db_prepare(db, &s, sql[i], &e), 0);
		db_set_i64(db_param(s, ":a"), 10);
		db_set_i64(db_param(s, ":b"), 3);
		assert_int_equal(db_step(s, &e), 1);
		assert_int_equal(db_i64(s, "n"), 7);
		assert_int_equal(db_finalize(s, 0, &e), 0);
	}
	db_close(db);
}

static void told(const struct err *e, const char *statement, const char *name)
{
	if (!strstr(e->text, statement) || !strstr(e->text, name))
		fail_msg("'%s' does not name %s and %s", e->text, statement, name);
}

/* Looked up before the loop: there is no first row. */
static void test_an_unknown_name_fails_the_first_step(void **state)
{
	static const char *const name[] = {"bell_ns", ":bell"};

	(void)state;
	for (int param = 0; param < 2; param++) {
		struct db *db = created();
		struct err e = {0};
		struct db_stmt *s;

		assert_int_equal(db_prepare_named(db, &s, "losses", &e), 0);
		if (param)
			db_set_i64(db_param(s, name[param]), 1);
		else
			(void)db_column(s, name[param]);
		assert_int_equal(db_step(s, &e), ERR_USAGE);
		told(&e, "'losses'", name[param]);
		db_drop(s);
		db_close(db);
	}
}

/* Looked up in the row: NULL there, and no way to end well. */
static void test_an_unknown_name_is_told_at_the_end(void **state)
{
	struct db *db = created();
	struct err e = {0};
	struct db_stmt *s;

	(void)state;
	assert_int_equal(db_begin(db, &e), 0);
	assert_int_equal(db_prepare(db, &s, "SELECT 1 AS n", &e), 0);
	assert_int_equal(db_step(s, &e), 1);
	assert_int_equal(db_i64(s, "m"), DMA_UNKNOWN);
	assert_true(isnan(db_real(s, "m")));
	assert_null(db_text(s, "m"));
	assert_int_equal(db_finalize(s, 1, &e), ERR_USAGE);
	told(&e, "'SELECT 1 AS n'", "'m'");
	e = (struct err){0};
	assert_int_equal(db_prepare(db, &s, "SELECT 1 AS n", &e), ERR_USAGE);
	assert_null(s);
	assert_int_equal(db_commit(db, &e), ERR_USAGE);
	told(&e, "'SELECT 1 AS n'", "'m'");
	db_close(db);
}

/* An earlier error is not hidden. */
static void test_finalize_hands_on(void **state)
{
	struct db *db = created();
	struct err e = {0};
	struct db_stmt *s;

	(void)state;
	assert_int_equal(db_finalize(NULL, ERR_IO, &e), ERR_IO);
	assert_int_equal(db_prepare(db, &s, "SELECT 1 AS n", &e), 0);
	assert_int_equal(db_finalize(s, 1, &e), 1);
	assert_int_equal(db_prepare(db, &s, "SELECT 1 AS n", &e), 0);
	db_bind_i64(s, ":b", 1);
	assert_int_equal(db_finalize(s, ERR_NOMEM, &e), ERR_NOMEM);
	assert_int_equal(e.code, 0);
	db_close(db);
}

static void test_two_columns_of_one_name_are_refused(void **state)
{
	struct db *db = created();
	struct err e = {0};
	struct db_stmt *s;

	(void)state;
	assert_int_equal(db_prepare(db, &s, "SELECT 1 AS n, 2 AS m, 3 AS n", &e),
			 ERR_USAGE);
	assert_null(s);
	told(&e, "'SELECT 1 AS n, 2 AS m, 3 AS n'", "two columns 'n'");
	e = (struct err){0};
	assert_true(db_prepare_named(db, &s, "no such statement", &e) < 0);
	assert_null(s);
	db_close(db);
}

/* What somebody else put there is no 0. */
static void test_a_value_of_another_type_is_told(void **state)
{
	static const char *const put[] = {"UPDATE sample SET time_ns = 'soon'",
					  "UPDATE sample SET time_ns = 1.5",
					  "UPDATE sample SET time_ns = x'00'",
					  "UPDATE sample SET direction = x'00'"};
	struct db *db = created();

	(void)state;
	run(db,
	    "INSERT INTO sample (run_id, time_ns, source_id, bits) VALUES (1, 7, 1, 0)");
	assert_int_equal(number(db, "SELECT time_ns AS n FROM sample"), 7);
	db_close(db);
	for (size_t i = 0; i < sizeof(put) / sizeof(*put); i++) {
		struct err e = {0};
		struct db_stmt *s;

		db = opened(DB_WRITE);
		run(db, put[i]);
		assert_int_equal(
			db_prepare(db, &s, "SELECT time_ns, direction FROM sample", &e),
			0);
		assert_int_equal(db_step(s, &e), 1);
		db_i64(s, "time_ns");
		db_text(s, "direction");
		assert_int_equal(db_step(s, &e), ERR_FORMAT);
		assert_non_null(strstr(e.text, i < 3 ? "'time_ns'" : "'direction'"));
		assert_int_equal(db_finalize(s, 0, NULL), ERR_FORMAT);
		run(db, "UPDATE sample SET time_ns = 7, direction = NULL");
		db_close(db);
	}
}

/* A sum over a text is 0: such a column refuses it. */
static void test_columns_that_are_counted_with_take_numbers(void **state)
{
	struct db *db = created();
	struct err e = {0};

	(void)state;
	run(db,
	    "INSERT INTO run (id, uuid, finished, roles_guessed, disordered, raw_sha256) "
	    "VALUES (1, 'u', 1, 0, 0, 's')");
	assert_true(
		db_exec(db,
			"INSERT INTO loss (run_id, lost, kind) VALUES (1, 'many', 'ring')",
			&e) < 0);
	assert_non_null(strstr(e.text, "CHECK constraint"));
	run(db, "INSERT INTO loss (run_id, lost, kind) VALUES (1, 3, 'ring')");
	db_close(db);
}

/* Version 1 lacks columns that this one reads. */
static void test_an_older_version_is_refused(void **state)
{
	struct db *db = created();
	struct err e = {0};

	(void)state;
	run(db, "PRAGMA user_version = 1");
	db_close(db);
	assert_true(db_open(&db, path, DB_READ, &e) < 0);
	assert_non_null(strstr(e.text, "older version"));
	assert_non_null(strstr(e.text, "load its recordings into a new database"));
}

/* Each prepares, and its name is its own. */
static void test_every_named_statement(void **state)
{
	static const char mark[] = "-- name: ";
	struct db *db = created();
	int n = 0;

	(void)state;
	for (const char *p = sql_queries; (p = strstr(p, mark)); n++) {
		struct err e = {0};
		struct db_stmt *s;
		char name[64], again[80];

		p += strlen(mark);
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(p, "\n"), p);
		snprintf(again, sizeof(again), "%s%s\n", mark, name);
		assert_null(strstr(p, again));
		if (db_prepare_named(db, &s, name, &e))
			fail_msg("%s: %s", name, e.text);
		assert_int_equal(db_finalize(s, 0, &e), 0);
	}
	assert_true(n > 20);
	db_close(db);
}

/* Whatever its name, and in place of what. */
static void test_a_schema_that_is_not_ours_is_refused(void **state)
{
	static const char *const foreign[][2] = {
		{"CREATE VIEW mine AS SELECT 1", "view 'mine'"},
		{"CREATE TABLE mine (x)", "table 'mine'"},
		{"CREATE INDEX mine ON sample (time_ns)", "index 'mine'"},
		{"CREATE TRIGGER mine AFTER INSERT ON run BEGIN DELETE FROM run; END",
		 "trigger 'mine'"},
		{"DROP VIEW completeness; CREATE VIEW completeness AS WITH RECURSIVE "
		 "n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT x FROM n",
		 "view 'completeness'"},
		{"ALTER TABLE run ADD COLUMN mine INTEGER", "table 'run'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(foreign) / sizeof(*foreign); i++) {
		struct db *db = created();

		run(db, foreign[i][0]);
		db_close(db);
		refused(DB_READ, ERR_FORMAT, foreign[i][1]);
		refused(DB_WRITE, ERR_FORMAT, foreign[i][1]);
		unlink(path);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_tables_come_with_the_first_commit),
		TEST(test_rolled_back_leaves_no_file),
		TEST(test_closing_rolls_back),
		TEST(test_what_is_no_trace_is_refused),
		TEST(test_other_applications_are_refused),
		TEST(test_newer_and_lacking_are_refused),
		TEST(test_a_schema_that_is_not_ours_is_refused),
		TEST(test_damage_is_told),
		TEST(test_a_second_writer_is_told),
		TEST(test_unknown_is_null_and_back),
		TEST(test_looked_up_once_null_and_back),
		TEST(test_an_inserted_column_moves_nothing),
		TEST(test_a_moved_parameter_moves_nothing),
		TEST(test_an_unknown_name_fails_the_first_step),
		TEST(test_an_unknown_name_is_told_at_the_end),
		TEST(test_finalize_hands_on),
		TEST(test_two_columns_of_one_name_are_refused),
		TEST(test_a_value_of_another_type_is_told),
		TEST(test_columns_that_are_counted_with_take_numbers),
		TEST(test_an_older_version_is_refused),
		TEST(test_every_named_statement),
	};

	return cmocka_run_group_tests_name("db", tests, NULL, NULL);
}
