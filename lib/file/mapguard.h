/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A mapped file that somebody cuts: touching a page that is gone is SIGBUS. The handler puts
 * a page of zeros there and notes it, so that the reader goes on and says what happened. A
 * SIGBUS elsewhere ends the program as before. Behind the new end the last page that is left
 * reads as zeros without any signal: only the file's size tells. Guards are added and removed
 * by one thread; the map may be read by others.
 */
#ifndef DMA_MAPGUARD_H
#define DMA_MAPGUARD_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mapguard {
	const uint8_t *map; /* NULL = nothing is guarded */
	size_t size;
	int fd; /* borrowed, to ask for the file's size; -1 = that is not asked */
	volatile sig_atomic_t touched;
	struct mapguard *next;
};

/* fd: of the file, mapped from its beginning, open as long as the guard; -1 = only pages that
 * are gone are told. */
void mapguard_add(struct mapguard *g, const void *map, size_t size, int fd);
void mapguard_remove(struct mapguard *g); /* before munmap */

/* The same for whatever is mapped until it is removed, by libraries that do not say what they
 * map. For a short while: it also takes what is no file of theirs. */
void mapguard_anywhere(struct mapguard *g);

/* Was a page beyond the file's end touched? Costs nothing. */
static inline bool mapguard_touched(const struct mapguard *g)
{
	return g->touched;
}

/* The same, and is the file shorter than what is mapped of it? To be asked before what was
 * read is taken for the file's. */
bool mapguard_cut(const struct mapguard *g);

#endif
