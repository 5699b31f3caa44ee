/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Opening a perf.data file: header, attributes with their ids, feature table and early
 * directory.
 */
#include "lib/file/perfdata_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "lib/dma.h"
#include "lib/err.h"
#include "lib/file/made.h"

static bool inside(const struct perfdata *p, uint64_t offset, uint64_t size)
{
	return offset <= p->size && size <= p->size - offset;
}

/* ---- the header ---- */

static int check_magic(struct perfdata *p, struct err *e)
{
	size_t have = p->size < 8 ? (size_t)p->size : 8;

	if (!p->size)
		return err_set(e, ERR_FORMAT,
			       "%s: is empty, nothing was recorded into it", p->name);
	if (have == 8 && !memcmp(p->map, "2ELIFREP", 8))
		return err_set(e, ERR_UNSUPPORTED,
			       "%s: was recorded on a machine of the other byte "
			       "order (offset 0); analyse it on one like that",
			       p->name);
	if (have == 8 && !memcmp(p->map, "PERFFILE", 8))
		return err_set(e, ERR_UNSUPPORTED,
			       "%s: is a perf.data file of version 1 (before "
			       "Linux 3.2); " PERFDATA_MAGIC " is needed",
			       p->name);
	if (memcmp(p->map, PERFDATA_MAGIC, have))
		return perfdata_other(p, e);
	return 0;
}

static int check_header(struct perfdata *p, struct err *e)
{
	uint64_t size;

	if (check_magic(p, e))
		return ERR_FORMAT;
	size = p->size < 16 ? 0 : get_u64(p->map + 8);
	if (p->size < HEADER_SIZE)
		return err_set(e, ERR_FORMAT,
			       "%s: was cut inside its header: it has %" PRIu64
			       " bytes, the header alone has %d",
			       p->name, p->size, HEADER_SIZE);
	if (size != HEADER_SIZE)
		return err_set(e, ERR_FORMAT,
			       "%s: offset 8: header size is %" PRIu64 ", expected %d",
			       p->name, size, HEADER_SIZE);
	return 0;
}

/* ---- attributes ---- */

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static int check_stride(const struct perfdata *p, uint64_t stride, struct err *e)
{
	if (stride < PERF_ATTR_SIZE_VER0 + SECTION_SIZE || stride > 4096 || stride % 8)
		return err_set(e, ERR_FORMAT,
			       "%s: offset %d: size of an attribute is %" PRIu64
			       ", expected a multiple of 8 from %d to 4096",
			       p->name, HEADER_ATTR_SIZE, stride,
			       PERF_ATTR_SIZE_VER0 + SECTION_SIZE);
	return 0;
}

static int check_attr_table(struct perfdata *p, uint64_t stride, uint64_t offset,
			    uint64_t size, struct err *e)
{
	if (!size || size % stride)
		return err_set(e, ERR_FORMAT,
			       "%s: offset %d: the attributes have %" PRIu64
			       " bytes, expected a multiple of %" PRIu64 " above 0",
			       p->name, HEADER_ATTRS + 8, size, stride);
	if (!inside(p, offset, size))
		return err_set(
			e, ERR_FORMAT,
			"%s: was cut or damaged: its attributes lie at offset %" PRIu64
			" with %" PRIu64 " bytes, the file has %" PRIu64,
			p->name, offset, size, p->size);
	return 0;
}

static int read_attr(struct perfdata *p, size_t i, uint64_t offset, uint64_t stride,
		     struct err *e)
{
	uint64_t size = stride - SECTION_SIZE;
	struct perf_event_attr *attr = &p->attr[i].attr;
	uint32_t told = get_u32(p->map + offset + 4);

