/* SPDX-License-Identifier: GPL-2.0-only */
/* The workload behind its go-pipe. */
#include "record/workload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/err.h"

/* In the child: wait for the word, run the command, or say why not. */
static bool set_preload(const char *library)
{
	const char *old = getenv("LD_PRELOAD");
	char *value;

	return asprintf(&value, "%s%s%s", library, old ? ":" : "", old ? old : "") >= 0 &&
	       !setenv("LD_PRELOAD", value, 1);
}

static void run(char **argv, int go, int fail, const sigset_t *mask, const char *preload)
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
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(argv[0], argv);
	why = errno;
	n = write(fail, &why, sizeof(why));
	_exit(n == sizeof(why) && why == ENOENT ? 127 : 126);
}

int workload_fork(struct workload *w, char **argv, const sigset_t *mask,
		  const char *preload, struct err *e)
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
	w->pid = fork();
	if (w->pid == 0) {
		close(go[1]);
		close(fail[0]);
		run(argv, go[0], fail[1], mask, preload);
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
	if (!w->ended && w->pid > 0 && waitpid(w->pid, &w->status, WNOHANG) == w->pid)
		w->ended = true;
	return w->ended;
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
