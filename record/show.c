/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/show.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/err.h"
#include "record/host/rights.h"

int show_begin(const char *dir, const struct user *owner, char **recording,
	       char **database, struct err *e)
{
	bool made = !mkdir(dir, 0777);
	struct stat st;

	*recording = *database = NULL;
	if (!made && errno != EEXIST)
		return err_errno(e, "--report %s", dir);
	if (!made && (stat(dir, &st) || !S_ISDIR(st.st_mode)))
		return err_set(e, ERR_USAGE, "--report %s: is no folder", dir);
	if (made && owner->uid != geteuid() && lchown(dir, owner->uid, owner->gid))
		return err_errno(e, "--report %s", dir);
	if (asprintf(recording, "%s/dma.data", dir) < 0 ||
	    asprintf(database, "%s/trace.db", dir) < 0)
		return err_nomem(e, "a report");
	/* the report is of this recording, and of none before it */
	if (unlink(*database) && errno != ENOENT)
		return err_errno(e, "--report %s: an old %s", dir, *database);
	return 0;
}

/* The tool beside this program: what came with it knows its files. */
static int run_tool(const char *tool, char *const *argv, struct err *e)
{
	char path[PATH_MAX], *slash;
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 64);
	int status;
	pid_t pid;

	path[len > 0 ? len : 0] = '\0';
	slash = strrchr(path, '/');
	if (!slash)
		return err_set(e, ERR_IO, "--report: cannot tell where dmarec lies");
	snprintf(slash + 1, 64, "%s", tool);
	if (access(path, X_OK))
		return err_errno(e, "--report needs %s", path);
	pid = fork();
	if (pid < 0)
		return err_errno(e, "cannot start a process");
	if (!pid) {
		execv(path, argv);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	return err_set(e, ERR_IO,
		       "--report: %s has failed (it said why); the recording is "
		       "whole",
		       tool);
}

int show_run(const char *dir, const char *recording, const char *database, bool quiet,
	     struct err *e)
{
	char *analyze[] = {"dmaanalyze",	"-i", (char *)recording, (char *)database,
			   quiet ? "-q" : NULL, NULL};
	char *report[] = {"dmareport", "-o", (char *)dir, (char *)database, NULL};
	int rc;

	fflush(NULL);
	rc = run_tool("dmaanalyze", analyze, e);
	return rc ? rc : run_tool("dmareport", report, e);
}