	if (told && told != size)
		return err_set(e, ERR_FORMAT,
			       "%s: offset %" PRIu64
			       ": attribute %zu says %u bytes, expected %" PRIu64,
			       p->name, offset + 4, i, told, size);
	memcpy(attr, p->map + offset, size < sizeof(*attr) ? size : sizeof(*attr));
	attr->size = (uint32_t)size;
	if (layout_init(&p->layout[i], attr))
		return err_set(
			e, ERR_UNSUPPORTED,
			"%s: offset %" PRIu64 ": attribute %zu has read format 0x%" PRIx64
			", known are bits below 0x%x; record "
			"without counts in samples (:S)",
			p->name, offset, i, (uint64_t)attr->read_format, READ_FORMAT_MAX);
	return 0;
}

/* The ids of attribute i; the sum of all is bounded by the file, though sections may
 * overlap. */
static int read_ids(struct perfdata *p, size_t i, uint64_t at, struct err *e)
{
	uint64_t offset = get_u64(p->map + at), size = get_u64(p->map + at + 8);
	uint64_t n = size / 8;

	if (size % 8 || !inside(p, offset, size) || n > p->size / 8 - p->nids)
		return err_set(e, ERR_FORMAT,
			       "%s: offset %" PRIu64
			       ": ids of attribute %zu lie at offset %" PRIu64
			       " with %" PRIu64 " bytes, the file has %" PRIu64,
			       p->name, at, i, offset, size, p->size);
	if (size)
		memcpy(p->ids + p->nids, p->map + offset, size);
	p->attr[i].ids = p->ids + p->nids;
	p->attr[i].nids = n;
	p->nids += n;
	return 0;
}

static void *table(struct perfdata *p, size_t n, size_t size, struct err *e)
{
	void *t = calloc(n ? n : 1, size);

	if (!t)
		err_nomem(e, "%zu x %zu bytes of the tables of %s", n, size, p->name);
	return t;
}

static int hash_ids(struct perfdata *p, struct err *e)
{
	for (p->nslot = 16; p->nslot < 2 * p->nids; p->nslot *= 2)
		;
	p->slot = table(p, p->nslot, sizeof(*p->slot), e);
	if (!p->slot)
		return ERR_NOMEM;
	if (getrandom(&p->seed, sizeof(p->seed), GRND_NONBLOCK) < 0)
		p->seed = (uint64_t)(uintptr_t)p->slot; /* early in the boot */
	for (size_t i = 0; i < p->nslot; i++)
		p->slot[i].attr = -1;
	for (size_t i = 0; i < p->nattr; i++) {
		for (size_t j = 0; j < p->attr[i].nids; j++) {
			uint64_t id = p->attr[i].ids[j];
			size_t s = id_hash(p, id);

			if (id < IDS_OF_OURS && id > p->newest_id)
				p->newest_id = id;

			while (p->slot[s].attr >= 0 && p->slot[s].id != id)
				s = (s + 1) & (p->nslot - 1);
			if (p->slot[s].attr >= 0 && p->slot[s].attr != (int32_t)i)
				return err_set(e, ERR_FORMAT,
					       "%s: event id %" PRIu64
					       " belongs to attributes %d and "
					       "%zu; the file is damaged",
					       p->name, id, p->slot[s].attr, i);
			p->slot[s] = (struct id_slot){id, (int32_t)i};
		}
	}
	return 0;
}

/* Which attribute a record belongs to must be told at one place in all of them. */
static int check_layouts(struct perfdata *p, struct err *e)
{
	const struct layout *first = &p->layout[0];

	for (size_t i = 0; i < p->nattr; i++) {
		const struct layout *l = &p->layout[i];

		if (p->nattr > 1 && !l->id)
			return err_set(e, ERR_UNSUPPORTED,
				       "%s: it has %zu events and the samples of number "
				       "%zu do not say "
				       "which they belong to; record with sample ids",
				       p->name, p->nattr, i);
		if (l->id != first->id || (l->end_id != first->end_id))
			return err_set(
				e, ERR_UNSUPPORTED,
				"%s: events 0 and %zu keep their ids at different places "
				"(sample types 0x%" PRIx64 " and 0x%" PRIx64 ")",
				p->name, i, first->sample_type, l->sample_type);
	}
	return 0;
}

