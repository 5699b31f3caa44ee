/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What perf record -o - writes, rewritten once, when it is opened, as the file that perf
 * record -o FILE would have been. In a pipe there is no going back to a header: behind 16
 * bytes come records only, and attributes, trace formats and feature sections are records
 * among them (tools/perf/Documentation/perf.data-file-format.txt, "Pipe-mode data").
 */
#include <inttypes.h>
#include <stdlib.h>

#include "lib/array.h"
#include "lib/err.h"
#include "lib/file/perfdata_impl.h"
#include "lib/file/scratch.h"

enum {
	USER_FIRST = 64,
	HEADER_ATTR = 64,
	TRACING_DATA = 66,
	AUXTRACE = 71,
	HEADER_FEATURE = 80,
	ATTR_SIZE_AT = 4, /* of perf_event_attr */
	STRIDE_AT = HEADER_ATTR_SIZE,
};

/* A piece of the pipe's bytes. */
struct piece {
	uint64_t at, size;
};

struct pipe {
	struct scratch s;
	const uint8_t *map;
	uint64_t size, end; /* end: of the last whole record */
	struct piece *attr; /* with its ids behind it */
	size_t nattr;
	uint32_t attr_size; /* of perf_event_attr, the same in all */
	struct piece feature[FEAT_BITS];
	struct err *e;
};

/* ---- what the records are ---- */

static int damaged(const struct pipe *u, uint64_t at, const char *what)
{
	return err_set(u->e, ERR_FORMAT,
		       "%s: record at offset %" PRIu64 ": %s; the file is damaged",
		       u->s.p->name, at, what);
}

static int take_attr(struct pipe *u, uint64_t at, uint64_t len)
{
	uint64_t room = len - RECORD_HEADER;
	struct piece *added;
	uint32_t size;

	if (room < PERF_ATTR_SIZE_VER0)
		return damaged(u, at, "it is too short for an attribute");
	size = get_u32(u->map + at + RECORD_HEADER + ATTR_SIZE_AT);
	if (size < PERF_ATTR_SIZE_VER0 || size > room || size % 8 ||
	    (u->nattr && size != u->attr_size))
		return damaged(u, at, "its attribute has an impossible size");
	u->attr_size = size;
	added = array_add(&u->attr, &u->nattr);
	if (!added)
		return err_nomem(u->e, "%s", u->s.p->name);
	*added = (struct piece){at + RECORD_HEADER, room};
	return 0;
}

/* A later one of a kind counts, as in perf. */
static void take_feature(struct pipe *u, uint64_t bit, uint64_t at, uint64_t size)
{
	if (bit && bit < FEAT_BITS && bit != FEAT_DMAREC)
		u->feature[bit] = (struct piece){at, size};
}

/* The record at `at`: of *size bytes with what follows it, 0 = it is cut; *data = it is one of
 * the data's. */
static int take(struct pipe *u, uint64_t at, uint64_t *size, bool *data)
{
	const uint8_t *r = u->map + at;
	uint64_t left = u->size - at, len = left < RECORD_HEADER ? 0 : get_u16(r + 6),
		 more = 0;
	uint32_t type = len ? get_u32(r) : 0;

	*size = 0;
	*data = false;
	if (left >= RECORD_HEADER && len < RECORD_HEADER)
		return damaged(u, at, "its size is less than that of its header");
	if (left < RECORD_HEADER || len > left)
		return 0;
	if ((type == TRACING_DATA || type == AUXTRACE || type == HEADER_FEATURE) &&
	    len < RECORD_HEADER + 8)
		return damaged(u, at, "it is too short for its kind");
	if (type == TRACING_DATA)
		more = ((uint64_t)get_u32(r + RECORD_HEADER) + 7) & ~UINT64_C(7);
	if (type == AUXTRACE)
		more = get_u64(r + RECORD_HEADER);
	if (more > left - len)
		return 0;
	*size = len + more;
	if (type == HEADER_ATTR)
		return take_attr(u, at, len);
	if (type == TRACING_DATA)
		take_feature(u, FEAT_TRACING_DATA, at + len, more);
	else if (type == HEADER_FEATURE)
		take_feature(u, get_u64(r + RECORD_HEADER), at + RECORD_HEADER + 8,
			     len - RECORD_HEADER - 8);
	else
		*data = true;
	return 0;
}

/* ---- as a file ---- */

static uint64_t ids_of(const struct pipe *u, size_t i)
{
	return (u->attr[i].size - u->attr_size) & ~UINT64_C(7);
}

