/* SPDX-License-Identifier: GPL-2.0-only */
/* The loader's cache, sorted by name once more: its own order is not relied upon. */
#include "record/elf/ldcache.h"

#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"
#include "record/elf/elf_dynamic.h"

static const char old_magic[] = "ld.so-1.7.0", new_magic[] = "glibc-ld.so.cache1.1";

enum {
	OLD_NUMBER = 12,
	OLD_HEADER = 16,
	OLD_ENTRY = 12,
	NEW_NUMBER = 20,
	NEW_ORDER = 28,
	NEW_EXTENSIONS = 32,
	NEW_HEADER = 48,
	NEW_ENTRY = 24,
	NEW_HWCAP = 16,
	ENTRY_NAME = 4,
	ENTRY_PATH = 8,
	EXTENSION_HEADER = 8,
	EXTENSION_ENTRY = 16,
	EXTENSION_HWCAPS = 1,
	CACHE_MAX_BYTES = 64 << 20, /* chosen: 1,000 libraries take 100 KB */
};
#define EXTENSION_MAGIC	 0xeaa42174u
#define HWCAP_EXTENSION	 (1ull << 62)
#define HWCAP_ISA_LEVELS (0x3ffull << 32) /* x86 level that the file asks for */

struct item {
	const char *name, *path, *hwcap; /* hwcap: NULL = plain */
};

struct ldcache {
	char *data; /* a NUL stands behind the last byte */
	size_t size;
	struct item *item; /* by name, then in the cache's order */
	size_t n;
	size_t base; /* of a new cache in the file */
	size_t hwcaps,
		nhwcaps; /* offset from base, and number, of names of directories */
};

static uint32_t u32_at(const struct ldcache *c, size_t offset)
{
	uint32_t v;

	memcpy(&v, c->data + offset, sizeof(v));
	return v;
}

static uint64_t u64_at(const struct ldcache *c, size_t offset)
{
	uint64_t v;

	memcpy(&v, c->data + offset, sizeof(v));
	return v;
}

/* NULL = outside, or longer than any path. */
static const char *string_at(const struct ldcache *c, size_t base, uint32_t offset)
{
	if (offset >= c->size - base ||
	    strnlen(c->data + base + offset, PATH_MAX) == PATH_MAX)
		return NULL;
	return c->data + base + offset;
}

static int outside(struct err *e, const char *what, size_t offset)
{
	return err_set(e, ERR_FORMAT, "offset %zu: %s lies outside the file", offset,
		       what);
}

static int add_item(struct ldcache *c, size_t at, size_t strings, const char *hwcap,
		    struct err *e)
{
	struct item *i = &c->item[c->n];

	*i = (struct item){string_at(c, strings, u32_at(c, at + ENTRY_NAME)),
			   string_at(c, strings, u32_at(c, at + ENTRY_PATH)), hwcap};
	if (!i->name || !i->path)
		return outside(e, "a library's name or path", at);
	c->n++;
	return 0;
}

static int parse_old(struct ldcache *c, size_t n, struct err *e)
{
	size_t strings = OLD_HEADER + n * OLD_ENTRY;
	int rc = 0;

	c->item = calloc(n + 1, sizeof(*c->item));
	if (!c->item)
		return err_nomem(e, "a program");
	for (size_t i = 0; i < n && !rc; i++)
		rc = add_item(c, OLD_HEADER + i * OLD_ENTRY, strings, NULL, e);
	return rc;
}

static int parse_extensions(struct ldcache *c, struct err *e)
{
	size_t room = c->size - c->base, at = u32_at(c, c->base + NEW_EXTENSIONS);
	size_t n;

	if (!at)
		return 0;
	if (at % 4 || at > room || room - at < EXTENSION_HEADER)
		return outside(e, "the table of extensions", c->base + NEW_EXTENSIONS);
	if (u32_at(c, c->base + at) != EXTENSION_MAGIC)
		return err_set(e, ERR_FORMAT, "offset %zu: no table of extensions",
			       c->base + at);
	n = u32_at(c, c->base + at + 4);
	at += EXTENSION_HEADER;
	if (n > (room - at) / EXTENSION_ENTRY)
		return outside(e, "an extension", c->base + at);
	for (size_t i = 0; i < n; i++, at += EXTENSION_ENTRY) {
		size_t offset = u32_at(c, c->base + at + 8);
		size_t size = u32_at(c, c->base + at + 12);

		if (offset > room || size > room - offset)
			return outside(e, "an extension", c->base + at);
		if (u32_at(c, c->base + at) == EXTENSION_HWCAPS) {
			c->hwcaps = offset;
			c->nhwcaps = size / sizeof(uint32_t);
		}
	}
	return 0;
}

