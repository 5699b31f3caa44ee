/* SPDX-License-Identifier: GPL-2.0-only */
/* The page that a register lies in, mapped read-only. */
#ifndef DMA_WATCH_MAP_H
#define DMA_WATCH_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/file/mapguard.h"

struct err;
struct register_spec;

struct watch_map {
	void *page;		 /* NULL = nothing is mapped */
	size_t size;		 /* of the page */
	const volatile void *at; /* the register */
	char *path;		 /* that is mapped */
	struct mapguard guard;	 /* the file is cut, the device is gone: SIGBUS */
};

int watch_map_open(struct watch_map *m, const struct register_spec *r, const char *root,
		   uid_t user, struct err *e);
void watch_map_close(struct watch_map *m);

/* One reading. */
static inline uint64_t watch_map_read(const struct watch_map *m, int width)
{
	switch (width) {
	case 8:
		return *(const volatile uint8_t *)m->at;
	case 16:
		return *(const volatile uint16_t *)m->at;
	case 32:
		return *(const volatile uint32_t *)m->at;
	default:
		return *(const volatile uint64_t *)m->at;
	}
}

/* What a card that is gone, asleep or switched off answers. Of 8 and 16 bits it may be a
 * value like others. */
static inline bool watch_all_ones(uint64_t value, int width)
{
	return width == 32 ? value == UINT32_MAX : width == 64 && value == UINT64_MAX;
}

#endif
