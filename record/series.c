/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/series.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/err.h"

char **series_cut(char **argv)
{
	for (char **p = argv; p && *p; p++)
		if (!strcmp(*p, "--vs")) {
			*p = NULL;
			return p + 1;
		}
	return NULL;
}

static int sides(const struct series *s)
{
	return s->command[1] ? 2 : 1;
}

int series_side(const struct series *s, int step)
{
	int round = step / sides(s);

	return sides(s) == 1 ? 0 : (step + round) % 2;
}

char *series_output(const struct series *s, int side, int run)
{
	const char *dot = strrchr(s->output, '.'), *slash = strrchr(s->output, '/');
	const char *label = s->label[side];
	char *path = NULL;
	int stem;

	if (!dot || (slash && dot < slash) || dot == s->output)
		dot = s->output + strlen(s->output);
	stem = (int)(dot - s->output);
	if (asprintf(&path, "%.*s-%s%s%d%s", stem, s->output, label ? label : "",
		     label ? "-" : "", run, dot) < 0)
		return NULL;
	for (char *p = path + stem + 1; label && p < path + stem + 1 + strlen(label); p++)
		if (!isalnum((unsigned char)*p) && !strchr(".-", *p))
			*p = '_';
	return path;
}

/* The status of a child, 128 + N for a signal as dmarec's own. */
static int wait_for(pid_t pid, struct err *e)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_errno(e, "cannot wait for a recording");
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Ctrl-C is the recording's: it ends it and keeps what there is. Ours waits, and then ends
 * the series. */
static bool interrupted(void)
{
	sigset_t waiting;

	sigpending(&waiting);
	return sigismember(&waiting, SIGINT) || sigismember(&waiting, SIGTERM);
}

int series_run(const struct series *s,
	       int (*record)(void *arg, char **command, const char *label,
			     const char *output),
	       void *arg, int *made, struct err *e)
{
	sigset_t ours, before;
	int status = 0;

	sigemptyset(&ours);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGTERM);
	sigprocmask(SIG_BLOCK, &ours, &before);
	for (*made = 0; *made < s->runs * sides(s) && !status && !interrupted();) {
		int side = series_side(s, *made);
		char *output = series_output(s, side, *made / sides(s) + 1);
		pid_t pid = output ? fork() : -1;

		if (pid < 0) {
			err_errno(e, "cannot begin recording %d", *made + 1);
			free(output);
			status = 1;
			break;
		}
		if (!pid) {
			sigprocmask(SIG_SETMASK, &before, NULL);
			exit(record(arg, s->command[side], s->label[side], output));
		}
		++*made;
		status = wait_for(pid, e);
		free(output);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return status;
}
