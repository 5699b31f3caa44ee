/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One record taken apart (linux/perf_event.h, enum perf_event_type). Nothing is read
 * before it has been seen to lie inside the record, and no record before it lies inside
 * the data.
 */
#include "lib/file/perfdata_impl.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/dma.h"
#include "lib/err.h"
#include "lib/file/made.h"

/* perf's own records (tools/lib/perf/include/perf/event.h) that need a word. */
enum {
	USER_FIRST = 64,
	USER_TRACING_DATA = 66,
	USER_AUXTRACE = 71,
	USER_COMPRESSED = 81,
	USER_COMPRESSED2 = 83,
};

#define TRAILER_BITS                                                                     \
	(PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ID | PERF_SAMPLE_STREAM_ID |   \
	 PERF_SAMPLE_CPU | PERF_SAMPLE_IDENTIFIER)

bool record_is_user(uint32_t type)
{
	return type >= USER_FIRST;
}

/* One field of 8 bytes at *at when the sample has it; its offset, else 0. */
static uint16_t slot_if(uint64_t sample_type, uint64_t bit, uint16_t *at)
{
	uint16_t here = *at;

	if (!(sample_type & bit))
		return 0;
	*at += 8;
	return here;
}

static void layout_sample(struct layout *l)
{
	uint64_t t = l->sample_type;
	uint16_t at = RECORD_HEADER, id;

	l->id = slot_if(t, PERF_SAMPLE_IDENTIFIER, &at);
	l->ip = slot_if(t, PERF_SAMPLE_IP, &at);
	l->tid = slot_if(t, PERF_SAMPLE_TID, &at);
	l->time = slot_if(t, PERF_SAMPLE_TIME, &at);
	slot_if(t, PERF_SAMPLE_ADDR, &at);
	id = slot_if(t, PERF_SAMPLE_ID, &at);
	if (!l->id)
		l->id = id;
	slot_if(t, PERF_SAMPLE_STREAM_ID, &at);
	l->cpu = slot_if(t, PERF_SAMPLE_CPU, &at);
	slot_if(t, PERF_SAMPLE_PERIOD, &at);
	l->fixed = at;
}

/* sample_id_all: the trailer stands at the end of the record, so count from there. */
static void layout_trailer(struct layout *l)
{
	uint64_t t = l->sample_type;
	uint16_t size = (uint16_t)(8 * __builtin_popcountll(t & TRAILER_BITS)), at = 0,
		 id, ident;

#define FROM_END(offset) ((uint16_t)(size - (offset)))
	l->trailer = size;
	l->end_tid = t & PERF_SAMPLE_TID ? FROM_END(at) : 0;
	slot_if(t, PERF_SAMPLE_TID, &at);
	l->end_time = t & PERF_SAMPLE_TIME ? FROM_END(at) : 0;
	slot_if(t, PERF_SAMPLE_TIME, &at);
	id = t & PERF_SAMPLE_ID ? FROM_END(at) : 0;
	slot_if(t, PERF_SAMPLE_ID, &at);
	slot_if(t, PERF_SAMPLE_STREAM_ID, &at);
	l->end_cpu = t & PERF_SAMPLE_CPU ? FROM_END(at) : 0;
	slot_if(t, PERF_SAMPLE_CPU, &at);
	ident = t & PERF_SAMPLE_IDENTIFIER ? FROM_END(at) : 0;
	l->end_id = ident ? ident : id;
#undef FROM_END
}

int layout_init(struct layout *l, const struct perf_event_attr *attr)
{
	memset(l, 0, sizeof(*l));
	l->sample_type = attr->sample_type;
	l->read_format = attr->sample_type & PERF_SAMPLE_READ ? attr->read_format : 0;
	layout_sample(l);
	if (attr->sample_id_all)
		layout_trailer(l);
	/* A read format of the future has a length that we do not know. */
	return l->read_format >= READ_FORMAT_MAX ? -1 : 0;
}

static int __attribute__((format(printf, 4, 5)))
damaged(struct perfdata *p, uint64_t offset, struct err *e, const char *fmt, ...)
{
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return err_set(e, ERR_FORMAT,
		       "%s: record at offset %" PRIu64 ": %s; the file is damaged",
		       p->name, offset, what);
}

