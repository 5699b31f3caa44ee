/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A recording's samples in order of time: from a raw file, or from the tables of a run
 * that was loaded before. Both give the same. A raw file also says what is known to be
 * lost; of a run that stands in the table `loss`.
 */
#ifndef ANALYZE_STREAM_H
#define ANALYZE_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/event/event.h"
#include "lib/file/meta.h"
#include "lib/flow/source.h"

struct db;
struct err;
struct stream;

/* roles: for files that perf wrote. *meta is the stream's. */
int stream_open_raw(struct stream **s, const char *path, const struct event_rules *rules,
		    struct err *e);
int stream_open_run(struct stream **s, struct db *db, int64_t run, struct err *e);
void stream_close(struct stream *s);

/* 1 = *sample is filled, 2 = *loss is filled, 0 = end, negative. */
enum { STREAM_SAMPLE = SOURCE_SAMPLE, STREAM_LOSS = SOURCE_LOSS };
int stream_next(struct stream *s, struct sample *sample, struct loss *loss,
		struct err *e);
int stream_rewind(struct stream *s, struct err *e);

/* Bytes of the file, or rows: for progress. */
uint64_t stream_size(const struct stream *s);
uint64_t stream_done(const struct stream *s);

/* Only of a raw file, else NULL. */
struct perfdata *stream_file(struct stream *s);
const struct meta *stream_meta(const struct stream *s);
const struct event_decoder *stream_decoder(const struct stream *s);
bool stream_guessed(const struct stream *s); /* roles come from the events' names */
/* Samples without a time, which were handed out as lost. */
uint64_t stream_untimed(const struct stream *s);

/* May another thread read it while the database is written to? */
bool stream_threads(const struct stream *s);

#endif
