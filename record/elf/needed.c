/* SPDX-License-Identifier: GPL-2.0-only */
/* The loader's search, breadth first as the loader maps: the program, what is preloaded,
 * then what each file needs, in order; last what may be given to dlopen, and what that
 * needs. */
#include "record/elf/needed.h"

#include <ctype.h>
#include <elf.h>
#include <limits.h>
#include <search.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"
#include "record/elf/elf_dynamic.h"
#include "record/elf/ldcache.h"
#include "record/elf/libpath.h"

/* Chosen far above what programs need (the largest seen here maps 200 files), so that a
 * crafted file costs seconds and some MiB. */
enum {
	FILES_MAX = 4096,
	LOOKUPS_MAX = 1 << 16,
	TRIES_MAX = 1 << 17,
	DIRS_MAX = 1024, /* of one search path */
	PRELOAD_MAX_BYTES = 1 << 16,
	MISSING_MAX_BYTES = 2048, /* of a message */
	NONE = -1,
};

struct object {
	char *found,
		*real; /* as the loader names it ($ORIGIN is its directory); resolved */
	dev_t dev;
	ino_t ino;
	int parent; /* what needed it first; NONE = the program */
	bool loader;
	struct elf_dynamic d;
	char **name; /* that it may give to dlopen */
	size_t nname;
};

/* A name by which an object was asked for, or its DT_SONAME. */
struct alias {
	char *name;
	int object;
};

struct search {
	const struct needed_options *o;
	struct loader loader;
	struct object *object;
	int n;
	void *alias; /* tree of struct alias */
	size_t lookups, tries;
	char *missing;
	size_t missing_len;
	bool more; /* missing is not all */
	struct err *e;
	int rc; /* the first error: no memory */
};

static int nomem(struct search *s)
{
	return s->rc = err_nomem(s->e, "a program");
}

/* ---- names ---- */

