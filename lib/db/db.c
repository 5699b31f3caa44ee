// SPDX-License-Identifier: GPL-2.0-only
/* Opening and checking a trace database, and thin statements over it. */
#include "lib/db/db.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/db/db_schema.h"
#include "lib/dma.h"
#include "lib/err.h"

extern const char sql_raw[], sql_derived[], sql_views[], sql_queries[];

struct db {
	sqlite3 *sq;
	volatile sig_atomic_t interrupted;
	char *path;
	bool created;	 /* we made the file and nothing is committed yet */
	char wrong[256]; /* the first name that a statement does not have, or value of a
			  * type that its column does not have; "" = none */
	int wrong_code;
};

struct db_stmt {
	sqlite3_stmt *st;
	struct db *db;
	const char *name; /* within sql_queries, up to the end of the line; NULL = none */
	uint64_t bound; /* places below 64 that are not NULL: binding NULL again costs */
	int columns;
	char *column[]; /* names: SQLite's own do not outlive a changed schema */
};

static int fail(struct db *db, struct err *e)
{
	int code = sqlite3_errcode(db->sq);

	switch (code & 0xff) {
	case SQLITE_NOTADB:
		return err_set(e, ERR_FORMAT,
			       "%s: is not an SQLite database; name another file",
			       db->path);
	case SQLITE_CORRUPT:
		if (strstr(sqlite3_errmsg(db->sq), "\"STRICT\""))
			return err_set(
				e, ERR_UNSUPPORTED,
				"%s: was made by a dmaanalyze that SQLite %s is too old for (STRICT "
				"tables); load its recordings into a new one, or open it with "
				"dmaanalyze on a system with SQLite 3.37 or later, which mends it",
				db->path, sqlite3_libversion());
		return err_set(e, ERR_FORMAT,
			       "%s: the database is damaged (%s); "
			       "load its recordings into a new one",
			       db->path, sqlite3_errmsg(db->sq));
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(e, ERR_IO,
			       "%s: another program is writing to "
			       "it; try again when it has ended",
			       db->path);
	case SQLITE_INTERRUPT:
		return err_set(e, ERR_IO, "interrupted; %s is as it was", db->path);
	case SQLITE_FULL:
		return err_set(e, ERR_IO, "%s: the disk is full; nothing was changed",
			       db->path);
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return err_set(e, ERR_PERM,
			       "%s: cannot be written (read-only file or directory)",
			       db->path);
	case SQLITE_NOMEM:
		return err_nomem(e, "%s", db->path);
	default:
		return err_set(e, ERR_IO, "%s: %s", db->path, sqlite3_errmsg(db->sq));
	}
}

static int tell_wrong(const struct db *db, struct err *e)
{
	return err_set(e, db->wrong_code, "%s", db->wrong);
}

int db_exec(struct db *db, const char *sql, struct err *e)
{
	if (sqlite3_exec(db->sq, sql, NULL, NULL, NULL) != SQLITE_OK)
		return fail(db, e);
	return 0;
}

static int one_number(struct db *db, const char *sql, int64_t *out, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int got;

	if (sqlite3_prepare_v2(db->sq, sql, -1, &st, NULL) != SQLITE_OK)
		return fail(db, e);
	got = sqlite3_step(st);
	*out = got == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
	sqlite3_finalize(st);
	return got == SQLITE_ROW || got == SQLITE_DONE ? 0 : fail(db, e);
}

static int create_tables(struct db *db, struct err *e)
{
	static const char *const part[] = {sql_raw, sql_derived, sql_views};
	char pragma[96];
	int got = 0;

	for (size_t i = 0; !got && i < sizeof(part) / sizeof(*part); i++)
		got = db_exec(db, part[i], e);
	if (got)
		return got;
	sqlite3_snprintf(sizeof(pragma), pragma,
			 "PRAGMA application_id = %d; PRAGMA user_version = %d",
			 DB_APPLICATION_ID, DB_VERSION);
	return db_exec(db, pragma, e);
}

