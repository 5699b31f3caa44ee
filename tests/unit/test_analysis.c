/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a recording to the tables: 100 transfers whose every figure is known, and what
 * becomes of them when something is missing. What is built from the rows of `sample` must
 * equal what was built from the file.
 */
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
#include "analyze/summary.h"
#include "lib/db/db.h"
#include "lib/err.h"
#include "lib/vector/vector.h"
#include "tests/unit/rawfile.h"

enum { IRQ, START, STARTED, WAIT, WOKEN, NEVENT, N = 100, FEW = 20, MANY = 40 };

static const struct raw_event events[NEVENT] = {
	[IRQ] = {"irq:irq_handler_entry", "s32 irq", true},
	[START] = {"probe_l:dma_to_host", "u32 channel,u64 size", false},
	[STARTED] = {"probe_l:dma_to_host__return", "s32 ret", false},
	[WAIT] = {"probe_l:dma_wait", "u32 channel", false},
	[WOKEN] = {"probe_l:dma_wait__return", "s32 ret", false},
};

/* How the recording differs from a plain one. */
struct script {
	bool foreign;	   /* as perf record writes: no section of ours */
	bool no_irqs;	   /* the card is polled */
	bool no_transfers; /* nothing but interrupts */
	bool skip_irqs;	   /* those of transfers FEW and MANY are not there ... */
	bool skip_counted; /* ... though the kernel counted them */
	bool hole;	   /* a record of loss; transfer MANY is not in the file */
	bool cut;	   /* the recorder was killed */
};

struct rig {
	char path[96], *raw;
	struct db *db;
	int64_t run;
};

static void check(int rc, const struct err *e)
{
	if (rc)
		fail_msg("%s", e->text);
}

/* ---- the recording ---- */

static void fill_meta(struct meta *m, const struct script *s)
{
	static const enum role role[NEVENT] = {ROLE_INTERRUPT, ROLE_SUBMIT, ROLE_STARTED,
					       ROLE_WAIT, ROLE_WOKEN};
	struct meta_irq *q;

	meta_init(m);
	m->version = 1;
	m->uuid = strdup("00000000-0000-4000-8000-000000000001");
	m->tool = strdup("dmarec 0.1.0");
	m->uprobe_cost_ns = 1000;
	m->irq_cost_ns = 500;
	for (int i = 0; i < NEVENT; i++) {
		struct meta_event *ev = meta_add_event(m);

		ev->attr = i;
		ev->name = strdup(events[i].name);
		ev->role = role[i];
		ev->func = i == IRQ ? -1 : i >= WAIT;
		ev->direction = i == START ? DIR_TO_HOST : DIR_UNKNOWN;
		ev->counted = s->no_transfers && i != IRQ ? 0 : N;
	}
	if (s->no_irqs)
		m->event[IRQ].counted = 0;
	else if (s->skip_irqs && !s->skip_counted)
		m->event[IRQ].counted = N - 2;
	for (int irq = 68; irq < 70; irq++) {
		q = meta_add_irq(m);
		q->irq = irq;
		q->name = strdup(irq == 68 ? "card" : "other");
		q->recorded = true;
	}
}

static void put_transfer(struct rawfile *f, const struct script *s, int k)
{
	int64_t at = 1000000 + k * INT64_C(100000), late = 10 * k;
	bool skipped = s->skip_irqs && (k == FEW || k == MANY);

	if (!s->no_transfers) {
		rawfile_sample(f, START, at, 0, 100, (int64_t[]){3, 4096});
		rawfile_sample(f, STARTED, at + 2000, 0, 100, (int64_t[]){0});
		rawfile_sample(f, WAIT, at + 3000, 0, 100, (int64_t[]){3});
	}
	if (!s->no_irqs && !skipped)
		rawfile_sample(f, IRQ, at + 12000 + late, 1, 0, (int64_t[]){68});
	if (!s->no_transfers)
		rawfile_sample(f, WOKEN, at + 13000 + late, 0, 100, (int64_t[]){0});
}

