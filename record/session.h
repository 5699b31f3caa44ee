/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The perf events of a recording: opens them, maps their rings, hands out what lies in
 * the rings, reads the kernel's counts. The only user of libperf.
 *
 * Lists of events, each with one ring for every CPU: the uprobes follow the workload's
 * tasks and whatever they create, or hit in every process; the interrupt is system-wide, and so are events of the
 * kernel. So a storm of interrupts cannot push out starts.
 *
 * The interrupt comes by one of two feeds (FIELD: perf's own samples from an idle CPU may
 * vanish): FEED_PERF  the tracepoint's own samples, kernel filter on the numbers FEED_BPF
 * a BPF program writes the same records into PERF_COUNT_SW_BPF_OUTPUT events; in the file
 *              their attribute is the tracepoint's, so that no reader sees a difference
 * Either way the tracepoint is also counted, with the same filter, by an event that takes
 * no samples.
 */
#ifndef DMA_SESSION_H
#define DMA_SESSION_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "record/irqfilter.h"

struct err;
struct pollfd;
struct session;

enum irq_feed { FEED_AUTO, FEED_BPF, FEED_PERF };

struct session_options {
	const pid_t *pid; /* tasks to follow; at least one */
	size_t npid;
	bool attach;	 /* they run already */
	bool everyone;	 /* not those: all tasks of the system, also later ones */
	int32_t clockid; /* CLOCK_MONOTONIC, ... */
	/* For each CPU, of the uprobes and again of the interrupts; 0 = 16 MiB, or what
	 * fits into 256 MiB for all, and less when the system says no. */
	size_t ring_bytes;
	enum irq_feed feed;
	/* Of each tracepoint; exits only with entries. */
	struct irq_wanted irq[IRQ_SIDES];
	const uint32_t *uprobe; /* ids of trace events */
	size_t nuprobe;
	/* of each uprobe: wake the recorder at every sample; NULL = none */
	const bool *wake;
	/* of each uprobe: a start of transfers, enabled when all others are; NULL = none */
	const bool *start;
	/* Those that are armed in the process: no event of perf's, but an attribute and
	 * an id for the file. NULL = none. */
	const bool *inside;
	/* ids of further trace events, of the whole system: the driver's */
	const uint32_t *kernel;
	size_t nkernel;
	/* Another session, which outlives this one: into its rings goes what comes, and it tells
	 * the names of tasks, who begot whom and what is mapped. NULL = none. */
	const struct session *into;
	/* of the kernel's code that took the interrupt, in its samples */
	bool kernel_addresses;
};

/* The id of event i, when it is armed in the process: no number of the kernel's. */
#define SESSION_INSIDE_ID(i) (UINT64_C(0x646d610000000000) + (i))

/* Bytes of each ring where nothing is asked for: of so many CPUs, each with so many lists of events. */
size_t session_default_ring(size_t ncpu, size_t lists);

/* Open and map everything, nothing enabled yet. On failure nothing stays open, and the
 * error says what to do. */
int session_open(struct session **s, const struct session_options *o, struct err *e);
void session_close(struct session *s); /* NULL is fine */

/* Events in the order of the file: the uprobes as given, then the interrupt's entry and exit
 * (those that are wanted), then those of the kernel. ids are owned by the session. */
size_t session_nevents(const struct session *s);
size_t session_first_irq(const struct session *s);
/* From now on, as far as the feed can, without the exits of this interrupt. */
int session_leave_exits(struct session *s, int32_t irq, struct err *e);
void session_event(const struct session *s, size_t i, struct perf_event_attr *attr,
		   const uint64_t **ids, size_t *nids);

/* The feed in use, and in auto mode why it is not BPF (NULL = it is). */
enum irq_feed session_feed(const struct session *s);
const char *session_feed_note(const struct session *s);

/* Whatever can end a transfer is enabled before what starts one: a start that is seen has
 * nothing of its end unseen. */
int session_enable(struct session *s, struct err *e);
int session_disable(struct session *s, struct err *e);

/* Wait until a ring fills up to a quarter, one of the `extra` descriptors is ready, or
 * timeout_ms is over. The revents of extra are filled in. */
int session_wait(struct session *s, struct pollfd *extra, size_t nextra, int timeout_ms,
		 struct err *e);

/* Hand out everything that lies in the rings, in pieces that are whole records; a
 * negative return of `put` stops it. *bytes is how much there was. */
int session_drain(struct session *s,
		  int (*put)(void *arg, const void *buf, size_t len, struct err *e),
		  void *arg, uint64_t *bytes, struct err *e);

/* A number that grows with each sample in the rings of the uprobes; from any thread. */
uint64_t session_activity(const struct session *s);

/* After session_disable: the kernel's count of each event; not for those that are armed in
 * the process. For the interrupt with FEED_BPF it is what the program saw under the same gate
 * as its output, and what perf's own count of the tracepoint shows that it did not see
 * (for exits only while session_leave_exits() was not asked for anything). */
int session_count(struct session *s, size_t event, uint64_t *counted, struct err *e);

/* Cost of one interrupt sample, measured while recording; DMA_UNKNOWN with FEED_PERF. */
int64_t session_irq_cost_ns(const struct session *s);

#endif
