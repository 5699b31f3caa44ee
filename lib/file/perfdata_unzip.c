/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What perf record -z wrote, unpacked into a file without a name, once, when it is opened.
 * PERF_RECORD_COMPRESSED holds a piece of one zstd stream that goes through the whole
 * recording; what comes out are records, the last of a piece perhaps cut, to be continued
 * by the next. Behind the data, the offsets of the feature sections move along.
 * (tools/perf/Documentation/perf.data-file-format.txt, HEADER_COMPRESSED)
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include "lib/err.h"
#include "lib/file/perfdata_impl.h"

enum {
	FEAT_COMPRESSED = 27,
	TRACING_DATA = 66,
	AUXTRACE = 71,
	COMPRESSED = 81,
	COMPRESSED2 = 83,
	PIECE = 1 << 17, /* bytes unpacked at a time: what zstd advises */
};

struct unzip {
	struct perfdata *p;
	FILE *out;
	ZSTD_DStream *stream;
	uint8_t *piece;
	uint8_t *rest; /* a record that is not whole yet */
	size_t nrest, arest;
	uint64_t written;
	struct err *e;
};

static int put(struct unzip *u, const void *buf, size_t len)
{
	if (len && fwrite(buf, len, 1, u->out) != 1)
		return err_errno(u->e,
				 "%s: unpacking it into a temporary file (TMPDIR "
				 "names another place)",
				 u->p->name);
	u->written += len;
	return 0;
}

static int keep(struct unzip *u, const uint8_t *buf, size_t len)
{
	if (u->nrest + len > u->arest) {
		size_t room = 2 * (u->nrest + len);
		uint8_t *grown = realloc(u->rest, room);

		if (!grown)
			return err_nomem(u->e, "%s", u->p->name);
		u->rest = grown;
		u->arest = room;
	}
	memcpy(u->rest + u->nrest, buf, len);
	u->nrest += len;
	return 0;
}

/* As far as records are whole. */
static int put_whole(struct unzip *u)
{
	size_t n = 0;
	int rc;

	while (u->nrest - n >= RECORD_HEADER) {
		uint16_t size = get_u16(u->rest + n + 6);

		if (size < RECORD_HEADER)
			return err_set(
				u->e, ERR_FORMAT,
				"%s: a record in its compressed data has the size %u; "
				"the file is damaged",
				u->p->name, size);
		if (size > u->nrest - n)
			break;
		n += size;
	}
	rc = put(u, u->rest, n);
	u->nrest -= n;
	memmove(u->rest, u->rest + n, u->nrest);
	return rc;
}

static int unpack(struct unzip *u, uint64_t at, const uint8_t *from, size_t len)
{
	ZSTD_inBuffer in = {from, len, 0};
	int rc = 0;

	while (!rc && in.pos < in.size) {
		ZSTD_outBuffer out = {u->piece, PIECE, 0};
		size_t before = in.pos,
		       left = ZSTD_decompressStream(u->stream, &out, &in);

		if (ZSTD_isError(left) || (in.pos == before && !out.pos))
			return err_set(u->e, ERR_FORMAT,
				       "%s: compressed record at offset %" PRIu64
				       ": %s; the file is damaged",
				       u->p->name, at,
				       ZSTD_isError(left) ? ZSTD_getErrorName(left)
							  : "no end");
		rc = keep(u, u->piece, out.pos);
		if (!rc)
			rc = put_whole(u);
	}
	return rc;
}

/* One record at `at`, with what follows it; *size = all of that. 0 = it is cut. */
static int take(struct unzip *u, uint64_t at, uint64_t end, uint64_t *size)
{
	const uint8_t *r = u->p->map + at;
	uint64_t len = get_u16(r + 6), more = 0, room;
	uint32_t type = get_u32(r);

	*size = 0;
	if (len < RECORD_HEADER || len > end - at)
		return 0; /* the reader says what is wrong there */
	if (type == COMPRESSED) {
		*size = len;
		return unpack(u, at, r + RECORD_HEADER, len - RECORD_HEADER);
	}
	if (type == COMPRESSED2 && len >= RECORD_HEADER + 8) {
		room = len - RECORD_HEADER - 8;
		more = get_u64(r + RECORD_HEADER);
		*size = len;
		return unpack(u, at, r + RECORD_HEADER + 8, more < room ? more : room);
	}
	if (type == AUXTRACE && len >= RECORD_HEADER + 8)
		more = get_u64(r + RECORD_HEADER);
	if (type == TRACING_DATA && len >= RECORD_HEADER + 8)
		more = ((uint64_t)get_u32(r + RECORD_HEADER) + 7) & ~7ull;
	if (more > end - at - len)
		return 0;
	*size = len + more;
	return put(u, r, *size);
}

