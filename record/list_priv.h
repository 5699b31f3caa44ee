/* SPDX-License-Identifier: GPL-2.0-only */
/* Between reading and printing of --list only. */
#ifndef DMA_LIST_PRIV_H
#define DMA_LIST_PRIV_H

#include "record/host/irqmap.h"
#include "record/list.h"

struct list_device {
	char bdf[16];
	uint16_t vendor_id, device_id;			 /* 0 = unknown */
	char *vendor, *device, *link_speed, *link_width; /* NULL = unknown */
	const char *driver;
};

struct list_row {
	const struct irq_info *irq;
	int64_t count;			  /* of the last reading; DMA_UNKNOWN */
	int64_t delta;			  /* DMA_UNKNOWN = no rate */
	int32_t masked;			  /* 1, 0, -1 */
	const struct list_device *device; /* NULL = not a PCI device's */
};

struct list {
	const char *root;
	struct irqmap map;
	struct list_row *row; /* by device, then number; those without one last */
	size_t n;
	struct list_device *device;
	size_t ndevice;
	int64_t interval_ns; /* DMA_UNKNOWN = one reading */
};

void list_print_table(const struct list *l, FILE *out);
void list_print_json(const struct list *l, FILE *out);

#endif
