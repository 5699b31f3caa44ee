/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/watch/watch_map.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"
#include "record/host/rootfs.h"
#include "record/profile/profile_register.h"

enum { BARS = 6, IS_IO = 0x100 /* IORESOURCE_IO of linux/ioport.h */ };

struct bar {
	uint64_t start, end, flags;
};

static int no_card(const char *bdf, struct err *e)
{
	return err_set(e, ERR_NOTFOUND,
		       "there is no PCI device %s; lspci -D lists those there are", bdf);
}

/* The lines of the file `resource`. */
static int read_bars(struct bar bar[BARS], const char *root, const char *bdf,
		     struct err *e)
{
	char path[80], *text;
	const char *p;
	int used;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource", bdf);
	memset(bar, 0, BARS * sizeof(*bar));
	if (rootfs_read(root, path, 1 << 16, &text, NULL, NULL))
		return no_card(bdf, e);
	p = text;
	for (int i = 0; i < BARS; i++, p += used) {
		used = 0;
		if (sscanf(p, "%" SCNx64 " %" SCNx64 " %" SCNx64 " %n", &bar[i].start,
			   &bar[i].end, &bar[i].flags, &used) < 3)
			break;
	}
	free(text);
	return 0;
}

static bool is_memory(const struct bar *b)
{
	return b->end > b->start && !(b->flags & IS_IO);
}

static int no_bar(const struct bar bar[BARS], const struct register_spec *r,
		  struct err *e)
{
	char list[32] = "";
	size_t at = 0;

	for (int i = 0; i < BARS; i++)
		if (is_memory(&bar[i]))
			at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%d",
					       at ? ", " : "", i);
	return err_set(
		e, ERR_NOTFOUND,
		"register %s: device %s has no BAR %d that can be mapped%s; those it "
		"has: %s",
		r->name, r->bdf, r->bar,
		bar[r->bar].flags & IS_IO ? " (it is one of I/O ports)" : "",
		*list ? list : "none");
}

static int check_offset(const struct register_spec *r, uint64_t size, const char *what,
			struct err *e)
{
	uint64_t bytes = (uint64_t)r->width / 8;

	if (size >= bytes && (uint64_t)r->offset <= size - bytes)
		return 0;
	return err_set(e, ERR_USAGE,
		       "register %s: offset 0x%" PRIx64
		       " lies beyond the end of %s, which has "
		       "0x%" PRIx64 " bytes",
		       r->name, (uint64_t)r->offset, what, size);
}

static int cannot_map(const struct register_spec *r, const char *path, int cause,
		      struct err *e)
{
	errno = cause;
	return err_errno(e, "register %s: %s cannot be mapped", r->name, path);
}

/* Why root itself may not. */
static int refused(const struct register_spec *r, const char *root, const char *path,
		   struct err *e)
{
	int cause = errno; /* looking for the reason has its own */
	char *lock = rootfs_line(root, "/sys/kernel/security/lockdown");
	bool locked = lock && !strstr(lock, "[none]");
	int rc;

	if (locked)
		rc = err_set(e, ERR_PERM,
			     "register %s: the kernel is locked down (%s), which refuses "
			     "mapping a card's registers to root, too: boot with "
			     "lockdown=none, or without secure boot",
			     r->name, lock);
	else if (cause == EINVAL)
		rc = err_set(e, ERR_PERM,
			     "register %s: the kernel keeps the registers of %s for its "
			     "driver alone (CONFIG_IO_STRICT_DEVMEM): boot with "
			     "iomem=relaxed",
			     r->name, r->bdf ? r->bdf : path);
	else if (cause == EACCES || cause == EPERM)
		rc = err_set(
			e, ERR_PERM,
			"register %s: no right to read %s: reading a card's registers "
			"is root's; run dmarec with sudo",
			r->name, path);
	else
		rc = cannot_map(r, path, cause, e);
	free(lock);
	return rc;
}

