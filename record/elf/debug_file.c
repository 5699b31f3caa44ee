/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the debug file of a program lies, by the rules of libdwfl and gdb: by its build id in
 * /usr/lib/debug; else by the name that .gnu_debuglink says, beside the program, in .debug
 * there, and in /usr/lib/debug; and what several debug files share (dwz) by its build id or the
 * path that they say. Found by us, since libdwfl opens whatever has the name, and waits for
 * the writer of a pipe; nor does it then go to the network (debuginfod).
 */
#include "record/elf/debug_file.h"

#include <elfutils/libdwelf.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "record/elf/elf_dynamic.h"
#include "record/elf/elf_file.h"

#define DEBUG_DIR "/usr/lib/debug"

enum {
	ID_MAX_BYTES = 64,	    /* SHA-1 has 20 */
	READ_BYTES = 1 << 16,	    /* at once */
	SUMMED_MAX_BYTES = 1 << 30, /* Chosen: seconds of reading; without ids only */
};

/* What the debug file must be. */
struct wanted {
	const void *id; /* NULL = unknown */
	size_t id_len;
	GElf_Word sum; /* of .gnu_debuglink */
	bool has_sum;
	int not_fd; /* the program itself */
};

static bool same_file(int a, int b)
{
	struct stat x, y;

	return !fstat(a, &x) && !fstat(b, &y) && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

/* 1 = the same build, 0 = another one, -1 = it does not say. */
static int compare_id(const struct wanted *w, int fd)
{
	Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	const void *id;
	ssize_t len = elf ? dwelf_elf_gnu_build_id(elf, &id) : -1;
	int rc = !w->id || len <= 0
			 ? -1
			 : (size_t)len == w->id_len && !memcmp(id, w->id, w->id_len);

	elf_end(elf);
	return rc;
}

static bool same_sum(int fd, GElf_Word want)
{
	static const uint8_t none[1];
	uint8_t buf[READ_BYTES];
	uLong sum = crc32(0, none, 0);
	off_t at = 0;
	ssize_t n;

	while (at < SUMMED_MAX_BYTES && (n = pread(fd, buf, sizeof(buf), at)) > 0) {
		sum = crc32(sum, buf, (uInt)n);
		at += n;
	}
	return sum == want && at < SUMMED_MAX_BYTES;
}

/* The file, if it is one and the right one; else -1. */
static int open_one(const struct wanted *w, const char *path, char **name)
{
	int fd = regular_open(path), same;

	if (fd < 0)
		return -1;
	same = same_file(fd, w->not_fd) ? 0 : compare_id(w, fd);
	if (same > 0 || (same < 0 && w->has_sum && same_sum(fd, w->sum)))
		*name = strdup(path);
	if (*name)
		return fd;
	close(fd);
	return -1;
}

static int open_by_id(const struct wanted *w, char **name)
{
	const uint8_t *id = w->id;
	char path[sizeof(DEBUG_DIR "/.build-id//.debug") + 2 * ID_MAX_BYTES];
	char hex[2 * ID_MAX_BYTES + 1];

	if (!id || w->id_len < 2 || w->id_len > ID_MAX_BYTES)
		return -1;
	for (size_t i = 0; i < w->id_len; i++)
		snprintf(hex + 2 * i, 3, "%02x", id[i]);
	snprintf(path, sizeof(path), DEBUG_DIR "/.build-id/%.2s/%s.debug", hex, hex + 2);
	return open_one(w, path, name);
}

static int open_in(const struct wanted *w, const char *above, const char *dir,
		   const char *link, char **name)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof(path), "%s%s/%s", above, dir, link) <
			       (int)sizeof(path)
		       ? open_one(w, path, name)
		       : -1;
}

