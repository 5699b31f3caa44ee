/* SPDX-License-Identifier: GPL-2.0-only */
/* What `dmarec --list` prints, on fixtures of machines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/err.h"
#include "record/list.h"
#include "record/profile/profile.h"

static struct err err;
static char *text;

static int release(void **state)
{
	(void)state;
	free(text);
	text = NULL;
	memset(&err, 0, sizeof(err));
	return 0;
}

static int run(const char *fixture, struct list_options o)
{
	char root[512];
	size_t len;
	FILE *f = open_memstream(&text, &len);
	int rc;

	snprintf(root, sizeof(root), "%s/tests/data/irq/%s", TEST_SOURCE, fixture);
	o.root = root;
	if (!o.interval_ms)
		o.interval_ms = -1;
	rc = list_run(&o, f, &err);
	fclose(f);
	return rc;
}

static void has(const char *part)
{
	if (!strstr(text, part))
		fail_msg("no '%s' in:\n%s", part, text);
}

static void test_eight_vectors_one_name(void **state)
{
	const char *device[] = {"flx"};

	(void)state;
	assert_int_equal(
		run("rhel7", (struct list_options){.device = device, .ndevice = 1}), 0);
	has("PCI 0000:03:00.0  Xilinx Corporation FPGA Card "
	    "XC7VX690T [10ee:7038]  driver flx  link 8 GT/s x8\n");
	has("8 vectors, all called 'flx': only the number "
	    "tells them apart; 1 has fired so far\n");
	has("   68     2?  IR-PCI-MSI flx  0-3         5012        -  ?\n");
	has("vector 2? = ");
	has("masked ? = ");
	assert_null(strstr(text, "eth0"));
}

static void test_everything(void **state)
{
	(void)state;
	assert_int_equal(run("rhel8", (struct list_options){0}), 0);
	has("dmar0");
	has("not of a PCI device\n");
	has("   66      1  IR-PCI-MSI       flx");
	has("yes\n");
	assert_true(strstr(text, "PCI 0000:03:00.0") < strstr(text, "not of a PCI"));
}

static void test_wired(void **state)
{
	const char *pci[] = {"00:17.0"};

	(void)state;
	assert_int_equal(run("rhel9", (struct list_options){.pci = pci, .npci = 1}), 0);
	has("  1 wired interrupt; 1 has fired so far\n");
}

static void test_width(void **state)
{
	static const char *const fixture[] = {"rhel7",	  "rhel8", "rhel9",
					      "debian12", "new",   "other"};

	(void)state;
	for (size_t k = 0; k < sizeof(fixture) / sizeof(*fixture); k++) {
		assert_int_equal(run(fixture[k], (struct list_options){0}), 0);
		for (char *p = text, *end; (end = strchr(p, '\n')); p = end + 1)
			if (end - p > 120)
				fail_msg("%s: %.*s", fixture[k], (int)(end - p), p);
		release(NULL);
	}
}

static void test_rate(void **state)
{
	const char *pci[] = {"03:00.0"};

	(void)state;
	assert_int_equal(
		run("rhel8",
		    (struct list_options){.pci = pci, .npci = 1, .interval_ms = 5}),
		0);
	has("2001        0  no\n");
}

static void test_json(void **state)
{
	const char *device[] = {"flx"};

	(void)state;
	assert_int_equal(
		run("rhel8",
		    (struct list_options){.device = device, .ndevice = 1, .json = true}),
		0);
	has("{\n  \"format\": 1,\n  \"interval_ns\": null,\n  \"cpus\": [0, 1],\n");
	has("{\"pci\": \"0000:03:00.0\", \"vendor_id\": \"10ee\", "
	    "\"device_id\": \"7038\", \"vendor\": null, \"device\": null, "
	    "\"driver\": \"flx\", \"link_speed\": null, \"link_width\": "
	    "null, \"vectors\": 3, \"names\": [\"flx\"]}");
	has("{\"irq\": 66, \"name\": \"flx\", \"chip\": \"IR-PCI-MSI\", "
	    "\"type\": \"edge\", \"hwirq\": 1572865, \"pci\": "
	    "\"0000:03:00.0\", \"vector\": 1, \"vector_guessed\": false, "
	    "\"affinity\": \"0-1\", \"effective_affinity\": \"1\", \"count\": "
	    "7, \"rate_hz\": null, \"masked\": true, \"is_device\": true}");
	has("\"irq\": 67");
	has("\"masked\": null");
}

static void test_json_empty_name(void **state)
{
	const char *pci[] = {"01:00.0"};

	(void)state;
	assert_int_equal(
		run("rhel9", (struct list_options){.pci = pci, .npci = 1, .json = true}),
		0);
	has("{\"irq\": 130, \"name\": null");
	has("\"vectors\": 4, \"names\": [\"xdma\"]");
}

static void test_profile(void **state)
{
	struct profile p;

	(void)state;
	assert_int_equal(profile_read(&p, TEST_SOURCE "/examples/profiles/flx.ini", &err),
			 0);
	assert_int_equal(run("rhel7", (struct list_options){.profile = &p}), 0);
	has("8 vectors");
	release(NULL);
	assert_int_equal(run("new", (struct list_options){.profile = &p}), ERR_NOTFOUND);
	assert_non_null(strstr(err.text, "profile 'flx'"));
	profile_release(&p);
}

static void test_nothing_fits(void **state)
{
	const char *device[] = {"nosuch"};

	(void)state;
	assert_int_equal(
		run("new", (struct list_options){.device = device, .ndevice = 1}),
		ERR_NOTFOUND);
	assert_non_null(strstr(err.text, "virtio1-req.0"));
}

static void test_full_disk(void **state)
{
	FILE *f = fopen("/dev/full", "w");

	(void)state;
	if (!f)
		skip();
	assert_int_not_equal(list_run(&(struct list_options){.interval_ms = -1}, f, &err),
			     0);
	fclose(f);
}

#define T(f) cmocka_unit_test_teardown(f, release)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_eight_vectors_one_name),
		T(test_everything),
		T(test_wired),
		T(test_width),
		T(test_rate),
		T(test_json),
		T(test_json_empty_name),
		T(test_profile),
		T(test_nothing_fits),
		T(test_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
