/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/edit.h"

#include <inttypes.h>
#include <stddef.h>

#include "lib/db/db.h"
#include "lib/err.h"

static int find(struct db *db, int64_t run, struct err *e)
{
	struct db_stmt *s;
	int rc = db_prepare_named(db, &s, "run", e);

	if (rc)
		return rc;
	db_bind_i64(s, ":run", run);
	rc = db_step(s, e);
	if (!rc)
		rc = err_set(e, ERR_NOTFOUND,
			     "there is no run %" PRId64
			     " in %s; --list shows those there are",
			     run, db_path(db));
	return db_finalize(s, rc < 0 ? rc : 0, e);
}

int edit_remove(struct db *db, int64_t run, struct err *e)
{
	int rc = db_begin(db, e);

	if (rc)
		return rc;
	rc = find(db, run, e);
	if (!rc)
		rc = db_run_named(db, "run_remove_samples", run, e);
	if (!rc)
		rc = db_run_named(db, "run_remove", run, e);
	if (!rc)
		rc = db_commit(db, e);
	else
		db_rollback(db);
	return rc ? rc : db_exec(db, "VACUUM", e);
}

int edit_rename(struct db *db, int64_t run, const char *label, struct err *e)
{
	struct db_stmt *s = NULL;
	int rc = db_begin(db, e);

	if (rc)
		return rc;
	rc = find(db, run, e);
	if (!rc)
		rc = db_prepare_named(db, &s, "run_rename", e);
	if (!rc) {
		db_bind_i64(s, ":run", run);
		db_bind_text(s, ":label", *label ? label : NULL);
		rc = db_finalize(s, db_run(s, e), e);
	}
	if (!rc)
		return db_commit(db, e);
	db_rollback(db);
	return rc;
}
