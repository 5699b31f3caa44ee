/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The probes of a recording that are armed in the process: the agent's trial before it,
 * its hits as the samples that a uprobe of the same event would have written, and what
 * became of it in each process of the workload.
 */
#ifndef DMA_INSIDE_H
#define DMA_INSIDE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "record/plan.h"

struct err;
struct inside;

enum probes_how { PROBES_AUTO, PROBES_PROCESS, PROBES_KERNEL };

/* Tries the agent on the command. What it refuses becomes a uprobe in the plan, with the
 * reason. *out is NULL when nothing is left for the process. */
int inside_open(struct inside **out, struct plan *p, char *const *argv, int clockid,
		size_t ring_bytes, struct err *e);
void inside_close(struct inside *in); /* NULL is fine */

const char *inside_library(const struct inside *in);
int64_t inside_cost_ns(const struct inside *in); /* of one hit, measured in the trial */
/* Readable when the rings want to be read. */
int inside_fd(const struct inside *in);

/* event_id: the trace events' numbers, as probes.h gave them. */
int inside_enable(struct inside *in, const uint32_t *event_id, struct err *e);
void inside_disable(struct inside *in);

/* The samples that lie in the rings, as whole records. *whole: none is still on its way
 * that began earlier. last: after inside_disable(), waits for those. */
int inside_drain(struct inside *in, bool last,
		 int (*put)(void *arg, const void *buf, size_t len, struct err *e),
		 void *arg, bool *whole, struct err *e);

/* Hits of a probe of the plan, as the agents counted them; what they lost themselves. */
uint64_t inside_counted(const struct inside *in, size_t probe, uint64_t *lost);

/* A record of the kernel's (MMAP2): a process has mapped a file with code. */
void inside_mapped(struct inside *in, int32_t pid, const char *path);
/* Afterwards: sentences about processes whose probes were not armed. malloc'ed text;
 * NULL = all were. */
char *inside_unarmed(struct inside *in);
/* Why hits of some process were lost though rings had room; NULL = none were. */
const char *inside_ringless(const struct inside *in);

#endif
