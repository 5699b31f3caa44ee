/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of PCI vendors and devices from the file pci.ids, where a package has put one. */
#ifndef DMA_PCIIDS_H
#define DMA_PCIIDS_H

#include <stdint.h>

struct pci_ids; /* the file's text */

/* NULL = there is no file: then every name is unknown. */
struct pci_ids *pci_ids_open(const char *root);
void pci_ids_close(struct pci_ids *p);

/* malloc'ed; NULL = not in the file. */
char *pci_ids_vendor(const struct pci_ids *p, uint16_t vendor);
char *pci_ids_device(const struct pci_ids *p, uint16_t vendor, uint16_t device);

#endif
