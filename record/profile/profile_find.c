/* SPDX-License-Identifier: GPL-2.0-only */
/* Where profiles lie: the user's own, those that the environment names, those that came with
 * the program, the system's. One that others can write is left out: dmarec runs as
 * root, and a profile says what it reads and probes. */
#include "record/profile/profile.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/array.h"
#include "lib/err.h"
#include "record/host/rights.h"
#include "record/host/rootfs.h"
#include "record/host/trust.h"
#include "record/profile/profile_priv.h"

enum { MAX_PARENTS = 5 };

struct dirs {
	char **dir;
	size_t n;
};

static void dirs_add(struct dirs *d, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Without memory one is not looked in, and what it has is not found: never another's. */
static void dirs_add(struct dirs *d, const char *fmt, ...)
{
	char *text, **added;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	added = array_add(&d->dir, &d->n);
	if (added)
		*added = text;
	else
		free(text);
}

static void dirs_release(struct dirs *d)
{
	for (size_t k = 0; k < d->n; k++)
		free(d->dir[k]);
	free(d->dir);
}

/* "a:b": each with what lies below it. */
static void dirs_add_list(struct dirs *d, const char *list, const char *below)
{
	for (size_t len; list && *list; list += len, list += *list == ':') {
		len = strcspn(list, ":");
		if (len && *list == '/')
			dirs_add(d, "%.*s%s", (int)len, list, below);
		else if (len && !*below) /* $DMAREC_PROFILES may be relative */
			dirs_add(d, "%.*s", (int)len, list);
	}
}

/* What came with this very program: share/ beside the bin/ that it lies in, wherever that was
 * installed or unpacked; of a tool in build/ or a test in build/tests/unit/, the tree some
 * directories up. */
static void add_own(struct dirs *d)
{
	static const char *const place[] = {"/share/dmarec/profiles",
					    "/examples/profiles"};
	char path[PATH_MAX], *slash;
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 64);

	if (len <= 0)
		return;
	path[len] = 0;
	for (int k = 0; k < MAX_PARENTS && (slash = strrchr(path, '/')); k++) {
		for (int i = k == 1 ? 0 : 1; k && i < 2; i++) {
			memcpy(slash, place[i], strlen(place[i]) + 1);
			if (!access(path, X_OK)) {
				dirs_add(d, "%s", path);
				return;
			}
		}
		*slash = 0;
	}
}

/* The user's, what the environment names, what came with the program, the system's. */
static void dirs_init(struct dirs *d)
{
	static const char below[] = "/dmarec/profiles";
	const char *home = getenv("HOME"), *config = getenv("XDG_CONFIG_HOME"),
		   *data = getenv("XDG_DATA_HOME"), *system = getenv("XDG_DATA_DIRS");

	*d = (struct dirs){0};
	if (home && *home != '/')
		home = NULL;
	if (config && *config == '/')
		dirs_add(d, "%s%s", config, below);
	else if (home)
		dirs_add(d, "%s/.config%s", home, below);
	dirs_add_list(d, getenv("DMAREC_PROFILES"), "");
	if (data && *data == '/')
		dirs_add(d, "%s%s", data, below);
	else if (home)
		dirs_add(d, "%s/.local/share%s", home, below);
	dirs_add_list(d, system, below);
	add_own(d);
	dirs_add(d, "%s/share%s", DMA_PREFIX, below);
	if (!system ||
	    !*system) /* its default, by the XDG base directory specification */
		dirs_add_list(d, "/usr/local/share:/usr/share", below);
}

static bool is_profile(const char *name)
{
	size_t len = strlen(name);

	return len > 4 && !strcmp(name + len - 4, ".ini");
}

static bool shadowed(char **paths, size_t n, const char *file)
{
	for (size_t k = 0; k < n; k++)
		if (!strcmp(strrchr(paths[k], '/') + 1, file))
			return true;
	return false;
}

static int list_dir(const char *dir, uid_t uid, struct profile_paths *out, struct err *e)
{
	char **name, full[PATH_MAX];
	size_t count;
	int rc = rootfs_names("", dir, &name, &count, NULL);

	for (size_t k = 0; k < count && !rc; k++) {
		struct err why = {0};

		if (!is_profile(name[k]) || shadowed(out->path, out->n, name[k]) ||
		    snprintf(full, sizeof(full), "%s/%s", dir, name[k]) >=
			    (int)sizeof(full))
			continue;
		if (trust_path(full, uid, &why))
			rc = add_text(&out->path, &out->n, full, strlen(full), e);
		else if (!out->refused &&
			 asprintf(&out->refused, "%s: %s", full, why.text) < 0)
			rc = err_nomem(e, "a profile");
	}
	rootfs_names_free(name, count);
	return rc == ERR_NOMEM ? rc : 0; /* a directory that may not be read has none */
}

int profile_list(struct profile_paths *out, struct err *e)
{
	struct dirs d;
	struct user me;
	int rc = user_invoking(&me, e);

	*out = (struct profile_paths){0};
	dirs_init(&d);
	for (size_t k = 0; k < d.n && !rc; k++)
		rc = list_dir(d.dir[k], me.uid, out, e);
	dirs_release(&d);
	user_release(&me);
	if (rc)
		profile_paths_release(out);
	return rc;
}

void profile_paths_release(struct profile_paths *p)
{
	rootfs_names_free(p->path, p->n);
	free(p->refused);
	*p = (struct profile_paths){0};
}

/* "nosuch": which there are, and the nearest. */
static int not_found(const char *name, struct profile_paths *p, struct err *e)
{
	const char **word = calloc(p->n + 1, sizeof(*word)), *near;
	char there[600] = "";
	size_t len = 0;

	for (size_t k = 0; word && k < p->n; k++) {
		char *base = strrchr(p->path[k], '/') + 1;

		base[strlen(base) - 4] = 0;
		word[k] = base;
		if (len < sizeof(there))
			len += (size_t)snprintf(there + len, sizeof(there) - len, "%s%s",
						len ? ", " : "", base);
	}
	near = word ? nearest_word(name, word) : NULL;
	err_set(e, ERR_NOTFOUND,
		"there is no profile '%s'%s%s%s; there are: %s "
		"(or name a file, with a '/' or ending in .ini)%s%s",
		name, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "",
		p->n ? there : "none at all", p->refused ? "; not taken: " : "",
		p->refused ? p->refused : "");
	free(word);
	return ERR_NOTFOUND;
}

int profile_find(const char *name, char **path, struct err *e)
{
	struct profile_paths all;
	char file[NAME_MAX + 1];
	int rc;

	*path = NULL;
	if (!*name)
		return err_set(e, ERR_USAGE, "an empty name of a profile");
	if (strchr(name, '/') || is_profile(name)) {
		rc = access(name, R_OK) ? err_errno(e, "cannot read profile %s", name)
					: 0;
		return rc ? rc : set_text(path, name, e);
	}
	rc = profile_list(&all, e);
	if (rc)
		return rc;
	snprintf(file, sizeof(file), "%.200s.ini", name);
	for (size_t k = 0; k < all.n && !*path; k++)
		if (!strcmp(strrchr(all.path[k], '/') + 1, file))
			rc = set_text(path, all.path[k], e);
	if (!*path && !rc)
		rc = not_found(name, &all, e);
	profile_paths_release(&all);
	return rc;
}
