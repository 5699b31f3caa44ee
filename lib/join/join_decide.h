/* SPDX-License-Identifier: GPL-2.0-only */
/* What becomes of a transfer and of an interrupt, from the probabilities gathered. */
#ifndef DMA_JOIN_DECIDE_H
#define DMA_JOIN_DECIDE_H

#include "lib/join/join_priv.h"

/* x may have been ended by q, with probability p more than is known so far; held: q came
 * late, and told of the end of another too. */
void decide_candidate(struct jtransfer *x, struct jirq *q, float p, bool held);
/* q ended x, after so much work, with probability p. */
void decide_device(struct group *g, const struct jirq *q, struct jtransfer *x,
		   const struct work *w, float p);
/* All candidates are known. While the group learns, only its model changes. */
int decide(struct group *g, struct jtransfer *x, struct err *e);
/* q is counted as used or handed out as a stray, once no transfer can be its any more. */
int decide_irq(struct group *g, struct jirq *q, struct err *e);
/* After a pass; old: how much of what it counted for before stays, beside what it counted
 * for in this one, 0 to 1. */
void decide_undo(struct jtransfer *x, float old);

#endif
