/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files that perf record (6.1.192 on Linux 6.18) wrote, against what perf script says of
 * them (perf script --ns -F pid,tid,cpu,time,event,trace -G, blanks squeezed):
 *   probes.data  two tracepoints, system-wide; probes on libblkdma: entries, %return, +13
 *   chains.data  with call chains (-g)
 *   killed.data  its recorder was killed with signal 9
 * All with --synth=no -N -B, so that nothing of the machine is in them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/event/event.h"
#include "tests/unit/rawfile.h"

#define DIR TEST_SOURCE "/tests/data/perf/"

struct rig {
	struct perfdata *p;
	struct event_decoder *d;
	struct meta m;
	bool guessed;
};

static void open_file(struct rig *r, const char *path)
{
	struct err e = {0};

	if (perfdata_open(&r->p, path, &e))
		fail_msg("%s", e.text);
	meta_init(&r->m);
	if (event_decoder_new(&r->d, r->p, NULL, &r->m, &r->guessed, &e))
		fail_msg("%s", e.text);
	assert_true(r->guessed);
}

static void close_file(struct rig *r)
{
	event_decoder_free(r->d);
	meta_release(&r->m);
	perfdata_close(r->p);
}

/* The number behind "key=" in perf's line; DMA_UNKNOWN = no such key. */
static int64_t number(const char *line, const char *key)
{
	const char *at = strstr(line, key);

	return at ? (int64_t)strtoull(at + strlen(key), NULL, 0) : DMA_UNKNOWN;
}

static int64_t returned(const char *line)
{
	int64_t v = number(line, " ret=");

	if (strstr(line, " ret=handled") || strstr(line, " ret=unhandled"))
		return strstr(line, " ret=handled") != NULL;
	return v != DMA_UNKNOWN ? v : number(line, " arg1=");
}

static void same(const char *line, const char *what, int64_t ours, int64_t perfs)
{
	if (ours != perfs)
		fail_msg("%s: %s is %" PRId64 " here, %" PRId64 " in\n%s", what, what,
			 ours, perfs, line);
}

/* "9406/9406 [001] 12797.136048686: irq:irq_handler_entry: irq=36 name=..." */
static void compare(const struct rig *r, const struct sample *s, const char *line)
{
	int pid, tid, cpu;
	int64_t sec, ns, irq = number(line, " irq="), v;
	char name[64];

	if (sscanf(line, "%d/%d [%d] %" SCNd64 ".%9" SCNd64 ": %63[^ ]", &pid, &tid, &cpu,
		   &sec, &ns, name) != 6)
		fail_msg("unexpected: %s", line);
	name[strlen(name) - 1] = 0;
	assert_string_equal(r->m.event[s->source].name, name);
	same(line, "pid", s->pid, pid);
	same(line, "tid", s->tid, tid);
	same(line, "cpu", s->cpu, cpu);
	same(line, "time", s->time_ns, sec * 1000000000 + ns);
	same(line, "irq", s->irq, irq == DMA_UNKNOWN ? -1 : irq);
	same(line, "ret", s->ret, returned(line));
	v = number(line, " dst=");
	if (v != DMA_UNKNOWN)
		same(line, "dst", s->addr, v);
	v = number(line, " channel=");
	if (v != DMA_UNKNOWN) /* exits have that of their entry */
		same(line, "channel", s->channel, v);
	v = number(line, " size=");
	if (v != DMA_UNKNOWN)
		same(line, "size", s->size_bytes, v);
}

/* How many samples have each role. */
static void expect_file(const char *data, const char *text, int role[ROLE_N])
{
	FILE *in = fopen(text, "r");
	struct perfdata_rec rec;
	struct err e = {0};
	char line[256];
	struct rig r;
	struct sample s;
	int rc;

	assert_non_null(in);
	open_file(&r, data);
	assert_false(perfdata_truncated(r.p));
	while ((rc = perfdata_next(r.p, &rec, &e)) > 0) {
		rc = event_decode(r.d, &rec, &s, &e);
		if (rc < 0)
			break;
		if (!rc || !rec.raw) /* what perf adds for its own */
			continue;
		if (!fgets(line, sizeof(line), in))
			fail_msg("more samples than perf script has");
		compare(&r, &s, line);
		role[s.role]++;
	}
	if (rc)
		fail_msg("%s", e.text);
	assert_null(fgets(line, sizeof(line), in));
	assert_int_equal(perfdata_disordered(r.p), 0);
	fclose(in);
	close_file(&r);
}

