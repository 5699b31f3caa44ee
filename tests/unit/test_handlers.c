/* SPDX-License-Identifier: GPL-2.0-only */
/* lib/event/handlers, and what the analysis makes of a line with several handlers: as many
 * interrupts of each as there were, and the card's end its transfers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyze/analysis.h"
#include "analyze/load.h"
#include "analyze/seen.h"
#include "analyze/stream.h"
#include "lib/db/db.h"
#include "lib/err.h"
#include "lib/event/handlers.h"
#include "lib/vector/vector.h"
#include "tests/unit/rawfile.h"

enum { ENTRY, EXIT, START, STARTED, WAIT, WOKEN, NEVENT, N = 120 };

static const struct raw_event events[NEVENT] = {
	[ENTRY] = {"irq:irq_handler_entry", "s32 irq,t32 name", true},
	[EXIT] = {"irq:irq_handler_exit", "s32 irq,s32 ret", true},
	[START] = {"probe_l:dma_to_host", "u32 channel,u64 size", false},
	[STARTED] = {"probe_l:dma_to_host__return", "s32 ret", false},
	[WAIT] = {"probe_l:dma_wait", "u32 channel", false},
	[WOKEN] = {"probe_l:dma_wait__return", "s32 ret", false},
};

/* A line and its handlers, in the order in which the kernel calls them. */
struct line {
	int irq;
	const char *handler[3];
	int n, card; /* which of them is the card's */
	bool no_exits;
	int others; /* interrupts of the others' in a transfer's time */
	bool named; /* the user says that the line ends transfers */
};

struct rig {
	char path[96], raw[64];
	struct rawfile *f;
	struct db *db;
	int64_t run;
	int64_t irq[1]; /* that the user names */
	size_t nirq;
};

static void check(int rc, const struct err *e)
{
	if (rc)
		fail_msg("%s", e->text);
}

/* One interrupt: every handler is called, one says that it was its own. */
static void fire(struct rig *r, const struct line *l, int64_t at, int cpu, int whose)
{
	for (int i = 0; i < l->n; i++) {
		rawfile_sample(r->f, ENTRY, at + 700 * i, cpu, 0,
			       (int64_t[]){l->irq, (intptr_t)l->handler[i]});
		if (!l->no_exits)
			rawfile_sample(r->f, EXIT, at + 700 * i + 500, cpu, 0,
				       (int64_t[]){l->irq, i == whose});
	}
}

static void transfer(struct rig *r, const struct line *l, int k)
{
	int64_t at = 1000000 + k * INT64_C(200000), size = 4096 * (1 + k * 7 % 8);
	int64_t took = 20000 + size + 37 * (k % 10);

	rawfile_sample(r->f, START, at, 0, 100, (int64_t[]){3, size});
	rawfile_sample(r->f, STARTED, at + 2000, 0, 100, (int64_t[]){0});
	rawfile_sample(r->f, WAIT, at + 3000, 0, 100, (int64_t[]){3});
	for (int i = 0; i < l->others; i++)
		fire(r, l, at + 4000 + 5000 * i + 13 * k, 1, (l->card + 1) % l->n);
	fire(r, l, at + took, 1, l->card);
	rawfile_sample(r->f, WOKEN, at + took + 6000, 0, 100, (int64_t[]){0});
	for (int i = 0; i < l->others; i++)
		fire(r, l, at + 80000 + 9000 * i + 17 * k, 1, (l->card + 1) % l->n);
}

static void analyse(struct rig *r)
{
	struct analysis_options o = {
		.irq = r->irq, .nirq = r->nirq, .pairing = -1, .quiet = true};
	struct seen seen;
	struct load_result got;
	struct err e = {0};
	struct stream *s;

	check(stream_open_raw(&s, r->raw, NULL, &e), &e);
	check(seen_init(&seen, &e), &e);
	check(db_begin(r->db, &e), &e);
	check(load_recording(r->db, s, r->raw, NULL, &seen, true, &got, &e), &e);
	check(analysis_run(r->db, got.run, s, &seen, &o, &e), &e);
	check(db_commit(r->db, &e), &e);
	r->run = got.run;
	seen_release(&seen);
	stream_close(s);
}