static int find_bar(struct watch_map *m, const struct register_spec *r, const char *root,
		    struct err *e)
{
	struct bar bar[BARS];
	int64_t enabled;
	char what[48];
	int rc = read_bars(bar, root, r->bdf, e);

	if (rc)
		return rc;
	if (!is_memory(&bar[r->bar]))
		return no_bar(bar, r, e);
	if (rootfs_number(root, &enabled, "/sys/bus/pci/devices/%s/enable", r->bdf) &&
	    !enabled)
		return err_set(
			e, ERR_UNSUPPORTED,
			"register %s: device %s is not enabled, so that every reading "
			"would be all ones: load its driver",
			r->name, r->bdf);
	snprintf(what, sizeof(what), "BAR %d of %s", r->bar, r->bdf);
	rc = check_offset(r, bar[r->bar].end - bar[r->bar].start + 1, what, e);
	if (!rc && asprintf(&m->path, "%s/sys/bus/pci/devices/%s/resource%d", root,
			    r->bdf, r->bar) < 0) {
		m->path = NULL;
		rc = err_nomem(e, "a register");
	}
	return rc;
}

/* In place of a BAR: what the user may read anyway. */
static int check_file(const struct register_spec *r, const struct stat *st, uid_t user,
		      struct err *e)
{
	if (!S_ISREG(st->st_mode))
		return err_set(e, ERR_USAGE, "register %s: %s is no regular file",
			       r->name, r->file);
	if (user && st->st_uid != user && !(st->st_mode & S_IROTH))
		return err_set(e, ERR_PERM, "register %s: %s is not yours to read",
			       r->name, r->file);
	return check_offset(r, (uint64_t)st->st_size, r->file, e);
}

static int map_page(struct watch_map *m, int fd, const struct register_spec *r,
		    const char *root, struct err *e)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	off_t at = (off_t)r->offset & ~(off_t)(page - 1);
	void *map = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, at);

	if (map == MAP_FAILED)
		return refused(r, root, m->path, e);
	m->page = map;
	m->size = page;
	m->at = (const char *)map + ((off_t)r->offset - at);
	mapguard_add(&m->guard, map, page, -1); /* a device has no size */
	return 0;
}

/* The first reading says whether anything answers. */
static int try_reading(const struct watch_map *m, const struct register_spec *r,
		       struct err *e)
{
	uint64_t value = watch_map_read(m, r->width);

	if (mapguard_touched(&m->guard))
		return err_set(e, ERR_IO, "register %s: %s cannot be read there", r->name,
			       m->path);
	if (watch_all_ones(value, r->width))
		return err_set(
			e, ERR_IO,
			"register %s: %s answers all ones: the card is gone, asleep, "
			"or its memory is switched off",
			r->name, r->bdf ? r->bdf : m->path);
	return 0;
}

int watch_map_open(struct watch_map *m, const struct register_spec *r, const char *root,
		   uid_t user, struct err *e)
{
	struct stat st;
	int fd = -1, rc = 0;

	*m = (struct watch_map){.page = NULL};
	if (!r->file)
		rc = find_bar(m, r, root, e);
	else if (!(m->path = strdup(r->file)))
		rc = err_nomem(e, "a register");
	if (!rc && (fd = open(m->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0)
		rc = refused(r, root, m->path, e);
	if (!rc && fstat(fd, &st))
		rc = err_errno(e, "%s", m->path);
	if (!rc && r->file)
		rc = check_file(r, &st, user, e);
	if (!rc)
		rc = map_page(m, fd, r, root, e);
	if (!rc)
		rc = try_reading(m, r, e);
	if (fd >= 0)
		close(fd);
	if (rc)
		watch_map_close(m);
	return rc;
}

void watch_map_close(struct watch_map *m)
{
	if (m->page) {
		mapguard_remove(&m->guard);
		munmap(m->page, m->size);
	}
	free(m->path);
	*m = (struct watch_map){.page = NULL};
}
