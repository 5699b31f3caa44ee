/* SPDX-License-Identifier: GPL-2.0-only */
/* The interrupt map in memory: adding, sorting, finding, and what a name says. */
#include "record/host/irqmap.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/dma.h"
#include "record/host/irqmap_priv.h"

static void irq_release(struct irq_info *i)
{
	free(i->name);
	free(i->chip);
	free(i->bdf);
	free(i->affinity);
	free(i->effective);
	free(i->cpu_count);
	free(i->driver);
	free(i->type);
	free(i->device);
}

void irqmap_release(struct irqmap *m)
{
	for (size_t k = 0; k < m->n; k++)
		irq_release(&m->irq[k]);
	free(m->irq);
	free(m->cpu);
	*m = (struct irqmap){0};
}

struct irq_info *irqmap_add(struct irqmap *m, int32_t irq)
{
	struct irq_info *i = array_add(&m->irq, &m->n);

	if (i)
		*i = (struct irq_info){
			.irq = irq,
			.vector = -1,
			.masked = -1,
			.count = DMA_UNKNOWN,
			.hwirq = -1,
		};
	return i;
}

static int compare_irq(const void *a, const void *b)
{
	const struct irq_info *x = a, *y = b;

	return (x->irq > y->irq) - (x->irq < y->irq);
}

/* Ascending, and one of each number: a damaged file may have doubles, of which the first
 * stays. */
void irqmap_sort(struct irqmap *m)
{
	size_t n = 0;

	if (m->n)
		qsort(m->irq, m->n, sizeof(*m->irq), compare_irq);
	for (size_t k = 0; k < m->n; k++) {
		if (n && m->irq[n - 1].irq == m->irq[k].irq)
			irq_release(&m->irq[k]);
		else
			m->irq[n++] = m->irq[k];
	}
	m->n = n;
}

bool bdf_normalise(const char *text, char out[16])
{
	unsigned domain = 0, bus, dev, fn;
	int used = 0;

	for (const char *p = text; *p; p++)
		if (!isxdigit((unsigned char)*p) && *p != ':' && *p != '.')
			return false;
	if (sscanf(text, "%8x:%2x:%2x.%1x%n", &domain, &bus, &dev, &fn, &used) != 4 ||
	    text[used]) {
		domain = 0;
		used = 0;
		if (sscanf(text, "%2x:%2x.%1x%n", &bus, &dev, &fn, &used) != 3 ||
		    text[used])
			return false;
	}
	if (dev > 31 || fn > 7 || domain > 0xfffffff)
		return false;
	snprintf(out, 16, "%04x:%02x:%02x.%x", domain, bus, dev, fn);
	return true;
}

/* Kernels since 6.2 have one MSI domain for each device: its name ends in the PCI
 * address, and the number in it is the vector's index. */
void irq_split_chip(struct irq_info *i)
{
	size_t len = strlen(i->chip);
	char bdf[16];

	for (size_t k = len; k-- > 0;) {
		if (i->chip[k] != '-' || !strchr(i->chip + k, ':'))
			continue;
		if (!bdf_normalise(i->chip + k + 1, bdf))
			continue;
		i->chip[k] = 0;
		free(i->bdf);
		i->bdf = strdup(bdf);
		if (i->hwirq >= 0 && i->hwirq < 2048)
			i->vector = (int32_t)i->hwirq;
		return;
	}
}

/* One CPU's column; DMA_UNKNOWN = the CPU was offline. */
static int64_t cpu_count(const struct irqmap *m, const struct irq_info *i, int32_t cpu)
{
	for (size_t k = 0; k < m->ncpu; k++)
		if (m->cpu[k] == cpu)
			return i->cpu_count[k];
	return DMA_UNKNOWN;
}

