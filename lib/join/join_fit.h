/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What one step of a hypothesis weighs: densities, 1/ns, and probabilities. Those of an
 * interrupt are weighed by a time that is typical of the group, model.scale_ns, and those
 * of a wait by the best that explains it, jtransfer.scale, so that what is not asked yet
 * stands beside what is.
 */
#ifndef DMA_JOIN_FIT_H
#define DMA_JOIN_FIT_H

#include "lib/join/join_trellis.h"

/* Clocks of two CPUs may differ: an interrupt may seem to come so much before its
 * transfer. */
enum { SKEW_NS = 1000 };

static inline struct jtransfer *pend_of(const struct group *g, uint64_t p)
{
	return channel_at(g->slot[p >> PEND_SLOT], p & PEND_INDEX);
}

static inline bool visible(const struct jtransfer *x, const struct jirq *q)
{
	return x && x->begin_ns - SKEW_NS <= q->time_ns;
}

/* That a transfer has none, or a late one. */
float fit_any(const struct model *m);
/* That the interrupt comes, and before the program wakes. */
float fit_in_time(const struct model *m, const struct jtransfer *x, const struct jirq *q);
/* When does the program wake where no interrupt tells the end? As long after the start as
 * ever, or as soon as it asks. Where that is usual, as long as ever after the card turned
 * to it, as far as the program saw that. */
float fit_unseen(const struct model *m, const struct jtransfer *x);
/* How likely it is the turn of the card to it that says when its program woke, and not
 * that it asked, where no interrupt does. */
float fit_turn_share(const struct model *m, const struct jtransfer *x);
/* Does the time of its wait say anything of when it ended? */
bool fit_shows_end(const struct jtransfer *x);
/* The program saw the end of x as it did, if q told of it; latches what x is weighed
 * by. */
float fit_notice(const struct group *g, struct jtransfer *x, const struct jirq *q);
/* What the card did up to the end of transfer `last`, if the ends before it were as in
 * n. */
struct work work_of(const struct node *n, const struct channel *c, uint64_t last);
/* A card turns to a transfer when it has ended the one before; but none can be younger
 * than any was. */
float fit_device(const struct model *m, const struct node *parent,
		 const struct jtransfer *last, const struct jirq *q);
/* The price of passing x without an interrupt. */
float fit_passed(const struct group *g, const struct node *n, struct jtransfer *x);
/* It ends k, of `all` that had begun. */
float fit_size(const struct model *m, size_t k, size_t all);
/* Several interrupts for one transfer: is q the one that the rule says? Only asked where
 * no other transfer of the channel is in flight. */
float fit_rule(const struct group *g, const struct jtransfer *x, const struct jirq *q,
	       size_t vector);
/* How likely one that is late is so late. Far beyond all that were seen it fades, unless
 * y, whose interrupt it is too, waited oddly long for it: then handlers stood still. */
float fit_so_late(const struct model *m, const struct jtransfer *x,
		  const struct jtransfer *y, const struct jirq *q);
/* How likely a late interrupt is that of this pending one, but for its size. */
float fit_late(const struct group *g, const struct jtransfer *x, const struct jirq *q,
	       size_t vector);
/* Likewise where it has ended others of another channel. */
float fit_late_again(const struct group *g, const struct node *n,
		     const struct jtransfer *x, const struct jirq *q, size_t vector);
/* How well q suits the next transfer to end as its own, and the one that ended last, as
 * the one that came late, 1/ns. */
float fit_next_end(const struct group *g, const struct jirq *q, size_t vector);
float fit_last_end(const struct group *g, const struct jirq *q,
		   const struct jtransfer *x);
/* What it weighs that an interrupt ended nothing. */
float fit_stray(const struct group *g, const struct node *n, const struct jirq *q);

#endif
