/* SPDX-License-Identifier: GPL-2.0-only */
/* What the collecting and the judging of vectors share. */
#ifndef DMA_VECTOR_PRIV_H
#define DMA_VECTOR_PRIV_H

#include "vector.h"

enum {
	MAX_VECTORS = 4096,
	KEEP = 512,	    /* points of a pair */
	KEEP_ALL = 1000000, /* of all pairs: 24 MB */
};

struct open;

/* The last transfer of a busy period: what it took, and how long before its end the
 * interrupt came (negative: after it). early: it came before the wait began, and the
 * wait's entry stands for the end. */
struct vpoint {
	int64_t took_ns, to_end_ns, size;
	bool early;
};

struct vpair {
	uint64_t n;	 /* interrupts in the period that is open */
	int64_t last_ns; /* of them */
	/* the last period had none: one that comes soon is late */
	bool late;
	int64_t late_begin, late_end, late_size;
	uint64_t late_m;
	/* over all periods */
	uint64_t inside, one, none, many, covered, lates, seen;
	struct vpoint *point;
	size_t npoint, room;
};

struct vchannel {
	int64_t card, channel;
	struct open *queue; /* transfers that have not ended, oldest first */
	size_t nqueue, aqueue;
	uint64_t m; /* ended in the open period */
	bool bad;   /* ... which holds a failed one */
	int64_t since_ns;
	uint64_t periods, transfers;
	int64_t busy_ns;
	struct vpair *pair; /* one for each vector */
	size_t npair;
};

struct vvector {
	int32_t irq;
	uint64_t count, outside; /* outside of every channel's periods */
	int64_t delta;		 /* of /proc/interrupts; DMA_UNKNOWN */
};

struct vectors {
	struct vvector *vector;
	size_t nvector;
	struct vchannel **channel;
	size_t nchannel;
	int64_t from_ns, to_ns;
	struct vector_evidence *evidence;
	struct vector_result result;
};

int vectors_judge(struct vectors *v, struct err *e);

#endif
