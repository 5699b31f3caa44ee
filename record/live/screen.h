/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lower lines of a terminal that somebody else writes to as well: they are kept out of
 * the scrolling region, so that the workload's lines scroll above them, and every painting
 * is one write that leaves the cursor where it was. (As apt does it for its progress.)
 */
#ifndef DMA_RECORD_LIVE_SCREEN_H
#define DMA_RECORD_LIVE_SCREEN_H

#include <stdbool.h>

struct screen {
	int fd;
	int rows, columns; /* of the terminal */
	int kept;	   /* lines of ours; 0 = none yet */
	bool alone;	   /* no workload writes there: all lines but a few are ours */
};

/* Looks at the size. false = no terminal that can do it. */
bool screen_open(struct screen *s, int fd);

/* Has the size changed since it was painted? Then the next painting begins anew. */
bool screen_resized(struct screen *s);

/* Lines that a painting may have at most. */
int screen_room(const struct screen *s);

/* text: lines, each ended by a newline, at most screen_room() of them. */
void screen_paint(struct screen *s, const char *text);

/* The lines are given back, and the cursor stands behind what the workload wrote. */
void screen_close(struct screen *s);

#endif
