/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading for --list: the map, the selection, the devices, and a second reading for the
 * rates. */
#include "record/list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/array.h"
#include "lib/dma.h"
#include "lib/err.h"
#include "record/host/pciids.h"
#include "record/host/rootfs.h"
#include "record/list_priv.h"
#include "record/profile/profile.h"

struct selection {
	int32_t *irq;
	size_t n;
};

/* A profile names a card in several ways; it is enough that one fits. */
static int select_profile(const struct irqmap *m, const struct profile *p,
			  struct selection *s, struct err *e)
{
	struct err last = {0};
	size_t before = s->n;

	for (size_t k = 0; k < p->ndevice; k++) {
		last = (struct err){0};
		irqmap_select_name(m, p->device[k], &s->irq, &s->n, &last);
	}
	for (size_t k = 0; k < p->npci; k++) {
		last = (struct err){0};
		irqmap_select_pci_id(m, p->pci[k].vendor, p->pci[k].device, &s->irq,
				     &s->n, &last);
	}
	if (s->n > before)
		return 0;
	if (!p->ndevice && !p->npci)
		return err_set(
			e, ERR_NOTFOUND,
			"profile '%s' names no interrupt: no 'device' and no 'pci' in "
			"its [interrupt]",
			p->name);
	return err_set(e, last.code, "profile '%s': %s", p->name, last.text);
}

static int select_number(const struct irqmap *m, int32_t irq, struct selection *s,
			 struct err *e)
{
	int32_t *added;

	if (!irqmap_find(m, irq))
		return err_set(e, ERR_NOTFOUND,
			       "there is no interrupt %d in /proc/interrupts", irq);
	added = array_add(&s->irq, &s->n);
	if (!added)
		return err_nomem(e, "a list of interrupts");
	*added = irq;
	return 0;
}

static int select_all(const struct irqmap *m, const struct list_options *o,
		      struct selection *s, struct err *e)
{
	int rc = 0;

	for (size_t k = 0; k < o->ndevice && !rc; k++)
		rc = irqmap_select_name(m, o->device[k], &s->irq, &s->n, e);
	for (size_t k = 0; k < o->npci && !rc; k++)
		rc = irqmap_select_pci(m, o->pci[k], &s->irq, &s->n, e);
	for (size_t k = 0; k < o->nirq && !rc; k++)
		rc = select_number(m, o->irq[k], s, e);
	if (!rc && o->profile)
		rc = select_profile(m, o->profile, s, e);
	return rc;
}

static bool selected(const struct selection *s, int32_t irq)
{
	for (size_t k = 0; k < s->n; k++)
		if (s->irq[k] == irq)
			return true;
	return false;
}

static int compare_rows(const void *a, const void *b)
{
	const struct irq_info *x = ((const struct list_row *)a)->irq;
	const struct irq_info *y = ((const struct list_row *)b)->irq;
	int order;

	if (!x->bdf != !y->bdf)
		return x->bdf ? -1 : 1;
	order = x->bdf ? strcmp(x->bdf, y->bdf) : 0;
	return order ? order : (x->irq > y->irq) - (x->irq < y->irq);
}

static int fill_rows(struct list *l, const struct list_options *o, struct err *e)
{
	struct selection s = {0};
	bool all = !o->ndevice && !o->npci && !o->nirq && !o->profile;
	int rc = select_all(&l->map, o, &s, e);

	l->row = calloc(l->map.n + 1, sizeof(*l->row));
	if (!l->row)
		rc = err_nomem(e, "a list of interrupts");
	for (size_t k = 0; k < l->map.n && !rc; k++) {
		const struct irq_info *i = &l->map.irq[k];

		if (!all && !selected(&s, i->irq))
			continue;
		l->row[l->n++] = (struct list_row){.irq = i,
						   .count = i->count,
						   .delta = DMA_UNKNOWN,
						   .masked = i->masked};
	}
	free(s.irq);
	if (!rc && l->n)
		qsort(l->row, l->n, sizeof(*l->row), compare_rows);
	return rc;
}

