/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the registers that were watched say of the transfers, after the join. The joiner
 * has given each transfer its interrupt without knowing of registers, so that the two
 * are witnesses of their own: where they disagree that is a result, and is kept.
 *
 * A channel's bit is seen to clear between two readings. The transfers of a channel cut the
 * time into windows, from each one's doorbell to the next one's; a clear belongs to the
 * transfer in whose window both of its readings lie. That is certain only where it is the
 * only one there. A window without any is `unseen` (the card was faster than the readings,
 * or several transfers ran into each other), one with several, or with one that may be the
 * next one's, is `unclear`; neither has a time.
 *
 * transfer.witness: after    cleared, then the interrupt, or both within the readings
 *                   before   the interrupt came before the first reading that it may have
 *                            cleared after
 *                   alone    cleared, and it had no interrupt
 *                   unpaired cleared; which interrupt is its own, if any, is not known
 *                   unseen, unclear
 *                   NULL     no register tells of its channel, or it has no end
 */
#ifndef ANALYZE_WITNESS_H
#define ANALYZE_WITNESS_H

#include <stdint.h>

struct db;
struct derive;
struct err;

/* Fills cleared_ns, cleared_error_ns, card_ns, delivery_ns, witness, and notice_ns of what
 * has no interrupt, of the run's transfers; adds the durations to d. Nothing is done
 * where no register was watched. */
int witness_run(struct db *db, int64_t run, struct derive *d, struct err *e);

#endif