static char *record(const struct script *s)
{
	struct rawfile *f;
	struct meta m;
	char *path;

	fill_meta(&m, s);
	f = rawfile_new(events, NEVENT, s->foreign ? NULL : &m);
	for (int k = 0; k < N; k++) {
		if (s->hole && k == MANY) {
			int64_t at = 1000000 + k * INT64_C(100000);

			rawfile_lost(f, 4, at + 50000, 0);
			rawfile_lost(f, 1, at + 50000, 1);
			continue;
		}
		put_transfer(f, s, k);
		if (k % 10 == 9)
			rawfile_round(f);
	}
	path = strdup(rawfile_path(f));
	rawfile_finish_file(f, s->foreign ? NULL : &m, !s->cut);
	free(f);
	meta_release(&m);
	return path;
}

/* ---- loading it ---- */

static void load(struct rig *r, bool commit)
{
	struct analysis_options o = {.pairing = -1, .quiet = true};
	struct seen seen;
	struct load_result got;
	struct err e = {0};
	struct stream *s;

	check(stream_open_raw(&s, r->raw, NULL, &e), &e);
	check(seen_init(&seen, &e), &e);
	check(db_begin(r->db, &e), &e);
	check(load_recording(r->db, s, r->raw, NULL, &seen, true, &got, &e), &e);
	if (!got.known)
		check(analysis_run(r->db, got.run, s, &seen, &o, &e), &e);
	if (commit)
		check(db_commit(r->db, &e), &e);
	else
		db_rollback(r->db);
	assert_true(got.known == (r->run == got.run));
	r->run = got.run;
	seen_release(&seen);
	stream_close(s);
}

static void rig_open(struct rig *r, const struct script *s)
{
	struct err e = {0};

	*r = (struct rig){.raw = record(s)};
	snprintf(r->path, sizeof(r->path), "%s.db", r->raw);
	check(db_open(&r->db, r->path, DB_CREATE, &e), &e);
}

static void rig_load(struct rig *r, const struct script *s)
{
	rig_open(r, s);
	load(r, true);
}

static void rig_release(struct rig *r)
{
	db_close(r->db);
	unlink(r->path);
	unlink(r->raw);
	free(r->raw);
}

static void rebuild(struct rig *r)
{
	struct analysis_options o = {.pairing = -1, .quiet = true};
	struct err e = {0};
	struct stream *s;

	check(db_begin(r->db, &e), &e);
	check(stream_open_run(&s, r->db, r->run, &e), &e);
	check(analysis_run(r->db, r->run, s, NULL, &o, &e), &e);
	stream_close(s);
	check(db_commit(r->db, &e), &e);
}

/* The row of a query with one value, which is named `value` here. */
static struct db_stmt *one_row(struct rig *r, const char *sql)
{
	struct err e = {0};
	struct db_stmt *s;
	char named[2048];
	int len = snprintf(named, sizeof(named),
			   "WITH one(value) AS (%s) SELECT value FROM one", sql);

	assert_true(len > 0 && (size_t)len < sizeof(named));
	check(db_prepare(r->db, &s, named, &e), &e);
	if (db_step(s, &e) != 1)
		fail_msg("%s: no row %s", sql, e.text);
	return s;
}

static int64_t number(struct rig *r, const char *sql)
{
	struct err e = {0};
	struct db_stmt *s = one_row(r, sql);
	int64_t v = db_i64(s, "value");

	check(db_finalize(s, 0, &e), &e);
	return v;
}

static void expect(struct rig *r, const char *sql, int64_t want)
{
	int64_t got = number(r, sql);

	if (got != want)
		fail_msg("%s: %lld, not %lld", sql, (long long)got, (long long)want);
}

static void expect_text(struct rig *r, const char *sql, const char *want)
{
	struct err e = {0};
	struct db_stmt *s = one_row(r, sql);
	const char *got = db_text(s, "value");

	if (!got || strcmp(got, want))
		fail_msg("%s: '%s', not '%s'", sql, got ? got : "NULL", want);
	check(db_finalize(s, 0, &e), &e);
}

/* Everything derived, as one text. */
static char *derived(struct rig *r)
{
	struct err e = {0};
	struct db_stmt *s = one_row(
		r, "SELECT (SELECT group_concat(printf('%d %s %d %d %d %d %s', id, "
		   "state, irq_ns, woken_ns, device_ns, coalesced, reason)) FROM "
		   "transfer) || (SELECT group_concat(kind || time_ns || reason) FROM "
		   "stray) || (SELECT group_concat(phase || n || ' ' || excluded || ' "
		   "' || coalesce(mean_ns, 0)) FROM summary) || (SELECT group_concat(q "
		   "|| ' ' || coalesce(value_ns, 0) || ' ' || coalesce(bound_low_ns, "
		   "0)) FROM quantile) || (SELECT group_concat(irq || verdict || score "
		   "|| used || why) FROM vector) || (SELECT group_concat(low_ns || ' ' "
		   "|| n) FROM histogram) || (SELECT vectors_from || pairing || "
		   "interrupts || ' ' || waits FROM analysis)");
	const char *text = db_text(s, "value");
	char *copy = strdup(text ? text : "");

	check(db_finalize(s, 0, &e), &e);
	return copy;
}

