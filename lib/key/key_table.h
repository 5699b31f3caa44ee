/* SPDX-License-Identifier: GPL-2.0-only */
/* What the keys remember, and tables of it by a number: open addressing, at most half full. */
#ifndef DMA_KEY_TABLE_H
#define DMA_KEY_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/use/transfer.h"

struct key_irq {
	int64_t seq, time_ns; /* DMA_UNKNOWN = none */
	int32_t irq;
};

/* A start of the library's. It is pointed to by its parts and by its call, and lives until
 * its transfer has left and neither is there. */
struct key_start {
	int64_t seq;
	struct transfer t;
	bool has_transfer, gone; /* the joiner told it; it was handed out */
	bool in_call;
	bool unclear;
	bool sized;	 /* of all parts the size is known */
	bool in_handler; /* the last end came within a handler */
	uint32_t nparts, nended, nopen;
	int64_t size_bytes; /* sum of what ended */
	int64_t issued_ns, ended_ns;
	int32_t cpu; /* of the last end */
	struct key_irq before,
		handler; /* the last before it, that ends transfers; of any */
};

/* What is in flight under one key. */
struct key_part {
	struct key_start *start; /* NULL = of nobody that is recorded */
	int64_t size_bytes, issued_ns;
	bool shared;
};

struct key_table {
	struct {
		int64_t key;
		void *value; /* NULL = free */
	} * slot;
	size_t room, n;
};

void *key_table_get(const struct key_table *t, int64_t key); /* NULL = not there */
/* Puts it in the place of what was there. Negative = no memory. */
int key_table_put(struct key_table *t, int64_t key, void *value);
void key_table_drop(struct key_table *t, int64_t key);
/* All values, in no order, to be freed; NULL = no memory. */
void *key_table_all(const struct key_table *t, size_t *n);
void key_table_release(struct key_table *t, void (*drop)(void *value));

#endif
