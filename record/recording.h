/* SPDX-License-Identifier: GPL-2.0-only */
/* One recording, from armed probes to a finished file. */
#ifndef DMA_RECORDING_H
#define DMA_RECORDING_H

#include "record/counters.h"
#include "record/host/irqmap.h"
#include "record/host/rights.h"
#include "record/inside.h"
#include "record/live/live.h"
#include "record/plan.h"
#include "record/session.h"
#include "record/count/count.h"
#include "record/watch/watch.h"

struct err;
struct irq_choice;

struct recording_options {
	const char *output;		/* NULL = no file: what comes is only shown */
	const char *label, *clock_name; /* label NULL = none */
	char **argv;			/* the command; NULL with pids */
	pid_t *pid;			/* of those that run already; none with argv */
	size_t npid;
	bool everyone; /* all processes, in place of both, until a signal */
	pid_t *before; /* ... and those whose files were looked for already */
	size_t nbefore;
	bool leave_running; /* the command, when duration_ns is over */
	int clockid;
	int64_t duration_ns; /* 0 = to the end of the command */
	size_t ring_bytes;
	int64_t rotate_ns;   /* a new part begins after so long; 0 = never */
	uint64_t part_bytes; /* or when a part has so much; 0 = never */
	enum irq_feed feed;
	enum probes_how probes;
	enum exit_probes exits; /* as the plan was made with */
	struct plan *plan;	/* what the agent's trial refuses is changed in it */
	const struct profile *profile;
	char *const *searched; /* files that were looked into */
	size_t nsearched;
	const struct irqmap *map;
	const int32_t *irq;		 /* ascending */
	size_t nirq, nshared;		 /* of those, may be several devices' */
	const struct irq_choice *choice; /* by which those are, and those that come */
	int verbosity;			 /* -1 quiet, 0, 1 verbose */
	bool in_series; /* what comes next is said once, at the end of all */
	char **cmdline;
	struct counter_files
		counter_files;	     /* outside /proc and /sys; named by the user */
	const struct user *invoking; /* the recording's owner */
	const struct user *run_as;   /* the workload's; NULL = as dmarec runs */
	struct live_options live;
	bool kernel_addresses;	    /* of the code that took an interrupt */
	struct watch_options watch; /* n 0 = no register is read */
	struct count_options count; /* n 0 = nothing is counted */
};

/* Returns the exit status for dmarec: the workload's own, 126 or 127, or 1 with *e
 * filled. */
int recording_run(const struct recording_options *o, struct err *e);

#endif
