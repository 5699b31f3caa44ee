/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the four command lines share: colour, progress, version, exit codes. The only part
 * of lib/ that may write to a terminal, and only through these calls from a main file.
 */
#ifndef DMA_CLI_H
#define DMA_CLI_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

#define DMA_VERSION "0.1.0"

struct err;

/* "dmarec: error: TEXT" in the form all tools share, on standard error. warn and note
 * likewise. */
void cli_error(const char *tool, const struct err *e);
void cli_warn(const char *tool, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void cli_note(const char *tool, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Exit status for an error: EXIT_USAGE for ERR_USAGE, else EXIT_FAILED. */
int cli_status(const struct err *e);

/* Colour is wanted on f: it is a terminal, TERM is not dumb, NO_COLOR is unset or
 * empty. */
bool cli_color(FILE *f);

/* A progress line on standard error, only on a terminal, only when it takes over a
 * second: "loading  43 %  1.2 M samples/s  3 s left". Zero-initialise; cli_progress_end()
 * wipes it. */
struct cli_progress {
	const char *what, *unit;
	uint64_t total; /* 0 = not known */
	int64_t begin_ns, last_ns;
	int wide; /* of what stands there */
};
void cli_progress_begin(struct cli_progress *p, const char *what, const char *unit,
			uint64_t total);
void cli_progress_step(struct cli_progress *p, uint64_t done,
		       uint64_t units); /* cheap when too early */
void cli_progress_end(struct cli_progress *p);

#endif
