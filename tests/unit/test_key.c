/* SPDX-License-Identifier: GPL-2.0-only */
/* Starts and ends that share a key: what the driver's word changes of a transfer, and where
 * it may mean something else and changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "lib/err.h"
#include "lib/key/key.h"

enum { TID = 7, OTHER = 8, IRQ = 33, KEY = 4096, MOST = 8 };

struct rig {
	struct keys *k;
	struct transfer out[MOST];
	size_t n;
	struct key_totals totals;
	int64_t seq;
};

static int on_transfer(void *arg, const struct transfer *t, struct err *e)
{
	struct rig *r = arg;

	(void)e;
	assert_true(r->n < MOST);
	r->out[r->n++] = *t;
	return 0;
}

static void begin(struct rig *r, bool asks, bool issues, bool holes)
{
	static const struct join_vector vector = {IRQ, DMA_UNKNOWN, DMA_UNKNOWN};
	const struct key_options o = {&vector, 1, asks, issues, holes};
	const struct join_sink sink = {.arg = r, .transfer = on_transfer};

	*r = (struct rig){0};
	assert_int_equal(keys_new(&r->k, &o, &sink, NULL), 0);
}

static void end(struct rig *r)
{
	assert_int_equal(keys_finish(r->k, &r->totals, NULL), 0);
	keys_free(r->k);
}

static struct sample at(struct rig *r, enum role role, int64_t time_ns, int32_t tid)
{
	struct sample s = sample_blank(role, time_ns);

	s.seq = r->seq++;
	s.tid = tid;
	s.cpu = 1;
	return s;
}

static int64_t push(struct rig *r, struct sample s)
{
	assert_int_equal(keys_push(r->k, &s, NULL), 0);
	return s.seq;
}

static int64_t call(struct rig *r, enum role role, int64_t time_ns)
{
	return push(r, at(r, role, time_ns, TID));
}

static void driver(struct rig *r, enum role role, int64_t time_ns, int32_t tid,
		   int64_t key, int64_t size)
{
	struct sample s = at(r, role, time_ns, tid);

	s.key = key;
	s.size_bytes = size;
	s.bits = SAMPLE_KEYED;
	push(r, s);
}

static int64_t interrupt(struct rig *r, int64_t time_ns, int32_t irq)
{
	struct sample s = at(r, ROLE_INTERRUPT, time_ns, 0);

	s.irq = irq;
	return push(r, s);
}

/* What the joiner said of it: the interrupt DMA_UNKNOWN = not certain. */
static void joined(struct rig *r, int64_t submit, int64_t irq_seq, int64_t woken_ns)
{
	bool known = irq_seq != DMA_UNKNOWN;
	struct transfer t = {.submit_seq = submit,
			     .submit_ns = 100,
			     .doorbell_ns = 110,
			     .size_bytes = 4096,
			     .irq = known ? IRQ : -1,
			     .irq_cpu = known ? 1 : -1,
			     .irq_ns = known ? 200 : DMA_UNKNOWN,
			     .irq_seq = irq_seq,
			     .irq_certain = known,
			     .woken_ns = woken_ns,
			     .reason = known ? NULL : "two readings",
			     .state = known ? STATE_COMPLETE : STATE_UNKNOWN};

	assert_int_equal(keys_transfer(r->k, &t, NULL), 0);
}

/* The usual course: asked and issued within the start, ended behind an interrupt. */
static int64_t usual(struct rig *r, int64_t *irq)
{
	int64_t submit = call(r, ROLE_SUBMIT, 100);

	driver(r, ROLE_ASKED, 105, TID, KEY, 4096);
	driver(r, ROLE_ISSUED, 120, TID, KEY, 4096);
	call(r, ROLE_STARTED, 130);
	*irq = interrupt(r, 200, IRQ);
	driver(r, ROLE_ENDED, 203, OTHER, KEY, 4096);
	return submit;
}

static void test_settles(void **state)
{
	struct rig r;
	int64_t irq, submit;

	(void)state;
	begin(&r, true, true, false);
	submit = usual(&r, &irq);
	joined(&r, submit, irq, 300);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.out[0].key, KEY_AGREES);
	assert_int_equal(r.out[0].irq_seq, irq);
	assert_int_equal(r.out[0].ended_ns, 203);
	assert_int_equal(r.out[0].doorbell_ns, 120);
	assert_int_equal(transfer_phase_ns(&r.out[0], PHASE_DEVICE), 83);
	assert_int_equal(transfer_phase_ns(&r.out[0], PHASE_NOTICE), 97);
	end(&r);
	assert_int_equal(r.totals.word[KEY_AGREES], 1);
}

static void test_uncertain_becomes_complete(void **state)
{
	struct rig r;
	int64_t irq, submit;

	(void)state;
	begin(&r, true, true, false);
	submit = usual(&r, &irq);
	joined(&r, submit, DMA_UNKNOWN, 300);
	assert_int_equal(r.out[0].key, KEY_ALONE);
	assert_int_equal(r.out[0].state, STATE_COMPLETE);
	assert_null(r.out[0].reason);
	assert_int_equal(r.out[0].irq, -1);
	assert_int_equal(transfer_phase_ns(&r.out[0], PHASE_DEVICE), 83);
	end(&r);
}