int64_t record_id_slot(const struct perfdata *p, uint64_t id)
{
	size_t mask = p->nslot - 1, i;

	if (!p->nslot)
		return -1;
	for (i = id_hash(p, id); p->slot[i].attr >= 0; i = (i + 1) & mask)
		if (p->slot[i].id == id)
			return (int64_t)i;
	return -1;
}

/* Only what the file system left behind a writer that died: zeros to the end. */
static bool zeros_to_end(const struct perfdata *p, uint64_t offset)
{
	for (; offset < p->data_end; offset++)
		if (p->map[offset])
			return false;
	return true;
}

static int record_header(struct perfdata *p, uint64_t offset, struct rec_key *k,
			 struct err *e)
{
	uint64_t left = p->data_end - offset;
	const uint8_t *rec = p->map + offset;
	uint32_t type, size;

	if (offset >= p->data_end)
		return 0;
	if (left < RECORD_HEADER)
		return p->truncated
			       ? 0
			       : damaged(p, offset, e,
					 "its header has 8 bytes, the data only %" PRIu64,
					 left);
	type = get_u32(rec);
	size = get_u16(rec + 6);
	if (p->truncated && !type && !size && zeros_to_end(p, offset))
		return 0;
	if (size < RECORD_HEADER || (size % 8 && type < USER_FIRST))
		return damaged(p, offset, e,
			       "its size is %u, no multiple of 8 from 8 upwards", size);
	if (!type)
		return damaged(p, offset, e,
			       "its type is 0, kernel records have 1 and above");
	if (size > left)
		return p->truncated ? 0
				    : damaged(p, offset, e,
					      "its size is %u, of the data %" PRIu64
					      " bytes are left",
					      size, left);
	*k = (struct rec_key){.type = type,
			      .size = size,
			      .time_ns = DMA_UNKNOWN,
			      .cpu = -1,
			      .attr = -1};
	return 1;
}

/* perf's own records carry no time; two kinds are followed by bytes that their size
 * leaves out. */
static int user_record(struct perfdata *p, uint64_t offset, struct rec_key *k,
		       struct err *e)
{
	const uint8_t *body = p->map + offset + RECORD_HEADER;
	uint64_t left = p->data_end - offset - k->size;

	if (k->type == USER_COMPRESSED || k->type == USER_COMPRESSED2)
		return err_set(e, ERR_UNSUPPORTED,
			       "%s: record at offset %" PRIu64 " is compressed, though "
			       "the header does not say so; the file is damaged",
			       p->name, offset);
	if (k->type != USER_AUXTRACE && k->type != USER_TRACING_DATA)
		return 1;
	if (k->size < RECORD_HEADER + 8)
		return damaged(p, offset, e, "its size is %u, its kind has 16 and more",
			       k->size);
	k->skip = k->type == USER_AUXTRACE ? get_u64(body)
					   : ((uint64_t)get_u32(body) + 7) & ~7ull;
	if (k->skip > left)
		return p->truncated
			       ? 0
			       : damaged(p, offset, e,
					 "%" PRIu64 " bytes belong behind it, %" PRIu64
					 " are left",
					 k->skip, left);
	return 1;
}

/* May it be of an event that was armed while recording, of which the recorder did not come to
 * write? Only of a file without an end; and the kernel counts its ids up. */
static bool may_be_late(const struct perfdata *p, uint64_t id)
{
	return p->fed || (p->truncated && id > p->newest_id && id < IDS_OF_OURS);
}

/* ... and the trace event that its raw data name is none of those that the file has. */
static bool is_of_another(const struct perfdata *p, const struct perfdata_rec *r)
{
	for (size_t i = 0; r->raw_len >= 2 && i < p->nattr; i++)
		if (p->attr[i].attr.type == PERF_TYPE_TRACEPOINT &&
		    p->attr[i].attr.config == get_u16(r->raw))
			return false;
	return true;
}

static int unknown_id(const struct perfdata *p, uint64_t offset, uint64_t id,
		      struct err *e)
{
	return err_set(e, ERR_FORMAT,
		       "%s: sample at offset %" PRIu64 ": event id %" PRIu64
		       " is none of the %zu in the file's header; the file is damaged",
		       p->name, offset, id, p->nids);
}

