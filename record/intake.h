/* SPDX-License-Identifier: GPL-2.0-only */
/* From the rings to the file, and what is learned on the way: how many samples of each
 * event, how many were lost, when the first and the last was, which descriptors they
 * name. */
#ifndef DMA_INTAKE_H
#define DMA_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/file/perfdata.h"

struct descriptors;
struct err;
struct inside;
struct session;

enum { MAX_PROCESSES = 4096 };

struct intake_process {
	int32_t pid;
	char name[16]; /* "" = never told */
	uint64_t starts;
};

/* Who makes samples beside the kernel and the agents. */
struct intake_feed {
	int (*drain)(void *arg,
		     int (*put)(void *to, const void *buf, size_t len, struct err *e),
		     void *to, struct err *e);
	void *arg;
};

enum { INTAKE_FEEDS = 4 };

struct intake {
	struct intake_feed feed[INTAKE_FEEDS];
	size_t nfeed;
	struct perfdata_writer *file;	 /* NULL = none: what comes is only counted */
	struct descriptors *descriptors; /* NULL = not wanted */
	int clockid;			 /* of the samples */
	uint64_t *delivered;		 /* samples of each event */
	uint64_t lost;			 /* by LOST records */
	uint64_t first_ns, last_ns;	 /* of the samples; last 0 = none */
	struct inside *inside;		 /* probes in the process; NULL = none */
	/* Of each process: how often it started a transfer, by the samples. Those beyond
	 * MAX_PROCESSES are not told apart. */
	struct intake_process *process;
	size_t nprocess;
	const bool *starts; /* of each event: is it a start? NULL = none is */
	/* its own */
	int64_t drained_ns; /* the rings were last read from then on */
	struct intake_slot *slot;
	size_t nslot, nevent, last_process;
	unsigned torn; /* times in a row that a hit was under way */
};

/* For events with these ids; the fields above `its own` are the caller's to set, but for
 * what is counted. */
int intake_open(struct intake *in, const struct perfdata_attr *attr, size_t n,
		struct err *e);

/* Everything that lies in the rings, then FINISHED_ROUND. last: all is disabled. */
int intake_drain(struct intake *in, struct session *s, bool last, struct err *e);

/* Abandons the file, frees the descriptors. */
void intake_close(struct intake *in);

#endif