/* Header and attributes; their ids stand between them. */
static int put_head(struct pipe *u)
{
	uint8_t head[HEADER_SIZE] = {0}, entry[SECTION_SIZE];
	uint64_t stride = u->attr_size + SECTION_SIZE, at = HEADER_SIZE, size;
	int rc;

	memcpy(head, PERFDATA_MAGIC, 8);
	head[8] = HEADER_SIZE;
	memcpy(head + STRIDE_AT, &stride, 8);
	for (unsigned i = 0; i < FEAT_BITS; i++)
		if (u->feature[i].at)
			head[HEADER_FEATURES + i / 8] |= (uint8_t)(1 << i % 8);
	rc = scratch_put(&u->s, head, sizeof(head));
	for (size_t i = 0; !rc && i < u->nattr; i++)
		rc = scratch_put(&u->s, u->map + u->attr[i].at + u->attr_size,
				 ids_of(u, i));
	size = u->nattr * stride;
	if (!rc)
		rc = scratch_put_at(&u->s, HEADER_ATTRS, &u->s.written, 8);
	if (!rc)
		rc = scratch_put_at(&u->s, HEADER_ATTRS + 8, &size, 8);
	for (size_t i = 0; !rc && i < u->nattr; i++) {
		size = ids_of(u, i);
		memcpy(entry, &at, 8);
		memcpy(entry + 8, &size, 8);
		at += size;
		rc = scratch_put(&u->s, u->map + u->attr[i].at, u->attr_size);
		if (!rc)
			rc = scratch_put(&u->s, entry, SECTION_SIZE);
	}
	return rc;
}

static int put_data(struct pipe *u)
{
	uint64_t begin = u->s.written, size, one;
	bool data;
	int rc = scratch_put_at(&u->s, HEADER_DATA, &begin, 8);

	for (uint64_t at = PIPE_HEADER_SIZE; !rc && at < u->end; at += one) {
		rc = take(u, at, &one, &data);
		if (!rc && data)
			rc = scratch_put(&u->s, u->map + at, one);
	}
	size = u->s.written - begin;
	return rc ? rc : scratch_put_at(&u->s, HEADER_DATA + 8, &size, 8);
}

static int put_features(struct pipe *u)
{
	uint64_t at = u->s.written;
	uint8_t entry[SECTION_SIZE];
	int rc = 0;

	for (unsigned i = 0; i < FEAT_BITS; i++)
		at += u->feature[i].at ? SECTION_SIZE : 0;
	for (unsigned i = 0; !rc && i < FEAT_BITS; i++) {
		if (!u->feature[i].at)
			continue;
		memcpy(entry, &at, 8);
		memcpy(entry + 8, &u->feature[i].size, 8);
		at += u->feature[i].size;
		rc = scratch_put(&u->s, entry, SECTION_SIZE);
	}
	for (unsigned i = 0; !rc && i < FEAT_BITS; i++)
		rc = scratch_put(&u->s, u->map + u->feature[i].at, u->feature[i].size);
	return rc;
}

/* Where whole records end, and what they say of the file. */
static int survey(struct pipe *u)
{
	uint64_t one = 1;
	bool data;
	int rc = 0;

	for (u->end = PIPE_HEADER_SIZE; !rc && one && u->end < u->size; u->end += one)
		rc = take(u, u->end, &one, &data);
	if (!rc && !u->nattr)
		rc = err_set(u->e, ERR_FORMAT,
			     "%s: is in perf's pipe format and says of no event what it "
			     "is: it was cut or damaged behind its header of %d bytes",
			     u->s.p->name, PIPE_HEADER_SIZE);
	return rc;
}

int perfdata_unpipe(struct perfdata *p, struct err *e)
{
	struct pipe u = {.map = p->map, .size = p->size, .e = e};
	int rc;

	if (p->size < PIPE_HEADER_SIZE || memcmp(p->map, PERFDATA_MAGIC, 8) ||
	    get_u64(p->map + 8) != PIPE_HEADER_SIZE)
		return 0;
	u.s.p = p;
	rc = survey(&u);
	if (!rc)
		rc = scratch_open(&u.s, p, e);
	if (!rc)
		rc = put_head(&u);
	if (!rc)
		rc = put_data(&u);
	if (!rc)
		rc = put_features(&u);
	if (!rc)
		rc = scratch_map(&u.s);
	if (!rc)
		p->pipe_cut = u.end < u.size;
	scratch_close(&u.s);
	free(u.attr);
	return rc;
}
