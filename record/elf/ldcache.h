/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /etc/ld.so.cache, as ldconfig writes it: the format "glibc-ld.so.cache1.1", alone or
 * behind the old one ("ld.so-1.7.0"), or the old one alone. Numbers are in this machine's
 * byte order.
 *
 * old: 0 magic (11), 12 u32 number n, 16 n entries of 12: s32 flags, u32 name, u32 path;
 *	then the strings, which name and path count from.
 * new (behind an old one from the next multiple of 8): 0 magic (17), 17 version "1.1",
 *	20 u32 number n, 24 u32 bytes of strings, 28 u8 byte order (0 unknown, 2 little, 3
 *	big), 32 u32 offset of the extensions (0 = none), 48 n entries of 24: s32 flags,
 *u32 name, u32 path, u32 system version, u64 hwcap. All offsets count from the magic.
 * extensions: u32 magic 0xeaa42174, u32 number, then 16 each: u32 tag, u32 flags, u32
 *	offset, u32 bytes. Tag 1: u32 offsets of names of directories under glibc-hwcaps.
 * hwcap: 0 = plain; bit 62 set: the low 32 bits are an index into these names; anything
 *	else is a directory of the days before glibc 2.33, and left alone.
 */
#ifndef DMA_LDCACHE_H
#define DMA_LDCACHE_H

#include <stddef.h>

struct err;
struct ldcache;

/* The bytes are copied. ERR_FORMAT with what is wrong. */
int ldcache_parse(struct ldcache **out, const void *data, size_t size, struct err *e);
/* ERR_NOTFOUND: there is none, or it is no regular file; ERR_LIMIT above 64 MiB. */
int ldcache_open(struct ldcache **out, const char *path, struct err *e);
void ldcache_free(struct ldcache *c);

/* The paths of a name in the cache's order, entries of that directory under glibc-hwcaps
 * only, or plain ones (NULL). *at begins as 0. NULL = no more. Files of other classes and
 * machines are among them. */
const char *ldcache_next(const struct ldcache *c, const char *name, const char *hwcap,
			 size_t *at);

#endif
