/* SPDX-License-Identifier: GPL-2.0-only */
/* record/host/forbid: lockdown and SELinux, as the kernel writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/host/forbid.h"
#include "tests/unit/tree.h"

static char root[] = "/tmp/dma-forbid-XXXXXX";

static void put(const char *path, const char *text)
{
	char full[200], *slash;
	FILE *out;

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (slash = strchr(full + strlen(root) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = 0;
		mkdir(full, 0755);
		*slash = '/';
	}
	out = fopen(full, "w");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static void expect(const char *lockdown, const char *selinux)
{
	char *said = forbidden_by(root);

	assert_int_equal(forbidden_by_lockdown(root) != NULL, lockdown != NULL);
	if (!lockdown && !selinux) {
		assert_null(said);
		return;
	}
	assert_non_null(said);
	assert_int_equal(strstr(said, "locked down") != NULL, lockdown != NULL);
	assert_int_equal(strstr(said, "SELinux") != NULL, selinux != NULL);
	if (lockdown)
		assert_non_null(strstr(said, lockdown));
	if (selinux)
		assert_non_null(strstr(said, selinux));
	free(said);
}

static void test_what_is_there_is_told_with_its_remedy(void **state)
{
	(void)state;
	expect(NULL, NULL);
	put("/sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
	put("/sys/fs/selinux/enforce", "0");
	expect(NULL, NULL);
	put("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
	expect(NULL, NULL);
	put("/sys/kernel/security/lockdown", "none integrity [confidentiality]\n");
	expect("lockdown=integrity", NULL);
	put("/sys/fs/selinux/enforce", "1");
	expect("lockdown=integrity", "ausearch");
	put("/sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
	expect(NULL, "setenforce 0");
}

static int make_root(void **state)
{
	(void)state;
	return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
	(void)state;
	return tree_remove(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_there_is_told_with_its_remedy),
	};

	return cmocka_run_group_tests_name("forbid", tests, make_root, remove_root);
}
