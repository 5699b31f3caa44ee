/* SPDX-License-Identifier: GPL-2.0-only */
/* What processes are called, by the kernel's records of it, else, while they run, by /proc; and
 * which began while it was recorded. */
#ifndef DMA_RECORD_LIVE_NAMES_H
#define DMA_RECORD_LIVE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct names;
struct tally;

struct names *names_new(void); /* NULL = no memory */
void names_free(struct names *n);

/* Whole records of a ring. */
void names_see(struct names *n, const void *buf, size_t len);
/* Every row of a process gets the name that it has by now, or had last. */
void names_tell(const struct names *n, struct tally *t);

/* Lately enough that it is remembered. */
bool names_began(const struct names *n, int32_t pid);

/* Nobody has this number now. */
bool names_ended(int32_t pid);

#endif
