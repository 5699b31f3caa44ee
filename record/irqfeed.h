/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The BPF side of the interrupt feed (irqfeed.bpf.c): loads the program, connects it with
 * the rings, opens and shuts its gate, and reads its own counts. The counts are taken in
 * the kernel under the same gate as the output, so "seen" is exactly what should have
 * been delivered.
 */
#ifndef DMA_IRQFEED_H
#define DMA_IRQFEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/irqfilter.h"

struct err;
struct irqfeed;

/* Load the programs for every interrupt but those that are left out (below
 * IRQ_FILTER_NUMBERS). ERR_UNSUPPORTED or ERR_PERM when this kernel does not let us. */
int irqfeed_open(struct irqfeed **f, const struct irq_wanted wanted[IRQ_SIDES],
		 struct err *e);
void irqfeed_close(struct irqfeed *f);

/* The PERF_COUNT_SW_BPF_OUTPUT event of a CPU, whose ring gets the records made there. */
int irqfeed_connect(struct irqfeed *f, enum irq_side side, int cpu, int perf_fd,
		    struct err *e);

/* Attach to the tracepoints that are wanted (gate shut). */
int irqfeed_attach(struct irqfeed *f, struct err *e);

int irqfeed_gate(struct irqfeed *f, bool open, struct err *e);

/* From now on without this interrupt's. */
int irqfeed_leave(struct irqfeed *f, enum irq_side side, int32_t irq, struct err *e);

/* Interrupts that matched while the gate was open, and those of them that the rings
 * refused. */
int irqfeed_counts(struct irqfeed *f, enum irq_side side, uint64_t *seen,
		   uint64_t *refused, struct err *e);

/* What one run of the entry's program took on average, by the kernel's own clock; DMA_UNKNOWN
 * before Linux 5.8, or when it never ran. */
int64_t irqfeed_cost_ns(struct irqfeed *f);

#endif
