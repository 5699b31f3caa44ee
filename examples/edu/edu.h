/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DMA with QEMU's edu card through the driver edudma. The card has one channel, 0, and
 * moves up to EDU_MAX_BYTES between memory (the driver's buffer) and EDU_MAX_BYTES of its
 * own. Functions return 0 or -errno: -EINVAL for a channel, a size or an address that the
 * card cannot have. One thread for each card.
 */
#ifndef EDU_H
#define EDU_H

#include <stddef.h>
#include <stdint.h>

#define EDU_MAX_BYTES 4095 /* 4096 are refused by the card, and QEMU 7.2 ends itself */

enum { /* registers of BAR 0 */
       EDU_REG_RAISE = 0x60,
       EDU_REG_SOURCE = 0x80,
       EDU_REG_TARGET = 0x88,
       EDU_REG_COUNT = 0x90,
       EDU_REG_COMMAND = 0x98,
       EDU_OWN_MEMORY = 0x40000, /* where the card's own memory begins, for the card */
};

enum { /* EDU_REG_COMMAND; EDU_RUN stays set while a transfer runs */
       EDU_RUN = 1,
       EDU_TO_HOST = 2,
       EDU_INTERRUPT = 4,
};

enum { EDU_NO_INTERRUPT = 2 }; /* flags of a start: ask for no interrupt at the end */

#ifdef __cplusplus
extern "C" {
#endif

struct edu_card;

/* Card 0 is /dev/edudma0. */
int edu_open(unsigned card, struct edu_card **c);
void edu_close(struct edu_card *c);

/* The buffer for a program, and its address for the card. */
void *edu_buffer(const struct edu_card *c, size_t *bytes);
unsigned long edu_bus_address(const struct edu_card *c);

/* Start a transfer from the card's own memory to dst, from src to the card's own memory.
 * They return at once. */
int edu_dma_to_host(struct edu_card *c, unsigned id, unsigned long dst, size_t size,
		    unsigned flags);
int edu_dma_from_host(struct edu_card *c, unsigned id, unsigned long src, size_t size,
		      unsigned flags);

/* Poll the command register until the transfer has ended; -ETIMEDOUT after the time of
 * edu_set_timeout (1 s). */
int edu_dma_wait(struct edu_card *c, unsigned id);
void edu_set_timeout(struct edu_card *c, int64_t timeout_ns);

/* Give the transfer up. This card finishes it nevertheless. */
int edu_dma_stop(struct edu_card *c, unsigned id);

/* Non-zero while the card moves data, whoever asked for it. */
int edu_busy(const struct edu_card *c);

int edu_irq_enable(struct edu_card *c, unsigned vector);
int edu_irq_disable(struct edu_card *c, unsigned vector);
/* Sleep until the vector's interrupt came; -ETIMEDOUT as edu_dma_wait. One that came
 * before counts, unless it was cleared. */
int edu_irq_clear(struct edu_card *c, unsigned vector);
int edu_irq_wait(struct edu_card *c, unsigned vector);
/* Let the card raise its interrupt though nothing ended. */
void edu_irq_raise(struct edu_card *c);

#ifdef __cplusplus
}
#endif
#endif
