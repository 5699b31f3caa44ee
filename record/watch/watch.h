/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A reader of registers: a thread on a CPU of the card's own node maps what the registers
 * lie in, read-only, and reads them one after the other. Each change of a channel's state
 * is an event of the recording (lib/file/made.h), with the two readings that it lies
 * between. Nothing is ever written, and nothing read but what was named.
 *
 * A reading is a round trip to the card of 0.5 to 1 us, and takes a place on its link: what
 * it costs is measured and told.
 */
#ifndef DMA_WATCH_H
#define DMA_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "record/profile/profile_register.h"

struct err;
struct meta;
struct perfdata_attr;
struct watch;

struct watch_options {
	const char *root; /* of /sys; "" for the running system */
	const struct register_spec *reg;
	size_t n;
	enum watch_mode mode;
	int64_t every_ns;
	int cpu;   /* -1 = chosen here */
	bool fifo; /* SCHED_FIFO */
	int clockid;
	uid_t user; /* whose files may be read in place of a BAR, beside anybody's */
	pid_t workload;
	/* WATCH_IN_FLIGHT: a number that grows when transfers are started. Called by the
	 * watcher's thread. */
	uint64_t (*started)(void *arg);
	void *arg;
};

/* Maps everything, and makes the thread, which waits. first: how many events of dmarec's
 * own there are before. A sentence for what is refused: no such card or BAR, an offset
 * beyond it, no rights, a kernel that is locked down, a card that answers all ones. On
 * failure nothing stays mapped and no thread is left. */
int watch_open(struct watch **w, const struct watch_options *o, size_t first,
	       struct err *e);
void watch_close(struct watch *w); /* NULL is fine */

/* Of a CPU that is the workload's too; NULL = it has none of those. */
const char *watch_warning(const struct watch *w);

/* Its events, in the order of the registers. The attribute's ids belong to w. */
size_t watch_events(const struct watch *w);
void watch_attr(const struct watch *w, size_t i, struct perfdata_attr *attr);
const char *watch_format(const struct watch *w, size_t i); /* for the tracing data */
/* The events' entries at the end of m's, and the registers'. */
int watch_tell(const struct watch *w, struct meta *m, struct err *e);

void watch_start(struct watch *w);
/* From time to time: has the card lost its driver, has the thread ended? *why: as soon as
 * it is known, and once, why the watch is over before the recording; else NULL. */
void watch_look(struct watch *w, const char **why);
/* The samples that there are, as whole records. */
int watch_drain(struct watch *w,
		int (*put)(void *arg, const void *buf, size_t len, struct err *e),
		void *arg, struct err *e);
void watch_stop(struct watch *w); /* then watch_drain() for the last time */

/* After the stop. */
uint64_t watch_counted(const struct watch *w, size_t i);
void watch_finish(const struct watch *w, struct meta *m); /* the registers' second half */
/* "read 1.2 M times, 812 ns each ..., changes known to 2.1 us": for a person; malloc'ed */
char *watch_cost(const struct watch *w, size_t i);

/* Which card the registers without one mean: the one that is named, else the only one that
 * has the ids of the profile. root as above. */
struct profile;
int watch_find_card(struct register_spec *reg, size_t n, const char *root,
		    const struct profile *p, const char *named, struct err *e);

#endif
