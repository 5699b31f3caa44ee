/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * After a trigger: which transfer it was about, what each phase took against its usual, and
 * what else was seen meanwhile, in sentences. Remembers the last transfers and interrupts
 * for that; pure but for its memory.
 */
#ifndef DMA_RECORD_LIVE_STORY_H
#define DMA_RECORD_LIVE_STORY_H

#include <stdio.h>

#include "lib/dma.h"
#include "lib/use/transfer.h"

struct err;
struct meta;
struct story;
struct tally;
struct trigger;

/* Of these the last ones are remembered; a story says when they do not reach back. */
enum { STORY_TRANSFERS = 16384, STORY_INTERRUPTS = 65536 };

struct story *story_new(void); /* NULL = no memory */
void story_free(struct story *s);

void story_transfer(struct story *s, const struct transfer *t);
void story_sample(struct story *s, const struct sample *x);

/* to_ns: up to then it was recorded; snapshot: that file was written, and the recording goes on.
 * NULL = it has ended. In paragraphs of so many columns. */
void story_write(const struct story *s, const struct trigger *t, const struct tally *y,
		 const struct meta *m, int64_t to_ns, const char *snapshot, int width,
		 FILE *out);

#endif
