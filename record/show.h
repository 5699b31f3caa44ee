/* SPDX-License-Identifier: GPL-2.0-only */
/* dmarec --report: what the other tools say of a recording, in one command. */
#ifndef DMA_SHOW_H
#define DMA_SHOW_H

#include <stdbool.h>

struct err;
struct user;

/* The folder, the user's own when it is new, and the recording in it: *recording and *database
 * are malloc'ed. */
int show_begin(const char *dir, const struct user *owner, char **recording,
	       char **database, struct err *e);

/* Runs dmaanalyze and dmareport, those beside this program, with its rights. ERR_IO when one of
 * them ends otherwise than with 0; it has said why. */
int show_run(const char *dir, const char *recording, const char *database, bool quiet,
	     struct err *e);

#endif
