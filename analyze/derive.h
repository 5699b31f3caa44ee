/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The derived tables that count transfers: summary, quantile, histogram, state_count,
 * throughput, fit. One pass; memory grows with the number of channels only.
 *
 * `excluded` of a phase: transfers that have such a duration which is not known. Those
 * that have none are not among them: device and notice of a transfer without interrupt
 * (polled, no_interrupt), and everything but api of an aborted or a circular one.
 *
 * `error_ns`, what the probes themselves add to a phase on that host: a bias to one side,
 * no interval around the value. A hit stops the thread after its time was taken, so the
 * time from one stamp to the next on a thread holds one hit for each stamp but the last.
 * api: the submit's. device: the doorbell's, which delays the store itself; with an exit
 * for a doorbell none lies between. notice: the wait's entry may fall into it, and the
 * interrupt's own sample does. total: submit, doorbell or exit, wait (and exit too when
 * both are probed); of a function that blocks, the submit's; and the interrupt's sample,
 * where one was recorded between. It is in every duration, so
 * that the least one bounds it: never more than that is said; and nothing (NULL) where
 * there is no duration, or one below 0 shows that the stamps say something else.
 */
#ifndef ANALYZE_DERIVE_H
#define ANALYZE_DERIVE_H

#include <stdint.h>

#include "lib/join/join.h"

struct db;
struct err;
struct derive;

int derive_new(struct derive **d, struct err *e);
void derive_free(struct derive *d);
int derive_add(struct derive *d, const struct transfer *t, struct err *e);
/* A duration that the joiner does not know of (analyze/witness.h), of one that was added;
 * DMA_UNKNOWN = it is left out. */
int derive_add_phase(struct derive *d, const struct transfer *t, enum phase p,
		     int64_t value_ns, struct err *e);

/* Writes the tables of the run. The costs: DMA_UNKNOWN = not measured. */
int derive_write(struct derive *d, struct db *db, int64_t run, int64_t probe_cost_ns,
		 int64_t irq_cost_ns, struct err *e);

/* After the transfers: what `latency` means, and what the doorbells were. */
enum phase derive_latency(const struct derive *d);
const char *derive_doorbell(const struct derive *d); /* "store", "exit", "none" */

#endif
