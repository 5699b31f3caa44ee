/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the workload needs of a card, so that one workload drives libedu (card_c.c) and
 * the class EduCard (card_cc.cc; what it throws is caught there and becomes -errno).
 * Functions as in edu.h.
 */
#ifndef CARD_H
#define CARD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

int card_open(unsigned number, void **card);
void card_close(void *card);
void *card_buffer(void *card);
unsigned long card_bus_address(void *card);
int card_start(void *card, int to_host, unsigned long address, size_t size,
	       unsigned flags);
int card_wait(void *card, int64_t timeout_ns);
int card_stop(void *card);
int card_busy(void *card);
int card_irq_enable(void *card);
int card_irq_disable(void *card);
int card_irq_clear(void *card);
int card_irq_wait(void *card);
void card_irq_raise(void *card);

#ifdef __cplusplus
}
#endif
#endif