static int parse_new(struct ldcache *c, struct err *e)
{
	size_t n = u32_at(c, c->base + NEW_NUMBER);
	int order = c->data[c->base + NEW_ORDER] & 3,
	    ours = __BYTE_ORDER == __LITTLE_ENDIAN ? 2 : 3, rc;

	if (order && order != ours)
		return err_set(e, ERR_FORMAT, "offset %zu: of another byte order",
			       c->base + NEW_ORDER);
	if (n > (c->size - c->base - NEW_HEADER) / NEW_ENTRY)
		return outside(e, "the table of libraries", c->base + NEW_NUMBER);
	c->item = calloc(n + 1, sizeof(*c->item));
	if (!c->item)
		return err_nomem(e, "a program");
	rc = parse_extensions(c, e);
	for (size_t i = 0; i < n && !rc; i++) {
		size_t at = c->base + NEW_HEADER + i * NEW_ENTRY;
		uint64_t hwcap = u64_at(c, at + NEW_HWCAP);
		uint32_t index = (uint32_t)hwcap;
		const char *name = NULL;

		if (hwcap && ((hwcap & ~HWCAP_ISA_LEVELS) >> 32 != HWCAP_EXTENSION >> 32))
			continue;
		if (hwcap && index >= c->nhwcaps)
			return outside(e, "a directory's name", at + NEW_HWCAP);
		if (hwcap &&
		    !(name = string_at(c, c->base,
				       u32_at(c, c->base + c->hwcaps + index * 4))))
			return outside(e, "a directory's name", at + NEW_HWCAP);
		rc = add_item(c, at, c->base, name, e);
	}
	return rc;
}

static int parse(struct ldcache *c, struct err *e)
{
	size_t n;

	if (c->size >= OLD_HEADER && !memcmp(c->data, old_magic, strlen(old_magic))) {
		n = u32_at(c, OLD_NUMBER);
		if (n > (c->size - OLD_HEADER) / OLD_ENTRY)
			return outside(e, "the table of libraries", OLD_NUMBER);
		c->base = (OLD_HEADER + n * OLD_ENTRY + 7) / 8 * 8;
		if (c->base > c->size || c->size - c->base < NEW_HEADER ||
		    memcmp(c->data + c->base, new_magic, strlen(new_magic)))
			return parse_old(c, n, e);
	}
	if (c->size - c->base < NEW_HEADER ||
	    memcmp(c->data + c->base, new_magic, strlen(new_magic)))
		return err_set(e, ERR_FORMAT, "not a cache of libraries (%s)", new_magic);
	return parse_new(c, e);
}

static int by_name(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order;
}

/* Stable, so that the cache's order stays among equal names. */
static int sort(struct ldcache *c, struct err *e)
{
	struct item *from = c->item, *to = calloc(c->n + 1, sizeof(*to)), *swap;

	if (!to)
		return err_nomem(e, "a program");
	for (size_t width = 1; width < c->n; width *= 2) {
		for (size_t low = 0; low < c->n; low += 2 * width) {
			size_t mid = low + width < c->n ? low + width : c->n;
			size_t end = low + 2 * width < c->n ? low + 2 * width : c->n;
			size_t i = low, k = mid;

			for (size_t o = low; o < end; o++)
				to[o] = i < mid && (k >= end ||
						    by_name(&from[i], &from[k]) <= 0)
						? from[i++]
						: from[k++];
		}
		swap = from;
		from = to;
		to = swap;
	}
	c->item = from;
	free(to);
	return 0;
}

int ldcache_parse(struct ldcache **out, const void *data, size_t size, struct err *e)
{
	struct ldcache *c = calloc(1, sizeof(*c));
	int rc = 0;

	*out = NULL;
	if (!c || !(c->data = malloc(size + 1)))
		rc = err_nomem(e, "a program");
	if (!rc) {
		memcpy(c->data, data, size);
		c->data[size] = '\0';
		c->size = size;
		rc = parse(c, e);
	}
	if (!rc)
		rc = sort(c, e);
	if (rc)
		ldcache_free(c);
	else
		*out = c;
	return rc;
}

int ldcache_open(struct ldcache **out, const char *path, struct err *e)
{
	int fd = regular_open(path), rc;
	char *data = NULL;
	struct stat st;
	ssize_t got = -1;

	*out = NULL;
	if (fd < 0 || fstat(fd, &st))
		rc = err_set(e, ERR_NOTFOUND, "%s: %s", path, strerror(errno));
	else if (st.st_size > CACHE_MAX_BYTES)
		rc = err_set(e, ERR_LIMIT, "%s is larger than 64 MiB", path);
	else if (!(data = malloc((size_t)st.st_size + 1)))
		rc = err_nomem(e, "a program");
	else if ((got = pread(fd, data, (size_t)st.st_size, 0)) < 0)
		rc = err_errno(e, "%s", path);
	else
		rc = ldcache_parse(out, data, (size_t)got, e);
	if (rc == ERR_FORMAT)
		err_prefix(e, "%s", path);
	free(data);
	if (fd >= 0)
		close(fd);
	return rc;
}

void ldcache_free(struct ldcache *c)
{
	if (!c)
		return;
	free(c->item);
	free(c->data);
	free(c);
}

static size_t first(const struct ldcache *c, const char *name)
{
	size_t low = 0, high = c->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(c->item[mid].name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const char *ldcache_next(const struct ldcache *c, const char *name, const char *hwcap,
			 size_t *at)
{
	for (size_t i = *at ? *at : first(c, name);
	     i < c->n && !strcmp(c->item[i].name, name); i++) {
		const char *have = c->item[i].hwcap;

		if (have && hwcap ? strcmp(have, hwcap) : have || hwcap)
			continue;
		*at = i + 1;
		return c->item[i].path;
	}
	*at = c->n + 1; /* i < c->n fails from here on */
	return NULL;
}
