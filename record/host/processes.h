/* SPDX-License-Identifier: GPL-2.0-only */
/* Processes that run, by number or name. */
#ifndef DMA_PROCESSES_H
#define DMA_PROCESSES_H

#include <stddef.h>
#include <sys/types.h>

struct err;

/* Appends to a malloc'ed list, without doubles, what "1234,readout" says: numbers, and every
 * process whose program or command name (comm, 15 characters) is the word; this process is
 * none. ERR_USAGE for an empty word, ERR_NOTFOUND when a word names no process. */
int processes_find(const char *words, pid_t **pid, size_t *n, struct err *e);

/* "1234 (readout), 1240 (readout)"; "" without memory or processes. malloc'ed or NULL. */
char *processes_text(const pid_t *pid, size_t n);

#endif
