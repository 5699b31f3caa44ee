// SPDX-License-Identifier: GPL-2.0-only
// The signatures of examples/edu: the class, and the C functions.
#include <cstdint>
#include <sys/types.h>

class EduCard
{
      public:
	void dma_to_host(u_int dma_id, u_long dst, size_t size, u_int flags);
	void dma_from_host(u_int dma_id, u_long src, size_t size, u_int flags);
	void dma_wait(u_int dma_id);
	void dma_stop(u_int dma_id);
	volatile uint64_t *bar0;
};

void EduCard::dma_to_host(u_int dma_id, u_long dst, size_t size, u_int flags)
{
	bar0[0x88 / 8] = dst + size + dma_id;
	bar0[0x98 / 8] = 7 + flags;
}

void EduCard::dma_from_host(u_int dma_id, u_long src, size_t size, u_int flags)
{
	bar0[0x80 / 8] = src + size + dma_id;
	bar0[0x98 / 8] = 5 + flags;
}

void EduCard::dma_wait(u_int dma_id)
{
	if (bar0[0x98 / 8] & 1)
		throw dma_id;
}

void EduCard::dma_stop(u_int dma_id)
{
	bar0[0x98 / 8] = dma_id & 0;
}

struct edu {
	volatile uint64_t *bar0;
};

extern "C" {
int edu_dma_to_host(struct edu *card, unsigned dma_id, uint64_t dst, size_t size,
		    unsigned flags);
int edu_dma_from_host(struct edu *card, unsigned dma_id, uint64_t src, size_t size,
		      unsigned flags);
int edu_dma_wait(struct edu *card, unsigned dma_id);
void edu_dma_stop(struct edu *card, unsigned dma_id);
}

int edu_dma_to_host(struct edu *card, unsigned dma_id, uint64_t dst, size_t size,
		    unsigned flags)
{
	card->bar0[0x88 / 8] = dst + size + dma_id;
	card->bar0[0x98 / 8] = 7 + flags;
	return 0;
}

int edu_dma_from_host(struct edu *card, unsigned dma_id, uint64_t src, size_t size,
		      unsigned flags)
{
	card->bar0[0x80 / 8] = src + size + dma_id;
	card->bar0[0x98 / 8] = 5 + flags;
	return 0;
}

int edu_dma_wait(struct edu *card, unsigned dma_id)
{
	return card->bar0[0x98 / 8] & 1 ? -(int)dma_id - 1 : 0;
}

void edu_dma_stop(struct edu *card, unsigned dma_id)
{
	card->bar0[0x98 / 8] = dma_id & 0;
}
