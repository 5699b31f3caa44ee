/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events that the recorder makes itself: readings of registers and the like, which no
 * tracepoint tells of. In the file they are tracepoints all the same, with a number, a
 * format in the tracing data and samples, so that perf's tools print them and no reader
 * of ours sees a difference.
 *
 * Their numbers are counted down from the last that the kernel has for its own events
 * (16 bits: the field common_type), which it counts up from the first; their group is
 * "dmarec".
 */
#ifndef DMA_MADE_H
#define DMA_MADE_H

#include <linux/perf_event.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define MADE_GROUP "dmarec"

/* Number of the i-th of them in the trace, and the id of its samples: none of the kernel's,
 * which counts its ids up from 0. */
#define MADE_TYPE(i) (UINT32_C(65535) - (uint32_t)(i))
#define MADE_ID(i)   (UINT64_C(0x646d6d0000000000) + (i))
/* Ids from here on are the recorder's ("dm"; SESSION_INSIDE_ID() too), those below the kernel's. */
#define IDS_OF_OURS  UINT64_C(0x646d000000000000)

/* A number of an event's. */
struct made_field {
	const char *type; /* u32, s32, u64, s64 */
	const char *name;
};

/* An attribute of perf_event_open(), or in place of one: samples of that trace event's number,
 * on that clock. */
struct perf_event_attr made_attr(uint32_t type, int32_t clockid);

/* The text that tracefs has in events/GROUP/NAME/format for an event with these fields, in
 * their order and each aligned to its size; malloc'ed, NULL = no memory. */
char *made_format(const char *name, uint32_t type, const struct made_field *field,
		  size_t n);

/* Room for a sample with `len` bytes of fields. */
enum { MADE_HEAD = 60 };
#define MADE_SIZE(len) ((MADE_HEAD + (len) + 7) & ~(size_t)7)

/* The record of a sample, into at least MADE_SIZE(len) bytes; returns its size. fields: as
 * the format lays them out, behind the common ones. */
size_t made_sample(void *to, uint64_t id, uint32_t type, int64_t time_ns, int32_t pid,
		   int32_t tid, int32_t cpu, const void *fields, size_t len);

#endif
