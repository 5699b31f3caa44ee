/* SPDX-License-Identifier: GPL-2.0-only */
/* What joining is told and what it tells: transfers, what belongs to none, which vectors
 * end what, and how many there were of each. */
#ifndef DMA_USE_TRANSFER_H
#define DMA_USE_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/dma.h"
#include "lib/use/begun.h"

struct err;

/* What the driver's events say of a transfer, and of the interrupt that was joined with it
 * without them. */
enum key_word {
	KEY_NO,	     /* nothing: its events are not recorded */
	KEY_AGREES,  /* its end; the interrupt is the one that came last before it */
	KEY_DIFFERS, /* its end; the interrupt is another one, and was taken away */
	KEY_ALONE,   /* its end; which interrupt is its own was not known */
	KEY_UNCLEAR, /* its key is not its own, or its parts are not as large as it */
	KEY_UNSEEN, /* no event of the driver's belongs to its start, or no end was seen */
	KEY_N
};
const char *key_word_name(enum key_word w);

struct transfer {
	int64_t id; /* 1, 2, ... in order of submit time */
	int64_t card, channel, size_bytes, addr;
	enum direction direction;
	int32_t pid, tid;
	int64_t submit_ns, doorbell_ns, irq_ns, wait_ns,
		woken_ns; /* DMA_UNKNOWN = not seen */
	/* The driver's own word of its end, which a key joins with its start: ended_ns is known
	 * with KEY_AGREES, KEY_DIFFERS and KEY_ALONE (lib/key/key.h) */
	enum key_word key;
	int64_t ended_ns;
	int64_t submit_seq, irq_seq, woken_seq; /* struct sample.seq; DMA_UNKNOWN */
	/* doorbell_ns is the start function's exit, not the store */
	bool doorbell_is_exit;
	int32_t irq, irq_cpu; /* -1 = none */
	/* How many transfers this interrupt ended, this one included; 0 = none, or not
	 * known, since it may have ended one that is unknown. */
	int32_t coalesced;
	/* how many interrupts this transfer had (policies first, last) */
	int32_t irq_count;
	enum transfer_state state;
	/* Of an unknown one: which wait saw its end is known, and only what ended it is not;
	 * so it has an `api` and a `total`. */
	bool end_certain;
	/* Of its interrupt (or that there was none), and how probable both are: only where
	 * a judge asks (tests/gate). */
	bool irq_certain;
	float end_p, irq_p;
	const char *reason; /* static text, why it is unknown, failed, aborted, ...; NULL
			       = plain */
};

static inline bool transfer_is_keyed(const struct transfer *t)
{
	return t->key == KEY_AGREES || t->key == KEY_DIFFERS || t->key == KEY_ALONE;
}

/* from -> to of a phase; DMA_UNKNOWN when an end is missing or the state makes it
 * meaningless (failed has no latency, nor has unknown but `api` and `total` where
 * end_certain; aborted and in_flight only `api`). */
int64_t transfer_phase_ns(const struct transfer *t, enum phase p);

enum stray_kind {
	STRAY_INTERRUPT,
	STRAY_WAIT,
	STRAY_DOORBELL,
	STRAY_EXIT,
	STRAY_STOP,
	STRAY_N
};
const char *stray_kind_name(enum stray_kind k);

struct stray {
	enum stray_kind kind;
	int64_t time_ns, seq;
	int64_t card, channel;
	int32_t irq, cpu, tid;
	const char *reason; /* static text: "no transfer in flight", "surplus", "vector
			       ends nothing" */
};

/* Which vector ends transfers of which channel. card/channel DMA_UNKNOWN = every one. */
struct join_vector {
	int32_t irq;
	int64_t card, channel;
};

struct join_options {
	const struct join_vector
		*vector; /* none: no transfer is expected to have an interrupt */
	size_t nvector;
	/* Channels that something was in flight on when the recording began. */
	const struct begun_channel *begun;
	size_t nbegun;
	/* The recorder started the workload when all was armed, so nothing was: what looks
	 * as if it had been shows that samples are missing. */
	bool from_start;
	enum pairing
		pairing; /* PAIRING_INFER acts as the joiner finds best for each vector */
	/* Samples may be out of order by this much; 0 = 1 ms. */
	int64_t slack_ns;
	/* A transfer is given up as lost or a window closed by force when so many are in
	 * flight on one channel; 0 = 65536. What is given up is `unknown`, never
	 * guessed. */
	size_t max_in_flight;
	/* The command's process, if it had ended by itself before the recording did; else 0.
	 * A call that its first thread never came back from was then left by an exception,
	 * not cut off. How any other process ended is not known. */
	int32_t ended;
	/* Of the calls nothing is missing but what is told by losses: as many were
	 * delivered as were counted. Only then is an entry without an exit known to have
	 * been left by an exception; else its exit may be what was lost. */
	bool whole;
	/* The vectors were looked for, not named. Of a channel without one it is then not
	 * known which interrupt ends its transfers, if any: what is polled says so, and
	 * what no wait saw the end of is `unknown`. */
	bool undecided;
};

struct join_sink {
	void *arg;
	/* A negative return stops the join and is handed to the pusher. */
	int (*transfer)(void *arg, const struct transfer *t, struct err *e);
	int (*stray)(void *arg, const struct stray *s, struct err *e);
};

struct join_totals {
	uint64_t submits, transfers, by_state[STATE_N];
	uint64_t interrupts, interrupts_used, interrupts_stray,
		interrupts_ignored /* other vectors */;
	uint64_t waits, waits_used, waits_stray;
	uint64_t doorbells, doorbells_used, doorbells_stray;
	uint64_t disordered; /* samples later than slack allows; they make what they touch
				unknown */
	uint64_t negative;   /* phases found negative, per transfer */
	enum pairing pairing; /* as used; per vector in the future if they differ */
};

#endif
