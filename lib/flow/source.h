/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The samples of a recording in order of time, and what is known to be lost of it: from a
 * raw file, or from the records of one that is being made, as they come. Both give the
 * same samples with the same numbers, since both are read and decoded by the same code.
 * No database, no thread: whoever opens a source is the only one who uses it.
 */
#ifndef DMA_FLOW_SOURCE_H
#define DMA_FLOW_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/event/event.h"
#include "lib/file/meta.h"

struct err;
struct perfdata;
struct source;

/* Samples known to be missing. */
struct loss {
	int32_t cpu;		/* -1 = not known which */
	int64_t from_ns, to_ns; /* DMA_UNKNOWN = from the beginning, to the end */
	uint64_t lost;
	const char *kind; /* "ring", "count", "cut", "handler"; static */
};

/* A raw file, of a recording in parts the first with all others; path is borrowed. rules: for files that perf wrote, NULL = none. On failure
 * *s is NULL and the error names the path. */
int source_open(struct source **s, const char *path, const struct event_rules *rules,
		struct err *e);
/* What is recorded now: head is the beginning of its file up to the data, borrowed only
 * during the call. name stands for the path in messages, and is borrowed. */
int source_open_feed(struct source **s, const void *head, size_t len, const char *name,
		     struct err *e);
void source_close(struct source *s); /* NULL is fine */

/* Of a feed: whole records as they lie in the rings; all rings were read once; no more
 * will come. A sample that was handed out is the caller's and stays. */
int source_feed(struct source *s, const void *buf, size_t len, struct err *e);
int source_round(struct source *s, struct err *e);
void source_end(struct source *s);
/* Of a feed: records that were not fed are missing. Calls that are open lose their
 * entries, as behind a loss in a file; what else follows from it is the caller's. */
int source_gap(struct source *s, struct err *e);
/* Of a feed: the recorder has armed more, and this is the beginning of its file by now. What was
 * fed before and is fed later is read by it; source_meta() says what it says. */
int source_renew(struct source *s, const void *head, size_t len, struct err *e);

/* 1 = *sample is filled, 2 = *loss is filled, 0 = the end (of a feed: nothing more before
 * the next round), negative. */
enum { SOURCE_SAMPLE = 1, SOURCE_LOSS = 2 };
int source_next(struct source *s, struct sample *sample, struct loss *loss,
		struct err *e);

/* Only of a file: back to its first sample. */
int source_rewind(struct source *s, struct err *e);

struct perfdata *source_file(struct source *s);
const struct meta *source_meta(const struct source *s);
const struct event_decoder *source_decoder(const struct source *s);
uint64_t source_untimed(const struct source *s); /* samples without a time, until now */
bool source_guessed(const struct source *s);	 /* roles come from the events' names */

#endif
