/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What /sys and /proc/irq add to the interrupt map: whose a number is, which vector of
 * its device, on which CPUs, and whether it is masked, as far as that can truly be told.
 */
#include "record/host/irqmap.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/dma.h"
#include "lib/err.h"
#include "lib/num.h"
#include "record/host/irqmap_priv.h"
#include "record/host/rootfs.h"

enum { CONFIG_BYTES = 4096 };

/* /sys/kernel/irq/N (since 4.9): exact where /proc/interrupts must be taken apart by
 * eye. */
static void read_sysfs_irq(struct irq_info *i, const char *root)
{
	char *chip = rootfs_line(root, "/sys/kernel/irq/%d/chip_name", i->irq);
	char *type = rootfs_line(root, "/sys/kernel/irq/%d/type", i->irq);
	int64_t hwirq;

	if (rootfs_number(root, &hwirq, "/sys/kernel/irq/%d/hwirq", i->irq) && hwirq >= 0)
		i->hwirq = hwirq;
	if (chip) {
		free(i->chip);
		i->chip = chip;
		irq_split_chip(i);
	}
	if (type && !i->type) {
		i->type = type;
		type = NULL;
	}
	free(type);
}

static void read_affinity(struct irq_info *i, const char *root)
{
	i->affinity = rootfs_line(root, "/proc/irq/%d/smp_affinity_list", i->irq);
	i->effective = rootfs_line(root, "/proc/irq/%d/effective_affinity_list", i->irq);
}

/* "0,604" of per_cpu_count: for numbers that /proc/interrupts leaves out. */
static int64_t sum_per_cpu(const char *root, int32_t irq)
{
	char *text = rootfs_line(root, "/sys/kernel/irq/%d/per_cpu_count", irq), *end;
	int64_t sum = 0;

	if (!text)
		return DMA_UNKNOWN;
	for (char *p = text;; p = end + 1) {
		if (!isdigit((unsigned char)*p)) {
			sum = DMA_UNKNOWN;
			break;
		}
		sum += (int64_t)strtoul(p, &end, 10);
		if (*end != ',')
			break;
	}
	free(text);
	return sum;
}

static struct irq_info *find_mutable(struct irqmap *m, int32_t irq, size_t sorted)
{
	struct irqmap part = {.irq = m->irq, .n = sorted};

	return (struct irq_info *)irqmap_find(&part, irq);
}

/* Hierarchical MSI domains (4.3 to 6.1, pci_msi_domain_calc_hwirq()) number a vector as
 * index | devfn and bus << 11 | domain << 27. Exact when the address in it is the
 * owner's. */
static bool hwirq_vector(const struct irq_info *i, const char *bdf, int32_t *vector)
{
	char decoded[32];
	int64_t id = i->hwirq >> 11;

	if (i->hwirq < 0)
		return false;
	snprintf(decoded, sizeof(decoded), "%04x:%02x:%02x.%x",
		 (unsigned)(i->hwirq >> 27) & 0xffff, (unsigned)(id >> 8) & 0xff,
		 (unsigned)(id >> 3) & 0x1f, (unsigned)id & 7);
	if (strcmp(decoded, bdf))
		return false;
	*vector = (int32_t)(i->hwirq & 0x7ff);
	return true;
}

/* The interrupt `irq` stands at `position` of msi_irqs of device bdf. */
static int claim(struct irqmap *m, size_t sorted, const char *root, int32_t irq,
		 const char *bdf, int32_t position, struct err *e)
{
	struct irq_info *i = find_mutable(m, irq, sorted);

	if (!i) {
		i = irqmap_add(m, irq);
		if (!i)
			return err_nomem(e, "the interrupt map");
		read_sysfs_irq(i, root);
		i->count = sum_per_cpu(root, irq);
	}
	if (!i->bdf)
		i->bdf = strdup(bdf);
	if (!i->bdf)
		return err_nomem(e, "the interrupt map");
	if (i->vector < 0 && !hwirq_vector(i, bdf, &i->vector)) {
		i->vector = position;
		i->vector_guessed = true;
	}
	return 0;
}