static void test_other_interrupt_is_taken_away(void **state)
{
	struct rig r;
	int64_t irq, submit;

	(void)state;
	begin(&r, true, true, false);
	submit = usual(&r, &irq);
	joined(&r, submit, irq + 100, 300);
	assert_int_equal(r.out[0].key, KEY_DIFFERS);
	assert_int_equal(r.out[0].irq_ns, DMA_UNKNOWN);
	assert_int_equal(r.out[0].ended_ns, 203);
	end(&r);
}

/* The joiner may be first: a program that polls sees the end before the driver does. */
static void test_joined_before_its_end(void **state)
{
	struct rig r;
	int64_t submit;

	(void)state;
	begin(&r, true, true, false);
	submit = call(&r, ROLE_SUBMIT, 100);
	driver(&r, ROLE_ASKED, 105, TID, KEY, 4096);
	driver(&r, ROLE_ISSUED, 120, TID, KEY, 4096);
	call(&r, ROLE_STARTED, 130);
	joined(&r, submit, DMA_UNKNOWN, 190);
	assert_int_equal(r.n, 0);
	driver(&r, ROLE_ENDED, 203, OTHER, KEY, 4096);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.out[0].state, STATE_LATE);
	end(&r);
}

static void test_handlers_own_interrupt(void **state)
{
	struct rig r;
	struct sample s;
	int64_t submit, irq;

	(void)state;
	begin(&r, false, false, false);
	s = at(&r, ROLE_SUBMIT, 100, TID);
	s.key = KEY;
	s.bits = SAMPLE_KEYED;
	submit = push(&r, s);
	call(&r, ROLE_STARTED, 130);
	irq = interrupt(&r, 200,
			IRQ + 1); /* not the one that was said to end transfers */
	s = at(&r, ROLE_ENDED, 203, OTHER);
	s.key = KEY;
	s.bits = SAMPLE_KEYED | SAMPLE_IN_HANDLER;
	push(&r, s);
	joined(&r, submit, DMA_UNKNOWN, 300);
	assert_int_equal(r.out[0].irq, IRQ + 1);
	assert_int_equal(r.out[0].irq_seq, irq);
	assert_int_equal(r.out[0].irq_ns, 200);
	assert_int_equal(r.out[0].doorbell_ns, 110); /* nothing is said of an issue */
	end(&r);
	assert_int_equal(r.totals.by_handler, 1);
}

/* Two starts in flight with one key: whose the ends are is not known. */
static void test_one_key_twice(void **state)
{
	struct rig r;
	int64_t first, second;

	(void)state;
	begin(&r, true, true, false);
	first = call(&r, ROLE_SUBMIT, 100);
	driver(&r, ROLE_ASKED, 105, TID, KEY, 4096);
	call(&r, ROLE_STARTED, 130);
	second = call(&r, ROLE_SUBMIT, 140);
	driver(&r, ROLE_ASKED, 145, TID, KEY, 4096);
	call(&r, ROLE_STARTED, 150);
	driver(&r, ROLE_ENDED, 203, OTHER, KEY, 4096);
	driver(&r, ROLE_ENDED, 204, OTHER, KEY, 4096);
	joined(&r, first, DMA_UNKNOWN, 300);
	joined(&r, second, DMA_UNKNOWN, 310);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(r.out[i].key, KEY_UNCLEAR);
		assert_int_equal(r.out[i].state, STATE_UNKNOWN);
	}
	end(&r);
}

static void test_foreign_with_the_key(void **state)
{
	struct rig r;
	int64_t irq, submit;

	(void)state;
	begin(&r, true, true, false);
	driver(&r, ROLE_ASKED, 50, OTHER, KEY,
	       4096); /* somebody else's, still in flight */
	submit = usual(&r, &irq);
	joined(&r, submit, irq, 300);
	assert_int_equal(r.out[0].key, KEY_UNCLEAR);
	assert_int_equal(r.out[0].irq_seq, irq); /* as it was joined */
	end(&r);
}

static void test_other_size(void **state)
{
	struct rig r;
	int64_t submit;

	(void)state;
	begin(&r, true, true, false);
	submit = call(&r, ROLE_SUBMIT, 100);
	driver(&r, ROLE_ASKED, 105, TID, KEY, 512); /* a page that was read just then */
	call(&r, ROLE_STARTED, 130);
	driver(&r, ROLE_ENDED, 203, OTHER, KEY, 512);
	joined(&r, submit, DMA_UNKNOWN, 300);
	assert_int_equal(r.out[0].key, KEY_UNCLEAR);
	end(&r);
}

