/* SPDX-License-Identifier: GPL-2.0-only */
/* The histogram and the summary in a terminal. */
#ifndef REPORT_TERM_H
#define REPORT_TERM_H

#include <stdbool.h>
#include <stdio.h>

struct answer;
struct report;

struct term_look {
	int width; /* columns; at least 40 */
	bool color, ascii;
};

/* What the terminal behind f can show: COLUMNS, its size, NO_COLOR, the locale (which
 * must be set). */
void term_look(struct term_look *look, FILE *f, bool ascii);
/* a: what the run says (lib/db/answer.h). */
void term_print(FILE *f, const struct report *r, const struct answer *a,
		const struct term_look *look);

#endif
