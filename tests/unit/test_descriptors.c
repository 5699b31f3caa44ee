/* SPDX-License-Identifier: GPL-2.0-only */
/* record/descriptors: a sample's descriptor is the file that it was, or unknown. The
 * process looked at is this one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/err.h"
#include "record/descriptors.h"
#include "tests/unit/tree.h"

enum { READ, CLOSE, DUP2, CLOSE_RANGE, NEVENT };

static const char *const name[NEVENT] = {"dmarec_1:read", "syscalls:sys_enter_close",
					 "syscalls:sys_enter_dup2",
					 "syscalls:sys_enter_close_range"};
static const char *const field[NEVENT] = {"s32 fd;\toffset:16;\tsize:4",
					  "unsigned int fd;\toffset:16;\tsize:8",
					  "unsigned int newfd;\toffset:24;\tsize:8",
					  "unsigned int fd;\toffset:16;\tsize:8"};
static const unsigned offset[NEVENT] = {16, 16, 24, 16};

static char dir[] = "/tmp/dma-desc-XXXXXX";
static char file_a[64], file_b[64];

static void make_format(int i)
{
	char path[200], group[32], *colon;
	FILE *out;

	snprintf(group, sizeof(group), "%s", name[i]);
	colon = strchr(group, ':');
	*colon = 0;
	snprintf(path, sizeof(path), "%s/events/%s", dir, group);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/events/%s/%s", dir, group, colon + 1);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/events/%s/%s/format", dir, group, colon + 1);
	out = fopen(path, "w");
	assert_non_null(out);
	fprintf(out,
		"name: x\nID: 1\nformat:\n\tfield:int other;\toffset:8;\tsize:4;"
		"\tsigned:1;\n\tfield:%s;\tsigned:0;\n",
		field[i]);
	fclose(out);
}

static int begin_all(void **state)
{
	char path[64];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/events", dir);
	mkdir(path, 0755);
	for (int i = 0; i < NEVENT; i++)
		make_format(i);
	snprintf(file_a, sizeof(file_a), "%s/a", dir);
	snprintf(file_b, sizeof(file_b), "%s/b", dir);
	close(open(file_a, O_CREAT | O_WRONLY, 0600));
	close(open(file_b, O_CREAT | O_WRONLY, 0600));
	return 0;
}

static int end_all(void **state)
{
	(void)state;
	return tree_remove(dir);
}

/* ---- one recorder ---- */

struct rig {
	struct descriptors *d;
	struct meta m;
};

static void begin(struct rig *r)
{
	struct err e = {0};

	meta_init(&r->m);
	for (int i = 0; i < NEVENT; i++)
		meta_add_event(&r->m)->name = strdup(name[i]);
	meta_add_path(&r->m.event[READ])->pattern = strdup("/dev/x{card}");
	if (descriptors_new(&r->d, &r->m, dir, CLOCK_MONOTONIC, &e))
		fail_msg("%s", e.text);
	assert_non_null(r->d);
}

