/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What each channel was asked for and when its waits returned: samples -> calls, thread by
 * thread -> starts and endings, channel by channel. Written once for all that read it.
 *
 * Which wait ended which start depends on how the program works, and that is not written
 * anywhere: a queue (a wait ends the oldest that is open), restarts (a start gives up what
 * was open), or one wait for all. While a channel is used one at a time all three agree.
 * From the first start on that finds another one open, each of them is carried as a
 * hypothesis with its own endings; the reader weighs them and lets go of those that fail
 * (use_drop()). A recording that begins in the middle and the time behind a loss are
 * hypotheses of the same kind: so many starts, never seen, are open (phantoms).
 *
 * Blocking starts end themselves and take no part in this.
 */
#ifndef DMA_GATE_USE_H
#define DMA_GATE_USE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/dma.h"
#include "lib/use/transfer.h"

struct err;

enum ending_kind {
	END_WOKEN,
	END_FAILED,    /* the wait or the start left by an error */
	END_ABORTED,   /* started again, or stopped */
	END_LOST,      /* samples were lost before its end was seen */
	END_IN_FLIGHT, /* the recording stopped before */
	END_NEVER,     /* circular, or never started: it has no end of its own */
};

struct ending {
	enum ending_kind kind;
	enum transfer_state state; /* of a transfer that ends so, but for its interrupt */
	int64_t wait_ns, woken_ns, seq; /* DMA_UNKNOWN = none */
	const char *reason;
	bool absence; /* concluded from what is not there: not near a loss */
	bool batch;   /* several ended by it */
	uint32_t refs;
};

enum {
	USE_PHANTOMS = 63, /* never seen, open at once: the deepest queue that is met */
	USE_KINDS = 3,
	USE_HYPS = USE_PHANTOMS + USE_KINDS,
	USE_CANDIDATES = 6, /* readings remembered for a transfer */
};

enum habit { HABIT_QUEUE, HABIT_LAST, HABIT_DRAIN };

/* A reading of what ended a transfer, with its probability. */
struct use_candidate {
	struct use_irq *irq; /* NULL = none came */
	uint64_t first;	     /* of the transfers of this channel that ended with it */
	uint32_t k;
	float p;
};

struct use_irq {
	int64_t time_ns, seq;
	int32_t irq, cpu;
	uint32_t refs, used;
	float stray; /* probability that it ended nothing */
	bool passed; /* its layer is decided */
	bool circular;
};

struct use_transfer {
	struct transfer t;
	struct use_channel *c;
	struct use_thread *opener; /* whose start is still open */
	uint64_t index;		   /* in its channel */
	int64_t begin_ns;	   /* it cannot have ended before */
	bool blocking, phantom, dead;
	bool lossy_before;    /* phantom-like: begun near a loss */
	uint16_t nend, nopen; /* hypotheses that it has endings for; those without one */
	struct ending **end;
	struct ending *one; /* storage for nend = 1 */
	uint32_t epoch;
	/* The joiner's: */
	float p_passed; /* sum of what was decided so far */
	float p_other;	/* of readings that found no room */
	float doubt;
	uint8_t ncand, nsaw;
	struct use_candidate cand[USE_CANDIDATES];
	struct {
		struct ending *end;
		float p;
	} saw[USE_CANDIDATES];
	struct use_transfer *next_free;
};

struct use_hyp {
	enum habit habit;
	unsigned phantoms;
	bool alive;
	uint64_t head; /* none before it is open */
	uint32_t nopen;
	double penalty; /* natural logarithm: odd things under it, not yet taken */
};

struct use_channel {
	int64_t card, channel;
	struct group *group; /* the joiner's */
	size_t slot;
	struct use_transfer **ring;
	uint64_t mask, base, tail; /* kept: [base, tail) */
	struct use_hyp hyp[USE_HYPS];
	unsigned nhyp, nalive, nphantom;
	bool branched; /* hypotheses differ from `branch_index` on */
	uint64_t branch_index;
	uint32_t epoch;
	uint64_t epoch_index; /* first transfer of the epoch, phantoms included */
	uint32_t peak;	      /* most in flight so far, by the likeliest reading */
	bool begun;	      /* something may have been in flight at the beginning */
	bool habit_known;
	enum habit habit;
	int64_t circular_from, circular_to;
	int32_t submitter; /* the only thread that starts; -1 = several */
	bool seen;
};

/* What another front end found of a start: the wait that ended it. */
struct use_told {
	int64_t submit_seq, woken_seq; /* DMA_UNKNOWN = no wait returned for it */
	enum transfer_state state;
};

struct use_sink {
	void *arg;
	int (*channel)(void *arg, struct use_channel *c, struct err *e);
	int (*irq)(void *arg, const struct sample *s, struct err *e);
	int (*stray)(void *arg, enum stray_kind k, const struct sample *s,
		     const char *why, struct err *e);
	/* The epoch of a channel is over, all that was open is closed; and a new one has
	 * begun. */
	int (*epoch_over)(void *arg, struct use_channel *c, struct err *e);
	int (*epoch_begun)(void *arg, struct use_channel *c, struct err *e);
};

struct use_options {
	int64_t slack_ns;
	bool ended;
};

struct use;
int use_new(struct use **u, const struct use_options *o, const struct use_sink *s,
	    struct join_totals *n, struct err *e);
void use_free(struct use *u);
/* One hypothesis, with these endings, in order of submit_seq; the caller's. */
void use_tell(struct use *u, const struct use_told *told, size_t n);
int use_push(struct use *u, const struct sample *s, struct err *e);
int use_loss(struct use *u, int64_t from_ns, int64_t to_ns, struct err *e);
bool use_lossy(const struct use *u, int64_t from_ns, int64_t to_ns);
int use_drain(struct use *u, struct err *e);  /* all that waits for its order */
int use_finish(struct use *u, struct err *e); /* all that is open is in flight */
void use_begun(struct use *u, int64_t card, int64_t channel);

size_t use_channels(const struct use *u);
struct use_channel *use_channel_at(const struct use *u, size_t i);
int64_t use_now(const struct use *u);

static inline struct use_transfer *use_at(const struct use_channel *c, uint64_t index)
{
	return c->ring[index & c->mask];
}

/* NULL = not yet. */
static inline struct ending *use_end(const struct use_transfer *t, unsigned hyp)
{
	return t->end[hyp < t->nend ? hyp : 0];
}

/* No more than one end is left for it to wait for. */
static inline bool use_closed(const struct use_transfer *t)
{
	return !t->nopen && !t->opener;
}

void use_drop(struct use_channel *c, unsigned hyp); /* a hypothesis failed */
void use_release(struct use *u, struct use_channel *c, uint64_t before);
void ending_put(struct use *u, struct ending *x);

#endif
