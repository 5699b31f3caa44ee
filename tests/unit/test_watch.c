/* SPDX-License-Identifier: GPL-2.0-only */
/* What a register may be, where it lies, and what is refused, against a made-up /sys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/file/made.h"
#include "record/profile/profile.h"
#include "record/watch/watch.h"
#include "record/watch/watch_map.h"
#include "tests/unit/tree.h"

enum { BAR_BYTES = 0x1000 };

static char root[64];

static void put_file(const char *path, const void *data, size_t len)
{
	char full[256];
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (char *p = full + strlen(root) + 1; (p = strchr(p, '/')); p++) {
		*p = 0;
		mkdir(full, 0755);
		*p = '/';
	}
	f = fopen(full, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	fclose(f);
}

static void put(const char *path, const char *text)
{
	put_file(path, text, strlen(text));
}

#define CARD "/sys/bus/pci/devices/0000:05:00.0/"

/* Memory BARs 0 and 2, I/O ports in BAR 1. */
static int setup(void **state)
{
	uint8_t bar[BAR_BYTES] = {0};

	(void)state;
	snprintf(root, sizeof(root), "/tmp/test_watch.XXXXXX");
	assert_non_null(mkdtemp(root));
	bar[0x400] = 0x05;
	put(CARD "resource",
	    "0x00000000fe000000 0x00000000fe000fff 0x0000000000040200\n"
	    "0x000000000000c000 0x000000000000c01f 0x0000000000040101\n"
	    "0x00000000fd000000 0x00000000fd000fff 0x0000000000040200\n"
	    "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
	    "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
	    "0x0000000000000000 0x0000000000000000 0x0000000000000000\n");
	put_file(CARD "resource0", bar, sizeof(bar));
	memset(bar, 0xff, sizeof(bar));
	put_file(CARD "resource2", bar, sizeof(bar));
	put(CARD "enable", "1\n");
	put(CARD "vendor", "0x10ee\n");
	put(CARD "device", "0x7038\n");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return tree_remove(root);
}

static struct register_spec parsed(const char *text)
{
	struct register_spec r;
	struct err e = {0};

	register_init(&r);
	if (register_parse(&r, text, &e))
		fail_msg("%s: %s", text, e.text);
	return r;
}

/* ---- the text ---- */

static void text_of_a_register(void **state)
{
	struct register_spec r = parsed("0000:05:00.0:0+0x400:32:bit(channel + 8)");

	(void)state;
	assert_string_equal(r.bdf, "0000:05:00.0");
	assert_int_equal(r.bar, 0);
	assert_int_equal(r.offset, 0x400);
	assert_int_equal(r.width, 32);
	assert_true(r.by_bit);
	assert_int_equal(r.shift, 8);
	assert_int_equal(r.channels, 24);
	assert_string_equal(r.name, "card_0000_05_00_0_0_400");
	register_release(&r);
	r = parsed("05:00.0:2+8:64");
	assert_string_equal(r.bdf, "0000:05:00.0");
	assert_int_equal(r.bar, 2);
	assert_string_equal(r.busy_text, "value != 0");
	register_release(&r);
	r = parsed("/dev/shm/a+b+0x98:32:!value & 0x1");
	assert_string_equal(r.file, "/dev/shm/a+b");
	assert_true(r.negated);
	register_release(&r);
}

static void bad_texts(void **state)
{
	static const char *const bad[] = {"0000:05:00.0:0+0x400",
					  "0000:05:00.0:6+0x400:32",
					  "0000:05:00.0:0+0x401:32",
					  "0000:05:00.0:0+0x400:24",
					  "0000:05:00.0+0x400:32",
					  "nothing+0x400:32",
					  "0000:05:00.0:0+0x400:32:x",
					  "0000:05:00.0:0+0x400:32:bit(channel + 64)",
					  "0000:05:00.0:0+0x400:32:value",
					  "0000:05:00.0:0+0x400:32:value < other"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct register_spec r;
		struct err e = {0};

		register_init(&r);
		if (!register_parse(&r, bad[i], &e))
			fail_msg("'%s' was taken", bad[i]);
		assert_true(e.code);
		register_release(&r);
	}
	assert_false(register_looks("./workload"));
	assert_false(register_looks("c++"));
	assert_true(register_looks("0000:05:00.0:0+0x400:32"));
}

