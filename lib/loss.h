/* SPDX-License-Identifier: GPL-2.0-only */
/* Windows of time in which samples are known to be missing, kept apart and in order. */
#ifndef DMA_LOSS_H
#define DMA_LOSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Both ends belong to it; INT64_MIN and INT64_MAX where it has none. */
struct loss_window {
	int64_t from_ns, to_ns;
};

/* Zeroed: none. */
struct loss_windows {
	struct loss_window *at; /* malloc'ed, the owner frees it */
	size_t n;
};

/* Windows that meet become one; one that ends before it begins is its beginning. 0, or
 * ERR_NOMEM, and then nothing has changed. */
int loss_windows_add(struct loss_windows *l, int64_t from_ns, int64_t to_ns);
/* The first that ends at from_ns or later; l->n = none. */
size_t loss_windows_from(const struct loss_windows *l, int64_t from_ns);
/* Does one lie, in part, between from_ns and to_ns? */
bool loss_windows_touch(const struct loss_windows *l, int64_t from_ns, int64_t to_ns);

#endif