static void test_probes(void **state)
{
	int role[ROLE_N] = {0};

	(void)state;
	expect_file(DIR "probes.data", DIR "probes.txt", role);
	assert_int_equal(role[ROLE_SUBMIT], 40);
	assert_int_equal(role[ROLE_STARTED], 40);
	assert_int_equal(role[ROLE_DOORBELL], 40);
	assert_int_equal(role[ROLE_WAIT], 40);
	assert_int_equal(role[ROLE_WOKEN], 40);
	assert_int_equal(role[ROLE_INTERRUPT], role[ROLE_HANDLED]);
	assert_int_equal(role[ROLE_INTERRUPT], 41);
}

static void test_call_chains(void **state)
{
	int role[ROLE_N] = {0};

	(void)state;
	expect_file(DIR "chains.data", DIR "chains.txt", role);
	assert_int_equal(role[ROLE_WAIT], 20);
	assert_int_equal(role[ROLE_INTERRUPT], 20);
}

static void test_what_is_said_of_the_machine(void **state)
{
	struct rig r;

	(void)state;
	open_file(&r, DIR "probes.data");
	assert_string_equal(perfdata_string(r.p, FEAT_ARCH), "x86_64");
	assert_string_equal(perfdata_string(r.p, FEAT_VERSION), "6.1.192");
	assert_string_equal(r.m.clock, "monotonic");
	assert_non_null(strstr(r.m.command, "perf record"));
	close_file(&r);
	open_file(&r, DIR "chains.data");
	assert_string_equal(r.m.clock, "perf");
	close_file(&r);
}

/* perf writes no formats before its end: the records are there, but say nothing. */
static void test_killed(void **state)
{
	struct event_decoder *d;
	struct perfdata_rec rec;
	struct perfdata *p;
	struct err e = {0};
	struct meta m;
	bool guessed;
	int rc;

	(void)state;
	assert_int_equal(perfdata_open(&p, DIR "killed.data", &e), 0);
	assert_true(perfdata_truncated(p));
	while ((rc = perfdata_next(p, &rec, &e)) > 0)
		;
	assert_int_equal(rc, 0);
	meta_init(&m);
	assert_true(event_decoder_new(&d, p, NULL, &m, &guessed, &e) < 0);
	assert_non_null(strstr(e.text, "was cut before its recorder could write it"));
	perfdata_close(p);
}

/* A real file cut anywhere: no crash, and what is read is the beginning of what it
 * was. */
static void test_real_file_cut(void **state)
{
	struct perfdata_rec rec, first;
	struct perfdata *p;
	size_t full, n, last = 0;
	char *buf = slurp(DIR "probes.data", &full);

	(void)state;
	assert_int_equal(perfdata_open_mem(&p, buf, full, "f", NULL), 0);
	assert_int_equal(perfdata_next(p, &first, NULL), 1);
	perfdata_close(p);
	for (size_t len = 0; len < full; len += 37) {
		struct err e = {0};

		if (perfdata_open_mem(&p, buf, len, "f", &e)) {
			assert_true(e.text[0]);
			continue;
		}
		for (n = 0; perfdata_next(p, &rec, &e) > 0; n++)
			assert_true(n || rec.time_ns >= first.time_ns);
		assert_int_equal(e.code, 0);
		assert_true(n >= last);
		last = n;
		perfdata_close(p);
	}
	free(buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_probes),
		cmocka_unit_test(test_call_chains),
		cmocka_unit_test(test_what_is_said_of_the_machine),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_real_file_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
