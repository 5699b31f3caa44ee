/* SPDX-License-Identifier: GPL-2.0-only */
/* lib/file/perfdata_unzip: a recording of perf record -z reads as the one that was not packed,
 * wherever its stream was cut into records, and what is damaged in it is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "lib/err.h"
#include "lib/file/perfdata.h"
#include "tests/unit/rawfile.h"

enum {
	SAMPLES = 40,
	ROOM = 1 << 16,
	COMPRESSED = 81,
	COMPRESSED2 = 83,
	FEATURES_AT = 72,
	FEAT_COMPRESSED = 27,
	DATA_AT = 40,
	ENTRY = 16, /* of the table of features */
};

static const struct raw_event events[] = {{"probe_l:dma_to_host", "u32 channel", false}};

struct file {
	uint8_t *at;
	size_t len;
	uint64_t data, size; /* of the data */
};

static uint64_t get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return v;
}

static void put64(uint8_t *p, uint64_t v)
{
	memcpy(p, &v, 8);
}

static struct file plain(void)
{
	struct rawfile *r = rawfile_new(events, 1, NULL);
	struct file f;

	for (int64_t i = 0; i < SAMPLES; i++)
		rawfile_sample(r, 0, 1000 + i, 0, 7, &i);
	f.at = rawfile_finish(r, NULL, true, &f.len);
	f.data = get64(f.at + DATA_AT);
	f.size = get64(f.at + DATA_AT + 8);
	return f;
}

/* What the data becomes. */
struct packing {
	uint32_t type; /* of the records that hold the stream */
	size_t piece;  /* bytes of the stream in each */
	size_t cut;    /* bytes that the data lacks at its end, before it is packed */
	uint8_t *data; /* the data itself, to be damaged; NULL = as it is */
};

static size_t put_record(uint8_t *to, uint32_t type, const uint8_t *what, size_t n)
{
	size_t head = type == COMPRESSED2 ? 16 : 8,
	       whole = type == COMPRESSED2 ? (head + n + 7) & ~(size_t)7 : head + n;

	memset(to, 0, whole);
	memcpy(to, &type, 4);
	to[6] = (uint8_t)whole;
	to[7] = (uint8_t)(whole >> 8);
	if (type == COMPRESSED2)
		put64(to + 8, n);
	memcpy(to + head, what, n);
	return whole;
}

/* The sections behind the data move along; the table gets one entry more, of a section that
 * is empty. */
static struct file packed(const struct file *f, const struct packing *how)
{
	uint8_t *stream = malloc(ROOM), *data = malloc(ROOM);
	struct file z = {.at = calloc(1, f->len + 2 * ROOM)};
	size_t nstream, n = 0, before = 0, entries = 0, tail;
	int64_t moved;

	assert_true(stream && data && z.at);
	nstream = ZSTD_compress(stream, ROOM, how->data ? how->data : f->at + f->data,
				f->size - how->cut, 1);
	assert_false(ZSTD_isError(nstream));
	for (size_t i = 0; i < nstream; i += how->piece)
		n += put_record(data + n, how->type, stream + i,
				how->piece < nstream - i ? how->piece : nstream - i);
	memcpy(z.at, f->at, f->data);
	z.at[FEATURES_AT + FEAT_COMPRESSED / 8] |= 1 << FEAT_COMPRESSED % 8;
	put64(z.at + DATA_AT + 8, n);
	memcpy(z.at + f->data, data, n);
	moved = (int64_t)(n + ENTRY) - (int64_t)f->size;
	for (int bit = 0; bit < 256; bit++)
		if (f->at[FEATURES_AT + bit / 8] >> bit % 8 & 1) {
			entries++;
			before += bit < FEAT_COMPRESSED;
		}
	for (size_t i = 0; i < entries; i++) {
		const uint8_t *from = f->at + f->data + f->size + i * ENTRY;
		uint8_t *to = z.at + f->data + n + (i + (i >= before)) * ENTRY;

		put64(to, get64(from) >= f->data + f->size
				  ? (uint64_t)((int64_t)get64(from) + moved)
				  : get64(from));
		put64(to + 8, get64(from + 8));
	}
	put64(z.at + f->data + n + before * ENTRY, f->data + n);
	tail = f->data + f->size + entries * ENTRY;
	memcpy(z.at + (int64_t)tail + moved, f->at + tail, f->len - tail);
	z.data = f->data;
	z.size = n;
	z.len = (size_t)((int64_t)f->len + moved);
	free(stream);
	free(data);
	return z;
}

