/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the front end share: use.c (samples in), use_order.c (order of time,
 * windows of loss), use_call.c (calls of threads), use_channel.c (starts and endings). */
#ifndef DMA_GATE_PRIV_H
#define DMA_GATE_PRIV_H

#include "lib/err.h"
#include "lib/loss.h"
#include "tests/gate/align/use.h"

enum { USE_THREADS = 1024 };

struct use_order;
struct use_thread {
	int32_t tid, pid;
	struct use_transfer *start; /* whose call is open */
	struct sample wait;
	bool waiting, noexit;
	bool blind; /* a loss lies behind: what it is in is not known */
	struct use_channel *last;
	struct use_thread *next;
};

struct use {
	struct use_options o;
	struct use_sink sink;
	struct join_totals *n;
	const struct use_told *told; /* NULL = hypotheses */
	size_t ntold;
	struct use_order *order;
	struct loss_windows loss;
	size_t nextloss;
	struct use_channel **ch, *recent;
	size_t nch;
	struct use_thread *th[USE_THREADS];
	struct use_transfer *free_transfer;
	int64_t released, next_id;
	bool finishing;
	struct {
		int64_t card, channel;
	} * begun;
	size_t nbegun;
};

static inline int use_nomem(struct err *e)
{
	return err_nomem(e, "the channels");
}
int use_order_new(struct use_order **o, struct err *e);
void use_order_free(struct use_order *o);
int use_order_push(struct use_order *o, const struct sample *s, struct err *e);
const struct sample *use_order_pop(struct use_order *o, int64_t until);
int use_loss_add(struct use *u, int64_t from, int64_t to, struct err *e);

struct use_channel *use_channel(struct use *u, int64_t card, int64_t channel,
				struct err *e);
struct use_transfer *use_oldest(const struct use_channel *c);
int use_stray(struct use *u, enum stray_kind k, const struct sample *s, const char *why,
	      struct err *e);
int use_call(struct use *u, const struct sample *s, struct err *e);
int use_call_finish(struct use *u, struct err *e);

/* A wait or what stands for it; stamps and kind are told by x, which is copied. */
int channel_wait(struct use *u, struct use_channel *c, const struct ending *x,
		 int32_t tid, bool *used, struct err *e);
struct use_transfer *channel_start(struct use *u, struct use_channel *c,
				   const struct sample *s, struct err *e);
/* This one, whatever the hypothesis. */
int channel_close_one(struct use *u, struct use_transfer *t, const struct ending *x,
		      struct err *e);
int channel_halt(struct use *u, struct use_channel *c, const struct ending *x, bool *any,
		 struct err *e);
int channel_epoch(struct use *u, struct use_channel *c, struct err *e);
void channel_release(struct use *u, struct use_channel *c);

#endif
