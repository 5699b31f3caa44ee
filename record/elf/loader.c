/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which files a command will map: programs and what the loader finds for them
 * (record/needed.h), by reading alone. Scripts and wrappers (sh -c, env, taskset ...) are
 * read for words that are programs. Nothing that is looked at is run, and no FIFO or
 * device is opened.
 */
#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/err.h"
#include "record/elf/elf_dynamic.h"
#include "record/elf/mapped.h"
#include "record/elf/needed.h"
#include "record/elf/symbols.h"

enum {
	MAX_FILES = 4096,
	MAX_DEPTH = 4,
	MAX_SCRIPT = 1 << 16,  /* bytes of a script that are read */
	MAX_ENVIRON = 1 << 20, /* bytes of a process's environment */
};

struct files {
	char **path;
	size_t n;
	char *missing;
};

static bool have(const struct files *l, const char *path)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->path[i], path))
			return true;
	return false;
}

/* path is taken over. */
static int add(struct files *l, char *path, struct err *e)
{
	char **grown;

	if (path && (have(l, path) || l->n >= MAX_FILES)) {
		free(path);
		return 0;
	}
	grown = path ? reallocarray(l->path, l->n + 1, sizeof(*grown)) : NULL;
	if (!grown) {
		free(path);
		return err_nomem(e, "a program");
	}
	l->path = grown;
	grown[l->n++] = path;
	return 0;
}

void paths_free(char **paths, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(paths[i]);
	free(paths);
}

/* ---- what an ELF file loads ---- */

enum kind { NO_ELF, LIBRARY, DYNAMIC, STATIC };

/* "a.so, b.so" without what is told already. */
static int add_missing(struct files *l, const char *names, struct err *e)
{
	char *text;

	if (!names || (l->missing && strstr(l->missing, names)))
		return 0;
	if (asprintf(&text, "%s%s%s", l->missing ? l->missing : "",
		     l->missing ? ", " : "", names) < 0)
		return err_nomem(e, "a program");
	free(l->missing);
	l->missing = text;
	return 0;
}

static enum kind kind_of(int fd)
{
	struct elf_dynamic d;
	enum kind kind = NO_ELF;

	if (elf_dynamic_read(&d, fd, NULL))
		return NO_ELF;
	if (d.type == ET_EXEC || d.type == ET_DYN)
		kind = d.interp ? DYNAMIC : d.type == ET_EXEC ? STATIC : LIBRARY;
	elf_dynamic_release(&d);
	return kind;
}

/* Will the kernel tell the loader that the program has other rights than its caller
 * (AT_SECURE)? Mounts without set-uid programs are not asked about: then less is
 * found. */
static bool is_secure(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return true;
	return ((st.st_mode & S_ISUID) && st.st_uid != getuid()) ||
	       ((st.st_mode & S_ISGID) && (st.st_mode & S_IXGRP) &&
		st.st_gid != getgid()) ||
	       (getuid() && fgetxattr(fd, "security.capability", NULL, 0) > 0);
}

static int add_needed(struct files *l, const char *path, const struct needed_options *o,
		      struct err *e)
{
	struct needed all;
	int rc = needed_find(&all, path, o, e);

	for (size_t i = 0; !rc && i < all.n; i++)
		rc = add(l, strdup(all.path[i]), e);
	if (!rc)
		rc = add_missing(l, all.missing, e);
	needed_release(&all);
	return rc;
}

/* ---- commands, scripts, words ---- */

/* Through PATH, as execvp does; malloc'ed or NULL. */
static char *find_command(const char *name)
{
	const char *path = getenv("PATH"), *end;
	char *try = NULL, *real = NULL;
	struct stat st;

	if (strchr(name, '/'))
		return realpath(name, NULL);
	for (path = path ? path : "/usr/bin:/bin"; *path && !real;
	     path = *end ? end + 1 : end) {
		end = path + strcspn(path, ":");
		if (asprintf(&try, "%.*s/%s", (int)(end - path), path, name) < 0)
			return NULL;
		if (!stat(try, &st) && S_ISREG(st.st_mode) && !access(try, X_OK))
			real = realpath(try, NULL);
		free(try);
	}
	return real;
}

static int add_command(struct files *l, const char *path, int depth, struct err *e);

/* A word of a script or of a wrapper's arguments, if it is a program or library of the
 * user's. "$HERE/prog" is looked for beside the script. */
static int add_word(struct files *l, const char *word, const char *beside, int depth,
		    struct err *e)
{
	const char *slash = strchr(word, '/'), *name;
	char *path = NULL, *real = NULL;
	struct stat st;
	int rc = 0;

