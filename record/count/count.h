/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What counting units of the machine count while a workload runs: for the whole system, read
 * every so often by a thread, as events of dmarec's own (lib/file/made.h).
 */
#ifndef DMA_COUNT_H
#define DMA_COUNT_H

#include <stddef.h>
#include <stdint.h>

struct count;
struct err;
struct meta;
struct perfdata_attr;

#define COUNT_INTERVAL_NS INT64_C(10000000)

struct count_options {
	const char *const *event; /* as --count names them */
	size_t n;
	int clockid;
};

/* Opens them all, on every CPU that each unit wants; nothing counts yet. first: how many
 * events of dmarec's own there are before. On failure nothing stays open. */
int count_open(struct count **c, const struct count_options *o, size_t first,
	       struct err *e);
void count_close(struct count *c); /* NULL is fine */

size_t count_events(const struct count *c);
void count_attr(const struct count *c, size_t i, struct perfdata_attr *attr);
const char *count_format(const struct count *c, size_t i);
int count_tell(const struct count *c, struct meta *m, struct err *e);

int count_start(struct count *c, struct err *e);
int count_drain(struct count *c,
		int (*put)(void *arg, const void *buf, size_t len, struct err *e),
		void *arg, struct err *e);
/* Reads them for the last time. */
void count_stop(struct count *c);
/* Readings of an event. */
uint64_t count_readings(const struct count *c, size_t i);

#endif
