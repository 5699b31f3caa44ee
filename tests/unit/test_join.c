/* SPDX-License-Identifier: GPL-2.0-only */
/* The joiner on plain cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/err.h"
#include "lib/join/join.h"

struct out {
	struct transfer t[64];
	size_t n;
};

static int keep(void *arg, const struct transfer *t, struct err *e)
{
	struct out *o = arg;
	(void)e;
	if (o->n < 64)
		o->t[o->n++] = *t;
	return 0;
}

static void push(struct join *j, enum role r, int64_t at)
{
	static int64_t seq;
	struct sample s = {.time_ns = at,
			   .seq = ++seq,
			   .channel = 0,
			   .size_bytes = 4096,
			   .addr = 0,
			   .tid = r == ROLE_INTERRUPT ? -1 : 7,
			   .pid = 7,
			   .irq = r == ROLE_INTERRUPT ? 68 : -1,
			   .role = r};
	assert_int_equal(join_push(j, &s, NULL), 0);
}

static void run(const char *what, bool vector, struct out *o)
{
	static const struct join_vector v = {68, DMA_UNKNOWN, DMA_UNKNOWN};
	struct join_options opt = {.vector = &v, .nvector = vector};
	struct join_sink sink = {.arg = o, .transfer = keep};
	struct join_totals n;
	struct join *j;
	int64_t at = 0;

	memset(o, 0, sizeof(*o));
	assert_int_equal(join_new(&j, &opt, &sink, NULL), 0);
	for (; *what; what++) {
		static const enum role role[] = {ROLE_SUBMIT,	 ROLE_STARTED,
						 ROLE_INTERRUPT, ROLE_WAIT,
						 ROLE_WOKEN,	 ROLE_STOP};
		push(j, role[strcspn("sdiwW!", (char[]){*what, 0})], at += 1000);
	}
	assert_int_equal(join_finish(j, &n, NULL), 0);
	join_free(j);
}

static void test_states(void **state)
{
	static const struct {
		const char *what;
		bool vector;
		enum transfer_state first;
		size_t n;
	} c[] = {
		{"sdwiW", true, STATE_COMPLETE, 1},
		{"sdwW", false, STATE_POLLED, 1},
		{"sdwWsdwiW", true, STATE_NO_INTERRUPT, 2},
		{"sdwWisdwiW", true, STATE_LATE, 2},
		{"sdwWsdiwiW", true, STATE_UNKNOWN, 2},
		{"sd!sdwiW", true, STATE_ABORTED, 2},
		{"sdwsdwiW", true, STATE_FAILED, 2},
		{"sd", true, STATE_IN_FLIGHT, 1},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(c) / sizeof(*c); i++) {
		struct out o;
		run(c[i].what, c[i].vector, &o);
		if (o.n != c[i].n || o.t[0].state != c[i].first)
			fail_msg("%s: %zu transfers, first %s", c[i].what, o.n,
				 state_name(o.t[0].state));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_states)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