static void what_is_busy(void **state)
{
	struct register_spec r = parsed("/f+0:32:bit(channel + 4)");

	(void)state;
	assert_true(register_busy(&r, 0x20, 1));
	assert_false(register_busy(&r, 0x20, 0));
	register_release(&r);
	r = parsed("/f+0:32:!value & 0x80000000");
	assert_false(register_busy(&r, 0x80000001, 0));
	assert_true(register_busy(&r, 1, 0));
	register_release(&r);
}

static void profile_of_a_register(void **state)
{
	static const char text[] =
		"[profile]\nwatch = every 20us\n[start f]\n[register R]\n"
		"bar = 0\noffset = 0x400\nbusy = bit(channel)\n"
		"channels = 8\n[register S]\nbar = 2\noffset = 0x10\n"
		"width = 64\nbusy = !value & 4\nchannel = 3\n";
	struct profile p;
	struct err e = {0};

	(void)state;
	if (profile_read_mem(&p, text, "t.ini", &e))
		fail_msg("%s", e.text);
	assert_int_equal(p.nreg, 2);
	assert_int_equal(p.watch, WATCH_EVERY);
	assert_int_equal(p.watch_every_ns, 20000);
	assert_string_equal(p.reg[0].name, "R");
	assert_int_equal(p.reg[0].channels, 8);
	assert_int_equal(p.reg[1].channel, 3);
	assert_int_equal(p.reg[1].width, 64);
	profile_release(&p);
}

