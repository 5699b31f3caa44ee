/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What `dmarec --list` prints: interrupts by their devices, as a table or as JSON.
 *
 * JSON, one object (stable; keys may be added, none changes its meaning; unknown is
 * null): format        1 interval_ns   between the two readings that the rates are from;
 * null = one reading cpus          [number, ...] columns of /proc/interrupts devices
 * [{pci, vendor_id, device_id ("10ee"), vendor, device (names), driver, link_speed ("8.0
 * GT/s PCIe"), link_width ("8"), vectors (how many), names (distinct names of their
 * handlers)}, ...] interrupts    [{irq, name, chip, type, hwirq, pci, vector,
 * vector_guessed, affinity, effective_affinity, count, rate_hz, masked, is_device}, ...]
 * counting_units [{unit, counts}, ...]: PMUs that count DMA, and what
 */
#ifndef DMA_LIST_H
#define DMA_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct err;
struct profile;

/* Zero means the default. Selections add up; none = everything numbered. */
struct list_options {
	const char *root;	   /* NULL = "" */
	const char *const *device; /* names as of --device */
	size_t ndevice;
	const char *const *pci; /* addresses as of --pci */
	size_t npci;
	const struct profile *profile; /* its device names and PCI ids */
	const int32_t *irq;	       /* numbers as of --irq */
	size_t nirq;
	bool json;
	int32_t interval_ms; /* between two readings; 0 = 1000, -1 = no rate */
};

/* 0; ERR_NOTFOUND when a selection fits nothing (naming what there is), ERR_IO when out
 * cannot be written. */
int list_run(const struct list_options *o, FILE *out, struct err *e);

#endif
