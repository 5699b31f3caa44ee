/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/host/machine.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/host/rootfs.h"

/* The value of the first line "key<TAB>*: value" of /proc/cpuinfo. */
static char *cpuinfo(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		const char *at;

		line += *line == '\n';
		if (strncmp(line, key, len))
			continue;
		at = line + len + strspn(line + len, "\t ");
		if (*at != ':')
			continue;
		at += 1 + strspn(at + 1, " \t");
		return strndup(at, strcspn(at, "\n"));
	}
	return NULL;
}

static char *read_cpuinfo(const char *root)
{
	char *text = NULL;

	return rootfs_read(root, "/proc/cpuinfo", 8 << 20, &text, NULL, NULL) ? NULL
									      : text;
}

char *machine_cpu_name(const char *root)
{
	char *text = read_cpuinfo(root),
	     *name = text ? cpuinfo(text, "model name") : NULL;

	free(text);
	return name;
}

char *machine_cpu_id(const char *root)
{
	static const char *const key[] = {"vendor_id", "cpu family", "model", "stepping"};
	char *text = read_cpuinfo(root), *part[4], *id = NULL;
	bool all = text;

	for (int i = 0; i < 4; i++) {
		part[i] = text ? cpuinfo(text, key[i]) : NULL;
		all &= part[i] != NULL;
	}
	if (all && asprintf(&id, "%s,%s,%s,%s", part[0], part[1], part[2], part[3]) < 0)
		id = NULL;
	for (int i = 0; i < 4; i++)
		free(part[i]);
	free(text);
	return all ? id
		   : rootfs_line(root, "/sys/devices/system/cpu/cpu0/regs/"
				       "identification/midr_el1");
}
