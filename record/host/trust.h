/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who may change a file, by the owners and modes of the file and of every directory above
 * it. What root reads for a user's sake comes only from where root and that user write.
 */
#ifndef DMA_TRUST_H
#define DMA_TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct err;

/* May only root and `uid` write to path, links resolved? A group counts as its user when
 * it is the user's own (the same name, no other member); directories with the sticky bit
 * protect what lies in them. On false the error (may be NULL) names what others can
 * change, and who. */
bool trust_path(const char *path, uid_t uid, struct err *e);

/* Open a file of /proc or /sys (and what is mounted there) for reading, never a process's
 * own (/proc/PID) and never through a link that leaves. The descriptor, or negative. */
int trust_open_kernel_file(const char *path, struct err *e);

#endif
