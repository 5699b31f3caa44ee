// SPDX-License-Identifier: GPL-2.0-only
// FlxCard's signatures, after FlxCard.h. The starts end with the store to
// DMA_DESC_ENABLE.
#include <sys/types.h>

class FlxCard
{
      public:
	void dma_to_host(u_int dma_id, u_long dst, size_t size, u_int flags);
	void dma_from_host(u_int dma_id, u_long src, size_t size, u_int flags);
	void dma_wait(u_int dma_id);
	void dma_stop(u_int dma_id);
	volatile u_int *bar0;
};

void FlxCard::dma_to_host(u_int dma_id, u_long dst, size_t size, u_int flags)
{
	bar0[0] = (u_int)(dst + size + flags);
	bar0[0x100] |= 1u << dma_id;
}

void FlxCard::dma_from_host(u_int dma_id, u_long src, size_t size, u_int flags)
{
	bar0[1] = (u_int)(src + size + flags);
	bar0[0x100] |= 1u << dma_id;
}

void FlxCard::dma_wait(u_int dma_id)
{
	if (bar0[0x100] & 1u << dma_id)
		throw 1;
}

void FlxCard::dma_stop(u_int dma_id)
{
	bar0[0x100] &= ~(1u << dma_id);
}
