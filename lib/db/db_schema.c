// SPDX-License-Identifier: GPL-2.0-only
#include "lib/db/db_schema.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <string.h>

#include "lib/err.h"

extern const char sql_raw[], sql_derived[], sql_views[];

/* The text of a statement without comments, blanks as one. In place. */
static void plain_sql(char *text)
{
	char *to = text;

	for (const char *p = text; *p;) {
		size_t comment = !strncmp(p, "--", 2) ? strcspn(p, "\n") : 0;
		size_t blank = comment ? comment : strspn(p, " \t\r\n");

		if (blank && to > text && to[-1] != ' ')
			*to++ = ' ';
		if (!blank)
			*to++ = *p;
		p += blank ? blank : 1;
	}
	*to = '\0';
}

/* SQLite's function over it: plain(text). */
static void plain_function(sqlite3_context *c, int n, sqlite3_value **v)
{
	const char *text = (const char *)sqlite3_value_text(v[0]);
	char *copy = text ? sqlite3_mprintf("%s", text) : NULL;

	(void)n;
	if (copy)
		plain_sql(copy);
	sqlite3_result_text(c, copy, -1, copy ? sqlite3_free : SQLITE_STATIC);
}

/* "CREATE ...;" by name, of a database made from our own files. */
static int make_model(sqlite3 **sq, const char *path, struct err *e)
{
	static const char *const part[] = {sql_raw, sql_derived, sql_views};
	bool good = sqlite3_open_v2(":memory:", sq,
				    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
				    NULL) == SQLITE_OK;

	for (size_t i = 0; good && i < sizeof(part) / sizeof(*part); i++)
		good = sqlite3_exec(*sq, part[i], NULL, NULL, NULL) == SQLITE_OK;
	good = good && sqlite3_create_function(*sq, "plain", 1, SQLITE_UTF8, NULL,
					       plain_function, NULL, NULL) == SQLITE_OK;
	return good ? 0 : err_nomem(e, "the schema of %s", path);
}

static int foreign(const char *path, const char *type, const char *name, struct err *e)
{
	return err_set(e, ERR_FORMAT,
		       "%s: its schema is not a trace's: %s '%.80s' is not as dmaanalyze "
		       "makes it; load its recordings into a new database",
		       path, type, name);
}

/* Each entry of the file's schema against the model's of that name. */
static int compare_schema(sqlite3 *sq, const char *path, sqlite3 *ours, struct err *e)
{
	static const char all[] = "SELECT type, name, sql FROM sqlite_master "
				  "WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
	static const char same[] =
		"SELECT 1 FROM sqlite_master WHERE type = ?1 AND name = "
		"?2 AND plain(sql) = plain(?3)";
	sqlite3_stmt *one = NULL, *model = NULL;
	int rc = 0, got;

	if (sqlite3_prepare_v2(sq, all, -1, &one, NULL) != SQLITE_OK)
		return err_set(e, ERR_FORMAT, "%s: %s", path, sqlite3_errmsg(sq));
	if (sqlite3_prepare_v2(ours, same, -1, &model, NULL) != SQLITE_OK)
		rc = err_nomem(e, "the schema of %s", path);
	while (!rc && (got = sqlite3_step(one)) != SQLITE_DONE) {
		if (got != SQLITE_ROW) {
			rc = err_set(e, ERR_FORMAT, "%s: %s", path, sqlite3_errmsg(sq));
			break;
		}
		for (int i = 0; i < 3; i++)
			sqlite3_bind_value(model, i + 1, sqlite3_column_value(one, i));
		if (sqlite3_step(model) != SQLITE_ROW)
			rc = foreign(path, (const char *)sqlite3_column_text(one, 0),
				     (const char *)sqlite3_column_text(one, 1), e);
		sqlite3_reset(model);
	}
	sqlite3_finalize(one);
	sqlite3_finalize(model);
	return rc;
}

int db_schema_is_ours(sqlite3 *sq, const char *path, struct err *e)
{
	sqlite3 *ours = NULL;
	int rc = make_model(&ours, path, e);

	if (!rc)
		rc = compare_schema(sq, path, ours, e);
	sqlite3_close(ours);
	return rc;
}
