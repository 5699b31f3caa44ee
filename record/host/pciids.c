/* SPDX-License-Identifier: GPL-2.0-only */
/* pci.ids: "vvvv  Vendor" at the start of a line, below it "<tab>dddd  Device". */
#include "record/host/pciids.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/host/rootfs.h"

struct pci_ids {
	char *text;
};

enum { MAX_BYTES = 16 << 20 };

struct pci_ids *pci_ids_open(const char *root)
{
	static const char *const path[] = {
		"/usr/share/misc/pci.ids",
		"/usr/share/hwdata/pci.ids",
		"/usr/share/pci.ids",
	};
	struct pci_ids *p = calloc(1, sizeof(*p));

	for (size_t k = 0; p && k < sizeof(path) / sizeof(*path); k++)
		if (!rootfs_read(root, path[k], MAX_BYTES, &p->text, NULL, NULL))
			return p;
	free(p);
	return NULL;
}

void pci_ids_close(struct pci_ids *p)
{
	if (p)
		free(p->text);
	free(p);
}

/* Start of the next line, or NULL. */
static const char *next_line(const char *p)
{
	p = strchr(p, '\n');
	return p && p[1] ? p + 1 : NULL;
}

static char *name_behind(const char *p)
{
	p += strspn(p, " \t");
	return strndup(p, strcspn(p, "\r\n"));
}

static const char *find_vendor(const struct pci_ids *p, uint16_t vendor)
{
	char id[8];

	snprintf(id, sizeof(id), "%04x ", vendor);
	for (const char *l = p ? p->text : NULL; l; l = next_line(l))
		if (!strncmp(l, id, 5))
			return l;
	return NULL;
}

char *pci_ids_vendor(const struct pci_ids *p, uint16_t vendor)
{
	const char *l = find_vendor(p, vendor);

	return l ? name_behind(l + 4) : NULL;
}

char *pci_ids_device(const struct pci_ids *p, uint16_t vendor, uint16_t device)
{
	const char *l = find_vendor(p, vendor);
	char id[8];

	snprintf(id, sizeof(id), "\t%04x ", device);
	while (l && (l = next_line(l)) && (*l == '\t' || *l == '#' || *l == '\n'))
		if (!strncmp(l, id, 6))
			return name_behind(l + 5);
	return NULL;
}
