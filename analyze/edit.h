/* SPDX-License-Identifier: GPL-2.0-only */
/* A run of a database taken away, or called otherwise: the only changes of facts there are. */
#ifndef DMA_EDIT_H
#define DMA_EDIT_H

#include <stdint.h>

struct db;
struct err;

/* The run with all that belongs to it; the file shrinks. ERR_NOTFOUND. */
int edit_remove(struct db *db, int64_t run, struct err *e);
/* "" = no label. ERR_NOTFOUND. */
int edit_rename(struct db *db, int64_t run, const char *label, struct err *e);

#endif
