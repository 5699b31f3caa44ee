/* SPDX-License-Identifier: GPL-2.0-only */
/* What an event's words mean, against a made-up /sys with units that this machine may not
 * have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/err.h"
#include "record/count/count_event.h"
#include "record/profile/profile.h"
#include "tests/unit/tree.h"

static char root[64];

static void put(const char *path, const char *text)
{
	char full[256];
	FILE *f;

	snprintf(full, sizeof(full), "%s/sys/bus/event_source/devices/%s", root, path);
	for (char *p = full + strlen(root) + 1; (p = strchr(p, '/')); p++) {
		*p = 0;
		mkdir(full, 0755);
		*p = '/';
	}
	f = fopen(full, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* As Intel's IIO, its VT-d unit and a software unit have them. */
static int setup(void **state)
{
	(void)state;
	snprintf(root, sizeof(root), "/tmp/test_count.XXXXXX");
	assert_non_null(mkdtemp(root));
	put("uncore_iio_0/type", "23\n");
	put("uncore_iio_0/cpumask", "0,28\n");
	put("uncore_iio_0/format/event", "config:0-7\n");
	put("uncore_iio_0/format/umask", "config:8-15\n");
	put("uncore_iio_0/format/ch_mask", "config:36-43\n");
	put("uncore_iio_0/format/fc_mask", "config:44-46\n");
	put("uncore_iio_free_running_0/type", "24\n");
	put("uncore_iio_free_running_0/format/event", "config:0-7\n");
	put("uncore_iio_free_running_0/format/umask", "config:8-15\n");
	put("uncore_iio_free_running_0/events/bw_in_port0", "event=0xff,umask=0x20\n");
	put("uncore_iio_free_running_0/events/bw_in_port0.unit", "MiB\n");
	put("uncore_iio_free_running_0/events/bw_in_port0.scale", "3.814697266e-6\n");
	put("dmar0/type", "30\n");
	put("dmar0/format/event", "config:0-27\n");
	put("dmar0/format/event_group", "config:28-31\n");
	put("dmar0/format/filter_requester_en", "config1:0\n");
	put("dmar0/format/filter_requester_id", "config1:16-31\n");
	put("split/type", "40\n");
	put("split/format/event", "config:0-7,32-35\n");
	put("split/format/odd", "other:0-7\n");
	put("msr/type", "9\n");
	put("msr/format/event", "config:0-63\n");
	put("msr/events/tsc", "event=0x00\n");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return tree_remove(root);
}

static struct count_event parsed(const char *text)
{
	struct count_event ev;
	struct err e = {0};

	if (count_event_parse(&ev, root, text, &e))
		fail_msg("%s: %s", text, e.text);
	return ev;
}

static void terms(void **state)
{
	struct count_event ev =
		parsed("uncore_iio_0/event=0x83,umask=0x4,ch_mask=0x1,fc_mask=0x7/");

	(void)state;
	assert_int_equal(ev.type, 23);
	assert_int_equal(ev.config[0],
			 0x83 | 0x4 << 8 | UINT64_C(1) << 36 | UINT64_C(7) << 44);
	assert_int_equal(ev.ncpu, 2);
	assert_int_equal(ev.cpu[1], 28);
	count_event_release(&ev);
	ev = parsed("dmar0/event_group=0x1,event=0x2,filter_requester_en,"
		    "filter_requester_id=0x300/");
	assert_int_equal(ev.config[0], 0x10000002);
	assert_int_equal(ev.config[1], 0x3000001);
	assert_int_equal(ev.ncpu, 0);
	count_event_release(&ev);
	ev = parsed("split/event=0x5a3/");
	assert_int_equal(ev.config[0], UINT64_C(0x5000000a3));
	count_event_release(&ev);
	ev = parsed("dmar0/config=0x12,config1=3/");
	assert_int_equal(ev.config[0], 0x12);
	assert_int_equal(ev.config[1], 3);
	count_event_release(&ev);
}

static void named_events(void **state)
{
	struct count_event ev = parsed("uncore_iio_free_running_0/bw_in_port0/");

	(void)state;
	assert_int_equal(ev.config[0], 0x20ff);
	assert_string_equal(ev.unit, "MiB");
	assert_true(ev.scale > 3.81e-6 && ev.scale < 3.82e-6);
	count_event_release(&ev);
	ev = parsed("msr/tsc/");
	assert_int_equal(ev.type, 9);
	count_event_release(&ev);
	ev = parsed("page-faults");
	assert_int_equal(ev.type, PERF_TYPE_SOFTWARE);
	assert_int_equal(ev.config[0], PERF_COUNT_SW_PAGE_FAULTS);
	count_event_release(&ev);
}

static void what_is_refused(void **state)
{
	static const char *const bad[][2] = {
		{"nothing", "no such event"},
		{"nowhere/event=1/", "no such unit"},
		{"msr/tsc", "no PMU/EVENT/"},
		{"msr//", "no PMU/EVENT/"},
		{"../type/", "no PMU/EVENT/"},
		{"dmar0/speed=1/", "no term 'speed'"},
		{"dmar0/event=x/", "no number"},
		{"uncore_iio_0/event=0x100/", "does not fit"},
		{"split/odd=1/", "does not fit"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct count_event ev;
		struct err e = {0};

		if (!count_event_parse(&ev, root, bad[i][0], &e))
			fail_msg("'%s' was taken", bad[i][0]);
		if (!strstr(e.text, bad[i][1]))
			fail_msg("'%s': %s", bad[i][0], e.text);
		count_event_release(&ev);
	}
}

static void which_units_count_dma(void **state)
{
	char *text = NULL;
	size_t len;
	struct err e = {0};
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_int_equal(count_list(root, out, &e), 0);
	fclose(out);
	assert_non_null(strstr(
		text, "uncore_iio_free_running_0: Intel IIO, counts that always run"));
	assert_non_null(strstr(text, "events: bw_in_port0\n"));
	assert_non_null(strstr(text, "uncore_iio_0: Intel IIO: requests"));
	assert_non_null(strstr(text, "dmar0: Intel VT-d"));
	assert_non_null(strstr(
		text,
		"terms:  event event_group filter_requester_en filter_requester_id\n"));
	assert_null(strstr(text, "msr"));
	free(text);
	out = open_memstream(&text, &len);
	assert_int_equal(count_list_json(root, out, &e), 0);
	fclose(out);
	assert_non_null(strstr(text, "{\"unit\": \"dmar0\", \"counts\": \"Intel VT-d"));
	free(text);
}

static void of_a_profile(void **state)
{
	static const char text[] = "[start f]\n[count]\nevent = msr/tsc/\n"
				   "  dmar0/event=1,event_group=2/\n";
	struct profile p;
	struct err e = {0};

	(void)state;
	if (profile_read_mem(&p, text, "t.ini", &e))
		fail_msg("%s", e.text);
	assert_int_equal(p.ncount, 2);
	assert_string_equal(p.count[1], "dmar0/event=1,event_group=2/");
	profile_release(&p);
}

int main(void)
{
#define TREE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TREE(terms),
		TREE(named_events),
		TREE(what_is_refused),
		TREE(which_units_count_dma),
		cmocka_unit_test(of_a_profile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
