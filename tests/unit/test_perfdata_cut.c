/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Recordings that somebody cuts while they are read: whatever the reader meets behind the
 * new end, it says that the file was cut. In the last page that is left are zeros, which
 * no signal tells of; further pages are gone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/file/perfdata.h"
#include "lib/flow/source.h"
#include "tests/unit/rawfile.h"

enum { SAMPLES = 500, IN_ROUND = 20, EACH = 1021 /* bytes, odd on purpose */ };

static const struct raw_event events[] = {
	{"irq:irq_handler_entry", "s32 irq", true},
	{"probe_l:dma_to_host", "u32 channel,u64 size", false},
};

static struct rawfile *filled(const struct meta *m)
{
	struct rawfile *r = rawfile_new(events, 2, m);

	for (int i = 0; i < SAMPLES; i++) {
		rawfile_sample(r, i % 2, 1000 + 10 * i, i % 3, 7, (int64_t[]){1, 4096});
		if (i % IN_ROUND == IN_ROUND - 1)
			rawfile_round(r);
	}
	return r;
}

/* n = -1: to the end. What the last call gave. */
static int read_on(struct source *s, int n, struct err *e)
{
	struct sample sample;
	struct loss loss;
	int got = 1;

	while (n-- && got > 0)
		got = source_next(s, &sample, &loss, e);
	return got;
}

/* `cut` is cut at `at` when n samples of `path` have been read. */
static void is_told(const char *path, const char *cut, uint64_t at, int n)
{
	struct source *s;
	struct err e = {0};
	int got;

	if (source_open(&s, path, NULL, &e))
		fail_msg("%s", e.text);
	assert_int_equal(read_on(s, n, &e), 1);
	assert_int_equal(truncate(cut, (off_t)at), 0);
	got = read_on(s, -1, &e);
	if (got != ERR_FORMAT || !strstr(e.text, "was cut while it was read") ||
	    strncmp(e.text, cut, strlen(cut)) != 0)
		fail_msg("cut at %llu after %d samples: %d, %s", (unsigned long long)at,
			 n, got, e.text);
	source_close(s);
}

static void put_file(const char *path, const void *buf, size_t len)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_int_equal(fwrite(buf, 1, len, out), len);
	assert_int_equal(fclose(out), 0);
}

/* From the last byte back into the header. */
static void cut_anywhere(bool finish)
{
	static const int read_before[] = {0, 1, SAMPLES / 2, SAMPLES - 1};
	struct rawfile *r = filled(NULL);
	char *path = strdup(rawfile_path(r));
	size_t len;
	void *buf;

	rawfile_finish_file(r, NULL, finish);
	free(r);
	buf = slurp(path, &len);
	for (size_t i = 0; i < sizeof(read_before) / sizeof(*read_before); i++)
		for (size_t at = len - 1; at > EACH; at -= EACH) {
			put_file(path, buf, len);
			is_told(path, path, at, read_before[i]);
		}
	unlink(path);
	free(path);
	free(buf);
}

static void a_recording(void **state)
{
	(void)state;
	cut_anywhere(true);
}

/* Zeros at its end are what its file system may have left there: not these. */
static void one_of_a_killed_recorder(void **state)
{
	(void)state;
	cut_anywhere(false);
}

static char *part(int number, const char *beside)
{
	static const enum role role[] = {ROLE_INTERRUPT, ROLE_SUBMIT};
	struct meta m;
	struct rawfile *r;
	char *path, *name;

	meta_init(&m);
	m.uuid = strdup("one");
	m.part = number;
	m.begin_ns = m.begin_wall_ns = 1000;
	for (size_t i = 0; i < 2; i++) {
		struct meta_event *ev = meta_add_event(&m);

		ev->name = strdup(events[i].name);
		ev->role = role[i];
		ev->attr = ev->func = (int32_t)i;
	}
	r = filled(&m);
	path = strdup(rawfile_path(r));
	rawfile_finish_file(r, &m, true);
	meta_release(&m);
	free(r);
	if (!beside)
		return path;
	assert_true(asprintf(&name, "%s.%04d", beside, number) > 0);
	assert_int_equal(rename(path, name), 0);
	free(path);
	return name;
}

/* The error names the part. */
static void a_recording_in_parts(void **state)
{
	char *first, *path[3];
	size_t len;

	(void)state;
	for (int cut = 0; cut < 3; cut++) {
		first = path[0] = part(1, NULL);
		path[1] = part(2, first);
		path[2] = part(3, first);
		free(slurp(path[cut], &len));
		is_told(first, path[cut], len - 1 - (size_t)cut * 5000, SAMPLES / 2);
		for (int i = 0; i < 3; i++) {
			unlink(path[i]);
			free(path[i]);
		}
	}
}

/* A recording that grows is not cut. */
static void one_that_grows(void **state)
{
	struct rawfile *r = filled(NULL);
	char *path = strdup(rawfile_path(r));
	struct err e = {0};
	struct source *s;
	FILE *more;

	(void)state;
	rawfile_finish_file(r, NULL, true);
	free(r);
	assert_int_equal(source_open(&s, path, NULL, &e), 0);
	assert_int_equal(read_on(s, 10, &e), 1);
	more = fopen(path, "a");
	assert_non_null(more);
	fputs("more", more);
	fclose(more);
	assert_int_equal(read_on(s, -1, &e), 0);
	source_close(s);
	unlink(path);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_recording),
		cmocka_unit_test(one_of_a_killed_recorder),
		cmocka_unit_test(a_recording_in_parts),
		cmocka_unit_test(one_that_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