/* The feature table and the sections, which lie behind the data. */
static int put_tail(struct unzip *u, uint64_t end)
{
	const uint8_t *p = u->p->map;
	uint64_t moved = u->written - end, at = end;
	uint8_t entry[SECTION_SIZE];
	int rc = 0;

	for (unsigned bit = 0; !rc && bit < FEAT_BITS; bit++) {
		uint64_t offset;

		if (!(p[HEADER_FEATURES + bit / 8] >> (bit % 8) & 1) ||
		    u->p->size - at < SECTION_SIZE)
			continue;
		memcpy(entry, p + at, SECTION_SIZE);
		offset = get_u64(entry);
		if (offset >= end)
			offset += moved;
		memcpy(entry, &offset, sizeof(offset));
		rc = put(u, entry, SECTION_SIZE);
		at += SECTION_SIZE;
	}
	return rc ? rc : put(u, p + at, u->p->size - at);
}

static int rewrite(struct unzip *u)
{
	struct perfdata *p = u->p;
	uint64_t at = get_u64(p->map + HEADER_DATA),
		 size = get_u64(p->map + HEADER_DATA + 8);
	uint64_t begin = at, end = p->size, one = 1, total;
	bool whole;
	int rc;

	if (at < HEADER_SIZE || at > p->size)
		return put(u, p->map, p->size); /* the reader says so */
	whole = size && size <= p->size - at;
	if (whole)
		end = at + size;
	rc = put(u, p->map, at);
	for (; !rc && one && end - at >= RECORD_HEADER; at += one)
		rc = take(u, at, end, &one);
	total = u->written - begin;
	if (!rc && !one)
		rc = put(u, p->map + at, end - at);
	if (!rc && whole)
		rc = put_tail(u, end);
	if (!rc && whole &&
	    (fseeko(u->out, HEADER_DATA + 8, SEEK_SET) ||
	     fwrite(&total, sizeof(total), 1, u->out) != 1))
		rc = err_errno(u->e, "%s: unpacking it", p->name);
	return rc;
}

static int map_result(struct unzip *u)
{
	struct perfdata *p = u->p;
	void *map = MAP_FAILED;

	if (!fflush(u->out))
		map = mmap(NULL, u->written, PROT_READ, MAP_SHARED, fileno(u->out), 0);
	if (map == MAP_FAILED)
		return err_errno(u->e, "%s: unpacking it", p->name);
	if (p->mapped)
		munmap((void *)(uintptr_t)p->map, p->size);
	p->map = map;
	p->size = u->written;
	p->mapped = true;
	return 0;
}

static FILE *unnamed(void)
{
	const char *dir = getenv("TMPDIR");
	char name[4096];
	FILE *f = NULL;
	int fd;

	snprintf(name, sizeof(name), "%s/dmaanalyze.XXXXXX", dir && *dir ? dir : "/tmp");
	fd = mkostemp(name, O_CLOEXEC);
	if (fd >= 0) {
		unlink(name);
		f = fdopen(fd, "w+");
	}
	if (fd >= 0 && !f)
		close(fd);
	return f;
}

int perfdata_unzip(struct perfdata *p, struct err *e)
{
	struct unzip u = {.p = p, .e = e};
	int rc;

	if (p->size < HEADER_SIZE || memcmp(p->map, PERFDATA_MAGIC, 8) ||
	    !(p->map[HEADER_FEATURES + FEAT_COMPRESSED / 8] >> (FEAT_COMPRESSED % 8) & 1))
		return 0;
	u.out = unnamed();
	u.stream = ZSTD_createDStream();
	u.piece = malloc(PIECE);
	if (!u.out)
		rc = err_errno(e,
			       "%s: no temporary file to unpack it into (TMPDIR names "
			       "another place)",
			       p->name);
	else if (!u.stream || !u.piece)
		rc = err_nomem(e, "%s", p->name);
	else
		rc = rewrite(&u);
	if (!rc)
		rc = map_result(&u);
	if (u.out)
		fclose(u.out);
	ZSTD_freeDStream(u.stream);
	free(u.piece);
	free(u.rest);
	return rc;
}
