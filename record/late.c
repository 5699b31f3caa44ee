/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/late.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/array.h"
#include "lib/err.h"
#include "lib/file/mapguard.h"
#include "record/elf/pattern.h"
#include "record/elf/symbols.h"
#include "record/host/trust.h"
#include "record/profile/profile.h"

/* Chosen: a build of a large program maps some hundreds. */
enum { MOST = 1024 };

/* Chosen: a second or two of passes over the rings, for a program that begets others while it
 * is armed. */
enum { TRIES = 12 };

enum state {
	UNSEEN,
	WORDS,	 /* of the profile's functions are in it */
	FOREIGN, /* others can change it, or have: it is not parsed, and never armed */
	SETTLED,
};

struct mapping {
	char *path;
	int32_t pid; /* the first that mapped it */
	int64_t time_ns;
	enum state state;
	int tries;
	bool armed; /* and settled */
	char *why;  /* it was not armed; NULL = nobody tried */
};

struct late {
	const struct profile *profile;
	char *const *searched;
	size_t nsearched;
	struct mapping *file;
	size_t n;
	size_t next; /* whose place is looked at for another, where there are MOST */
	int64_t latest_ns;
	bool more; /* than MOST that are not settled */
};

int late_new(struct late **l, const struct profile *p, char *const *searched, size_t n,
	     struct err *e)
{
	*l = calloc(1, sizeof(**l));
	if (!*l)
		return err_nomem(e, "a recording");
	**l = (struct late){.profile = p, .searched = searched, .nsearched = n};
	return 0;
}

void late_free(struct late *l)
{
	for (size_t i = 0; l && i < l->n; i++) {
		free(l->file[i].path);
		free(l->file[i].why);
	}
	if (l)
		free(l->file);
	free(l);
}

static bool known(const struct late *l, const char *path)
{
	for (size_t i = 0; i < l->nsearched; i++)
		if (!strcmp(l->searched[i], path))
			return true;
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->file[i].path, path))
			return true;
	return false;
}

/* In place of one that there is nothing more to say of: mapped again, it is looked into again.
 * NULL = there is none such. */
static struct mapping *replaced(struct late *l)
{
	for (size_t i = 0; i < l->n; i++) {
		struct mapping *m = &l->file[l->next++ % l->n];

		if (m->state != SETTLED || m->armed)
			continue;
		free(m->path);
		free(m->why);
		*m = (struct mapping){0};
		return m;
	}
	return NULL;
}

void late_mapped(struct late *l, int32_t pid, const char *path, int64_t time_ns)
{
	struct mapping *m;
	char *copy;

	if (!l || *path != '/' || !strncmp(path, "//anon", 6) || known(l, path))
		return;
	copy = strdup(path);
	m = !copy ? NULL : l->n < MOST ? array_add(&l->file, &l->n) : replaced(l);
	if (!m) {
		free(copy);
		l->more = true;
		return;
	}
	m->pid = pid;
	m->time_ns = time_ns;
	m->path = copy;
	l->latest_ns = time_ns;
}

int64_t late_latest_ns(const struct late *l, int64_t begin)
{
	return l && l->n ? l->latest_ns : begin;
}

/* ---- what is in them ---- */

static bool searched(const struct late *l, const struct stat *st)
{
	struct stat other;

	for (size_t i = 0; i < l->nsearched; i++)
		if (!stat(l->searched[i], &other) && other.st_ino == st->st_ino &&
		    other.st_dev == st->st_dev)
			return true;
	return false;
}

/* Does the file hold the words of any function at all? Most do not, and to read the symbols of
 * a compiler takes seconds. */
static bool holds_words(const struct profile *p, const void *text, size_t len)
{
	bool any = false;

	for (size_t i = 0; i < p->nfunc && !any; i++) {
		struct name_pattern name;

		if (name_pattern_init(&name, p->func[i].pattern))
			return false;
		any = memmem(text, len, name.word, strlen(name.word));
		name_pattern_release(&name);
	}
	return any;
}

bool late_holds_words(const struct profile *p, int fd, size_t size, bool *cut)
{
	void *text = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	struct mapguard guard;
	bool holds;

	*cut = false;
	if (text == MAP_FAILED)
		return false;
	mapguard_add(&guard, text, size, fd);
	holds = holds_words(p, text, size);
	*cut = mapguard_cut(&guard);
	mapguard_remove(&guard);
	munmap(text, size);
	return holds;
}

