/* SPDX-License-Identifier: GPL-2.0-only */
/* The joiner on one model; options, sink and totals are those of join.h. */
#ifndef DMA_GATE_JOINER_H
#define DMA_GATE_JOINER_H

#include "lib/join/join.h"

struct joiner;
int joiner_new(struct joiner **j, const struct join_options *o,
	       const struct join_sink *sink, struct err *e);
void joiner_free(struct joiner *j);
/* Before the first sample: which wait ended which start (use.h). */
struct use_told;
void joiner_tell(struct joiner *j, const struct use_told *told, size_t n);
int joiner_push(struct joiner *j, const struct sample *s, struct err *e);
int joiner_loss(struct joiner *j, int32_t cpu, int64_t from_ns, int64_t to_ns,
		struct err *e);
int joiner_finish(struct joiner *j, struct join_totals *totals, struct err *e);

#endif
