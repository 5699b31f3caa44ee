/* SPDX-License-Identifier: GPL-2.0-only */
/* From the finder's verdicts to what the joiner is told: which vector ends the transfers of
 * which channel. One rule for the analysis and for the live view. */
#ifndef DMA_FLOW_ENDS_H
#define DMA_FLOW_ENDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/use/transfer.h"
#include "lib/vector/vector.h"

struct err;

bool ends_transfers(enum verdict v);

/* One more in the array, which grows by lib/array.h. */
int ends_add(struct join_vector **vector, size_t *n, int64_t irq, int64_t card,
	     int64_t channel, struct err *e);

/* Who names a line with several handlers means one of them: that which ends transfers best;
 * where none may, the first. Of another number that one itself. */
int64_t ends_handler(const struct vector_result *r, int64_t irq);
/* An interrupt that was named, for this channel or all (DMA_UNKNOWN), added to the array: of a
 * line with several handlers for each card's channel the one that ends its transfers. */
int ends_named(const struct vector_result *r, int64_t irq, int64_t channel,
	       struct join_vector **vector, size_t *n, struct err *e);

/* For each channel the vector that fits it best, added to the array. */
int ends_found(const struct vector_result *r, struct join_vector **vector, size_t *n,
	       struct err *e);

#endif
