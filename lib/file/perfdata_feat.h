/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Feature sections in perf's layout (tools/perf/util/header.c), for the recorder. Each
 * function gives a section whose buf is malloc'ed and belongs to the caller; negative =
 * error, and then buf is NULL.
 */
#ifndef DMA_PERFDATA_FEAT_H
#define DMA_PERFDATA_FEAT_H

#include "lib/file/perfdata.h"

/* HOSTNAME, OSRELEASE, VERSION, ARCH, CPUDESC, CPUID: one string. */
int feat_string(struct perfdata_section *s, unsigned feat, const char *text,
		struct err *e);

/* CMDLINE: a NULL-terminated vector. */
int feat_cmdline(struct perfdata_section *s, const char *const *argv, struct err *e);

int feat_nrcpus(struct perfdata_section *s, uint32_t available, uint32_t online,
		struct err *e);

/* EVENT_DESC: attributes, names and ids as they are given to perfdata_create(). */
int feat_event_desc(struct perfdata_section *s, const struct perfdata_attr *attrs,
		    size_t nattrs, struct err *e);

/* SAMPLE_TIME: of the first and the last sample. */
int feat_sample_time(struct perfdata_section *s, int64_t first_ns, int64_t last_ns,
		     struct err *e);

/* CLOCKID: the clock's resolution (clock_getres). */
int feat_clockid(struct perfdata_section *s, uint64_t resolution_ns, struct err *e);

/* CLOCK_DATA: see perfdata_clock(). */
int feat_clock_data(struct perfdata_section *s, const struct perfdata_clock *c,
		    struct err *e);

#endif
