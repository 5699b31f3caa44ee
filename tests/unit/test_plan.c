/* SPDX-License-Identifier: GPL-2.0-only */
/* The recorder's pure parts: names of events, filters, whose a probe is; and the
 * go-pipe. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/err.h"
#include "record/plan.h"
#include "record/probes.h"
#include "record/workload.h"

static void event_names_are_identifiers(void **state)
{
	char name[48];

	(void)state;
	plan_event_name("dma_to_host", name);
	assert_string_equal(name, "dma_to_host");
	plan_event_name("FlxCard::dma_wait(unsigned int)", name);
	assert_string_equal(name, "FlxCard_dma_wait");
	plan_event_name("7up", name);
	assert_string_equal(name, "_7up");
	plan_event_name("a_name_that_is_longer_than_forty_characters_altogether", name);
	assert_int_equal(strlen(name), 40);
}

static void filters_join_ranges(void **state)
{
	static const int32_t irq[] = {3, 4, 7, 9, 10, 11};
	char *text = plan_irq_filter(irq, 6);

	(void)state;
	assert_string_equal(
		text, "irq == 3 || irq == 4 || irq == 7 || (irq >= 9 && irq <= 11)");
	free(text);
	text = plan_irq_filter(irq, 1);
	assert_string_equal(text, "irq == 3");
	free(text);
}

static void only_recorders_own_probes(void **state)
{
	const char *event;
	uint64_t space;
	size_t len;

	(void)state;
	assert_int_equal(probes_owner("p:dmarec_12/dma_wait /lib/x:0x10 a=%di", &space,
				      &event, &len),
			 12);
	assert_int_equal(len, strlen("dmarec_12/dma_wait"));
	assert_memory_equal(event, "dmarec_12/dma_wait", len);
	assert_int_equal(probes_owner("r:dmarec_9/f /x:0x0", &space, &event, &len), 9);
	assert_int_equal(probes_owner("p:probe_x/f /x:0x0", &space, &event, &len), 0);
	assert_int_equal(space, 0);
	assert_int_equal(
		probes_owner("p:dmarec_12_4026532200/f /x:0x0", &space, &event, &len),
		12);
	assert_int_equal(space, 4026532200);
	assert_int_equal(probes_owner("p:dmarec_/f /x:0x0", &space, &event, &len), 0);
	assert_int_equal(probes_owner("p:dmarec_9x/f /x:0x0", &space, &event, &len), 0);
	assert_int_equal(probes_owner("p:dmarec_99999999999/f", &space, &event, &len), 0);
	assert_int_equal(probes_owner("", &space, &event, &len), 0);
}

/* Runs argv to its end; what a shell would return. */
static int run(char **argv, int *exec_errno)
{
	struct workload w;
	struct err e = {0};
	sigset_t mask;
	int code;

	sigemptyset(&mask);
	assert_int_equal(workload_fork(&w, argv, &mask, NULL, NULL, &e), 0);
	assert_false(workload_poll(&w)); /* waits */
	workload_go(&w, argv[0], exec_errno, &e);
	while (!workload_poll(&w))
		poll(NULL, 0, 1);
	code = workload_exit_code(&w);
	workload_release(&w);
	return code;
}

static void status_is_handed_on(void **state)
{
	int why;

	(void)state;
	assert_int_equal(run((char *[]){"sh", "-c", "exit 7", NULL}, &why), 7);
	assert_int_equal(run((char *[]){"sh", "-c", "kill -9 $$", NULL}, &why), 137);
	assert_int_equal(why, 0);
}

static void command_that_cannot_run(void **state)
{
	int why;

	(void)state;
	assert_int_equal(run((char *[]){"/nowhere/at/all", NULL}, &why), 127);
	assert_int_equal(why, ENOENT);
	assert_int_equal(run((char *[]){"/", NULL}, &why), 126);
	assert_int_equal(why, EACCES);
}

static void abandoned_before_it_began(void **state)
{
	struct workload w;
	struct err e = {0};
	sigset_t mask;

	(void)state;
	sigemptyset(&mask);
	assert_int_equal(workload_fork(&w, (char *[]){"sleep", "100", NULL}, &mask, NULL,
				       NULL, &e),
			 0);
	workload_release(&w);
	assert_true(w.ended);
	assert_int_equal(WEXITSTATUS(w.status), 125);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(event_names_are_identifiers),
		cmocka_unit_test(filters_join_ranges),
		cmocka_unit_test(only_recorders_own_probes),
		cmocka_unit_test(status_is_handed_on),
		cmocka_unit_test(command_that_cannot_run),
		cmocka_unit_test(abandoned_before_it_began),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