static bool worth_a_look(const struct late *l, const char *path, bool *cut)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	bool worth = false;

	*cut = false;
	if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0 &&
	    !searched(l, &st))
		worth = late_holds_words(l->profile, fd, (size_t)st.st_size, cut);
	if (fd >= 0)
		close(fd);
	return worth;
}

static void look(struct late *l, struct mapping *m, uid_t uid)
{
	struct err why = {0};
	bool cut;

	if (m->state != UNSEEN)
		return;
	m->state = worth_a_look(l, m->path, &cut) ? WORDS : SETTLED;
	if (cut) {
		m->state = FOREIGN;
		m->why = strdup("it was cut while it was read");
	}
	if (m->state == WORDS && !trust_path(m->path, uid, &why)) {
		m->state = FOREIGN;
		m->why = strdup(why.text);
	}
}

bool late_next(struct late *l, uid_t uid, size_t from, struct late_file *f)
{
	for (size_t i = from; l && i < l->n; i++) {
		struct mapping *m = &l->file[i];

		look(l, m, uid);
		if (m->state != WORDS || m->tries >= TRIES)
			continue;
		*f = (struct late_file){m->path, m->pid, m->time_ns, i};
		return true;
	}
	return false;
}

void late_armed(struct late *l, size_t index)
{
	l->file[index].state = SETTLED;
	l->file[index].armed = true;
}

void late_refused(struct late *l, size_t index, const char *why, bool again)
{
	struct mapping *m = &l->file[index];

	m->tries = again ? m->tries + 1 : TRIES;
	free(m->why);
	m->why = strdup(why);
}

/* ---- at the end ---- */

/* The functions of the profile that it defines, up to some, and only when it starts transfers or
 * waits for them. */
static size_t put_functions(const struct late *l, struct elf_file *f, FILE *out)
{
	enum { SHOWN = 4 };
	size_t n = 0;

	for (size_t k = 0; k < l->profile->nfunc; k++) {
		struct symbol_list list = {0};

		if (elf_file_find(f, l->profile->func[k].pattern, &list, NULL))
			continue;
		for (size_t i = 0; i < list.n && n < SHOWN; i++)
			if (!i ||
			    strcmp(list.sym[i].qualified, list.sym[i - 1].qualified))
				fprintf(out, "%s%s", n++ ? ", " : "",
					list.sym[i].qualified);
		symbol_list_release(&list);
	}
	return n;
}

static void tell(const struct late *l, const struct mapping *m, FILE *out)
{
	struct elf_file *f = NULL;
	char *functions = NULL;
	size_t len, n;
	FILE *names;

	if (elf_file_open(&f, m->path, NULL))
		return;
	names = open_memstream(&functions, &len);
	n = names ? put_functions(l, f, names) : 0;
	if (names && !fclose(names) && n)
		fprintf(out,
			"%s, which process %d mapped during the recording, has %s: calls of "
			"those are not in it, for %s; record again with -x %s\n",
			m->path, (int)m->pid, functions,
			m->why ? m->why
			       : "nothing named the file before the start and the recording "
				 "ended before they could be probed",
			m->path);
	free(functions);
	elf_file_close(f);
}

static void tell_foreign(const struct mapping *m, FILE *out)
{
	fprintf(out,
		"%s, which process %d mapped during the recording, may have functions of "
		"the profile, but was not looked into (%s): their calls are not in it; record "
		"again with -x %s\n",
		m->path, (int)m->pid, m->why ? m->why : "others can change it", m->path);
}

char *late_told(struct late *l, uid_t uid)
{
	char *text = NULL;
	size_t len;
	FILE *out = l && (l->n || l->more) ? open_memstream(&text, &len) : NULL;

	for (size_t i = 0; out && i < l->n; i++) {
		look(l, &l->file[i], uid);
		if (l->file[i].state == WORDS)
			tell(l, &l->file[i], out);
		else if (l->file[i].state == FOREIGN)
			tell_foreign(&l->file[i], out);
	}
	if (out && l->more)
		fprintf(out,
			"more than %d files with code were mapped during the recording; the "
			"later ones were not looked into\n",
			MOST);
	if (out && !fclose(out) && len)
		return text;
	free(text);
	return NULL;
}
