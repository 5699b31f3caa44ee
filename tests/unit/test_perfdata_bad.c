/* SPDX-License-Identifier: GPL-2.0-only */
/* lib/file/perfdata: one damaged file for each check of the reader. Each is a good file with a
 * few bytes changed; the refusal names the file and says what is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/file/perfdata.h"
#include "tests/unit/rawfile.h"

static const struct raw_event events[] = {
	{"irq:irq_handler_entry", "s32 irq", true},
	{"probe_l:dma_to_host", "u32 channel,u64 size", false},
};

enum {
	STRIDE = sizeof(struct perf_event_attr) + 16,
	ATTR0 = 104,
	ATTR1 = ATTR0 + STRIDE,
	IDS0 = ATTR0 + STRIDE - 16, /* perf_file_section of its ids */
	IDS1 = ATTR1 + STRIDE - 16,
	FIRST_ID = ATTR0 + 2 * STRIDE,
	SAMPLE_TYPE = offsetof(struct perf_event_attr, sample_type),
	READ_FORMAT = offsetof(struct perf_event_attr, read_format),
	/* in a sample */
	AT_TYPE = 0,
	AT_SIZE = 6,
	AT_ID = 8,
	AT_TIME = 32,
	AT_RAW_LEN = 56,
};

struct file {
	uint8_t *buf;
	size_t len;
	uint64_t data; /* where the data begins */
};

static void rebuild(struct file *f)
{
	struct rawfile *r = rawfile_new(events, 2, NULL);

	rawfile_sample(r, 1, 1000, 0, 7, (int64_t[]){1, 4096});
	rawfile_sample(r, 0, 1100, 0, 7, (int64_t[]){68});
	rawfile_lost(r, 1, 1200, 0);
	f->buf = rawfile_finish(r, NULL, true, &f->len);
	memcpy(&f->data, f->buf + 40, 8);
}

static void set(struct file *f, uint64_t at, uint64_t value, size_t size)
{
	assert_true(at + size <= f->len);
	memcpy(f->buf + at, &value, size);
}

static uint64_t get(const struct file *f, uint64_t at)
{
	uint64_t v;

	memcpy(&v, f->buf + at, 8);
	return v;
}

/* Open and read to the end; the error's code, 0 when there is none. */
static int read_all(const struct file *f, struct err *e)
{
	struct perfdata *p;
	struct perfdata_rec r;
	int rc = perfdata_open_mem(&p, f->buf, f->len, "bad.data", e);

	if (rc)
		return rc;
	do
		rc = perfdata_next(p, &r, e);
	while (rc > 0);
	perfdata_close(p);
	return rc;
}

static void expect(struct file *f, int code, const char *part)
{
	struct err e = {0};
	int rc = read_all(f, &e);

	if (rc != code || !strstr(e.text, part) || strncmp(e.text, "bad.data: ", 10))
		fail_msg("%d '%s' instead of %d '%s'", rc, e.text, code, part);
	free(f->buf);
}

#define BAD(code, part, ...)                                                             \
	do {                                                                             \
		struct file f;                                                           \
		rebuild(&f);                                                             \
		__VA_ARGS__;                                                             \
		expect(&f, code, part);                                                  \
	} while (0)

static void test_good(void **state)
{
	struct file f;
	struct err e = {0};

	(void)state;
	rebuild(&f);
	assert_int_equal(read_all(&f, &e), 0);
	free(f.buf);
}

