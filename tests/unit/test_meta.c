/* SPDX-License-Identifier: GPL-2.0-only */
/* lib/file/meta: what is written can be read, and what is damaged is refused with its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "lib/err.h"
#include "lib/file/meta.h"

#define HEAD "dmarec\tformat=1\n"

static void fill(struct meta *m)
{
	struct meta_event *ev;
	struct meta_irq *irq;
	struct meta_fd *fd;

	meta_init(m);
	m->uuid = strdup("0f-1");
	m->command = strdup("./a\tb%c\n");
	m->pairing = PAIRING_DRAIN;
	m->begin_ns = 5;
	m->exit_status = 3;
	ev = meta_add_event(m);
	ev->name = strdup("dmarec_1:dma_to_host");
	ev->role = ROLE_SUBMIT;
	ev->direction = DIR_TO_HOST;
	ev->attr = 0;
	ev->offset = 0x401;
	ev->constant.channel = 0;
	ev->size_unit = 4;
	ev->counted = 7;
	ev->delivered = 0;
	condition_parse("flags&1", &ev->circular, NULL);
	meta_add_path(ev)->pattern = strdup("/dev/x{card}");
	meta_add_path(ev)->pattern = strdup("/dev/y{channel}");
	ev = meta_add_event(m);
	ev->role = ROLE_WOKEN;
	condition_parse("ret<0", &ev->fail, NULL);
	irq = meta_add_irq(m);
	irq->irq = 68;
	irq->vector = 2;
	irq->recorded = true;
	irq->count_before = 0;
	irq->count_after = 9;
	fd = meta_add_fd(m);
	fd->pid = 1;
	fd->fd = 0;
	fd->path = strdup("/dev/x0");
	meta_add_warning(m, "a hole");
}

static char *text_of(const struct meta *m, size_t *len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len);

	assert_int_equal(meta_write_begin(m, out), 0);
	assert_int_equal(meta_write_end(m, out), 0);
	fclose(out);
	return text;
}

static void round_trip(void **state)
{
	struct meta a, b;
	struct err e = {0};
	size_t len, len2;
	char *text, *again;

	(void)state;
	fill(&a);
	text = text_of(&a, &len);
	meta_init(&b);
	assert_int_equal(meta_parse(&b, text, len, &e), 0);
	again = text_of(&b, &len2);
	assert_string_equal(text, again);
	assert_string_equal(b.command, "./a\tb%c\n");
	assert_true(b.finished);
	assert_int_equal(b.event[0].delivered, 0);
	assert_true(b.event[1].counted == DMA_UNKNOWN);
	assert_int_equal(b.event[0].npath, 2);
	assert_int_equal(b.irq[0].count_after, 9);
	assert_true(b.irq[0].completes_channel == DMA_UNKNOWN);
	free(text);
	free(again);
	meta_release(&a);
	meta_release(&b);
}

/* What was read and counted beside the transfers: each of an event, one line before the data and
 * one behind it. */
