/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The card of edu.h as a class, with the signatures of FELIX's FlxCard. What edu.h
 * reports by -errno is thrown here, as std::system_error; dma_wait and irq_wait throw
 * after the time of set_timeout (1 s).
 */
#ifndef EDUCARD_H
#define EDUCARD_H

#include <cstddef>
#include <cstdint>
#include <sys/types.h>

#include "edudma.h"

class EduCard
{
      public:
	EduCard() = default;
	~EduCard();
	EduCard(const EduCard &) = delete;
	EduCard &operator=(const EduCard &) = delete;

	void card_open(int device_nr);
	void card_close();

	void dma_to_host(u_int dma_id, u_long dst, size_t size, u_int flags);
	void dma_from_host(u_int dma_id, u_long src, size_t size, u_int flags);
	void dma_wait(u_int dma_id);
	void dma_stop(u_int dma_id);
	bool busy() const;

	void irq_enable(u_int interrupt);
	void irq_disable(u_int interrupt);
	void irq_clear(u_int interrupt);
	void irq_wait(u_int interrupt);
	void irq_raise();

	void set_timeout(int64_t ns)
	{
		timeout_ns = ns;
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

      private:
	void *map(size_t bytes, off_t offset);
	void store(unsigned at, uint64_t value);

	int fd = -1;
	struct edudma_info info = {};
	volatile uint8_t *registers = nullptr;
	void *memory = nullptr;
	int64_t timeout_ns = 1000000000;
};

#endif
