// SPDX-License-Identifier: GPL-2.0-only
// card.h over the class EduCard: here its exceptions are caught.
#include <system_error>

#include "EduCard.h"
#include "card.h"

template <typename F> static int caught(F call)
{
	try {
		call();
		return 0;
	} catch (const std::system_error &e) {
		return -e.code().value();
	}
}

static EduCard *of(void *card)
{
	return static_cast<EduCard *>(card);
}

int card_open(unsigned number, void **card)
{
	EduCard *c = new EduCard;
	int rc = caught([&] { c->card_open((int)number); });

	if (rc) {
		delete c;
		c = nullptr;
	}
	*card = c;
	return rc;
}

void card_close(void *card)
{
	delete of(card);
}

void *card_buffer(void *card)
{
	return of(card)->buffer();
}

unsigned long card_bus_address(void *card)
{
	return of(card)->bus_address();
}

int card_start(void *card, int to_host, unsigned long address, size_t size,
	       unsigned flags)
{
	return caught([&] {
		if (to_host)
			of(card)->dma_to_host(0, address, size, flags);
		else
			of(card)->dma_from_host(0, address, size, flags);
	});
}

int card_wait(void *card, int64_t timeout_ns)
{
	of(card)->set_timeout(timeout_ns);
	return caught([&] { of(card)->dma_wait(0); });
}

int card_stop(void *card)
{
	return caught([&] { of(card)->dma_stop(0); });
}

int card_busy(void *card)
{
	return of(card)->busy();
}

int card_irq_enable(void *card)
{
	return caught([&] { of(card)->irq_enable(0); });
}

int card_irq_clear(void *card)
{
	return caught([&] { of(card)->irq_clear(0); });
}

int card_irq_wait(void *card)
{
	return caught([&] { of(card)->irq_wait(0); });
}

void card_irq_raise(void *card)
{
	of(card)->irq_raise();
}

int card_irq_disable(void *card)
{
	return caught([&] { of(card)->irq_disable(0); });
}