static void registers_and_counts(void **state)
{
	struct meta a, b;
	struct meta_register *r;
	struct meta_count *c;
	struct err e = {0};
	size_t len, len2;
	char *text, *again;

	(void)state;
	fill(&a);
	a.event[1].role = ROLE_REGISTER;
	r = meta_add_register(&a);
	r->event = 1;
	r->bdf = strdup("0000:05:00.0");
	r->file = strdup("/sys/bus/pci/devices/0000:05:00.0/resource0");
	r->offset = 0x400;
	r->busy = strdup("1<<channel");
	r->mode = strdup("in flight");
	r->shared_cpu = true;
	r->readings = 1000;
	r->read_p99_ns = 812;
	r->ended = strdup("the card is gone");
	assert_true(r->read_max_ns == DMA_UNKNOWN); /* until it is told */
	c = meta_add_count(&a);
	c->event = 0;
	c->text = strdup("uncore_iio_0/event=0x83/");
	c->unit = strdup("MiB");
	c->scale = strdup("4e-6");
	text = text_of(&a, &len);
	meta_init(&b);
	assert_int_equal(meta_parse(&b, text, len, &e), 0);
	assert_int_equal(b.nreg, 1);
	assert_int_equal(b.ncount, 1);
	assert_int_equal(b.reg[0].offset, 0x400);
	assert_true(b.reg[0].channel == DMA_UNKNOWN);
	assert_true(b.reg[0].shared_cpu);
	assert_int_equal(b.reg[0].readings, 1000);
	assert_true(b.reg[0].read_max_ns == DMA_UNKNOWN);
	assert_string_equal(b.reg[0].ended, "the card is gone");
	assert_string_equal(b.count[0].scale, "4e-6");
	assert_int_equal(b.count[0].cpus, -1);
	again = text_of(&b, &len2);
	assert_string_equal(text, again);
	assert_ptr_equal(meta_find_irq(&b, 68), &b.irq[0]);
	assert_null(meta_find_irq(&b, 67));
	free(text);
	free(again);
	meta_release(&a);
	meta_release(&b);
}

/* An event that was armed later may have found something in flight. */
static void from_start(void **state)
{
	static const char *const end[] = {"end\tend_ns=9\nevent\tid=0\tcounted=4\n",
					  "end\tend_ns=9\nevent\tid=1\trole=submit\n",
					  "end\tend_ns=9\nevent\tid=1\trole=other\n"};
	static const bool expected[] = {true, false, true};
	char text[200];
	struct meta m;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		snprintf(text, sizeof(text),
			 HEAD "run\tfrom_start=1\nevent\tid=0\trole=submit\n%s", end[i]);
		meta_init(&m);
		assert_int_equal(meta_parse(&m, text, strlen(text), NULL), 0);
		assert_int_equal(meta_from_start(&m), expected[i]);
		meta_release(&m);
	}
	meta_init(&m);
	assert_false(meta_from_start(&m));
}

static void refuse(const char *text, const char *expected)
{
	struct meta m;
	struct err e = {0};

	meta_init(&m);
	assert_int_not_equal(meta_parse(&m, text, strlen(text), &e), 0);
	if (!strstr(e.text, expected))
		fail_msg("'%s' does not hold '%s'", e.text, expected);
	assert_int_equal(m.nevent, 0);
	meta_release(&m);
}

static void damage_is_refused_with_its_line(void **state)
{
	(void)state;
	refuse("", "no line");
	refuse("run\tuuid=1\n", "line 1");
	refuse("dmarec\n", "no key");
	refuse("dmarec\tformat=2\n", "format 2");
	refuse(HEAD "run\tbegin_ns=x\n", "line 2: bad value for begin_ns");
	refuse(HEAD "run\tbegin_ns=\n", "bad value");
	refuse(HEAD "run\tuuid\n", "key=value");
	refuse(HEAD "run\tuuid=%4\n", "two digits");
	refuse(HEAD "run\tuuid=%00\n", "two digits");
	refuse(HEAD "run\tuuid=a\tuuid=b\n", "two values");
	refuse(HEAD "run\tpairing=some\n", "bad value");
	refuse(HEAD "event\tid=1\n", "count up");
	refuse(HEAD "event\tname=1\n", "no key");
	refuse(HEAD "event\tid=0\trole=king\n", "bad value for role");
	refuse(HEAD "event\tid=0\twhen=ret~1\n", "bad value for when");
	refuse(HEAD "event\tid=0\tblocking=2\n", "bad value");
	refuse(HEAD "path\tevent=0\tpattern=/x\n", "not there");
	refuse(HEAD "event\tid=0\npath\tevent=0\n", "pattern");
	refuse(HEAD "irq\tname=a\n", "no key");
	refuse(HEAD "irq\tirq=99999999999\n", "not a number");
	refuse(HEAD "counter\tbefore=1\n", "no key");
	refuse(HEAD "fd\tpid=1\n", "path");
	refuse(HEAD "warning\n", "text");
	refuse(HEAD "register\twidth=32\n", "no key");
	refuse(HEAD "register\tevent=0\n", "not there");
	refuse(HEAD "count\tevent=-1\n", "not a number");
}

