/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/armer.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/err.h"
#include "record/host/rootfs.h"
#include "record/plan.h"
#include "record/probes.h"

enum {
	EVENT_BYTES = 96, /* plan_event_name()'s 48 and what is put behind it */
	ARGS_BYTES = 1024,
	FORMAT_BYTES = 16 << 10, /* a uprobe's is below one KiB for each ten arguments */
};

/* One message each way. */
struct request {
	uint64_t offset;
	bool is_return;
	char event[EVENT_BYTES], args[ARGS_BYTES], path[PATH_MAX];
};

struct reply {
	int rc;
	uint32_t id;
	char text[FORMAT_BYTES]; /* the format; of a failure the error's text */
};

struct armer {
	struct probes *probes;
	pid_t pid;
	int fd;
};

/* ---- the other process ---- */

static void answer(struct probes *p, const struct request *q, struct reply *r)
{
	struct err e = {0};
	char path[160], *text = NULL;
	const char *root;

	r->rc = probes_add(p, q->is_return, q->event, q->path, q->offset, q->args, &r->id,
			   &e);
	root = r->rc ? NULL : tracefs_find(&e);
	snprintf(path, sizeof(path), "/events/%s/%.90s/format", probes_group(p),
		 q->event);
	if (!r->rc)
		r->rc = root ? rootfs_read(root, path, sizeof(r->text) - 1, &text, NULL,
					   &e)
			     : ERR_NOTFOUND;
	snprintf(r->text, sizeof(r->text), "%s", r->rc ? e.text : text);
	free(text);
}

static bool is_text(const char *text, size_t size)
{
	return memchr(text, 0, size) && !strchr(text, '\n');
}

/* What else the recorder has open shall end with it, and not with us. */
static void close_others(int a, int b)
{
	char **name;
	size_t n;

	if (rootfs_names("", "/proc/self/fd", &name, &n, NULL))
		return;
	for (size_t i = 0; i < n; i++) {
		int fd = (int)strtol(name[i], NULL, 10);

		if (fd > 2 && fd != a && fd != b)
			close(fd);
	}
	rootfs_names_free(name, n);
}

static void serve(struct probes *p, int fd)
{
	static struct request q;
	static struct reply r;

	close_others(fd, probes_fd(p));
	while (recv(fd, &q, sizeof(q), 0) == (ssize_t)sizeof(q)) {
		r = (struct reply){.rc = ERR_USAGE};
		if (is_text(q.event, sizeof(q.event)) && !strpbrk(q.event, " /\t") &&
		    is_text(q.args, sizeof(q.args)) && is_text(q.path, sizeof(q.path)))
			answer(p, &q, &r);
		if (send(fd, &r, sizeof(r), MSG_NOSIGNAL) != (ssize_t)sizeof(r))
			break;
	}
	_exit(0);
}

/* ---- ours ---- */

/* A child that sends no signal when it ends: waiting for any child does not meet it
 * (clone(2), __WCLONE), so that whoever waits for all of the workload sees those alone. */
static pid_t quiet_fork(void)
{
	return (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);
}

int armer_new(struct armer **out, struct probes *p, struct err *e)
{
	struct armer *a = calloc(1, sizeof(*a));
	int pair[2], rc;

	*out = NULL;
	if (!a)
		return err_nomem(e, "a recording");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		free(a);
		return err_errno(e, "cannot make a socket");
	}
	*a = (struct armer){.probes = p, .fd = pair[0]};
	a->pid = quiet_fork();
	if (!a->pid) {
		close(a->fd);
		serve(p, pair[1]);
	}
	rc = a->pid < 0 ? err_errno(e, "cannot start a process") : 0;
	close(pair[1]);
	if (rc) {
		close(a->fd);
		free(a);
		return rc;
	}
	*out = a;
	return 0;
}

pid_t armer_pid(const struct armer *a)
{
	return a->pid;
}

void armer_free(struct armer *a)
{
	if (!a)
		return;
	close(a->fd);
	while (waitpid(a->pid, NULL, __WCLONE) < 0 && errno == EINTR)
		;
	free(a);
}

static bool copy(char *to, size_t size, const char *from)
{
	return (size_t)snprintf(to, size, "%s", from) < size;
}

int armer_add(struct armer *a, const struct plan_probe *probe, uint32_t *id,
	      char **format, struct err *e)
{
	struct request *q = calloc(1, sizeof(*q));
	struct reply *r = calloc(1, sizeof(*r));
	int rc = q && r ? 0 : err_nomem(e, "a recording");

	*format = NULL;
	if (!rc && (!copy(q->event, sizeof(q->event), probe->event) ||
		    !copy(q->args, sizeof(q->args), probe->args) ||
		    !copy(q->path, sizeof(q->path), probe->file)))
		rc = err_set(e, ERR_LIMIT, "%s: its path or arguments are too long",
			     probe->function);
	if (!rc) {
		q->offset = probe->offset;
		q->is_return = probe->is_return;
		rc = probes_remember(a->probes, probe->event, e);
	}
	if (!rc && (send(a->fd, q, sizeof(*q), MSG_NOSIGNAL) != (ssize_t)sizeof(*q) ||
		    recv(a->fd, r, sizeof(*r), 0) != (ssize_t)sizeof(*r)))
		rc = err_set(e, ERR_IO, "the process that defines probes has ended");
	if (!rc && r->rc)
		rc = err_set(e, r->rc, "%.600s", r->text);
	if (!rc && !(*format = strdup(r->text)))
		rc = err_nomem(e, "a recording");
	*id = rc ? 0 : r->id;
	free(q);
	free(r);
	return rc;
}
