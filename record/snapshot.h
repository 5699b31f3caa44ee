/* SPDX-License-Identifier: GPL-2.0-only */
/* The recording's meta section: the plan, the machine, interrupts and counters before and
 * after. */
#ifndef DMA_SNAPSHOT_H
#define DMA_SNAPSHOT_H

#include "lib/file/meta.h"
#include "record/counters.h"
#include "record/host/irqmap.h"
#include "record/plan.h"

struct err;

/* Events 0..n-1 of the plan, in group `group`; then nmore tracepoints ("system/event")
 * without a role; then the interrupt when with_irq. Takes paths from the profile by
 * copy. */
int snapshot_events(struct meta *m, const struct plan *p, const char *group,
		    const char *const *more, size_t nmore, bool with_irq, struct err *e);
/* Interrupts and counters before; environment. named: the user or the profile chose the
 * interrupts. files: what counters may be read from (record/counters.h). */
int snapshot_before(struct meta *m, const struct profile *prof, const struct irqmap *map,
		    const int32_t *irq, size_t nirq, bool named,
		    const struct counter_files *files, struct err *e);
int snapshot_after(struct meta *m, const struct profile *prof,
		   const struct counter_files *files, struct err *e);

#endif
