/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Starts joined to completions that share no key. Pure and streaming: samples go in, in
 * order of time as far as the recorder could tell; transfers and strays come out as soon
 * as they are decided. Memory is bounded by what is in flight. No file, no database, no
 * clock.
 *
 * Within one channel transfers end in the order of their start. An interrupt may end one
 * (`one`), all begun before it (`drain`), or be the `first` or `last` of several for one.
 * The exit of the wait bounds the end from above, so the assignment of a window of
 * transfers to its interrupts is chosen at once: least total misfit, with a price for a
 * missing and for a stray interrupt. Where two assignments are equally good the transfers
 * concerned are STATE_UNKNOWN, not guessed.
 *
 * Conservation: every submit becomes exactly one transfer; every interrupt of a
 * completing vector ends transfers or is a stray; every wait belongs to transfers or is a
 * stray. join_finish() checks it and fails loudly if it does not hold.
 */
#ifndef DMA_JOIN_H
#define DMA_JOIN_H

#include "lib/use/transfer.h"

struct err;

struct join;
int join_new(struct join **j, const struct join_options *o, const struct join_sink *sink,
	     struct err *e);
void join_free(struct join *j);
int join_push(struct join *j, const struct sample *s, struct err *e);
/* Samples were lost on this CPU (-1 = any) in [from, to] (DMA_UNKNOWN: from the beginning
 * / to the end). May be pushed at any time before the samples after its end. */
int join_loss(struct join *j, int32_t cpu, int64_t from_ns, int64_t to_ns, struct err *e);
/* End of the recording: decide everything, check conservation. */
int join_finish(struct join *j, struct join_totals *totals, struct err *e);

#endif
