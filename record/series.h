/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Several recordings of one command, or of two in turns (a b, b a, a b, ...): what changes
 * from run to run then stands in the data, and what drifts meets both alike. Each is recorded
 * by a process of its own, so that one leaves nothing behind for the next.
 */
#ifndef DMA_SERIES_H
#define DMA_SERIES_H

#include <stdbool.h>
#include <stddef.h>

struct err;

enum { SERIES_MOST = 999 };

struct series {
	int runs;	      /* of each command */
	char **command[2];    /* argv; [1] NULL = one command; both NULL with a process */
	const char *label[2]; /* NULL = none */
	const char *output;   /* "dma.data" gives dma-LABEL-1.data, or dma-1.data */
};

/* Cuts argv at the word "--vs": its second command, NULL = there is none. */
char **series_cut(char **argv);

/* The file of a run, malloc'ed; a label's characters other than letters, digits, dot and
 * hyphen become '_'. NULL = no memory. */
char *series_output(const struct series *s, int side, int run);

/* In the order of the recordings: which side comes at step 0 .. runs * sides - 1. */
int series_side(const struct series *s, int step);

/* record() runs in a child and gives its exit status. Ends early on Ctrl-C, and at the first
 * status that is not 0, which is returned. *made = recordings that were begun. */
int series_run(const struct series *s,
	       int (*record)(void *arg, char **command, const char *label,
			     const char *output),
	       void *arg, int *made, struct err *e);

#endif
