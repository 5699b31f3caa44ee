// SPDX-License-Identifier: GPL-2.0-only
// A card in memory with FlxCard's signatures: what a compiler makes of such a class, with
// exceptions, is what tests/cli/exits.t is about.
#ifndef FLXCARD_H
#define FLXCARD_H

#include <cstddef>
#include <sys/types.h>

class FlxCard
{
      public:
	FlxCard();
	~FlxCard();
	void dma_to_host(u_int dma_id, u_long dst, size_t size, u_int flags);
	void dma_from_host(u_int dma_id, u_long src, size_t size, u_int flags);
	void dma_wait(u_int dma_id);
	void dma_stop(u_int dma_id);

      private:
	struct bar0 {
		u_long desc[0x80]; // DMA_DESC at 0x000
		u_int enable;	   // DMA_DESC_ENABLE at 0x400
	};
	volatile bar0 *m_bar0;
	u_int m_waits;
};

#endif
