/* SPDX-License-Identifier: GPL-2.0-only */
/* What a trigger waits for: "device > 1ms", "missing", "in_flight > 64", "gap > 10s". */
#ifndef DMA_RECORD_LIVE_RULE_H
#define DMA_RECORD_LIVE_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/dma.h"
#include "lib/use/transfer.h"

struct err;
struct row;

enum rule_what {
	RULE_PHASE,	/* a transfer's phase, against a time */
	RULE_STATE,	/* a transfer that ended so */
	RULE_IN_FLIGHT, /* of one card, channel and direction, against a number */
	RULE_GAP,	/* no transfer was started for so long */
	RULE_LOST,	/* samples were lost */
};

struct rule {
	enum rule_what what;
	enum phase phase;
	enum transfer_state state;
	bool below;    /* '<'; else '>' */
	int64_t value; /* ns, or a number */
	const char *text;
};

/* text is borrowed. Negative: what is wrong, and what would be right. */
int rule_parse(const char *text, struct rule *r, struct err *e);

/* Of a transfer that was decided, counted in row. */
bool rule_holds(const struct rule *r, const struct transfer *t, const struct row *row);

/* How far beyond the rule it is: of two, the worse is the larger. */
int64_t rule_worth(const struct rule *r, const struct transfer *t);

#endif
