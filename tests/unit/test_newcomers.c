/* SPDX-License-Identifier: GPL-2.0-only */
/* record/newcomers, record/choice, record/irqfilter: interrupts that appear while recording;
 * and what the kernel's filter can hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"
#include "record/choice.h"
#include "record/host/irqmap.h"
#include "record/irqfilter.h"
#include "record/newcomers.h"
#include "record/profile/profile.h"
#include "tests/unit/tree.h"

#define LATER TEST_SOURCE "/tests/data/irq/rhel7" /* 68 to 75 are flx's there */

static const char before[] = "           CPU0       CPU1\n"
			     "  0:  10  0  IO-APIC-edge  timer\n"
			     " 16:   3  0  IO-APIC-fasteoi  ehci\n"
			     " 40:   3  0  PCI-MSI-edge  nvme0q0\n";

static struct irqmap map;
static struct profile profile;
static struct err err;

static int setup(void **state)
{
	(void)state;
	err = (struct err){0};
	profile_init(&profile);
	return irqmap_parse(&map, before, sizeof(before) - 1, &err);
}

static int teardown(void **state)
{
	(void)state;
	profile_release(&profile);
	irqmap_release(&map);
	return 0;
}

static void a_pattern_waits_for_its_interrupts(void **state)
{
	const char *device[] = {"flx*"};
	struct irq_choice c = {.device = device, .ndevice = 1, .profile = &profile};
	const struct irq_info *come;
	struct newcomers *n;
	int32_t *irq = NULL;
	size_t nirq = 0;

	(void)state;
	assert_int_equal(irq_choose(&c, &map, &irq, &nirq, &err), 0);
	assert_int_equal(nirq, 0);
	assert_non_null(strstr(c.absent, "flx*: no interrupt is called so yet"));
	assert_int_equal(newcomers_new(&n, LATER, &map, irq, nirq, &c, &err), 0);
	assert_int_equal(newcomers_want(n, 40, "nvme0q0", &err), 0);
	assert_int_equal(newcomers_want(n, 68, "flx", &err), 1);
	assert_int_equal(newcomers_want(n, 68, "flx", &err), 1);
	/* gone again when one looks: the sample knew its name */
	assert_int_equal(newcomers_want(n, 70000, "flx-dma", &err), 1);
	assert_int_equal(newcomers_want(n, 70001, "other", &err), 0);
	assert_int_equal(newcomers_want(n, -1, "flx", &err), 0);
	assert_int_equal(newcomers_want(n, INT32_MAX, "flx", &err), 0);
	assert_int_equal(newcomers_list(n, &come), 2);
	assert_int_equal(come[0].irq, 68);
	assert_string_equal(come[0].name, "flx");
	assert_string_equal(come[1].name, "flx-dma");
	newcomers_free(n);
	irq_choice_release(&c);
	free(irq);
}

static void a_whole_name_that_is_not_here_is_refused(void **state)
{
	const char *device[] = {"flx"};
	struct irq_choice c = {.device = device, .ndevice = 1, .profile = &profile};
	int32_t *irq = NULL;
	size_t nirq = 0;

	(void)state;
	assert_int_equal(irq_choose(&c, &map, &irq, &nirq, &err), ERR_NOTFOUND);
	assert_non_null(strstr(err.text, "a trailing * "));
	irq_choice_release(&c);
	free(irq);
}

static void without_a_name_every_device_that_comes(void **state)
{
	struct irq_choice c = {.profile = &profile};
	struct newcomers *n;
	int32_t *irq = NULL;
	size_t nirq = 0;

	(void)state;
	assert_int_equal(irq_choose(&c, &map, &irq, &nirq, &err), 0);
	assert_int_equal(nirq, 2);
	assert_int_equal(newcomers_new(&n, LATER, &map, irq, nirq, &c, &err), 0);
	assert_int_equal(newcomers_want(n, 0, "timer", &err), 0);
	assert_int_equal(newcomers_want(n, 16, "ehci", &err), 1);
	assert_int_equal(newcomers_want(n, 70000, "card", &err), 1);
	assert_int_equal(newcomers_want(n, 70001, "riscv-timer", &err), 0);
	newcomers_free(n);
	irq_choice_release(&c);
	free(irq);
}

/* Of a line that devices share what handlers return is wanted, too; of a vector of one's own
 * only the entry. A line of others is left in where an awaited device may come to share it. */
