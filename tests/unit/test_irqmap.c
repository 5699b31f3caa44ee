/* SPDX-License-Identifier: GPL-2.0-only */
/* The interrupt map in the formats of old and new kernels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/dma.h"
#include "lib/err.h"
#include "record/host/irqmap.h"
#include "record/host/irqmap_priv.h"
#include "record/host/pciids.h"

static struct irqmap map;
static struct err err;

static const struct irq_info *get(int irq)
{
	const struct irq_info *i = irqmap_find(&map, irq);

	assert_non_null(i);
	return i;
}

static void read_fixture(const char *name)
{
	char root[512];

	snprintf(root, sizeof(root), "%s/tests/data/irq/%s", TEST_SOURCE, name);
	memset(&err, 0, sizeof(err));
	if (irqmap_read(&map, root, &err))
		fail_msg("%s", err.text);
}

static int release(void **state)
{
	(void)state;
	irqmap_release(&map);
	memset(&err, 0, sizeof(err));
	return 0;
}

static void parse(const char *text)
{
	assert_int_equal(irqmap_parse(&map, text, strlen(text), &err), 0);
}

static void test_rhel7(void **state)
{
	const struct irq_info *i;

	(void)state;
	read_fixture("rhel7");
	assert_int_equal(map.ncpu, 4);
	i = get(68);
	assert_string_equal(i->name, "flx");
	assert_string_equal(i->chip, "IR-PCI-MSI");
	assert_string_equal(i->type, "edge");
	assert_int_equal(i->hwirq, -1);
	assert_string_equal(i->bdf, "0000:03:00.0");
	assert_int_equal(i->vector, 2);
	assert_true(i->vector_guessed); /* 3.10 tells no index */
	assert_int_equal(i->count, 5012);
	assert_int_equal(i->cpu_count[1], 12);
	assert_int_equal(i->masked, -1);
	assert_string_equal(i->affinity, "0-3");
	assert_null(i->effective);
	assert_int_equal(i->pci_vendor, 0x10ee);
	assert_int_equal(i->pci_device, 0x7038);
	assert_string_equal(i->driver, "flx");
	assert_string_equal(get(9)->chip, "IR-IO-APIC");
	assert_string_equal(get(9)->type, "fasteoi");
	assert_string_equal(get(65)->name, "PCIe PME, pciehp");
	assert_string_equal(get(16)->bdf, "0000:00:1d.0");
	assert_int_equal(get(16)->vector, -1);
}

/* hwirq of a hierarchical MSI domain holds the index, whatever the order of numbers. */
static void test_rhel8_index_from_hwirq(void **state)
{
	(void)state;
	read_fixture("rhel8");
	assert_int_equal(get(66)->vector, 1);
	assert_int_equal(get(67)->vector, 0);
	assert_int_equal(get(68)->vector, 2);
	assert_false(get(66)->vector_guessed);
	assert_string_equal(get(66)->bdf, "0000:03:00.0");
	assert_string_equal(get(66)->effective, "1");
}

static void test_rhel8_masked_by_debugfs(void **state)
{
	(void)state;
	read_fixture("rhel8");
	assert_int_equal(get(66)->masked, 1);
	assert_int_equal(get(67)->masked, -1);
	assert_int_equal(get(68)->masked, 0);
}

static void test_chip_with_blanks(void **state)
{
	(void)state;
	read_fixture("rhel8");
	assert_string_equal(get(69)->chip, "Hyper-V PCIe MSI");
	assert_int_equal(get(69)->hwirq, 4194304);
	assert_string_equal(get(69)->name, "mlx5_async@pci:0002:00:02.0");
}

static void test_rhel9_offline_cpus_and_names(void **state)
{
	(void)state;
	read_fixture("rhel9");
	assert_int_equal(map.ncpu, 3);
	assert_int_equal(map.cpu[1], 2);
	assert_int_equal(map.cpu[2], 3);
	assert_string_equal(get(17)->name, "one with  two blanks, and a comma");
	assert_true(irq_has_action(get(17), "and a comma"));
	assert_true(irq_has_action(get(16), "uhci_hcd:usb3"));
	assert_false(irq_has_action(get(16), "uhci"));
	assert_true(irq_has_action(get(16), "uhci*"));
	assert_null(get(130)->name);
	assert_int_equal(get(130)->count, 60);
	assert_int_equal(get(131)->vector, 1);
}

/* /proc/interrupts leaves out a vector without a handler; the device's list has it. */
static void test_vector_without_handler(void **state)
{
	(void)state;
	read_fixture("rhel9");
	assert_null(get(133)->name);
	assert_int_equal(get(133)->vector, 3);
	assert_int_equal(get(133)->count, 0);
	assert_false(irq_is_device(get(133)));
}

