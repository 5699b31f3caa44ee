/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the program does beside its transfers that costs it, or endangers them: time within
 * waits, polls that found nothing, and starts that overlap. From the samples alone, in order
 * of time.
 *
 * Starts of one card overlap when a second thread enters a start function while a first one
 * has not reached its store (where the store is probed, else its exit). A library that
 * changes a shared register in between without a lock may then undo the other's bit
 * (field.md 1.6). That they overlap does not say that it has no lock: one may wait for the
 * other.
 */
#ifndef ANALYZE_AUDIT_H
#define ANALYZE_AUDIT_H

#include "lib/dma.h"

struct audit;

struct audit_totals {
	int64_t waits, in_wait_ns;   /* calls that were seen to return, and their time */
	int64_t pending, pending_ns; /* of those, that said "not yet" */
	int64_t starts, overlapping; /* of those, that began within another thread's */
};

/* NULL = no memory. */
struct audit *audit_new(void);
void audit_free(struct audit *a);
/* Negative = no memory. */
int audit_push(struct audit *a, const struct sample *s);
struct audit_totals audit_result(const struct audit *a);

#endif
