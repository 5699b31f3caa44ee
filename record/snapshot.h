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
struct irq_choice;

/* Events 0..n-1 of the plan, in group `group`; then nmore tracepoints ("system/event")
 * without a role; then the first nirq of the interrupts' entry and exit. Takes paths from
 * the profile by copy. */
int snapshot_events(struct meta *m, const struct plan *p, const char *group,
		    const char *const *more, size_t nmore, size_t nirq, struct err *e);

/* Those of a plan that is armed while recording (struct meta_event, late), behind the others. */
int snapshot_late(struct meta *m, const struct plan *p, const char *group, struct err *e);

/* The ends of the recording: counts of /proc/interrupts then, and what came between. */
struct irq_window {
	struct irqmap before, after;
	const struct irq_info *come; /* interrupts that appeared and are recorded */
	size_t ncome;
	const struct irq_choice *choice;
};

/* Interrupts and counters before, with the window's counts; environment. files: what
 * counters may be read from (record/counters.h). */
int snapshot_before(struct meta *m, const struct profile *prof, const struct irqmap *map,
		    const struct irq_window *w, const int32_t *irq, size_t nirq,
		    const struct counter_files *files, struct err *e);
/* Counters and affinity after, how often each interrupt fired in the window, and the
 * newcomers. */
int snapshot_after(struct meta *m, const struct profile *prof, const struct irq_window *w,
		   const struct counter_files *files, struct err *e);

#endif