/* Two devices on one wire: nobody is named. */
static void test_shared_wire(void **state)
{
	(void)state;
	read_fixture("rhel9");
	assert_null(get(16)->bdf);
	assert_string_equal(get(17)->bdf, "0000:00:17.0");
}

static void test_debian12(void **state)
{
	(void)state;
	read_fixture("debian12");
	assert_string_equal(get(25)->chip, "PCI-MSI");
	assert_int_equal(get(25)->vector, 1);
	assert_false(get(25)->vector_guessed);
	assert_int_equal(get(25)->count, 5123);
	assert_false(irq_is_device(get(0)));
	assert_true(irq_is_device(get(25)));
}

static void test_new_kernels(void **state)
{
	(void)state;
	read_fixture("new");
	assert_string_equal(get(36)->chip, "IR-PCI-MSIX");
	assert_string_equal(get(36)->bdf, "0000:00:02.0");
	assert_int_equal(get(36)->vector, 1);
	assert_false(get(36)->vector_guessed);
	assert_string_equal(get(29)->bdf, "0000:00:01.0");
	assert_int_equal(get(29)->vector, 1);
	assert_string_equal(get(37)->name, "ahci[0000:00:1f.2]");
	assert_int_equal(get(30)->vector, 2);
	assert_false(irq_is_device(get(38)));
	assert_null(get(26)->bdf);
}

static void test_other_machines(void **state)
{
	(void)state;
	read_fixture("other");
	assert_string_equal(get(50)->chip, "ITS-MSI");
	assert_int_equal(get(50)->hwirq, 524288);
	assert_string_equal(get(50)->name, "nvme0q0");
	assert_string_equal(get(50)->type, "edge");
	assert_string_equal(get(51)->bdf, "0002:01:00.0");
	assert_int_equal(get(51)->vector, 3);
	assert_string_equal(get(64)->chip, "xen-pirq");
	assert_string_equal(get(64)->type, "msi");
	assert_string_equal(get(64)->name, "eth0");
	assert_string_equal(get(66)->name, "ACPI:Event");
	assert_int_equal(get(66)->hwirq, 2);
	assert_string_equal(get(67)->name, "orphan");
	assert_null(get(68)->name);
	assert_false(irq_is_device(get(11)));
	assert_false(irq_is_device(get(13)));
	assert_false(irq_is_device(get(65)));
	assert_true(irq_is_device(get(64)));
}

/* A sum over columns that are not all there would be a wrong number. */
static void test_cut_line_has_no_count(void **state)
{
	(void)state;
	parse("     CPU0 CPU1 CPU2\n 5: 1 2 3 IO-APIC "
	      "5-edge a\n 6: 1 2 IO-APIC 6-edge b\n"
	      " 7: 1 2 3 4 IO-APIC 7-edge c\n 8: 1 2");
	assert_int_equal(get(5)->count, 6);
	assert_int_equal(get(6)->count, DMA_UNKNOWN);
	assert_null(get(6)->cpu_count);
	assert_string_equal(get(6)->name, "b");
	assert_int_equal(get(7)->count, DMA_UNKNOWN);
	assert_int_equal(get(8)->count, DMA_UNKNOWN);
}

static void test_many_cpus(void **state)
{
	enum { CPUS = 768 };
	char *text = malloc(CPUS * 32), *p = text;

	(void)state;
	for (int k = 0; k < CPUS; k++)
		p += sprintf(p, "       CPU%-4d", k);
	p += sprintf(p, "\n4000000:");
	for (int k = 0; k < CPUS; k++)
		p += sprintf(p, " %10u", 4000000000u);
	sprintf(p, " PCI-MSIX-0001:ff:1f.7 2047-edge      x\n");
	parse(text);
	assert_int_equal(map.ncpu, CPUS);
	assert_int_equal(get(4000000)->count, INT64_C(4000000000) * CPUS);
	assert_int_equal(get(4000000)->vector, 2047);
	assert_string_equal(get(4000000)->bdf, "0001:ff:1f.7");
	free(text);
}

static void test_no_header(void **state)
{
	static const char *const bad[] = {
		"", "\n", "hello\n", " 24: 1 2 a b\n", "CPU0 CPUx\n", "CPU\n"};

	(void)state;
	for (size_t k = 0; k < sizeof(bad) / sizeof(*bad); k++) {
		memset(&err, 0, sizeof(err));
		assert_int_equal(irqmap_parse(&map, bad[k], strlen(bad[k]), &err),
				 ERR_FORMAT);
		assert_non_null(strstr(err.text, "/proc/interrupts"));
	}
}

