/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/elf/mapped.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "lib/err.h"

#define DELETED " (deleted)"

struct mapping {
	uint64_t start, end;
	bool code, deleted;
	dev_t dev;
	ino_t ino;
	char *name; /* as the process knows it */
};

/* "\012" of /proc/PID/maps is a newline; other bytes stand for themselves. */
static void unescape(char *path)
{
	for (char *at = path; (at = strstr(at, "\\012")); at++) {
		*at = '\n';
		memmove(at + 1, at + 4, strlen(at + 4) + 1);
	}
}

/* "7f..-7f.. r-xp 00000000 fe:00 123   /path"; false = no file. */
static bool parse(struct mapping *m, const char *line, struct err *e)
{
	unsigned major, minor;
	uint64_t offset;
	char rights[5], *tail;
	int at = 0;

	*m = (struct mapping){.name = NULL};
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n",
		   &m->start, &m->end, rights, &offset, &major, &minor, &m->ino,
		   &at) < 7 ||
	    !at || line[at] != '/')
		return false;
	m->code = rights[2] == 'x';
	m->dev = makedev(major, minor);
	m->name = strndup(line + at, strcspn(line + at, "\n"));
	if (!m->name) {
		err_nomem(e, "a program");
		return false;
	}
	tail = m->name + strlen(m->name) - strlen(DELETED);
	m->deleted = tail > m->name && !strcmp(tail, DELETED);
	unescape(m->name);
	return true;
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Does the file at the path have the inode? Then *path is kept. */
static bool fits(char *path, const struct stat *want, struct mapped *m)
{
	struct stat st;

	if (!path || stat(path, &st) || !S_ISREG(st.st_mode) || !same(&st, want)) {
		free(path);
		return false;
	}
	m->path = path;
	m->st = st;
	return true;
}

static char *format(const char *fmt, const char *root, int pid, const char *name)
{
	char *text;

	if (*fmt == 'r')
		return asprintf(&text, "%s/proc/%d/root%s", root, pid, name) < 0 ? NULL
										 : text;
	return asprintf(&text, "%s%s", root, name) < 0 ? NULL : text;
}

/* By the process's own view of the file system, where ours has another file. */
static bool find_path(struct mapped *m, const struct mapping *map,
		      const struct stat *want, const char *root, int pid)
{
	return fits(format("", root, pid, map->name), want, m) ||
	       fits(format("root", root, pid, map->name), want, m);
}

static int tell(struct mapped *m, const struct mapping *map, int pid, const char *rest,
		struct err *e)
{
	size_t len = strlen(map->name) - (map->deleted ? strlen(DELETED) : 0);

	return asprintf(&m->told, "%.*s is not the file that process %d runs%s; %s",
			(int)len, map->name, pid,
			map->deleted ? ": it was replaced or deleted since" : "",
			rest) < 0
		       ? err_nomem(e, "a program")
		       : 0;
}

/* Without map_files the numbers of the line must do. */
static int find_by_number(struct mapped *m, const struct mapping *map, const char *root,
			  int pid, struct err *e)
{
	struct stat want = {.st_dev = map->dev, .st_ino = map->ino};

	if (!map->deleted && find_path(m, map, &want, root, pid))
		return 0;
	return tell(
		m, map, pid,
		"it is not probed, for /proc/PID/map_files cannot be read: run as root",
		e);
}

int mapped_find(struct mapped *m, const char *root, int pid, const char *line,
		struct err *e)
{
	struct mapping map;
	struct stat want;
	char *link = NULL;
	int rc = 0;

	*m = (struct mapped){.path = NULL};
	if (!parse(&map, line, e))
		return e && e->code == ERR_NOMEM ? ERR_NOMEM : 0;
	if (map.code && asprintf(&link, "%s/proc/%d/map_files/%" PRIx64 "-%" PRIx64, root,
				 pid, map.start, map.end) < 0)
		rc = err_nomem(e, "a program");
	if (rc || !map.code) {
		/* nothing to find */
	} else if (stat(link, &want)) {
		rc = find_by_number(m, &map, root, pid, e);
	} else if (S_ISREG(want.st_mode) && !find_path(m, &map, &want, root, pid)) {
		m->path = link; /* a device has no functions, and is left out */
		m->st = want;
		link = NULL;
		rc = tell(m, &map, pid, "the mapped file itself is probed", e);
	}
	free(link);
	free(map.name);
	if (rc)
		mapped_release(m);
	return rc;
}

void mapped_release(struct mapped *m)
{
	free(m->path);
	free(m->told);
	*m = (struct mapped){.path = NULL};
}
