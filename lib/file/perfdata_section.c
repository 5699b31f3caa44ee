/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Feature sections of a file that is read: whole, and taken apart. A string lies there as
 * u32 length (with padding), then the text filled with NULs to a multiple of 64.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/err.h"
#include "lib/file/perfdata_impl.h"

int perfdata_feature(struct perfdata *p, unsigned feat, const void **buf, size_t *len,
		     struct err *e)
{
	(void)e;
	if (feat >= FEAT_BITS || !p->feature[feat].size)
		return 0;
	if (feat == FEAT_DMAREC && p->meta) {
		*buf = p->meta;
		*len = p->nmeta;
		return 1;
	}
	*buf = p->map + p->feature[feat].offset;
	*len = (size_t)p->feature[feat].size;
	return 1;
}

struct cursor {
	const uint8_t *at;
	size_t left;
};

static const uint8_t *take(struct cursor *c, size_t n)
{
	const uint8_t *here = c->at;

	if (n > c->left)
		return NULL;
	c->at += n;
	c->left -= n;
	return here;
}

static bool take_u32(struct cursor *c, uint32_t *v)
{
	const uint8_t *b = take(c, 4);

	if (b)
		*v = get_u32(b);
	return b;
}

/* A copy of a string; NULL = malformed or no memory. */
static char *take_string(struct cursor *c)
{
	const uint8_t *text;
	uint32_t len;

	if (!take_u32(c, &len))
		return NULL;
	text = take(c, len);
	if (!text || !memchr(text, 0, len))
		return NULL;
	return strdup((const char *)text);
}

static char *decode_cmdline(struct cursor *c)
{
	char *all = NULL, *word;
	size_t len = 0;
	FILE *out;
	uint32_t n;

	if (!take_u32(c, &n))
		return NULL;
	out = open_memstream(&all, &len);
	if (!out)
		return NULL;
	for (uint32_t i = 0; i < n; i++) {
		word = take_string(c);
		if (!word)
			break;
		fprintf(out, "%s%s", i ? " " : "", word);
		free(word);
	}
	if (fclose(out)) {
		free(all);
		return NULL;
	}
	return all;
}

const char *perfdata_string(struct perfdata *p, unsigned feat)
{
	const void *buf;
	struct cursor c;

	if (feat >= FEAT_BITS || p->string[feat])
		return feat < FEAT_BITS ? p->string[feat] : NULL;
	if (perfdata_feature(p, feat, &buf, &c.left, NULL) <= 0)
		return NULL;
	c.at = buf;
	p->string[feat] = feat == FEAT_CMDLINE ? decode_cmdline(&c) : take_string(&c);
	return p->string[feat];
}

static int bad_feature(struct perfdata *p, unsigned feat, struct err *e, const char *why)
{
	return err_set(e, ERR_FORMAT, "%s: feature %u at offset %" PRIu64 ": %s", p->name,
		       feat, p->feature[feat].offset, why);
}

int perfdata_clock(struct perfdata *p, struct perfdata_clock *clock, struct err *e)
{
	const void *buf;
	size_t len;
	int rc = perfdata_feature(p, FEAT_CLOCK_DATA, &buf, &len, e);
	const uint8_t *b = buf;

	if (rc <= 0)
		return rc;
	if (len < 24)
		return bad_feature(p, FEAT_CLOCK_DATA, e,
				   "the clock's data has less than 24 bytes");
	if (get_u32(b) != CLOCK_DATA_VERSION)
		return bad_feature(p, FEAT_CLOCK_DATA, e,
				   "the clock's data is not of version 1");
	if (get_u64(b + 8) > INT64_MAX || get_u64(b + 16) > INT64_MAX)
		return bad_feature(p, FEAT_CLOCK_DATA, e, "a time lies beyond 2^63 ns");
	clock->clockid = (int32_t)get_u32(b + 4);
	clock->wall_ns = (int64_t)get_u64(b + 8);
	clock->clock_ns = (int64_t)get_u64(b + 16);
	return 1;
}

/* One entry of EVENT_DESC: attr, number of ids, name, ids. Its attribute is the one that
 * holds its first id; without ids, that of the same place. */
static bool take_event(struct perfdata *p, struct cursor *c, uint32_t attr_size,
		       size_t place)
{
	uint32_t nids;
	const uint8_t *ids;
	int64_t slot;
	char *name;

	if (!take(c, attr_size) || !take_u32(c, &nids))
		return false;
	name = take_string(c);
	ids = take(c, (size_t)nids * 8);
	if (!name || !ids) {
		free(name);
		return false;
	}
	if (nids && p->nids) {
		slot = record_id_slot(p, get_u64(ids));
		place = slot < 0 ? p->nattr : (size_t)p->slot[slot].attr;
	}
	if (place >= p->nattr || p->event_name[place]) {
		free(name);
		return true;
	}
	p->event_name[place] = name;
	p->attr[place].name = name;
	return true;
}

int section_event_names(struct perfdata *p, struct err *e)
{
	uint32_t n, attr_size;
	const void *buf;
	struct cursor c;
	int rc = perfdata_feature(p, FEAT_EVENT_DESC, &buf, &c.left, e);

	if (rc <= 0)
		return rc;
	p->event_name = calloc(p->nattr, sizeof(*p->event_name));
	if (!p->event_name)
		return err_nomem(e, "the names of the events of %s", p->name);
	c.at = buf;
	if (!take_u32(&c, &n) || !take_u32(&c, &attr_size))
		return bad_feature(p, FEAT_EVENT_DESC, e,
				   "the table of event names has no head");
	for (uint32_t i = 0; i < n; i++)
		if (!take_event(p, &c, attr_size, i))
			return bad_feature(
				p, FEAT_EVENT_DESC, e,
				"the table of event names ends inside an event");
	return 0;
}