/* Our directory (schema/FORMAT.md 2) behind the ids of these attributes, 8-aligned; 0 = there is
 * none in the file. */
static uint64_t directory_of(const struct perfdata *p, uint64_t stride, uint64_t attrs,
			     uint64_t size)
{
	uint64_t at = attrs + size;

	if (!inside(p, attrs, size))
		return 0;
	for (uint64_t i = stride; i <= size; i += stride) {
		const uint8_t *ids = p->map + attrs + i - SECTION_SIZE;

		at = later(at, get_u64(ids) + get_u64(ids + 8));
	}
	at = (at + 7) & ~UINT64_C(7);
	return inside(p, at, DIRECTORY_HEAD) && !memcmp(p->map + at, EARLY_MAGIC, 8) ? at
										     : 0;
}

/* The attributes that a recorder of ours begins a file with stand behind the header, their ids
 * behind them. */
static uint64_t first_attrs_size(const struct perfdata *p, uint64_t stride)
{
	uint64_t ids = inside(p, HEADER_SIZE, stride)
			       ? get_u64(p->map + HEADER_SIZE + stride - SECTION_SIZE)
			       : 0;

	return ids > HEADER_SIZE && (ids - HEADER_SIZE) % stride == 0 ? ids - HEADER_SIZE
								      : 0;
}

/* Where the data end; beyond everything in a file whose recorder was killed. */
static uint64_t behind_data(const struct perfdata *p)
{
	uint64_t size = get_u64(p->map + HEADER_DATA + 8);

	return size ? get_u64(p->map + HEADER_DATA) + size : UINT64_MAX;
}

/* Those that were armed while recording stand behind everything else, with all the others. Of
 * a file that was cut there, what a killed recorder leaves is taken. */
static void find_attrs(struct perfdata *p, uint64_t stride)
{
	uint64_t first = first_attrs_size(p, stride), at;

	p->attrs_at = get_u64(p->map + HEADER_ATTRS);
	p->attrs_size = get_u64(p->map + HEADER_ATTRS + 8);
	if (p->attrs_at < behind_data(p) || p->attrs_at > UINT64_MAX - p->attrs_size ||
	    !first || !directory_of(p, stride, HEADER_SIZE, first))
		return;
	at = p->attrs_size % stride ? 0
				    : directory_of(p, stride, p->attrs_at, p->attrs_size);
	if (at && inside(p, at, DIRECTORY_HEAD + DIRECTORY_ENTRY))
		return;
	p->attrs_at = HEADER_SIZE;
	p->attrs_size = first;
	p->first_half = true;
}

static int read_attrs(struct perfdata *p, struct err *e)
{
	uint64_t stride = get_u64(p->map + HEADER_ATTR_SIZE), nids = 0, offset, size;
	int rc = check_stride(p, stride, e);

	if (rc)
		return rc;
	find_attrs(p, stride);
	offset = p->attrs_at;
	size = p->attrs_size;
	rc = check_attr_table(p, stride, offset, size, e);
	if (rc)
		return rc;
	p->nattr = (size_t)(size / stride);
	for (size_t i = 0; i < p->nattr; i++) {
		uint64_t n = get_u64(p->map + offset + (i + 1) * stride - 8) / 8;

		nids += n < p->size ? n
				    : p->size; /* read_ids() refuses what is too much */
		nids = nids < p->size / 8 ? nids : p->size / 8;
	}
	p->attr = table(p, p->nattr, sizeof(*p->attr), e);
	p->layout = table(p, p->nattr, sizeof(*p->layout), e);
	p->ids = table(p, (size_t)nids, sizeof(*p->ids), e);
	if (!p->attr || !p->layout || !p->ids)
		return ERR_NOMEM;
	for (size_t i = 0; i < p->nattr; i++) {
		rc = read_attr(p, i, offset + i * stride, stride, e);
		if (!rc)
			rc = read_ids(p, i, offset + (i + 1) * stride - SECTION_SIZE, e);
		if (rc)
			return rc;
	}
	rc = check_layouts(p, e);
	return rc ? rc : hash_ids(p, e);
}

