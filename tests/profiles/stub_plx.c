/* SPDX-License-Identifier: GPL-2.0-only */
/* The PLX SDK's signatures and the structure of its transfers, after PlxApi.h and
 * PlxTypes.h. */
#include <stdint.h>

typedef struct plx_device PLX_DEVICE_OBJECT;

typedef struct {
	uint64_t UserVa, AddrSource, AddrDest, PciAddr;
	uint32_t LocalAddr, ByteCount;
	uint8_t Direction;
	uint8_t bConstAddrSrc : 1, bConstAddrDest : 1, bForceFlush : 1,
		bIgnoreBlockInt : 1;
} PLX_DMA_PARAMS;

int PlxPci_DmaTransferUserBuffer(PLX_DEVICE_OBJECT *pDevice, uint8_t channel,
				 PLX_DMA_PARAMS *pDmaParams, uint64_t Timeout_ms);
int PlxPci_DmaTransferBlock(PLX_DEVICE_OBJECT *pDevice, uint8_t channel,
			    PLX_DMA_PARAMS *pDmaParams, uint64_t Timeout_ms);

int PlxPci_DmaTransferUserBuffer(PLX_DEVICE_OBJECT *pDevice, uint8_t channel,
				 PLX_DMA_PARAMS *pDmaParams, uint64_t Timeout_ms)
{
	return pDevice && pDmaParams->ByteCount + channel + Timeout_ms ? 0x200 : 0x201;
}

int PlxPci_DmaTransferBlock(PLX_DEVICE_OBJECT *pDevice, uint8_t channel,
			    PLX_DMA_PARAMS *pDmaParams, uint64_t Timeout_ms)
{
	return pDevice && pDmaParams->ByteCount + channel + Timeout_ms ? 0x200 : 0x202;
}
