/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A DMA "card" that every machine has: its own disk. The disk's controller reads and
 * writes this program's memory by DMA and raises an interrupt at the end, so the three
 * functions that a card's library offers can be had on it: start towards the host, start
 * from the host, wait.
 *
 * A channel is a queue of its own (an AIO context). Transfers of a channel are waited for
 * in the order in which they were started. Not thread-safe within a channel; different
 * channels may be used by different threads.
 */
#ifndef BLKDMA_H
#define BLKDMA_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Open path (a file on a disk, or a block device) with O_DIRECT, for `channels` queues of
 * up to `depth` transfers in flight each. 0, or -errno: -EINVAL where the file system has
 * no O_DIRECT. */
int blkdma_open(const char *path, unsigned channels, unsigned depth);
void blkdma_close(void);

/* Start to read `size` bytes at `offset` of the disk into dst / to write them from src.
 * All three must be multiples of 512 (4096 on disks with such sectors). 0 when the
 * transfer has begun, or -errno: -ENODEV no such channel, -EAGAIN depth reached, else the
 * kernel's refusal. */
int dma_to_host(unsigned channel, void *dst, size_t size, off_t offset);
int dma_from_host(unsigned channel, const void *src, size_t size, off_t offset);

/* Poll, without sleeping, until the oldest transfer of the channel has ended. 0, or
 * -errno: -ENODEV no such channel, -ENOENT nothing in flight, -ETIMEDOUT after 10 s, -EIO
 * a short transfer, else the error of the disk. */
int dma_wait(unsigned channel);

/* Make dma_wait on this channel spin for so long after the end: a slowdown to be found by
 * dmacompare. */
void blkdma_delay(unsigned channel, int64_t delay_ns);

#ifdef __cplusplus
}
#endif
#endif
