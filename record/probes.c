/* SPDX-License-Identifier: GPL-2.0-only */
/* Uprobe and kprobe events in tracefs. */
#include "record/probes.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/array.h"
#include "lib/err.h"
#include "record/host/forbid.h"
#include "record/host/rootfs.h"

#define GROUP "dmarec_"

struct probes {
	int fd; /* uprobe_events: removal needs no rights that we may have dropped */
	int kernel_fd; /* kprobe_events; -1 = this kernel has none, or no right to them */
	char group[40];
	char **event, **kernel; /* uprobes, kprobes */
	size_t n, nkernel;
};

const char *tracefs_find(struct err *e)
{
	static const char *const place[] = {"/sys/kernel/tracing",
					    "/sys/kernel/debug/tracing"};
	struct stat st;
	const char *bare = NULL, *locked;
	char path[64];

	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/uprobe_events", place[i]);
		if (!stat(path, &st)) /* access() would not count capabilities */
			return place[i];
		if (errno == EACCES) {
			err_set(e, ERR_PERM,
				"no right to use tracefs, %s: run dmarec with sudo, or "
				"let root open it to you (dmarec(1), RIGHTS)",
				place[i]);
			return NULL;
		}
		snprintf(path, sizeof(path), "%s/events", place[i]);
		if (!access(path, F_OK))
			bare = place[i];
	}
	if (bare) {
		err_set(e, ERR_UNSUPPORTED,
			"this kernel has no uprobes (%s/uprobe_events is not there): it was "
			"built without CONFIG_UPROBE_EVENTS, and another kernel is needed",
			bare);
		return NULL;
	}
	locked = forbidden_by_lockdown("");
	if (locked) {
		err_set(e, ERR_UNSUPPORTED, "tracefs has no files: %s", locked);
		return NULL;
	}
	err_set(e, ERR_NOTFOUND,
		"tracefs is not mounted (no /sys/kernel/tracing/uprobe_events): as root, "
		"mount -t tracefs tracefs /sys/kernel/tracing");
	return NULL;
}

/* One command to uprobe_events. 0 or -1 with errno. */
static int command(int fd, const char *text)
{
	size_t len = strlen(text);
	ssize_t n = write(fd, text, len);

	if (n >= 0 && n != (ssize_t)len)
		errno = EIO;
	return n == (ssize_t)len ? 0 : -1;
}

int probes_owner(const char *line, uint64_t *space, const char **event, size_t *len)
{
	const char *p;
	char *end;
	long pid;

	*space = 0;
	if ((line[0] != 'p' && line[0] != 'r') || line[1] != ':' ||
	    strncmp(line + 2, GROUP, strlen(GROUP)))
		return 0;
	p = line + 2 + strlen(GROUP);
	if (!isdigit((unsigned char)*p))
		return 0;
	pid = strtol(p, &end, 10);
	if (*end == '_' && isdigit((unsigned char)end[1]))
		*space = strtoull(end + 1, &end, 10);
	if (*end != '/' || pid <= 0 || pid > 0x7fffffff)
		return 0;
	*event = line + 2;
	*len = strcspn(*event, " \n");
	return (int)pid;
}

/* Removal, with patience: perf lets go of an event of a process that just ended some
 * milliseconds later, and until then the kernel says EBUSY. *tries is shared by a
 * pass. */
static int remove_event(int fd, const char *cmd, int *tries)
{
	while (command(fd, cmd)) {
		if (errno != EBUSY || --*tries < 0)
			return -1;
		usleep(10000);
	}
	return 0;
}

/* Of the first PID namespace, from which all others can be seen (PROC_PID_INIT_INO). */
#define FIRST_SPACE UINT64_C(0xEFFFFFFC)

/* The PID namespace of a process ("self"); 0 = the first, or not told. */
static uint64_t space_of(const char *pid)
{
	char *link = rootfs_link("", "/proc/%s/ns/pid", pid);
	uint64_t space = 0;

	if (link && !strncmp(link, "pid:[", 5))
		space = strtoull(link + 5, NULL, 10);
	free(link);
	return space == FIRST_SPACE ? 0 : space;
}

static bool is_called_dmarec(const char *pid)
{
	char *comm = rootfs_line("", "/proc/%s/comm", pid);
	bool yes = comm && !strcmp(comm, "dmarec");

	free(comm);
	return yes;
}

/* Is any recorder at work in that namespace, as seen from the first one? */
static bool space_has_recorder(uint64_t space)
{
	char **name;
	size_t n;
	bool found = false;

	if (rootfs_names("", "/proc", &name, &n, NULL))
		return true;
	for (size_t i = 0; i < n && !found; i++)
		found = isdigit((unsigned char)*name[i]) && is_called_dmarec(name[i]) &&
			space_of(name[i]) == space;
	rootfs_names_free(name, n);
	return found;
}

/* May that recorder be at work? Not a later user of its number; and of a namespace that
 * we cannot look into we know nothing. */
static bool is_recorder(int pid, uint64_t space)
{
	uint64_t ours = space_of("self");
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	if (space == ours)
		return pid != getpid() && is_called_dmarec(text);
	return ours ? true : space_has_recorder(space);
}

static int remove_stale(int fd, const char *root, const char *file, struct err *e)
{
	int tries = 50;
	char *text, *line, *save = NULL, cmd[256];
	const char *event;
	size_t len;
	int rc = rootfs_read(root, file, 64 << 20, &text, NULL, e);

	if (rc)
		return rc;
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		uint64_t space;
		int pid = probes_owner(line, &space, &event, &len);

		if (!pid || is_recorder(pid, space))
			continue;
		snprintf(cmd, sizeof(cmd), "-:%.*s\n", (int)len, event);
		/* in use by somebody's perf: stays, and is no fault of ours */
		remove_event(fd, cmd, &tries);
	}
	free(text);
	return 0;
}

