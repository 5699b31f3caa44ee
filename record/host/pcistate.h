/* SPDX-License-Identifier: GPL-2.0-only */
/* What a PCI device's link and its error counters (AER) say at a moment. */
#ifndef DMA_PCISTATE_H
#define DMA_PCISTATE_H

#include <stddef.h>

/* The i-th thing that is told of a device: its name, such as "aer_correctable", and its
 * value, malloc'ed; NULL = this device does not tell it. false = there is no i-th. */
int pci_state(const char *root, const char *bdf, size_t i, const char **name,
	      char **value);

#endif
