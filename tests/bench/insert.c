// SPDX-License-Identifier: GPL-2.0-only
/* insert FROM.db TO.db: the peer of loading and joining. Takes the rows of `sample` and
 * `transfer` into memory, then inserts them into the same tables of a new database, in
 * one transaction, with prepared statements, in one thread, and nothing else. Prints the
 * seconds from the first insert to the end of the commit. */
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

extern const char sql_raw[], sql_derived[];

struct cell {
	int type;
	union {
		int64_t i;
		double d;
		char *text;
	};
};

struct rows {
	struct cell *cell;
	size_t n, columns, room;
};

static void die(sqlite3 *db, const char *what)
{
	fprintf(stderr, "insert: %s: %s\n", what, db ? sqlite3_errmsg(db) : "no memory");
	exit(1);
}

/* Texts are few and repeat: kept once. */
static char *keep(const char *text)
{
	static char *kept[256];
	size_t i = 0;

	for (; i < 256 && kept[i]; i++)
		if (!strcmp(kept[i], text))
			return kept[i];
	return i < 256 ? kept[i] = strdup(text) : strdup(text);
}

static void read_rows(sqlite3 *db, const char *table, struct rows *r)
{
	sqlite3_stmt *s;
	char sql[64];

	snprintf(sql, sizeof(sql), "SELECT * FROM %s ORDER BY rowid", table);
	if (!strcmp(table, "transfer"))
		snprintf(sql, sizeof(sql), "SELECT * FROM transfer");
	if (sqlite3_prepare_v2(db, sql, -1, &s, NULL))
		die(db, sql);
	r->columns = (size_t)sqlite3_column_count(s);
	while (sqlite3_step(s) == SQLITE_ROW) {
		if (r->n == r->room) {
			r->room = r->room ? 2 * r->room : 4096;
			r->cell =
				realloc(r->cell, r->room * r->columns * sizeof(*r->cell));
			if (!r->cell)
				die(NULL, table);
		}
		for (size_t i = 0; i < r->columns; i++) {
			struct cell *c = &r->cell[r->n * r->columns + i];

			c->type = sqlite3_column_type(s, (int)i);
			if (c->type == SQLITE_INTEGER)
				c->i = sqlite3_column_int64(s, (int)i);
			else if (c->type == SQLITE_FLOAT)
				c->d = sqlite3_column_double(s, (int)i);
			else if (c->type == SQLITE_TEXT)
				c->text = keep(
					(const char *)sqlite3_column_text(s, (int)i));
		}
		r->n++;
	}
	sqlite3_finalize(s);
}

static void write_rows(sqlite3 *db, const char *table, const struct rows *r)
{
	char sql[256];
	size_t len =
		(size_t)snprintf(sql, sizeof(sql), "INSERT INTO %s VALUES (?", table);
	sqlite3_stmt *s;

	for (size_t i = 1; i < r->columns; i++)
		len += (size_t)snprintf(sql + len, sizeof(sql) - len, ",?");
	snprintf(sql + len, sizeof(sql) - len, ")");
	if (sqlite3_prepare_v2(db, sql, -1, &s, NULL))
		die(db, sql);
	for (size_t k = 0; k < r->n; k++) {
		for (size_t i = 0; i < r->columns; i++) {
			const struct cell *c = &r->cell[k * r->columns + i];

			if (c->type == SQLITE_INTEGER)
				sqlite3_bind_int64(s, (int)i + 1, c->i);
			else if (c->type == SQLITE_FLOAT)
				sqlite3_bind_double(s, (int)i + 1, c->d);
			else if (c->type == SQLITE_TEXT)
				sqlite3_bind_text(s, (int)i + 1, c->text, -1,
						  SQLITE_STATIC);
			else
				sqlite3_bind_null(s, (int)i + 1);
		}
		if (sqlite3_step(s) != SQLITE_DONE)
			die(db, table);
		sqlite3_reset(s);
	}
	sqlite3_finalize(s);
}

int main(int argc, char **argv)
{
	struct rows sample = {0}, transfer = {0};
	struct timespec a, b;
	sqlite3 *from, *to;

	if (argc != 3 || sqlite3_open_v2(argv[1], &from, SQLITE_OPEN_READONLY, NULL))
		return 2;
	read_rows(from, "sample", &sample);
	read_rows(from, "transfer", &transfer);
	remove(argv[2]);
	if (sqlite3_open(argv[2], &to) || sqlite3_exec(to, sql_raw, NULL, NULL, NULL) ||
	    sqlite3_exec(to, sql_derived, NULL, NULL, NULL) ||
	    sqlite3_exec(to, "PRAGMA cache_size = -32768; PRAGMA synchronous = NORMAL",
			 NULL, NULL, NULL))
		die(to, argv[2]);
	clock_gettime(CLOCK_MONOTONIC, &a);
	sqlite3_exec(to, "BEGIN", NULL, NULL, NULL);
	write_rows(to, "sample", &sample);
	write_rows(to, "transfer", &transfer);
	if (sqlite3_exec(to, "COMMIT", NULL, NULL, NULL))
		die(to, "COMMIT");
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("%.6f\n",
	       (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9);
	sqlite3_close(to);
	sqlite3_close(from);
	return 0;
}
