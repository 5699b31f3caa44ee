/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/choice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/array.h"
#include "lib/err.h"
#include "record/host/irqmap.h"
#include "record/profile/profile.h"

static int by_number(const void *a, const void *b)
{
	int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

	return (x > y) - (x < y);
}

static int add_irq(const struct irqmap *map, int64_t irq, int32_t **list, size_t *n,
		   struct err *e)
{
	int32_t *added;

	if (!irqmap_find(map, (int32_t)irq))
		return err_set(
			e, ERR_NOTFOUND,
			"there is no interrupt %d; dmarec --list shows those there are",
			(int)irq);
	added = array_add(list, n);
	if (!added)
		return err_nomem(e, "a recording");
	*added = (int32_t)irq;
	return 0;
}

static int await(struct irq_choice *c, const char *what, const char *why, struct err *e)
{
	char *text;

	if (asprintf(&text, "%s%s%s: %s; recorded when it appears",
		     c->absent ? c->absent : "", c->absent ? "; " : "", what, why) < 0)
		return err_nomem(e, "a recording");
	free(c->absent);
	c->absent = text;
	return 0;
}

static int add_device(struct irq_choice *c, const struct irqmap *map, const char *name,
		      int32_t **list, size_t *n, struct err *e)
{
	size_t len = strlen(name);
	struct err why = {0};
	int rc = irqmap_select_name(map, name, list, n, &why);

	if (rc == ERR_NOTFOUND && len > 1 && name[len - 1] == '*')
		return await(c, name, "no interrupt is called so yet", e);
	return rc ? err_set(e, why.code, "%s", why.text) : 0;
}

static int add_pci(struct irq_choice *c, const struct irqmap *map, const char *address,
		   int32_t **list, size_t *n, struct err *e)
{
	struct err why = {0};
	char bdf[16], path[64];
	int rc = irqmap_select_pci(map, address, list, n, &why);

	if (rc == ERR_NOTFOUND && bdf_normalise(address, bdf)) {
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", bdf);
		if (!access(path, F_OK))
			return await(c, bdf, "the device has no interrupts yet", e);
	}
	return rc ? err_set(e, why.code, "%s", why.text) : 0;
}

/* What the profile names need not be there: the card's driver may be off. */
static int add_profile(const struct profile *p, const struct irqmap *map, int32_t **list,
		       size_t *n, struct err *e)
{
	struct err why = {0};
	int rc = 0;

	for (size_t i = 0; i < p->ndevice; i++)
		rc = irqmap_select_name(map, p->device[i], list, n, &why);
	for (size_t i = 0; !*n && i < p->npci; i++)
		rc = irqmap_select_pci_id(map, p->pci[i].vendor, p->pci[i].device, list,
					  n, &why);
	return rc == ERR_NOMEM ? err_nomem(e, "a recording") : 0;
}

static int add_every(struct irq_choice *c, const struct irqmap *map, int32_t **list,
		     size_t *n, struct err *e)
{
	const struct profile *p = c->profile;
	struct err why = {0};
	int rc;

	c->every = true;
	if ((p->ndevice || p->npci) &&
	    asprintf(&c->absent,
		     "no interrupt of profile %s's device is here: every device "
		     "interrupt is recorded",
		     p->name) < 0) {
		c->absent = NULL;
		return err_nomem(e, "a recording");
	}
	rc = irqmap_select_device_irqs(map, list, n, &why);
	return rc == ERR_NOMEM ? err_nomem(e, "a recording") : 0; /* none may come yet */
}

int irq_choose(struct irq_choice *c, const struct irqmap *map, int32_t **list, size_t *n,
	       struct err *e)
{
	bool named = c->nirq || c->ndevice || c->npci;
	int rc = 0;

	for (size_t i = 0; !rc && i < c->nirq; i++)
		rc = add_irq(map, c->irq[i], list, n, e);
	for (size_t i = 0; !rc && i < c->ndevice; i++)
		rc = add_device(c, map, c->device[i], list, n, e);
	for (size_t i = 0; !rc && i < c->npci; i++)
		rc = add_pci(c, map, c->pci[i], list, n, e);
	if (!rc && !named)
		rc = add_profile(c->profile, map, list, n, e);
	if (!rc && !named && !*n)
		rc = add_every(c, map, list, n, e);
	if (!rc && *n)
		qsort(*list, *n, sizeof(**list), by_number);
	return rc;
}

void irq_choice_release(struct irq_choice *c)
{
	free(c->absent);
	c->absent = NULL;
}

int irq_choose_shared(const struct irqmap *map, const int32_t *irq, size_t nirq,
		      int32_t **list, size_t *n, struct err *e)
{
	*list = NULL;
	*n = 0;
	for (size_t i = 0; i < nirq; i++) {
		const struct irq_info *q = irqmap_find(map, irq[i]);
		int32_t *added;

		if (!q || !irq_may_be_shared(q))
			continue;
		added = array_add(list, n);
		if (!added)
			return err_nomem(e, "a recording");
		*added = irq[i];
	}
	return 0;
}

static bool has_name(const struct irq_info *i, const char *const *name, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (irq_has_action(i, name[k]))
			return true;
	return false;
}

static bool has_address(const struct irq_info *i, const struct irq_choice *c)
{
	char bdf[16];

	for (size_t k = 0; k < c->npci; k++)
		if (bdf_normalise(c->pci[k], bdf) && irq_has_pci(i, bdf))
			return true;
	return false;
}

static bool has_id(const struct irq_info *i, const struct profile *p)
{
	for (size_t k = 0; k < p->npci; k++)
		if (irq_has_pci_id(i, p->pci[k].vendor, p->pci[k].device))
			return true;
	return false;
}

bool irq_chosen(const struct irq_choice *c, const struct irq_info *i)
{
	const struct profile *p = c->profile;

	if (c->every)
		return irq_is_device(i);
	if (c->nirq || c->ndevice || c->npci)
		return has_name(i, c->device, c->ndevice) || has_address(i, c);
	return has_name(i, (const char *const *)p->device, p->ndevice) || has_id(i, p);
}
