/* SPDX-License-Identifier: GPL-2.0-only */
/* Interrupts by what a person calls them, and what to say when there is no such thing. */
#include "record/host/irqmap.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/err.h"

static int list_add(int32_t **list, size_t *n, int32_t irq, struct err *e)
{
	int32_t *added;

	for (size_t k = 0; k < *n; k++)
		if ((*list)[k] == irq)
			return 0;
	added = array_add(list, n);
	if (!added)
		return err_nomem(e, "a list of interrupts");
	*added = irq;
	return 0;
}

/* Append one of several words to a sentence, once, as long as there is room. */
static void say(char *text, size_t size, const char *word)
{
	size_t len = strlen(text), w = strlen(word);

	for (const char *p = text; (p = strstr(p, word)); p++)
		if ((p == text || p[-1] == ' ') && (!p[w] || p[w] == ','))
			return;
	if (len + w + 8 < size)
		snprintf(text + len, size - len, "%s%s", len ? ", " : "", word);
	else if (len + 5 < size && strcmp(text + len - 3, "..."))
		snprintf(text + len, size - len, ", ...");
}

int irqmap_select_name(const struct irqmap *m, const char *name, int32_t **list,
		       size_t *n, struct err *e)
{
	char there[600] = "";
	bool any = false;
	int rc = 0;

	for (size_t k = 0; k < m->n && !rc; k++) {
		if (irq_has_action(&m->irq[k], name)) {
			any = true;
			rc = list_add(list, n, m->irq[k].irq, e);
		} else if (irq_is_device(&m->irq[k])) {
			say(there, sizeof(there), m->irq[k].name);
		}
	}
	if (rc || any)
		return rc;
	return err_set(e, ERR_NOTFOUND,
		       "no interrupt is called '%s'; there "
		       "are: %s (a trailing * makes a prefix)",
		       name, *there ? there : "none of any device");
}

int irqmap_select_pci(const struct irqmap *m, const char *bdf, int32_t **list, size_t *n,
		      struct err *e)
{
	char want[16], there[600] = "";
	bool any = false;
	int rc = 0;

	if (!bdf_normalise(bdf, want))
		return err_set(e, ERR_USAGE,
			       "'%s' is no PCI address (such as 01:00.0 or 0000:01:00.0)",
			       bdf);
	for (size_t k = 0; k < m->n && !rc; k++) {
		const struct irq_info *i = &m->irq[k];

		if (irq_has_pci(i, want)) {
			any = true;
			rc = list_add(list, n, i->irq, e);
		} else if (i->bdf) {
			say(there, sizeof(there), i->bdf);
		}
	}
	if (rc || any)
		return rc;
	return err_set(e, ERR_NOTFOUND,
		       "the PCI device %s has no interrupts here; those that have: %s",
		       want, *there ? there : "none");
}

int irqmap_select_pci_id(const struct irqmap *m, uint16_t vendor, uint16_t device,
			 int32_t **list, size_t *n, struct err *e)
{
	char there[600] = "", id[16];
	bool any = false;
	int rc = 0;

	for (size_t k = 0; k < m->n && !rc; k++) {
		const struct irq_info *i = &m->irq[k];

		if (irq_has_pci_id(i, vendor, device)) {
			any = true;
			rc = list_add(list, n, i->irq, e);
		} else if (i->pci_vendor) {
			snprintf(id, sizeof(id), "%04x:%04x", i->pci_vendor,
				 i->pci_device);
			say(there, sizeof(there), id);
		}
	}
	if (rc || any)
		return rc;
	return err_set(e, ERR_NOTFOUND,
		       "no PCI device %04x:%04x has interrupts here; those that have: %s",
		       vendor, device, *there ? there : "none");
}

int irqmap_select_device_irqs(const struct irqmap *m, int32_t **list, size_t *n,
			      struct err *e)
{
	bool any = false;
	int rc = 0;

	for (size_t k = 0; k < m->n && !rc; k++)
		if (irq_is_device(&m->irq[k])) {
			any = true;
			rc = list_add(list, n, m->irq[k].irq, e);
		}
	if (rc || any)
		return rc;
	return err_set(e, ERR_NOTFOUND, "/proc/interrupts shows no device's interrupt");
}