/* The same from the rows. */
static void again(struct rig *r)
{
	struct analysis_options o = {
		.irq = r->irq, .nirq = r->nirq, .pairing = -1, .quiet = true};
	struct err e = {0};
	struct stream *s;

	check(db_begin(r->db, &e), &e);
	check(stream_open_run(&s, r->db, r->run, &e), &e);
	check(analysis_run(r->db, r->run, s, NULL, &o, &e), &e);
	stream_close(s);
	check(db_commit(r->db, &e), &e);
}

static void begin(struct rig *r, const struct line *l)
{
	struct err e = {0};

	*r = (struct rig){.f = rawfile_new(events, NEVENT, NULL),
			  .irq = {l->irq},
			  .nirq = l->named};
	snprintf(r->raw, sizeof(r->raw), "%s", rawfile_path(r->f));
	snprintf(r->path, sizeof(r->path), "%s.db", r->raw);
	for (int k = 0; k < N; k++) {
		transfer(r, l, k);
		if (k % 10 == 9)
			rawfile_round(r->f);
	}
	rawfile_finish_file(r->f, NULL, true);
	free(r->f);
	check(db_open(&r->db, r->path, DB_CREATE, &e), &e);
	analyse(r);
}

static void release(struct rig *r)
{
	db_close(r->db);
	unlink(r->path);
	unlink(r->raw);
}

static int64_t number(struct rig *r, const char *sql)
{
	struct err e = {0};
	struct db_stmt *s;
	char named[1024];
	int64_t v;

	snprintf(named, sizeof(named), "WITH one(value) AS (%s) SELECT value FROM one",
		 sql);
	check(db_prepare(r->db, &s, named, &e), &e);
	if (db_step(s, &e) != 1)
		fail_msg("%s: no row %s", sql, e.text);
	v = db_i64(s, "value");
	check(db_finalize(s, 0, &e), &e);
	return v;
}

/* Every transfer ended by the card's own interrupt, which came as often as there were. */
static void expect(struct rig *r, const struct line *l)
{
	int32_t irq = l->irq + l->card * HANDLER_STRIDE;
	char sql[400];

	assert_int_equal(
		number(r, "SELECT count(*) FROM transfer WHERE state = 'complete'"), N);
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM transfer WHERE irq <> %d", irq);
	assert_int_equal(number(r, sql), 0);
	/* the very one: it came 6 us before the wait returned */
	snprintf(sql, sizeof(sql),
		 "SELECT count(*) FROM transfer WHERE woken_ns - irq_ns <> %d",
		 6000 - 700 * l->card);
	assert_int_equal(number(r, sql), 0);
	snprintf(sql, sizeof(sql),
		 "SELECT interrupts FROM vector WHERE irq = %d AND card IS NULL AND "
		 "channel IS NULL",
		 irq);
	assert_int_equal(number(r, sql), N);
	snprintf(sql, sizeof(sql), "SELECT name = '%s' FROM irq WHERE irq = %d",
		 l->handler[l->card], irq);
	assert_int_equal(number(r, sql), 1);
	/* the facts are all there */
	assert_int_equal(number(r, "SELECT count(*) FROM sample WHERE irq IS NOT NULL"),
			 2 * N * l->n * (1 + 2 * l->others));
}

static void judge(const struct line *l)
{
	struct rig r;

	begin(&r, l);
	expect(&r, l);
	again(&r);
	expect(&r, l);
	release(&r);
}

static void the_card_is_called_first(void **state)
{
	(void)state;
	judge(&(struct line){.irq = 11,
			     .handler = {"edu", "virtio2"},
			     .n = 2,
			     .card = 0,
			     .others = 3});
}

