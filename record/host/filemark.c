/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/host/filemark.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX];

	if (strncmp(path, "/proc/", 6) != 0 || slash - path >= (long)sizeof(dir))
		return -1;
	snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path), path);
	return open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* 0, or an error's number. */
static int look(struct filemark *m, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct stat st;

	if (m->dir >= 0 ? fstatat(m->dir, slash + 1, &st, 0) : stat(path, &st))
		return errno;
	m->device = st.st_dev;
	m->inode = st.st_ino;
	m->size_bytes = st.st_size;
	m->changed_ns = st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec;
	return 0;
}

void filemark_take(struct filemark *m, const char *path)
{
	*m = (struct filemark){.dir = directory_of(path)};
	look(m, path);
}

bool filemark_same(const struct filemark *m, const char *path)
{
	struct filemark now = {.dir = m->dir};
	int failed = look(&now, path);

	return failed == EPERM || failed == EACCES ||
	       (now.device == m->device && now.inode == m->inode &&
		now.size_bytes == m->size_bytes && now.changed_ns == m->changed_ns);
}

void filemark_release(struct filemark *m)
{
	if (m->dir >= 0)
		close(m->dir);
	m->dir = -1;
}
