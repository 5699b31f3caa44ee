/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The threads of a process that is attached to. Threads begin and end while events are being
 * opened, one event after another: one that ends then must not fail the recording, and one
 * that begins then inherits the events that its parent had at that moment, perhaps the start's
 * and not the wait's. When such threads are left in spite of several openings, only those are
 * trusted that all events were opened for, and what they beget from then on, by the kernel's
 * records of it.
 */
#ifndef DMA_THREADS_H
#define DMA_THREADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct session;
struct session_options;

struct threads {
	bool strict; /* some may have half of their events: see threads_trusts() */
	/* its own: open addressing, a power of two of slots; 0 = free, -1 = taken out */
	pid_t *slot;
	size_t nslot, used;
};

/* Processes. */
struct pids {
	const pid_t *pid;
	size_t n;
};

/* Opens *s for the threads of these as they are (with o's everyone for all, none of whom has half
 * of the events). o's pid and npid are filled in, and no longer
 * valid afterwards. On failure nothing stays open. */
int threads_open(struct threads *t, struct session **s, struct pids pid,
		 struct session_options *o, struct err *e);
void threads_release(struct threads *t);
/* How many are there now that are not trusted? 0 when not strict, or when it is over. */
size_t threads_untrusted(const struct threads *t, struct pids pid);

/* The process's first thread, or, where that has ended, another one that has not: what /proc
 * says of the process is then found there. 0 = all have ended. */
pid_t threads_living(pid_t pid);

/* Are all events of the thread there? Only to be asked when strict. */
bool threads_trusts(const struct threads *t, pid_t tid);
/* A thread began, by the kernel's record. 1 = it is trusted, as its parent is; 0 = not; -1 =
 * no memory. */
int threads_begun(struct threads *t, pid_t tid, pid_t parent);

#endif
