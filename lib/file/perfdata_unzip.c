/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What perf record -z wrote, unpacked into a file without a name, once, when it is opened.
 * PERF_RECORD_COMPRESSED holds a piece of one zstd stream that goes through the whole
 * recording; what comes out are records, the last of a piece perhaps cut, to be continued
 * by the next. Behind the data, the offsets of the feature sections move along.
 * (tools/perf/Documentation/perf.data-file-format.txt, HEADER_COMPRESSED)
 */
#include <inttypes.h>
#include <stdlib.h>
#include <zstd.h>

#include "lib/err.h"
#include "lib/file/perfdata_impl.h"
#include "lib/file/scratch.h"

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
	struct scratch s;
	ZSTD_DStream *stream;
	uint8_t *piece;
	uint8_t *rest; /* a record that is not whole yet */
	size_t nrest, arest;
	struct err *e;
};

static int keep(struct unzip *u, const uint8_t *buf, size_t len)
{
	if (!len) /* a piece of the stream that is nothing yet */
		return 0;
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
	if (!n)
		return 0;
	rc = scratch_put(&u->s, u->rest, n);
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
	return scratch_put(&u->s, r, *size);
}

/* The feature table and the sections, which lie behind the data. */
static int put_tail(struct unzip *u, uint64_t end)
{
	const uint8_t *p = u->p->map;
	uint64_t moved = u->s.written - end, at = end;
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
		rc = scratch_put(&u->s, entry, SECTION_SIZE);
		at += SECTION_SIZE;
	}
	return rc ? rc : scratch_put(&u->s, p + at, u->p->size - at);
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
		return scratch_put(&u->s, p->map, p->size); /* the reader says so */
	whole = size && size <= p->size - at;
	if (whole)
		end = at + size;
	rc = scratch_put(&u->s, p->map, at);
	for (; !rc && one && end - at >= RECORD_HEADER; at += one)
		rc = take(u, at, end, &one);
	/* what is cut stays so: the reader says it */
	if (!rc && u->nrest)
		rc = scratch_put(&u->s, u->rest, u->nrest);
	total = u->s.written - begin;
	if (!rc && !one && !u->nrest)
		rc = scratch_put(&u->s, p->map + at, end - at);
	if (!rc && whole)
		rc = put_tail(u, end);
	if (!rc && whole)
		rc = scratch_put_at(&u->s, HEADER_DATA + 8, &total, sizeof(total));
	return rc;
}

int perfdata_unzip(struct perfdata *p, struct err *e)
{
	struct unzip u = {.p = p, .e = e};
	int rc;

	if (p->size < HEADER_SIZE || memcmp(p->map, PERFDATA_MAGIC, 8) ||
	    !(p->map[HEADER_FEATURES + FEAT_COMPRESSED / 8] >> (FEAT_COMPRESSED % 8) & 1))
		return 0;
	rc = scratch_open(&u.s, p, e);
	u.stream = rc ? NULL : ZSTD_createDStream();
	u.piece = rc ? NULL : malloc(PIECE);
	if (!rc && (!u.stream || !u.piece))
		rc = err_nomem(e, "%s", p->name);
	if (!rc)
		rc = rewrite(&u);
	if (!rc)
		rc = scratch_map(&u.s);
	scratch_close(&u.s);
	ZSTD_freeDStream(u.stream);
	free(u.piece);
	free(u.rest);
	return rc;
}
