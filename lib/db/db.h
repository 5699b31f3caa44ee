/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The database: opening, creating, checking its version, and statements. The only file
 * that knows SQLite's C interface for reading and writing a trace. A value that is
 * DMA_UNKNOWN, NAN or a NULL text is NULL in the database, and the reverse.
 */
#ifndef DMA_DB_H
#define DMA_DB_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct db; /* all of a process are used by one thread */
struct db_stmt;

enum {
	DB_APPLICATION_ID = 0x444d4172, /* "DMAr" */
	DB_VERSION = 6,			/* PRAGMA user_version of schema/ as it stands */
};

enum db_mode {
	DB_READ,   /* must exist; nothing is written */
	DB_WRITE,  /* must exist; tables that a newer tool added are created */
	DB_CREATE, /* as DB_WRITE, but a missing or empty file becomes a database, with
		    * its tables only when the first transaction is committed */
};

/* Refuses, with a sentence, what is no database, another application's, of a newer
 * version, or damaged. On failure *db is NULL. */
int db_open(struct db **db, const char *path, enum db_mode mode, struct err *e);

/* Rolls back what is open. A file that DB_CREATE made and nothing was committed to is
 * removed. */
void db_close(struct db *db);

const char *db_path(const struct db *db);

int db_exec(struct db *db, const char *sql, struct err *e);
int db_begin(struct db *db, struct err *e); /* takes the write lock at once */
int db_commit(struct db *db, struct err *e);
void db_rollback(struct db *db);
int64_t db_last_id(struct db *db);

/* From a signal handler or another thread: every step from now on fails. */
void db_interrupt(struct db *db);

/* PRAGMA integrity: quick_check; ERR_FORMAT with what it found. */
int db_check(struct db *db, struct err *e);

/* Parameters and columns have names, and are never counted: a column that comes in between
 * moves nothing. Two columns of one name fail here. A name that the statement does not
 * have is a bug, told with both names by db_finalize() and by every later step, prepare
 * and commit of the database; until then it reads as NULL and binds nothing. A value that
 * is not of the type it is read as is told in the same way (ERR_FORMAT): types are not
 * SQLite's affair before 3.37. */
int db_prepare(struct db *db, struct db_stmt **s, const char *sql, struct err *e);

/* A statement of schema/queries.sql, by the name that stands above it. */
int db_prepare_named(struct db *db, struct db_stmt **s, const char *name, struct err *e);

/* Prepare, bind :run, step, finalize. */
int db_run_named(struct db *db, const char *name, int64_t run, struct err *e);

/* Returns rc, or, when that is no error, what was misnamed. s may be NULL. */
int db_finalize(struct db_stmt *s, int rc, struct err *e)
	__attribute__((warn_unused_result));

/* The same where nobody is left to be told. */
void db_drop(struct db_stmt *s);

/* Texts are copied. */
void db_bind_i64(struct db_stmt *s, const char *name, int64_t v);
void db_bind_real(struct db_stmt *s, const char *name, double v);
void db_bind_text(struct db_stmt *s, const char *name, const char *v);

/* 1 = a row, 0 = done (and reset, ready for the next values), negative. */
int db_step(struct db_stmt *s, struct err *e);
void db_reset(struct db_stmt *s);

/* A statement that returns no rows: step and reset. */
int db_run(struct db_stmt *s, struct err *e);

int64_t db_i64(struct db_stmt *s, const char *column);	    /* DMA_UNKNOWN for NULL */
double db_real(struct db_stmt *s, const char *column);	    /* NAN for NULL */
const char *db_text(struct db_stmt *s, const char *column); /* NULL; till the next step */

/* For loops of a million rows: names that are looked up once, before the first step, which
 * fails if there is no such name. They belong to their statement and end with it. */
struct db_param {
	struct db_stmt *s;
	int place;
};

struct db_column {
	struct db_stmt *s;
	int place;
};

struct db_param db_param(struct db_stmt *s, const char *name);
void db_set_i64(struct db_param p, int64_t v);
void db_set_static_text(struct db_param p, const char *v); /* not copied */

struct db_column db_column(struct db_stmt *s, const char *name);
int64_t db_get_i64(struct db_column c);
const char *db_get_text(struct db_column c);

#endif