/* link: a mere name. */
static int open_by_link(const struct wanted *w, const char *file, const char *link,
			char **name)
{
	char *dir = realpath(file, NULL), *slash = dir ? strrchr(dir, '/') : NULL;
	int fd = -1;

	if (slash) {
		*slash = '\0';
		fd = open_in(w, dir, "", link, name);
		if (fd < 0)
			fd = open_in(w, dir, "/.debug", link, name);
		/* /usr/lib/x is also looked for as /lib/x: one is a link to the other */
		for (const char *p = dir; fd < 0 && p; p = *p ? strchr(p + 1, '/') : NULL)
			fd = open_in(w, DEBUG_DIR, p, link, name);
	}
	free(dir);
	return fd;
}

/* path: from the directory of the file that says it. */
static int open_shared(const struct wanted *w, const char *file, const char *path,
		       char **name)
{
	const char *slash = file ? strrchr(file, '/') : NULL;
	char dir[PATH_MAX];

	if (*path == '/')
		return open_one(w, path, name);
	if (!slash || slash - file >= (int)sizeof(dir))
		return -1;
	memcpy(dir, file, (size_t)(slash - file));
	dir[slash - file] = '\0';
	return open_in(w, dir, "", path, name);
}

static struct wanted program(const struct elf_file *f, Dwfl_Module *module, bool has_sum,
			     GElf_Word sum)
{
	const unsigned char *id = NULL;
	GElf_Addr at;
	int len = dwfl_module_build_id(module, &id, &at);

	return (struct wanted){.id = len > 0 ? id : NULL,
			       .id_len = len > 0 ? (size_t)len : 0,
			       .sum = sum,
			       .has_sum = has_sum,
			       .not_fd = f->fd};
}

/* What libdwfl will say of it. */
static bool has_dwarf(int fd)
{
	Dwarf *d = dwarf_begin(fd, DWARF_C_READ);
	bool has = d != NULL;

	dwarf_end(d);
	return has;
}

/* libdwfl asks for what the module's DWARF, which is open then, shares with others. */
static int find_shared(struct elf_file *f, Dwfl_Module *module, const char *path,
		       char **name)
{
	struct wanted w = {.not_fd = f->fd};
	const char *debug = NULL, *said;
	Dwarf_Addr bias;
	ssize_t len;
	int fd;

	f->finding = true;
	len = dwelf_dwarf_gnu_debugaltlink(dwfl_module_getdwarf(module, &bias), &said,
					   &w.id);
	f->finding = false;
	if (len <= 0)
		return -1;
	w.id_len = (size_t)len;
	dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL, NULL, &debug);
	fd = open_by_id(&w, name);
	if (fd < 0)
		fd = open_shared(&w, debug ? debug : f->path, path, name);
	f->has_shared = fd >= 0 && has_dwarf(fd);
	return fd;
}

int debug_file_find(Dwfl_Module *module, void **userdata, const char *modname,
		    Dwarf_Addr base, const char *file, const char *link, GElf_Word sum,
		    char **debug_file)
{
	struct elf_file *f = *userdata;
	GElf_Word own_sum;
	const char *own = dwelf_elf_gnu_debuglink(f->elf, &own_sum);
	struct wanted w;
	int fd = -1;

	(void)modname;
	(void)base;
	(void)file;
	*debug_file = NULL;
	if (f->finding) {
		/* it was changed since it was opened */
	} else if (link && (!own || strcmp(own, link) || own_sum != sum)) {
		fd = find_shared(f, module, link, debug_file);
	} else {
		w = program(f, module, link != NULL, sum);
		fd = open_by_id(&w, debug_file);
		if (fd < 0 && link && !strchr(link, '/'))
			fd = open_by_link(&w, f->path, link, debug_file);
	}
	if (fd >= 0)
		elf_care_more(&f->care, fd);
	errno = 0; /* nothing there is no fault */
	return fd;
}

bool debug_file_is_shared(Dwarf *d)
{
	const char *path;
	const void *id;

	return dwelf_dwarf_gnu_debugaltlink(d, &path, &id) > 0;
}