static void the_card_is_called_last(void **state)
{
	(void)state;
	judge(&(struct line){.irq = 23,
			     .handler = {"ehci_hcd:usb1", "i801_smbus", "flx card, 2"},
			     .n = 3,
			     .card = 2,
			     .others = 2});
}

static void the_other_one_is_silent(void **state)
{
	(void)state;
	judge(&(struct line){
		.irq = 4095, .handler = {"uhci", "xdma"}, .n = 2, .card = 1});
}

/* Who names a line means the handler that ends transfers, wherever it stands. */
static void a_line_that_is_named_is_its_card(void **state)
{
	(void)state;
	judge(&(struct line){.irq = 21,
			     .handler = {"snd_hda", "pic0", "nouveau"},
			     .n = 3,
			     .card = 1,
			     .others = 2,
			     .named = true});
	judge(&(struct line){.irq = 18,
			     .handler = {"card", "uhci_hcd:usb5"},
			     .n = 2,
			     .card = 0,
			     .others = 3,
			     .named = true});
	judge(&(struct line){
		.irq = 7, .handler = {"a", "b"}, .n = 2, .card = 1, .named = true});
}

/* ... and who names the other handler's own number, that one: no transfer ends by the card. */
static void a_handler_that_is_named_is_itself(void **state)
{
	const struct line l = {
		.irq = 23, .handler = {"card", "ehci"}, .n = 2, .card = 0, .others = 3};
	struct rig r;

	(void)state;
	begin(&r, &l);
	r.irq[0] = l.irq + HANDLER_STRIDE;
	r.nirq = 1;
	again(&r);
	assert_int_equal(number(&r, "SELECT count(*) FROM transfer WHERE irq = 23"), 0);
	release(&r);
}

/* Our handler alone on the line, and interrupts that it says are not its own. */
static void strangers_on_a_line_of_ones_own(void **state)
{
	const struct line own = {.irq = 16, .handler = {"pic"}, .n = 1};
	struct rig r = {.f = rawfile_new(events, NEVENT, NULL)};
	struct err e = {0};

	(void)state;
	snprintf(r.raw, sizeof(r.raw), "%s", rawfile_path(r.f));
	snprintf(r.path, sizeof(r.path), "%s.db", r.raw);
	for (int k = 0; k < N; k++) {
		transfer(&r, &own, k);
		fire(&r, &own, 1000000 + k * INT64_C(200000) + 90000 + k, 1, -1);
	}
	rawfile_finish_file(r.f, NULL, true);
	free(r.f);
	check(db_open(&r.db, r.path, DB_CREATE, &e), &e);
	analyse(&r);
	assert_int_equal(number(&r,
				"SELECT count(*) FROM transfer WHERE state = 'complete' "
				"AND woken_ns - irq_ns = 6000"),
			 N);
	assert_int_equal(number(&r, "SELECT interrupts_stray FROM analysis"), 0);
	release(&r);
}

/* Only entries are recorded: names still tell the handlers apart. */
static void without_exits_names_tell_them_apart(void **state)
{
	const struct line l = {.irq = 9,
			       .handler = {"acpi", "card"},
			       .n = 2,
			       .card = 1,
			       .no_exits = true};
	struct rig r;

	(void)state;
	begin(&r, &l);
	assert_int_equal(number(&r, "SELECT count(*) FROM irq WHERE irq IN (9, 1000009)"),
			 2);
	assert_int_equal(number(&r, "SELECT count(*) FROM sample WHERE irq = 9"), N);
	assert_int_equal(number(&r, "SELECT count(*) FROM sample WHERE irq = 1000009"),
			 N);
	assert_int_equal(number(&r, "SELECT count(*) FROM transfer WHERE coalesced > 1"),
			 0);
	release(&r);
}

/* ---- two cards of one driver, whose transfers overlap ---- */