/* ---- features ---- */

/* The table of features behind the data: nothing of it may lie beyond the file. */
static bool read_table(struct perfdata *p, uint64_t at)
{
	bool whole = true;

	for (unsigned i = 0; i < FEAT_BITS; i++) {
		uint64_t word = get_u64(p->map + HEADER_FEATURES + i / 64 * 8);
		uint64_t offset, size;

		if (!(word >> i % 64 & 1))
			continue;
		if (!inside(p, at, SECTION_SIZE))
			return false;
		offset = get_u64(p->map + at);
		size = get_u64(p->map + at + 8);
		at += SECTION_SIZE;
		if (inside(p, offset, size))
			p->feature[i] = (struct feature){offset, size};
		else
			whole = false;
	}
	return whole;
}

/* Behind the ids, 8-aligned (schema/FORMAT.md 2). What is absent in the table is taken
 * from here: all of it when the recorder was killed, and always our own section, of which
 * the whole comes behind the first half. */
static void read_early(struct perfdata *p)
{
	uint64_t at = directory_of(p, get_u64(p->map + HEADER_ATTR_SIZE), p->attrs_at,
				   p->attrs_size);
	uint32_t n;

	if (!at)
		return;
	n = get_u32(p->map + at + 8);
	for (uint32_t i = 0; i < n && i < EARLY_MAX; i++) {
		uint64_t entry = at + DIRECTORY_HEAD + DIRECTORY_ENTRY * (uint64_t)i,
			 feat;
		struct feature f;

		if (!inside(p, entry, DIRECTORY_ENTRY))
			return;
		feat = get_u64(p->map + entry);
		f = (struct feature){get_u64(p->map + entry + 8),
				     get_u64(p->map + entry + 16)};
		if (feat < FEAT_BITS && f.size && inside(p, f.offset, f.size) &&
		    (!p->feature[feat].size || (feat == FEAT_DMAREC && !p->first_half)))
			p->feature[feat] = f;
	}
}

static bool has_features(const struct perfdata *p)
{
	for (int i = 0; i < FEAT_BITS / 8; i++)
		if (p->map[HEADER_FEATURES + i])
			return true;
	return false;
}

/*
 * data.size is 0 until the recorder ends. perf sets the feature bits before that, so that
 * a file without data that is finished differs only by a feature table that fits.
 */
static void read_data_section(struct perfdata *p)
{
	uint64_t offset = get_u64(p->map + HEADER_DATA),
		 size = get_u64(p->map + HEADER_DATA + 8);

	p->data_begin = offset < p->size ? offset : p->size;
	p->data_end = p->size;
	if (!size && has_features(p) && read_table(p, offset)) {
		p->data_end = p->data_begin;
		return;
	}
	if (!size)
		memset(p->feature, 0, sizeof(p->feature));
	p->truncated = !size || !inside(p, offset, size);
	if (p->truncated)
		return;
	p->data_end = offset + size;
	p->truncated = p->first_half;
	if (p->truncated)
		return;
	p->truncated = p->pipe_cut;
	if (!read_table(p, offset + size))
		p->truncated = true;
}

/* `cat a b`: behind the end of all that the header speaks of, padding apart, another
 * recording begins. */
static int check_alone(const struct perfdata *p, struct err *e)
{
	enum { PADDING = 8 };
	uint64_t table = p->data_end, end;

	for (unsigned i = 0; i < FEAT_BITS; i++)
		table += p->map[HEADER_FEATURES + i / 8] >> i % 8 & 1 ? SECTION_SIZE : 0;
	end = table;
	for (unsigned i = 0; i < FEAT_BITS; i++)
		end = later(end, p->feature[i].offset + p->feature[i].size);
	for (uint64_t at = end; at <= end + PADDING && inside(p, at, HEADER_SIZE); at++)
		if (!memcmp(p->map + at, PERFDATA_MAGIC, 8))
			return err_set(
				e, ERR_FORMAT,
				"%s: another recording begins at offset %" PRIu64
				", behind the first; give each a file and an -i of "
				"its own",
				p->name, at);
	return 0;
}

