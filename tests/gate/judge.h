/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the gate (gate.c) asks of a joiner, and how it keeps one recording of the
 * simulated world. A joiner is driven as the analysis drives it: all losses first, then
 * the samples; it may ask for the same once more (the vector finder's pass, then the
 * joiner's).
 */
#ifndef DMA_JUDGE_H
#define DMA_JUDGE_H

#include "lib/join/join.h"
#include "tests/gen/world.h"

struct err;

/* What is said of one transfer, each with a certainty of its own. */
enum judge_fact {
	FACT_END,	/* which wait ended it: woken_seq */
	FACT_INTERRUPT, /* which interrupt, or that it had none: irq_seq */
	FACT_COALESCED, /* how many that interrupt ended */
	FACT_STATE,
	FACT_N
};

struct judge_said {
	const struct transfer *t;
	/* A fact that is not certain is not said, whatever stands in t. */
	bool certain[FACT_N];
	/* That what stands in t is right; negative = the joiner gives none. It is looked
	 * at for facts that are not certain, too. */
	double probability[FACT_N];
};

/* Of a channel whose vector had to be found. */
enum { JUDGE_NONE = -1, JUDGE_UNCLEAR = -2 };

struct judge_sink {
	void *arg;
	void (*transfer)(void *arg, const struct judge_said *s);
	/* The vector that ends the channel's transfers, JUDGE_NONE or JUDGE_UNCLEAR. Only
	 * where it was to be found, before the first transfer. */
	void (*vector)(void *arg, int64_t channel, int32_t irq);
};

struct judge_task {
	/* Named: the vector of each channel (none = masked). To be found: NULL. */
	const struct join_vector *named;
	size_t nnamed;
	bool find;
	/* All vectors of the host and how often each fired during the recording. */
	const int32_t *irq;
	const int64_t *irq_count;
	size_t nirq;
	bool ended;	 /* the workload ended before the recording did */
	bool from_start; /* the recorder started it */
	const struct world_options *world; /* for the oracle alone */
	const struct judge_sink *sink;
};

struct judge_joiner {
	const char *name;
	int (*new)(void **j, const struct judge_task *t, struct err *e);
	int (*push)(void *j, const struct sample *s, struct err *e);
	int (*loss)(void *j, int32_t cpu, int64_t from_ns, int64_t to_ns, struct err *e);
	/* 1 = everything once more, losses first; 0 = done; negative = failed. */
	int (*finish)(void *j, struct err *e);
	void (*free)(void *j);
};

extern const struct judge_joiner judge_joiner_now;   /* joiner_now.c */
extern const struct judge_joiner judge_joiner_align; /* joiner_align.c */
extern const struct judge_joiner judge_oracle;	     /* oracle.c */

/* ---- a recording (recording.c) ---- */

struct loss_window {
	int32_t cpu;
	int64_t from_ns, to_ns;
};

struct recording {
	struct world_options o;
	struct sample *sample;
	struct loss_window *loss;
	struct world_truth *truth;
	size_t nsample, nloss, ntruth;
	uint32_t *of_seq; /* submit's seq -> index of its truth + 1 */
	size_t nseq;
	size_t nirq;
	int32_t *irq;
	int64_t *irq_count;
	bool nomem;
};

int recording_make(struct recording *r, const struct world_options *o, struct err *e);
void recording_release(struct recording *r);
const struct world_truth *recording_truth(const struct recording *r, int64_t submit_seq);
/* The whole of it through a joiner. */
int recording_judge(const struct recording *r, const struct judge_joiner *j, bool find,
		    const struct judge_sink *sink, struct err *e);
/* The events between two samples, one a line, with the truth beside the starts. */
void recording_print(const struct recording *r, int64_t from_seq, int64_t to_seq);

#endif