static void two_cards_meta(struct meta *m, const char *list)
{
	static const enum role role[NEVENT] = {ROLE_INTERRUPT, ROLE_HANDLED, ROLE_SUBMIT,
					       ROLE_STARTED,   ROLE_WAIT,    ROLE_WOKEN};
	struct meta_irq *q;

	meta_init(m);
	m->version = 1;
	m->uuid = strdup("two");
	for (int i = 0; i < NEVENT; i++) {
		struct meta_event *ev = meta_add_event(m);

		ev->attr = i;
		ev->name = strdup(events[i].name);
		ev->role = role[i];
		ev->func = i < START ? -1 : i >= WAIT;
		ev->direction = i == START ? DIR_TO_HOST : DIR_UNKNOWN;
	}
	q = meta_add_irq(m);
	q->irq = 17;
	q->name = strdup(list);
	q->recorded = true;
}

struct moment {
	int64_t ns;
	int event, card, k;
};

static int by_time(const void *a, const void *b)
{
	const struct moment *x = a, *y = b;

	return x->ns < y->ns ? -1 : x->ns > y->ns;
}

/* Of each card a thread; they begin apart by a third of their period. Every fifth interrupt of a
 * card is held up until its program, which polls, has seen the end: in the other's transfer. */
static void two_cards(struct rig *r, const struct line *l, const struct meta *m)
{
	static const int64_t length = 70000, period = 100000;
	struct moment *all = calloc(2 * N * 5, sizeof(*all));
	size_t n = 0;

	r->f = rawfile_new(events, NEVENT, m);
	for (int k = 0; k < N; k++)
		for (int c = 0; c < 2; c++) {
			int64_t at =
				1000000 + k * period + c * period / 3 + 41 * (k % 13);
			int64_t end = at + length + 97 * (k % 7);

			all[n++] = (struct moment){at, START, c, k};
			all[n++] = (struct moment){at + 900, STARTED, c, k};
			all[n++] = (struct moment){at + 1500, WAIT, c, k};
			all[n++] = (struct moment){end, WOKEN, c, k};
			all[n++] = (struct moment){end + (k % 5 == 2 ? 9000 : -4000),
						   ENTRY, c, k};
		}
	qsort(all, n, sizeof(*all), by_time);
	for (size_t i = 0; i < n; i++) {
		const struct moment *x = &all[i];

		if (x->event == ENTRY)
			fire(r, l, x->ns, 1, l->card + x->card);
		else
			rawfile_sample(
				r->f, (size_t)x->event, x->ns, 0, 100 + x->card,
				x->event == START
					? (int64_t[]){x->card, 4096}
					: (int64_t[]){x->event == WAIT ? x->card : 0});
	}
	free(all);
	snprintf(r->raw, sizeof(r->raw), "%s", rawfile_path(r->f));
	snprintf(r->path, sizeof(r->path), "%s.db", r->raw);
	rawfile_finish_file(r->f, m, true);
	free(r->f);
}

static void each_card_has_its_own_handler(void **state)
{
	const struct line l = {
		.irq = 17, .handler = {"usb", "card", "card"}, .n = 3, .card = 1};
	struct err e = {0};
	struct meta m;

	(void)state;
	for (int named = 0; named < 2; named++) {
		struct rig r = {.irq = {17}, .nirq = (size_t)named};

		two_cards_meta(&m, "usb, card, card");
		two_cards(&r, &l, &m);
		check(db_open(&r.db, r.path, DB_CREATE, &e), &e);
		analyse(&r);
		for (int twice = 0; twice < 2; twice++) {
			assert_int_equal(
				number(&r,
				       "SELECT count(*) FROM transfer WHERE state = 'complete' AND "
				       "woken_ns - irq_ns = 4000 - 700 * (channel + 1)"),
				2 * (N - N / 5));
			assert_int_equal(
				number(&r,
				       "SELECT count(*) FROM transfer WHERE state = 'late' AND "
				       "irq_ns - woken_ns = 9000 + 700 * (channel + 1)"),
				2 * (N / 5));
			assert_int_equal(
				number(&r,
				       "SELECT count(*) FROM transfer WHERE irq <> 17 + 1000000 * (channel + 1)"),
				0);
			again(&r);
		}
		release(&r);
		meta_release(&m);
	}
}

