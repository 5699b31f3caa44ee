/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From facts to transfers: which vectors end transfers, the join, and every derived table
 * of a run. What was derived before is dropped first. In the caller's transaction.
 */
#ifndef ANALYZE_ANALYSIS_H
#define ANALYZE_ANALYSIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct err;
struct seen;
struct stream;

struct analysis_options {
	const int64_t *irq; /* these end transfers, whatever the evidence says */
	size_t nirq;
	int pairing;  /* enum pairing; -1 = what the recording says */
	bool no_keys; /* join as if the driver's events were not there */
	bool quiet;
};

/* seen: the stream's samples were pushed to it already; or NULL. The stream is rewound. */
int analysis_run(struct db *db, int64_t run, struct stream *s, struct seen *seen,
		 const struct analysis_options *o, struct err *e);

#endif
