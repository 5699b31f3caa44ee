/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * What the driver edudma offers to a program that opens /dev/edudma0, /dev/edudma1, ...
 * (/dev/flx0, ... for the card of tests/vm). mmap gives the card's registers and one
 * buffer that the card can reach; ioctl does the rest.
 */
#ifndef EDUDMA_H
#define EDUDMA_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Offsets for mmap. */
#define EDUDMA_MAP_REGISTERS 0x00000000
#define EDUDMA_MAP_BUFFER    0x10000000
#define EDUDMA_MAP_BELL	     0x20000000 /* only a card that has a doorbell of its own */

struct edudma_info {
	__u64 bus_address; /* of the buffer, as the card sees it */
	__u32 buffer_bytes;
	__u32 register_bytes;
	__u32 bell_bytes; /* 0 = none */
	__u32 vectors;
};

/* Sleep until the vector's flag is set by an interrupt, and clear it. -ETIMEDOUT after
 * timeout_ms. */
struct edudma_wait {
	__u32 vector;
	__u32 timeout_ms;
};

#define EDUDMA_INFO	   _IOR('e', 1, struct edudma_info)
#define EDUDMA_IRQ_ENABLE  _IO('e', 2) /* argument: vector; masked until then */
#define EDUDMA_IRQ_DISABLE _IO('e', 3)
#define EDUDMA_IRQ_CLEAR   _IO('e', 4) /* the vector's flag */
#define EDUDMA_IRQ_WAIT	   _IOW('e', 5, struct edudma_wait)

#endif
