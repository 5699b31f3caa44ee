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

#include "lib/join/join.h"

struct err;
struct follow;
struct tail;

/* Beyond so many samples the oldest are forgotten, and with them their transfers. */
enum { TAIL_MOST = 1 << 17 };

struct tail *tail_new(void); /* NULL = no memory */
void tail_free(struct tail *t);

int tail_push(struct tail *t, const struct sample *s, struct err *e);
/* What the joiner has decided uses its samples up. */
void tail_transfer(struct tail *t, const struct transfer *x);
void tail_stray(struct tail *t, const struct stray *x);

/* Hands every transfer that is not decided to sink->transfer, as it looks now. Nothing
 * before f has decided which vectors end transfers. */
int tail_preview(struct tail *t, const struct follow *f, const struct join_sink *sink,
		 struct err *e);

#endif
