/* SPDX-License-Identifier: GPL-2.0-only */
/* Which interrupts are recorded: those that the options name, else those of the profile's
 * device, else every device's. The same rule holds for interrupts that appear while
 * recording (a driver loaded by the workload, VFIO). */
#ifndef DMA_CHOICE_H
#define DMA_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct irq_info;
struct irqmap;
struct profile;

struct irq_choice {
	const int64_t *irq; /* numbers */
	size_t nirq;
	const char *const *device, *const *pci; /* names, addresses */
	size_t ndevice, npci;
	const struct profile *profile;
	/* Of irq_choose: the profile's device is not here, or none is named. */
	bool every;
	char *absent; /* a sentence: what was named is awaited, or not here; NULL */
};

/* *list: the numbers, ascending, malloc'ed. A number, a whole name or an address that is
 * not here fails; a name with a trailing '*', and an address of a device without
 * interrupts, may come later. */
int irq_choose(struct irq_choice *c, const struct irqmap *map, int32_t **list, size_t *n,
	       struct err *e);
void irq_choice_release(struct irq_choice *c);

/* Those of the chosen that several devices may share: what their handlers return is recorded
 * as well. malloc'ed, ascending as irq is. */
int irq_choose_shared(const struct irqmap *map, const int32_t *irq, size_t nirq,
		      int32_t **list, size_t *n, struct err *e);

/* Is one that was not there then of the chosen? */
bool irq_chosen(const struct irq_choice *c, const struct irq_info *i);

#endif
