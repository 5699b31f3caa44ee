/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/threads.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/err.h"
#include "record/host/rootfs.h"
#include "record/session.h"

enum {
	MAX_OPENINGS = 3, /* of all events, when a process begets threads all the time */
	MAX_DYING = 100,  /* openings in a row that a thread on its way out has failed */
	DYING_MS = 1,	  /* such a thread is given this long */
	MIN_SLOTS = 64,
	TAKEN_OUT = -1,
};

/* Has it ended, and is only there for its parent or for its other threads? */
static bool is_over(pid_t pid, const char *tid)
{
	char *line = rootfs_line("", "/proc/%d/task/%s/stat", (int)pid, tid);
	const char *behind = line ? strrchr(line, ')') : NULL;
	bool over = behind && (!strncmp(behind, ") Z", 3) || !strncmp(behind, ") X", 3));

	free(line);
	return over;
}

static int list_one(pid_t pid, pid_t **out, size_t *n, struct err *e)
{
	char path[64], **name = NULL;
	size_t nname = 0;
	int rc;

	*out = NULL;
	*n = 0;
	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	rc = rootfs_names("", path, &name, &nname, e);
	if (!rc && !nname)
		rc = err_set(e, ERR_NOTFOUND, "there is no process %d", (int)pid);
	if (!rc && !(*out = calloc(nname, sizeof(**out))))
		rc = err_nomem(e, "a recording");
	for (size_t i = 0; !rc && i < nname; i++)
		if (!is_over(pid, name[i]))
			(*out)[(*n)++] = (pid_t)strtol(name[i], NULL, 10);
	rootfs_names_free(name, nname);
	if (!rc && !*n) {
		free(*out);
		*out = NULL;
		rc = err_set(e, ERR_NOTFOUND, "process %d has ended", (int)pid);
	}
	return rc;
}

/* Of all; one that has ended is passed over while another lives. */
static int list(struct pids p, pid_t **out, size_t *n, struct err *e)
{
	int rc = 0;

	*out = NULL;
	*n = 0;
	for (size_t i = 0; i < p.n && rc != ERR_NOMEM; i++) {
		struct err why = {0};
		pid_t *one, *grown;
		size_t none;

		rc = list_one(p.pid[i], &one, &none, &why);
		if (rc && rc == ERR_NOTFOUND && (i + 1 < p.n || *n))
			continue;
		if (rc) {
			err_set(e, rc, "%s", why.text);
			break;
		}
		grown = realloc(*out, (*n + none) * sizeof(**out));
		if (grown) {
			memcpy(grown + *n, one, none * sizeof(*one));
			*out = grown;
			*n += none;
		} else {
			rc = err_nomem(e, "a recording");
		}
		free(one);
	}
	if (*n && rc == ERR_NOTFOUND)
		rc = 0;
	if (rc) {
		free(*out);
		*out = NULL;
	}
	return rc;
}

pid_t threads_living(pid_t pid)
{
	struct err why = {0};
	pid_t *tid = NULL, found = 0;
	char first[16];
	size_t n;

	snprintf(first, sizeof(first), "%d", (int)pid);
	if (!kill(pid, 0) || errno != ESRCH) {
		if (!is_over(pid, first))
			return pid;
		if (!list_one(pid, &tid, &n, &why))
			found = tid[0];
	}
	free(tid);
	return found;
}

static bool lists(const pid_t *tid, size_t n, pid_t one)
{
	for (size_t i = 0; i < n; i++)
		if (tid[i] == one)
			return true;
	return false;
}

/* Those of o that are still there. */
static int keep_living(struct pids pid, pid_t *tid, size_t *n, struct err *e)
{
	pid_t *now;
	size_t nnow, kept = 0;
	int rc = list(pid, &now, &nnow, e);

	for (size_t i = 0; !rc && i < *n; i++)
		if (lists(now, nnow, tid[i]))
			tid[kept++] = tid[i];
	free(now);
	if (!rc && !kept)
		rc = err_set(e, ERR_NOTFOUND,
			     "process %d: its threads end faster than events can be "
			     "opened for them",
			     (int)*pid.pid);
	*n = rc ? *n : kept;
	return rc;
}

/* Threads end between their listing and the opening of their events, which then fails: once
 * more with those that live on. Each failure means that one has ended, or is about to. */
static int open_for_living(struct session **s, struct pids pid, pid_t *tid,
			   struct session_options *o, struct err *e)
{
	const struct timespec nap = {0, DYING_MS * 1000000L};
	int rc, dying = 0;

