/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Starts that were undone (analyze/undone.h), for the join: from then on the channel does not
 * run, which is what a stop of it is; and what is not certain makes nothing certain.
 */
#ifndef ANALYZE_HAZARD_H
#define ANALYZE_HAZARD_H

#include <stdbool.h>
#include <stddef.h>

#include "analyze/undone.h"

struct db;
struct err;
struct join;
struct transfer;

struct hazard {
	struct undone_start *start; /* in order of at_ns */
	size_t n, next;
	size_t *by_store; /* indices into it, in order of store_ns */
	struct undone_totals totals;
};

/* Takes what u has seen, and the run's registers. whole: no sample is missing. */
int hazard_init(struct hazard *h, struct db *db, int64_t run, struct undone *u,
		bool whole, struct err *e);
void hazard_release(struct hazard *h);
/* Before the samples from time_ns on: the stops that come before them. */
int hazard_push(struct hazard *h, int64_t time_ns, struct join *j, struct err *e);
/* Says why of one that is certain, and takes back what the joiner says of another. */
void hazard_tell(const struct hazard *h, struct transfer *t);

#endif