static void test_no_file(void **state)
{
	(void)state;
	assert_int_equal(irqmap_read(&map, "/nonexistent", &err), ERR_NOTFOUND);
	assert_non_null(strstr(err.text, "/nonexistent/proc/interrupts"));
}

static void test_select(void **state)
{
	int32_t *list = NULL;
	size_t n = 0;

	(void)state;
	read_fixture("rhel7");
	assert_int_equal(irqmap_select_name(&map, "flx", &list, &n, &err), 0);
	assert_int_equal(n, 8);
	assert_int_equal(list[0], 66);
	assert_int_equal(irqmap_select_pci(&map, "03:00.0", &list, &n, &err), 0);
	assert_int_equal(n, 8); /* no doubles */
	assert_int_equal(irqmap_select_pci_id(&map, 0x8086, 0x1521, &list, &n, &err), 0);
	assert_int_equal(n, 9);
	free(list);
	list = NULL;
	n = 0;
	assert_int_equal(irqmap_select_device_irqs(&map, &list, &n, &err), 0);
	assert_int_equal(n, 12); /* without timer, rtc0, dmar0 */
	free(list);
}

static void test_select_nothing(void **state)
{
	int32_t *list = NULL;
	size_t n = 0;

	(void)state;
	read_fixture("rhel7");
	assert_int_equal(irqmap_select_name(&map, "fl", &list, &n, &err), ERR_NOTFOUND);
	assert_non_null(strstr(err.text, "flx, eth0-TxRx-0"));
	memset(&err, 0, sizeof(err));
	assert_int_equal(irqmap_select_pci(&map, "04:00.0", &list, &n, &err),
			 ERR_NOTFOUND);
	assert_non_null(strstr(err.text, "0000:03:00.0"));
	memset(&err, 0, sizeof(err));
	assert_int_equal(irqmap_select_pci(&map, "flx", &list, &n, &err), ERR_USAGE);
	memset(&err, 0, sizeof(err));
	assert_int_equal(irqmap_select_pci_id(&map, 1, 2, &list, &n, &err), ERR_NOTFOUND);
	assert_null(list);
}

static void test_bdf(void **state)
{
	static const char *const bad[] = {"",	     "01:00",	 "1:2:3:4.5", "01:20.0",
					  "01:00.8", "01:00.0 ", "flx",	      "0x1:00.0"};
	char out[16];

	(void)state;
	assert_true(bdf_normalise("01:00.0", out));
	assert_string_equal(out, "0000:01:00.0");
	assert_true(bdf_normalise("10000:E1:1F.7", out));
	assert_string_equal(out, "10000:e1:1f.7");
	for (size_t k = 0; k < sizeof(bad) / sizeof(*bad); k++)
		assert_false(bdf_normalise(bad[k], out));
}

static void test_config_space(void **state)
{
	uint8_t c[256] = {0};

	(void)state;
	assert_int_equal(pci_config_masked(c, sizeof(c), 0), -1);
	c[6] = 0x10;
	c[0x34] = 0x50;
	c[0x50] = 0x11; /* MSI-X, enabled */
	c[0x53] = 0x80;
	assert_int_equal(pci_config_masked(c, sizeof(c), 0), -1);
	c[0x53] = 0xc0; /* function mask */
	assert_int_equal(pci_config_masked(c, sizeof(c), 0), 1);
	assert_int_equal(pci_config_masked(c, 64, 0), -1); /* not root: 64 bytes */
	c[0x50] = 0x05;					   /* MSI, 64 bits, masks */
	c[0x52] = 0x81;
	c[0x53] = 0x01;
	c[0x60] = 0x04;
	assert_int_equal(pci_config_masked(c, sizeof(c), 2), 1);
	assert_int_equal(pci_config_masked(c, sizeof(c), 1), 0);
	c[0x50] = 0x09; /* a list that points to itself */
	c[0x51] = 0x50;
	assert_int_equal(pci_config_masked(c, sizeof(c), 2), -1);
}

static void test_pci_names(void **state)
{
	char root[512], *name;
	struct pci_ids *ids;

	(void)state;
	snprintf(root, sizeof(root), "%s/tests/data/irq/rhel7", TEST_SOURCE);
	ids = pci_ids_open(root);
	assert_non_null(ids);
	name = pci_ids_vendor(ids, 0x10ee);
	assert_string_equal(name, "Xilinx Corporation");
	free(name);
	name = pci_ids_device(ids, 0x10ee, 0x7038);
	assert_string_equal(name, "FPGA Card XC7VX690T");
	free(name);
	assert_null(pci_ids_device(ids, 0x10ee, 0x1521)); /* another vendor's */
	assert_null(pci_ids_device(ids, 0x10ee, 0x0427));
	pci_ids_close(ids);
	assert_null(pci_ids_vendor(NULL, 0x10ee));
}

