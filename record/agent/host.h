/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The recorder's side of the agent: its files, the trial, the rings. Whatever lies in the
 * rings was written by the workload, and is checked before it is used.
 */
#ifndef DMA_AGENT_HOST_H
#define DMA_AGENT_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "record/agent/layout.h"

struct err;
struct agent_host;

/* Makes the agent's files in a directory of their own, and removes those of recorders
 * that are gone. library: the agent's own file as bytes. ring_bytes: of each thread; 0 =
 * 8 MiB. On failure *h is NULL. */
int agent_host_open(struct agent_host **h, const void *library, size_t library_len,
		    size_t ring_bytes, int clockid, struct err *e);
void agent_host_close(struct agent_host *h); /* NULL is fine; the files are removed */

/* Where the library lies: for LD_PRELOAD. */
const char *agent_host_library(const struct agent_host *h);

/* The index of a file in the plan; added when it is new. */
int agent_host_file(struct agent_host *h, const char *path, uint32_t *file,
		    struct err *e);
/* Its path; NULL = there is no such file. */
const char *agent_host_path(const struct agent_host *h, uint32_t file);
/* Adds a place (its file and kind are set); *index is its number in the rings. */
int agent_host_add(struct agent_host *h, const struct agent_place *p, uint32_t *index,
		   struct err *e);
/* For emulators without a vDSO. */
void agent_host_slow_clock(struct agent_host *h);
/* The plan as it stands, for programs that begin from now on. */
int agent_host_write(struct agent_host *h, bool trial, bool hooked_exec, struct err *e);

/* Runs the command up to where the loader is about to start it. ERR_UNSUPPORTED with a
 * sentence: the agent did not come to life there. Reports tell of the files; what a hit
 * and reading the clock took, in hundredths of a nanosecond. */
int agent_host_trial(struct agent_host *h, char *const *argv, int64_t *hit,
		     int64_t *clock, struct err *e);

/* What the agents have told, in order: 1 = *r filled, 0 = no more for now. *at begins at
 * 0. */
int agent_host_report(const struct agent_host *h, uint32_t *at, struct agent_report *r);
const char *agent_verdict_text(const struct agent_report *r, char buf[128]);
/* Forgets reports, hits and counts so far: after the trial. */
void agent_host_reset(struct agent_host *h);

/* ---- recording ---- */

struct agent_hit {
	uint32_t place;
	int32_t cpu, pid, tid;
	int64_t time_ns;
	uint64_t ip;
	const uint8_t *args; /* AGENT_SLOT_ARGS bytes */
};

/* Not before the workload has been forked: it makes a thread. */
int agent_host_enable(struct agent_host *h, struct err *e);
void agent_host_disable(struct agent_host *h);
/* Readable when a ring wants to be read; agent_host_drain() empties it. */
int agent_host_fd(const struct agent_host *h);
/* Hands out what the rings hold. *whole: nothing that was begun before is still open, so
 * that what comes later is later than this call. */
int agent_host_drain(struct agent_host *h,
		     int (*put)(void *arg, const struct agent_hit *hit, struct err *e),
		     void *arg, bool *whole, struct err *e);
/* The last time, after agent_host_disable(): waits for hits that are under way. */
int agent_host_finish(struct agent_host *h,
		      int (*put)(void *arg, const struct agent_hit *hit, struct err *e),
		      void *arg, struct err *e);
/* Of one place: hits that the agents counted, and of those what found no room or never
 * came to its end. */
void agent_host_count(const struct agent_host *h, uint32_t index, uint64_t *counted,
		      uint64_t *lost);
/* AGENT_RINGLESS_* of layout.h: what kept processes from having rings. */
uint32_t agent_host_ringless(const struct agent_host *h);
/* Slots whose contents were impossible. */
uint64_t agent_host_damaged(const struct agent_host *h);

#endif
