/* SPDX-License-Identifier: GPL-2.0-only */
/* Doubts of a transfer whose candidates are all known, beside their probabilities. */
#ifndef DMA_JOIN_DOUBT_H
#define DMA_JOIN_DOUBT_H

#include "lib/join/join_priv.h"

/* How much may speak against what is called certain, 0..1. */
float doubt_open(const struct group *g);
/* The share of hypotheses in which an interrupt is its. */
float doubt_with_one(const struct jtransfer *x);
/* Threads that start at once: the card may have taken x behind those that entered the start
 * call later and ended with it, by q. Then the next interrupt may be its, if the program
 * saw its end behind that one only, as soon as it does: that one, or NULL. */
struct jirq *doubt_behind(const struct jtransfer *x, const struct jirq *q);
/* May q, which lies in x, be that of the one before? */
bool doubt_others(const struct jtransfer *x, const struct jirq *q);
/* Had it none for certain, if the hypotheses say so? */
bool doubt_none(const struct jtransfer *x);
/* x seems to have none: how much likelier is what came behind it if the handler stood
 * still, or the card kept its interrupt back, until the next one was its, too? */
float doubt_likelier(const struct jtransfer *x);
/* Why it is unknown. */
const char *doubt_reason(const struct jtransfer *x);

#endif
