/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Has a rule come true? Asked for every transfer that is decided, for every one that is
 * not decided yet as it looks now, for gaps and losses. The first one stands.
 */
#ifndef DMA_RECORD_LIVE_TRIGGER_H
#define DMA_RECORD_LIVE_TRIGGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/live/rule.h"

struct row;

enum {
	TRIGGER_ROWS = 64, /* channels told apart while looking ahead */
	TRIGGER_DONE = 256 /* that fired last: of so many none does again */
};

struct trigger {
	const struct rule *rules;
	size_t n;
	bool fired;
	const struct rule *rule; /* that came true */
	bool has_transfer;
	struct transfer transfer; /* which made it so */
	int64_t at_ns;		  /* on the recording's clock; DMA_UNKNOWN */
	/* Looking ahead: in flight, of each card, channel and direction. */
	struct trigger_count {
		int64_t card, channel;
		enum direction direction;
		uint64_t n;
	} count[TRIGGER_ROWS];
	size_t ncount;
	int64_t done[TRIGGER_DONE]; /* submit_seq of those that fired before */
	size_t ndone;		    /* in all */
};

void trigger_init(struct trigger *t, const struct rule *rules, size_t n);

/* After a look ahead: it came true so long ago that what belongs to it has come. */
bool trigger_is_settled(const struct trigger *t, int64_t now_ns);
/* It may come true again, for another transfer. */
void trigger_again(struct trigger *t);

void trigger_transfer(struct trigger *t, const struct transfer *x, const struct row *row);

/* Before each round of those that are not decided; then each of them. now_ns: everything
 * up to then is known. What ended shortly before is left for the next round, since what
 * belongs to it may still come. */
void trigger_preview_begin(struct trigger *t);
void trigger_preview(struct trigger *t, const struct transfer *x, int64_t now_ns);

/* No transfer was started since last_ns (DMA_UNKNOWN = none ever). */
void trigger_gap(struct trigger *t, int64_t last_ns, int64_t now_ns);
void trigger_loss(struct trigger *t, uint64_t lost);

#endif
