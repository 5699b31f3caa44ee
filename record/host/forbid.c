/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/host/forbid.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/host/rootfs.h"

const char *forbidden_by_lockdown(const char *root)
{
	/* "none integrity [confidentiality]" */
	char *mode = rootfs_line(root, "/sys/kernel/security/lockdown");
	bool locked = mode && strstr(mode, "[confidentiality]");

	free(mode);
	return locked ? "the kernel is locked down for confidentiality, which refuses "
			"tracing to root, too: boot with lockdown=integrity, or without "
			"secure boot"
		      : NULL;
}

static bool selinux_enforces(const char *root)
{
	int64_t v;

	return rootfs_number(root, &v, "/sys/fs/selinux/enforce") && v == 1;
}

char *forbidden_by(const char *root)
{
	const char *locked = forbidden_by_lockdown(root);
	bool selinux = selinux_enforces(root);
	char *text;

	if (!locked && !selinux)
		return NULL;
	if (asprintf(
		    &text, "%s%s%s", locked ? locked : "", locked && selinux ? "; " : "",
		    selinux ? "SELinux is enforcing: `ausearch -m avc -ts recent` tells what "
			      "it refused, `setenforce 0` whether it was that"
			    : "") < 0)
		return NULL;
	return text;
}