static int load(struct perfdata *p, struct err *e)
{
	int rc = check_header(p, e);

	if (!rc)
		rc = read_attrs(p, e);
	if (rc)
		return e && e->code ? e->code : ERR_FORMAT;
	read_data_section(p);
	read_early(p);
	if (p->data_begin < HEADER_SIZE)
		return err_set(e, ERR_FORMAT,
			       "%s: offset %d: the data begins at %" PRIu64
			       ", inside the header",
			       p->name, HEADER_DATA, p->data_begin);
	if (!p->truncated && check_alone(p, e))
		return ERR_FORMAT;
	p->ring = table(p, RING_CPUS + p->nslot, sizeof(*p->ring), e);
	p->ring_of_slot = table(p, p->nslot, sizeof(*p->ring_of_slot), e);
	if (!p->ring || !p->ring_of_slot)
		return ERR_NOMEM;
	order_reset(p);
	return section_event_names(p, e);
}

/* ---- open and close ---- */

static int start(struct perfdata **out, const char *name, struct err *e)
{
	struct perfdata *p = calloc(1, sizeof(*p));

	*out = p;
	if (p) {
		p->fd = -1;
		p->name = strdup(name);
	}
	if (!p || !p->name)
		return err_nomem(e, "%s", name);
	return 0;
}

int perfdata_open(struct perfdata **out, const char *path, struct err *e)
{
	int rc = start(out, path, e);

	if (!rc)
		rc = perfdata_map_file(*out, e);
	if (!rc)
		rc = perfdata_unpipe(*out, e);
	if (!rc)
		rc = perfdata_unzip(*out, e);
	if (!rc)
		rc = load(*out, e);
	if (*out)
		rc = perfdata_or_cut(*out, rc, e);
	if (rc) {
		perfdata_close(*out);
		*out = NULL;
	}
	return rc;
}

int perfdata_open_mem(struct perfdata **out, const void *buf, size_t len,
		      const char *name, struct err *e)
{
	int rc = start(out, name, e);

	if (!rc) {
		(*out)->map = buf;
		(*out)->size = len;
		rc = perfdata_unpipe(*out, e);
		if (!rc)
			rc = perfdata_unzip(*out, e);
		if (!rc)
			rc = load(*out, e);
	}
	if (rc) {
		perfdata_close(*out);
		*out = NULL;
	}
	return rc;
}

void perfdata_close(struct perfdata *p)
{
	if (!p)
		return;
	perfdata_unmap(p);
	for (int i = 0; i < FEAT_BITS; i++)
		free(p->string[i]);
	for (size_t i = 0; p->event_name && i < p->nattr; i++)
		free(p->event_name[i]);
	free(p->event_name);
	for (size_t i = 0; i < p->npart; i++)
		free(p->part[i].path);
	free(p->part);
	free(p->meta);
	order_release(p);
	if (p->fed)
		munmap(p->fed, p->fed_room);
	free(p->attr);
	free(p->layout);
	free(p->ids);
	free(p->slot);
	free(p->name);
	free(p);
}

size_t perfdata_nattrs(const struct perfdata *p)
{
	return p->nattr;
}

const struct perfdata_attr *perfdata_attr(const struct perfdata *p, size_t i)
{
	return i < p->nattr ? &p->attr[i] : NULL;
}

uint64_t perfdata_unnamed(const struct perfdata *p)
{
	return p->unnamed;
}

bool perfdata_truncated(const struct perfdata *p)
{
	return p->truncated;
}

uint64_t perfdata_data_size(const struct perfdata *p)
{
	return p->data_end - p->data_begin;
}
