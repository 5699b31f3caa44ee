/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files with code that the workload maps while it is recorded and that nobody had looked into:
 * libraries opened by a name that no string of the program has, programs that it executes. Their
 * functions have no probes, since what is armed is settled before the start; whether any should
 * have had some is told at the end.
 */
#ifndef DMA_LATE_H
#define DMA_LATE_H

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
void late_mapped(struct late *l, int32_t pid, const char *path);

/* At the end: a sentence for each of them that has functions of the profile, a newline between
 * them; malloc'ed, NULL = none has. uid: whose files are trusted. */
char *late_told(struct late *l, uid_t uid);

#endif
