/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's filter of interrupts, by what it leaves out. Pure. */
#ifndef DMA_IRQFILTER_H
#define DMA_IRQFILTER_H

#include <stddef.h>
#include <stdint.h>

enum {
	/* kernel/events/core.c takes a page, its NUL included; 4096 bytes is the least */
	IRQ_FILTER_BYTES = 4096,
	IRQ_FILTER_NUMBERS = 65536, /* the BPF program's bit map; those above pass */
};

/* The two tracepoints of a handler: irq_handler_entry, irq_handler_exit. */
enum irq_side { IRQ_ENTRY, IRQ_EXIT, IRQ_SIDES };

extern const char *const irq_tracepoint[IRQ_SIDES]; /* "irq/irq_handler_entry" */

/* What is recorded of one of them. */
struct irq_wanted {
	uint32_t event;	      /* the tracepoint's id; 0 = nothing is recorded */
	const int32_t *never; /* interrupts that are left out, ascending; more may come */
	size_t n;
};

/* "irq!=3&&(irq<28||irq>43)": passes every number but these, ascending. *used: how many of
 * them found room; the others pass. malloc'ed; "" when all pass; NULL = no memory. */
char *irq_filter(const int32_t *exclude, size_t n, size_t *used);

#endif
