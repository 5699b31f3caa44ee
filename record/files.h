/* SPDX-License-Identifier: GPL-2.0-only */
/* In which files functions are looked for: the command's, those that a process has mapped, and
 * those that were named. What was found rather than named is taken only where nobody else can
 * write it. */
#ifndef DMA_FILES_H
#define DMA_FILES_H

#include <stddef.h>
#include <sys/types.h>

struct err;
struct options;

/* malloc'ed paths, without doubles, the command itself first; n 0 on failure means that there
 * is no such command. */
int files_find(const struct options *o, char ***files, size_t *n, struct err *e);

/* Adds those of the list, which the process has mapped, that are to be trusted; more is taken. */
int files_take(const struct options *o, pid_t pid, char **more, size_t nmore,
	       char ***files, size_t *n, struct err *e);

/* Where /proc shows the process's files: a thread of it that lives. */
pid_t files_task_of(pid_t pid);

#endif
