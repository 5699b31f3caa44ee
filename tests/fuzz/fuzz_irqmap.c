/* SPDX-License-Identifier: GPL-2.0-only */
/* /proc/interrupts of any kernel, or of none: no crash, numbers ascending, and a count is
 * the sum of all CPUs or unknown. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/dma.h"
#include "record/host/irqmap.h"
#include "record/host/irqmap_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct irqmap *m, const struct irq_info *i)
{
	int64_t sum = 0;

	if ((i->count == DMA_UNKNOWN) != !i->cpu_count)
		abort();
	for (size_t k = 0; i->cpu_count && k < m->ncpu; k++)
		sum += i->cpu_count[k];
	if (i->cpu_count && sum != i->count)
		abort();
	if (irqmap_find(m, i->irq) != i)
		abort();
	irq_is_device(i);
	irq_has_action(i, "flx*");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct irqmap m;

	for (int32_t v = -1; v < 40; v += 13)
		pci_config_masked(data, size, v);
	if (irqmap_parse(&m, (const char *)data, size, NULL))
		return 0;
	for (size_t k = 0; k < m.n; k++)
		check(&m, &m.irq[k]);
	irqmap_release(&m);
	return 0;
}
