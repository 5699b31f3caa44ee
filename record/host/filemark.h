/* SPDX-License-Identifier: GPL-2.0-only */
/* Is a file still the one that it was? By what the file system says of it, not by its
 * bytes. */
#ifndef DMA_FILEMARK_H
#define DMA_FILEMARK_H

#include <stdbool.h>
#include <stdint.h>

struct filemark {
	uint64_t device, inode; /* inode 0 = there was none */
	int64_t size_bytes, changed_ns;
	/* Of a path through another process (/proc/PID/root), to look it up there when the right
	 * to go through that process has been given up; else -1. */
	int dir;
};

void filemark_take(struct filemark *m, const char *path);
/* What may not be looked at is taken for the same. */
bool filemark_same(const struct filemark *m, const char *path);
void filemark_release(struct filemark *m);

#endif
