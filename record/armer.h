/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Probes that are defined while the recording runs. By then the recorder has given root's
 * rights away, and only root may define a uprobe or read what the kernel says of it. So a
 * process of its own keeps them, begun before: it defines events of this recording's group and
 * reads their formats, nothing else, and it ends with the recorder.
 */
#ifndef DMA_ARMER_H
#define DMA_ARMER_H

#include <stdint.h>
#include <sys/types.h>

struct armer;
struct err;
struct plan_probe;
struct probes;

/* p must outlive it. */
int armer_new(struct armer **a, struct probes *p, struct err *e);
/* Waits for the process's end. NULL is fine. */
void armer_free(struct armer *a);
/* A child of ours that is none of the workload's. */
pid_t armer_pid(const struct armer *a);

/* Define the probe's event. *id: its number for perf; *format: what tracefs says of it,
 * malloc'ed. */
int armer_add(struct armer *a, const struct plan_probe *q, uint32_t *id, char **format,
	      struct err *e);

#endif