static void test_header(void **state)
{
	(void)state;
	BAD(ERR_FORMAT, "is empty", f.len = 0);
	BAD(ERR_FORMAT, "is no recording: it begins with \"hello\\x0a",
	    memcpy(f.buf, "hello\nxx", 8));
	BAD(ERR_FORMAT, "dmarec -- FILE", memcpy(f.buf, "\177ELF\2\1\1\0", 8));
	BAD(ERR_FORMAT, "lz4 -d", memcpy(f.buf, "\x04\x22\x4d\x18\x64\x40\xa7\0", 8));
	BAD(ERR_FORMAT, "unxz",
	    memcpy(f.buf,
		   "\xfd"
		   "7zXZ\0\0\4",
		   8));
	BAD(ERR_FORMAT, "bunzip2", memcpy(f.buf, "BZh91AY&", 8));
	BAD(ERR_FORMAT, "tar xf", {
		memset(f.buf, 0, 300);
		memcpy(f.buf, "dma.data", 8);
		memcpy(f.buf + 257, "ustar  ", 8);
	});
	BAD(ERR_FORMAT, "ftrace's text", memcpy(f.buf, "# tracer: nop\n#\n", 16));
	BAD(ERR_FORMAT, "is a text", memset(f.buf, 'a', f.len));
	BAD(ERR_FORMAT, "JSON", memcpy(f.buf, "{\n\t\"linu", 8));
	BAD(ERR_FORMAT, "SQLite database", memcpy(f.buf, "SQLite format 3", 16));
	BAD(ERR_UNSUPPORTED, "other byte order", memcpy(f.buf, "2ELIFREP", 8));
	BAD(ERR_UNSUPPORTED, "version 1", memcpy(f.buf, "PERFFILE", 8));
	BAD(ERR_FORMAT, "cut inside its header", f.len = 50);
	BAD(ERR_FORMAT, "cut inside its header", f.len = 3);
	/* (what follows is no pipe's: test_perfdata_pipe) */
	BAD(ERR_FORMAT, "record at offset 16", set(&f, 8, 16, 8));
	BAD(ERR_FORMAT, "header size is 105, expected 104", set(&f, 8, 105, 8));
	BAD(ERR_FORMAT, "the data begins at 50, inside the header", set(&f, 40, 50, 8));
}

static void test_attributes(void **state)
{
	(void)state;
	BAD(ERR_FORMAT, "size of an attribute is 8,", set(&f, 16, 8, 8));
	BAD(ERR_FORMAT, "size of an attribute is 0,", set(&f, 16, 0, 8));
	BAD(ERR_FORMAT, "size of an attribute is 145,", set(&f, 16, 145, 8));
	BAD(ERR_FORMAT, "size of an attribute is 65536,", set(&f, 16, 65536, 8));
	BAD(ERR_FORMAT, "the attributes have 0 bytes", set(&f, 32, 0, 8));
	BAD(ERR_FORMAT, "the attributes have 300 bytes", set(&f, 32, 300, 8));
	BAD(ERR_FORMAT, "its attributes lie at offset", set(&f, 24, UINT64_MAX - 8, 8));
	BAD(ERR_FORMAT, "its attributes lie at offset",
	    set(&f, 32, STRIDE * 1000000ull, 8));
	BAD(ERR_FORMAT, "attribute 1 says 7 bytes", set(&f, ATTR1 + 4, 7, 4));
	BAD(ERR_UNSUPPORTED, "attribute 0 has read format",
	    set(&f, ATTR0 + SAMPLE_TYPE, get(&f, ATTR0 + SAMPLE_TYPE) | PERF_SAMPLE_READ,
		8),
	    set(&f, ATTR0 + READ_FORMAT, 1 << 20, 8));
	BAD(ERR_FORMAT, "ids of attribute 1 lie at", set(&f, IDS1, UINT64_MAX, 8));
	BAD(ERR_FORMAT, "ids of attribute 0 lie at", set(&f, IDS0 + 8, 12, 8));
	BAD(ERR_FORMAT, "ids of attribute 0 lie at",
	    set(&f, IDS0 + 8, UINT64_MAX - 7, 8));
	BAD(ERR_FORMAT, "belongs to attributes 0 and 1", set(&f, IDS1, get(&f, IDS0), 8));
}

/* Sections may overlap, but all ids together are no more than the file could hold. */
static void test_ids_are_bounded(void **state)
{
	struct file f;

	(void)state;
	rebuild(&f);
	set(&f, IDS0, 0, 8);
	set(&f, IDS0 + 8, f.len / 8 * 8, 8);
	set(&f, IDS1, 0, 8);
	set(&f, IDS1 + 8, f.len / 8 * 8, 8);
	expect(&f, ERR_FORMAT, "ids of attribute 1 lie at");
}

static void test_layouts(void **state)
{
	uint64_t no_id = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_RAW;

	(void)state;
	BAD(ERR_UNSUPPORTED, "do not say which they belong to",
	    set(&f, ATTR0 + SAMPLE_TYPE, no_id, 8));
	BAD(ERR_UNSUPPORTED, "keep their ids at different places",
	    set(&f, ATTR1 + SAMPLE_TYPE, no_id | PERF_SAMPLE_ID, 8));
}

