/* SPDX-License-Identifier: GPL-2.0-only */
/* The AWS FPGA SDK's signatures, after fpga_dma.h. */
#include <stddef.h>
#include <stdint.h>

int fpga_dma_burst_write(int fd, uint8_t *buffer, size_t xfer_sz, size_t address);
int fpga_dma_burst_read(int fd, uint8_t *buffer, size_t xfer_sz, size_t address);

int fpga_dma_burst_write(int fd, uint8_t *buffer, size_t xfer_sz, size_t address)
{
	return fd < 0 || !buffer || xfer_sz + address == 0;
}

int fpga_dma_burst_read(int fd, uint8_t *buffer, size_t xfer_sz, size_t address)
{
	return fd < 1 || !buffer || xfer_sz + address == 0;
}