/* 1 = has MSI vectors, 0 = has none. */
static int claim_msi(struct irqmap *m, size_t sorted, const char *root, const char *bdf,
		     struct err *e)
{
	char path[64], **name;
	size_t n;
	int64_t irq;
	int rc;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/msi_irqs", bdf);
	rc = rootfs_names(root, path, &name, &n, e);
	for (size_t k = 0; k < n && !rc; k++)
		if (!num_i64(name[k], 0, IRQ_LIMIT, &irq, NULL))
			rc = claim(m, sorted, root, (int32_t)irq, bdf, (int32_t)k, e);
	rootfs_names_free(name, n);
	return rc ? rc : n > 0;
}

int32_t irq_line_of(const char *root, const char *bdf)
{
	char *driver = rootfs_link(root, "/sys/bus/pci/devices/%s/driver", bdf);
	char path[64], **name;
	int64_t irq = -1;
	size_t n;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/msi_irqs", bdf);
	if (driver && !rootfs_names(root, path, &name, &n, NULL)) {
		if (n || !rootfs_number(root, &irq, "/sys/bus/pci/devices/%s/irq", bdf))
			irq = -1;
		rootfs_names_free(name, n);
	}
	free(driver);
	return irq > 0 && irq < IRQ_LIMIT ? (int32_t)irq : -1;
}

static void add_device(struct irq_info *i, const char *root, const char *bdf)
{
	struct irq_device *d = array_add(&i->device, &i->ndevice);
	int64_t id;

	if (!d)
		return;
	*d = (struct irq_device){0};
	snprintf(d->bdf, sizeof(d->bdf), "%s", bdf);
	if (rootfs_number(root, &id, "/sys/bus/pci/devices/%s/vendor", bdf))
		d->vendor = (uint16_t)id;
	if (rootfs_number(root, &id, "/sys/bus/pci/devices/%s/device", bdf))
		d->device = (uint16_t)id;
}

/* A wired interrupt may be several devices': then none is its owner. */
static void claim_wired(struct irqmap *m, size_t sorted, const char *root,
			const char *bdf)
{
	struct irq_info *i = find_mutable(m, irq_line_of(root, bdf), sorted);

	if (!i)
		return;
	i->wired = true;
	add_device(i, root, bdf);
	if (i->ndevice == 1 && !i->bdf) {
		i->bdf = strdup(bdf);
	} else if (i->ndevice > 1) {
		free(i->bdf);
		i->bdf = NULL;
	}
}

static bool is_bdf(const char *name)
{
	char out[16];

	return bdf_normalise(name, out) && !strcmp(out, name);
}

static int claim_all(struct irqmap *m, const char *root, struct err *e)
{
	size_t n, sorted = m->n;
	char **bdf = NULL;
	int rc = rootfs_names(root, "/sys/bus/pci/devices", &bdf, &n, e);

	for (size_t k = 0; bdf && k < n && !rc; k++) {
		if (!is_bdf(bdf[k]))
			continue;
		rc = claim_msi(m, sorted, root, bdf[k], e);
		if (!rc)
			claim_wired(m, sorted, root, bdf[k]);
		else if (rc > 0)
			rc = 0;
	}
	if (bdf)
		rootfs_names_free(bdf, n);
	irqmap_sort(m);
	return rc;
}

/* debugfs irq/irqs/N (CONFIG_GENERIC_IRQ_DEBUGFS): "ddepth:   1", "dstate:  0x..." and
 * below it a flag a line. Disabled lazily (depth > 0) counts as masked: the driver wants
 * no interrupt. */
int32_t irq_masked_debugfs(const char *root, int32_t irq)
{
	char path[64], *text, *depth;
	int32_t masked = -1;

	snprintf(path, sizeof(path), "/sys/kernel/debug/irq/irqs/%d", irq);
	if (rootfs_read(root, path, 1 << 16, &text, NULL, NULL))
		return -1;
	depth = strstr(text, "ddepth:");
	if (depth)
		masked = strtol(depth + strlen("ddepth:"), NULL, 0) > 0 ||
			 strstr(text, "IRQD_IRQ_MASKED") ||
			 strstr(text, "IRQD_IRQ_DISABLED");
	free(text);
	return masked;
}

