/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/patched.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/err.h"
#include "record/host/rootfs.h"
#include "record/plan.h"

/* A jump of 5 bytes that begins up to 4 before the place covers it. */
enum { BEFORE = 4, LOOK = BEFORE + 1, BREAKPOINT = 0xcc, JUMP = 0xe9 };

struct target {
	const struct plan_probe *probe;
	dev_t dev;
	ino_t ino;
	unsigned char code[LOOK]; /* the file's */
	uint64_t from;		  /* the first one's offset */
};

/* false = the file cannot be read, or has no such place. */
static bool target_take(struct target *t, const struct plan_probe *p)
{
	int fd = open(p->file, O_RDONLY | O_CLOEXEC);
	struct stat st;
	bool good;

	*t = (struct target){.probe = p, .from = p->offset - BEFORE};
	good = fd >= 0 && p->offset >= BEFORE && !fstat(fd, &st) &&
	       pread(fd, t->code, LOOK, (off_t)t->from) == LOOK;
	if (good) {
		t->dev = st.st_dev;
		t->ino = st.st_ino;
	}
	if (fd >= 0)
		close(fd);
	return good;
}

/* Another instruction begins at the place, or a jump before it covers the place. Elsewhere
 * than on x86-64 a patch that is made of whole instructions is seen by the kernel. */
static bool differs(const struct target *t, const unsigned char *there)
{
	bool covered = false;

#ifndef __x86_64__
	return false;
#endif
	for (int i = 0; i < BEFORE; i++)
		covered |= there[i] == JUMP && t->code[i] != JUMP;
	return covered ||
	       (there[BEFORE] != t->code[BEFORE] && there[BEFORE] != BREAKPOINT);
}

/* "7f..-7f.. r-xp 00001000 fe:00 123 /path": the probe that meets other code there. The
 * kernel leaves writable mappings alone (valid_vma()), as our agent's are. */
static const struct plan_probe *look(const char *line, int mem, const struct target *t,
				     size_t n)
{
	uint64_t start, end, offset, ino;
	unsigned major, minor;
	char rights[5];

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64, &start,
		   &end, rights, &offset, &major, &minor, &ino) < 7 ||
	    rights[1] == 'w' || rights[2] != 'x' || !ino)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		unsigned char there[LOOK];

		if (t[i].ino != ino || t[i].dev != makedev(major, minor) ||
		    t[i].from < offset || t[i].from + LOOK > offset + (end - start))
			continue;
		if (pread(mem, there, LOOK, (off_t)(start + t[i].from - offset)) ==
			    LOOK &&
		    differs(&t[i], there))
			return t[i].probe;
	}
	return NULL;
}

static const struct plan_probe *look_into(const char *pid, const struct target *t,
					  size_t n)
{
	const struct plan_probe *found = NULL;
	char path[64], *line = NULL;
	size_t size = 0;
	FILE *maps;
	int mem;

	snprintf(path, sizeof(path), "/proc/%.20s/mem", pid);
	mem = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%.20s/maps", pid);
	maps = mem >= 0 ? fopen(path, "re") : NULL;
	while (maps && !found && getline(&line, &size, maps) > 0)
		found = look(line, mem, t, n);
	free(line);
	if (maps)
		fclose(maps);
	if (mem >= 0)
		close(mem);
	return found;
}

static int refuse(const char *pid, const struct plan_probe *p, struct err *e)
{
	char *name = rootfs_line("", "/proc/%s/comm", pid);

	err_set(e, ERR_UNSUPPORTED,
		"process %s (%s) runs other code at %s than %s has there, as a recording "
		"that is under way, or that it was left running by, puts it; a uprobe "
		"would destroy it. Let that recording end, or end the process and start "
		"it anew",
		pid, name ? name : "?", p->function, p->file);
	free(name);
	return ERR_UNSUPPORTED;
}

int patched_check(const struct plan *p, struct err *e)
{
	struct target *t = calloc(p->n + 1, sizeof(*t));
	char **pid = NULL;
	size_t n = 0, npid = 0;
	int rc = t ? 0 : err_nomem(e, "a recording");

	for (size_t i = 0; !rc && i < p->n; i++)
		if (!p->probe[i].place)
			n += target_take(&t[n], &p->probe[i]);
	if (n && !rc && rootfs_names("", "/proc", &pid, &npid, NULL))
		npid = 0;
	for (size_t i = 0; !rc && i < npid; i++) {
		const struct plan_probe *found =
			strspn(pid[i], "0123456789") == strlen(pid[i])
				? look_into(pid[i], t, n)
				: NULL;

		if (found)
			rc = refuse(pid[i], found, e);
	}
	if (pid)
		rootfs_names_free(pid, npid);
	free(t);
	return rc;
}
