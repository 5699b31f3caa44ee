/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/host/pcistate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/host/rootfs.h"

/* Files of Documentation/ABI/testing/sysfs-bus-pci-devices-aer_stats; the total's line. */
static const struct {
	const char *name, *file, *line;
} told[] = {
	{"aer_correctable", "aer_dev_correctable", "TOTAL_ERR_COR"},
	{"aer_nonfatal", "aer_dev_nonfatal", "TOTAL_ERR_NONFATAL"},
	{"aer_fatal", "aer_dev_fatal", "TOTAL_ERR_FATAL"},
	{"link", NULL, NULL},
};

static char *line_of(const char *root, const char *bdf, const char *file,
		     const char *word)
{
	char path[96], *text, *at, *value = NULL;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", bdf, file);
	if (rootfs_read(root, path, 1 << 16, &text, NULL, NULL))
		return NULL;
	at = strstr(text, word);
	if (at) {
		at += strlen(word);
		at += strspn(at, " \t");
		value = strndup(at, strcspn(at, " \t\n"));
	}
	free(text);
	return value;
}

static char *link_of(const char *root, const char *bdf)
{
	char *speed =
		rootfs_line(root, "/sys/bus/pci/devices/%s/current_link_speed", bdf);
	char *width =
		rootfs_line(root, "/sys/bus/pci/devices/%s/current_link_width", bdf);
	char *text = NULL;

	if (speed && width && asprintf(&text, "%s x%s", speed, width) < 0)
		text = NULL;
	free(speed);
	free(width);
	return text;
}

int pci_state(const char *root, const char *bdf, size_t i, const char **name,
	      char **value)
{
	if (i >= sizeof(told) / sizeof(*told))
		return 0;
	*name = told[i].name;
	*value = told[i].file ? line_of(root, bdf, told[i].file, told[i].line)
			      : link_of(root, bdf);
	return 1;
}
