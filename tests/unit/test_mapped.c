/* SPDX-License-Identifier: GPL-2.0-only */
/* record/elf/mapped: which file a line of /proc/PID/maps is, in a tree made here. */
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
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/err.h"
#include "record/elf/mapped.h"
#include "tests/unit/tree.h"

enum { PID = 42 };

static char root[64];

static void put(const char *path, const char *text)
{
	char full[300];
	int fd;

	snprintf(full, sizeof(full), "%s%s", root, path);
	fd = open(full, O_CREAT | O_WRONLY | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void dir(const char *path)
{
	char full[300];

	snprintf(full, sizeof(full), "%s%s", root, path);
	assert_int_equal(mkdir(full, 0700), 0);
}

static void link_to(const char *path, const char *target)
{
	char full[300], to[300];

	snprintf(full, sizeof(full), "%s%s", root, path);
	snprintf(to, sizeof(to), "%s%s", root, target);
	assert_int_equal(symlink(to, full), 0);
}

static int setup(void **state)
{
	(void)state;
	snprintf(root, sizeof(root), "/tmp/mapped.XXXXXX");
	assert_non_null(mkdtemp(root));
	dir("/lib");
	dir("/proc");
	dir("/proc/42");
	dir("/proc/42/map_files");
	dir("/proc/42/root");
	dir("/proc/42/root/lib");
	put("/lib/same.so", "same");
	put("/lib/new.so", "new");
	put("/lib/old.so", "old"); /* stands for an inode without a name */
	put("/lib/odd (deleted)", "odd");
	put("/lib/inside.so", "ours");
	put("/proc/42/root/lib/inside.so", "theirs");
	link_to("/proc/42/map_files/1000-2000", "/lib/same.so");
	link_to("/proc/42/map_files/2000-3000", "/lib/old.so");
	link_to("/proc/42/map_files/3000-4000", "/lib/odd (deleted)");
	link_to("/proc/42/map_files/4000-5000", "/proc/42/root/lib/inside.so");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return tree_remove(root);
}

/* path NULL = none; told NULL = nothing. */
static void expect(const char *line, const char *path, const char *told)
{
	struct mapped m;
	struct err e = {0};

	assert_int_equal(mapped_find(&m, root, PID, line, &e), 0);
	if (path && (!m.path || strcmp(m.path + strlen(root), path)))
		fail_msg("%s: found %s", line, m.path ? m.path : "nothing");
	if (!path && m.path)
		fail_msg("%s: found %s", line, m.path);
	if (told && (!m.told || !strstr(m.told, told)))
		fail_msg("%s: said %s", line, m.told ? m.told : "nothing");
	if (!told && m.told)
		fail_msg("%s: said %s", line, m.told);
	mapped_release(&m);
}

/* overlay and btrfs: the line has another device than stat(2) tells. */
static void numbers_of_the_line_do_not_count(void **state)
{
	(void)state;
	expect("1000-2000 r-xp 00001000 00:99 77777     /lib/same.so\n", "/lib/same.so",
	       NULL);
}

static void replaced_and_deleted(void **state)
{
	const char *link = "/proc/42/map_files/2000-3000";

	(void)state;
	expect("2000-3000 r-xp 00000000 fe:01 5   /lib/new.so\n", link,
	       "/lib/new.so is not the file that process 42 runs;");
	expect("2000-3000 r-xp 00000000 fe:01 5   /lib/new.so (deleted)\n", link,
	       "/lib/new.so is not the file that process 42 runs: it was replaced");
	expect("2000-3000 r-xp 00000000 fe:01 5   /lib/gone.so (deleted)\n", link,
	       "the mapped file itself is probed");
	expect("3000-4000 r-xp 00000000 fe:01 5   /lib/odd (deleted)\n",
	       "/lib/odd (deleted)", NULL);
}

static void mount_namespace_of_its_own(void **state)
{
	(void)state;
	expect("4000-5000 r-xp 00000000 fe:01 5   /lib/inside.so\n",
	       "/proc/42/root/lib/inside.so", NULL);
}

/* Without map_files the line's numbers are all there is. */
static void numbers_where_there_is_nothing_else(void **state)
{
	char line[200], path[200];
	struct stat st;

	(void)state;
	snprintf(path, sizeof(path), "%s/lib/same.so", root);
	assert_int_equal(stat(path, &st), 0);
	snprintf(line, sizeof(line), "7000-8000 r-xp 00000000 %x:%x %lu /lib/same.so\n",
		 major(st.st_dev), minor(st.st_dev), (unsigned long)st.st_ino);
	expect(line, "/lib/same.so", NULL);
	expect("7000-8000 r-xp 00000000 00:01 1 /lib/same.so\n", NULL,
	       "it is not probed");
}

static void what_is_no_code(void **state)
{
	(void)state;
	expect("1000-2000 r--p 00000000 fe:01 5   /lib/same.so\n", NULL, NULL);
	expect("1000-2000 r-xp 00000000 00:00 0   [vdso]\n", NULL, NULL);
	expect("1000-2000 rwxp 00000000 00:00 0 \n", NULL, NULL);
	expect("1000-2000 r-xp", NULL, NULL);
	expect("", NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_of_the_line_do_not_count),
		cmocka_unit_test(replaced_and_deleted),
		cmocka_unit_test(mount_namespace_of_its_own),
		cmocka_unit_test(numbers_where_there_is_nothing_else),
		cmocka_unit_test(what_is_no_code),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
