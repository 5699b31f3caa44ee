/* SPDX-License-Identifier: GPL-2.0-only */
/* Time within waits, polls for nothing, and starts of one card that overlap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyze/audit.h"

static struct audit *a;

static int setup(void **state)
{
	(void)state;
	a = audit_new();
	return a ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	audit_free(a);
	return 0;
}

static void see(enum role role, int64_t time_ns, int32_t tid, int64_t card, uint16_t bits)
{
	struct sample s = sample_blank(role, time_ns);

	s.tid = tid;
	s.card = card;
	s.bits = bits;
	assert_int_equal(audit_push(a, &s), 0);
}

static void test_waits(void **state)
{
	struct audit_totals t;

	(void)state;
	see(ROLE_WOKEN, 5, 1, 0, 0); /* its entry was before the recording */
	see(ROLE_WAIT, 10, 1, 0, 0);
	see(ROLE_WAIT, 12, 2, 0, 0);
	see(ROLE_WOKEN, 15, 1, 0, SAMPLE_PENDING);
	see(ROLE_WAIT, 20, 1, 0, 0);
	see(ROLE_WOKEN, 32, 2, 0, 0);
	see(ROLE_WOKEN, 40, 1, 0, 0);
	see(ROLE_WAIT, 50, 1, 0, 0); /* never back */
	t = audit_result(a);
	assert_int_equal(t.waits, 3);
	assert_int_equal(t.in_wait_ns, 5 + 20 + 20);
	assert_int_equal(t.pending, 1);
	assert_int_equal(t.pending_ns, 5);
}

static void test_starts(void **state)
{
	(void)state;
	see(ROLE_SUBMIT, 10, 1, 0, 0);
	see(ROLE_SUBMIT, 11, 2, 1, 0); /* another card */
	see(ROLE_DOORBELL, 12, 2, 1, 0);
	see(ROLE_SUBMIT, 13, 3, 0, 0); /* within the first */
	see(ROLE_DOORBELL, 14, 1, 0, 0);
	see(ROLE_DOORBELL, 15, 3, 0, 0);
	see(ROLE_SUBMIT, 16, 2, 0, 0); /* behind both stores, before their exits */
	see(ROLE_STARTED, 17, 1, 0, 0);
	see(ROLE_STARTED, 18, 3, 0, 0);
	see(ROLE_STARTED, 19, 2, 0, 0);
	see(ROLE_SUBMIT, 20, 2, 0, 0); /* its own thread again */
	see(ROLE_SUBMIT, 21, 2, 0, 0);
	assert_int_equal(audit_result(a).starts, 6);
	assert_int_equal(audit_result(a).overlapping, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_starts, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
