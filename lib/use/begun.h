/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Was something in flight when the recording began? A program that was attached to, or a
 * recording that was cut, begins in the middle: waits then end transfers that were never
 * seen to start, and those seen look ended too early, each by its forerunners' waits and
 * interrupts - in a queue to the last one, with nothing odd about any of them.
 *
 * What shows it: a call whose entry was not recorded, a wait that returns before its
 * channel's first start, or several that are left over in the end. How far it reaches:
 * waits in excess of starts so far are for transfers from before, and where the excess
 * grows for the last time the channel is empty; from there on the order is certain. A
 * program that waits and starts in turn may keep several in flight all the time and never
 * show an excess. Then its pauses tell: behind one that is as long as a transfer, one of
 * a queue has ended already and the wait returns at once; one that was only then started
 * takes as long as ever. Without such pauses: of a queue a transfer is seen to take less by
 * what the pause before it was longer. Where neither tells, it is not known.
 *
 * Pure, O(1) a sample.
 */
#ifndef DMA_BEGUN_H
#define DMA_BEGUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/dma.h"

struct begun;
struct begun *begun_new(void); /* NULL = no memory */
void begun_free(struct begun *b);
/* Samples in order of time; -1 = no memory. */
int begun_push(struct begun *b, const struct sample *s);

struct begun_channel {
	int64_t card, channel;
	int64_t until_ns; /* what was started before is uncertain; INT64_MAX = all */
};
/* The channels of which something is uncertain, at most n of them; ended = the program
 * ended by itself before the recording did. */
size_t begun_result(const struct begun *b, bool ended, struct begun_channel *out,
		    size_t n);

#endif