static void test_counts_again(void **state)
{
	struct irqmap again;
	int64_t taken = 0;
	char root[512];

	(void)state;
	read_fixture("rhel7");
	snprintf(root, sizeof(root), "%s/tests/data/irq/rhel8", TEST_SOURCE);
	assert_int_equal(irqmap_read_counts(&again, root, &taken, &err), 0);
	assert_true(taken > 0);
	assert_int_equal(irqmap_find(&again, 68)->count, 2001);
	assert_null(irqmap_find(&again, 74));
	assert_int_equal(irqmap_fired(&map, &again, 74), DMA_UNKNOWN);
	irqmap_release(&again);
}

static int64_t fired(const char *before, const char *after, int32_t irq)
{
	struct irqmap a, b;
	int64_t n;

	assert_int_equal(irqmap_parse(&a, before, strlen(before), &err), 0);
	assert_int_equal(irqmap_parse(&b, after, strlen(after), &err), 0);
	n = irqmap_fired(&a, &b, irq);
	irqmap_release(&a);
	irqmap_release(&b);
	return n;
}

/* 32 bits for each CPU; and CPUs that come and go with what they had counted. */
static void test_counts_wrap_and_cpus_change(void **state)
{
	const char *two = "CPU0 CPU2\n 40: 4294967290 7 GICv3 5 Level dma\n";

	(void)state;
	assert_int_equal(fired(two, "CPU0 CPU2\n 40: 4 9 GICv3 5 Level dma\n", 40), 12);
	assert_int_equal(
		fired(two, "CPU0 CPU2\n 40: 4294967290 7 GICv3 5 Level dma\n", 40), 0);
	/* a CPU more, which has counted nothing; or something, nobody knows when */
	assert_int_equal(
		fired(two, "CPU0 CPU1 CPU2\n 40: 4294967291 0 8 GICv3 5 Level dma\n", 40),
		2);
	assert_int_equal(
		fired(two, "CPU0 CPU1 CPU2\n 40: 4294967291 6 8 GICv3 5 Level dma\n", 40),
		DMA_UNKNOWN);
	/* a CPU less takes its count with it */
	assert_int_equal(fired(two, "CPU0\n 40: 4294967295 GICv3 5 Level dma\n", 40),
			 DMA_UNKNOWN);
	assert_int_equal(fired(two, "CPU0 CPU2\n 40: 9\n", 40), DMA_UNKNOWN);
	assert_int_equal(fired(two, "CPU0 CPU2\n 41: 9 1 GICv3 6 Level new\n", 41), 10);
	assert_int_equal(fired(two, "CPU0 CPU2\n 41: 9 1 GICv3 6 Level new\n", 40),
			 DMA_UNKNOWN);
}

