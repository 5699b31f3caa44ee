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
};

void filemark_take(struct filemark *m, const char *path);
bool filemark_same(const struct filemark *m, const char *path);

#endif
