/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A recording's facts into the database: run, source, irq, card, sample, loss, counter,
 * environment, warning. The caller has begun a transaction and commits it.
 */
#ifndef ANALYZE_LOAD_H
#define ANALYZE_LOAD_H

#include <stdbool.h>
#include <stdint.h>

struct db;
struct err;
struct seen;
struct stream;

struct load_result {
	int64_t run;
	bool known;   /* it was there before; nothing was changed */
	bool differs; /* ... but the file is not what was loaded then */
	uint64_t samples;
};

/* raw's samples are pushed to seen, too. label: NULL = the recording's own. */
int load_recording(struct db *db, struct stream *s, const char *path, const char *label,
		   struct seen *seen, bool quiet, struct load_result *out, struct err *e);

/* Of a recording that was there before: has it the roles that its events were given now? ERR_USAGE
 * names the first that has another. */
int load_same_roles(struct db *db, int64_t run, const struct stream *s, struct err *e);

/* What is missing without a loss record saying where: counted by the kernel, not
 * delivered, and more than the records of loss say. `calls`: of the probes (submit, wait
 * and the like); `interrupts`: of the interrupt; `driver`: of the driver's events, also where
 * a record of loss says where. */
struct load_holes {
	uint64_t calls, interrupts, driver; /* at most */
	uint64_t unexplained;		    /* of calls and interrupts together */
	bool counted; /* the recording has the kernel's counts at all */
};
int load_holes(struct db *db, int64_t run, struct load_holes *out, struct err *e);

#endif
