/* SPDX-License-Identifier: GPL-2.0-only */
/* lib/event: from a record's bytes to a sample: fields, roles, conditions, calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/event.h"
#include "tests/unit/rawfile.h"

/* One recording with its decoder. */
struct rig {
	struct rawfile *f;
	struct meta m; /* what is written, and later what is read */
	void *buf;
	size_t len;
	struct perfdata *p;
	struct event_decoder *d;
	bool guessed;
};

enum { IRQ, TO_HOST, TO_HOST_EXIT, WAIT, WAIT_EXIT, DOORBELL, PREAD, PREAD_EXIT, NEVENT };

static const struct raw_event events[NEVENT] = {
	[IRQ] = {"irq:irq_handler_entry", "s32 irq", true},
	[TO_HOST] = {"dmarec_1:dma_to_host",
		     "u32 channel,u64 size,u64 addr,u64 card,u32 flags", false},
	[TO_HOST_EXIT] = {"dmarec_1:dma_to_host_x0", "s32 ret", false},
	[WAIT] = {"dmarec_1:dma_wait", "u32 channel", false},
	[WAIT_EXIT] = {"dmarec_1:dma_wait_x0", "s32 ret", false},
	[DOORBELL] = {"dmarec_1:doorbell", "", false},
	[PREAD] = {"dmarec_1:pread", "s32 fd,u64 size,s64 offset", false},
	[PREAD_EXIT] = {"dmarec_1:pread_x0", "s64 ret", false},
};

static void rig_begin(struct rig *r)
{
	static const struct {
		enum role role;
		enum direction direction;
		int32_t func;
	} is[NEVENT] = {
		[IRQ] = {ROLE_INTERRUPT, DIR_UNKNOWN, -1},
		[TO_HOST] = {ROLE_SUBMIT, DIR_TO_HOST, 0},
		[TO_HOST_EXIT] = {ROLE_STARTED, DIR_UNKNOWN, 0},
		[WAIT] = {ROLE_WAIT, DIR_UNKNOWN, 1},
		[WAIT_EXIT] = {ROLE_WOKEN, DIR_UNKNOWN, 1},
		[DOORBELL] = {ROLE_DOORBELL, DIR_UNKNOWN, 0},
		[PREAD] = {ROLE_SUBMIT, DIR_UNKNOWN, 2},
		[PREAD_EXIT] = {ROLE_WOKEN, DIR_UNKNOWN, 2},
	};

	memset(r, 0, sizeof(*r));
	meta_init(&r->m);
	for (int i = 0; i < NEVENT; i++) {
		struct meta_event *ev = meta_add_event(&r->m);

		ev->attr = i;
		ev->name = strdup(events[i].name);
		ev->role = is[i].role;
		ev->direction = is[i].direction;
		ev->func = is[i].func;
	}
}

/* After the meta is as wished: samples can be added. */
static void rig_file(struct rig *r)
{
	r->f = rawfile_new(events, NEVENT, &r->m);
}

static void rig_open(struct rig *r, const struct event_rules *rules)
{
	struct err e = {0};

	if (r->f)
		r->buf = rawfile_finish(r->f, &r->m, true, &r->len);
	meta_release(&r->m);
	assert_int_equal(perfdata_open_mem(&r->p, r->buf, r->len, "mem", &e), 0);
	if (event_decoder_new(&r->d, r->p, rules, &r->m, &r->guessed, &e))
		fail_msg("%s", e.text);
}

static void rig_end(struct rig *r)
{
	event_decoder_free(r->d);
	perfdata_close(r->p);
	meta_release(&r->m);
	free(r->buf);
}

/* The next sample; others are decoded on the way. */
static struct sample sample(struct rig *r)
{
	struct perfdata_rec rec;
	struct err e = {0};
	struct sample s;
	int rc;

	do {
		if (perfdata_next(r->p, &rec, &e) <= 0)
			fail_msg("no more samples: %s", e.text);
		rc = event_decode(r->d, &rec, &s, &e);
		if (rc < 0)
			fail_msg("%s", e.text);
	} while (!rc);
	return s;
}

#define V(...) ((int64_t[]){__VA_ARGS__})
#define U      DMA_UNKNOWN

static void submit(struct rig *r, int64_t t, int tid, int64_t channel, int64_t size)
{
	rawfile_sample(r->f, TO_HOST, t, 0, tid, V(channel, size, 0x1000, 0, 0));
}

