/* SPDX-License-Identifier: GPL-2.0-only */
/* LitePCIe's signatures, after litepcie_dma.h. */
#include <stdint.h>

void litepcie_dma_writer(int fd, uint8_t enable, int64_t *hw_count, int64_t *sw_count);
void litepcie_dma_reader(int fd, uint8_t enable, int64_t *hw_count, int64_t *sw_count);

void litepcie_dma_writer(int fd, uint8_t enable, int64_t *hw_count, int64_t *sw_count)
{
	*hw_count = fd;
	*sw_count = enable;
}

void litepcie_dma_reader(int fd, uint8_t enable, int64_t *hw_count, int64_t *sw_count)
{
	*hw_count = fd + 1;
	*sw_count = enable;
}
