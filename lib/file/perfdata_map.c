/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bytes that are read: a file mapped whole, in place of it what was made of it or of several.
 * And whether they are still all there.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/file/perfdata_impl.h"

void perfdata_map(struct perfdata *p, const void *map, uint64_t size, int fd)
{
	p->map = map;
	p->size = size;
	p->fd = fd;
	p->mapped = true;
	mapguard_add(&p->guard, map, size, fd);
}

void perfdata_unmap(struct perfdata *p)
{
	if (!p->mapped)
		return;
	mapguard_remove(&p->guard);
	munmap((void *)(uintptr_t)p->map, p->size);
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
	p->mapped = false;
}

/* The path of a part that is shorter than what is mapped of it; NULL = none. By their paths, since
 * a recording may have more parts than a process may have open files. */
static const char *part_cut(const struct perfdata *p)
{
	struct stat st;

	for (size_t i = 0; i < p->npart; i++)
		if (!stat(p->part[i].path, &st) && st.st_dev == p->part[i].dev &&
		    st.st_ino == p->part[i].ino && (uint64_t)st.st_size < p->part[i].size)
			return p->part[i].path;
	return NULL;
}

int perfdata_or_cut(const struct perfdata *p, int rc, struct err *e)
{
	const char *path = part_cut(p);

	if (!path && !mapguard_cut(&p->guard))
		return rc;
	if (e)
		e->code = 0; /* what was found in the hole is no fault of the file's */
	return err_set(e, ERR_FORMAT,
		       "%s: was cut while it was read; try again when it is whole",
		       path ? path : p->name);
}

int perfdata_map_file(struct perfdata *p, struct err *e)
{
	int fd = open(p->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	void *map = MAP_FAILED;
	int rc = 0;

	if (fd < 0)
		return err_errno(e, "%s: cannot open the recording", p->name);
	if (fstat(fd, &st))
		rc = err_errno(e, "%s: cannot be examined", p->name);
	else if (S_ISDIR(st.st_mode))
		rc = perfdata_other_dir(p, e);
	else if (!S_ISREG(st.st_mode))
		rc = err_set(e, ERR_FORMAT,
			     "%s: is no regular file; a recording "
			     "cannot be read from a pipe or device",
			     p->name);
	else
		p->size = (uint64_t)st.st_size;
	if (!rc && p->size) {
		map = mmap(NULL, p->size, PROT_READ, MAP_SHARED, fd, 0);
		if (map == MAP_FAILED)
			rc = err_errno(e, "%s: cannot map %" PRIu64 " bytes", p->name,
				       p->size);
	}
	if (map == MAP_FAILED)
		close(fd);
	else
		perfdata_map(p, map, p->size, fd);
	return rc;
}
