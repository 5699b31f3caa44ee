/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One thread makes rows, the other takes them: reading, decoding and joining run beside
 * whatever is done with the result. Blocks go through a bounded queue, so memory does not
 * grow. The producer must not touch what the sink uses, the sink must not touch what the
 * producer uses.
 */
#ifndef DMA_FLOW_PIPE_H
#define DMA_FLOW_PIPE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/dma.h"
#include "lib/flow/source.h"
#include "lib/join/join.h"

struct err;
struct pipe;

/* What the writing thread does with each row; a negative return ends both. */
struct pipe_sink {
	void *arg;
	int (*sample)(void *arg, const struct sample *s, struct err *e);
	int (*loss)(void *arg, const struct loss *l, struct err *e);
	int (*transfer)(void *arg, const struct transfer *t, struct err *e);
	int (*stray)(void *arg, const struct stray *s, struct err *e);
	void (*progress)(void *arg, uint64_t done, uint64_t rows);
};

/* Runs producer(arg, ...) to its end, in a thread of its own when threaded, and the sink
 * in the caller's. 0, or the first error of either. */
int pipe_run(int (*producer)(void *arg, struct pipe *p, struct err *e), void *arg,
	     const struct pipe_sink *sink, bool threaded, struct err *e);

/* For the producer. Negative: the sink has failed, stop. */
int pipe_sample(struct pipe *p, const struct sample *s);
int pipe_loss(struct pipe *p, const struct loss *l);
int pipe_transfer(struct pipe *p, const struct transfer *t);
int pipe_stray(struct pipe *p, const struct stray *s);
/* How far the input has been read, for the progress line. */
void pipe_done(struct pipe *p, uint64_t done);

#endif
