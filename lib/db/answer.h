/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a run says, in five sentences, for whoever reads no further: which interrupt ends the
 * transfers and how sure that is; how long they take and how bad it gets; what moved; what is
 * missing; what to do next. Read from the database, so that dmaanalyze, dmareport's page and
 * --term say the same.
 */
#ifndef DMA_ANSWER_H
#define DMA_ANSWER_H

#include <stddef.h>
#include <stdint.h>

struct db;
struct err;

enum { ANSWER_SENTENCES = 5 };

struct answer {
	char interrupt[320], time[320], moved[320], missing[240],
		next[480]; /* "" = none */
};

/* A run that was analysed. */
int answer_read(struct answer *a, struct db *db, int64_t run, struct err *e);

/* Sentence i, 0 .. ANSWER_SENTENCES - 1, in the order above. */
const char *answer_sentence(const struct answer *a, int i);

#endif
