/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The joiner decides a transfer when it has seen what came behind it: about a hundred
 * transfers, which may be a second or, where one is started a minute, hours. Here the
 * samples of those that are not decided yet are kept, without those that decided transfers
 * and strays have used, so that at any moment a joiner of its own can say what they look
 * like as far as it can be told now. What it says is a preview: the decision may differ.
 */
#ifndef DMA_FLOW_TAIL_H
#define DMA_FLOW_TAIL_H

#include <stddef.h>
#include <stdint.h>

#include "lib/use/transfer.h"

struct err;
struct tail;

/* Beyond so many samples the oldest are forgotten, and with them their transfers. */
enum { TAIL_MOST = 1 << 17 };

struct tail *tail_new(void); /* NULL = no memory */
void tail_free(struct tail *t);

int tail_push(struct tail *t, const struct sample *s, struct err *e);
/* What the joiner has decided uses its samples up. */
void tail_transfer(struct tail *t, const struct transfer *x);
void tail_stray(struct tail *t, const struct stray *x);

/* All that is kept, in order: what a joiner needs that goes on in place of another. */
int tail_each(struct tail *t,
	      int (*take)(void *arg, const struct sample *s, struct err *e), void *arg,
	      struct err *e);
/* Of the oldest; DMA_UNKNOWN = nothing is kept. */
int64_t tail_from_ns(struct tail *t);

#endif
