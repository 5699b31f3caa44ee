/* SPDX-License-Identifier: GPL-2.0-only */
/* record/host/machine: what perf's header says of the processor, from several kernels'
 * words. */
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

#include "record/host/machine.h"
#include "tests/unit/tree.h"

static char root[] = "/tmp/dma-machine-XXXXXX";

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

static void expect(char *got, const char *want)
{
	if (want)
		assert_string_equal(got, want);
	else
		assert_null(got);
	free(got);
}

static void test_x86(void **state)
{
	(void)state;
	put("/proc/cpuinfo",
	    "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\n"
	    "model\t\t: 167\nmodel name\t: Intel(R) Xeon(R) @ 2: x\n"
	    "stepping\t: 1\n\nprocessor\t: 1\nvendor_id\t: Other\n"
	    "model name\t: Other\n");
	expect(machine_cpu_name(root), "Intel(R) Xeon(R) @ 2: x");
	expect(machine_cpu_id(root), "GenuineIntel,6,167,1");
}

static void test_arm(void **state)
{
	(void)state;
	put("/proc/cpuinfo",
	    "processor\t: 0\nBogoMIPS\t: 50.00\nCPU implementer\t: 0x41\n");
	expect(machine_cpu_name(root), NULL);
	expect(machine_cpu_id(root), NULL);
	put("/sys/devices/system/cpu/cpu0/regs/identification/midr_el1",
	    "0x00000000410fd080\n");
	expect(machine_cpu_id(root), "0x00000000410fd080");
}

static void test_nothing(void **state)
{
	(void)state;
	expect(machine_cpu_name("/nonexistent"), NULL);
	expect(machine_cpu_id("/nonexistent"), NULL);
	put("/proc/cpuinfo", "model name");
	expect(machine_cpu_name(root), NULL);
}

static int begin_all(void **state)
{
	(void)state;
	return mkdtemp(root) ? 0 : -1;
}

static int end_all(void **state)
{
	(void)state;
	return tree_remove(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_x86),
		cmocka_unit_test(test_arm),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, begin_all, end_all);
}