static void test_merged(void **state)
{
	struct rig r;
	int64_t submit;

	(void)state;
	begin(&r, true, true, false);
	submit = call(&r, ROLE_SUBMIT, 100);
	driver(&r, ROLE_ASKED, 105, TID, KEY, 4096);
	driver(&r, ROLE_ISSUED, 120, TID, KEY, 8192); /* with another one's behind it */
	call(&r, ROLE_STARTED, 130);
	driver(&r, ROLE_ENDED, 203, OTHER, KEY, 8192);
	joined(&r, submit, DMA_UNKNOWN, 300);
	assert_int_equal(r.out[0].key, KEY_UNCLEAR);
	end(&r);
}

/* Two parts: from the first one's issue to the last one's end. */
static void test_parts(void **state)
{
	struct rig r;
	int64_t submit;

	(void)state;
	begin(&r, true, true, false);
	submit = call(&r, ROLE_SUBMIT, 100);
	driver(&r, ROLE_ASKED, 105, TID, KEY, 1024);
	driver(&r, ROLE_ASKED, 106, TID, KEY + 2, 3072);
	driver(&r, ROLE_ISSUED, 120, TID, KEY, 1024);
	call(&r, ROLE_STARTED, 130);
	driver(&r, ROLE_ISSUED, 140, OTHER, KEY + 2,
	       3072); /* by a thread of the kernel's */
	driver(&r, ROLE_ENDED, 203, OTHER, KEY, 1024);
	joined(&r, submit, DMA_UNKNOWN, 300);
	assert_int_equal(r.n, 0);
	driver(&r, ROLE_ENDED, 250, OTHER, KEY + 2, 3072);
	assert_int_equal(r.n, 1);
	assert_int_equal(transfer_phase_ns(&r.out[0], PHASE_DEVICE), 130);
	end(&r);
}

/* The card had no room: what is issued again began then. */
static void test_issued_again(void **state)
{
	struct rig r;
	int64_t submit;

	(void)state;
	begin(&r, true, true, false);
	submit = call(&r, ROLE_SUBMIT, 100);
	driver(&r, ROLE_ASKED, 105, TID, KEY, 4096);
	driver(&r, ROLE_ISSUED, 120, TID, KEY, 4096);
	call(&r, ROLE_STARTED, 130);
	driver(&r, ROLE_ISSUED, 160, OTHER, KEY, 4096);
	driver(&r, ROLE_ENDED, 203, OTHER, KEY, 4096);
	joined(&r, submit, DMA_UNKNOWN, 300);
	assert_int_equal(transfer_phase_ns(&r.out[0], PHASE_DEVICE), 43);
	end(&r);
}

static void test_no_end(void **state)
{
	struct rig r;
	int64_t submit;

	(void)state;
	begin(&r, true, true, false);
	submit = call(&r, ROLE_SUBMIT, 100);
	driver(&r, ROLE_ASKED, 105, TID, KEY, 4096);
	call(&r, ROLE_STARTED, 130);
	joined(&r, submit, DMA_UNKNOWN, 300);
	assert_int_equal(r.n, 0);
	end(&r);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.out[0].key, KEY_UNSEEN);
	assert_int_equal(r.out[0].state, STATE_UNKNOWN);
}

/* An end that may be the next user's of a key whose own end was lost. */
static void test_end_behind_woken_where_events_are_missing(void **state)
{
	struct rig r;
	int64_t irq, submit;

	(void)state;
	for (int holes = 0; holes < 2; holes++) {
		begin(&r, true, true, holes);
		submit = usual(&r, &irq);
		joined(&r, submit, DMA_UNKNOWN, 202);
		assert_int_equal(r.out[0].key, holes ? KEY_UNCLEAR : KEY_ALONE);
		end(&r);
	}
}

static void test_without_a_key(void **state)
{
	struct rig r;
	int64_t submit, irq;

	(void)state;
	begin(&r, true, true, false);
	submit = call(&r, ROLE_SUBMIT, 100);
	call(&r, ROLE_STARTED, 130);
	driver(&r, ROLE_ASKED, 135, TID, KEY, 4096); /* behind the start */
	irq = interrupt(&r, 200, IRQ);
	driver(&r, ROLE_ENDED, 203, OTHER, KEY, 4096);
	joined(&r, submit, irq, 300);
	assert_int_equal(r.out[0].key, KEY_UNSEEN);
	assert_int_equal(r.out[0].irq_seq, irq);
	assert_int_equal(transfer_phase_ns(&r.out[0], PHASE_DEVICE), DMA_UNKNOWN);
	end(&r);
	assert_int_equal(r.totals.foreign, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settles),
		cmocka_unit_test(test_uncertain_becomes_complete),
		cmocka_unit_test(test_other_interrupt_is_taken_away),
		cmocka_unit_test(test_joined_before_its_end),
		cmocka_unit_test(test_handlers_own_interrupt),
		cmocka_unit_test(test_one_key_twice),
		cmocka_unit_test(test_foreign_with_the_key),
		cmocka_unit_test(test_other_size),
		cmocka_unit_test(test_merged),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_issued_again),
		cmocka_unit_test(test_no_end),
		cmocka_unit_test(test_end_behind_woken_where_events_are_missing),
		cmocka_unit_test(test_without_a_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
