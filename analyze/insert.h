/* SPDX-License-Identifier: GPL-2.0-only */
/* Rows of the tables `transfer` and `stray`. */
#ifndef ANALYZE_INSERT_H
#define ANALYZE_INSERT_H

#include "lib/db/db.h"
#include "lib/dma.h"

struct err;
struct stray;
struct transfer;

struct transfer_insert {
	struct db_stmt *q; /* the caller's to finalize */
	struct db_param id, card, channel, direction, size_bytes, pid, tid, submit_ns,
		doorbell_ns, irq_ns, wait_ns, woken_ns, irq, irq_cpu, coalesced,
		irq_count, state, reason, ended_ns, driver, phase[PHASE_N];
};

struct stray_insert {
	struct db_stmt *q; /* the caller's to finalize */
	struct db_param kind, time_ns, card, channel, irq, cpu, tid, reason;
};

int transfer_insert_prepare(struct transfer_insert *x, struct db *db, int64_t run,
			    struct err *e);
int transfer_insert(const struct transfer_insert *x, const struct transfer *t,
		    struct err *e);
int stray_insert_prepare(struct stray_insert *x, struct db *db, int64_t run,
			 struct err *e);
int stray_insert(const struct stray_insert *p, const struct stray *x, struct err *e);

#endif