	for (;;) {
		struct err why = {0};
		size_t before = o->npid;

		rc = session_open(s, o, &why);
		if (rc != ERR_NOTFOUND || dying == MAX_DYING)
			return rc ? err_set(e, rc, "%s", why.text) : 0;
		rc = keep_living(pid, tid, &o->npid, e);
		if (rc)
			return rc;
		dying = o->npid < before ? 0 : dying + 1;
		if (dying)
			nanosleep(&nap, NULL);
	}
}

/* Is there a thread now that was not listed? Of those that a listed one begot when its
 * events were open nothing is missing, of the others something may be. */
static int any_missed(struct pids pid, const pid_t *tid, size_t n, bool *missed,
		      struct err *e)
{
	pid_t *now;
	size_t nnow;
	int rc = list(pid, &now, &nnow, e);

	*missed = false;
	for (size_t i = 0; !rc && i < nnow && !*missed; i++)
		*missed = !lists(tid, n, now[i]);
	free(now);
	return rc;
}

/* ---- who is trusted ---- */

static size_t home_of(const struct threads *t, pid_t tid)
{
	return ((size_t)tid * 2654435761u) & (t->nslot - 1); /* Knuth's multiplier */
}

/* Where it is, or, when it is not there, the free slot that ends the search. */
static size_t find(const struct threads *t, pid_t tid)
{
	size_t h = home_of(t, tid);

	while (t->slot[h] && t->slot[h] != tid)
		h = (h + 1) & (t->nslot - 1);
	return h;
}

static int grow(struct threads *t)
{
	struct threads larger = {.strict = t->strict,
				 .nslot = t->nslot ? 2 * t->nslot : MIN_SLOTS};

	larger.slot = calloc(larger.nslot, sizeof(*larger.slot));
	if (!larger.slot)
		return -1;
	for (size_t i = 0; i < t->nslot; i++)
		if (t->slot[i] > 0) {
			larger.slot[find(&larger, t->slot[i])] = t->slot[i];
			larger.used++;
		}
	free(t->slot);
	*t = larger;
	return 0;
}

static int trust(struct threads *t, pid_t tid)
{
	size_t h;

	if (2 * (t->used + 1) > t->nslot && grow(t))
		return -1;
	h = find(t, tid);
	t->used += !t->slot[h];
	t->slot[h] = tid;
	return 0;
}

bool threads_trusts(const struct threads *t, pid_t tid)
{
	return t->nslot && t->slot[find(t, tid)] == tid;
}

size_t threads_untrusted(const struct threads *t, struct pids pid)
{
	struct err why = {0};
	pid_t *now = NULL;
	size_t nnow = 0, n = 0;

	if (t->strict && !list(pid, &now, &nnow, &why))
		for (size_t i = 0; i < nnow; i++)
			n += !threads_trusts(t, now[i]);
	free(now);
	return n;
}

int threads_begun(struct threads *t, pid_t tid, pid_t parent)
{
	if (threads_trusts(t, parent))
		return trust(t, tid) ? -1 : 1;
	if (threads_trusts(t, tid)) /* the number of one that ended, given again */
		t->slot[find(t, tid)] = TAKEN_OUT;
	return 0;
}

void threads_release(struct threads *t)
{
	free(t->slot);
	*t = (struct threads){.strict = false};
}

/* ---- opening ---- */

int threads_open(struct threads *t, struct session **s, struct pids pid,
		 struct session_options *o, struct err *e)
{
	bool missed = true;
	pid_t *tid = NULL;
	int rc = 0;

	if (o->everyone)
		return session_open(s, o, e);
	for (int i = 0; !rc && missed && i < MAX_OPENINGS; i++) {
		session_close(*s);
		*s = NULL;
		free(tid);
		rc = list(pid, &tid, &o->npid, e);
		o->pid = tid;
		if (!rc)
			rc = open_for_living(s, pid, tid, o, e);
		if (!rc)
			rc = any_missed(pid, tid, o->npid, &missed, e);
	}
	t->strict = missed;
	for (size_t i = 0; !rc && missed && i < o->npid; i++)
		if (trust(t, tid[i]))
			rc = err_nomem(e, "a recording");
	if (rc) {
		session_close(*s);
		*s = NULL;
	}
	free(tid);
	o->pid = NULL;
	return rc;
}
