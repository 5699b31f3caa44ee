/* SPDX-License-Identifier: GPL-2.0-only */
/* The joiner on plain cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/err.h"
#include "lib/join/join.h"

enum { MOST = 256 };

struct out {
	struct transfer t[MOST];
	size_t n;
};

static int keep(void *arg, const struct transfer *t, struct err *e)
{
	struct out *o = arg;
	(void)e;
	if (o->n < MOST)
		o->t[o->n++] = *t;
	return 0;
}

static void push_of(struct join *j, enum role r, int64_t at, int pid, int64_t card)
{
	static int64_t seq;
	struct sample s = {.time_ns = at,
			   .seq = ++seq,
			   .card = card,
			   .channel = 0,
			   .size_bytes = 4096,
			   .addr = 0,
			   .tid = r == ROLE_INTERRUPT ? -1 : pid,
			   .pid = pid,
			   .irq = r == ROLE_INTERRUPT ? 68 : -1,
			   .role = r};
	assert_int_equal(join_push(j, &s, NULL), 0);
}

static void push(struct join *j, enum role r, int64_t at)
{
	push_of(j, r, at, 7, 0);
}

static void run(const char *what, bool vector, bool whole, struct out *o)
{
	static const struct join_vector v = {68, DMA_UNKNOWN, DMA_UNKNOWN};
	struct join_options opt = {.vector = &v, .nvector = vector, .whole = whole};
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
		at += 1000;
		if (*what != '.')
			push(j, role[strcspn("sdiwW!", (char[]){*what, 0})], at);
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
		{"sdwWsdiwiW", false, STATE_POLLED, 2},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(c) / sizeof(*c); i++) {
		struct out o;
		run(c[i].what, c[i].vector, true, &o);
		if (o.n != c[i].n || o.t[0].state != c[i].first)
			fail_msg("%s: %zu transfers, first %s", c[i].what, o.n,
				 state_name(o.t[0].state));
	}
}

/* Two processes, each one at a time on channel 0, from the 20th on the one's within the
 * other's. */
static void run_two(int64_t card, struct out *o)
{
	static const enum role role[] = {ROLE_SUBMIT, ROLE_STARTED, ROLE_WAIT,
					 ROLE_WOKEN};
	struct join_options opt = {.whole = true};
	struct join_sink sink = {.arg = o, .transfer = keep};
	struct join_totals n;
	struct join *j;
	int64_t at = 0;

	memset(o, 0, sizeof(*o));
	assert_int_equal(join_new(&j, &opt, &sink, NULL), 0);
	for (int i = 0; i < 40; i++)
		for (size_t k = 0; k < 4; k++) {
			for (size_t m = 0; m < 4 && i >= 20 && k == 2; m++)
				push_of(j, role[m], at += 1000, 9, card);
			push_of(j, role[k], at += 1000, 7, card);
		}
	assert_int_equal(join_finish(j, &n, NULL), 0);
	join_free(j);
}

/* Where no card is known, that of another process may be another. */
static void test_processes(void **state)
{
	static struct out o;
	size_t unknown = 0;

	(void)state;
	run_two(DMA_UNKNOWN, &o);
	assert_int_equal(o.n, 60);
	for (size_t i = 0; i < o.n; i++)
		assert_int_equal(o.t[i].state, i < 20 ? STATE_POLLED : STATE_UNKNOWN);
	/* On one card the starts of the one undo those of the other, or stand in a queue. */
	run_two(0, &o);
	assert_int_equal(o.n, 60);
	for (size_t i = 0; i < o.n; i++)
		unknown += o.t[i].state == STATE_UNKNOWN;
	assert_int_equal(unknown, 0);
}

/* Where something may be missing, half a call is no proof of anything. */
static void test_halves(void **state)
{
	static const struct {
		const char *what;
		enum transfer_state first, second;
	} c[] = {
		{"sdwsdwW", STATE_UNKNOWN, STATE_POLLED},      /* a lost return */
		{"sdWsdwW", STATE_UNKNOWN, STATE_POLLED},      /* a lost wait */
		{"sdwWdwWsdwW", STATE_POLLED, STATE_POLLED},   /* a lost start */
		{"sdsdwWWsdwW", STATE_UNKNOWN, STATE_UNKNOWN}, /* of a queue */
	};
	static const char plain[] = "sdwWsdwWsdwWsdwWsdwWsdwWsdwWsdwWsdwW";

	(void)state;
	for (size_t i = 0; i < sizeof(c) / sizeof(*c); i++) {
		struct out o;
		char what[128];
		snprintf(what, sizeof(what), "%s%s", plain, c[i].what);
		run(what, false, false, &o);
		if (o.t[9].state != c[i].first || o.t[10].state != c[i].second)
			fail_msg("%s: %s, %s", c[i].what, state_name(o.t[9].state),
				 state_name(o.t[10].state));
	}
}

/* Which of the interrupts in the second transfer is its own, and whether the other is the
 * first one's, is not known; when each ended is, as long as one wait can only be for one. */