/* What it is: 1 = empty, 0 = ours, negative. */
static int identify(struct db *db, struct err *e)
{
	int64_t app, version, tables, run;
	int got;

	got = one_number(db, "PRAGMA application_id", &app, e);
	if (!got)
		got = one_number(db, "PRAGMA user_version", &version, e);
	if (!got)
		got = one_number(db, "SELECT count(*) FROM sqlite_master", &tables, e);
	if (!got)
		got = one_number(
			db,
			"SELECT count(*) FROM sqlite_master WHERE type = 'table' "
			"AND name IN ('run', 'source', 'sample', 'transfer')",
			&run, e);
	if (got)
		return got;
	if (!tables && !app)
		return 1;
	if (app != DB_APPLICATION_ID)
		return err_set(e, ERR_FORMAT,
			       "%s: is another application's database; "
			       "name another file for the trace",
			       db->path);
	if (version > DB_VERSION)
		return err_set(e, ERR_UNSUPPORTED,
			       "%s: was written by a newer version (schema %lld, "
			       "this tool knows %d); use that version's tools",
			       db->path, (long long)version, DB_VERSION);
	if (version < DB_VERSION)
		return err_set(e, ERR_UNSUPPORTED,
			       "%s: was made by an older version (schema %lld, this tool "
			       "needs %d); load its recordings into a new database",
			       db->path, (long long)version, DB_VERSION);
	if (run != 4)
		return err_set(e, ERR_FORMAT,
			       "%s: lacks tables that a trace has (schema %lld); load "
			       "its recordings "
			       "into a new database",
			       db->path, (long long)version);
	return db_schema_is_ours(db->sq, db->path, e);
}

static int check_path(const char *path, enum db_mode mode, bool *missing, struct err *e)
{
	struct stat st;

	*missing = false;
	if (!stat(path, &st)) {
		if (!S_ISREG(st.st_mode))
			return err_set(e, ERR_FORMAT, "%s: is not a regular file", path);
		return 0;
	}
	if (errno != ENOENT)
		return err_errno(e, "%s", path);
	if (mode != DB_CREATE)
		return err_set(
			e, ERR_NOTFOUND,
			"%s: no such database; dmaanalyze makes one from a recording",
			path);
	*missing = true;
	return 0;
}

/* The path with every link of its directory resolved, and none followed at its end: who
 * may write to a directory could plant one there. malloc'ed. */
static char *plain_path(const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	char *dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup("."),
	     *real = dir ? realpath(dir, NULL) : NULL, *plain = NULL;
	struct stat st;

	if (!dir)
		err_nomem(e, "the database");
	else if (!real) /* SQLite says so in its words */
		plain = strdup(path);
	else if (asprintf(&plain, "%s/%s", strcmp(real, "/") ? real : "", base) < 0)
		plain = NULL;
	if (plain && !lstat(plain, &st) && S_ISLNK(st.st_mode)) {
		err_set(e, ERR_PERM,
			"%s: is a link; name the file that it points to (a link may have "
			"been planted)",
			path);
		free(plain);
		plain = NULL;
	} else if (!plain) {
		err_nomem(e, "the database");
	}
	free(dir);
	free(real);
	return plain;
}

/* What is only read may be a link. */
static int open_plain(struct db *db, enum db_mode mode, int flags, struct err *e)
{
	char *plain = mode == DB_READ ? strdup(db->path) : plain_path(db->path, e);
	int got;

	if (!plain) {
		db->created = false;
		return e && e->code ? e->code : ERR_NOMEM;
	}
#ifdef SQLITE_OPEN_NOFOLLOW /* 3.31 */
	if (mode != DB_READ)
		flags |= SQLITE_OPEN_NOFOLLOW;
#endif
	got = sqlite3_open_v2(plain, &db->sq, flags, NULL);
	free(plain);
	if (got == SQLITE_OK)
		return 0;
	db->created = false;
	if (!db->sq)
		return err_nomem(e, "the database");
	return err_set(e, ERR_IO, "%s: %s%s", db->path, sqlite3_errmsg(db->sq),
		       mode == DB_CREATE
			       ? " (is there such a directory, and may you write "
				 "to it?)"
			       : "");
}

