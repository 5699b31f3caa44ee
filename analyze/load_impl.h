/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of a load share. */
#ifndef DMA_ANALYZE_LOAD_IMPL_H
#define DMA_ANALYZE_LOAD_IMPL_H

#include "analyze/load.h"
#include "analyze/seen.h"
#include "analyze/stream.h"
#include "lib/cli.h"
#include "lib/db/db.h"
#include "lib/dma.h"
#include "lib/err.h"

struct loading {
	struct db *db;
	struct stream *stream;
	struct seen *seen;
	const char *path;
	int64_t run, first_ns, last_ns;
	int64_t *source_id;
	uint64_t *delivered;
	size_t nsource;
	struct db_stmt *sample, *loss, *edge, *count;
	struct sample_params {
		struct db_param time_ns, cpu, pid, tid, source_id, irq, card, channel,
			direction, size_bytes, addr, flags, ret, key, bits;
	} param; /* of sample */
	uint64_t samples;
	struct cli_progress progress;
};

/* What a recording says by a negative number is not known. */
static inline int64_t told(int64_t v)
{
	return v < 0 ? DMA_UNKNOWN : v;
}

/* ---- load_facts.c: rows of what the recorder said of itself ---- */
int load_insert_sources(struct loading *l, struct err *e);
int load_insert_irqs(struct loading *l, struct err *e);
int load_insert_registers(struct loading *l, struct err *e);
int load_insert_counted(struct loading *l, struct err *e);
int load_insert_pairs(struct loading *l, struct err *e);
/* A statement whose only parameters are :run and :text. */
int load_run_text(struct loading *l, const char *query, const char *text, struct err *e);

#endif
