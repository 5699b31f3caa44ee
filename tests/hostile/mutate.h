/* SPDX-License-Identifier: GPL-2.0-only */
/* Damage to the bytes of a file, always the same for one number. */
#ifndef DMA_HOSTILE_MUTATE_H
#define DMA_HOSTILE_MUTATE_H

#include <stddef.h>
#include <stdint.h>

enum { MAX_SEED = 1 << 20 };

struct bytes {
	uint8_t *at; /* MAX_SEED of them; the caller's */
	size_t n;
};

struct luck {
	uint64_t state;
};

/* That of mutant number i of a kind. */
struct luck luck_of(const char *kind, uint64_t i);
/* Below `below`; 0 for 0. */
uint64_t luck_draw(struct luck *l, uint64_t below);

/* One to six damages: bits, numbers where fields lie, blocks that go, come again or change
 * places, an end that is cut. */
void mutate(struct bytes *b, struct luck *l);

/* Ends the process with status 2 where that fails. */
void bytes_read(struct bytes *b, const char *path);
void bytes_write(const struct bytes *b, const char *path);

#endif