/* Chips, numbers and types as Arm, RISC-V, LoongArch, MIPS, POWER, SPARC and Xen print them. */
static void test_lines_of_other_machines(void **state)
{
	static const struct {
		const char *line, *chip;
		int64_t hwirq;
		const char *type, *name;
		bool device;
	} all[] = {
		{"ARMCTRL-level   1 Edge      3f00b880.mailbox", "ARMCTRL-level", 1,
		 "edge", "3f00b880.mailbox", true},
		{"ARMCTRL-edge   77 Level     uart-pl011", "ARMCTRL-edge", 77, "level",
		 "uart-pl011", true},
		{"RISC-V INTC   5 Edge      riscv-timer", "RISC-V INTC", 5, "edge",
		 "riscv-timer", false},
		{"SiFive PLIC  33 Edge      virtio0", "SiFive PLIC", 33, "edge",
		 "virtio0", true},
		{"GICv2  27 Level     kvm guest vtimer", "GICv2", 27, "level",
		 "kvm guest vtimer", false},
		{"GICv3  11 Level     arch_timer", "GICv3", 11, "level", "arch_timer",
		 false},
		{"xen-dyn    Edge    -event     xenbus", "xen-dyn", -1, "edge", "xenbus",
		 true},
		{"xen-pirq    -ioapic-edge  rtc0", "xen-pirq", -1, "ioapic-edge", "rtc0",
		 false},
		{"ITS-MSI 524288 Edge      my card, rx 2", "ITS-MSI", 524288, "edge",
		 "my card, rx 2", true},
		{"PCI-MSIX-0000:01:00.0   2-edge      Level meter", "PCI-MSIX", 2, "edge",
		 "Level meter", true},
		{"IO-APIC  16-fasteoi   Edge detector", "IO-APIC", 16, "fasteoi",
		 "Edge detector", true},
		{"PCI-MSI-edge      Edge", "PCI-MSI", -1, "edge", "Edge", true},
		{"Hyper-V PCIe MSI 2818572288-edge      mlx5_0", "Hyper-V PCIe MSI",
		 2818572288, "edge", "mlx5_0", true},
		{"MIPS   7  timer", "MIPS", 7, NULL, "timer", false},
		{"XIVE-IRQ 4611 Edge      xdma", "XIVE-IRQ", 4611, "edge", "xdma", true},
		{"XIVE-IPI   0 Edge      IPI-0", "XIVE-IPI", 0, "edge", "IPI-0", false},
		{"OpenPIC  26 Level     fsldma-chan", "OpenPIC", 26, "level",
		 "fsldma-chan", true},
		{"PCH PIC  16 Level     ehci_hcd:usb1", "PCH PIC", 16, "level",
		 "ehci_hcd:usb1", true},
		{"CPUINTC  11 timer", "CPUINTC", 11, NULL, "timer", false},
		{"EIOINTC  24 Edge      nvme0q1", "EIOINTC", 24, "edge", "nvme0q1", true},
		{"GPC  55 Level     i.MX Timer Tick", "GPC", 55, "level",
		 "i.MX Timer Tick", false},
		{"gpio-mxc   5 Edge      2190000.mmc cd", "gpio-mxc", 5, "edge",
		 "2190000.mmc cd", true},
		{"ITS-PCI-MSIX-0000:01:00.0   7 Edge      xdma", "ITS-PCI-MSIX", 7,
		 "edge", "xdma", true},
		{"PCIe MSI  32 Edge      qdma 0", "PCIe MSI", 32, "edge", "qdma 0", true},
		{"APLIC-MSI-d000000.aplic   8 Level     uart", "APLIC-MSI-d000000.aplic",
		 8, "level", "uart", true},
		{"sun4v    -IVEC      flx", "sun4v", -1, "ivec", "flx", true},
		{"AIC 576 Level     apple-dart fault", "AIC", 576, "level",
		 "apple-dart fault", true},
		{"GICv2  92 Level     mct_tick0", "GICv2", 92, "level", "mct_tick0",
		 false},
		{"GICv2  42 Edge      tegra_timer3", "GICv2", 42, "edge", "tegra_timer3",
		 false},
		{"3f200000.gpio  17 Edge    -fasteoi   button", "3f200000.gpio", 17,
		 "edge", "button", true},
	};
	char text[300];

	(void)state;
	for (size_t k = 0; k < sizeof(all) / sizeof(*all); k++) {
		const struct irq_info *i;

		snprintf(text, sizeof(text),
			 "           CPU0       CPU1\n 40:   5  1   %s\n", all[k].line);
		parse(text);
		i = get(40);
		if (strcmp(i->chip, all[k].chip) || strcmp(i->name, all[k].name))
			fail_msg("%s: chip '%s', name '%s'", all[k].line, i->chip,
				 i->name);
		assert_int_equal(i->hwirq, all[k].hwirq);
		if (all[k].type)
			assert_string_equal(i->type, all[k].type);
		if (irq_is_device(i) != all[k].device)
			fail_msg("%s: a device?", all[k].line);
		irqmap_release(&map);
	}
}

static void test_this_machine(void **state)
{
	(void)state;
	assert_int_equal(irqmap_read(&map, "", &err), 0);
	assert_true(map.ncpu > 0);
}

#define T(f) cmocka_unit_test_teardown(f, release)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_rhel7),
		T(test_rhel8_index_from_hwirq),
		T(test_rhel8_masked_by_debugfs),
		T(test_chip_with_blanks),
		T(test_rhel9_offline_cpus_and_names),
		T(test_vector_without_handler),
		T(test_shared_wire),
		T(test_debian12),
		T(test_new_kernels),
		T(test_other_machines),
		T(test_cut_line_has_no_count),
		T(test_many_cpus),
		T(test_no_header),
		T(test_no_file),
		T(test_select),
		T(test_select_nothing),
		T(test_bdf),
		T(test_config_space),
		T(test_pci_names),
		T(test_counts_again),
		T(test_counts_wrap_and_cpus_change),
		T(test_lines_of_other_machines),
		T(test_this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