static void expect_same_from_rows(struct rig *r)
{
	char *before = derived(r), *after;

	rebuild(r);
	after = derived(r);
	if (strcmp(before, after))
		fail_msg("from the file:\n%s\nfrom the rows:\n%s", before, after);
	free(before);
	free(after);
}

/* ---- known answers ---- */

#define WHOLE " WHERE channel IS NULL AND direction IS NULL AND phase = "

static void test_every_figure(void **state)
{
	struct script s = {0};
	struct rig r;

	(void)state;
	rig_load(&r, &s);
	expect(&r, "SELECT count(*) FROM sample", 5 * N);
	expect(&r,
	       "SELECT count(*) FROM source WHERE counted "
	       "= 100 AND delivered = 100 AND lost = 0",
	       NEVENT);
	expect(&r, "SELECT count(*) FROM loss", 0);
	expect(&r,
	       "SELECT count(*) FROM transfer WHERE state = 'complete' AND "
	       "coalesced = 1 AND channel = 3 AND direction = 'to_host' "
	       "AND size_bytes = 4096 AND irq = 68 AND irq_cpu = 1",
	       N);
	expect(&r,
	       "SELECT count(*) FROM transfer WHERE api_ns = 2000 "
	       "AND notice_ns = 1000 AND device_ns = 10000 + 10 * "
	       "(id - 1) AND total_ns = 13000 + 10 * (id - 1)",
	       N);
	expect_text(&r, "SELECT vectors_from FROM analysis", "found");
	expect_text(&r, "SELECT latency_phase FROM analysis", "device");
	expect_text(&r, "SELECT doorbell_from FROM analysis", "exit");
	expect(&r, "SELECT irq FROM vector WHERE used AND channel IS NULL", 68);
	expect_text(&r, "SELECT verdict FROM vector WHERE irq = 69 AND channel IS NULL",
		    "silent");
	expect(&r, "SELECT min_ns FROM summary" WHOLE "'device'", 10000);
	expect(&r, "SELECT max_ns FROM summary" WHOLE "'device'", 10990);
	expect(&r, "SELECT mean_ns = 10495 FROM summary" WHOLE "'device'", 1);
	expect(&r,
	       "SELECT abs(stddev_ns - 290.1149) < 0.001 FROM summary" WHOLE "'device'",
	       1);
	expect(&r,
	       "SELECT abs(value_ns - 10490) <= 42 FROM quantile" WHOLE
	       "'device' AND q = 0.5",
	       1);
	expect(&r,
	       "SELECT abs(value_ns - 10890) <= 44 FROM quantile" WHOLE
	       "'device' AND q = 0.9",
	       1);
	expect(&r,
	       "SELECT sum(n) FROM summary WHERE channel IS NULL AND direction IS NULL",
	       4 * N);
	expect(&r, "SELECT sum(excluded) + sum(negative) FROM summary", 0);
	expect(&r, "SELECT sum(n) FROM histogram", 4 * N);
	expect(&r, "SELECT n FROM state_count WHERE state = 'complete' AND channel = 3",
	       N);
	expect(&r,
	       "SELECT transfers * 1000000 + size_bytes "
	       "FROM throughput WHERE channel = 3",
	       100 * 1000000 + 409600);
	expect(&r, "SELECT to_ns - from_ns FROM throughput WHERE channel = 3",
	       99 * 100000 + 13990);
	expect_same_from_rows(&r);
	rig_release(&r);
}

