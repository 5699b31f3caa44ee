/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flight recorder: the last rounds of records in memory, as many as a time or a size
 * asks for, until somebody wants them in a file. What is older is forgotten whole rounds
 * at a time, so that what is left can be put in order as any file.
 */
#ifndef DMA_RECORD_LIVE_KEEP_H
#define DMA_RECORD_LIVE_KEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct keep;
struct perfdata_writer;

/* Of the time asked for, no more than fits into so much memory is kept. */
#define KEEP_MOST_BYTES ((uint64_t)1 << 30)

/* keep_ns, or at least so many bytes when keep_ns is 0: a round is kept whole. NULL = no
 * memory. */
struct keep *keep_new(int64_t keep_ns, uint64_t bytes);
void keep_free(struct keep *k); /* NULL is fine */

int keep_put(struct keep *k, const void *buf, size_t len, struct err *e);
/* All rings have been read; now_ns on the recording's clock. */
void keep_round(struct keep *k, int64_t now_ns);

/* Each piece that is kept, whole records, in order; round: none comes behind it that is earlier
 * than what was put two rounds before. */
int keep_each(const struct keep *k,
	      int (*put)(void *arg, const void *buf, size_t len, struct err *e),
	      int (*round)(void *arg, struct err *e), void *arg, struct err *e);

/* Everything that is kept, in order; `see` is called for each piece. */
int keep_write(const struct keep *k, struct perfdata_writer *file,
	       void (*see)(void *arg, const void *buf, size_t len), void *arg,
	       struct err *e);

/* Nothing from before is there; DMA_UNKNOWN = nothing was forgotten, it begins with the
 * recording. And whether less is kept than was asked for, since memory is bounded. */
int64_t keep_from_ns(const struct keep *k);
bool keep_is_short(const struct keep *k);

#endif
