/* SPDX-License-Identifier: GPL-2.0-only */
/* The class of a FELIX card, as far as DMA goes, over the fast card. It throws
 * std::system_error. */
#ifndef FLXCARD_H
#define FLXCARD_H

#include <cstddef>
#include <cstdint>
#include <sys/types.h>

#include "examples/edu/edudma.h"

class FlxCard
{
      public:
	~FlxCard();

	void card_open(int device_nr);
	void card_close();

	/* flags / 2: a number for the card's log */
	void dma_to_host(u_int dma_id, u_long dst, size_t size, u_int flags);
	void dma_from_host(u_int dma_id, u_long src, size_t size, u_int flags);
	void dma_wait(u_int dma_id);
	void dma_stop(u_int dma_id);

	void irq_enable(u_int interrupt);
	void irq_disable(u_int interrupt);
	void irq_clear(u_int interrupt);
	/* false after timeout_ms */
	bool irq_wait(u_int interrupt, u_int timeout_ms);

	void ring();
	volatile uint8_t *bar() const
	{
		return registers;
	}
	void *buffer() const
	{
		return memory;
	}
	size_t buffer_bytes() const
	{
		return info.buffer_bytes;
	}
	u_long bus_address() const
	{
		return info.bus_address;
	}
	u_int vectors() const
	{
		return info.vectors;
	}

      private:
	void *map(size_t bytes, off_t offset);
	void describe(u_int dma_id, u_long address, size_t size, bool from_host,
		      u_int number);

	uint64_t read_enable();

	int fd = -1;
	struct edudma_info info = {};
	volatile uint8_t *registers = nullptr, *bell = nullptr;
	void *memory = nullptr;
};

#endif
