/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/rawfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/file/perfdata_feat.h"

enum { MAX_EVENTS = 16, MAX_FIELDS = 16, COMMON = 8 };

struct raw_field {
	char type[8], name[24];
	unsigned offset, size;
	bool is_signed, is_text;
};

struct event {
	struct raw_field field[MAX_FIELDS];
	size_t nfield;
	unsigned size; /* of the raw data */
};

struct rawfile {
	char path[64];
	struct perfdata_writer *w;
	struct event event[MAX_EVENTS];
	struct perfdata_attr attr[MAX_EVENTS];
	uint64_t id[MAX_EVENTS][RAW_RINGS];
	size_t n;
};

static void check(int rc, const struct err *e)
{
	if (!rc)
		return;
	fprintf(stderr, "rawfile: %s\n", e->text);
	abort();
}

static void parse_fields(struct event *ev, const struct raw_event *from)
{
	char text[256], *save = text, *one;

	ev->size = from->tracepoint ? COMMON : COMMON + 8;
	snprintf(text, sizeof(text), "%s", from->fields ? from->fields : "");
	while ((one = strsep(&save, ",")) && *one) {
		struct raw_field *f = &ev->field[ev->nfield++];
		unsigned bits;

		if (sscanf(one, "%7s %23s", f->type, f->name) != 2 ||
		    sscanf(f->type + 1, "%u", &bits) != 1)
			abort();
		f->size = bits / 8;
		f->is_signed = f->type[0] == 's';
		f->is_text = f->type[0] == 't';
		f->offset = (ev->size + f->size - 1) / f->size * f->size;
		ev->size = f->offset + f->size;
	}
}

static void put_format(FILE *out, const struct event *ev, const struct raw_event *from,
		       size_t i)
{
	fprintf(out,
		"name: %s\nID: %zu\nformat:\n"
		"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
		"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
		"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;"
		"\tsigned:0;\n"
		"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n",
		strchr(from->name, ':') + 1, i + RAW_FIRST_TYPE);
	if (!from->tracepoint)
		fputs("\tfield:unsigned long "
		      "__probe_ip;\toffset:8;\tsize:8;\tsigned:0;\n",
		      out);
	for (size_t k = 0; k < ev->nfield; k++)
		fprintf(out, "\tfield:%s %s;\toffset:%u;\tsize:%u;\tsigned:%d;\n",
			ev->field[k].is_text ? "__data_loc char[]" : ev->field[k].type,
			ev->field[k].name, ev->field[k].offset, ev->field[k].size,
			ev->field[k].is_signed);
	fputs("\nprint fmt: \"(%lx)\", REC->__probe_ip\n", out);
}

static void put(FILE *out, uint64_t v, size_t size)
{
	fwrite(&v, size, 1, out);
}

/* Every event is a system of its own: a file may say so. */
static void tracing_section(struct rawfile *f, const struct raw_event *ev, size_t n,
			    struct perfdata_section *s)
{
	static const char head[] = "\027\010\104tracing0.6";
	char *buf;
	size_t len;
	FILE *out = open_memstream(&buf, &len);

	fwrite(head, 1, sizeof(head), out);
	put(out, 0, 1);
	put(out, 8, 1);
	put(out, 4096, 4);
	fwrite("header_page", 1, 12, out);
	put(out, 0, 8);
	fwrite("header_event", 1, 13, out);
	put(out, 0, 8);
	put(out, 0, 4);
	put(out, n, 4);
	for (size_t i = 0; i < n; i++) {
		char *text;
		size_t size;
		FILE *one = open_memstream(&text, &size);

		put_format(one, &f->event[i], &ev[i], i);
		fclose(one);
		fprintf(out, "%.*s%c", (int)(strchr(ev[i].name, ':') - ev[i].name),
			ev[i].name, 0);
		put(out, 1, 4);
		put(out, size, 8);
		fwrite(text, 1, size, out);
		free(text);
	}
	put(out, 0, 8);
	put(out, 0, 8);
	fclose(out);
	*s = (struct perfdata_section){FEAT_TRACING_DATA, buf, len};
}

static void meta_section(const struct meta *m, bool begin, struct perfdata_section *s)
{
	char *buf;
	size_t len;
	FILE *out = open_memstream(&buf, &len);

	if (begin ? meta_write_begin(m, out) : meta_write_end(m, out))
		abort();
	fclose(out);
	*s = (struct perfdata_section){FEAT_DMAREC, buf, len};
}

uint64_t raw_id(size_t event, int cpu)
{
	return 1000 + event * RAW_RINGS + (uint64_t)cpu;
}

