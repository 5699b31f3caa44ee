// SPDX-License-Identifier: GPL-2.0-only
// WupperCard's signatures of both generations, after WupperCard.h.
#include <sys/types.h>

class WupperCard
{
      public:
	void dma_to_host(u_int dma_id, u_long dst, size_t size, u_int flags);
	void dma_from_host(u_int dma_id, u_long dst, size_t size, u_int flags);
	void dma_to_host(u_int dma_id, u_long dst, size_t size, u_int tlp, u_int flags);
	void dma_from_host(u_int dma_id, u_long dst, size_t size, u_int tlp, u_int flags);
	void dma_wait(u_int dma_id);
	void dma_stop(u_int dma_id);
	volatile u_int *bar0;
};

void WupperCard::dma_to_host(u_int dma_id, u_long dst, size_t size, u_int flags)
{
	bar0[0] = (u_int)(dst + size + flags);
	bar0[0x100] |= 1u << dma_id;
}

void WupperCard::dma_from_host(u_int dma_id, u_long dst, size_t size, u_int flags)
{
	bar0[1] = (u_int)(dst + size + flags);
	bar0[0x100] |= 1u << dma_id;
}

void WupperCard::dma_to_host(u_int dma_id, u_long dst, size_t size, u_int tlp,
			     u_int flags)
{
	bar0[0] = (u_int)(dst + size + flags + tlp);
	bar0[0x100] |= 1u << dma_id;
}

void WupperCard::dma_from_host(u_int dma_id, u_long dst, size_t size, u_int tlp,
			       u_int flags)
{
	bar0[1] = (u_int)(dst + size + flags + tlp);
	bar0[0x100] |= 1u << dma_id;
}

void WupperCard::dma_wait(u_int dma_id)
{
	if (bar0[0x100] & 1u << dma_id)
		throw 1;
}

void WupperCard::dma_stop(u_int dma_id)
{
	bar0[0x100] &= ~(1u << dma_id);
}