static void a_newer_writer_is_understood(void **state)
{
	static const char text[] = HEAD "weather\tsun=1\nrun\tuuid=u\tmood=good\n";
	struct meta m;
	struct err e = {0};

	(void)state;
	meta_init(&m);
	assert_int_equal(meta_parse(&m, text, strlen(text), &e), 0);
	assert_string_equal(m.uuid, "u");
	assert_false(m.finished);
	meta_release(&m);
}

static void conditions(void **state)
{
	struct condition c;
	char buf[64];

	(void)state;
	assert_int_equal(condition_parse(" ret < -1 ", &c, NULL), ERR_USAGE);
	assert_int_equal(condition_parse("ret < -1", &c, NULL), 0);
	assert_string_equal(condition_print(&c, buf), "ret<-1");
	assert_true(condition_holds(&c, -2, 0));
	assert_false(condition_holds(&c, -1, 0));
	assert_int_equal(condition_parse("flags&0x10", &c, NULL), 0);
	assert_true(condition_holds(&c, 0x30, 0));
	assert_false(condition_holds(&c, 0xf, 0));
	assert_int_equal(condition_parse("mode==1", &c, NULL), 0);
	assert_int_equal(condition_parse("ret<asked", &c, NULL), 0);
	assert_string_equal(condition_print(&c, buf), "ret<asked");
	assert_true(condition_holds(&c, 63, 64));
	assert_false(condition_holds(&c, 64, 64));
	assert_int_equal(condition_parse("ret<askew", &c, NULL), ERR_USAGE);
	assert_int_equal(condition_parse("mode=1", &c, NULL), ERR_USAGE);
	assert_int_equal(condition_parse("moon==1", &c, NULL), ERR_USAGE);
	assert_int_equal(condition_parse("", &c, NULL), ERR_USAGE);
}

/* A file of many names is read within the ten seconds that any file may take. */
static void test_many_names(void **state)
{
	enum { NAMES = 300000, CPU_SECONDS = 10 };
	static const char *const line[] = {"env\tname=%d\tvalue=1\n",
					   "counter\tname=%d\tbefore=1\n",
					   "irq\tirq=%d\tvector=1\n"};
	struct rlimit before, bound;
	struct meta m;
	struct err e = {0};
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	(void)state;
	assert_non_null(f);
	fputs("dmarec\tformat=1\n", f);
	for (size_t k = 0; k < sizeof(line) / sizeof(*line); k++)
		for (int i = 0; i < 2 * NAMES; i++)
			fprintf(f, line[k], i % NAMES);
	fclose(f);
	getrlimit(RLIMIT_CPU, &before);
	bound = (struct rlimit){(rlim_t)(clock() / CLOCKS_PER_SEC) + CPU_SECONDS,
				before.rlim_max};
	setrlimit(RLIMIT_CPU, &bound); /* SIGXCPU */
	meta_init(&m);
	assert_int_equal(meta_parse(&m, text, len, &e), 0);
	setrlimit(RLIMIT_CPU, &before);
	assert_int_equal(m.nenv, NAMES);
	assert_int_equal(m.ncounter, NAMES);
	assert_int_equal(m.nirq, NAMES);
	meta_release(&m);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(registers_and_counts),
		cmocka_unit_test(from_start),
		cmocka_unit_test(damage_is_refused_with_its_line),
		cmocka_unit_test(a_newer_writer_is_understood),
		cmocka_unit_test(conditions),
		cmocka_unit_test(test_many_names),
	};

	return cmocka_run_group_tests_name("meta", tests, NULL, NULL);
}
