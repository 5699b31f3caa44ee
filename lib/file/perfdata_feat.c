/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Feature sections of a file that is written. A string lies there as u32 length (with
 * padding), then the text filled with NULs to a multiple of 64.
 */
#include "lib/file/perfdata_feat.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/err.h"
#include "lib/file/perfdata_impl.h"

enum { STRING_ALIGN = 64 };

/* The stream that a section is written to; encode_end() makes the section of it. */
struct encoder {
	FILE *out;
	char *buf;
	size_t len;
};

static int encode_begin(struct encoder *c, struct perfdata_section *s, unsigned feat,
			struct err *e)
{
	*s = (struct perfdata_section){.feat = feat};
	*c = (struct encoder){.out = NULL};
	c->out = open_memstream(&c->buf, &c->len);
	return c->out ? 0 : err_nomem(e, "feature section %u", feat);
}

static int encode_end(struct encoder *c, struct perfdata_section *s, struct err *e)
{
	bool bad = ferror(c->out);

	if (fclose(c->out) || bad) {
		free(c->buf);
		return err_nomem(e, "feature section %u", s->feat);
	}
	s->buf = c->buf;
	s->len = c->len;
	return 0;
}

static void put(struct encoder *c, const void *v, size_t n)
{
	fwrite(v, 1, n, c->out);
}

static void put_u32(struct encoder *c, uint32_t v)
{
	put(c, &v, sizeof(v));
}

static void put_u64(struct encoder *c, uint64_t v)
{
	put(c, &v, sizeof(v));
}

static void put_string(struct encoder *c, const char *text)
{
	static const char zeros[STRING_ALIGN];
	size_t len = strlen(text) + 1,
	       room = (len + STRING_ALIGN - 1) / STRING_ALIGN * STRING_ALIGN;

	put_u32(c, (uint32_t)room);
	put(c, text, len);
	put(c, zeros, room - len);
}

int feat_string(struct perfdata_section *s, unsigned feat, const char *text,
		struct err *e)
{
	struct encoder c;

	if (encode_begin(&c, s, feat, e))
		return ERR_NOMEM;
	put_string(&c, text);
	return encode_end(&c, s, e);
}

int feat_cmdline(struct perfdata_section *s, const char *const *argv, struct err *e)
{
	struct encoder c;
	uint32_t n = 0;

	if (encode_begin(&c, s, FEAT_CMDLINE, e))
		return ERR_NOMEM;
	while (argv[n])
		n++;
	put_u32(&c, n);
	for (uint32_t i = 0; i < n; i++)
		put_string(&c, argv[i]);
	return encode_end(&c, s, e);
}

int feat_nrcpus(struct perfdata_section *s, uint32_t available, uint32_t online,
		struct err *e)
{
	struct encoder c;

	if (encode_begin(&c, s, FEAT_NRCPUS, e))
		return ERR_NOMEM;
	put_u32(&c, available);
	put_u32(&c, online);
	return encode_end(&c, s, e);
}

int feat_event_desc(struct perfdata_section *s, const struct perfdata_attr *attrs,
		    size_t nattrs, struct err *e)
{
	struct encoder c;

	if (encode_begin(&c, s, FEAT_EVENT_DESC, e))
		return ERR_NOMEM;
	put_u32(&c, (uint32_t)nattrs);
	put_u32(&c, sizeof(struct perf_event_attr));
	for (size_t i = 0; i < nattrs; i++) {
		struct perf_event_attr attr = attrs[i].attr;

		attr.size = sizeof(attr);
		put(&c, &attr, sizeof(attr));
		put_u32(&c, (uint32_t)attrs[i].nids);
		put_string(&c, attrs[i].name ? attrs[i].name : "");
		put(&c, attrs[i].ids, attrs[i].nids * sizeof(uint64_t));
	}
	return encode_end(&c, s, e);
}

int feat_sample_time(struct perfdata_section *s, int64_t first_ns, int64_t last_ns,
		     struct err *e)
{
	struct encoder c;

	if (encode_begin(&c, s, FEAT_SAMPLE_TIME, e))
		return ERR_NOMEM;
	put_u64(&c, (uint64_t)first_ns);
	put_u64(&c, (uint64_t)last_ns);
	return encode_end(&c, s, e);
}

int feat_clockid(struct perfdata_section *s, uint64_t resolution_ns, struct err *e)
{
	struct encoder c;

	if (encode_begin(&c, s, FEAT_CLOCKID, e))
		return ERR_NOMEM;
	put_u64(&c, resolution_ns);
	return encode_end(&c, s, e);
}

int feat_clock_data(struct perfdata_section *s, const struct perfdata_clock *clock,
		    struct err *e)
{
	struct encoder c;

	if (encode_begin(&c, s, FEAT_CLOCK_DATA, e))
		return ERR_NOMEM;
	put_u32(&c, CLOCK_DATA_VERSION);
	put_u32(&c, (uint32_t)clock->clockid);
	put_u64(&c, (uint64_t)clock->wall_ns);
	put_u64(&c, (uint64_t)clock->clock_ns);
	return encode_end(&c, s, e);
}
