/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From samples to transfers while they come: finder, then joiner, as the analysis does it,
 * but before the end is there. The joiner must know which vector ends which channel's
 * transfers; so samples are held until the finder can say it. It is asked when
 * FOLLOW_ENOUGH transfers have ended and FOLLOW_LEAST_NS have passed, and again whenever
 * there are twice as many, until every channel has its vector, or FOLLOW_PLENTY have
 * ended, or FOLLOW_PATIENCE_NS have passed. Then all that was held is joined: nothing is
 * left out, every submit becomes one transfer.
 *
 * The analysis has seen the whole before it decides. A second finder sees the whole here,
 * too; at the end follow_differs() says whether it would have decided otherwise. A channel
 * that is used for the first time after the decision has no vector here, so that its
 * transfers are polled or unknown: follow_late_channels() counts them. Holes that only the
 * kernel's counts show at the end are not known here, nor whether the command ended by
 * itself: a call that never came back is in flight.
 *
 * Where processes come and go (follow_options.tail), so do channels: a pointer to a card is
 * another one in each process. There a new channel makes samples wait once more until its
 * vector is found or does not show itself in FOLLOW_PATIENCE_NS; then a new joiner goes on where
 * the old one stood, from what the tail has of transfers that are not decided. It knows the
 * channels that were used in the last FOLLOW_USED_NS.
 */
#ifndef DMA_FLOW_FOLLOW_H
#define DMA_FLOW_FOLLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/join/join.h"
#include "lib/vector/vector.h"

struct err;
struct follow;
struct tail;

enum {
	FOLLOW_ENOUGH = 1000,
	FOLLOW_PLENTY = 20000,
	FOLLOW_MOST_HELD = 1 << 20,
	FOLLOW_MOST_AGAIN = 1 << 16, /* behind the decision: half of what a tail keeps */
	FOLLOW_CHANNELS = 24, /* with as many, those of ended processes are left behind */
};
#define FOLLOW_LEAST_NS	   INT64_C(1000000000)
#define FOLLOW_PATIENCE_NS INT64_C(4000000000)
#define FOLLOW_USED_NS	   INT64_C(60000000000)

struct follow_options {
	/* Named by the user or the profile; none = they are looked for. Copied. */
	const struct join_vector *vector;
	size_t nvector;
	const int32_t *recorded; /* interrupts that may come; copied */
	size_t nrecorded;
	enum pairing pairing;
	bool from_start; /* nothing was in flight when the recording began */
	/* Events of the driver's with keys are recorded (lib/key/key.h): ends; and what begins
	 * parts, and what issues them. */
	bool driver, asks, issues;
	/* Channels come and go: it has every sample before follow_push() gets it, and lives as
	 * long as this. NULL = what is decided once stays. */
	struct tail *tail;
	/* With a tail: had this card nothing in flight when the recording began? */
	bool (*is_fresh)(void *arg, int64_t card);
	void *arg;
};

/* The sink is called from within the functions below. */
int follow_new(struct follow **f, const struct follow_options *o,
	       const struct join_sink *sink, struct err *e);
void follow_free(struct follow *f); /* NULL is fine */

int follow_push(struct follow *f, const struct sample *s, struct err *e);
int follow_loss(struct follow *f, int32_t cpu, int64_t from_ns, int64_t to_ns,
		struct err *e);
/* No more comes: decide by what there is, and finish the join. */
int follow_finish(struct follow *f, struct join_totals *totals, struct err *e);

/* Is it decided which vectors end transfers? Then: which, and how that is known. */
bool follow_decided(const struct follow *f);
const struct join_vector *follow_vectors(const struct follow *f, size_t *n);
bool follow_named(const struct follow *f);
/* What the joiner was told, but for what was in flight when it began; vectors borrowed. */
void follow_join_options(const struct follow *f, struct join_options *o);
/* Hands every transfer of the tail's, which are not decided, to sink->transfer, as it looks now.
 * Nothing before it is decided which vectors end transfers. */
int follow_preview(const struct follow *f, struct tail *t, const struct join_sink *sink,
		   struct err *e);
/* After follow_finish(): the whole recording says otherwise. */
bool follow_differs(const struct follow *f);
/* Samples that wait for the decision. */
size_t follow_held(const struct follow *f);
/* Channels that came after the decision, where vectors were looked for. */
size_t follow_late_channels(const struct follow *f);

#endif