/* ---- fields ---- */

static int64_t width(const char *type, int64_t value)
{
	char fields[32];
	struct raw_event one[1] = {{"probe_l:dma_wait__return", fields, false}};
	struct rig r = {.guessed = false};
	struct sample s;

	snprintf(fields, sizeof(fields), "%s ret", type);
	meta_init(&r.m);
	r.f = rawfile_new(one, 1, NULL);
	rawfile_sample(r.f, 0, 10, 0, 7, &value);
	r.buf = rawfile_finish(r.f, NULL, true, &r.len);
	r.f = NULL;
	rig_open(&r, NULL);
	s = sample(&r);
	assert_int_equal(s.role, ROLE_WOKEN);
	rig_end(&r);
	return s.ret;
}

static void test_widths_and_signs(void **state)
{
	static const struct {
		const char *type;
		int64_t in, out;
	} cases[] = {
		{"u8", -1, 255},	 {"s8", -1, -1},
		{"s8", 127, 127},	 {"u16", -1, 65535},
		{"s16", -32768, -32768}, {"u32", -1, UINT32_MAX},
		{"s32", -5, -5},	 {"u64", INT64_MAX, INT64_MAX},
		{"s64", -5, -5},	 {"s64", INT64_MAX, INT64_MAX},
		{"u64", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (width(cases[i].type, cases[i].in) != cases[i].out)
			fail_msg("%s %lld: %lld", cases[i].type, (long long)cases[i].in,
				 (long long)width(cases[i].type, cases[i].in));
}

static void test_fields_of_a_start(void **state)
{
	struct rig r;
	struct sample s;

	(void)state;
	rig_begin(&r);
	rig_file(&r);
	rawfile_sample(r.f, TO_HOST, 1000, 2, 77, V(3, 4096, 0x7f00dead0000, 1, 9));
	rawfile_sample(r.f, IRQ, 1100, 1, 0, V(68));
	rig_open(&r, NULL);
	assert_false(r.guessed);
	s = sample(&r);
	assert_int_equal(s.time_ns, 1000);
	assert_int_equal(s.seq, 0);
	assert_int_equal(s.role, ROLE_SUBMIT);
	assert_int_equal(s.direction, DIR_TO_HOST);
	assert_int_equal(s.channel, 3);
	assert_int_equal(s.size_bytes, 4096);
	assert_int_equal(s.addr, 0x7f00dead0000);
	assert_int_equal(s.flags, 9);
	assert_int_equal(s.ret, U);
	assert_int_equal(s.card, 0);
	assert_int_equal(s.cpu, 2);
	assert_int_equal(s.pid, 77);
	assert_int_equal(s.tid, 77);
	assert_int_equal(s.irq, -1);
	assert_int_equal(s.source, TO_HOST);
	assert_int_equal(s.bits, 0);
	s = sample(&r);
	assert_int_equal(s.role, ROLE_INTERRUPT);
	assert_int_equal(s.irq, 68);
	assert_int_equal(s.cpu, 1);
	assert_int_equal(s.seq, 1);
	assert_int_equal(s.channel, U);
	assert_int_equal(s.size_bytes, U);
	assert_int_equal(s.card, U);
	rig_end(&r);
}

static void test_sizes(void **state)
{
	struct rig r;

	(void)state;
	rig_begin(&r);
	r.m.event[TO_HOST].size_unit = 4;
	rig_file(&r);
	submit(&r, 1, 7, 0, 1024);
	submit(&r, 2, 7, 0, -1);	    /* beyond 2^63 */
	submit(&r, 3, 7, 0, INT64_MAX / 2); /* times 4 is */
	submit(&r, 4, 7, 0, 0);
	rig_open(&r, NULL);
	assert_int_equal(sample(&r).size_bytes, 4096);
	assert_int_equal(sample(&r).size_bytes, U);
	assert_int_equal(sample(&r).size_bytes, U);
	assert_int_equal(sample(&r).size_bytes, 0);
	rig_end(&r);
}

static void test_constants(void **state)
{
	struct rig r;
	struct sample s;

	(void)state;
	rig_begin(&r);
	r.m.event[TO_HOST].constant = (struct meta_const){4, 5, 6};
	rig_file(&r);
	submit(&r, 1, 7, 9, 9);
	rig_open(&r, NULL);
	s = sample(&r);
	assert_int_equal(s.card, 0); /* the first met */
	assert_int_equal(s.channel, 5);
	assert_int_equal(s.size_bytes, 6);
	rig_end(&r);
}

/* ---- conditions ---- */

static void test_when_takes_the_call_out(void **state)
{
	struct rig r;

	(void)state;
	rig_begin(&r);
	condition_parse("flags==1", &r.m.event[TO_HOST].when, NULL);
	rig_file(&r);
	rawfile_sample(r.f, TO_HOST, 1, 0, 7, V(0, 1, 0, 0, 1));
	rawfile_sample(r.f, TO_HOST_EXIT, 2, 0, 7, V(0));
	rawfile_sample(r.f, TO_HOST, 3, 0, 7, V(0, 1, 0, 0, 2));
	rawfile_sample(r.f, DOORBELL, 4, 0, 7, V(0));
	rawfile_sample(r.f, TO_HOST_EXIT, 5, 0, 7, V(0));
	rawfile_sample(r.f, TO_HOST_EXIT, 6, 0, 7, V(0));
	rig_open(&r, NULL);
	assert_int_equal(sample(&r).role, ROLE_SUBMIT);
	assert_int_equal(sample(&r).role, ROLE_STARTED);
	assert_int_equal(sample(&r).role, ROLE_OTHER);
	assert_int_equal(sample(&r).role, ROLE_OTHER);
	assert_int_equal(sample(&r).role, ROLE_OTHER);
	assert_int_equal(sample(&r).role, ROLE_STARTED); /* whose, nobody knows */
	rig_end(&r);
}

static void test_fail_pending_circular(void **state)
{
	struct rig r;

	(void)state;
	rig_begin(&r);
	condition_parse("ret<0", &r.m.event[WAIT_EXIT].fail, NULL);
	condition_parse("ret==1", &r.m.event[WAIT_EXIT].pending, NULL);
	condition_parse("flags&1", &r.m.event[TO_HOST].circular, NULL);
	r.m.event[PREAD].blocking = true;
	r.m.event[PREAD].no_exit = true;
	rig_file(&r);
	rawfile_sample(r.f, WAIT_EXIT, 1, 0, 7, V(-110));
	rawfile_sample(r.f, WAIT_EXIT, 2, 0, 7, V(1));
	rawfile_sample(r.f, WAIT_EXIT, 3, 0, 7, V(0));
	rawfile_sample(r.f, TO_HOST, 4, 0, 7, V(0, 1, 0, 0, 3));
	rawfile_sample(r.f, PREAD, 5, 0, 7, V(3, 1, 1));
	rig_open(&r, NULL);
	assert_int_equal(sample(&r).bits, SAMPLE_FAILED);
	assert_int_equal(sample(&r).bits, SAMPLE_PENDING);
	assert_int_equal(sample(&r).bits, 0);
	assert_int_equal(sample(&r).bits, SAMPLE_CIRCULAR);
	assert_int_equal(sample(&r).bits, SAMPLE_BLOCKING | SAMPLE_NO_EXIT);
	rig_end(&r);
}

/* An exit's condition may ask for what only the entry carries. */
static void test_condition_on_the_entrys_argument(void **state)
{
	struct rig r;

	(void)state;
	rig_begin(&r);
	condition_parse("channel==2", &r.m.event[WAIT_EXIT].pending, NULL);
	rig_file(&r);
	rawfile_sample(r.f, WAIT, 1, 0, 7, V(2));
	rawfile_sample(r.f, WAIT_EXIT, 2, 0, 7, V(0));
	rawfile_sample(r.f, WAIT, 3, 0, 7, V(1));
	rawfile_sample(r.f, WAIT_EXIT, 4, 0, 7, V(0));
	rig_open(&r, NULL);
	sample(&r);
	assert_int_equal(sample(&r).bits, SAMPLE_PENDING);
	sample(&r);
	assert_int_equal(sample(&r).bits, 0);
	rig_end(&r);
}

static void test_direction_by_field(void **state)
{
	struct rig r;

	(void)state;
	rig_begin(&r);
	condition_parse("flags==0", &r.m.event[TO_HOST].from_host, NULL);
	rig_file(&r);
	rawfile_sample(r.f, TO_HOST, 1, 0, 7, V(0, 1, 0, 0, 0));
	rawfile_sample(r.f, TO_HOST_EXIT, 2, 0, 7, V(0));
	rawfile_sample(r.f, TO_HOST, 3, 0, 7, V(0, 1, 0, 0, 1));
	rig_open(&r, NULL);
	assert_int_equal(sample(&r).direction, DIR_FROM_HOST);
	assert_int_equal(sample(&r).direction, DIR_FROM_HOST);
	assert_int_equal(sample(&r).direction, DIR_TO_HOST);
	rig_end(&r);
}

/* ---- descriptors and cards ---- */

static void add_fd(struct rig *r, int32_t pid, int32_t fd, int64_t from_ns,
		   const char *path)
{
	struct meta_fd *one = meta_add_fd(&r->m);

	one->pid = pid;
	one->fd = fd;
	one->from_ns = from_ns;
	one->path = strdup(path);
}

static void add_path(struct rig *r, const char *pattern, enum direction d)
{
	struct meta_path *path = meta_add_path(&r->m.event[PREAD]);

	path->pattern = strdup(pattern);
	path->direction = d;
}

static void pread_of(struct rig *r, int64_t t, int pid, int fd)
{
	rawfile_sample(r->f, PREAD, t, 0, pid, V(fd, 512, 0));
}

static void expect_path(struct rig *r, enum role role, int64_t card, int64_t channel,
			enum direction d)
{
	struct sample s = sample(r);

	assert_int_equal(s.role, role);
	assert_int_equal(s.card, card);
	assert_int_equal(s.channel, channel);
	assert_int_equal(s.direction, d);
}

static void test_descriptor_to_device(void **state)
{
	const struct event_card *card;
	struct rig r;

	(void)state;
	rig_begin(&r);
	add_path(&r, "/dev/xdma{card}_c2h_{channel}", DIR_TO_HOST);
	add_path(&r, "/dev/xdma{card}_h2c_{channel:x}", DIR_FROM_HOST);
	add_fd(&r, 7, 3, 500, "/dev/xdma5_c2h_1"); /* reopened at 500 */
	add_fd(&r, 7, 3, 100, "/dev/xdma0_h2c_a");
	add_fd(&r, 7, 4, 100, "/var/log/x");
	add_fd(&r, 8, 3, 100, "/dev/xdma0_c2h_2");
	rig_file(&r);
	pread_of(&r, 50, 7, 3); /* before it was first seen: that it was */
	rawfile_sample(r.f, PREAD_EXIT, 51, 0, 7, V(512));
	pread_of(&r, 499, 7, 3);
	rawfile_sample(r.f, PREAD_EXIT, 499, 0, 7, V(512));
	pread_of(&r, 500, 7, 3);
	rawfile_sample(r.f, PREAD_EXIT, 501, 0, 7, V(512));
	pread_of(&r, 600, 7, 4);
	pread_of(&r, 601, 8, 3);
	pread_of(&r, 602, 8, 5); /* never seen */
	pread_of(&r, 603, 9, 3);
	rig_open(&r, NULL);
	expect_path(&r, ROLE_SUBMIT, 0, 10, DIR_FROM_HOST);
	expect_path(&r, ROLE_WOKEN, 0, 10, DIR_FROM_HOST);
	expect_path(&r, ROLE_SUBMIT, 0, 10, DIR_FROM_HOST);
	expect_path(&r, ROLE_WOKEN, 0, 10, DIR_FROM_HOST);
	expect_path(&r, ROLE_SUBMIT, 1, 1, DIR_TO_HOST);
	expect_path(&r, ROLE_WOKEN, 1, 1, DIR_TO_HOST);
	expect_path(&r, ROLE_OTHER, U, U, DIR_UNKNOWN);
	assert_int_equal(event_unresolved(r.d), 0);
	expect_path(&r, ROLE_SUBMIT, 0, 2, DIR_TO_HOST);
	expect_path(&r, ROLE_OTHER, U, U, DIR_UNKNOWN);
	expect_path(&r, ROLE_OTHER, U, U, DIR_UNKNOWN);
	assert_int_equal(event_unresolved(r.d), 2);
	assert_int_equal(event_cards(r.d, &card), 2);
	assert_int_equal(card[0].key, 0);
	assert_int_equal(card[1].key, 5);
	assert_int_equal(card[1].pid, -1);
	rig_end(&r);
}

/* The same small number is the same card everywhere, the same pointer is not. */
static void test_cards(void **state)
{
	const struct event_card *card;
	struct rig r;

	(void)state;
	rig_begin(&r);
	rig_file(&r);
	rawfile_sample(r.f, TO_HOST, 1, 0, 7, V(0, 1, 0, 1, 0));
	rawfile_sample(r.f, TO_HOST, 2, 0, 8, V(0, 1, 0, 1, 0));
	rawfile_sample(r.f, TO_HOST, 3, 0, 7, V(0, 1, 0, 0x7f0000001000, 0));
	rawfile_sample(r.f, TO_HOST, 4, 0, 8, V(0, 1, 0, 0x7f0000001000, 0));
	rawfile_sample(r.f, TO_HOST, 5, 0, 7, V(0, 1, 0, 0x7f0000001000, 0));
	rig_open(&r, NULL);
	assert_int_equal(sample(&r).card, 0);
	assert_int_equal(sample(&r).card, 0);
	assert_int_equal(sample(&r).card, 1);
	assert_int_equal(sample(&r).card, 2);
	assert_int_equal(sample(&r).card, 1);
	assert_int_equal(event_cards(r.d, &card), 3);
	assert_int_equal(card[2].pid, 8);
	assert_int_equal(card[2].key, 0x7f0000001000);
	rig_end(&r);
}

static void test_too_many_cards(void **state)
{
	struct perfdata_rec rec;
	struct err e = {0};
	struct sample s;
	struct rig r;
	int n = 0;

	(void)state;
	rig_begin(&r);
	rig_file(&r);
	for (int i = 0; i <= 65536; i++)
		rawfile_sample(r.f, TO_HOST, 1 + i, 0, 7, V(0, 1, 0, 0x100000 + i, 0));
	rig_open(&r, NULL);
	while (perfdata_next(r.p, &rec, &e) > 0 && event_decode(r.d, &rec, &s, &e) > 0)
		assert_int_equal(s.card, n++);
	assert_int_equal(n, 65536);
	assert_int_equal(e.code, ERR_LIMIT);
	rig_end(&r);
}

/* ---- damage ---- */

static int decode_error(struct rig *r, const char *part)
{
	struct perfdata_rec rec;
	struct err e = {0};
	struct sample s;
	int rc;

	while (perfdata_next(r->p, &rec, NULL) > 0) {
		rc = event_decode(r->d, &rec, &s, &e);
		if (rc < 0 && !strstr(e.text, part))
			fail_msg("%s", e.text);
		if (rc < 0)
			return rc;
	}
	fail_msg("no error");
	return 0;
}

static uint64_t data_of(const struct rig *r)
{
	uint64_t v;

	memcpy(&v, (const char *)r->buf + 40, 8);
	return v;
}

static void patched(uint64_t at, uint32_t value, const char *part)
{
	struct rig r;

	rig_begin(&r);
	rig_file(&r);
	submit(&r, 1, 7, 3, 4096);
	r.buf = rawfile_finish(r.f, &r.m, true, &r.len);
	r.f = NULL;
	memcpy((char *)r.buf + data_of(&r) + at, &value, 4);
	rig_open(&r, NULL);
	assert_int_equal(decode_error(&r, part), ERR_FORMAT);
	rig_end(&r);
}

static void test_damaged_samples(void **state)
{
	enum { RAW_LEN = 56, RAW = 60 }; /* in a sample of rawfile */

	(void)state;
	patched(RAW_LEN, 20, "of its raw data, which has 20 bytes");
	patched(RAW_LEN, 0, "of its raw data, which has 0 bytes");
	patched(RAW, 999, "its raw data is of event 999");
}

static void expect_no_decoder(struct rig *r, int code, const char *part)
{
	struct err e = {0};

	meta_release(&r->m);
	assert_int_equal(perfdata_open_mem(&r->p, r->buf, r->len, "mem", &e), 0);
	assert_int_equal(event_decoder_new(&r->d, r->p, NULL, &r->m, &r->guessed, &e),
			 code);
	assert_null(r->d);
	if (!strstr(e.text, part))
		fail_msg("%s", e.text);
	rig_end(r);
}

static void test_foreign_attribute(void **state)
{
	struct rig r;

	(void)state;
	rig_begin(&r);
	r.m.event[IRQ].attr = 8;
	r.buf = rawfile_finish(rawfile_new(events, NEVENT, &r.m), &r.m, true, &r.len);
	expect_no_decoder(&r, ERR_FORMAT,
			  "event 0 belongs to attribute 8, the file has 8");
}

static void damaged_formats(const char *find, const char *put, const char *part)
{
	struct rig r;
	char *at;

	rig_begin(&r);
	r.buf = rawfile_finish(rawfile_new(events, NEVENT, NULL), NULL, true, &r.len);
	at = memmem(r.buf, r.len, find, strlen(find));
	assert_non_null(at);
	memcpy(at, put, strlen(find));
	expect_no_decoder(&r, ERR_FORMAT, part);
}

static void test_damaged_formats(void **state)
{
	(void)state;
	damaged_formats("\nID: 103\n", "\nID: 903\n",
			"event 3 (dmarec_1:dma_wait, number 103) has no format");
	damaged_formats("\nID: 103\n", "\nIX: 103\n", "has no ID line");
	damaged_formats("tracing0.6", "Tracing0.6",
			"does not begin with its magic number");
}

/* The formats around what we read: arrays, strings, fields of the future. */
static void test_formats_of_real_kernels(void **state)
{
	static const struct raw_event odd[] = {
		{"irq:irq_handler_entry", "s32 irq", true}};
	const char old[] = "\tfield:s32 irq;\toffset:8;\tsize:4;\tsigned:1;\n";
	struct rig r = {.guessed = false};
	char *at;

	(void)state;
	meta_init(&r.m);
	r.f = rawfile_new(odd, 1, NULL);
	rawfile_sample(r.f, 0, 5, 0, 0, V(33));
	r.buf = rawfile_finish(r.f, NULL, true, &r.len);
	r.f = NULL;
	/* the same length, with a string behind the number */
	at = memmem(r.buf, r.len, old, sizeof(old) - 1);
	assert_non_null(at);
	memcpy(at, "\tfield:int irq;\toffset:8;\tsize:4;\tsigned:1;\n\n\n\n",
	       sizeof(old) - 1);
	rig_open(&r, NULL);
	assert_int_equal(sample(&r).irq, 33);
	rig_end(&r);
}

/* ---- guessed ---- */

static void test_guessed_roles(void **state)
{
	static const struct raw_event perf[] = {
		{"irq:irq_handler_entry", "s32 irq", true},
		{"irq:irq_handler_exit", "s32 irq,s32 ret", true},
		{"probe_libblkdma:dma_to_host", "u32 channel,u64 size", false},
		{"probe_libblkdma:dma_to_host__return", "s32 arg1", false},
		{"probe_libblkdma:dma_from_host_1", "u32 channel,u64 size", false},
		{"probe_libflx:_ZN7FlxCard8dma_waitEj", "u32 dma_id", false},
		{"probe_libflx:dma_wait_exit_2", "", false},
		{"probe_libflx:doorbell", "", false},
		{"probe_libflx:dma_stop", "u32 chan", false},
		{"sched:dma_to_host", "u32 channel", true},
		{"probe_l:unrelated", "u32 channel", false},
	};
	static const struct {
		enum role role;
		enum direction direction;
		int64_t value[2];
	} want[] = {
		{ROLE_INTERRUPT, DIR_UNKNOWN, {5, 0}},
		{ROLE_HANDLED, DIR_UNKNOWN, {5, 1}},
		{ROLE_SUBMIT, DIR_TO_HOST, {1, 64}},
		{ROLE_STARTED, DIR_TO_HOST, {-3, 0}},
		{ROLE_SUBMIT, DIR_FROM_HOST, {1, 64}},
		{ROLE_WAIT, DIR_UNKNOWN, {1, 0}},
		{ROLE_WOKEN, DIR_UNKNOWN, {0, 0}},
		{ROLE_DOORBELL, DIR_UNKNOWN, {0, 0}},
		{ROLE_STOP, DIR_UNKNOWN, {1, 0}},
		{ROLE_OTHER, DIR_UNKNOWN, {1, 0}},
		{ROLE_OTHER, DIR_UNKNOWN, {1, 0}},
	};
	enum { N = sizeof(perf) / sizeof(*perf) };
	struct sample s[N];
	struct rig r = {.guessed = false};

	(void)state;
	meta_init(&r.m);
	r.f = rawfile_new(perf, N, NULL);
	for (int i = 0; i < N; i++)
		rawfile_sample(r.f, (size_t)i, 100 + i, 0, 7, want[i].value);
	r.buf = rawfile_finish(r.f, NULL, true, &r.len);
	r.f = NULL;
	rig_open(&r, NULL);
	assert_true(r.guessed);
	assert_string_equal(r.m.clock, "monotonic");
	assert_int_equal(r.m.nevent, N);
	for (int i = 0; i < N; i++) {
		s[i] = sample(&r);
		if (s[i].role != want[i].role || s[i].direction != want[i].direction)
			fail_msg("%s: %s %s", perf[i].name, role_name(s[i].role),
				 direction_name(s[i].direction));
	}
	assert_int_equal(s[1].irq, 5);
	assert_int_equal(s[1].ret, 1);
	assert_int_equal(s[3].ret, -3);
	assert_int_equal(s[3].channel, 1); /* of its entry */
	assert_int_equal(s[5].channel, 1);
	assert_true(s[4].bits & SAMPLE_NO_EXIT);
	assert_false(s[2].bits & SAMPLE_NO_EXIT);
	rig_end(&r);
}

/* Where the file has no names of its events, their formats have. */
static void test_names_from_formats(void **state)
{
	static const struct raw_event one[] = {
		{"uprobes:dma_wait", "u32 channel", false}};
	struct rig r = {.guessed = false};
	uint64_t *word, twelve = FEAT_EVENT_DESC, none = 77;
	char *directory;

	(void)state;
	meta_init(&r.m);
	r.f = rawfile_new(one, 1, NULL);
	rawfile_sample(r.f, 0, 5, 0, 7, V(2));
	r.buf = rawfile_finish(r.f, NULL, false, &r.len);
	r.f = NULL;
	directory = memmem(r.buf, r.len, "DMAREC\0\1", 8);
	assert_non_null(directory);
	word = memmem(directory, 200, &twelve, 8);
	assert_non_null(word);
	memcpy(word, &none, 8);
	rig_open(&r, NULL);
	assert_string_equal(r.m.event[0].name, "uprobes:dma_wait");
	assert_int_equal(sample(&r).role, ROLE_WAIT);
	rig_end(&r);
}

static void test_rules_win(void **state)
{
	static const struct raw_event perf[] = {{"probe_l:go", "u32 channel", false}};
	struct event_rules rules = {NULL, 0};
	struct rig r = {.guessed = false};
	struct err e = {0};
	struct sample s;

	(void)state;
	meta_init(&r.m);
	r.f = rawfile_new(perf, 1, NULL);
	rawfile_sample(r.f, 0, 5, 0, 7, V(2));
	r.buf = rawfile_finish(r.f, NULL, true, &r.len);
	r.f = NULL;
	rules.role = (void *)(const char *const[]){"go", "submit:from_host"};
	rules.nrole = 1;
	rig_open(&r, &rules);
	s = sample(&r);
	assert_int_equal(s.role, ROLE_SUBMIT);
	assert_int_equal(s.direction, DIR_FROM_HOST);
	event_decoder_free(r.d);
	meta_release(&r.m);
	rules.role = (void *)(const char *const[]){"probe_l:stop", "submit"};
	assert_int_equal(event_decoder_new(&r.d, r.p, &rules, &r.m, &r.guessed, &e),
			 ERR_NOTFOUND);
	assert_non_null(strstr(e.text, "it has probe_l:go"));
	meta_release(&r.m);
	e = (struct err){0};
	rules.role = (void *)(const char *const[]){"go", "begin"};
	assert_int_equal(event_decoder_new(&r.d, r.p, &rules, &r.m, &r.guessed, &e),
			 ERR_USAGE);
	rig_end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_widths_and_signs),
		cmocka_unit_test(test_fields_of_a_start),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_constants),
		cmocka_unit_test(test_when_takes_the_call_out),
		cmocka_unit_test(test_fail_pending_circular),
		cmocka_unit_test(test_condition_on_the_entrys_argument),
		cmocka_unit_test(test_direction_by_field),
		cmocka_unit_test(test_descriptor_to_device),
		cmocka_unit_test(test_cards),
		cmocka_unit_test(test_too_many_cards),
		cmocka_unit_test(test_damaged_samples),
		cmocka_unit_test(test_foreign_attribute),
		cmocka_unit_test(test_damaged_formats),
		cmocka_unit_test(test_formats_of_real_kernels),
		cmocka_unit_test(test_guessed_roles),
		cmocka_unit_test(test_names_from_formats),
		cmocka_unit_test(test_rules_win),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
