/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Small files below a root: what /proc and /sys say, or a fixture of them. A file that is
 * missing is no error but an unknown (NULL, false).
 */
#ifndef DMA_ROOTFS_H
#define DMA_ROOTFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* Whole file as malloc'ed text with a NUL behind it; at most max bytes (a larger file
 * fails with ERR_LIMIT). *len may be NULL. */
int rootfs_read(const char *root, const char *path, size_t max, char **text, size_t *len,
		struct err *e);

/* First line without the newline, malloc'ed; NULL = not there, empty, or unreadable. */
char *rootfs_line(const char *root, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* First line as a number (0x for hexadecimal). */
bool rootfs_number(const char *root, int64_t *out, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Last component of where a symbolic link points, malloc'ed; NULL = no link. */
char *rootfs_link(const char *root, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Names in a directory without those that begin with '.', sorted by strverscmp;
 * malloc'ed. A missing directory gives n = 0. */
int rootfs_names(const char *root, const char *path, char ***names, size_t *n,
		 struct err *e);
void rootfs_names_free(char **names, size_t n);

#endif
