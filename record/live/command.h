/* SPDX-License-Identifier: GPL-2.0-only */
/* The command of --on-trigger. */
#ifndef DMA_RECORD_LIVE_COMMAND_H
#define DMA_RECORD_LIVE_COMMAND_H

#include <signal.h>

struct err;

/* Runs it by sh -c, with DMAREC_FILE and DMAREC_TRIGGER in its environment and the signal
 * mask given, and waits for its end. Negative: it could not be run, or failed. */
int command_run(const char *command, const char *file, const char *rule,
		const sigset_t *mask, struct err *e);

#endif