static void lines_that_are_shared(void **state)
{
	static const char text[] = "           CPU0       CPU1\n"
				   " 16:   3  0  IO-APIC-fasteoi  ehci_hcd:usb1, uhci\n"
				   " 17:   3  0  IO-APIC-fasteoi  acpi\n"
				   " 40:   3  0  PCI-MSI-edge  nvme0q0\n";
	const char *device[] = {"i801*", "flx*", "nvme0q0"};
	struct irq_choice c = {.device = device, .ndevice = 3, .profile = &profile};
	int32_t *irq = NULL, *no = NULL, plain;
	struct newcomers *n;
	struct irqmap here;
	size_t nirq = 0, nno = 0;

	(void)state;
	assert_int_equal(irqmap_parse(&here, text, sizeof(text) - 1, &err), 0);
	assert_int_equal(irq_choose(&c, &here, &irq, &nirq, &err), 0);
	assert_int_equal(nirq, 1);
	assert_int_equal(
		newcomers_excluded(&here, irq, nirq, &c, IRQ_ENTRY, &no, &nno, &err), 0);
	assert_int_equal(nno, 1);
	assert_int_equal(no[0], 17);
	free(no);
	assert_int_equal(
		newcomers_excluded(&here, irq, nirq, &c, IRQ_EXIT, &no, &nno, &err), 0);
	assert_int_equal(nno, 2);
	assert_int_equal(no[1], 40);
	free(no);
	assert_int_equal(newcomers_new(&n, LATER, &here, irq, nirq, &c, &err), 0);
	assert_int_equal(newcomers_want(n, 16, "ehci_hcd:usb1", &err), 0);
	assert_false(newcomers_want_exit(n, 16));
	assert_int_equal(newcomers_want(n, 16, "i801_smbus", &err), 1);
	assert_true(newcomers_want_exit(n, 16));
	assert_int_equal(newcomers_want(n, 16, "ehci_hcd:usb1", &err), 1);
	assert_int_equal(newcomers_want(n, 17, "i801_smbus", &err), 0);
	assert_int_equal(newcomers_want(n, 68, "flx", &err), 1);
	assert_false(newcomers_want_exit(n, 68));
	assert_true(newcomers_next_plain(n, &plain));
	assert_int_equal(plain, 68);
	assert_false(newcomers_next_plain(n, &plain));
	newcomers_free(n);
	irqmap_release(&here);
	irq_choice_release(&c);
	free(irq);
}

/* ---- a machine made here: one line, the cards on it, whose driver may be there ---- */

static char machine[64];