static int by_name(const void *a, const void *b)
{
	const struct alias *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int alias_find(const struct search *s, const char *name)
{
	struct alias key = {.name = (char *)name}, *const * at;

	at = tfind(&key, &s->alias, by_name);
	return at ? (*at)->object : NONE;
}

static void alias_add(struct search *s, const char *name, int object)
{
	struct alias *a;

	if (!name || alias_find(s, name) != NONE)
		return;
	a = malloc(sizeof(*a));
	if (a)
		*a = (struct alias){strdup(name), object};
	if (!a || !a->name || !tsearch(a, &s->alias, by_name)) {
		if (a)
			free(a->name);
		free(a);
		nomem(s);
	}
}

static void alias_free(void *p)
{
	struct alias *a = p;

	free(a->name);
	free(a);
}

static void add_missing(struct search *s, const char *name)
{
	size_t n = strlen(name);
	char *text;

	if (s->missing_len + n + 3 > MISSING_MAX_BYTES) {
		s->more = true;
		return;
	}
	text = realloc(s->missing, s->missing_len + n + 3);
	if (!text) {
		nomem(s);
		return;
	}
	s->missing = text;
	text += s->missing_len;
	s->missing_len +=
		(size_t)snprintf(text, n + 3, "%s%s", s->missing_len ? ", " : "", name);
	for (; *text; text++)
		if (iscntrl((unsigned char)*text))
			*text = '?';
}

/* What was not looked for, or is not told. */
static void add_more(struct search *s)
{
	static const char more[] = "and more, as it names too many libraries";
	char *text;

	if (asprintf(&text, "%s%s%s", s->missing ? s->missing : "",
		     s->missing ? ", " : "", more) < 0) {
		nomem(s);
		return;
	}
	free(s->missing);
	s->missing = text;
}

/* ---- files ---- */

static void object_release(struct object *o)
{
	for (size_t i = 0; i < o->nname; i++)
		free(o->name[i]);
	free(o->name);
	free(o->found);
	free(o->real);
	elf_dynamic_release(&o->d);
}

bool is_system_file(const char *path)
{
	static const char *const dir[] = {"/lib",      "/usr/lib", "/bin/",
					  "/usr/bin/", "/sbin/",   "/usr/sbin/"};

	for (size_t i = 0; i < sizeof(dir) / sizeof(*dir); i++)
		if (!strncmp(path, dir[i], strlen(dir[i])))
			return true;
	return false;
}

/* Index of the object; NONE = it is no file for this program. */
static int object_add(struct search *s, struct object *o, int fd)
{
	struct object *grown;

	for (int i = 0; i < s->n; i++)
		if (s->object[i].dev == o->dev && s->object[i].ino == o->ino) {
			object_release(o);
			return i;
		}
	if (s->n && (o->d.class != s->object[0].d.class || o->d.type != ET_DYN ||
		     o->d.machine != s->object[0].d.machine)) {
		object_release(o);
		return NONE;
	}
	grown = s->n < FILES_MAX
			? reallocarray(s->object, (size_t)s->n + 1, sizeof(*grown))
			: NULL;
	if (!grown) {
		object_release(o);
		return s->n < FILES_MAX ? nomem(s), NONE : NONE;
	}
	s->object = grown;
	if (s->o->opened && o->real && !is_system_file(o->real) &&
	    elf_dynamic_names(&o->d, fd, &o->name, &o->nname, s->e))
		s->rc = ERR_NOMEM;
	grown[s->n] = *o;
	alias_add(s, o->d.soname, s->n);
	return s->n++;
}

static int try_path(struct search *s, const char *path, int parent)
{
	struct object o = {.parent = parent};
	struct stat st;
	int fd, at = NONE;

	if (s->rc || ++s->tries > TRIES_MAX)
		return NONE;
	fd = regular_open(path);
	if (fd < 0)
		return NONE;
	if (!fstat(fd, &st) && !elf_dynamic_read(&o.d, fd, NULL)) {
		o.dev = st.st_dev;
		o.ino = st.st_ino;
		o.real = realpath(path, NULL);
		/* the program's name is the kernel's: /proc/self/exe */
		o.found = strdup(s->n || !o.real ? path : o.real);
		if (o.found && o.real)
			at = object_add(s, &o, fd);
		else
			object_release(&o);
	}
	close(fd);
	return at;
}

/* ---- one name ---- */

static int try_in(struct search *s, const char *dir, const char *sub, const char *name,
		  int parent)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s%s%s%s%s", *dir ? dir : ".",
			 sub ? "/glibc-hwcaps/" : "", sub ? sub : "",
			 strcmp(dir, "/") || sub ? "/" : "", name);

	return n < 0 || (size_t)n >= sizeof(path) ? NONE : try_path(s, path, parent);
}

static int try_dir(struct search *s, const char *dir, const char *name, int parent)
{
	int at = NONE;

	for (size_t i = 0; i < s->loader.nhwcap && at == NONE; i++)
		at = try_in(s, dir, s->loader.hwcap[i], name, parent);
	return at != NONE ? at : try_in(s, dir, NULL, name, parent);
}

/* malloc'ed, NULL = no memory, or not allowed: a set-uid program's $ORIGIN must be one of
 * the loader's directories. origin: the object whose directory that is. */
static char *expand(struct search *s, const char *text, size_t len, int origin)
{
	const char *found = s->object[origin].found, *slash = strrchr(found, '/');
	char *dir = slash ? strndup(found, slash == found ? 1 : (size_t)(slash - found))
			  : strdup("."),
	     *all;
	bool used;

	all = dir ? expand_tokens(&s->loader, text, len, dir, &used) : NULL;
	free(dir);
	if (!all)
		nomem(s);
	if (all && used && s->o->secure && !loader_is_default(&s->loader, all)) {
		free(all);
		return NULL;
	}
	return all;
}

static int try_list(struct search *s, const char *list, const char *separators,
		    int origin, const char *name, int parent)
{
	int at = NONE;

	for (size_t k = 0; list && k < DIRS_MAX && at == NONE && !s->rc; k++) {
		size_t n = strcspn(list, separators);
		char *dir = expand(s, list, n, origin);

		if (dir)
			at = try_dir(s, dir, name, parent);
		free(dir);
		list = list[n] ? list + n + 1 : NULL;
	}
	return at;
}

