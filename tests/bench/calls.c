// SPDX-License-Identifier: GPL-2.0-only
/* A library whose calls do nearly nothing: what is left is the cost of recording them. */
#include <stddef.h>
#include <stdint.h>

volatile uint64_t register_file[512];

int dma_to_host(unsigned id, void *dst, size_t size);
int dma_wait(unsigned id);

int dma_to_host(unsigned id, void *dst, size_t size)
{
	register_file[2 * (id & 7)] = (uintptr_t)dst;
	register_file[2 * (id & 7) + 1] = size;
	register_file[128] = 1u << (id & 7);
	return 0;
}

int dma_wait(unsigned id)
{
	register_file[128] = 0;
	return (int)(register_file[128] >> (id & 7) & 1);
}