static void make_attr(struct rawfile *f, size_t i, const char *name)
{
	for (int c = 0; c < RAW_RINGS; c++)
		f->id[i][c] = raw_id(i, c);
	f->attr[i] = (struct perfdata_attr){
		.attr = {.type = PERF_TYPE_TRACEPOINT,
			 .size = sizeof(struct perf_event_attr),
			 .config = i + RAW_FIRST_TYPE,
			 .sample_period = 1,
			 .sample_type = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP |
					PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
					PERF_SAMPLE_CPU | PERF_SAMPLE_PERIOD |
					PERF_SAMPLE_RAW,
			 .read_format = PERF_FORMAT_ID,
			 .sample_id_all = 1,
			 .use_clockid = 1,
			 .clockid = 1},
		.name = name,
		.ids = f->id[i],
		.nids = RAW_RINGS,
	};
}

struct rawfile *rawfile_new(const struct raw_event *ev, size_t n, const struct meta *meta)
{
	struct rawfile *f = calloc(1, sizeof(*f));
	struct perfdata_clock clock = {1, 1700000000000000000, 1000};
	struct perfdata_section s[6];
	struct err e = {0};
	size_t ns = 0;
	int fd;

	f->n = n;
	snprintf(f->path, sizeof(f->path), "/tmp/dma-raw-XXXXXX");
	fd = mkstemp(f->path);
	if (fd < 0)
		abort();
	close(fd);
	unlink(f->path);
	for (size_t i = 0; i < n; i++) {
		parse_fields(&f->event[i], &ev[i]);
		make_attr(f, i, ev[i].name);
	}
	tracing_section(f, ev, n, &s[ns++]);
	check(feat_event_desc(&s[ns++], f->attr, n, &e), &e);
	check(feat_string(&s[ns++], FEAT_HOSTNAME, "host", &e), &e);
	check(feat_clock_data(&s[ns++], &clock, &e), &e);
	if (meta)
		meta_section(meta, true, &s[ns++]);
	check(perfdata_create(&f->w, f->path, NULL, f->attr, n, s, ns, &e), &e);
	while (ns)
		free((void *)(uintptr_t)s[--ns].buf);
	return f;
}

void rawfile_bytes(struct rawfile *f, const void *buf, size_t len)
{
	struct err e = {0};

	check(perfdata_append(f->w, buf, len, &e), &e);
}

void rawfile_round(struct rawfile *f)
{
	struct err e = {0};

	check(perfdata_round(f->w, &e), &e);
}

static uint8_t *put_at(uint8_t *to, const void *v, size_t n)
{
	memcpy(to, v, n);
	return to + n;
}

static uint8_t *put64(uint8_t *to, uint64_t v)
{
	return put_at(to, &v, 8);
}

static uint8_t *put_two(uint8_t *to, int32_t a, int32_t b)
{
	return put_at(put_at(to, &a, 4), &b, 4);
}

static const char *text_of(int64_t value)
{
	return (const char *)(uintptr_t)value;
}

/* A string behind the fields, and where it lies, as the kernel's __data_loc says it. */
static void put_text(uint8_t *raw, unsigned offset, uint32_t *raw_len, const char *text)
{
	uint32_t len = (uint32_t)strlen(text) + 1, where = len << 16 | *raw_len;

	memcpy(raw + offset, &where, sizeof(where));
	memcpy(raw + *raw_len, text, len);
	*raw_len += (len + 7) / 8 * 8;
}

void rawfile_sample(struct rawfile *f, size_t event, int64_t time_ns, int cpu, int tid,
		    const int64_t *value)
{
	const struct event *ev = &f->event[event];
	uint8_t rec[512] = {0}, *p = rec + 8, *raw;
	struct perf_event_header h = {PERF_RECORD_SAMPLE, PERF_RECORD_MISC_USER, 0};
	uint32_t raw_len = (ev->size + 4 + 7) / 8 * 8 - 4;
	uint16_t type = (uint16_t)(event + RAW_FIRST_TYPE);

	p = put64(p, raw_id(event, cpu));
	p = put64(p, 0x401000); /* ip */
	p = put_two(p, tid, tid);
	p = put64(p, (uint64_t)time_ns);
	p = put_two(p, cpu, 0);
	p = put64(p, 1); /* period */
	p = put_at(p, &raw_len, 4);
	raw = p;
	memcpy(raw, &type, 2);
	memcpy(raw + 4, &tid, 4);
	for (size_t k = 0; k < ev->nfield; k++) {
		if (ev->field[k].is_text)
			put_text(raw, ev->field[k].offset, &raw_len, text_of(value[k]));
		else
			memcpy(raw + ev->field[k].offset, &value[k], ev->field[k].size);
	}
	memcpy(raw - 4, &raw_len, 4);
	p = raw + raw_len;
	h.size = (uint16_t)(p - rec);
	memcpy(rec, &h, sizeof(h));
	rawfile_bytes(f, rec, h.size);
}

void rawfile_record(struct rawfile *f, uint32_t type, uint16_t misc, const void *body,
		    size_t len, int64_t time_ns, int cpu, int tid)
{
	uint8_t rec[512] = {0}, *p = rec + 8;
	struct perf_event_header h = {type, misc, 0};

	p = put_at(p, body, len);
	p = put_two(p, tid, tid);
	p = put64(p, (uint64_t)time_ns);
	p = put_two(p, cpu, 0);
	p = put64(p, raw_id(0, cpu));
	h.size = (uint16_t)(p - rec);
	memcpy(rec, &h, sizeof(h));
	rawfile_bytes(f, rec, h.size);
}