	if (!*word || strlen(word) > 1000)
		return 0;
	if (slash && (*word == '$' || *word == '/') && beside) {
		name = *word == '$' ? slash : word;
		if (asprintf(&path, "%s%s", beside, name) >= 0)
			real = realpath(path, NULL);
		free(path);
	}
	if (!real && *word != '$')
		real = find_command(word);
	if (real && !is_system_file(real) && !have(l, real) && !stat(real, &st) &&
	    S_ISREG(st.st_mode))
		rc = add_command(l, real, depth + 1, e);
	free(real);
	return rc;
}

static int add_words(struct files *l, char *text, const char *beside, int depth,
		     struct err *e)
{
	char *save = NULL;
	int rc = 0;

	for (char *word = strtok_r(text, " \t\n\r\"'`;|&()<>=,", &save); word && !rc;
	     word = strtok_r(NULL, " \t\n\r\"'`;|&()<>=,", &save))
		rc = add_word(l, word, beside, depth, e);
	return rc;
}

static int add_script(struct files *l, const char *path, char *text, int depth,
		      struct err *e)
{
	char *dir = strdup(path), *body = strchr(text, '\n'), *save = NULL, *word, *real;
	int rc = dir ? 0 : err_nomem(e, "a program");

	if (body)
		*body++ = '\0';
	/* "#!/usr/bin/env -S python3 -u": the interpreter, and what env starts */
	for (word = strtok_r(text + 2, " \t\r", &save); word && !rc;
	     word = strtok_r(NULL, " \t\r", &save)) {
		if (*word == '-' || strchr(word, '='))
			continue;
		real = find_command(word);
		rc = real ? add_command(l, real, depth + 1, e) : 0;
		free(real);
	}
	if (!rc && body) {
		*strrchr(dir, '/') = '\0';
		rc = add_words(l, body, dir, depth, e);
	}
	free(dir);
	return rc;
}

static int add_if_script(struct files *l, const char *path, int fd, int depth,
			 struct err *e)
{
	char *text = malloc(MAX_SCRIPT + 1);
	ssize_t got = text ? pread(fd, text, MAX_SCRIPT, 0) : -1;
	int rc = text ? 0 : err_nomem(e, "a program");

	if (got > 2) {
		text[got] = '\0';
		if (text[0] == '#' && text[1] == '!')
			rc = add_script(l, path, text, depth, e);
	}
	free(text);
	return rc;
}

/* A file: a program, a library, or a script; anything else is left alone. */
static int add_command(struct files *l, const char *path, int depth, struct err *e)
{
	struct needed_options o = {.library_path = getenv("LD_LIBRARY_PATH"),
				   .preload = getenv("LD_PRELOAD"),
				   .opened = true};
	int fd, rc = 0;

	if (depth > MAX_DEPTH || have(l, path))
		return 0;
	fd = regular_open(path);
	if (fd < 0)
		return 0;
	switch (kind_of(fd)) {
	case NO_ELF:
		rc = add_if_script(l, path, fd, depth, e);
		break;
	case LIBRARY:
	case STATIC:
		rc = add(l, strdup(path), e);
		break;
	case DYNAMIC:
		o.secure = is_secure(fd);
		rc = add_needed(l, path, &o, e);
	}
	close(fd);
	return rc;
}

/* What execve would refuse, before anything is armed for it. */
static int check_command(const char *real, const char *name, struct err *e)
{
	struct stat st;

	if (stat(real, &st) || access(real, X_OK))
		return err_errno(e, "cannot run '%s'", name);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_PERM, "cannot run '%s': it is no regular file",
			       name);
	return 0;
}

int loader_files(char *const *argv, char ***paths, size_t *n, char **missing,
		 struct err *e)
{
	struct files l = {0};
	char *real = find_command(argv[0]);
	int rc = 0;

	*paths = NULL;
	*n = 0;
	*missing = NULL;
	if (!real)
		return err_set(e, ERR_NOTFOUND, "%s: there is no such command", argv[0]);
	rc = check_command(real, argv[0], e);
	if (!rc)
		rc = add_command(&l, real, 0, e);
	free(real);
	for (size_t i = 1; argv[i] && i < 256 && !rc; i++) {
		char *copy = strdup(argv[i]);

		rc = copy ? add_words(&l, copy, NULL, 0, e) : err_nomem(e, "a program");
		free(copy);
	}
	if (rc) {
		paths_free(l.path, l.n);
		free(l.missing);
		return rc;
	}
	*paths = l.path;
	*n = l.n;
	*missing = l.missing;
	return 0;
}

