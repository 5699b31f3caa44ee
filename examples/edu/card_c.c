/* SPDX-License-Identifier: GPL-2.0-only */
/* card.h over libedu. */
#include "card.h"
#include "edu.h"

int card_open(unsigned number, void **card)
{
	struct edu_card *c;
	int rc = edu_open(number, &c);

	*card = c;
	return rc;
}

void card_close(void *card)
{
	edu_close(card);
}

void *card_buffer(void *card)
{
	return edu_buffer(card, NULL);
}

unsigned long card_bus_address(void *card)
{
	return edu_bus_address(card);
}

int card_start(void *card, int to_host, unsigned long address, size_t size,
	       unsigned flags)
{
	return to_host ? edu_dma_to_host(card, 0, address, size, flags)
		       : edu_dma_from_host(card, 0, address, size, flags);
}

int card_wait(void *card, int64_t timeout_ns)
{
	edu_set_timeout(card, timeout_ns);
	return edu_dma_wait(card, 0);
}

int card_stop(void *card)
{
	return edu_dma_stop(card, 0);
}

int card_busy(void *card)
{
	return edu_busy(card);
}

int card_irq_enable(void *card)
{
	return edu_irq_enable(card, 0);
}

int card_irq_clear(void *card)
{
	return edu_irq_clear(card, 0);
}

int card_irq_wait(void *card)
{
	return edu_irq_wait(card, 0);
}

void card_irq_raise(void *card)
{
	edu_irq_raise(card);
}

int card_irq_disable(void *card)
{
	return edu_irq_disable(card, 0);
}
