/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The file that a running process has mapped is not always the one at its path: a library
 * is replaced on disk while the process runs, the process has another mount namespace, or
 * a file system (overlay, btrfs) numbers devices differently in /proc/PID/maps and in
 * stat(2). What counts is the inode behind /proc/PID/map_files.
 */
#ifndef DMA_MAPPED_H
#define DMA_MAPPED_H

#include <sys/stat.h>

struct err;

struct mapped {
	char *path; /* that reaches the mapped file; NULL = no file with code */
	struct stat st;
	/* A sentence, where the path is not the one that the process opened, or when the
	 * file cannot be reached; NULL = nothing to tell. */
	char *told;
};

/* One line of /proc/PID/maps. root: before every path, "" on the running system. */
int mapped_find(struct mapped *m, const char *root, int pid, const char *line,
		struct err *e);
void mapped_release(struct mapped *m);

#endif
