/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the parts of the interrupt map only. */
#ifndef DMA_IRQMAP_PRIV_H
#define DMA_IRQMAP_PRIV_H

#include "record/host/irqmap.h"

/* A new entry with everything unknown; NULL = no memory. The map is not sorted then. */
struct irq_info *irqmap_add(struct irqmap *m, int32_t irq);
void irqmap_sort(struct irqmap *m);

/* "PCI-MSIX-0000:00:01.0" in chip: cut it, and take the vector's index from hwirq. */
void irq_split_chip(struct irq_info *i);

/* Complete *m from /sys and /proc/irq. */
int irqmap_read_sys(struct irqmap *m, const char *root, struct err *e);

/* 1 masked, 0 not, -1 unknown, from debugfs. */
int32_t irq_masked_debugfs(const char *root, int32_t irq);

/* MSI and MSI-X mask bits that PCI configuration space shows. config: len bytes of it.
 * vector: its index. 1 masked, 0 not, -1 not told (MSI-X has the bit of each vector in
 * the card's memory, which is not read). */
int32_t pci_config_masked(const uint8_t *config, size_t len, int32_t vector);

#endif