static void name_group(struct probes *p)
{
	uint64_t space = space_of("self");
	int n = snprintf(p->group, sizeof(p->group), GROUP "%d", (int)getpid());

	if (space)
		snprintf(p->group + n, sizeof(p->group) - (size_t)n, "_%" PRIu64, space);
}

int probes_open(struct probes **p, struct err *e)
{
	const char *root = tracefs_find(e);
	char path[64];
	int rc;

	*p = NULL;
	if (!root)
		return e ? e->code : ERR_NOTFOUND;
	*p = calloc(1, sizeof(**p));
	if (!*p)
		return err_nomem(e, "a recording");
	name_group(*p);
	snprintf(path, sizeof(path), "%s/kprobe_events", root);
	(*p)->kernel_fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	snprintf(path, sizeof(path), "%s/uprobe_events", root);
	(*p)->fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	rc = (*p)->fd < 0
		     ? err_errno(e,
				 "%s cannot be written: run dmarec with sudo, or let "
				 "root open it to you (dmarec(1), RIGHTS)",
				 path)
		     : remove_stale((*p)->fd, root, "/uprobe_events", e);
	if (!rc && (*p)->kernel_fd >= 0)
		rc = remove_stale((*p)->kernel_fd, root, "/kprobe_events", e);
	if (rc) {
		probes_close(*p, NULL);
		*p = NULL;
	}
	return rc;
}

const char *probes_group(const struct probes *p)
{
	return p->group;
}

int probes_fd(const struct probes *p)
{
	return p->fd;
}

int tracepoint_id(const char *event, uint32_t *id, struct err *e)
{
	const char *root = tracefs_find(e);
	int64_t v;

	if (!root)
		return e ? e->code : ERR_NOTFOUND;
	if (!rootfs_number(root, &v, "/events/%s/id", event))
		return err_set(e, ERR_NOTFOUND,
			       "%s/events/%s/id cannot be read: run as root?", root,
			       event);
	*id = (uint32_t)v;
	return 0;
}

int probes_remember(struct probes *p, const char *event, struct err *e)
{
	char *copy = strdup(event), **added = copy ? array_add(&p->event, &p->n) : NULL;

	if (!added) {
		free(copy);
		return err_nomem(e, "an event's name");
	}
	*added = copy;
	return 0;
}

int probes_add(struct probes *p, bool is_return, const char *event, const char *path,
	       uint64_t offset, const char *args, uint32_t *id, struct err *e)
{
	char *cmd = NULL, link[64], name[160];
	const char *file = path;
	int fd = -1, rc;

	/* The kernel splits at blanks; it resolves the path at once, so a link will
	 * do. */
	if (strpbrk(path, " \t\n")) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return err_errno(e, "%s", path);
		snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)getpid(), fd);
		file = link;
	}
	if (asprintf(&cmd, "%c:%s/%s %s:0x%llx %s\n", is_return ? 'r' : 'p', p->group,
		     event, file, (unsigned long long)offset, args) < 0)
		cmd = NULL;
	rc = cmd ? command(p->fd, cmd) : err_nomem(e, "a recording");
	if (rc && cmd) {
		cmd[strcspn(cmd, "\n")] = '\0';
		rc = err_errno(e, "the kernel refused the probe '%s'", cmd);
	}
	free(cmd);
	if (fd >= 0)
		close(fd);
	if (!rc)
		rc = probes_remember(p, event, e);
	snprintf(name, sizeof(name), "%s/%s", p->group, event);
	return rc ? rc : tracepoint_id(name, id, e);
}

static int refused(struct err *e, int fd)
{
	if (fd < 0)
		return err_set(
			e, ERR_UNSUPPORTED,
			"functions of the kernel cannot be probed here: kprobe_events "
			"of tracefs is not there, or not to be written; a kernel built "
			"with CONFIG_KPROBE_EVENTS and root's rights are needed");
	return err_errno(e, "the kernel refused the probe");
}

int probes_add_kernel(struct probes *p, const char *event, const char *function,
		      const char *args, uint32_t *id, struct err *e)
{
	char *cmd = NULL, name[160];
	char **added = array_add(&p->kernel, &p->nkernel);
	int rc;

	if (!added || !(*added = strdup(event)) ||
	    asprintf(&cmd, "p:%s/%s %s %s\n", p->group, event, function, args) < 0)
		return err_nomem(e, "a recording");
	rc = p->kernel_fd < 0 || command(p->kernel_fd, cmd) ? refused(e, p->kernel_fd)
							    : 0;
	free(cmd);
	snprintf(name, sizeof(name), "%s/%s", p->group, event);
	return rc ? rc : tracepoint_id(name, id, e);
}

static int remove_all(const struct probes *p, int fd, char **event, size_t n,
		      struct err *e)
{
	char cmd[160];
	int rc = 0, tries = 50;

	for (size_t i = 0; i < n; i++) {
		snprintf(cmd, sizeof(cmd), "-:%s/%s\n", p->group, event[i]);
		if (remove_event(fd, cmd, &tries) && errno != ENOENT && fd >= 0)
			rc = err_errno(e, "the probe %s/%s could not be removed",
				       p->group, event[i]);
		free(event[i]);
	}
	free(event);
	if (fd >= 0)
		close(fd);
	return rc;
}

int probes_close(struct probes *p, struct err *e)
{
	int rc, bad;

	if (!p)
		return 0;
	rc = remove_all(p, p->fd, p->event, p->n, e);
	bad = remove_all(p, p->kernel_fd, p->kernel, p->nkernel, rc ? NULL : e);
	free(p);
	return rc ? rc : bad;
}
