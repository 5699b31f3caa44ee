/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line of dmarec: the table of its options, and what they say. */
#ifndef DMA_OPTIONS_H
#define DMA_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/host/rights.h"
#include "record/recording.h"
#include "record/watch/watch_ask.h"

#define TOOL "dmarec"

/* Texts of options that may come again, as they were given. */
struct words {
	const char **v;
	size_t n;
};

struct options {
	struct recording_options rec;
	struct words library, start, transfer, wait, stop, device, pci, process;
	struct words counter_file;
	const char *profile, *user, *report;
	int64_t *irq;
	size_t nirq;
	enum exit_probes exits;
	bool dry_run, list, json, interleave, as_root;
	const char *label[2];
	int nlabel;
	int64_t runs; /* of each command */
	bool top;     /* everyone, shown as by --live */
	struct user invoking, run_as;
	struct watch_ask watch;
	struct words count;
};

/* Fills *o from the command line. What cannot be read is said on standard error and ends
 * the program with EXIT_USAGE; so do --help and --version, with EXIT_OK. argv stays in use. */
void options_parse(struct options *o, int argc, char **argv);

/* What the options say together: ERR_USAGE. */
int options_check(const struct options *o, struct err *e);

void options_release(struct options *o);

#endif