int64_t irqmap_fired(const struct irqmap *before, const struct irqmap *after, int32_t irq)
{
	const struct irq_info *a = irqmap_find(before, irq), *b = irqmap_find(after, irq);
	int64_t sum = 0;

	if (!b || !b->cpu_count)
		return DMA_UNKNOWN;
	if (!a || (!a->cpu_count && !a->name))
		return b->count; /* registered since */
	if (!a->cpu_count || (a->name && b->name && strcmp(a->name, b->name)))
		return DMA_UNKNOWN;
	for (size_t k = 0; k < before->ncpu; k++)
		if (cpu_count(after, b, before->cpu[k]) == DMA_UNKNOWN)
			return DMA_UNKNOWN;
	for (size_t k = 0; k < after->ncpu; k++) {
		int64_t was = cpu_count(before, a, after->cpu[k]), is = b->cpu_count[k];
		uint32_t fired = (uint32_t)is - (uint32_t)was;

		if (was == DMA_UNKNOWN && is)
			return DMA_UNKNOWN; /* since it was online before, or since now */
		if (was != DMA_UNKNOWN && fired > INT32_MAX)
			return DMA_UNKNOWN; /* set back: the driver was loaded again */
		sum += was == DMA_UNKNOWN ? 0 : fired;
	}
	return sum;
}

const struct irq_info *irqmap_find(const struct irqmap *m, int32_t irq)
{
	struct irq_info key = {.irq = irq};

	return m->n ? bsearch(&key, m->irq, m->n, sizeof(*m->irq), compare_irq) : NULL;
}

/* Whole, or with a trailing '*' a prefix. */
static bool name_fits(const char *pattern, const char *name, size_t len)
{
	size_t n = strlen(pattern);

	if (n && pattern[n - 1] == '*')
		return len >= n - 1 && !memcmp(pattern, name, n - 1);
	return len == n && !memcmp(pattern, name, n);
}

bool irq_has_action(const struct irq_info *i, const char *name)
{
	const char *p = i->name;

	if (!p)
		return false;
	if (name_fits(name, p, strlen(p))) /* a name may itself hold a comma */
		return true;
	for (size_t len; *p; p += len, p += strspn(p, ", ")) {
		const char *comma = strstr(p, ", ");

		len = comma ? (size_t)(comma - p) : strlen(p);
		if (name_fits(name, p, len))
			return true;
	}
	return false;
}

bool irq_may_be_shared(const struct irq_info *i)
{
	return i->wired || (i->name && strstr(i->name, ", "));
}

bool irq_has_pci(const struct irq_info *i, const char *bdf)
{
	for (size_t k = 0; k < i->ndevice; k++)
		if (!strcmp(i->device[k].bdf, bdf))
			return true;
	return i->bdf && !strcmp(i->bdf, bdf);
}

bool irq_has_pci_id(const struct irq_info *i, uint16_t vendor, uint16_t device)
{
	for (size_t k = 0; k < i->ndevice; k++)
		if (i->device[k].vendor == vendor && i->device[k].device == device)
			return true;
	return i->pci_vendor && i->pci_vendor == vendor && i->pci_device == device;
}

/* Handlers that are no device's: clocks, inter-processor interrupts, counters, IOMMU
 * faults. */
bool irq_is_device(const struct irq_info *i)
{
	static const char *const not_name[] = {
		"timer*",   "arch_timer", "arch_mem_timer", "hpet*",	 "rtc*",
		"cascade",  "dmar*",	  "AMD-Vi*",	    "fault*",	 "xen-percpu*",
		"resched*", "callfunc*",  "debug*",	    "spinlock*", "irqwork*",
		"arm-pmu",  "armpmu",	  "IPI*",	    "xen-pmu*",	 NULL,
	};
	/* also the CPU's own lines on RISC-V and LoongArch */
	static const char *const not_chip[] = {"xen-percpu",  "DMAR-MSI", "dmar-msi",
					       "RISC-V INTC", "CPUINTC",  NULL};
	/* anywhere in the name: i.MX Timer Tick, mct_tick0, tegra_timer3, ttc_clockevent */
	static const char *const not_within[] = {"timer tick", "_tick", "_timer",
						 "clockevent", NULL};
	size_t len = i->name ? strlen(i->name) : 0;

	if (!i->name || (len >= 5 && !strcmp(i->name + len - 5, "timer")))
		return false; /* riscv-timer, kvm guest vtimer, sun4i_timer */
	for (const char *const *n = not_name; *n; n++)
		if (name_fits(*n, i->name, strlen(i->name)))
			return false;
	for (const char *const *n = not_within; *n; n++)
		if (strcasestr(i->name, *n))
			return false;
	for (const char *const *c = not_chip; i->chip && *c; c++)
		if (!strncasecmp(i->chip, *c, strlen(*c)))
			return false;
	return true;
}
