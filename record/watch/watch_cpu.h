/* SPDX-License-Identifier: GPL-2.0-only */
/* On which CPU the registers are read. */
#ifndef DMA_WATCH_CPU_H
#define DMA_WATCH_CPU_H

#include <stdbool.h>
#include <sys/types.h>

struct err;

struct watch_place {
	int cpu;
	bool shared; /* the workload may run there too */
	bool alone;  /* ... and has no other */
};

/* One of the card's own node (bdf; NULL = any), if possible one that the workload never
 * runs on. asked: this one, -1 = any. */
int watch_choose_cpu(struct watch_place *p, const char *root, const char *bdf, int asked,
		     pid_t workload, struct err *e);

#endif
