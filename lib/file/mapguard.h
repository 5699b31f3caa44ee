/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A mapped file that somebody cuts: touching what is gone is SIGBUS. The handler puts a
 * page of zeros there and notes it, so that the reader goes on and says what happened. A
 * SIGBUS elsewhere ends the program as before. Guards are added and removed by one thread;
 * the map may be read by others.
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
	volatile sig_atomic_t cut;
	struct mapguard *next;
};

void mapguard_add(struct mapguard *g, const void *map, size_t size);
void mapguard_remove(struct mapguard *g); /* before munmap */

/* Was anything beyond the file's end touched? */
static inline bool mapguard_cut(const struct mapguard *g)
{
	return g->cut;
}

#endif