static void test_records(void **state)
{
	(void)state;
	BAD(ERR_FORMAT, "its size is 4, no multiple of 8",
	    set(&f, f.data + AT_SIZE, 4, 2));
	BAD(ERR_FORMAT, "its size is 0, no multiple of 8",
	    set(&f, f.data + AT_SIZE, 0, 2));
	BAD(ERR_FORMAT, "its size is 91, no multiple of 8",
	    set(&f, f.data + AT_SIZE, 91, 2));
	BAD(ERR_FORMAT, "its type is 0", set(&f, f.data + AT_TYPE, 0, 4));
	BAD(ERR_FORMAT, "its size is 65528, of the data",
	    set(&f, f.data + AT_SIZE, 65528, 2));
	BAD(ERR_FORMAT, "its event id ends at 16", set(&f, f.data + AT_SIZE, 8, 2));
	BAD(ERR_FORMAT, "event id 999 is none of the 8", set(&f, f.data + AT_ID, 999, 8));
	BAD(ERR_FORMAT, "its event's fields end at 56", set(&f, f.data + AT_SIZE, 24, 2));
	BAD(ERR_FORMAT, "beyond 2^63", set(&f, f.data + AT_TIME, 1ull << 63, 8));
	BAD(ERR_FORMAT, "its raw data has 4096 bytes",
	    set(&f, f.data + AT_RAW_LEN, 4096, 4));
	BAD(ERR_FORMAT, "its raw data has 4294967295 bytes",
	    set(&f, f.data + AT_RAW_LEN, UINT32_MAX, 4));
	BAD(ERR_FORMAT, "the length of its raw data ends at 60",
	    set(&f, f.data + AT_SIZE, 56, 2), set(&f, f.data + 56, 79, 8),
	    set(&f, f.data + 56 + AT_SIZE, 40, 2));
	BAD(ERR_FORMAT, "its event's trailer alone has",
	    set(&f, f.data + AT_TYPE, PERF_RECORD_COMM, 4),
	    set(&f, f.data + AT_SIZE, 16, 2));
}

static void test_counts_and_call_chains(void **state)
{
	uint64_t chain = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_CALLCHAIN | PERF_SAMPLE_RAW;
	uint64_t counts = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_READ | PERF_SAMPLE_RAW;

	(void)state;
	/* the call chain's length is then what was the instruction pointer */
	BAD(ERR_FORMAT, "call chain are longer", set(&f, ATTR1 + SAMPLE_TYPE, chain, 8));
	BAD(ERR_FORMAT, "its counts", set(&f, ATTR1 + SAMPLE_TYPE, counts, 8),
	    set(&f, ATTR1 + READ_FORMAT, PERF_FORMAT_GROUP, 8));
	BAD(ERR_FORMAT, "its counts", set(&f, ATTR1 + SAMPLE_TYPE, counts, 8),
	    set(&f, ATTR1 + READ_FORMAT, PERF_FORMAT_GROUP, 8),
	    set(&f, f.data + 16, UINT64_MAX / 8, 8));
}

static void test_losses(void **state)
{
	enum { TRAILER = 32 };

	(void)state;
	BAD(ERR_FORMAT, "a LOST record has 56",
	    set(&f, f.data + AT_TYPE, PERF_RECORD_LOST, 4),
	    set(&f, f.data + AT_SIZE, 8 + 8 + TRAILER, 2));
	BAD(ERR_FORMAT, "a LOST_SAMPLES record has 48",
	    set(&f, f.data + AT_TYPE, PERF_RECORD_LOST_SAMPLES, 4),
	    set(&f, f.data + AT_SIZE, 8 + TRAILER, 2));
}

static void test_perfs_own_records(void **state)
{
	(void)state;
	BAD(ERR_UNSUPPORTED, "is compressed", set(&f, f.data + AT_TYPE, 81, 4));
	BAD(ERR_UNSUPPORTED, "is compressed", set(&f, f.data + AT_TYPE, 83, 4));
	BAD(ERR_FORMAT, "its kind has 16", set(&f, f.data + AT_TYPE, 71, 4),
	    set(&f, f.data + AT_SIZE, 8, 2));
	BAD(ERR_FORMAT, "bytes belong behind it", set(&f, f.data + AT_TYPE, 71, 4),
	    set(&f, f.data + AT_ID, UINT64_MAX, 8));
	BAD(ERR_FORMAT, "bytes belong behind it", set(&f, f.data + AT_TYPE, 66, 4),
	    set(&f, f.data + AT_ID, UINT32_MAX, 4));
}

/* ---- features ---- */

/* Where the table's entry of a feature is: they stand in order of their bits. */
static uint64_t entry(const struct file *f, unsigned feat)
{
	uint64_t at = get(f, 40) + get(f, 48);

	for (unsigned i = 0; i < feat; i++)
		at += 16 * (get(f, 72 + i / 64 * 8) >> i % 64 & 1);
	return at;
}

