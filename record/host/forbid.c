/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/host/forbid.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/host/rootfs.h"

/* "none integrity [confidentiality]" */
static bool is_locked_down(const char *root)
{
	char *mode = rootfs_line(root, "/sys/kernel/security/lockdown");
	bool locked = mode && strstr(mode, "[confidentiality]");

	free(mode);
	return locked;
}

static bool selinux_enforces(const char *root)
{
	int64_t v;

	return rootfs_number(root, &v, "/sys/fs/selinux/enforce") && v == 1;
}

char *forbidden_by(const char *root)
{
	bool locked = is_locked_down(root), selinux = selinux_enforces(root);
	char *text;

	if (!locked && !selinux)
		return NULL;
	if (asprintf(
		    &text, "%s%s%s",
		    locked ? "the kernel is locked down for confidentiality, which refuses "
			     "tracing to root, too: boot with lockdown=integrity, or without "
			     "secure boot"
			   : "",
		    locked && selinux ? "; " : "",
		    selinux ? "SELinux is enforcing: `ausearch -m avc -ts recent` tells what "
			      "it refused, `setenforce 0` whether it was that"
			    : "") < 0)
		return NULL;
	return text;
}
