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
#define LISTS 2 /* with rings of their own: uprobes, interrupts */

struct session {
	struct perf_cpu_map *cpus;
	struct perf_thread_map *tasks, *everything;
	struct perf_evlist *uprobes, *interrupts; /* with rings */
	struct perf_evlist *counters;		  /* without */
	struct perf_evlist *holders;		  /* see hold_probes() */
	struct perf_evlist *anchors;		  /* see anchor() */
	bool *start;				  /* of the uprobes */
	struct perf_evsel **event; /* in the order of the file; NULL = in the process */
	struct perf_event_attr *inside; /* of those */
	uint64_t *inside_id, *first_ids;
	struct perf_evsel
		*follower; /* tells of tasks and mappings; NULL = event 0 does */
	size_t nevent;
	struct perf_evsel *counter;
	struct irqfeed *feed; /* NULL with FEED_PERF */
	enum irq_feed feed_used;
	char feed_note[256];
	uint32_t irq_event;
	size_t nexcluded; /* of the options' no_irq, those that the filter has room for */
	size_t ring_bytes;
	bool has_irq;
	/* With the feed: what perf's count is ahead of the feed's by, from before its
	 * gate was opened; and how many interrupts the feed did not see (another
	 * program's perf event on the same tracepoint can make the kernel skip it). */
	int64_t irq_ahead, irq_missed;
};

size_t session_ids_of(const struct session *s, size_t i, const uint64_t **ids);

#endif
