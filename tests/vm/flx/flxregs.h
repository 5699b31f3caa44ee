/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The registers of the fast card (tests/vm/fastcard.c), which lie in the memory that
 * QEMU's ivshmem shares between the guest and the card's process. The first part is laid
 * out as Wupper's BAR 0 is; the second is for the test alone: how the card shall behave,
 * the comparison of clocks, and the card's own log of what it did.
 */
#ifndef FLXREGS_H
#define FLXREGS_H

#include <stdint.h>

enum {
	FLX_BYTES = 4 << 20, /* of the shared memory */
	FLX_CHANNELS = 8,
	FLX_VECTORS = 8,
	FLX_END_VECTOR = 2,  /* raised at the end of a transfer */
	FLX_DATA_VECTOR = 5, /* raised when its data begin to flow */
	FLX_ODD_VECTOR = 6,  /* raised now and then, for nothing */

	FLX_DESC = 0x000,   /* [channel]: 32 bytes each, struct flx_desc */
	FLX_ENABLE = 0x400, /* a bit for each channel: set to start, clear when ended */
	FLX_RAISED =
		0x600, /* u32: how often FLX_END_VECTOR was raised, this time included */
	FLX_TEST = 0x800, /* struct flx_test */
	FLX_LOG = 0x10000,

	FLX_BELL_AT = 12,	 /* in ivshmem's BAR 0 */
	FLX_CARD_PEER = 1 << 16, /* what is written there */
};

struct flx_desc {
	uint64_t address, bytes;
	uint64_t from_host; /* 1 = the card reads memory */
	uint64_t number;    /* of the start: for the log */
};

enum flx_fault {
	FLX_NO_FAULT,
	FLX_DROP,   /* no interrupt */
	FLX_DOUBLE, /* a second one FLX_APART_NS later */
	FLX_LATE,   /* the interrupt FLX_APART_NS after the end */
	FLX_EARLY,  /* the end FLX_APART_NS after the interrupt */
	FLX_NO_DATA,
	FLX_FAULTS,
	/* in the log: its bit was gone, or its channel started anew, when it would have
	   ended: it has no end, and no interrupt */
	FLX_UNDONE = 100
};
enum { FLX_APART_NS = 3000000 };

struct flx_test {
	uint64_t run;			/* a new number empties the log */
	uint64_t ping, pong;		/* the card answers ping n with pong n and ... */
	int64_t pong_ns;		/* ... its clock */
	int64_t latency_ns;		/* a transfer takes this, */
	int64_t ns_per_kib;		/* and this, */
	int64_t tail_permille, tail_ns; /* and sometimes this */
	uint64_t fault, fault_permille;
	int64_t push_ns; /* the enable bit is cleared so long after the interrupt */
	uint64_t data_interrupt; /* 1 = raise FLX_DATA_VECTOR in each transfer */
	uint64_t logged;	 /* entries in the log */
	int64_t read_ns; /* a start's reading of the enable register takes so long */
};

/* Times are the card's clock; 0 = did not happen. The bit was cleared between clear_ns and
 * cleared_ns. */
struct flx_log {
	int64_t bell_ns, data_ns, clear_ns, cleared_ns, kick_ns, kick2_ns;
	uint32_t channel, from_host, bytes, fault;
	uint32_t raised; /* FLX_RAISED at its interrupt, 0 = it had none */
	uint32_t number; /* of its start */
};

enum { FLX_LOG_MAX = (FLX_BYTES - FLX_LOG) / sizeof(struct flx_log) };

#endif