static struct perfdata *opened(const struct file *f)
{
	struct perfdata *p;
	struct err e = {0};

	if (perfdata_open_mem(&p, f->buf, f->len, "bad.data", &e))
		fail_msg("%s", e.text);
	return p;
}

static void test_event_names(void **state)
{
	(void)state;
	BAD(ERR_FORMAT, "feature 12 at offset", set(&f, entry(&f, 12) + 8, 6, 8));
	BAD(ERR_FORMAT, "ends inside an event", set(&f, entry(&f, 12) + 8, 100, 8));
	BAD(ERR_FORMAT, "ends inside an event", set(&f, get(&f, entry(&f, 12)), 3, 4));
	BAD(ERR_FORMAT, "ends inside an event",
	    set(&f, get(&f, entry(&f, 12)) + 4, UINT32_MAX, 4));
}

static void expect_bad_clock(struct file *f, const char *part)
{
	struct perfdata *p = opened(f);
	struct perfdata_clock c;
	struct err e = {0};

	assert_int_equal(perfdata_clock(p, &c, &e), ERR_FORMAT);
	if (!strstr(e.text, part))
		fail_msg("%s", e.text);
	perfdata_close(p);
	free(f->buf);
}

static void test_clock(void **state)
{
	struct file f;

	(void)state;
	rebuild(&f);
	set(&f, entry(&f, FEAT_CLOCK_DATA) + 8, 20, 8);
	expect_bad_clock(&f, "less than 24 bytes");
	rebuild(&f);
	set(&f, get(&f, entry(&f, FEAT_CLOCK_DATA)), 2, 4);
	expect_bad_clock(&f, "version 1");
	rebuild(&f);
	set(&f, get(&f, entry(&f, FEAT_CLOCK_DATA)) + 8, UINT64_MAX, 8);
	expect_bad_clock(&f, "beyond 2^63");
}

/* A section that lies outside is as good as absent, and the file is not whole. */
static void test_sections_outside(void **state)
{
	struct perfdata *p;
	struct file f;

	(void)state;
	rebuild(&f);
	set(&f, entry(&f, FEAT_HOSTNAME), f.len, 8);
	p = opened(&f);
	assert_true(perfdata_truncated(p));
	assert_string_equal(perfdata_string(p, FEAT_HOSTNAME),
			    "host"); /* the early one */
	perfdata_close(p);
	free(f.buf);
	rebuild(&f);
	memset(f.buf + 72, 0xff, 32); /* 256 features: the table ends behind the file */
	p = opened(&f);
	assert_true(perfdata_truncated(p));
	perfdata_close(p);
	free(f.buf);
}

static void test_strings(void **state)
{
	struct perfdata *p;
	uint64_t at;
	struct file f;

	(void)state;
	rebuild(&f);
	at = get(&f, entry(&f, FEAT_HOSTNAME));
	set(&f, at, UINT32_MAX, 4);
	p = opened(&f);
	assert_null(perfdata_string(p, FEAT_HOSTNAME));
	perfdata_close(p);
	set(&f, at, 4, 4); /* "host" without its NUL */
	p = opened(&f);
	assert_null(perfdata_string(p, FEAT_HOSTNAME));
	perfdata_close(p);
	free(f.buf);
}

/* An early directory that counts more than it has is read as far as it goes. */
static void test_early_directory(void **state)
{
	struct perfdata *p;
	uint8_t *magic;
	struct file f;

	(void)state;
	rebuild(&f);
	memset(f.buf + 48, 0, 8);
	memset(f.buf + 72, 0, 32);
	magic = memmem(f.buf, f.len, "DMAREC\0\1", 8);
	assert_non_null(magic);
	set(&f, (uint64_t)(magic - f.buf) + 8, UINT32_MAX, 4);
	set(&f, (uint64_t)(magic - f.buf) + 16, 9999, 8); /* no feature of that number */
	p = opened(&f);
	assert_true(perfdata_truncated(p));
	assert_int_equal(perfdata_nattrs(p), 2);
	perfdata_close(p);
	set(&f, (uint64_t)(magic - f.buf), 0, 8);
	p = opened(&f);
	assert_null(perfdata_attr(p, 0)->name);
	perfdata_close(p);
	free(f.buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_ids_are_bounded),
		cmocka_unit_test(test_layouts),
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_counts_and_call_chains),
		cmocka_unit_test(test_losses),
		cmocka_unit_test(test_perfs_own_records),
		cmocka_unit_test(test_event_names),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_sections_outside),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_early_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