/* DT_RPATH of what loads, of what loaded that, ..., and of the program. */
static int try_rpaths(struct search *s, const char *name, int from)
{
	int at = NONE;

	for (int o = from; o != NONE && at == NONE; o = s->object[o].parent)
		at = try_list(s, s->object[o].d.rpath, ":", o, name, from);
	return at;
}

static int try_cache(struct search *s, const char *name, int from)
{
	const char *path;
	int at = NONE;

	for (size_t h = 0; h <= s->loader.nhwcap && s->loader.cache; h++) {
		const char *hwcap = h < s->loader.nhwcap ? s->loader.hwcap[h] : NULL;
		size_t next = 0;

		while (at == NONE && !s->rc && s->tries <= TRIES_MAX &&
		       (path = ldcache_next(s->loader.cache, name, hwcap, &next))) {
			char *dir =
				strndup(path, (size_t)(strrchr(path, '/')
							       ? strrchr(path, '/') - path
							       : 0));

			if (!s->object[from].d.nodeflib ||
			    (dir && !loader_is_default(&s->loader, dir)))
				at = try_path(s, path, from);
			free(dir);
		}
	}
	return at;
}

static int try_defaults(struct search *s, const char *name, int from)
{
	int at = NONE;

	for (size_t i = 0; i < s->loader.ndir && at == NONE; i++)
		at = try_dir(s, s->loader.dir[i], name, from);
	return at;
}

static int search_glibc(struct search *s, const char *name, int from)
{
	const struct elf_dynamic *d = &s->object[from].d;
	bool defaults = !d->nodeflib;
	int at = NONE;

	if (!d->runpath)
		at = try_rpaths(s, name, from);
	if (at == NONE && !s->o->secure && s->o->library_path && *s->o->library_path)
		at = try_list(s, s->o->library_path, ":;", 0, name, from);
	if (at == NONE)
		at = try_list(s, s->object[from].d.runpath, ":", from, name, from);
	if (at == NONE)
		at = try_cache(s, name, from);
	return at == NONE && defaults ? try_defaults(s, name, from) : at;
}

/* musl makes no difference between the two kinds of path. */
static int search_musl(struct search *s, const char *name, int from)
{
	int at = NONE;

	if (!s->o->secure && s->o->library_path)
		at = try_list(s, s->o->library_path, ":\n", 0, name, from);
	for (int o = from; o != NONE && at == NONE; o = s->object[o].parent)
		at = try_list(s,
			      s->object[o].d.runpath ? s->object[o].d.runpath
						     : s->object[o].d.rpath,
			      ":\n", o, name, from);
	return at == NONE ? try_defaults(s, name, from) : at;
}

/* musl's loader is these libraries too (ldso/dynlink.c, load_library). */
static bool is_musl_itself(const char *name)
{
	static const char *const part[] = {"c.",  "pthread.", "rt.",  "m.",
					   "dl.", "util.",    "xnet."};

	for (size_t i = 0; !strncmp(name, "lib", 3) && i < sizeof(part) / sizeof(*part);
	     i++)
		if (!strncmp(name + 3, part[i], strlen(part[i])) &&
		    !strncmp(name + 3 + strlen(part[i]), "so", 2))
			return true;
	return false;
}

/* quiet: it need not be there. */
static void lookup(struct search *s, const char *name, int from, bool quiet)
{
	char *path;
	int at;

	if (s->rc || ++s->lookups > LOOKUPS_MAX || s->tries > TRIES_MAX ||
	    alias_find(s, name) != NONE || (s->loader.musl && is_musl_itself(name)))
		return;
	if (strchr(name, '/')) {
		path = expand(s, name, strlen(name), from);
		at = path ? try_path(s, path, from) : NONE;
		free(path);
	} else {
		at = s->loader.musl ? search_musl(s, name, from)
				    : search_glibc(s, name, from);
	}
	if (at != NONE)
		alias_add(s, name, at);
	else if (!quiet && !s->rc) {
		add_missing(s, name);
		alias_add(s, name, INT_MAX); /* told once */
	}
}

