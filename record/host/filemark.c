/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/host/filemark.h"

#include <sys/stat.h>

void filemark_take(struct filemark *m, const char *path)
{
	struct stat st;

	*m = (struct filemark){0};
	if (stat(path, &st))
		return;
	m->device = st.st_dev;
	m->inode = st.st_ino;
	m->size_bytes = st.st_size;
	m->changed_ns = st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec;
}

bool filemark_same(const struct filemark *m, const char *path)
{
	struct filemark now;

	filemark_take(&now, path);
	return now.device == m->device && now.inode == m->inode &&
	       now.size_bytes == m->size_bytes && now.changed_ns == m->changed_ns;
}