static void test_known_ends(void **state)
{
	struct out o;

	(void)state;
	run("sdwWsdiwiW", true, true, &o);
	for (size_t i = 0; i < 2; i++) {
		const struct transfer *t = &o.t[i];

		assert_int_equal(t->state, STATE_UNKNOWN);
		assert_int_equal(transfer_phase_ns(t, PHASE_API),
				 t->doorbell_ns - t->submit_ns);
		assert_int_equal(transfer_phase_ns(t, PHASE_TOTAL),
				 t->woken_ns - t->submit_ns);
		assert_int_equal(transfer_phase_ns(t, PHASE_DEVICE), DMA_UNKNOWN);
		assert_int_equal(transfer_phase_ns(t, PHASE_NOTICE), DMA_UNKNOWN);
	}
	run("sdsdwWwWsdwWsdiwiW", true, true, &o); /* once two were in flight */
	size_t unknown = 0;
	for (size_t i = 0; i < o.n; i++) {
		if (o.t[i].state != STATE_UNKNOWN)
			continue;
		unknown++;
		assert_int_equal(transfer_phase_ns(&o.t[i], PHASE_TOTAL), DMA_UNKNOWN);
	}
	assert_true(unknown > 0);
}

/* Three starts, and one wait that lasts until all have ended, as regularly as a queue's:
 * interrupts behind it are late, and show no queue, whose program would be further behind
 * with every wait. */
static void test_wait_for_all(void **state)
{
	enum { WAVES = 70, SLACK = 6 };
	static const char pause[] = "......";
	char what[WAVES * 20] = "";
	struct out o;

	(void)state;
	for (int i = 0; i < WAVES; i++) {
		int k = i * 5 % (SLACK + 1);
		size_t at = strlen(what);

		snprintf(what + at, sizeof(what) - at, "sdsd%.*ssdw%.*siiWi", SLACK - k,
			 pause, k, pause);
	}
	run(what, true, true, &o);
	assert_int_equal(o.n, 3 * WAVES);
	for (size_t i = 0; i < o.n; i++)
		if (o.t[i].state != STATE_UNKNOWN)
			assert_int_equal(o.t[i].woken_ns, o.t[i / 3 * 3 + 2].woken_ns);
}

struct words {
	size_t lost, late;
};

static void count_word(struct words *w, const char *reason)
{
	w->lost += reason && strstr(reason, "lost");
	w->late += reason && strstr(reason, "too late to be put in order");
}

static int transfer_word(void *arg, const struct transfer *t, struct err *e)
{
	(void)e;
	count_word(arg, t->reason);
	return 0;
}

static int stray_word(void *arg, const struct stray *s, struct err *e)
{
	(void)e;
	count_word(arg, s->reason);
	return 0;
}

/* Two in flight in turn, 40 us each, for 6 ms; an interrupt comes out 2 ms late, where 1 ms
 * is allowed for, or samples of the same time are lost. */
static struct words reasons(bool late, bool loss)
{
	static const struct join_vector v = {68, DMA_UNKNOWN, DMA_UNKNOWN};
	static const char cycle[] = "sdsdwiWwiW";
	struct join_options opt = {.vector = &v, .nvector = 1, .whole = true};
	struct words w = {0};
	struct join_sink sink = {
		.arg = &w, .transfer = transfer_word, .stray = stray_word};
	struct join_totals n;
	struct join *j;

	assert_int_equal(join_new(&j, &opt, &sink, NULL), 0);
	if (loss)
		assert_int_equal(join_loss(j, 0, 1001000, 2001000, NULL), 0);
	for (int64_t at = 1000; at < 6000000; at += 4000) {
		static const enum role role[] = {ROLE_SUBMIT, ROLE_STARTED,
						 ROLE_INTERRUPT, ROLE_WAIT, ROLE_WOKEN};
		char what = cycle[at / 4000 % (int64_t)(sizeof(cycle) - 1)];

		push(j, role[strcspn("sdiwW", (char[]){what, 0})], at);
		if (late && at == 3001000)
			push(j, ROLE_INTERRUPT, at - 2000000);
	}
	assert_int_equal(join_finish(j, &n, NULL), 0);
	assert_int_equal(n.disordered, late);
	join_free(j);
	return w;
}

/* "Lost" is said only where something was. */
static void test_late_is_not_lost(void **state)
{
	(void)state;
	struct words w = reasons(false, false);
	assert_int_equal(w.lost + w.late, 0);
	w = reasons(true, false);
	assert_int_equal(w.lost, 0);
	assert_true(w.late > 0);
	w = reasons(false, true);
	assert_true(w.lost > 0);
	assert_int_equal(w.late, 0);
	w = reasons(true, true);
	assert_true(w.lost > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_states),
					   cmocka_unit_test(test_known_ends),
					   cmocka_unit_test(test_wait_for_all),
					   cmocka_unit_test(test_processes),
					   cmocka_unit_test(test_halves),
					   cmocka_unit_test(test_late_is_not_lost)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
