/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the live view has counted: one row for each card, channel and direction (and, where
 * asked for, each process), of the interval that runs and since the start. A transfer is
 * counted in the interval in which it was decided, so the sum over all intervals is the
 * recording. Pure: no clock, no terminal.
 */
#ifndef DMA_RECORD_LIVE_TALLY_H
#define DMA_RECORD_LIVE_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/dma.h"
#include "lib/use/transfer.h"

struct err;
struct hist;

struct span {
	uint64_t n, state[STATE_N];
	uint64_t bytes;		     /* of those that moved them (state_moves_bytes) */
	struct hist *phase[PHASE_N]; /* NULL = none had it */
};

struct open_start {
	int64_t seq, submit_ns;
	int32_t tid;
};

enum {
	TALLY_OPEN = 65536, /* remembered one by one; beyond that they are counted */
	TALLY_ENDED = 0,    /* no process's number */
};

struct row {
	int64_t card, channel;
	enum direction direction;
	int32_t pid;   /* -1 = of all, TALLY_ENDED = of processes that have ended */
	char name[16]; /* of the process; "" = not known, or of several */
	struct span now, all;
	uint64_t started;	  /* since the start */
	struct open_start *open;  /* started and not decided yet, oldest first */
	size_t head, nopen, room; /* those before head are closed */
	/* Most at once, of those decided in this interval, and since the start. */
	uint64_t in_flight, most_in_flight;
	/* Ends of decided transfers that may still be in flight when the next one starts:
	 * a heap, least first. */
	int64_t *until;
	size_t nuntil;
};

struct tally {
	bool by_process;
	struct row **row;
	size_t n;
	uint64_t lost; /* samples, since the start */
	uint64_t lost_now;
	uint64_t starts_now;
	int64_t last_start_ns; /* DMA_UNKNOWN = none yet */
	size_t recent;
};

void tally_release(struct tally *t);

int tally_start(struct tally *t, const struct sample *s, struct err *e);
/* *row is where it was counted. */
int tally_transfer(struct tally *t, const struct transfer *x, struct row **row,
		   struct err *e);
void tally_loss(struct tally *t, uint64_t lost);
/* The interval has been shown: the next one begins. */
void tally_next(struct tally *t);
/* Behind that: rows of processes that have ended, with nothing open, become those of
 * TALLY_ENDED, one a direction. */
int tally_fold(struct tally *t, bool (*ended)(int32_t pid), struct err *e);

/* Of a span; DMA_UNKNOWN where no transfer had that phase. */
int64_t span_median_ns(const struct span *s, enum phase p);
int64_t span_p99_ns(const struct span *s, enum phase p);
int64_t span_max_ns(const struct span *s, enum phase p);
uint64_t span_n(const struct span *s, enum phase p);

/* Started and not decided. */
uint64_t row_open(const struct row *r);
const struct open_start *row_oldest(const struct row *r); /* NULL = none */

#endif