static void put(const char *path, const char *text)
{
	char full[300];
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", machine, path);
	for (char *slash = full + strlen(machine) + 1; (slash = strchr(slash, '/'));
	     slash++) {
		*slash = '\0';
		mkdir(full, 0700);
		*slash = '/';
	}
	f = fopen(full, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void card(const char *bdf, const char *line, const char *device, bool driven)
{
	char path[300];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/irq", bdf);
	put(path, line);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vendor", bdf);
	put(path, "0x10ee\n");
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/device", bdf);
	put(path, device);
	snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/%s/driver", machine, bdf);
	if (driven)
		assert_int_equal(symlink("/sys/bus/pci/drivers/xdma", path), 0);
}

static int machine_setup(void **state)
{
	(void)state;
	err = (struct err){0};
	profile_init(&profile);
	snprintf(machine, sizeof(machine), "/tmp/newcomers.XXXXXX");
	assert_non_null(mkdtemp(machine));
	put("/proc/interrupts", "           CPU0       CPU1\n"
				" 19:   3  0  IO-APIC-fasteoi  ahci[0000:00:1f.2], xdma\n"
				" 20:   3  0  IO-APIC-fasteoi  uhci\n");
	card("0000:00:1f.2", "19\n", "0x2922\n", true);
	card("0000:00:1a.0", "20\n", "0x2937\n", true);
	return irqmap_read(&map, machine, &err);
}

static int machine_teardown(void **state)
{
	teardown(state);
	return tree_remove(machine);
}

/* The address of a card without a driver, whose line is another's so far. */
static void an_address_waits_for_its_line(void **state)
{
	const char *pci[] = {"03:00.0"};
	struct irq_choice c = {
		.pci = pci, .npci = 1, .profile = &profile, .absent = (char *)"awaited"};
	const struct irq_info *come;
	int32_t *no, irq[1];
	struct newcomers *n;
	size_t nno;

	(void)state;
	card("0000:03:00.0", "19\n", "0x7038\n", false);
	assert_int_equal(newcomers_new(&n, machine, &map, irq, 0, &c, &err), 0);
	assert_int_equal(newcomers_want(n, 19, "ahci[0000:00:1f.2]", &err), 0);
	assert_int_equal(newcomers_want(n, 20, "uhci", &err), 0);
	newcomers_free(n);
	card("0000:03:00.0", "19\n", "0x7038\n", true);
	/* both lines of others are let through, since either may be the one */
	assert_int_equal(newcomers_excluded(&map, irq, 0, &c, IRQ_ENTRY, &no, &nno, &err),
			 0);
	assert_int_equal(nno, 0);
	free(no);
	assert_int_equal(newcomers_new(&n, machine, &map, irq, 0, &c, &err), 0);
	assert_int_equal(newcomers_want(n, 19, "ahci[0000:00:1f.2]", &err), 1);
	assert_true(newcomers_want_exit(n, 19));
	assert_int_equal(newcomers_want(n, 20, "uhci", &err), 0);
	assert_int_equal(newcomers_list(n, &come), 1);
	assert_int_equal(come[0].irq, 19);
	newcomers_free(n);
}

/* Two cards that have been on one line since before. */
static void an_address_on_a_line_of_two(void **state)
{
	const char *pci[] = {"0000:03:00.0"};
	struct irq_choice c = {.pci = pci, .npci = 1, .profile = &profile};
	int32_t *irq = NULL;
	struct irqmap now;
	size_t nirq = 0;

	(void)state;
	card("0000:03:00.0", "19\n", "0x7038\n", true);
	assert_int_equal(irqmap_read(&now, machine, &err), 0);
	assert_null(irqmap_find(&now, 19)->bdf);
	assert_int_equal(irq_choose(&c, &now, &irq, &nirq, &err), 0);
	assert_int_equal(nirq, 1);
	assert_int_equal(irq[0], 19);
	assert_null(c.absent);
	free(irq);
	irq = NULL;
	nirq = 0;
	assert_int_equal(irqmap_select_pci_id(&now, 0x10ee, 0x7038, &irq, &nirq, &err),
			 0);
	assert_int_equal(nirq, 1);
	assert_int_equal(irq[0], 19);
	free(irq);
	irq_choice_release(&c);
	irqmap_release(&now);
}

/* By what /sys says of a machine: handlers of two drivers, a line of one PCI device's, and
 * neither. */
static void which_lines_may_be_shared(void **state)
{
	struct irqmap m;
	const int32_t irq[] = {9, 16, 68};
	int32_t *list;
	size_t n;

	(void)state;
	assert_int_equal(irqmap_read(&m, TEST_SOURCE "/tests/data/irq/rhel9", &err), 0);
	assert_true(irq_may_be_shared(irqmap_find(&m, 16)));
	assert_true(irq_may_be_shared(irqmap_find(&m, 17)));
	irqmap_release(&m);
	assert_int_equal(irqmap_read(&m, LATER, &err), 0);
	assert_int_equal(irq_choose_shared(&m, irq, 3, &list, &n, &err), 0);
	assert_int_equal(n, 1);
	assert_int_equal(list[0], 16);
	free(list);
	irqmap_release(&m);
}

static void numbers_that_are_named_stay_alone(void **state)
{
	const int64_t number[] = {40};
	struct irq_choice c = {.irq = number, .nirq = 1, .profile = &profile};
	int32_t *irq = NULL, *no = NULL;
	struct newcomers *n;
	size_t nirq = 0, nno = 0;

	(void)state;
	assert_int_equal(irq_choose(&c, &map, &irq, &nirq, &err), 0);
	assert_int_equal(newcomers_new(&n, LATER, &map, irq, nirq, &c, &err), 0);
	assert_int_equal(newcomers_want(n, 40, "nvme0q0", &err), 1);
	assert_int_equal(newcomers_want(n, 68, "flx", &err), 0);
	assert_int_equal(
		newcomers_excluded(&map, irq, nirq, &c, IRQ_ENTRY, &no, &nno, &err), 0);
	assert_int_equal(nno, 2);
	assert_int_equal(no[0], 0);
	assert_int_equal(no[1], 16);
	newcomers_free(n);
	irq_choice_release(&c);
	free(irq);
	free(no);
}

static void filters_leave_out(void **state)
{
	const int32_t some[] = {0, 16, 28, 29, 30, 70000};
	char *text;
	size_t used;

	(void)state;
	text = irq_filter(some, 6, &used);
	assert_string_equal(text, "irq!=0&&irq!=16&&(irq<28||irq>30)");
	assert_int_equal(used,
			 5); /* the last is above the BPF program's map: it passes */
	free(text);
	text = irq_filter(NULL, 0, &used);
	assert_string_equal(text, "");
	assert_int_equal(used, 0);
	free(text);
}

/* 1,500 interrupts, every other one wanted: more than a page of text. */
static void filters_fit_into_a_page(void **state)
{
	int32_t odd[750];
	char *text, last[32];
	size_t used;

	(void)state;
	for (int i = 0; i < 750; i++)
		odd[i] = 4000 + 2 * i;
	text = irq_filter(odd, 750, &used);
	assert_true(strlen(text) < IRQ_FILTER_BYTES);
	assert_true(strlen(text) > IRQ_FILTER_BYTES - 20);
	assert_true(used > 300 && used < 750);
	snprintf(last, sizeof(last), "irq!=%d", odd[used - 1]);
	assert_string_equal(text + strlen(text) - strlen(last), last);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_pattern_waits_for_its_interrupts, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_whole_name_that_is_not_here_is_refused,
						setup, teardown),
		cmocka_unit_test_setup_teardown(without_a_name_every_device_that_comes,
						setup, teardown),
		cmocka_unit_test_setup_teardown(numbers_that_are_named_stay_alone, setup,
						teardown),
		cmocka_unit_test_setup_teardown(lines_that_are_shared, setup, teardown),
		cmocka_unit_test_setup_teardown(an_address_waits_for_its_line,
						machine_setup, machine_teardown),
		cmocka_unit_test_setup_teardown(an_address_on_a_line_of_two,
						machine_setup, machine_teardown),
		cmocka_unit_test(which_lines_may_be_shared),
		cmocka_unit_test(filters_leave_out),
		cmocka_unit_test(filters_fit_into_a_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
