/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/array.h"
#include "lib/cli.h"
#include "lib/err.h"
#include "record/elf/symbols.h"
#include "record/host/trust.h"
#include "record/options.h"
#include "record/threads.h"

/* "libfoo.so" names "/opt/lib/libfoo.so.1.2" */
static bool is_named(const char *file, const char *name)
{
	const char *base = strrchr(file, '/');
	size_t len = strlen(name);

	base = base ? base + 1 : file;
	return !strncmp(base, name, len) && (!base[len] || base[len] == '.');
}

/* One file by another path, or by another process's, would be probed twice. */
static bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	return !strcmp(a, b) || (!stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev &&
				 x.st_ino == y.st_ino);
}

static int add_file(char ***files, size_t *n, const char *path, struct err *e)
{
	char **grown = realloc(*files, (*n + 1) * sizeof(*grown));

	if (!grown)
		return err_nomem(e, "a recording");
	*files = grown;
	grown[*n] = realpath(path, NULL);
	for (size_t i = 0; i < *n; i++) /* the soname of one that is loaded anyway */
		if (!grown[*n] && !strchr(path, '/') && is_named(grown[i], path))
			return 0;
	if (!grown[*n])
		return err_errno(e, "library %s", path);
	for (size_t i = 0; i < *n; i++)
		if (same_file(grown[i], grown[*n])) {
			free(grown[*n]);
			return 0;
		}
	++*n;
	return 0;
}

pid_t files_task_of(pid_t pid)
{
	pid_t living = pid ? threads_living(pid) : 0;

	return living ? living : pid;
}

static uid_t owner_of_process(pid_t pid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	return stat(path, &st) ? 0 : st.st_uid;
}

/* A file that only the process itself can reach (/proc/PID/map_files, /proc/PID/root): its
 * directories are not ours to judge, its owner is. */
static bool is_own_file(const struct options *o, const char *path, uid_t process,
			pid_t pid)
{
	char prefix[64];
	struct stat st;
	size_t len = (size_t)snprintf(prefix, sizeof(prefix), "/proc/%d/",
				      (int)files_task_of(pid));

	return pid && !strncmp(path, prefix, len) && !stat(path, &st) &&
	       (!st.st_uid || st.st_uid == o->invoking.uid || st.st_uid == process) &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH));
}

/* Of what was found rather than named, only files that nobody else can write: a file says
 * which profile fits and where probes go. The command itself (the first) was named. pid: the
 * process whose files they are, 0 = the command's. */
static void keep_trusted(const struct options *o, pid_t pid, char **files, size_t *n)
{
	uid_t process = pid ? owner_of_process(files_task_of(pid)) : o->run_as.uid;
	size_t kept = 0;

	for (size_t i = 0; i < *n; i++) {
		struct err why = {0};

		if ((i == 0 && !pid) || trust_path(files[i], o->invoking.uid, &why) ||
		    trust_path(files[i], process, NULL) ||
		    is_own_file(o, files[i], process, pid)) {
			files[kept++] = files[i];
			continue;
		}
		if (o->rec.verbosity >= 0)
			cli_warn(TOOL,
				 "not looked into: %s, since %s (-x takes it anyway)",
				 files[i], why.text);
		free(files[i]);
	}
	*n = kept;
}

/* Those of more that are not in the list; more is freed. */
static int merge_files(char ***files, size_t *n, char **more, size_t nmore, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < nmore; i++) {
		bool known = rc != 0;
		char **added;

		for (size_t k = 0; k < *n && !known; k++)
			known = same_file((*files)[k], more[i]);
		added = known ? NULL : array_add(files, n);
		if (added)
			*added = more[i];
		else
			free(more[i]);
		if (!known && !added)
			rc = err_nomem(e, "a recording");
	}
	free(more);
	return rc;
}

int files_take(const struct options *o, pid_t pid, char **more, size_t nmore,
	       char ***files, size_t *n, struct err *e)
{
	keep_trusted(o, pid, more, &nmore);
	return merge_files(files, n, more, nmore, e);
}

static int files_of_process(const struct options *o, pid_t pid, char ***files, size_t *n,
			    struct err *e)
{
	char *told = NULL, *save = NULL, **more = NULL;
	size_t nmore = 0;
	int rc = loader_files_of_pid(files_task_of(pid), &more, &nmore, &told, e);

	for (char *text = told ? strtok_r(told, "\n", &save) : NULL; text;
	     text = strtok_r(NULL, "\n", &save))
		cli_warn(TOOL, "%s", text);
	free(told);
	return rc ? rc : files_take(o, pid, more, nmore, files, n, e);
}

int files_find(const struct options *o, char ***files, size_t *n, struct err *e)
{
	char *missing = NULL;
	int rc = o->rec.argv ? loader_files(o->rec.argv, files, n, &missing, e) : 0;

	if (!rc)
		keep_trusted(o, 0, *files, n);
	if (missing && o->rec.verbosity >= 0)
		cli_warn(TOOL, "libraries not found: %s", missing);
	free(missing);
	for (size_t i = 0; !rc && i < o->rec.npid; i++)
		rc = files_of_process(o, o->rec.pid[i], files, n, e);
	for (size_t i = 0; !rc && i < o->library.n; i++)
		rc = add_file(files, n, o->library.v[i], e);
	return rc;
}