static struct sample entry(int64_t t, int cpu, int irq)
{
	struct sample s = sample_blank(ROLE_INTERRUPT, t);

	s.cpu = cpu;
	s.irq = irq;
	return s;
}

static void an_exit_that_is_lost_holds_nothing_up(void **state)
{
	struct handlers *of = handlers_new();
	struct sample s = entry(1000, 2, 5), out;
	struct handled *h;
	struct meta m;
	struct err e = {0};

	(void)state;
	meta_init(&m);
	assert_int_equal(handled_new(&h, of, &m, &e), 0);
	assert_int_equal(handled_push(h, &s, &e), 0);
	assert_int_equal(HANDLED_NONE, handled_pop(h, false, &out));
	s = entry(2000, 2, 6); /* of the same CPU: the one before has ended */
	assert_int_equal(handled_push(h, &s, &e), 0);
	s = sample_blank(ROLE_HANDLED, 2500);
	s.cpu = 2;
	s.irq = 6;
	s.ret = 0;
	assert_int_equal(handled_push(h, &s, &e), 0);
	assert_int_equal(HANDLED_NONE, handled_pop(h, false, &out));
	s = sample_blank(ROLE_WAIT, INT64_C(1000000000));
	assert_int_equal(handled_push(h, &s, &e), 0);
	assert_int_equal(HANDLED_SAMPLE, handled_pop(h, false, &out));
	assert_false(sample_is_foreign(&out));
	assert_int_equal(HANDLED_SAMPLE, handled_pop(h, false, &out));
	assert_true(sample_is_foreign(&out));
	assert_int_equal(HANDLED_SAMPLE, handled_pop(h, false, &out));
	assert_int_equal(HANDLED_SAMPLE, handled_pop(h, false, &out));
	assert_int_equal(out.role, ROLE_WAIT);
	assert_int_equal(HANDLED_NONE, handled_pop(h, true, &out));
	handled_free(h);
	handlers_free(of);
}

static void names_have_numbers_of_their_own(void **state)
{
	struct handlers *h = handlers_new();
	const struct event_handler *list;

	(void)state;
	assert_int_equal(handlers_entry(h, 0, 11, "a", 1), 11);
	assert_int_equal(handlers_entry(h, 1, 11, "b", 1), 1000011);
	assert_int_equal(handlers_exit(h, 1, 11), 1000011);
	assert_int_equal(handlers_exit(h, 0, 11), 11);
	assert_int_equal(handlers_exit(h, 7, 11), 11);
	assert_int_equal(handlers_entry(h, 0, 12, "b", 1), 12);
	assert_int_equal(handlers_entry(h, 0, 11, "b", 1), 1000011);
	assert_int_equal(handlers_entry(h, 0, 11, "", 0), 11); /* not told */
	assert_int_equal(handlers_entry(h, 0, 5000000, "a", 1), 5000000);
	assert_int_equal(handlers_entry(h, 0, 5000000, "b", 1), 5000000);
	assert_int_equal(handlers_list(h, &list), 4);
	handlers_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_have_numbers_of_their_own),
		cmocka_unit_test(an_exit_that_is_lost_holds_nothing_up),
		cmocka_unit_test(the_card_is_called_first),
		cmocka_unit_test(the_card_is_called_last),
		cmocka_unit_test(the_other_one_is_silent),
		cmocka_unit_test(a_line_that_is_named_is_its_card),
		cmocka_unit_test(a_handler_that_is_named_is_itself),
		cmocka_unit_test(strangers_on_a_line_of_ones_own),
		cmocka_unit_test(without_exits_names_tell_them_apart),
		cmocka_unit_test(each_card_has_its_own_handler),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
