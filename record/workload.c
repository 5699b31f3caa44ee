/* SPDX-License-Identifier: GPL-2.0-only */
/* The workload behind its go-pipe. */
#include "record/workload.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/err.h"
#include "record/host/rights.h"
#include "record/host/rootfs.h"

/* In the child: wait for the word, run the command, or say why not. */
static bool set_preload(const char *library)
{
	const char *old = getenv("LD_PRELOAD");
	char *value;

	return asprintf(&value, "%s%s%s", library, old ? ":" : "", old ? old : "") >= 0 &&
	       !setenv("LD_PRELOAD", value, 1);
}

static void run(char **argv, int go, int fail, const sigset_t *mask,
		const struct user *as, const char *preload)
{
	char c;
	ssize_t n;
	int why;

	do {
		n = read(go, &c, 1);
	} while (n < 0 && errno == EINTR);
	if (n != 1)
		_exit(125); /* the recorder gave up, or was killed */
	if (preload && !set_preload(preload))
		_exit(125);
	signal(SIGXFSZ, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	if (!as || !user_become(as))
		execvp(argv[0], argv);
	why = errno;
	n = write(fail, &why, sizeof(why));
	_exit(n == sizeof(why) && why == ENOENT ? 127 : 126);
}

int workload_fork(struct workload *w, char **argv, const sigset_t *mask,
		  const struct user *as, const char *preload, struct err *e)
{
	int go[2] = {-1, -1}, fail[2] = {-1, -1};

	*w = (struct workload){.go = -1, .fail = -1};
	if (pipe2(go, O_CLOEXEC) || pipe2(fail, O_CLOEXEC)) {
		if (go[0] >= 0) {
			close(go[0]);
			close(go[1]);
		}
		return err_errno(e, "cannot make a pipe");
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); /* what it leaves behind comes to us */
	w->pid = fork();
	if (w->pid == 0) {
		close(go[1]);
		close(fail[0]);
		run(argv, go[0], fail[1], mask, as, preload);
	}
	close(go[0]);
	close(fail[1]);
	w->go = go[1];
	w->fail = fail[0];
	if (w->pid < 0) {
		w->pid = 0;
		return err_errno(e, "cannot start a process");
	}
	return 0;
}

int workload_go(struct workload *w, const char *name, int *exec_errno, struct err *e)
{
	ssize_t n;
	int why = 0;

	*exec_errno = 0;
	if (write(w->go, "g", 1) != 1)
		return err_errno(e, "the workload's process is gone");
	close(w->go);
	w->go = -1;
	do {
		n = read(w->fail, &why, sizeof(why)); /* closed by a successful exec */
	} while (n < 0 && errno == EINTR);
	if (n != sizeof(why))
		return 0;
	*exec_errno = errno = why;
	return err_errno(e, "cannot run '%s'", name);
}

bool workload_poll(struct workload *w)
{
	pid_t pid;
	int status;

	if (w->pid <= 0)
		return w->ended;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == w->pid) {
			w->status = status;
			w->ended = true;
		}
	w->gone = w->ended && pid < 0 && errno == ECHILD;
	return w->ended;
}

/* ---- who lives ---- */

struct process {
	pid_t pid, parent;
	bool ours;
};

/* 0 = it has gone, or is a zombie. */
static pid_t parent_of(const char *pid)
{
	char *line = rootfs_line("", "/proc/%s/stat", pid);
	const char *behind = line ? strrchr(line, ')') : NULL;
	char state = 'Z';
	int parent = 0;

	if (!behind || sscanf(behind + 1, " %c %d", &state, &parent) != 2 || state == 'Z')
		parent = 0;
	free(line);
	return parent;
}

/* Marks children of what is marked until there are no more. */
static void mark_descendants(struct process *p, size_t n, pid_t other)
{
	bool more = true;

	while (more) {
		more = false;
		for (size_t i = 0; i < n; i++) {
			bool ours = p[i].parent == getpid() && p[i].pid != other;

			for (size_t k = 0; k < n && !ours; k++)
				ours = p[k].ours && p[k].pid == p[i].parent;
			more |= ours && !p[i].ours;
			p[i].ours = ours;
		}
	}
}

static size_t tell(const struct process *p, size_t n, char *text, size_t size)
{
	size_t len = 0, told = 0;

	for (size_t i = 0; i < n; i++) {
		char *name;

		if (!p[i].ours)
			continue;
		name = rootfs_line("", "/proc/%d/comm", (int)p[i].pid);
		if (len < size)
			len += (size_t)snprintf(text + len, size - len, "%s%d (%s)",
						told ? ", " : "", (int)p[i].pid,
						name ? name : "?");
		free(name);
		told++;
	}
	return told;
}

/* All processes, those marked that are of the workload. malloc'ed. */
static struct process *descendants(const struct workload *w, size_t *all)
{
	struct process *p;
	char **name;
	size_t n;

	*all = 0;
	if (rootfs_names("", "/proc", &name, &n, NULL))
		return NULL;
	p = calloc(n + 1, sizeof(*p));
	for (size_t i = 0; p && i < n; i++) {
		p[*all].pid = (pid_t)strtol(name[i], NULL, 10);
		p[*all].parent = p[*all].pid > 0 ? parent_of(name[i]) : 0;
		*all += p[*all].parent > 0;
	}
	rootfs_names_free(name, n);
	if (p)
		mark_descendants(p, *all, w->other);
	return p;
}

size_t workload_living(const struct workload *w, char *text, size_t size)
{
	size_t all, living;
	struct process *p = descendants(w, &all);

	*text = '\0';
	living = p ? tell(p, all, text, size) : 0;
	free(p);
	return living;
}

pid_t *workload_processes(const struct workload *w, size_t *n)
{
	size_t all;
	struct process *p = descendants(w, &all);
	pid_t *list = p ? calloc(all + 1, sizeof(*list)) : NULL;

	*n = 0;
	for (size_t i = 0; list && i < all; i++)
		if (p[i].ours)
			list[(*n)++] = p[i].pid;
	free(p);
	if (!*n) {
		free(list);
		list = NULL;
	}
	return list;
}

static void signal_all(const struct workload *w, int signal)
{
	size_t all;
	struct process *p = descendants(w, &all);

	for (size_t i = 0; p && i < all; i++)
		if (p[i].ours)
			kill(p[i].pid, signal);
	free(p);
}

bool workload_end(struct workload *w, int grace_ms)
{
	enum { LOOK_MS = 20 };

	signal_all(w, SIGTERM);
	signal_all(w, SIGCONT); /* one that is stopped would not see it */
	for (int ms = 0; ms < grace_ms; ms += LOOK_MS) {
		if (workload_poll(w) && w->gone)
			return false;
		poll(NULL, 0, LOOK_MS);
	}
	while (!(workload_poll(w) && w->gone)) { /* what is being born dies next time */
		signal_all(w, SIGKILL);
		poll(NULL, 0, LOOK_MS);
	}
	return true;
}

void workload_release(struct workload *w)
{
	bool waiting = w->go >= 0;

	if (w->go >= 0)
		close(w->go); /* end of file: the child leaves */
	if (w->fail >= 0)
		close(w->fail);
	w->go = w->fail = -1;
	if (waiting && w->pid > 0 && !w->ended &&
	    waitpid(w->pid, &w->status, 0) == w->pid)
		w->ended = true;
}

int workload_exit_code(const struct workload *w)
{
	if (!w->ended)
		return EXIT_FAILURE;
	return WIFSIGNALED(w->status) ? 128 + WTERMSIG(w->status)
				      : WEXITSTATUS(w->status);
}
