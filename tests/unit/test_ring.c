/* SPDX-License-Identifier: GPL-2.0-only */
/* The rings of a recording where nothing is asked for: 256 MiB in all, whatever the machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "record/session.h"

enum { MOST_CPUS = 1024, MOST_LISTS = 3 };
#define IN_ALL	  (256u << 20)
#define ONE_MOST  (16u << 20)
#define ONE_LEAST (64u << 10)

static void every_number_of_cpus(void **state)
{
	(void)state;
	for (size_t lists = 1; lists <= MOST_LISTS; lists++)
		for (size_t cpus = 1; cpus <= MOST_CPUS; cpus++) {
			size_t ring = session_default_ring(cpus, lists);

			assert_true(ring * cpus * lists <= IN_ALL);
			assert_int_equal(ring & (ring - 1), 0); /* what the kernel maps */
			assert_true(ring >= ONE_LEAST && ring <= ONE_MOST);
			/* as much as there is room for */
			assert_true(ring == ONE_MOST || 2 * ring * cpus * lists > IN_ALL);
		}
}

static void known_machines(void **state)
{
	(void)state;
	assert_int_equal(session_default_ring(2, 2), 16 << 20);
	assert_int_equal(session_default_ring(64, 1), 4 << 20);
	assert_int_equal(session_default_ring(64, 2), 2 << 20);
	assert_int_equal(session_default_ring(64, 3), 1 << 20);
	/* the least that is of use: more of them than the kernel has CPUs for */
	assert_int_equal(session_default_ring(8192, 2), 64 << 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_number_of_cpus),
		cmocka_unit_test(known_machines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
