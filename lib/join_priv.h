/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the joiner share: transfers in a channel's window, and how a window
 * is decided. */
#ifndef DMA_JOIN_PRIV_H
#define DMA_JOIN_PRIV_H

#include "join.h"

struct jirq {
	int64_t time_ns, seq;
	int32_t irq, cpu;
};

struct jtransfer {
	struct transfer t;
	bool ended;   /* the program has seen its end, or it can have none */
	void *opener; /* the thread whose start call it is */
	bool decided; /* the state is known without an interrupt: failed, aborted,
			 circular */
};

/* A channel's window: transfers in order of submit and interrupts in order of time. */
struct jwindow {
	struct jtransfer **tr;
	size_t ntr, atr;
	struct jirq *irq;
	size_t nirq, airq;
};

/* Sets irq_ns and its like and `state` of tr[0..n) from irq[0..m); used[j] = transfers
 * that interrupt j ended. Least total misfit; a transfer whose best choice is not clearly
 * better than its second becomes unknown. Negative on lack of memory. */
int join_assign(const struct jwindow *w, size_t n, size_t m, enum pairing p, bool last,
		uint32_t *used);

#endif