static uint32_t le(const uint8_t *p, int bytes)
{
	uint32_t v = 0;

	for (int k = bytes; k-- > 0;)
		v = v << 8 | p[k];
	return v;
}

/* MSI capability (PCI Local Bus 3.0, 6.8.1): control at +2, address, data, then, when
 * control bit 8 is set, a mask bit for each vector. */
static int32_t msi_masked(const uint8_t *cap, size_t room, int32_t vector)
{
	uint32_t control = le(cap + 2, 2);
	size_t mask_at = control & 0x80 ? 16 : 12;

	if (!(control & 1) || !(control & 0x100) || room < mask_at + 4 || vector < 0 ||
	    vector > 31)
		return -1;
	return le(cap + mask_at, 4) >> vector & 1;
}

int32_t pci_config_masked(const uint8_t *config, size_t len, int32_t vector)
{
	size_t at;
	uint32_t control;

	if (len < 64 || !(le(config + 6, 2) & 0x10)) /* status: has capabilities */
		return -1;
	at = config[0x34] & 0xfc;
	for (int steps = 0; at >= 0x40 && at + 4 <= len && steps < 48; steps++) {
		control = le(config + at + 2, 2);
		if (config[at] == 0x11 && control & 0x8000) /* MSI-X, enabled */
			return control & 0x4000 ? 1 : -1;   /* function mask */
		if (config[at] == 0x05 && control & 1)
			return msi_masked(config + at, len - at, vector);
		at = config[at + 1] & 0xfc;
	}
	return -1;
}

/* What was read last: a device's vectors stand together, and where a hypervisor answers
 * each word of it a device takes milliseconds. */
struct config_space {
	const char *bdf; /* borrowed from its first vector */
	char *bytes;
	size_t len;
};

static int32_t masked_config(const char *root, const struct irq_info *i,
			     struct config_space *c)
{
	char path[64];

	if (!c->bdf || strcmp(c->bdf, i->bdf) != 0) {
		free(c->bytes);
		*c = (struct config_space){.bdf = i->bdf};
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", i->bdf);
		if (rootfs_read(root, path, CONFIG_BYTES, &c->bytes, &c->len, NULL)) {
			c->bytes = NULL;
			c->len = 0;
		}
	}
	return c->bytes ? pci_config_masked((const uint8_t *)c->bytes, c->len, i->vector)
			: -1;
}

static void read_masked(struct irq_info *i, const char *root, struct config_space *c)
{
	i->masked = irq_masked_debugfs(root, i->irq);
	if (i->masked != 1 && i->bdf && i->vector >= 0) {
		int32_t card = masked_config(root, i, c);

		if (card >= 0)
			i->masked = card;
	}
}

static void read_pci(struct irq_info *i, const char *root)
{
	int64_t id;

	if (rootfs_number(root, &id, "/sys/bus/pci/devices/%s/vendor", i->bdf))
		i->pci_vendor = (uint16_t)id;
	if (rootfs_number(root, &id, "/sys/bus/pci/devices/%s/device", i->bdf))
		i->pci_device = (uint16_t)id;
	i->driver = rootfs_link(root, "/sys/bus/pci/devices/%s/driver", i->bdf);
}

int irqmap_read_sys(struct irqmap *m, const char *root, struct err *e)
{
	struct config_space config = {0};
	int rc;

	for (size_t k = 0; k < m->n; k++)
		read_sysfs_irq(&m->irq[k], root);
	rc = claim_all(m, root, e);
	for (size_t k = 0; k < m->n && !rc; k++) {
		read_affinity(&m->irq[k], root);
		if (m->irq[k].bdf)
			read_pci(&m->irq[k], root);
		read_masked(&m->irq[k], root, &config);
	}
	free(config.bytes);
	return rc;
}
