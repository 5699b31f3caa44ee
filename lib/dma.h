/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The words of the field, once: roles of events, directions, states of a transfer,
 * phases. Their spelling in files, databases and on screen is that of the *_name()
 * functions.
 */
#ifndef DMA_DMA_H
#define DMA_DMA_H

#include <stdbool.h>
#include <stdint.h>

/* A value that is not known. NULL in the database, never 0. */
#define DMA_UNKNOWN INT64_MIN

enum role {
	ROLE_OTHER,    /* recorded, but no part of a transfer */
	ROLE_SUBMIT,   /* entry of a start function */
	ROLE_DOORBELL, /* the store to the card's enable register */
	ROLE_STARTED,  /* exit of a start function; the doorbell's stand-in where there is
			  none */
	ROLE_INTERRUPT, /* irq:irq_handler_entry */
	ROLE_HANDLED,	/* irq:irq_handler_exit */
	ROLE_WAIT,	/* entry of a wait function */
	ROLE_WOKEN, /* exit of a wait function, or of a start function that blocks to the
		       end */
	ROLE_STOP,  /* entry of a function that stops a channel */
	/* From here on: no events of the joiner's.
	 * A change of a channel's bit in a register of the card, as a reader saw it */
	ROLE_REGISTER,
	ROLE_COUNT, /* a reading of a counting unit of the machine */
	/* What the driver did, by events of the kernel that carry a key (lib/key/key.h) */
	ROLE_ASKED,  /* it was asked for a transfer */
	ROLE_ISSUED, /* it gave one to the card */
	ROLE_ENDED,  /* it knows that one has ended */
	ROLE_N
};

enum direction { DIR_UNKNOWN, DIR_TO_HOST, DIR_FROM_HOST, DIR_N };

enum transfer_state {
	STATE_UNKNOWN,	    /* a loss or an ambiguity makes its end uncertain */
	STATE_COMPLETE,	    /* ended by its interrupt */
	STATE_POLLED,	    /* ended for the program, no interrupt expected */
	STATE_NO_INTERRUPT, /* ended for the program, its interrupt never came */
	STATE_LATE,    /* its interrupt came after the program had already seen the end */
	STATE_ABORTED, /* its channel was started or stopped again before it ended */
	STATE_FAILED,  /* the start or the wait threw or returned an error */
	STATE_IN_FLIGHT, /* not ended when the recording stopped */
	STATE_CIRCULAR,	 /* a circular DMA: runs until stopped, has no single end or
			    latency */
	STATE_N
};

enum phase {
	PHASE_API, /* submit -> doorbell */
	/* doorbell -> interrupt, or what the driver said of its end where a key tells that */
	PHASE_DEVICE,
	PHASE_NOTICE, /* interrupt -> woken; negative when the poller saw the end first
			 (`late`) */
	PHASE_TOTAL,  /* submit -> woken */
	PHASE_N,      /* those that the joiner tells */
	/* with a register of the card that was watched (analyze/witness.h) */
	PHASE_CARD = PHASE_N, /* doorbell -> cleared */
	PHASE_DELIVERY,	      /* cleared -> interrupt */
	PHASE_ALL
};

/* How the interrupts of a vector end transfers. */
enum pairing {
	PAIRING_INFER, /* from the evidence */
	PAIRING_ONE,   /* one interrupt ends one transfer */
	/* an interrupt ends every transfer of its channels begun before it */
	PAIRING_DRAIN,
	PAIRING_FIRST, /* several interrupts for one transfer: the first ends it */
	PAIRING_LAST,  /* the last does */
	PAIRING_N
};

/* "submit", "to_host", "no_interrupt", "device", ...; never NULL ("?" for a value out of
 * range).*/
const char *role_name(enum role r);
const char *direction_name(enum direction d);
const char *state_name(enum transfer_state s);
const char *phase_name(enum phase p);
const char *pairing_name(enum pairing p);

/* Did a transfer that ended like this, at a time that is known, move its bytes? Also where
 * it is not known which interrupt ended it (`unknown`); not where it failed, was aborted, or
 * runs until it is stopped. Throughput counts these, and says what it leaves out. */
bool state_moves_bytes(enum transfer_state s);

/* The reverse; -1 for a word that is none. */
int role_parse(const char *word);
int direction_parse(const char *word);
int state_parse(const char *word);
int phase_parse(const char *word);
int pairing_parse(const char *word);

/*
 * One thing that happened, in the terms of the joiner: what a probe's sample or a row of
 * the table `sample` says. Every field that the event does not carry is DMA_UNKNOWN (cpu,
 * pid, tid, irq: -1).
 */
struct sample {
	int64_t time_ns; /* on the recording's clock */
	/* rowid in `sample`, or the ordinal in the file: names it in results */
	int64_t seq;
	int64_t card;	 /* small number for each card met, 0 when there is only one */
	int64_t channel; /* as the library numbers it */
	int64_t size_bytes;
	union {
		int64_t addr; /* DMA address or offset on the card */
		/* of a register's change: it came between since_ns and time_ns */
		int64_t since_ns;
		int64_t enabled_ns; /* of a count: for so long it was asked for */
	};
	union {
		int64_t flags;	    /* the library's own */
		int64_t running_ns; /* of a count: for so long it ran */
	};
	/* return value at an exit; what a register holds from then on, or a doorbell stores
	 * in it; a count so far */
	int64_t ret;
	int64_t key; /* with SAMPLE_KEYED: what the start and the end of a transfer share */
	int32_t cpu, pid, tid;
	int32_t irq;
	int32_t source;	   /* index of the event in the recording (struct meta_event) */
	uint8_t role;	   /* enum role */
	uint8_t direction; /* enum direction */
	uint16_t bits;	   /* SAMPLE_* */
};

/* One that carries nothing but these. */
static inline struct sample sample_blank(enum role role, int64_t time_ns)
{
	return (struct sample){.time_ns = time_ns,
			       .card = DMA_UNKNOWN,
			       .channel = DMA_UNKNOWN,
			       .size_bytes = DMA_UNKNOWN,
			       .addr = DMA_UNKNOWN,
			       .flags = DMA_UNKNOWN,
			       .ret = DMA_UNKNOWN,
			       .key = DMA_UNKNOWN,
			       .cpu = -1,
			       .pid = -1,
			       .tid = -1,
			       .irq = -1,
			       .role = (uint8_t)role,
			       .direction = DIR_UNKNOWN};
}

enum sample_bits {
	SAMPLE_FAILED = 1,  /* an exit whose return value the profile calls an error */
	SAMPLE_PENDING = 2, /* the exit of a poll that says "not yet": ends nothing */
	SAMPLE_BLOCKING =
		4, /* a submit whose function returns only when the transfer has ended */
	SAMPLE_CIRCULAR = 8,	/* a submit of a circular DMA */
	SAMPLE_NO_EXIT = 16,	/* a wait or submit whose function has no armed exits */
	SAMPLE_OTHER = 32,	/* of an event with a role, but no part of a transfer (its
				`when`, its fd) */
	SAMPLE_BUSY = 64,	/* a register's change: the channel runs from then on */
	SAMPLE_UNHANDLED = 128, /* an interrupt that its handler said was not its own */
	SAMPLE_KEYED = 256,	/* `key` is known */
	SAMPLE_IN_HANDLER = 512, /* of the driver's: within the handler of an interrupt */
};

/* An entry of a handler for another one's interrupt, on a line that they share: a fact, but
 * no interrupt of its device. */
static inline bool sample_is_foreign(const struct sample *s)
{
	return s->role == ROLE_INTERRUPT && s->bits & SAMPLE_UNHANDLED;
}

#endif
