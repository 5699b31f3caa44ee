/* SPDX-License-Identifier: GPL-2.0-only */
/* One interval of the live view as text of a given size, or as a line of JSON. Pure: what
 * is not in the frame is not shown. */
#ifndef DMA_RECORD_LIVE_SHOW_H
#define DMA_RECORD_LIVE_SHOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/dma.h"

struct process_cards;
struct follow;
struct meta;
struct row;
struct tally;

/* Of the line's own format; a key is added without a new number. */
enum { LIVE_JSON_FORMAT = 1 };

struct frame {
	uint64_t number; /* 1, 2, ... */
	/* The stretch of the recording that was decided in it, on its clock. DMA_UNKNOWN =
	 * nothing came yet. */
	int64_t from_ns, to_ns, begin_ns;
	int64_t behind_ns;	/* of the recorder; 0 = it keeps pace */
	uint64_t skipped_bytes; /* since the start: left out of the view */
	size_t unseen_files;	/* that appeared later, and are not shown: no memory */
	const struct tally *tally;
	const struct process_cards
		*cards; /* of processes; NULL = cards are whose they are */
	const struct follow *follow;
	const struct meta *meta;
	bool last;
	const char *triggered; /* the rule that has come true; NULL = none */
};

void frame_json(const struct frame *f, FILE *out);

/* In at most `lines` lines of `width` columns; colour by escape sequences. */
void frame_table(const struct frame *f, int width, int lines, bool color, FILE *out);

/* The vector that ends a row's transfers, as "irq 37 virtio1-req.0"; "" = none, or not
 * decided yet. */
const char *frame_vector(const struct frame *f, const struct row *r, char *buf,
			 size_t size);

#endif
