/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/host/processes.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/array.h"
#include "lib/err.h"
#include "lib/num.h"
#include "record/host/rootfs.h"

static int add(pid_t **pid, size_t *n, pid_t one, struct err *e)
{
	pid_t *added;

	for (size_t i = 0; i < *n; i++)
		if ((*pid)[i] == one)
			return 0;
	added = array_add(pid, n);
	if (!added)
		return err_nomem(e, "a process");
	*added = one;
	return 0;
}

/* A kernel thread has no program. */
static bool is_called(const char *pid, const char *word)
{
	char link[64], path[PATH_MAX], *comm;
	const char *base;
	ssize_t len;
	bool same;

	snprintf(link, sizeof(link), "/proc/%.20s/exe", pid);
	len = readlink(link, path, sizeof(path) - 1);
	if (len < 0 && errno != EACCES)
		return false;
	path[len < 0 ? 0 : len] = '\0';
	base = strrchr(path, '/');
	if (base && !strcmp(base + 1, word))
		return true;
	comm = rootfs_line("", "/proc/%s/comm", pid);
	same = comm && !strcmp(comm, word);
	free(comm);
	return same;
}

static int add_named(const char *word, pid_t **pid, size_t *n, struct err *e)
{
	char **name;
	size_t all, before = *n;
	int rc = rootfs_names("", "/proc", &name, &all, e);

	for (size_t i = 0; !rc && i < all; i++) {
		pid_t one = (pid_t)strtol(name[i], NULL, 10);

		if (one > 0 && one != getpid() && is_called(name[i], word))
			rc = add(pid, n, one, e);
	}
	if (!rc)
		rootfs_names_free(name, all);
	if (!rc && *n == before)
		rc = err_set(e, ERR_NOTFOUND,
			     "there is no process called '%s' (or it is named twice); a "
			     "command that dmarec starts itself is recorded from its "
			     "beginning: dmarec -- COMMAND",
			     word);
	return rc;
}

static int add_word(const char *word, pid_t **pid, size_t *n, struct err *e)
{
	int64_t number;

	if (!*word)
		return err_set(e, ERR_USAGE, "-p: the value is empty");
	if (word[strspn(word, "0123456789")])
		return add_named(word, pid, n, e);
	if (num_i64(word, 1, INT32_MAX, &number, NULL))
		return err_set(e, ERR_USAGE, "-p: '%s' is no process's number", word);
	if (kill((pid_t)number, 0) && errno == ESRCH)
		return err_set(e, ERR_NOTFOUND, "there is no process %s", word);
	return add(pid, n, (pid_t)number, e);
}

int processes_find(const char *words, pid_t **pid, size_t *n, struct err *e)
{
	int rc = 0;

	for (const char *p = words; !rc; p++) {
		size_t len = strcspn(p, ",");
		char *word = strndup(p, len);

		rc = word ? add_word(word, pid, n, e) : err_nomem(e, "a process");
		free(word);
		p += len;
		if (!*p)
			break;
	}
	return rc;
}

char *processes_text(const pid_t *pid, size_t n)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	for (size_t i = 0; out && i < n; i++) {
		char *name = rootfs_line("", "/proc/%d/comm", (int)pid[i]);

		fprintf(out, "%s%d (%s)", i ? ", " : "", (int)pid[i], name ? name : "?");
		free(name);
	}
	if (!out || !fclose(out))
		return text;
	free(text);
	return NULL;
}
