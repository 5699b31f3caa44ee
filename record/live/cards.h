/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where processes come and go, each one's cards are its own: two processes may use channel 0 of
 * what goes by one number and is a queue of each, and no wait of the one ends what the other has
 * started. The joiner knows them by numbers that are given here.
 */
#ifndef DMA_RECORD_LIVE_CARDS_H
#define DMA_RECORD_LIVE_CARDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/dma.h"

struct err;
struct names;

struct process_cards {
	struct process_card {
		int32_t pid;
		int64_t card; /* the sample's; may be DMA_UNKNOWN */
		bool began;   /* the process did, while it was recorded */
	} * v;
	size_t n, recent;
};

void process_cards_release(struct process_cards *c);

/* The sample's card becomes the number of its process's. That of a wait that names none, of a
 * process whose starts name one, stays unknown. */
int process_cards_take(struct process_cards *c, const struct names *names,
		       struct sample *s, struct err *e);
/* Whose it is; NULL = not known. */
const struct process_card *process_cards_of(const struct process_cards *c,
					    int64_t number);

#endif