void rawfile_lost(struct rawfile *f, uint64_t lost, int64_t time_ns, int cpu)
{
	uint64_t body[2] = {raw_id(0, cpu), lost};

	rawfile_record(f, PERF_RECORD_LOST, 0, body, sizeof(body), time_ns, cpu, 0);
}

const char *rawfile_path(const struct rawfile *f)
{
	return f->path;
}

void rawfile_finish_file(struct rawfile *f, const struct meta *meta, bool finish)
{
	struct perfdata_section s = {0};
	struct err e = {0};

	if (!finish) {
		perfdata_abandon(f->w);
		f->w = NULL;
		return;
	}
	if (meta)
		meta_section(meta, false, &s);
	check(perfdata_finish(f->w, &s, meta ? 1 : 0, &e), &e);
	f->w = NULL;
	if (meta)
		free((void *)(uintptr_t)s.buf);
}

void *slurp(const char *path, size_t *len)
{
	FILE *in = fopen(path, "r");
	char *buf;
	long n;

	if (!in || fseek(in, 0, SEEK_END) || (n = ftell(in)) < 0 ||
	    fseek(in, 0, SEEK_SET))
		abort();
	buf = malloc((size_t)n + 1);
	if (!buf || fread(buf, 1, (size_t)n, in) != (size_t)n)
		abort();
	buf[n] = 0;
	fclose(in);
	*len = (size_t)n;
	return buf;
}

void *rawfile_finish(struct rawfile *f, const struct meta *meta, bool finish, size_t *len)
{
	void *buf;

	rawfile_finish_file(f, meta, finish);
	buf = slurp(f->path, len);
	unlink(f->path);
	free(f);
	return buf;
}

/* ---- as perf record -o - writes it ---- */

enum {
	HEADER_ATTR = 64,
	HEADER_TRACING_DATA = 66,
	HEADER_FEATURE = 80,
	FILE_ATTR_SIZE = 16, /* offsets of a file's header */
	FILE_ATTRS = 24,
	FILE_DATA = 40,
	FILE_FEATURES = 72,
	PIPE_HEADER = 16,
};

struct pipe_bytes {
	uint8_t *at;
	size_t n;
};

static uint64_t get_word(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return v;
}

static void add(struct pipe_bytes *b, const void *what, size_t len)
{
	b->at = realloc(b->at, b->n + len + 1);
	if (!b->at)
		abort();
	if (len)
		memcpy(b->at + b->n, what, len);
	b->n += len;
}

static void add_header(struct pipe_bytes *b, uint32_t type, size_t size)
{
	uint64_t h = type | (uint64_t)size << 48;

	add(b, &h, 8);
}

static void add_features(struct pipe_bytes *b, const uint8_t *f, uint64_t table)
{
	for (uint64_t bit = 0; bit < FEAT_BITS; bit++) {
		uint64_t at, size, padded;

		if (!(f[FILE_FEATURES + bit / 8] >> bit % 8 & 1))
			continue;
		at = get_word(f + table);
		size = get_word(f + table + 8);
		table += 16;
		padded = (size + 7) & ~UINT64_C(7);
		if (bit == FEAT_TRACING_DATA) {
			add_header(b, HEADER_TRACING_DATA, 16);
			add(b, &padded, 8);
			add(b, f + at, size);
			add(b, "\0\0\0\0\0\0\0", padded - size);
		} else {
			add_header(b, HEADER_FEATURE, 16 + size);
			add(b, &bit, 8);
			add(b, f + at, size);
		}
	}
}

void *raw_as_pipe(const void *file, size_t *len)
{
	const uint8_t *f = file;
	uint64_t stride = get_word(f + FILE_ATTR_SIZE), attrs = get_word(f + FILE_ATTRS),
		 n = get_word(f + FILE_ATTRS + 8) / stride,
		 data = get_word(f + FILE_DATA), size = get_word(f + FILE_DATA + 8),
		 head = PIPE_HEADER;
	struct pipe_bytes b = {0};

	add(&b, f, 8);
	add(&b, &head, 8);
	for (uint64_t i = 0; i < n; i++) {
		const uint8_t *attr = f + attrs + i * stride, *ids = attr + stride - 16;
		uint32_t attr_size = (uint32_t)stride - 16;

		add_header(&b, HEADER_ATTR, 8 + attr_size + get_word(ids + 8));
		add(&b, attr, 4);
		add(&b, &attr_size, 4);
		add(&b, attr + 8, attr_size - 8);
		add(&b, f + get_word(ids), get_word(ids + 8));
	}
	add_features(&b, f, data + size);
	add(&b, f + data, size);
	*len = b.n;
	return b.at;
}