static void describe(struct list_device *d, const struct irq_info *i, const char *root,
		     const struct pci_ids *ids)
{
	bdf_normalise(i->bdf, d->bdf);
	d->vendor_id = i->pci_vendor;
	d->device_id = i->pci_device;
	d->driver = i->driver;
	if (i->pci_vendor) {
		d->vendor = pci_ids_vendor(ids, i->pci_vendor);
		d->device = pci_ids_device(ids, i->pci_vendor, i->pci_device);
	}
	d->link_speed =
		rootfs_line(root, "/sys/bus/pci/devices/%s/current_link_speed", i->bdf);
	d->link_width =
		rootfs_line(root, "/sys/bus/pci/devices/%s/current_link_width", i->bdf);
}

static int fill_devices(struct list *l, const char *root, struct err *e)
{
	struct pci_ids *ids = pci_ids_open(root);
	struct list_device *d = NULL;

	l->device = calloc(l->n + 1, sizeof(*l->device));
	if (!l->device) {
		pci_ids_close(ids);
		return err_nomem(e, "a list of devices");
	}
	for (size_t k = 0; k < l->n; k++) {
		const struct irq_info *i = l->row[k].irq;

		if (!i->bdf)
			continue;
		if (!d || strcmp(d->bdf, i->bdf)) {
			d = &l->device[l->ndevice++];
			describe(d, i, root, ids);
		}
		l->row[k].device = d;
	}
	pci_ids_close(ids);
	return 0;
}

static void sleep_ms(int32_t ms)
{
	struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};

	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &t, &t) == EINTR)
		;
}

/* Two readings of the counts, each with its time. An interrupt that fired is not
 * masked. */
static int fill_rates(struct list *l, const char *root, int32_t interval_ms,
		      struct err *e)
{
	struct irqmap before = {0}, after = {0};
	int64_t t0 = 0, t1 = 0;
	int rc = irqmap_read_counts(&before, root, &t0, e);

	if (!rc) {
		sleep_ms(interval_ms);
		rc = irqmap_read_counts(&after, root, &t1, e);
	}
	for (size_t k = 0; k < l->n && !rc; k++) {
		struct list_row *r = &l->row[k];
		int64_t fired = irqmap_fired(&before, &after, r->irq->irq);

		if (fired == DMA_UNKNOWN)
			continue;
		r->count = irqmap_find(&after, r->irq->irq)->count;
		r->delta = fired;
		if (r->delta > 0 && r->masked < 0)
			r->masked = 0;
	}
	l->interval_ns = t1 - t0;
	irqmap_release(&before);
	irqmap_release(&after);
	return rc;
}

static void list_release(struct list *l)
{
	for (size_t k = 0; k < l->ndevice; k++) {
		free(l->device[k].vendor);
		free(l->device[k].device);
		free(l->device[k].link_speed);
		free(l->device[k].link_width);
	}
	free(l->device);
	free(l->row);
	irqmap_release(&l->map);
}

int list_run(const struct list_options *o, FILE *out, struct err *e)
{
	const char *root = o->root ? o->root : "";
	struct list l = {.root = root, .interval_ns = DMA_UNKNOWN};
	int rc = irqmap_read(&l.map, root, e);

	if (!rc)
		rc = fill_rows(&l, o, e);
	if (!rc)
		rc = fill_devices(&l, root, e);
	if (!rc && o->interval_ms >= 0)
		rc = fill_rates(&l, root, o->interval_ms ? o->interval_ms : 1000, e);
	if (!rc)
		(o->json ? list_print_json : list_print_table)(&l, out);
	if (!rc && (fflush(out) || ferror(out)))
		rc = err_errno(e, "cannot write the list");
	list_release(&l);
	return rc;
}