/* One hit each between the stamps, and never more than the least duration: derive.h. */
static void test_cost_of_the_probes(void **state)
{
	struct script s = {0};
	struct rig r;

	(void)state;
	rig_load(&r, &s);
	expect(&r, "SELECT error_ns FROM summary" WHOLE "'api'", 1000);
	expect(&r, "SELECT error_ns FROM summary" WHOLE "'device'", 0);
	expect(&r, "SELECT error_ns FROM summary" WHOLE "'notice'", 1000);
	/* three hits, and the handler's 500 ns, which lie in the total as in the notice */
	expect(&r, "SELECT error_ns FROM summary" WHOLE "'total'", 3500);
	rig_release(&r);
}

static void test_twice_changes_nothing(void **state)
{
	struct script s = {0};
	struct rig r;
	char *before;

	(void)state;
	rig_load(&r, &s);
	before = derived(&r);
	load(&r, true);
	expect(&r, "SELECT count(*) FROM run", 1);
	expect(&r, "SELECT count(*) FROM sample", 5 * N);
	char *after = derived(&r);
	assert_string_equal(before, after);
	free(before);
	free(after);
	rig_release(&r);
}

static void test_rolled_back_is_as_before(void **state)
{
	struct script s = {0};
	struct rig r;

	(void)state;
	rig_open(&r, &s);
	load(&r, false);
	db_close(r.db);
	r.db = NULL;
	assert_int_not_equal(access(r.path, F_OK), 0);
	rig_release(&r);
}

/* ---- what is missing ---- */

static void test_without_interrupt(void **state)
{
	struct script s = {.skip_irqs = true};
	struct rig r;

	(void)state;
	rig_load(&r, &s);
	expect(&r, "SELECT count(*) FROM transfer WHERE state = 'complete'", N - 2);
	expect(&r,
	       "SELECT count(*) FROM transfer WHERE state = "
	       "'no_interrupt' AND id IN (21, 41) AND irq_ns IS "
	       "NULL AND device_ns IS NULL AND total_ns IS NOT NULL",
	       2);
	expect(&r, "SELECT n FROM summary" WHOLE "'device'", N - 2);
	expect(&r, "SELECT excluded FROM summary" WHOLE "'device'", 0);
	expect(&r, "SELECT n FROM summary" WHOLE "'total'", N);
	expect_same_from_rows(&r);
	rig_release(&r);
}

/* Counted by the kernel, but not in the file, and no record says where. */
static void test_lost_interrupts_leave_doubt(void **state)
{
	struct script s = {.skip_irqs = true, .skip_counted = true};
	struct rig r;

	(void)state;
	rig_load(&r, &s);
	expect(&r, "SELECT count(*) FROM transfer WHERE state = 'no_interrupt'", 0);
	expect(&r,
	       "SELECT count(*) FROM transfer WHERE state = 'unknown' AND "
	       "id IN (21, 41) AND total_ns IS NULL AND "
	       "reason = 'no interrupt, but some were lost in this recording'",
	       2);
	expect(&r, "SELECT excluded FROM summary" WHOLE "'device'", 2);
	expect(&r, "SELECT lost FROM source WHERE role = 'interrupt'", 2);
	/* they ended for the program all the same, and moved their bytes */
	expect(&r, "SELECT transfers FROM throughput WHERE channel IS NULL", N);
	expect(&r, "SELECT size_bytes FROM throughput WHERE channel IS NULL", N * 4096);
	expect(&r,
	       "SELECT count(*) FROM loss WHERE kind = 'count' AND lost = "
	       "2 AND from_ns IS NULL AND to_ns IS NULL AND cpu IS NULL",
	       1);
	expect(&r,
	       "SELECT bound_low_ns < value_ns OR bound_high_ns > "
	       "value_ns FROM quantile" WHOLE "'device' AND q = 0.5",
	       1);
	expect_same_from_rows(&r);
	rig_release(&r);
}

static void test_records_of_loss(void **state)
{
	struct script s = {.hole = true};
	struct rig r;

	(void)state;
	rig_load(&r, &s);
	expect(&r, "SELECT count(*) FROM transfer", N - 1);
	expect(&r, "SELECT sum(lost) FROM loss WHERE kind = 'ring'", 5);
	expect(&r, "SELECT count(*) FROM loss WHERE kind = 'count'", 0);
	expect(&r, "SELECT sum(lost) FROM source", 5);
	expect(&r,
	       "SELECT count(*) BETWEEN 90 AND 99 FROM transfer WHERE state = 'complete'",
	       1);
	/* none of those far away is touched */
	expect(&r,
	       "SELECT count(*) FROM transfer WHERE state <> 'complete' AND "
	       "abs(submit_ns - 5000000) > 500000",
	       0);
	expect_same_from_rows(&r);
	rig_release(&r);
}