/* ---- the whole ---- */

static void preload_words(struct search *s, char *list, const char *separators)
{
	char *save = NULL;

	for (char *word = strtok_r(list, separators, &save); word && !s->rc;
	     word = strtok_r(NULL, separators, &save))
		if (!s->o->secure || !strchr(word, '/'))
			lookup(s, word, 0, true);
}

/* LD_PRELOAD. A set-uid program takes only names, of set-uid libraries in the default
 * directories: there is no harm in looking at one that the loader will pass over. */
static void preload_environment(struct search *s)
{
	char *list = s->o->preload ? strdup(s->o->preload) : NULL;

	if (s->o->preload && !list)
		nomem(s);
	if (list)
		preload_words(s, list, " :");
	free(list);
}

static void preload_file(struct search *s)
{
	int fd = s->loader.musl ? -1 : regular_open("/etc/ld.so.preload");
	char *text = fd < 0 ? NULL : malloc(PRELOAD_MAX_BYTES + 1), *hash;
	ssize_t got = text ? pread(fd, text, PRELOAD_MAX_BYTES, 0) : -1;

	if (got > 0) {
		text[got] = '\0';
		for (hash = text; (hash = strchr(hash, '#'));)
			memset(hash, ' ', strcspn(hash, "\n"));
		preload_words(s, text, " \t\n:");
	}
	free(text);
	if (fd >= 0)
		close(fd);
}

static void follow(struct search *s, int i)
{
	for (size_t k = 0; k < s->object[i].d.nneeded && !s->object[i].loader; k++)
		lookup(s, s->object[i].d.needed[k], i, s->object[i].d.optional[k]);
}

static void run(struct search *s)
{
	int followed = 0, opened = 0;

	preload_environment(s);
	preload_file(s);
	while (!s->rc && (followed < s->n || opened < s->n)) {
		if (followed < s->n) {
			follow(s, followed++);
			continue;
		}
		for (size_t k = 0; k < s->object[opened].nname; k++)
			lookup(s, s->object[opened].name[k], opened, true);
		opened++;
	}
	if (s->more || s->lookups > LOOKUPS_MAX || s->tries > TRIES_MAX ||
	    s->n >= FILES_MAX)
		add_more(s);
}

static int begin(struct search *s, const char *program)
{
	const char *interp;
	int at = try_path(s, program, NONE);

	if (s->rc || at == NONE)
		return s->rc ? s->rc
			     : err_set(s->e, ERR_FORMAT, "%s is not an ELF file",
				       program);
	interp = s->object[0].d.interp;
	if (loader_read(&s->loader, interp, s->object[0].d.machine, s->e))
		return s->rc = ERR_NOMEM;
	at = interp ? try_path(s, interp, NONE) : NONE;
	if (at > 0) { /* the loader itself starts no transfer; musl's is the C library */
		s->object[at].loader = !s->loader.musl;
		alias_add(s, interp, at);
	}
	return 0;
}

static int hand_out(struct search *s, struct needed *out)
{
	out->path = calloc((size_t)s->n + 1, sizeof(*out->path));
	if (!out->path)
		return nomem(s);
	for (int i = 0; i < s->n; i++)
		if (!s->object[i].loader) {
			out->path[out->n++] = s->object[i].real;
			s->object[i].real = NULL;
		}
	out->missing = s->missing;
	s->missing = NULL;
	return 0;
}

int needed_find(struct needed *out, const char *program, const struct needed_options *o,
		struct err *e)
{
	struct search s = {.o = o, .e = e};
	int rc = begin(&s, program);

	*out = (struct needed){0};
	if (!rc && s.object[0].d.interp)
		run(&s);
	if (!rc && !(rc = s.rc))
		rc = hand_out(&s, out);
	for (int i = 0; i < s.n; i++)
		object_release(&s.object[i]);
	free(s.object);
	tdestroy(s.alias, alias_free);
	loader_release(&s.loader);
	free(s.missing);
	return rc;
}

void needed_release(struct needed *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->path[i]);
	free(l->path);
	free(l->missing);
	*l = (struct needed){0};
}