static void end(struct rig *r)
{
	descriptors_free(r->d);
	meta_release(&r->m);
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void see(struct rig *r, int event, int fd, int64_t time_ns)
{
	char rec[100] = {0};
	int32_t pid = getpid();
	uint32_t raw_len = 36;

	memcpy(rec + 24, &pid, 4);
	memcpy(rec + 32, &time_ns, 8);
	memcpy(rec + 48, &raw_len, 4);
	memcpy(rec + 52 + offset[event], &fd, 4);
	assert_int_equal(descriptors_see(r->d, (size_t)event, rec, sizeof(rec), NULL), 0);
}

static void look(struct rig *r)
{
	assert_int_equal(descriptors_look(r->d, NULL), 0);
}

static void finish(struct rig *r)
{
	assert_int_equal(descriptors_finish(r->d, &r->m, NULL), 0);
}

static void expect(const struct rig *r, size_t i, int64_t from_ns, const char *path)
{
	assert_true(i < r->m.nfd);
	assert_int_equal(r->m.fd[i].pid, getpid());
	assert_int_equal(r->m.fd[i].from_ns, from_ns);
	assert_string_equal(r->m.fd[i].path, path);
}

static void test_one_file(void **state)
{
	int fd = open(file_a, O_RDONLY);
	int64_t t = now();
	struct rig r;

	(void)state;
	begin(&r);
	see(&r, READ, fd, t);
	see(&r, READ, fd, t + 1);
	look(&r);
	see(&r, READ, fd, now());
	look(&r);
	close(fd);
	see(&r, CLOSE, fd, now());
	finish(&r);
	expect(&r, 0, t, file_a);
	assert_int_equal(r.m.fd[0].fd, fd);
	end(&r);
}

/* The number is used again; each look falls behind a sample of its own stretch. */
static void test_used_again(void **state)
{
	int64_t t1, tc, t2;
	struct rig r;
	int fd, fd2;

	(void)state;
	begin(&r);
	fd = open(file_a, O_RDONLY);
	t1 = now();
	see(&r, READ, fd, t1);
	look(&r);
	tc = now();
	close(fd);
	fd2 = open(file_b, O_RDONLY);
	assert_int_equal(fd, fd2);
	t2 = now();
	see(&r, CLOSE, fd, tc);
	see(&r, READ, fd, t2);
	look(&r);
	close(fd);
	finish(&r);
	assert_int_equal(r.m.nfd, 2);
	expect(&r, 0, t1, file_a);
	expect(&r, 1, tc, file_b);
	end(&r);
}

/* The sample was of a, and when we came to look it was b already. */
static void test_too_late(void **state)
{
	int64_t t1, tc, t2;
	struct rig r;
	int fd;

	(void)state;
	begin(&r);
	fd = open(file_a, O_RDONLY);
	t1 = now();
	see(&r, READ, fd, t1);
	tc = now();
	close(fd);
	fd = open(file_b, O_RDONLY);
	look(&r);		/* finds b: not what the sample was */
	see(&r, CLOSE, fd, tc); /* and only now arrives the closing */
	t2 = now();
	see(&r, READ, fd, t2);
	look(&r);
	close(fd);
	finish(&r);
	assert_int_equal(r.m.nfd, 2);
	expect(&r, 0, t1, "");
	expect(&r, 1, tc, file_b);
	end(&r);
}

static void test_gone(void **state)
{
	struct rig r;
	int fd = open(file_a, O_RDONLY);
	int64_t t = now();

	(void)state;
	begin(&r);
	see(&r, READ, fd, t);
	close(fd);
	look(&r);
	finish(&r);
	assert_int_equal(r.m.nfd, 1);
	expect(&r, 0, t, "");
	end(&r);
}

/* It changed and nobody saw how. */
static void test_two_answers(void **state)
{
	struct rig r;
	int fd = open(file_a, O_RDONLY);
	int64_t t = now();

	(void)state;
	begin(&r);
	see(&r, READ, fd, t);
	look(&r);
	close(fd);
	fd = open(file_b, O_RDONLY);
	see(&r, READ, fd, now());
	look(&r);
	close(fd);
	finish(&r);
	assert_int_equal(r.m.nfd, 1);
	expect(&r, 0, t, "");
	end(&r);
}

static void changes(int event, int by, bool doubt)
{
	struct rig r;
	int fd = open(file_a, O_RDONLY);
	int64_t t1 = now(), tc, t2;

	begin(&r);
	see(&r, READ, fd, t1);
	look(&r);
	tc = now();
	close(fd);
	fd = open(file_b, O_RDONLY);
	if (doubt)
		descriptors_doubt(r.d, event, tc);
	else
		see(&r, event, fd - by, tc);
	t2 = now();
	see(&r, READ, fd, t2);
	look(&r);
	close(fd);
	finish(&r);
	expect(&r, 0, t1, file_a);
	expect(&r, 1, tc, file_b);
	end(&r);
}

static void test_every_kind_of_closing(void **state)
{
	(void)state;
	changes(CLOSE, 0, false);
	changes(DUP2, 0, false);
	changes(CLOSE_RANGE, 0, false);
	changes(CLOSE_RANGE, 1, false);
	changes(getpid(), 0, true);
	changes(-1, 0, true);
}

/* Another number, another process: nothing to us. */
static void test_other_closings(void **state)
{
	struct rig r;
	int fd = open(file_a, O_RDONLY);
	int64_t t = now();

	(void)state;
	begin(&r);
	see(&r, READ, fd, t);
	look(&r);
	see(&r, CLOSE, fd + 1, now());
	see(&r, CLOSE, fd - 1, now());
	see(&r, CLOSE_RANGE, fd + 1, now());
	descriptors_doubt(r.d, getpid() + 1, now());
	see(&r, READ, fd, now());
	finish(&r);
	close(fd);
	assert_int_equal(r.m.nfd, 1);
	expect(&r, 0, t, file_a);
	end(&r);
}

static void test_not_wanted(void **state)
{
	struct descriptors *d;
	struct meta m;

	(void)state;
	meta_init(&m);
	meta_add_event(&m)->name = strdup(name[READ]);
	assert_int_equal(descriptors_new(&d, &m, dir, CLOCK_MONOTONIC, NULL), 0);
	assert_null(d);
	assert_int_equal(descriptors_see(d, 0, "", 0, NULL), 0);
	descriptors_doubt(d, 1, 1);
	assert_int_equal(descriptors_look(d, NULL), 0);
	assert_int_equal(descriptors_finish(d, &m, NULL), 0);
	descriptors_free(d);
	meta_release(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_file),
		cmocka_unit_test(test_used_again),
		cmocka_unit_test(test_too_late),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_two_answers),
		cmocka_unit_test(test_every_kind_of_closing),
		cmocka_unit_test(test_other_closings),
		cmocka_unit_test(test_not_wanted),
	};

	return cmocka_run_group_tests(tests, begin_all, end_all);
}
