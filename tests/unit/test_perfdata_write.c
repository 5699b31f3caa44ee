/* SPDX-License-Identifier: GPL-2.0-only */
/* lib/file/perfdata: files that are made, kept, and cannot be made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/dma.h"
#include "lib/err.h"
#include "lib/file/perfdata.h"
#include "lib/file/perfdata_feat.h"

static void put_file(const char *path)
{
	static const char *const argv[] = {"dmarec", "--", "./w", NULL};
	struct perfdata_attr attr = {.attr = {.size = sizeof(attr.attr)}};
	struct perfdata_section s[2];
	struct perfdata_writer *w;

	assert_int_equal(feat_cmdline(&s[0], argv, NULL), 0);
	assert_int_equal(feat_sample_time(&s[1], 5, 9, NULL), 0);
	assert_int_equal(perfdata_create(&w, path, NULL, &attr, 1, &s[0], 1, NULL), 0);
	assert_int_equal(perfdata_finish(w, &s[1], 1, NULL), 0);
	free((void *)(uintptr_t)s[0].buf);
	free((void *)(uintptr_t)s[1].buf);
}

static void test_command_line_and_old_file(void **state)
{
	char dir[] = "/tmp/dma-test-XXXXXX", path[64], old[64];
	struct perfdata *p;
	const void *buf;
	struct stat st;
	int64_t t[2];
	size_t len;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/a.data", dir);
	snprintf(old, sizeof(old), "%s/a.data.old", dir);
	put_file(path);
	assert_int_not_equal(stat(old, &st), 0);
	put_file(path);
	assert_int_equal(stat(old, &st), 0);
	assert_int_equal(perfdata_open(&p, path, NULL), 0);
	assert_string_equal(perfdata_string(p, FEAT_CMDLINE), "dmarec -- ./w");
	assert_int_equal(perfdata_feature(p, FEAT_SAMPLE_TIME, &buf, &len, NULL), 1);
	assert_int_equal(len, 16);
	memcpy(t, buf, 16);
	assert_int_equal(t[0], 5);
	assert_int_equal(t[1], 9);
	perfdata_close(p);
	unlink(path);
	unlink(old);
	rmdir(dir);
}

/* ---- what is no file ---- */

static void expect_no_open(const char *path, int code)
{
	struct perfdata *p;
	struct err e = {0};

	assert_int_equal(perfdata_open(&p, path, &e), code);
	assert_null(p);
	assert_non_null(strstr(e.text, path));
}

static void test_no_file(void **state)
{
	struct perfdata_writer *w;
	struct err e = {0};

	(void)state;
	expect_no_open("/nonexistent/x", ERR_NOTFOUND);
	expect_no_open("/tmp", ERR_FORMAT);
	expect_no_open("/dev/null", ERR_FORMAT);
	assert_true(perfdata_create(&w, "/tmp", NULL, NULL, 0, NULL, 0, &e) < 0);
	assert_null(w);
	assert_non_null(strstr(e.text, "/tmp: is a directory"));
	e = (struct err){0};
	assert_true(perfdata_create(&w, "/dev/null", NULL, NULL, 0, NULL, 0, &e) < 0);
	assert_non_null(strstr(e.text, "no regular file"));
	perfdata_close(NULL);
	perfdata_abandon(NULL);
}

/* The disk is full: told with path and offset, and what there is can be read. */
static void test_full_disk(void **state)
{
	enum { LIMIT = 1 << 18 };
	struct rlimit old, small;
	struct perfdata_writer *w;
	struct perfdata_attr attr = {
		.attr = {.size = sizeof(attr.attr), .sample_type = PERF_SAMPLE_TIME}};
	const char path[] = "/tmp/dma-full-test";
	uint64_t rec[2] = {PERF_RECORD_SAMPLE | 16ull << 48, 1}, n = 0;
	struct perfdata *p;
	struct perfdata_rec r;
	struct err e = {0};
	int rc = 0;

	(void)state;
	unlink(path);
	assert_int_equal(perfdata_create(&w, path, NULL, &attr, 1, NULL, 0, NULL), 0);
	getrlimit(RLIMIT_FSIZE, &old);
	small = old;
	small.rlim_cur = LIMIT + 5;
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small);
	for (int i = 0; i < 1 << 18 && !rc; i++, rec[1]++)
		rc = perfdata_append(w, rec, sizeof(rec), &e);
	assert_int_equal(rc, ERR_IO);
	assert_non_null(strstr(e.text, "/tmp/dma-full-test: cannot write"));
	assert_int_not_equal(perfdata_finish(w, NULL, 0, NULL), 0);
	setrlimit(RLIMIT_FSIZE, &old);
	signal(SIGXFSZ, SIG_DFL);
	e = (struct err){0};
	assert_int_equal(perfdata_open(&p, path, &e), 0);
	assert_true(perfdata_truncated(p));
	while ((rc = perfdata_next(p, &r, &e)) > 0)
		assert_int_equal(r.time_ns, ++n);
	assert_int_equal(rc, 0);
	assert_int_equal(n, (LIMIT - 4096) / 16);
	perfdata_close(p);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_command_line_and_old_file),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
