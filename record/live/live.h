/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The view of a recording that runs: a thread of its own decodes and joins copies of the
 * raw records, by the library that dmaanalyze uses, and shows every interval what was
 * decided in it. The recorder only copies records into a bounded queue; it never waits for
 * the view, and what the view cannot follow is skipped for the view only.
 */
#ifndef DMA_RECORD_LIVE_LIVE_H
#define DMA_RECORD_LIVE_LIVE_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/live/rule.h"

struct err;
struct live;

enum live_how {
	LIVE_AUTO, /* a table on a terminal, else lines */
	LIVE_JSON,
};

struct live_options {
	bool shown; /* --live */
	enum live_how how;
	int64_t interval_ns; /* 0 = 1 s */
	const char *output;  /* NULL = standard error; of JSON standard output */
	struct rule *rule;   /* --stop-if; freed by live_options_release() */
	size_t nrule;
	bool everyone;		/* --top: a row for each process, which come and go */
	const char *on_trigger; /* a command for sh; NULL = none */
	bool quiet;		/* no sentences after a trigger */
	/* --keep: a time, else a size; 0 = everything is written */
	int64_t keep_ns;
	uint64_t keep_bytes;
	int64_t snapshots; /* how many are kept, and the recording goes on; 0 = it ends */
};

/* dmarec's options of this room: its input is the struct live_options. */
extern const struct argp live_argp;
void live_options_release(struct live_options *o);

/* Is there anything for a view to do? */
bool live_wanted(const struct live_options *o);

/* head: the beginning of the recording's file. The rules are borrowed, all else is copied. */
int live_new(struct live **l, const struct live_options *o, const void *head, size_t len,
	     int clockid, struct err *e);
/* To be called when rights are dropped: the thread has those of its caller, and its output
 * is opened with them. */
int live_start(struct live *l, struct err *e);

/* The recorder's, for intake: records as they are drained, and that all rings were. */
void live_put(void *arg, const void *buf, size_t len);
void live_round(void *arg);

/* The recorder has armed functions of one file more: the beginning of its file by now, before
 * the first record of them. Without memory for it they are not shown, which the view says. */
void live_renew(struct live *l, const void *head, size_t len);

/* Readable when a trigger has come true; and whether one has. */
int live_fd(const struct live *l);
bool live_fired(struct live *l);
/* When it came true, on the recording's clock, not when it was noticed; DMA_UNKNOWN. */
int64_t live_at_ns(struct live *l);
/* Of what has come true, by what is known of it: of two, the worse is the larger. false = that
 * is not known yet. */
bool live_worth(struct live *l, int64_t *worth);
/* From now on the trigger may come true again, for another transfer. path: of the snapshot that
 * was kept of this one, about which sentences are written; NULL = none was. */
void live_again(struct live *l, const char *path);
/* Which rule; NULL = none. After live_end(), or while one has come true. */
const char *live_rule(const struct live *l);

/* The recording has ended: everything that was put is shown, the terminal is as it was.
 * What goes wrong with the view alone is told when it does, and does not touch the
 * recording. NULL is fine. */
void live_end(struct live *l);
void live_free(struct live *l);

#endif