/* Which attribute's layout: by id where the file has several. */
static int find_attr(struct perfdata *p, uint64_t offset, struct rec_key *k, bool sample,
		     struct err *e)
{
	const struct layout *l =
		&p->layout[0]; /* ids lie at one place in all: open checked it */
	uint16_t at = sample ? l->id : l->end_id ? (uint16_t)(k->size - l->end_id) : 0;
	int64_t slot;

	k->attr = p->nattr == 1 ? 0 : -1;
	if (!at || (!sample && l->trailer > k->size - RECORD_HEADER))
		return 1;
	if (at + 8u > k->size)
		return damaged(p, offset, e, "its size is %u, its event id ends at %u",
			       k->size, at + 8u);
	k->id = get_u64(p->map + offset + at);
	slot = record_id_slot(p, k->id);
	if (slot >= 0)
		k->attr = p->slot[slot].attr;
	else if (sample && p->nattr > 1 && !may_be_late(p, k->id))
		return unknown_id(p, offset, k->id, e);
	return 1;
}

static int key_time(struct perfdata *p, uint64_t offset, struct rec_key *k, uint64_t at,
		    struct err *e)
{
	uint64_t t = get_u64(p->map + offset + at);

	/* perf takes both as "no time": what it synthesizes has 0. */
	if (!t || t == UINT64_MAX)
		return 1;
	if (t > INT64_MAX)
		return damaged(p, offset, e, "its time is %" PRIu64 " ns, beyond 2^63",
			       t);
	k->time_ns = (int64_t)t;
	return 1;
}

static int kernel_record(struct perfdata *p, uint64_t offset, struct rec_key *k,
			 struct err *e)
{
	bool sample = k->type == PERF_RECORD_SAMPLE;
	const struct layout *l;
	uint64_t at;
	int rc = find_attr(p, offset, k, sample, e);

	if (rc < 0)
		return rc;
	l = &p->layout[k->attr >= 0 ? k->attr : 0];
	if (sample && l->fixed > k->size)
		return damaged(p, offset, e,
			       "the sample's size is %u, its event's fields end at %u",
			       k->size, l->fixed);
	if (!sample && l->trailer > k->size - RECORD_HEADER)
		return damaged(p, offset, e,
			       "its size is %u, its event's trailer alone has %u",
			       k->size, l->trailer);
	at = sample ? l->cpu : l->end_cpu ? k->size - l->end_cpu : 0;
	if (at)
		k->cpu = (int32_t)get_u32(p->map + offset + at);
	if (k->cpu < -1)
		k->cpu = -1;
	at = sample ? l->time : l->end_time ? k->size - l->end_time : 0;
	if (!at &&
	    (k->type == PERF_RECORD_THROTTLE || k->type == PERF_RECORD_UNTHROTTLE) &&
	    k->size >= RECORD_HEADER + 24)
		at = RECORD_HEADER;
	return at ? key_time(p, offset, k, at, e) : 1;
}

int record_key(struct perfdata *p, uint64_t offset, struct rec_key *k, struct err *e)
{
	int rc = record_header(p, offset, k, e);

	if (rc <= 0)
		return rc;
	return k->type >= USER_FIRST ? user_record(p, offset, k, e)
				     : kernel_record(p, offset, k, e);
}

/* The end of the READ part that begins at `at`; 0 when it does not fit. */
static uint64_t skip_read(const uint8_t *rec, uint64_t at, uint64_t size, uint64_t format)
{
	uint64_t each = 8, head = 0, nr = 1;

	if (format & PERF_FORMAT_TOTAL_TIME_ENABLED)
		head += 8;
	if (format & PERF_FORMAT_TOTAL_TIME_RUNNING)
		head += 8;
	if (format & PERF_FORMAT_ID)
		each += 8;
	if (format & READ_FORMAT_LOST)
		each += 8;
	if (format & PERF_FORMAT_GROUP) {
		if (size - at < 8)
			return 0;
		nr = get_u64(rec + at);
		head += 8;
	}
	if (nr > size / 8 || head + nr * each > size - at)
		return 0;
	return at + head + nr * each;
}

