/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The events of the kernel that a profile names, as perf takes them: tracepoints by their
 * number, functions as kprobes of a group of ours (record/probes.h).
 */
#ifndef DMA_KERNEL_EVENTS_H
#define DMA_KERNEL_EVENTS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct err;
struct kernel_spec;
struct meta;
struct probes;
struct profile;

struct kernel_event {
	const struct kernel_spec *spec; /* the profile's */
	char *path;  /* "block/block_rq_issue", within tracefs' events */
	uint32_t id; /* for perf */
};

struct kernel_events {
	struct kernel_event *event;
	size_t n;
	char *absent; /* which optional ones this kernel lacks, and why; NULL = none */
};

/* Defines the kprobes, and looks the tracepoints up. What it has is released by
 * kernel_events_release(), also on failure; the kprobes go with p. */
int kernel_events_add(struct kernel_events *k, const struct profile *prof,
		      struct probes *p, struct err *e);
void kernel_events_release(struct kernel_events *k);

/* Behind the events that m has already. */
int kernel_events_tell(const struct kernel_events *k, struct meta *m, struct err *e);

/* What --dry-run says of a profile's. */
void kernel_events_print(const struct profile *prof, FILE *out);

/* The kprobe's arguments: "key=%di:u64 size=+8(%si):u32". malloc'ed. */
char *kernel_args(const struct kernel_spec *spec, const char *arch, struct err *e);

/* Is it one function of the kernel, by the text of /proc/kallsyms? 0, or why not. */
int kernel_find(FILE *kallsyms, const char *function, struct err *e);

#endif