static void bad_profiles(void **state)
{
	static const char *const bad[][2] = {
		{"[register R]\noffset = 4\n", "bar"},
		{"[register R]\nbar = 0\n", "offset"},
		{"[register R]\nbar = 0\noffset = 2\n", "multiples of 4"},
		{"[register R]\nbar = 0\noffset = 4\nchannels = 4\n", "bit(channel)"},
		{"[register R]\nbar = 0\noffset = 4\nbusy = bit(channel)\nchannels = 33\n",
		 "do not fit"},
		{"[register R]\nbar = 0\noffset = 4\nfile = /x\n", "one of them"},
		{"[register R]\nbar = 0\noffset = 4\nfile = x\n", "absolute"},
		{"[register a-b]\nbar = 0\noffset = 4\n", "letters"},
		{"[profile]\nwatch = sometimes\n", "always"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char text[300];
		struct profile p;
		struct err e = {0};

		snprintf(text, sizeof(text), "%s[start f]\n", bad[i][0]);
		if (!profile_read_mem(&p, text, "t.ini", &e))
			fail_msg("'%s' was taken", bad[i][0]);
		if (!strstr(e.text, bad[i][1]) || !strstr(e.text, "t.ini:"))
			fail_msg("'%s': %s", bad[i][0], e.text);
	}
}

/* ---- where it lies ---- */

static void reading_a_bar(void **state)
{
	struct register_spec r = parsed("0000:05:00.0:0+0x400:32");
	struct watch_map m;
	struct err e = {0};

	(void)state;
	if (watch_map_open(&m, &r, root, 0, &e))
		fail_msg("%s", e.text);
	assert_int_equal(watch_map_read(&m, 32), 5);
	watch_map_close(&m);
	assert_null(m.page);
	register_release(&r);
}

static void refuse(const char *text, uid_t user, const char *why)
{
	struct register_spec r = parsed(text);
	struct watch_map m;
	struct err e = {0};

	if (!watch_map_open(&m, &r, root, user, &e))
		fail_msg("%s was mapped", text);
	if (!strstr(e.text, why))
		fail_msg("%s: %s", text, e.text);
	assert_null(m.page);
	register_release(&r);
}

static void what_is_refused(void **state)
{
	char own[128], text[160];
	char full[256];

	(void)state;
	refuse("0000:06:00.0:0+0x400:32", 0, "there is no PCI device 0000:06:00.0");
	refuse("0000:05:00.0:3+0x400:32", 0,
	       "no BAR 3 that can be mapped; those it has: 0, 2");
	refuse("0000:05:00.0:1+0:32", 0, "I/O ports");
	refuse("0000:05:00.0:0+0x1000:32", 0, "beyond the end of BAR 0");
	refuse("0000:05:00.0:2+0:32", 0, "answers all ones");
	snprintf(own, sizeof(own), "%s/secret", root);
	put("/secret", "01234567");
	chmod(own, 0600);
	snprintf(text, sizeof(text), "%s+0:32", own);
	refuse(text, getuid() + 1, "not yours to read");
	snprintf(text, sizeof(text), "%s+8:32", own);
	refuse(text, 0, "beyond the end");
	snprintf(text, sizeof(text), "%s+0:32", root);
	refuse(text, 0, "no regular file");
	put(CARD "enable", "0\n");
	refuse("0000:05:00.0:0+0x400:32", 0, "not enabled");
	put(CARD "enable", "1\n");
	/* the kernel says no: the reason is looked for */
	snprintf(full, sizeof(full), "%s" CARD "resource0", root);
	unlink(full);
	mkdir(full, 0755);
	put("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
	refuse("0000:05:00.0:0+0x400:32", 0, "locked down");
}

/* ---- which card ---- */

static int find(const struct profile *p, const char *named, char bdf[16], struct err *e)
{
	struct register_spec r;
	int rc;

	register_init(&r);
	r.bar = 0;
	*e = (struct err){0};
	rc = watch_find_card(&r, 1, root, p, named, e);
	snprintf(bdf, 16, "%s", r.bdf ? r.bdf : "");
	register_release(&r);
	return rc;
}

static void which_card(void **state)
{
	static const char text[] = "[start f]\n[interrupt]\npci = 10ee:7038\n";
	struct profile p;
	struct err e = {0};
	char bdf[16];

	(void)state;
	if (profile_read_mem(&p, text, "t.ini", &e))
		fail_msg("%s", e.text);
	assert_int_equal(find(&p, NULL, bdf, &e), 0);
	assert_string_equal(bdf, "0000:05:00.0");
	assert_int_equal(find(&p, "06:00.0", bdf, &e), 0);
	assert_string_equal(bdf, "0000:06:00.0");
	put("/sys/bus/pci/devices/0000:07:00.0/vendor", "0x10ee\n");
	put("/sys/bus/pci/devices/0000:07:00.0/device", "0x7038\n");
	assert_int_equal(find(&p, NULL, bdf, &e), ERR_AMBIGUOUS);
	assert_non_null(strstr(e.text, "0000:05:00.0, 0000:07:00.0"));
	p.pci[0].device = 1;
	assert_int_equal(find(&p, NULL, bdf, &e), ERR_NOTFOUND);
	profile_release(&p);
}

/* ---- the event ---- */

static void format_of_an_event(void **state)
{
	static const struct made_field f[] = {{"s32", "channel"}, {"u64", "value"}};
	char *text = made_format("R", MADE_TYPE(0), f, 2);

	(void)state;
	assert_non_null(strstr(text, "name: R\nID: 65535\nformat:\n"));
	assert_non_null(
		strstr(text, "\tfield:s32 channel;\toffset:8;\tsize:4;\tsigned:1;\n"));
	assert_non_null(
		strstr(text, "\tfield:u64 value;\toffset:16;\tsize:8;\tsigned:0;\n"));
	free(text);
}

int main(void)
{
#define TREE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_of_a_register),
		cmocka_unit_test(bad_texts),
		cmocka_unit_test(what_is_busy),
		cmocka_unit_test(profile_of_a_register),
		cmocka_unit_test(bad_profiles),
		TREE(reading_a_bar),
		TREE(what_is_refused),
		TREE(which_card),
		cmocka_unit_test(format_of_an_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