/* ---- a running process ---- */

static bool other_root(int pid)
{
	char path[64];
	struct stat a, b;

	snprintf(path, sizeof(path), "/proc/%d/root/", pid);
	return !stat(path, &a) && !stat("/", &b) &&
	       (a.st_dev != b.st_dev || a.st_ino != b.st_ino);
}

/* Sentences, one behind another. */
static int add_told(char **all, const char *text, struct err *e)
{
	char *longer;

	if (asprintf(&longer, "%s%s%s", *all ? *all : "", *all ? "\n" : "", text) < 0)
		return err_nomem(e, "a program");
	free(*all);
	*all = longer;
	return 0;
}

/* Mapped in several pieces, it is one file. */
static bool is_known(const struct files *l, const struct mapped *m)
{
	struct stat st;

	for (size_t i = 0; i < l->n; i++)
		if (!stat(l->path[i], &st) && st.st_dev == m->st.st_dev &&
		    st.st_ino == m->st.st_ino)
			return true;
	return false;
}

static int add_mapping(struct files *l, int pid, const char *line, char **told,
		       struct err *e)
{
	struct mapped m;
	int rc = mapped_find(&m, "", pid, line, e);

	if (!rc && m.told && (!m.path || !is_known(l, &m)) &&
	    !(*told && strstr(*told, m.told)))
		rc = add_told(told, m.told, e);
	if (!rc && m.path && !is_known(l, &m)) {
		rc = add(l, m.path, e);
		m.path = NULL;
	}
	mapped_release(&m);
	return rc;
}

/* NAME=VALUE among texts with a NUL behind each; NULL = it is not there. */
static const char *environment(const char *text, size_t len, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = text; p < text + len; p += strlen(p) + 1)
		if (!strncmp(p, name, n) && p[n] == '=')
			return p + n + 1;
	return NULL;
}

/* The environment that the process began with, a NUL behind it. malloc'ed or NULL. */
static char *read_environment(int pid, size_t *len)
{
	char name[64], *text = malloc(MAX_ENVIRON + 1);
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%d/environ", pid);
	f = fopen(name, "re");
	*len = f && text ? fread(text, 1, MAX_ENVIRON, f) : 0;
	if (text)
		text[*len] = '\0';
	if (f)
		fclose(f);
	return text;
}

/* What the programs among the mapped files may yet open. */
static int add_later(struct files *l, int pid, struct err *e)
{
	struct needed_options o = {.opened = true};
	size_t len, had = l->n;
	char *text = read_environment(pid, &len);
	int rc = text ? 0 : err_nomem(e, "a program");

	if (!rc) {
		o.library_path = environment(text, len, "LD_LIBRARY_PATH");
		o.preload = environment(text, len, "LD_PRELOAD");
	}
	for (size_t i = 0; !rc && i < had; i++) {
		/* by the process's own links: its names are not ours */
		bool elsewhere = !strncmp(l->path[i], "/proc/", 6);
		int fd = elsewhere || is_system_file(l->path[i])
				 ? -1
				 : regular_open(l->path[i]);

		if (fd < 0)
			continue;
		o.secure = is_secure(fd);
		if (kind_of(fd) == DYNAMIC)
			rc = add_needed(l, l->path[i], &o, e);
		close(fd);
	}
	free(text);
	return rc;
}

int loader_files_of_pid(int pid, char ***paths, size_t *n, char **told, struct err *e)
{
	char name[64], *line = NULL;
	struct files l = {0};
	size_t size = 0;
	int rc = 0;
	FILE *f;

	*paths = NULL;
	*n = 0;
	*told = NULL;
	snprintf(name, sizeof(name), "/proc/%d/maps", pid);
	f = fopen(name, "re");
	if (!f && errno == ENOENT)
		return err_set(e, ERR_NOTFOUND, "there is no process %d", pid);
	if (!f)
		return err_errno(e, "%s", name);
	while (!rc && getline(&line, &size, f) > 0)
		rc = add_mapping(&l, pid, line, told, e);
	free(line);
	fclose(f);
	if (!rc && !other_root(pid))
		rc = add_later(&l, pid, e);
	if (!rc && !l.n)
		rc = err_set(e, ERR_NOTFOUND,
			     "process %d has no program: a kernel thread?", pid);
	free(l.missing);
	if (rc) {
		paths_free(l.path, l.n);
		free(*told);
		*told = NULL;
		return rc;
	}
	*paths = l.path;
	*n = l.n;
	return 0;
}
