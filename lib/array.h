/* SPDX-License-Identifier: GPL-2.0-only */
/* An array that grows by one: a pointer and a count, and no third field for the room. */
#ifndef DMA_ARRAY_H
#define DMA_ARRAY_H

#include <stddef.h>

/*
 * array_add(&s->item, &s->n): a new element behind the n of s->item (NULL when n is 0),
 * zeroed and counted; its address, or NULL when there is no memory, and then nothing has
 * changed. The room doubles when n is 0 or a power of two, so whatever has grown by this
 * must not be given room in another way; elements may be taken away from its end.
 */
#ifdef __CPPCHECK__ /* which cannot follow a type that is made of an expression */
#define array_add(array, n) array_grow((array), (n), sizeof(**(array)))
#else
#define array_add(array, n)                                                              \
	((__typeof__(*(array)))array_grow((void *)(array), (n), sizeof(**(array))))
#endif
void *array_grow(void *array, size_t *n, size_t size);

#endif
