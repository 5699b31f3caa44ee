/* SPDX-License-Identifier: GPL-2.0-only */
/* What learning begins with, and what it is checked by: of the events of g that are in
 * its queue, and the model g->m. */
#ifndef DMA_JOIN_LEARN_H
#define DMA_JOIN_LEARN_H

#include "lib/join/join_priv.h"

#define ODD 0.3 /* transfers and interrupts that do not fit, at least */

/* Interrupts, and transfers that ended. */
struct count {
	size_t irqs, ends;
};
struct count begin_count(const struct group *g);

/* Readings, into a model that is empty; false: it cannot be read that way.
 *
 * A program that polls the card may see the end before the interrupt is handled, and have
 * begun the next transfer by then: each interrupt is that of the transfer that ended last
 * and has none yet, else of the next to end. */
bool begin_behind_the_end(struct group *g);
/* The k-th interrupt is that of the k-th transfer; where that cannot be, each is that of
 * the oldest that has none and has not ended long ago. */
bool begin_in_turn(struct group *g);
/* Can it be the k-th, with none missing and none a stray? */
bool begin_fits_in_turn(struct group *g);

/* Where a program sleeps until its interrupt, it wakes as much later as that comes later;
 * where it does not, its end does not move with the interrupt that lies in it, which is
 * another's. 1: it does, or interrupts lie where they would; -1: it does not; 0: that is
 * not clear. */
int check_follows(const struct group *g);
/* As many interrupts as transfers in a queue (or one that was merged), and yet one seems
 * to be missing, or, where the k-th can be that of the k-th (even), to have ended two, and
 * another a stray: all between the two may be shifted by one, and
 * nothing have gone wrong. */
bool check_shifted(const struct group *g, bool even);
/* The larger a transfer, the longer the card takes, and not the program to wake. If the
 * time behind the interrupt grows, or that before it with the size of a neighbour, it is
 * not its own. */
bool check_grows_elsewhere(const struct group *g);

#endif
