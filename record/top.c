/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/top.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/array.h"
#include "lib/cli.h"
#include "lib/err.h"
#include "lib/text.h"
#include "record/agent/layout.h"
#include "record/elf/symbols.h"
#include "record/files.h"
#include "record/host/rootfs.h"
#include "record/late.h"
#include "record/options.h"
#include "record/profile/profile.h"

/* A file is looked into once, whoever maps it. */
struct seen {
	dev_t dev;
	ino_t ino;
};

struct top {
	struct options *o;
	struct profile words;	 /* the functions that are looked for by their words */
	struct profile *library; /* those whose libraries are, by name */
	size_t nlibrary;
	struct seen *seen;
	size_t nseen, closed; /* processes that may not be looked into */
	size_t hidden;	      /* ... with probes of another recording in them */
	pid_t first_hidden;
};

/* ---- what is looked for ---- */

static int add_words(struct profile *p, const struct words *w, enum func_role role,
		     const char *origin, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < w->n; i++)
		rc = profile_add_func(p, role, w->v[i], origin, e);
	return rc;
}

/* Broken ones are an error only when they are asked for, and so are those that are no choice
 * but when they are named. */
static int add_libraries(struct top *t, struct err *e)
{
	struct profile_paths all;
	int rc = profile_list(&all, e);

	if (rc)
		return rc;
	for (size_t i = 0; !rc && i < all.n; i++) {
		struct profile p, *added;

		profile_init(&p);
		if (profile_read(&p, all.path[i], NULL))
			continue;
		added = p.automatic == AUTO_NO ? NULL
					       : array_add(&t->library, &t->nlibrary);
		if (added)
			*added = p;
		else
			profile_release(&p);
	}
	profile_paths_release(&all);
	return rc;
}

static int choose_words(struct top *t, struct err *e)
{
	const struct options *o = t->o;
	char *path = NULL;
	int rc = 0;

	profile_init(&t->words);
	if (o->profile) {
		rc = profile_find(o->profile, &path, e);
		rc = rc ? rc : profile_read(&t->words, path, e);
		free(path);
	} else if (!o->start.n && !o->transfer.n) {
		rc = add_libraries(t, e);
		rc = rc ? rc : profile_default(&t->words, e);
	}
	if (!rc)
		rc = add_words(&t->words, &o->start, FUNC_START, "--start", e);
	if (!rc)
		rc = add_words(&t->words, &o->transfer, FUNC_TRANSFER, "--transfer", e);
	if (!rc)
		rc = add_words(&t->words, &o->wait, FUNC_WAIT, "--wait", e);
	return rc ? rc : add_words(&t->words, &o->stop, FUNC_STOP, "--stop", e);
}

static bool holds_words(const struct top *t, const char *path, const struct stat *st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool cut, holds = fd >= 0 &&
			  late_holds_words(&t->words, fd, (size_t)st->st_size, &cut);

	if (fd >= 0)
		close(fd);
	return holds;
}

static bool is_wanted(struct top *t, const char *path)
{
	struct stat st;
	struct seen *added;

	if (stat(path, &st) || !S_ISREG(st.st_mode) || st.st_size <= 0)
		return false;
	for (size_t i = 0; i < t->nseen; i++)
		if (t->seen[i].ino == st.st_ino && t->seen[i].dev == st.st_dev)
			return false;
	added = array_add(&t->seen, &t->nseen);
	if (added)
		*added = (struct seen){st.st_dev, st.st_ino};
	for (size_t i = 0; i < t->nlibrary; i++)
		if (profile_is_library(&t->library[i], path))
			return true;
	return profile_is_library(&t->words, path) || holds_words(t, path, &st);
}

/* ---- where ---- */

/* No uprobe is put into the pages of an agent (record/patched.h): such a process's calls are not
 * seen, and nothing shows it. */
static void look_for_agent(struct top *t, pid_t pid)
{
	enum { MAPS_BYTES = 16 << 20 };
	char path[64], *maps = NULL;
	size_t len;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	if (!rootfs_read("", path, MAPS_BYTES, &maps, &len, NULL) &&
	    strstr(maps, AGENT_LIBRARY) && !t->hidden++)
		t->first_hidden = pid;
	free(maps);
}

/* One that has ended meanwhile, or that only its owner may look into, is passed over. */
static int look_into(struct top *t, pid_t pid, char ***files, size_t *n, struct err *e)
{
	char *told = NULL, *save = NULL, **more = NULL, exe[64], program[8];
	size_t nmore = 0, kept = 0;
	struct err why = {0};

	snprintf(exe, sizeof(exe), "/proc/%d/exe", (int)pid);
	if (loader_files_of_pid(files_task_of(pid), &more, &nmore, &told, &why)) {
		t->closed += readlink(exe, program, sizeof(program)) < 0 ? 0 : 1;
		return why.code == ERR_NOMEM ? err_nomem(e, "a recording") : 0;
	}
	for (size_t i = 0; i < nmore; i++) {
		if (is_wanted(t, more[i]))
			more[kept++] = more[i];
		else
			free(more[i]);
	}
	for (char *text = told && kept ? strtok_r(told, "\n", &save) : NULL; text;
	     text = strtok_r(NULL, "\n", &save))
		cli_warn(TOOL, "%s", text);
	free(told);
	look_for_agent(t, pid);
	return files_take(t->o, pid, more, kept, files, n, e);
}

static void tell(const struct top *t)
{
	if (t->closed && t->o->rec.verbosity >= 0)
		cli_warn(
			TOOL,
			"%zu process%s cannot be looked into: what only they have mapped is "
			"not found there (as root it is)",
			t->closed, text_number(t->closed, "", "es"));
	if (t->hidden)
		cli_warn(TOOL,
			 "process %d%s has probes of another recording in it, and is not "
			 "seen here",
			 (int)t->first_hidden, t->hidden > 1 ? " and others each" : "");
}

static int look_into_all(struct top *t, char ***files, size_t *n, struct err *e)
{
	char **name;
	size_t all;
	int rc = rootfs_names("", "/proc", &name, &all, e);

	for (size_t i = 0; !rc && i < all; i++) {
		pid_t pid = (pid_t)strtol(name[i], NULL, 10), *added;

		if (pid <= 0 || pid == getpid())
			continue;
		added = array_add(&t->o->rec.before, &t->o->rec.nbefore);
		if (added)
			*added = pid;
		rc = added ? look_into(t, pid, files, n, e) : err_nomem(e, "a recording");
	}
	if (!rc)
		rootfs_names_free(name, all);
	return rc;
}

int top_files(struct options *o, char ***files, size_t *n, struct err *e)
{
	struct top t = {.o = o};
	int rc = choose_words(&t, e);

	if (!rc)
		rc = look_into_all(&t, files, n, e);
	if (!rc)
		tell(&t);
	profile_release(&t.words);
	for (size_t i = 0; i < t.nlibrary; i++)
		profile_release(&t.library[i]);
	free(t.library);
	free(t.seen);
	return rc;
}
