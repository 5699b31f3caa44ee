/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is a database's schema ours, whole? A view that somebody else made can be endless, a
 * trigger rewrite what is loaded, an index lie; so none is taken but those that we make,
 * comments and blanks apart.
 */
#ifndef DMA_DB_SCHEMA_H
#define DMA_DB_SCHEMA_H

struct err;
struct sqlite3;

/* 0, or ERR_FORMAT with the first name that is not as we make it. Tables of ours that are
 * absent are no matter of this check. */
int db_schema_is_ours(struct sqlite3 *sq, const char *path, struct err *e);

#endif
