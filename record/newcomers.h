/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupts that were not there when the recording began. The kernel's filter leaves out
 * what is known and not wanted, and lets every other number through; the first sample of a
 * new number decides by record/choice.h whether it stays. The filter may let more through
 * than that (it has to fit into a page), so every number is asked about.
 */
#ifndef DMA_NEWCOMERS_H
#define DMA_NEWCOMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/host/irqmap.h"
#include "record/irqfilter.h"

struct err;
struct irq_choice;
struct newcomers;

/* map: those that are here; irq: those of them that are recorded; root: as in irqmap.h.
 * choice and root are borrowed for good. */
int newcomers_new(struct newcomers **n, const char *root, const struct irqmap *map,
		  const int32_t *irq, size_t nirq, const struct irq_choice *choice,
		  struct err *e);
void newcomers_free(struct newcomers *n); /* NULL is fine */

/* Is a sample of this interrupt wanted? action: the handler's name in the sample, for the
 * interrupt may be gone again when one looks. 1, 0, negative. */
int newcomers_want(struct newcomers *n, int32_t irq, const char *action, struct err *e);

/* Is what its handlers return recorded: it is wanted, and may be several devices'? */
bool newcomers_want_exit(const struct newcomers *n, int32_t irq);
/* Each one that appeared, is wanted and is no shared line, once; false = no more. */
bool newcomers_next_plain(struct newcomers *n, int32_t *irq);

/* Those that appeared and are recorded. */
size_t newcomers_list(const struct newcomers *n, const struct irq_info **info);

/* The numbers that need not be sampled at all, ascending, malloc'ed: with a handler and not
 * wanted, but for lines that an awaited device may come to share; of exits also those that are
 * no shared line. */
int newcomers_excluded(const struct irqmap *map, const int32_t *irq, size_t nirq,
		       const struct irq_choice *choice, enum irq_side side,
		       int32_t **list, size_t *n, struct err *e);

#endif
