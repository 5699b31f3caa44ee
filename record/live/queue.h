/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copies of raw records on their way from the recorder to the live view. The recorder
 * never waits: what would make the queue larger than its bound is left out, and the view
 * is told between which times. One thread puts, one takes.
 */
#ifndef DMA_RECORD_LIVE_QUEUE_H
#define DMA_RECORD_LIVE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue;

enum queue_kind { QUEUE_RECORDS, QUEUE_ROUND, QUEUE_GAP, QUEUE_HEAD, QUEUE_END };

struct queue_piece {
	enum queue_kind kind;
	/* GAP: all that was left out lies between. ROUND: whatever will come is later than
	 * from_ns. DMA_UNKNOWN = not known. */
	int64_t from_ns, to_ns;
	size_t len;
	struct queue_piece *next;
	unsigned char
		buf[]; /* RECORDS: whole records; HEAD: the file's beginning by now */
};

struct queue *queue_new(size_t bound_bytes); /* NULL = no memory */
void queue_free(struct queue *q);

/* The recorder's. now_ns: on the recording's clock. */
void queue_put(struct queue *q, const void *buf, size_t len);
void queue_round(struct queue *q, int64_t now_ns);
/* Before the first record that needs it; false = no memory. It is never left out. */
bool queue_head(struct queue *q, const void *buf, size_t len);
void queue_end(struct queue *q);

/* The view's: the next piece, to be freed with free(); NULL = none came before timeout_ms
 * was over. */
struct queue_piece *queue_take(struct queue *q, int timeout_ms);

/* Bytes that were left out so far. */
uint64_t queue_skipped(struct queue *q);

#endif