static int configure(struct db *db, enum db_mode mode, struct err *e)
{
	/* What a file says that others may have made is data, and no program. */
	sqlite3_db_config(db->sq, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db->sq, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_exec(db->sq, "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON",
		     NULL, NULL, NULL);
	sqlite3_busy_timeout(db->sq, 2000);
	sqlite3_extended_result_codes(db->sq, 1);
	if (mode == DB_READ)
		return db_exec(db, "PRAGMA cache_size = -16384", e);
	/* A rollback journal keeps a killed load harmless; appended pages cost it
	 * nothing. */
	return db_exec(db,
		       "PRAGMA cache_size = -32768; PRAGMA synchronous = NORMAL;"
		       "PRAGMA foreign_keys = ON; PRAGMA temp_store = FILE",
		       e);
}

static int open_checked(struct db *db, enum db_mode mode, struct err *e)
{
	int flags = mode == DB_READ	? SQLITE_OPEN_READONLY
		    : mode == DB_CREATE ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
					: SQLITE_OPEN_READWRITE;
	int got = check_path(db->path, mode, &db->created, e);

	if (got)
		return got;
	/* A fifth of an insert is taking locks, and none of our programs has two threads
	 * that use SQLite. Once it is in use these are refused, and have been obeyed. */
	sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	flags |= SQLITE_OPEN_NOMUTEX;
	got = open_plain(db, mode, flags, e);
	if (got)
		return got;
	got = configure(db, mode, e);
	if (!got)
		got = identify(db, e);
	if (got <= 0)
		return got;
	if (mode != DB_CREATE)
		return err_set(e, ERR_FORMAT, "%s: is empty; dmaanalyze -i RAW fills it",
			       db->path);
	return 0;
}

int db_open(struct db **out, const char *path, enum db_mode mode, struct err *e)
{
	struct db *db = calloc(1, sizeof(*db));
	int got;

	*out = NULL;
	if (!db || !(db->path = strdup(path))) {
		free(db);
		return err_nomem(e, "the database");
	}
	got = open_checked(db, mode, e);
	if (got < 0) {
		db_close(db);
		return got;
	}
	*out = db;
	return 0;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	db_rollback(db);
	sqlite3_close_v2(db->sq);
	if (db->created)
		unlink(db->path);
	free(db->path);
	free(db);
}

const char *db_path(const struct db *db)
{
	return db->path;
}

int db_begin(struct db *db, struct err *e)
{
	int64_t tables;
	int got = db_exec(db, "BEGIN IMMEDIATE", e);

	if (!got)
		got = one_number(db, "SELECT count(*) FROM sqlite_master", &tables, e);
	if (!got && !tables)
		got = create_tables(db, e);
	if (got)
		db_rollback(db);
	return got;
}

int db_commit(struct db *db, struct err *e)
{
	int got = *db->wrong ? tell_wrong(db, e) : db_exec(db, "COMMIT", e);

	if (got)
		db_rollback(db);
	else
		db->created = false;
	return got;
}

void db_rollback(struct db *db)
{
	if (db->sq && !sqlite3_get_autocommit(db->sq))
		sqlite3_exec(db->sq, "ROLLBACK", NULL, NULL, NULL);
}

int64_t db_last_id(struct db *db)
{
	return sqlite3_last_insert_rowid(db->sq);
}

void db_interrupt(struct db *db)
{
	db->interrupted = 1;
	sqlite3_interrupt(db->sq);
}

int db_check(struct db *db, struct err *e)
{
	struct db_stmt *s;
	const char *said;
	int got = db_prepare(db, &s, "PRAGMA quick_check(1)", e);

	if (got)
		return got;
	got = db_step(s, e);
	said = got == 1 ? (const char *)sqlite3_column_text(s->st, 0) : NULL;
	if (got == 1)
		got = said && !strcmp(said, "ok")
			      ? 0
			      : err_set(e, ERR_FORMAT,
					"%s: the database is damaged (%s); load its "
					"recordings into a new one",
					db->path, said ? said : "?");
	return db_finalize(s, got, e);
}

/* The first of them stays: what comes after may be its consequence. */
static void note(struct db *db, int code, const char *fmt, ...)
{
	va_list ap;

	if (*db->wrong)
		return;
	va_start(ap, fmt);
	vsnprintf(db->wrong, sizeof(db->wrong), fmt, ap);
	va_end(ap);
	db->wrong_code = code;
}

static void note_bug(struct db_stmt *s, const char *kind, const char *name)
{
	const char *of = s->name ? s->name : sqlite3_sql(s->st);

	note(s->db, ERR_USAGE, "bug: statement '%.*s' has no %s '%s'",
	     (int)strcspn(of, "\n"), of, kind, name);
}

/* A column of any type holds values of any type in an SQLite before 3.37, and in a file
 * that somebody else has written to. What it holds is never read as 0. */
static void note_type(struct db_column c, const char *wanted)
{
	note(c.s->db, ERR_FORMAT,
	     "%s: column '%s' holds something else than %s; the database was changed by "
	     "another program: load its recordings into a new one",
	     c.s->db->path, c.place < c.s->columns ? c.s->column[c.place] : "?", wanted);
}

static int find_column(const struct db_stmt *s, const char *name)
{
	for (int i = 0; i < s->columns; i++)
		if (!strcmp(s->column[i], name))
			return i;
	return -1;
}

/* Two columns of one name: which would be read? */
static int take_columns(struct db_stmt *s, const char *sql, struct err *e)
{
	int n = sqlite3_column_count(s->st);

	for (; s->columns < n; s->columns++) {
		const char *name = sqlite3_column_name(s->st, s->columns);

		if (name && find_column(s, name) >= 0)
			return err_set(e, ERR_USAGE,
				       "bug: statement '%.*s' has two columns '%s'",
				       (int)strcspn(sql, "\n"), sql, name);
		s->column[s->columns] = name ? strdup(name) : NULL;
		if (!s->column[s->columns])
			return err_nomem(e, "the database");
	}
	return 0;
}

static int prepare(struct db *db, struct db_stmt **out, const char *sql, const char *name,
		   struct err *e)
{
	sqlite3_stmt *st;
	struct db_stmt *s;
	int rc;

	*out = NULL;
	if (*db->wrong)
		return tell_wrong(db, e);
	if (sqlite3_prepare_v3(db->sq, sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL) !=
	    SQLITE_OK)
		return fail(db, e);
	s = calloc(1, sizeof(*s) + (size_t)sqlite3_column_count(st) * sizeof(*s->column));
	if (!s) {
		sqlite3_finalize(st);
		return err_nomem(e, "the database");
	}
	s->st = st;
	s->db = db;
	s->name = name;
	rc = take_columns(s, name ? name : sql, e);
	if (rc)
		db_drop(s);
	else
		*out = s;
	return rc;
}

int db_prepare(struct db *db, struct db_stmt **s, const char *sql, struct err *e)
{
	return prepare(db, s, sql, NULL, e);
}

int db_prepare_named(struct db *db, struct db_stmt **s, const char *name, struct err *e)
{
	static const char mark[] = "-- name: ";
	size_t len = strlen(name);
	const char *p = sql_queries, *own, *next;
	char *text;
	int rc;

	*s = NULL;
	while ((p = strstr(p, mark))) {
		p += strlen(mark);
		if (!strncmp(p, name, len) && p[len] == '\n')
			break;
	}
	if (!p)
		return err_set(e, ERR_USAGE, "bug: no statement '%s' in queries.sql",
			       name);
	own = p;
	p += len;
	next = strstr(p, mark);
	text = next ? strndup(p, (size_t)(next - p)) : strdup(p);
	if (!text)
		return err_nomem(e, "the database");
	rc = prepare(db, s, text, own, e);
	free(text);
	return rc;
}

int db_run_named(struct db *db, const char *name, int64_t run, struct err *e)
{
	struct db_stmt *s;
	int rc = db_prepare_named(db, &s, name, e);

	if (rc)
		return rc;
	db_bind_i64(s, ":run", run);
	rc = db_run(s, e);
	return db_finalize(s, rc, e);
}

void db_drop(struct db_stmt *s)
{
	if (!s)
		return;
	for (int i = 0; i < s->columns; i++)
		free(s->column[i]);
	sqlite3_finalize(s->st);
	free(s);
}

int db_finalize(struct db_stmt *s, int rc, struct err *e)
{
	if (rc >= 0 && s && *s->db->wrong)
		rc = tell_wrong(s->db, e);
	db_drop(s);
	return rc;
}

struct db_param db_param(struct db_stmt *s, const char *name)
{
	int place = sqlite3_bind_parameter_index(s->st, name);

	if (!place)
		note_bug(s, "parameter", name);
	return (struct db_param){s, place};
}

struct db_column db_column(struct db_stmt *s, const char *name)
{
	int place = find_column(s, name);

	if (place < 0)
		note_bug(s, "column", name);
	return (struct db_column){s, place};
}

/* Notes whether a place has a value from now on. false = it is NULL and shall be. */
static bool is_set(struct db_stmt *s, int place, bool value)
{
	uint64_t bit = place > 0 && place < 64 ? UINT64_C(1) << place : 0;
	bool call = value || !bit || (s->bound & bit);

	s->bound = value ? s->bound | bit : s->bound & ~bit;
	return call;
}

void db_set_i64(struct db_param p, int64_t v)
{
	if (!is_set(p.s, p.place, v != DMA_UNKNOWN))
		return;
	if (v == DMA_UNKNOWN)
		sqlite3_bind_null(p.s->st, p.place);
	else
		sqlite3_bind_int64(p.s->st, p.place, v);
}

void db_set_static_text(struct db_param p, const char *v)
{
	if (is_set(p.s, p.place, v != NULL))
		sqlite3_bind_text(p.s->st, p.place, v, -1, SQLITE_STATIC);
}

void db_bind_i64(struct db_stmt *s, const char *name, int64_t v)
{
	db_set_i64(db_param(s, name), v);
}

void db_bind_real(struct db_stmt *s, const char *name, double v)
{
	int place = db_param(s, name).place;

	if (isfinite(v) && is_set(s, place, true))
		sqlite3_bind_double(s->st, place, v);
	else if (!isfinite(v) && is_set(s, place, false))
		sqlite3_bind_null(s->st, place);
}

void db_bind_text(struct db_stmt *s, const char *name, const char *v)
{
	int place = db_param(s, name).place;

	if (is_set(s, place, v != NULL))
		sqlite3_bind_text(s->st, place, v, -1, SQLITE_TRANSIENT);
}

int db_step(struct db_stmt *s, struct err *e)
{
	int got;

	if (*s->db->wrong)
		return tell_wrong(s->db, e);
	if (s->db->interrupted)
		return err_set(e, ERR_IO, "interrupted; %s is as it was", s->db->path);
	got = sqlite3_step(s->st);
	if (got == SQLITE_ROW)
		return 1;
	if (got != SQLITE_DONE) {
		fail(s->db, e);
		sqlite3_reset(s->st);
		return e ? e->code : ERR_IO;
	}
	sqlite3_reset(s->st);
	return 0;
}

void db_reset(struct db_stmt *s)
{
	sqlite3_reset(s->st);
}

int db_run(struct db_stmt *s, struct err *e)
{
	int got = db_step(s, e);

	return got < 0 ? got : 0;
}

int64_t db_get_i64(struct db_column c)
{
	int type = sqlite3_column_type(c.s->st, c.place);

	if (type == SQLITE_INTEGER)
		return sqlite3_column_int64(c.s->st, c.place);
	if (type != SQLITE_NULL)
		note_type(c, "a whole number");
	return DMA_UNKNOWN;
}

const char *db_get_text(struct db_column c)
{
	if (sqlite3_column_type(c.s->st, c.place) == SQLITE_BLOB) {
		note_type(c, "a text");
		return NULL;
	}
	return (const char *)sqlite3_column_text(c.s->st, c.place);
}

int64_t db_i64(struct db_stmt *s, const char *name)
{
	return db_get_i64(db_column(s, name));
}

double db_real(struct db_stmt *s, const char *name)
{
	struct db_column c = db_column(s, name);
	int type = sqlite3_column_type(s->st, c.place);

	if (type == SQLITE_FLOAT || type == SQLITE_INTEGER)
		return sqlite3_column_double(s->st, c.place);
	if (type != SQLITE_NULL)
		note_type(c, "a number");
	return NAN;
}

const char *db_text(struct db_stmt *s, const char *name)
{
	return db_get_text(db_column(s, name));
}
