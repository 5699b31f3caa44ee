/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files with code that the workload maps while it is recorded and that nobody had looked into:
 * libraries opened by a name that no string of the program has, programs that it executes.
 * Those that have functions of the profile are armed then (recording_late.c); what they did
 * before, or all of it where that failed, is told.
 */
#ifndef DMA_LATE_H
#define DMA_LATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct late;
struct profile;

/* searched: the files that were looked into; both must outlive it. */
int late_new(struct late **l, const struct profile *p, char *const *searched, size_t n,
	     struct err *e);
void late_free(struct late *l);

/* The process mapped this file with code. NULL is harmless. */
void late_mapped(struct late *l, int32_t pid, const char *path, int64_t time_ns);

/* When the last file that is new was mapped; `begin` when none was. */
int64_t late_latest_ns(const struct late *l, int64_t begin);

struct late_file {
	const char *path; /* owned by the list, until late_free() */
	int32_t pid;	  /* the first that mapped it ... */
	int64_t time_ns;  /* ... and when */
	size_t index;
};

/* The next file, from that index on, that has words of the profile's functions, and that neither
 * was armed nor given up; false = none now. uid: whose files are trusted. */
bool late_next(struct late *l, uid_t uid, size_t from, struct late_file *f);

/* It is armed: nothing more is told of it. */
void late_armed(struct late *l, size_t index);
/* It could not be armed, for this reason; again: it comes up once more, up to some times.
 * Otherwise what it has is told at the end, with the reason. */
void late_refused(struct late *l, size_t index, const char *why, bool again);

/* Are words of the profile's functions in the first `size` bytes of the file, as its size was
 * found; *cut: there are fewer by now. */
bool late_holds_words(const struct profile *p, int fd, size_t size, bool *cut);

/* At the end: a sentence for each of those with functions of the profile that were not armed,
 * a newline between them; malloc'ed, NULL = there is none. */
char *late_told(struct late *l, uid_t uid);

#endif
