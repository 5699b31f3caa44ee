/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/live/command.h"

#include <errno.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/err.h"

int command_run(const char *command, const char *file, const char *rule,
		const sigset_t *mask, struct err *e)
{
	char *argv[] = {"sh", "-c", (char *)(uintptr_t)command, NULL};
	posix_spawnattr_t attr;
	sigset_t defaults;
	pid_t pid;
	int rc, status;

	if (setenv("DMAREC_FILE", file, 1) || setenv("DMAREC_TRIGGER", rule, 1))
		return err_nomem(e, "--on-trigger");
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE); /* the recorder ignores these two */
	sigaddset(&defaults, SIGXFSZ);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attr, mask);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	rc = posix_spawn(&pid, "/bin/sh", NULL, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	if (rc) {
		errno = rc;
		return err_errno(e, "--on-trigger: /bin/sh");
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_errno(e, "--on-trigger");
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	return err_set(e, ERR_IO, "--on-trigger '%s' ended with %s %d", command,
		       WIFEXITED(status) ? "status" : "signal",
		       WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}