/* Samples in a row as they were made; the error's code where it ends by one. */
static int count(const struct file *f, int *samples, bool *cut, struct err *e)
{
	struct perfdata *p;
	struct perfdata_rec r;
	int rc = perfdata_open_mem(&p, f->at, f->len, "z.data", e);

	*samples = 0;
	if (rc)
		return rc;
	while ((rc = perfdata_next(p, &r, e)) > 0)
		if (r.raw) {
			assert_int_equal(r.time_ns, 1000 + *samples);
			++*samples;
		}
	*cut = perfdata_truncated(p);
	perfdata_close(p);
	return rc;
}

static void check(const struct packing *how, int code, int samples, const char *words)
{
	struct file f = plain(), z = packed(&f, how);
	struct err e = {0};
	bool cut;
	int n, rc = count(&z, &n, &cut, &e);

	if (rc != code || n != samples || !strstr(e.text, words))
		fail_msg("%d, %d samples, '%s' instead of %d, %d, '%s'", rc, n, e.text,
			 code, samples, words);
	free(f.at);
	free(z.at);
}

static void wherever_it_is_cut(void **state)
{
	static const size_t piece[] = {60000, 4096, 97, 8, 1};

	(void)state;
	for (size_t i = 0; i < sizeof(piece) / sizeof(*piece); i++) {
		check(&(struct packing){.type = COMPRESSED, .piece = piece[i]}, 0,
		      SAMPLES, "");
		check(&(struct packing){.type = COMPRESSED2, .piece = piece[i]}, 0,
		      SAMPLES, "");
	}
}

/* A finished recording whose last record is not whole lacks something. */
static void a_record_that_goes_on_nowhere(void **state)
{
	(void)state;
	check(&(struct packing){.type = COMPRESSED, .piece = 500, .cut = 12}, ERR_FORMAT,
	      0, "its size is 80, of the data 76 bytes are left");
}

static void records_without_a_size(void **state)
{
	struct file f = plain();

	(void)state;
	memset(f.at + f.data + 6, 0, 2);
	check(&(struct packing){.type = COMPRESSED, .piece = 500, .data = f.at + f.data},
	      ERR_FORMAT, 0, "a record in its compressed data has the size 0");
	free(f.at);
}

static void a_stream_that_is_damaged(void **state)
{
	struct file f = plain(),
		    z = packed(&f, &(struct packing){.type = COMPRESSED, .piece = 500});
	struct err e = {0};
	bool cut;
	int n;

	(void)state;
	z.at[z.data + 8] ^= 0xff; /* zstd's magic number */
	assert_int_equal(count(&z, &n, &cut, &e), ERR_FORMAT);
	assert_non_null(strstr(e.text, "z.data: compressed record at offset "));
	free(f.at);
	free(z.at);
}

/* Of a recorder that was killed, the data's size is not known: what came whole is read. */
static void a_stream_that_is_cut(void **state)
{
	struct file f = plain(),
		    z = packed(&f, &(struct packing){.type = COMPRESSED, .piece = 100});
	struct err e = {0};
	bool cut = false;
	int n;

	(void)state;
	put64(z.at + DATA_AT + 8, 0);
	z.len = z.data + z.size - 50;
	assert_int_equal(count(&z, &n, &cut, &e), 0);
	assert_true(cut);
	assert_true(n < SAMPLES);
	free(f.at);
	free(z.at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wherever_it_is_cut),
		cmocka_unit_test(a_record_that_goes_on_nowhere),
		cmocka_unit_test(records_without_a_size),
		cmocka_unit_test(a_stream_that_is_damaged),
		cmocka_unit_test(a_stream_that_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
