/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All processes that use the library (--top): in which files its functions are looked for. Those
 * that a process has mapped by now, and that the profile names or that hold words of its
 * functions; without a profile those that any shipped one names, and the default functions.
 */
#ifndef DMA_TOP_H
#define DMA_TOP_H

#include <stddef.h>

struct err;
struct options;

/* Adds them to the list, and the processes to o's; says what it could not look into. */
int top_files(struct options *o, char ***files, size_t *n, struct err *e);

#endif
