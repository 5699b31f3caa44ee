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
struct late;
struct newcomers;
struct session;
struct threads;

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

/* Who else sees every piece, and the end of every round, after the file. */
struct intake_tap {
	void *arg;
	int (*put)(void *arg, const void *buf, size_t len,
		   struct err *e); /* NULL = nobody */
	void (*round)(void *arg);
};

struct intake {
	struct intake_feed feed[INTAKE_FEEDS];
	size_t nfeed;
	struct perfdata_writer *file; /* NULL = none: what comes is only counted */
	/* What is not earlier than split_ns goes there instead: intake_split(). NULL = all
	 * goes to file. */
	struct perfdata_writer *next;
	int64_t split_ns;
	uint64_t *in_next; /* of each event: samples that went there */
	struct intake_tap tap;
	struct descriptors *descriptors; /* NULL = not wanted */
	struct newcomers *newcomers;	 /* NULL = every interrupt is wanted */
	size_t irq_event,
		nirq_event; /* of interrupts: their entries', and their exits' */
	/* What was sampled outside of these, while events were armed and disarmed one
	 * after another, does not count. */
	int64_t begin_ns, end_ns;
	int clockid;		    /* of the samples */
	uint64_t *delivered;	    /* samples of each event */
	uint64_t *left_out;	    /* early and unwanted ones, not in the file */
	uint64_t lost;		    /* by LOST records */
	uint64_t first_ns, last_ns; /* of the samples; last 0 = none */
	struct late *late;	    /* NULL = not wanted */
	struct inside *inside;	    /* probes in the process; NULL = none */
	/* Of each process: how often it started a transfer, by the samples. Those beyond
	 * MAX_PROCESSES are not told apart. */
	struct intake_process *process;
	size_t nprocess;
	const bool *starts; /* of each event: is it a start? NULL = none is */
	/* NULL = every thread is trusted. Else the samples of others, of the first nprobe
	 * events, are left out. */
	struct threads *threads;
	size_t nprobe;
	uint64_t untrusted; /* those samples, also counted in left_out */
	/* its own */
	int64_t drained_ns; /* the rings were last read from then on */
	struct intake_slot *slot;
	size_t nslot, nid, nevent, last_process;
	struct intake_held *held; /* of threads whose beginning was not seen yet */
	size_t nheld;
	uint64_t pass; /* of draining */
	unsigned torn; /* times in a row that a hit was under way */
};

/* For events with these ids; the fields above `its own` are the caller's to set, but for
 * what is counted. */
int intake_open(struct intake *in, const struct perfdata_attr *attr, size_t n,
		struct err *e);

/* More events, numbered from in->nevent on; starts: of all, as in->starts. */
int intake_add(struct intake *in, const struct perfdata_attr *attr, size_t n,
	       const bool *starts, struct err *e);

/* From now on there are two files; what comes goes where its time belongs. next is taken. */
void intake_split(struct intake *in, struct perfdata_writer *next, int64_t at_ns);
/* Can nothing come any more that belongs into the first? */
bool intake_is_split(const struct intake *in);

/* Everything that lies in the rings, then FINISHED_ROUND. last: all is disabled. */
int intake_drain(struct intake *in, struct session *s, bool last, struct err *e);

/* Of a whole record; 0 = it has none. */
int64_t intake_time(const struct intake *in, const void *record, size_t size);

/* Samples of each event among whole records, added to count. */
void intake_count(const struct intake *in, const void *buf, size_t len, uint64_t *count);

/* Abandons the file, frees the descriptors. */
void intake_close(struct intake *in);

#endif
