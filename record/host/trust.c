/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/host/trust.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/magic.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/err.h"

/* ---- who may write ---- */

/* Is the group the user's own: its name, and nobody else in it? */
static bool is_own_group(gid_t gid, uid_t uid)
{
	const struct passwd *pw = getpwuid(uid);
	char name[64];
	const struct group *gr;

	if (!pw || pw->pw_gid != gid || strlen(pw->pw_name) >= sizeof(name))
		return false;
	snprintf(name, sizeof(name), "%s", pw->pw_name);
	gr = getgrgid(gid);
	if (!gr || strcmp(gr->gr_name, name))
		return false;
	for (char **member = gr->gr_mem; *member; member++)
		if (strcmp(*member, name))
			return false;
	return true;
}

static bool trust_one(const char *path, uid_t uid, struct err *e)
{
	struct stat st;
	bool sticky;

	if (lstat(path, &st)) {
		err_errno(e, "%s", path);
		return false;
	}
	sticky = S_ISDIR(st.st_mode) && st.st_mode & S_ISVTX;
	if (st.st_uid && st.st_uid != uid)
		err_set(e, ERR_PERM, "%s belongs to another user (%u)", path,
			(unsigned)st.st_uid);
	else if (st.st_mode & S_IWOTH && !sticky)
		err_set(e, ERR_PERM, "everybody can write to %s", path);
	else if (st.st_mode & S_IWGRP && !sticky && st.st_gid &&
		 !is_own_group(st.st_gid, uid))
		err_set(e, ERR_PERM, "group %u can write to %s", (unsigned)st.st_gid,
			path);
	else
		return true;
	return false;
}

bool trust_path(const char *path, uid_t uid, struct err *e)
{
	char *real = realpath(path, NULL);
	bool good = real != NULL;

	if (!real)
		err_errno(e, "%s", path);
	else
		good = trust_one("/", uid, e);
	for (char *p = real; good && p; *p = *p ? '/' : '\0') {
		p = strchr(p + 1, '/');
		if (p)
			*p = '\0';
		good = trust_one(real, uid, e);
		if (!p)
			break;
		*p = '/';
	}
	free(real);
	return good;
}

/* ---- the kernel's files ---- */

/* Files that speak for the kernel. */
static bool is_kernel_fs(int fd)
{
	static const long magic[] = {PROC_SUPER_MAGIC, SYSFS_MAGIC, DEBUGFS_MAGIC,
				     TRACEFS_MAGIC};
	struct statfs s;

	if (fstatfs(fd, &s))
		return false;
	for (size_t i = 0; i < sizeof(magic) / sizeof(*magic); i++)
		if ((long)s.f_type == magic[i])
			return true;
	return false;
}

/* /proc/12/environ, /proc/self/root/..., memory as a whole */
static bool is_secret(const char *real)
{
	static const char *const file[] = {"/proc/kcore", "/proc/kmem", "/proc/vmcore",
					   "/proc/kallsyms"};

	if (!strncmp(real, "/proc/", 6) && isdigit((unsigned char)real[6]))
		return true;
	for (size_t i = 0; i < sizeof(file) / sizeof(*file); i++)
		if (!strcmp(real, file[i]))
			return true;
	return false;
}

int trust_open_kernel_file(const char *path, struct err *e)
{
	char real[PATH_MAX], link[64];
	ssize_t len;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return err_errno(e, "cannot open %s", path);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, real, sizeof(real) - 1);
	real[len > 0 ? len : 0] = '\0';
	if (is_kernel_fs(fd) && !is_secret(real))
		return fd;
	close(fd);
	return err_set(e, ERR_PERM,
		       "%s is no file of a driver in /proc or /sys; --counter-file %s "
		       "lets the profile read it",
		       path, path);
}