static uint64_t skip_callchain(const uint8_t *rec, uint64_t at, uint64_t size)
{
	uint64_t nr;

	if (size - at < 8)
		return 0;
	nr = get_u64(rec + at);
	return nr > (size - at - 8) / 8 ? 0 : at + 8 + nr * 8;
}

/* READ and CALLCHAIN stand before RAW and are skipped; whatever comes behind RAW is not
 * looked at. */
static int sample_raw(struct perfdata *p, const struct layout *l, const struct rec_key *k,
		      struct perfdata_rec *r, struct err *e)
{
	const uint8_t *rec = p->map + r->offset;
	uint64_t at = l->fixed;

	if (!(l->sample_type & PERF_SAMPLE_RAW))
		return 1;
	if (l->sample_type & PERF_SAMPLE_READ)
		at = skip_read(rec, at, k->size, l->read_format);
	if (at && l->sample_type & PERF_SAMPLE_CALLCHAIN)
		at = skip_callchain(rec, at, k->size);
	if (!at)
		return damaged(p, r->offset, e,
			       "its counts or call chain are longer than its %u bytes",
			       k->size);
	if (k->size - at < 4)
		return damaged(
			p, r->offset, e,
			"its size is %u, the length of its raw data ends at %" PRIu64,
			k->size, at + 4);
	r->raw_len = get_u32(rec + at);
	if (r->raw_len > k->size - at - 4)
		return damaged(p, r->offset, e,
			       "its raw data has %u bytes, %" PRIu64 " are left in it",
			       r->raw_len, k->size - at - 4);
	r->raw = rec + at + 4;
	return 1;
}

static int other_body(struct perfdata *p, const struct layout *l, const struct rec_key *k,
		      struct perfdata_rec *r, struct err *e)
{
	const uint8_t *body = p->map + r->offset + RECORD_HEADER;

	r->body = body;
	r->body_len = k->size - RECORD_HEADER - l->trailer;
	switch (k->type) {
	case PERF_RECORD_LOST:
		if (r->body_len < 16)
			return damaged(p, r->offset, e,
				       "its size is %u, a LOST record has %u", k->size,
				       RECORD_HEADER + 16u + l->trailer);
		r->lost = get_u64(body + 8);
		break;
	case PERF_RECORD_LOST_SAMPLES:
		if (r->body_len < 8)
			return damaged(p, r->offset, e,
				       "its size is %u, a LOST_SAMPLES record has %u",
				       k->size, RECORD_HEADER + 8u + l->trailer);
		r->lost = get_u64(body);
		break;
	default:
		break;
	}
	return 1;
}

int record_parse(struct perfdata *p, uint64_t offset, const struct rec_key *k,
		 struct perfdata_rec *r, struct err *e)
{
	const uint8_t *rec = p->map + offset;
	const struct layout *l;
	bool sample = k->type == PERF_RECORD_SAMPLE;
	uint64_t at;
	int rc;

	l = &p->layout[k->attr >= 0 ? k->attr : 0];
	*r = (struct perfdata_rec){
		.type = k->type,
		.misc = get_u16(rec + 4),
		.attr = k->attr,
		.time_ns = k->time_ns,
		.cpu = k->cpu,
		.pid = -1,
		.tid = -1,
		.id = k->id,
		.offset = offset,
		.lost_from_ns = DMA_UNKNOWN,
		.lost_to_ns = DMA_UNKNOWN,
	};
	at = sample ? l->tid : l->end_tid ? k->size - l->end_tid : 0;
	if (at) {
		r->pid = (int32_t)get_u32(rec + at);
		r->tid = (int32_t)get_u32(rec + at + 4);
	}
	if (!sample)
		return other_body(p, l, k, r, e);
	r->ip = l->ip ? get_u64(rec + l->ip) : 0;
	rc = sample_raw(p, l, k, r, e);
	if (rc > 0 && k->attr < 0 && !is_of_another(p, r))
		return unknown_id(p, offset, k->id, e);
	p->unnamed += k->attr < 0;
	return rc;
}
