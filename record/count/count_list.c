/* SPDX-License-Identifier: GPL-2.0-only */
/* Which units of a machine count DMA. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/json.h"
#include "record/count/count_event.h"
#include "record/host/rootfs.h"

#define PMUS "/sys/bus/event_source/devices"

/* By the kernel's own drivers: drivers/iommu/intel/perfmon.c, arch/x86/events/intel/
 * uncore_snbep.c, arch/x86/events/amd/{iommu,uncore}.c, drivers/perf/dwc_pcie_pmu.c,
 * drivers/perf/hisilicon/hisi_pcie_pmu.c. None of them has been run with this program on a
 * machine that has one. */
static const struct {
	const char *pmu, *what;
} known[] = {
	{"uncore_iio_free_running*",
	 "Intel IIO, counts that always run: bytes in and out of each port of a PCIe stack"},
	{"uncore_iio_*",
	 "Intel IIO: requests and data in and out of each port of a PCIe stack"},
	{"uncore_m2pcie*", "Intel M2PCIe: between a PCIe stack and the mesh"},
	{"uncore_irp*", "Intel IRP: writes and reads of memory by devices, coherent"},
	{"dmar*",
	 "Intel VT-d: requests and translations of the IOMMU; filter_requester_id with "
	 "filter_requester_en counts one card's"},
	{"amd_iommu*",
	 "AMD IOMMU: translations and faults; devid, with devid_mask, counts one "
	 "card's"},
	{"amd_df*", "AMD data fabric: between I/O, cores and memory"},
	{"dwc_rootport_*", "DesignWare root port: bytes and TLPs of one port"},
	{"hisi_pcie*",
	 "HiSilicon root complex: bandwidth and latency; port or bdf counts one "
	 "card's"},
	{"hisi_sicl*_uncore_pcie*", "HiSilicon root complex"},
	{"arm_smmuv3_pmcg_*",
	 "Arm SMMU: transactions and translations; filter_stream_id counts "
	 "one card's"},
};

static const char *what_of(const char *pmu)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!fnmatch(known[i].pmu, pmu, 0))
			return known[i].what;
	return NULL;
}

/* Names in a directory of the unit, without what stands behind a dot. */
static void print_names(const char *root, const char *pmu, const char *dir, FILE *out)
{
	char path[300], **name;
	size_t n, shown = 0;

	snprintf(path, sizeof(path), PMUS "/%s/%s", pmu, dir);
	if (rootfs_names(root, path, &name, &n, NULL))
		return;
	for (size_t i = 0; i < n; i++)
		if (!strchr(name[i], '.'))
			fprintf(out, "%s%s", shown++ ? " " : "", name[i]);
	fputs(shown ? "\n" : "none\n", out);
	rootfs_names_free(name, n);
}

int count_list(const char *root, FILE *out, struct err *e)
{
	char **name;
	size_t n, found = 0;
	int rc = rootfs_names(root, PMUS, &name, &n, e);

	if (rc)
		return rc;
	fputs("\nUnits that count DMA (dmarec --count UNIT/EVENT/)\n", out);
	for (size_t i = 0; i < n; i++) {
		const char *what = what_of(name[i]);

		if (!what)
			continue;
		found++;
		fprintf(out, "  %s: %s\n    events: ", name[i], what);
		print_names(root, name[i], "events", out);
		fputs("    terms:  ", out);
		print_names(root, name[i], "format", out);
	}
	if (!found) {
		fputs("  none of this machine's is known to; it has:", out);
		for (size_t i = 0; i < n; i++)
			fprintf(out, " %s", name[i]);
		fputc('\n', out);
	}
	rootfs_names_free(name, n);
	return 0;
}

int count_list_json(const char *root, FILE *out, struct err *e)
{
	char **name;
	size_t n, found = 0;
	int rc = rootfs_names(root, PMUS, &name, &n, e);

	if (rc)
		return rc;
	fputc('[', out);
	for (size_t i = 0; i < n; i++) {
		const char *what = what_of(name[i]);

		if (!what)
			continue;
		fputs(found++ ? ", {\"unit\": " : "{\"unit\": ", out);
		json_text(out, name[i]);
		fputs(", \"counts\": ", out);
		json_text(out, what);
		fputc('}', out);
	}
	fputc(']', out);
	rootfs_names_free(name, n);
	return 0;
}
