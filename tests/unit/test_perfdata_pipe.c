/* SPDX-License-Identifier: GPL-2.0-only */
/* lib/file/perfdata_pipe: a file that went through a pipe gives the records that it gives as a
 * file, cut anywhere what is whole of it, and says what is damaged. */
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
	RECORDS = 6,
	FIRST = 16, /* the first record of a pipe */
	AT_ATTR_SIZE = FIRST + 12,
	HEADER_FEATURE = 80,
};

struct bytes {
	uint8_t *at;
	size_t n;
};

static struct bytes as_file(void)
{
	struct rawfile *r = rawfile_new(events, 2, NULL);
	struct bytes b;

	for (int i = 0; i < RECORDS / 2; i++) {
		rawfile_sample(r, 1, 1000 + 200 * i, 0, 7, (int64_t[]){1, 4096 + i});
		rawfile_sample(r, 0, 1100 + 200 * i, 1, 7, (int64_t[]){68});
	}
	b.at = rawfile_finish(r, NULL, true, &b.n);
	return b;
}

static struct bytes as_pipe(void)
{
	struct bytes f = as_file(), b;

	b.at = raw_as_pipe(f.at, &b.n);
	free(f.at);
	return b;
}

struct sum {
	uint64_t n, hash;
	bool truncated;
};

/* All that the records say but for where they lie. */
static int read_all(const struct bytes *b, struct sum *s, struct err *e)
{
	struct perfdata *p;
	struct perfdata_rec r;
	int rc = perfdata_open_mem(&p, b->at, b->n, "a.pipe", e);

	*s = (struct sum){0};
	if (rc)
		return rc;
	while ((rc = perfdata_next(p, &r, e)) > 0) {
		s->n++;
		s->hash = s->hash * 31 + (uint64_t)r.time_ns + r.id + (uint64_t)r.attr +
			  (uint64_t)r.cpu;
		for (uint32_t i = 0; i < r.raw_len; i++)
			s->hash = s->hash * 31 + ((const uint8_t *)r.raw)[i];
	}
	s->truncated = perfdata_truncated(p);
	if (!rc && perfdata_nattrs(p) > 1 && perfdata_attr(p, 1)->name)
		s->hash += (uint64_t)perfdata_attr(p, 1)->name[0];
	perfdata_close(p);
	return rc;
}

static void a_pipe_gives_what_the_file_gives(void **state)
{
	struct bytes file = as_file(), pipe = as_pipe();
	struct sum a, b;
	struct err e = {0};

	(void)state;
	assert_int_equal(read_all(&file, &a, &e), 0);
	assert_int_equal(read_all(&pipe, &b, &e), 0);
	assert_int_equal(a.n, RECORDS);
	assert_int_equal(b.n, RECORDS);
	assert_true(a.hash == b.hash);
	assert_false(b.truncated);
	free(file.at);
	free(pipe.at);
}

static void cut_anywhere_it_gives_what_is_whole(void **state)
{
	struct bytes pipe = as_pipe();
	size_t whole = pipe.n;
	uint64_t most = 0;

	(void)state;
	for (pipe.n = FIRST; pipe.n < whole; pipe.n++) {
		struct err e = {0};
		struct sum s;
		int rc = read_all(&pipe, &s, &e);

		assert_true(!rc || rc == ERR_FORMAT);
		assert_true(rc || s.n <= RECORDS);
		assert_true(s.n >= most || rc);
		most = s.n > most ? s.n : most;
	}
	assert_true(most >= RECORDS - 1);
	free(pipe.at);
}

static void the_last_record_is_not_whole(void **state)
{
	struct bytes pipe = as_pipe();
	struct err e = {0};
	struct sum s;

	(void)state;
	pipe.n -= 12; /* the mark of a round, and 4 bytes of the last sample */
	assert_int_equal(read_all(&pipe, &s, &e), 0);
	assert_int_equal(s.n, RECORDS - 1);
	assert_true(s.truncated);
	free(pipe.at);
}

static void expect(struct bytes b, const char *part)
{
	struct err e = {0};
	struct sum s;

	assert_int_equal(read_all(&b, &s, &e), ERR_FORMAT);
	if (!strstr(e.text, part))
		fail_msg("'%s' instead of '%s'", e.text, part);
	free(b.at);
}

static struct bytes with(size_t at, uint64_t value, size_t size)
{
	struct bytes b = as_pipe();

	memcpy(b.at + at, &value, size);
	return b;
}

static void what_is_damaged_is_said(void **state)
{
	struct bytes none = as_pipe();

	(void)state;
	none.n = FIRST;
	expect(none, "says of no event what it is");
	expect(with(FIRST + 6, 7, 2), "record at offset 16: its size is less than that");
	expect(with(FIRST + 6, 40, 2), "too short for an attribute");
	expect(with(AT_ATTR_SIZE, 4096, 4), "an impossible size");
	expect(with(AT_ATTR_SIZE, 63, 4), "an impossible size");
	expect(with(FIRST, HEADER_FEATURE | UINT64_C(8) << 48, 8),
	       "too short for its kind");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pipe_gives_what_the_file_gives),
		cmocka_unit_test(cut_anywhere_it_gives_what_is_whole),
		cmocka_unit_test(the_last_record_is_not_whole),
		cmocka_unit_test(what_is_damaged_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