static void test_a_killed_recorder(void **state)
{
	struct script s = {.cut = true};
	struct rig r;

	(void)state;
	rig_load(&r, &s);
	expect(&r, "SELECT finished FROM run", 0);
	expect(&r,
	       "SELECT count(*) FROM source WHERE counted IS NULL AND lost IS NULL AND "
	       "delivered = 100",
	       NEVENT);
	expect(&r,
	       "SELECT count(*) FROM loss WHERE kind = 'cut' "
	       "AND from_ns IS NOT NULL AND to_ns IS NULL",
	       1);
	expect(&r, "SELECT count(*) FROM transfer", N);
	expect(&r, "SELECT count(*) FROM transfer WHERE id <= 80 AND state = 'complete'",
	       80);
	expect(&r, "SELECT count(*) FROM transfer WHERE id > 90 AND state = 'complete'",
	       0);
	expect_same_from_rows(&r);
	rig_release(&r);
}

/* ---- other recordings ---- */

static void test_polled(void **state)
{
	struct script s = {.no_irqs = true};
	struct rig r;

	(void)state;
	rig_load(&r, &s);
	expect(&r, "SELECT count(*) FROM transfer WHERE state = 'polled'", N);
	expect_text(&r, "SELECT vectors_from FROM analysis", "none");
	expect_text(&r, "SELECT latency_phase FROM analysis", "total");
	expect(&r, "SELECT n + excluded FROM summary" WHOLE "'device'", 0);
	expect(&r,
	       "SELECT min_ns IS NULL AND mean_ns IS NULL FROM summary" WHOLE "'device'",
	       1);
	expect(&r, "SELECT n FROM summary" WHOLE "'total'", N);
	rig_release(&r);
}

static void test_no_transfer(void **state)
{
	struct script s = {.no_transfers = true};
	struct summary sum;
	struct err e = {0};
	struct rig r;
	char *text;
	size_t len;

	(void)state;
	rig_load(&r, &s);
	expect(&r, "SELECT count(*) FROM transfer", 0);
	expect(&r, "SELECT transfers FROM analysis", 0);
	check(summary_read(&sum, r.db, r.run, &e), &e);
	FILE *out = open_memstream(&text, &len);
	summary_text(&sum, &(struct summary_style){0}, out);
	fclose(out);
	assert_non_null(strstr(text, "no start function was called"));
	free(text);
	summary_release(&sum);
	rig_release(&r);
}

static void test_a_recording_of_perf(void **state)
{
	struct script s = {.foreign = true};
	struct rig r;

	(void)state;
	rig_load(&r, &s);
	expect(&r, "SELECT roles_guessed FROM run", 1);
	expect(&r, "SELECT uuid LIKE 'sha256-%' AND length(raw_sha256) = 64 FROM run", 1);
	expect(&r,
	       "SELECT count(*) FROM source WHERE counted IS NULL AND delivered = 100",
	       NEVENT);
	expect(&r,
	       "SELECT count(*) FROM transfer WHERE state = 'complete' AND device_ns = "
	       "10000 + 10 * (id - 1)",
	       N);
	expect(&r, "SELECT begin_ns FROM run", 1000000);
	expect(&r, "SELECT end_ns FROM run", 1000000 + 99 * 100000 + 13990);
	expect(&r, "SELECT count(error_ns) FROM summary", 0);
	load(&r, true);
	expect(&r, "SELECT count(*) FROM run", 1);
	expect_same_from_rows(&r);
	rig_release(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_figure),
		cmocka_unit_test(test_cost_of_the_probes),
		cmocka_unit_test(test_twice_changes_nothing),
		cmocka_unit_test(test_rolled_back_is_as_before),
		cmocka_unit_test(test_without_interrupt),
		cmocka_unit_test(test_lost_interrupts_leave_doubt),
		cmocka_unit_test(test_records_of_loss),
		cmocka_unit_test(test_a_killed_recorder),
		cmocka_unit_test(test_polled),
		cmocka_unit_test(test_no_transfer),
		cmocka_unit_test(test_a_recording_of_perf),
	};

	return cmocka_run_group_tests_name("analysis", tests, NULL, NULL);
}
