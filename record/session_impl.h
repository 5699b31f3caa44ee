/* SPDX-License-Identifier: GPL-2.0-only */
/* What opening and running share. Both know libperf; nothing else does. */
#ifndef DMA_SESSION_IMPL_H
#define DMA_SESSION_IMPL_H

#include <perf/core.h>
#include <perf/cpumap.h>
#include <perf/event.h>
#include <perf/evlist.h>
#include <perf/evsel.h>
#include <perf/mmap.h>
#include <perf/threadmap.h>
#include <api/fd/array.h>
#include <internal/evlist.h>
#include <internal/evsel.h>
#include <internal/mmap.h>
#include <internal/threadmap.h>
#include <internal/xyarray.h>

#include "record/irqfeed.h"
#include "record/session.h"

#ifdef LIBPERF_STRUCT_CPU /* a struct since 5.17, see scripts/libperf.sh */
#define CPU_NUMBER(c) ((c).cpu)
#else
#define CPU_NUMBER(c) (c)
#endif
#ifdef LIBPERF_ANY_CPU /* its name since 6.8 */
#define ANY_CPU_NEW() perf_cpu_map__new_any_cpu()
#else
#define ANY_CPU_NEW() perf_cpu_map__dummy_new()
#endif
#define MIN_RING_BYTES (64u << 10)
#define LISTS	       3 /* with rings of their own: uprobes, interrupts, kernel */

/* Of one tracepoint of the interrupts'. */
struct irq_events {
	struct irq_wanted
		wanted; /* as far as the filter has room; lives with the opener */
	char *filter;
	struct perf_evsel *counter; /* takes no samples; NULL = nothing is wanted */
	/* With the feed: what perf's count is ahead of the feed's by, from before its
	 * gate was opened; and how many interrupts the feed did not see (another
	 * program's perf event on the same tracepoint can make the kernel skip it). */
	int64_t ahead, missed;
};

struct session {
	struct perf_cpu_map *cpus;
	struct perf_thread_map *tasks, *everything;
	struct perf_evlist *uprobes, *interrupts, *kernel; /* with rings */
	struct perf_evlist *counters;			   /* without */
	struct perf_evlist *holders;			   /* see hold_probes() */
	struct perf_evlist *anchors;			   /* see anchor() */
	bool *start;					   /* of the uprobes */
	struct perf_evsel **event; /* in the order of the file; NULL = in the process */
	struct perf_event_attr *inside; /* of those */
	uint64_t *inside_id, *first_ids;
	struct perf_evsel
		*follower; /* tells of tasks and mappings; NULL = event 0 does */
	size_t nevent;
	struct irqfeed *feed; /* NULL with FEED_PERF */
	enum irq_feed feed_used;
	char feed_note[256];
	struct irq_events irq[IRQ_SIDES];
	size_t first_irq, first_kernel; /* in event */
	bool everyone;			/* uprobes hit in every process */
	bool leaves_exits; /* the feed's filter of exits is not the counter's any more */
	size_t ring_bytes;
};

size_t session_ids_of(const struct session *s, size_t i, const uint64_t **ids);

/* ---- session_list.c ---- */
struct perf_event_attr session_tracepoint(uint32_t id, int32_t clockid);
int session_add(struct session *s, struct perf_evlist *list, struct perf_event_attr *attr,
		struct perf_evsel **out, struct err *e);
int session_open_list(struct perf_evlist *list, struct perf_cpu_map *cpus,
		      struct perf_thread_map *threads, struct err *e);
int session_map_list(struct session *s, struct perf_evlist *list, bool may_shrink,
		     struct err *e);
void session_close_list(struct perf_evlist **list);

/* ---- session_irq.c ---- */
int session_open_interrupts(struct session *s, const struct session_options *o,
			    struct err *e);
/* The feed's gate, and what it did not see meanwhile. */
int session_gate(struct session *s, bool open, struct err *e);
void session_close_interrupts(struct session *s);
int session_read_count(const struct session *s, struct perf_evsel *event, uint64_t *sum,
		       struct err *e);
int session_count_irq(struct session *s, enum irq_side side, uint64_t *counted,
		      struct err *e);

#endif
