/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An event of a counting unit (PMU), as perf writes it: PMU/EVENT/, PMU/term=value,.../, or
 * the name of a software event. What the words mean the kernel says in
 * /sys/bus/event_source/devices (sysfs-bus-event_source-devices-format), so that a unit
 * nobody had heard of when this was written can be counted. Every path begins at `root`.
 */
#ifndef DMA_COUNT_EVENT_H
#define DMA_COUNT_EVENT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct err;

enum { COUNT_CONFIGS = 4 }; /* config, config1 .. config3 of perf_event_attr */

struct count_event {
	char *text, *pmu;
	char *unit; /* as sysfs says: "MiB"; NULL = a plain number */
	double scale;
	uint32_t type;
	uint64_t config[COUNT_CONFIGS];
	int64_t *cpu; /* on which it is counted; n 0 = on each */
	size_t ncpu;
};

int count_event_parse(struct count_event *ev, const char *root, const char *text,
		      struct err *e);
void count_event_release(struct count_event *ev);

/* Of this machine's units those that are known to count DMA: what each counts, and by which
 * words its events are told. As text, and as a JSON array. */
int count_list(const char *root, FILE *out, struct err *e);
int count_list_json(const char *root, FILE *out, struct err *e);

#endif
