/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Dynamic events in tracefs' uprobe_events and kprobe_events, in a group of this process's own
 * (dmarec_PID; dmarec_PID_NAMESPACE within a container, where another one may have the
 * same PID). What a killed dmarec left behind is removed at the next start by one that
 * can see that it is gone; a living one's is left alone.
 */
#ifndef DMA_PROBES_H
#define DMA_PROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct probes;

/* Where tracefs is mounted. NULL with an error that says how to mount it. Not to be
 * freed. */
const char *tracefs_find(struct err *e);

/* Finds tracefs and removes groups of dead recorders. On failure *p is NULL. */
int probes_open(struct probes **p, struct err *e);

/* Define one event at `offset` in the file. args: "channel=%di:u32 size=%dx:u64", may be
 * "". is_return: a uretprobe. *id: the event's number for perf. */
int probes_add(struct probes *p, bool is_return, const char *event, const char *path,
	       uint64_t offset, const char *args, uint32_t *id, struct err *e);

/* The same at the entry of a function of the kernel, "FUNCTION" or "MODULE:FUNCTION". */
int probes_add_kernel(struct probes *p, const char *event, const char *function,
		      const char *args, uint32_t *id, struct err *e);

/* Another process that has a copy of p adds an event of this name: it is removed with ours. */
int probes_remember(struct probes *p, const char *event, struct err *e);

const char *probes_group(const struct probes *p);
int probes_fd(const struct probes *p); /* by which it writes */

/* Remove every event of ours; perf's file descriptors must be closed before. NULL is
 * fine. */
int probes_close(struct probes *p, struct err *e);

/* The number of a tracepoint, "irq/irq_handler_entry". */
int tracepoint_id(const char *event, uint32_t *id, struct err *e);

/* The group of a line of uprobe_events, if it is a recorder's: its pid; 0 = not one's.
 * *space: of which PID namespace (0 = the first one, else its inode). *event:
 * "GROUP/NAME", within the line, *len bytes. Pure. */
int probes_owner(const char *line, uint64_t *space, const char **event, size_t *len);

#endif
