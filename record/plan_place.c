/* SPDX-License-Identifier: GPL-2.0-only */
/* Which of a plan's probes can be armed in the process, and why the others cannot. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "lib/err.h"
#include "record/agent/hooks.h"
#include "record/elf/elf_file.h"
#include "record/plan.h"

static int no_memory(struct err *e)
{
	return err_nomem(e, "a recording");
}

static int unplace(struct plan_probe *q, const char *why, struct err *e)
{
	free(q->place);
	q->place = NULL;
	if (!q->why && !(q->why = strdup(why)))
		return no_memory(e);
	return 0;
}

static void drop_hooks(struct plan *p)
{
	for (size_t i = 0; i < p->nhook; i++)
		free(p->hook[i].file);
	free(p->hook);
	p->hook = NULL;
	p->nhook = 0;
}

int plan_unplace(struct plan *p, const char *file, const char *why, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < p->n; i++)
		if (!file || !strcmp(p->probe[i].file, file))
			rc = unplace(&p->probe[i], why, e);
	if (!plan_nplaced(p))
		drop_hooks(p);
	return rc;
}

size_t plan_nplaced(const struct plan *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		n += p->probe[i].place != NULL;
	return n;
}

/* ---- the whole command ---- */

static struct elf_file *file_of(const struct plan_files *f, const char *path)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->file[i] && !strcmp(f->path[i], path))
			return f->file[i];
	return NULL;
}

/* Programs that gain rights are not preloaded into. */
static bool has_rights(const char *path)
{
	struct stat st;
	char value[64];

	return (!stat(path, &st) && st.st_mode & (S_ISUID | S_ISGID) &&
		S_ISREG(st.st_mode)) ||
	       getxattr(path, "security.capability", value, sizeof(value)) > 0;
}

static bool is_glibc_loader(const char *path)
{
	const char *base = strrchr(path, '/');

	base = base ? base + 1 : path;
	return !strncmp(base, "ld-linux", 8) || !strncmp(base, "ld-2.", 5) ||
	       !strncmp(base, "ld64.so", 7);
}

static int add_hooks(struct plan *p, struct elf_file *f, bool loader, struct err *e)
{
	struct plan_hook *grown;
	struct hooks h;
	int rc;

	for (size_t i = 0; i < p->nhook; i++)
		if (!strcmp(p->hook[i].file, elf_file_path(f)))
			return 0;
	rc = hooks_of(&h, f, loader, e);
	if (rc)
		return rc;
	grown = reallocarray(p->hook, p->nhook + h.n + 1, sizeof(*grown));
	if (!grown)
		return no_memory(e);
	p->hook = grown;
	for (unsigned i = 0; i < h.n; i++) {
		grown[p->nhook].place = h.place[i];
		grown[p->nhook].file = strdup(elf_file_path(f));
		if (!grown[p->nhook++].file)
			return no_memory(e);
	}
	return 0;
}

/* The program's loader, which is no file of the plan. */
static int add_loader(struct plan *p, struct elf_file *program, struct err *e)
{
	char *name = hooks_interpreter(program),
	     *path = name ? realpath(name, NULL) : NULL;
	struct elf_file *f = NULL;
	int rc = 0;

	if (name && (!path || !is_glibc_loader(path)))
		rc = err_set(e, ERR_UNSUPPORTED, "%s: its loader %s is not glibc's",
			     elf_file_path(program), name);
	if (!rc && path)
		rc = elf_file_open(&f, path, e);
	if (!rc && f)
		rc = add_hooks(p, f, true, e);
	elf_file_close(f);
	free(path);
	free(name);
	return rc;
}

/* 0, or the reason why nothing of this command can be armed in the process. */
static int check_command(struct plan *p, const struct plan_files *f, struct err *e)
{
	bool libc = false;
	int rc = 0;

	for (size_t i = 0; !rc && i < f->n; i++) {
		struct elf_file *x = f->file[i];
		const char *soname = x ? elf_file_soname(x) : NULL;

		if (!x)
			continue;
		if (has_rights(f->path[i]))
			return err_set(e, ERR_UNSUPPORTED,
				       "%s runs with rights of its own (set-uid)",
				       f->path[i]);
		rc = add_loader(p, x, e);
		if (!rc && soname && !strcmp(soname, "libc.so.6")) {
			libc = true;
			rc = add_hooks(p, x, false, e);
		}
	}
	if (!rc && !libc)
		rc = err_set(e, ERR_UNSUPPORTED, "the command does not use glibc");
	return rc;
}

/* ---- one probe ---- */

static uint64_t function_of(struct elf_file *f, const struct plan_probe *q, uint64_t addr)
{
	const struct elf_function *x = elf_function_over(f, addr);

	if (x && !strstr(x->name, ".cold"))
		return x->addr;
	x = elf_function_named(f, q->symbol);
	return x ? x->addr : addr;
}

static int place_probe(struct plan_probe *q, struct elf_file *f, struct err *e)
{
	struct err why = {0};
	uint64_t addr = 0;
	int rc = 0;

	if (q->is_return)
		rc = err_set(&why, ERR_UNSUPPORTED, "a return probe is the kernel's");
	else if (q->spec->npath)
		rc = err_set(&why, ERR_UNSUPPORTED,
			     "its descriptor's path is looked up at once");
	else if (!f || !elf_file_address(f, q->offset, &addr))
		rc = err_set(&why, ERR_UNSUPPORTED, "its file cannot be read");
	else if (hooks_static(f))
		rc = err_set(&why, ERR_UNSUPPORTED, "a program without a loader");
	if (!rc && !(q->place = calloc(1, sizeof(*q->place))))
		return no_memory(e);
	if (!rc)
		rc = place_make(q->place, f, function_of(f, q, addr), addr, q->where,
				q->args, &why);
	return rc ? unplace(q, why.text, e) : 0;
}

/* ---- among each other ---- */

static bool same_place(const struct plan_probe *a, const struct plan_probe *b)
{
	return a->offset == b->offset && a->where == b->where &&
	       !strcmp(a->file, b->file) && !strcmp(a->args, b->args) && !a->is_return &&
	       !b->is_return;
}

/* Bytes can be overwritten once: by a jump of ours or by the kernel's breakpoint. */
static bool in_the_way(const struct plan_probe *a, const struct plan_probe *b)
{
	if (a == b || strcmp(a->file, b->file))
		return false;
	if (same_place(a, b)) /* one jump for both, or one breakpoint */
		return !b->place;
	if (b->place)
		return place_overlaps(a->place, b->place);
	return place_covers(a->place, b->offset - a->place->offset + a->place->addr);
}

static int part(struct plan *p, struct err *e)
{
	bool changed;
	int rc = 0;

	do {
		changed = false;
		for (size_t i = 0; !rc && i < p->n; i++)
			for (size_t k = 0; !rc && k < p->n && p->probe[i].place; k++) {
				struct plan_probe *b = &p->probe[k];
				char why[200];

				if (!in_the_way(&p->probe[i], b))
					continue;
				snprintf(
					why, sizeof(why),
					"the bytes to overwrite hold the place of %.100s too",
					b->event);
				rc = unplace(&p->probe[i], why, e);
				changed = true;
			}
	} while (changed && !rc);
	return rc;
}

/* A hook in the way of a probe (execve itself is probed): nothing in the process then. */
static int part_hooks(struct plan *p, struct err *e)
{
	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; k < p->nhook; k++) {
			const struct plan_probe *q = &p->probe[i];
			const struct agent_place *h = &p->hook[k].place;

			if (strcmp(q->file, p->hook[k].file))
				continue;
			if (q->place ? place_overlaps(q->place, h)
				     : place_covers(h, q->offset - h->offset + h->addr))
				return plan_unplace(p, NULL,
						    "a function that the agent needs for "
						    "itself is probed",
						    e);
		}
	return 0;
}

int plan_places(struct plan *p, const struct plan_files *f, struct err *e)
{
	struct err why = {0};
	int rc = check_command(p, f, &why);

	if (rc == ERR_NOMEM)
		return no_memory(e);
	if (rc)
		return plan_unplace(p, NULL, why.text, e);
	for (size_t i = 0; !rc && i < p->n; i++)
		rc = place_probe(&p->probe[i], file_of(f, p->probe[i].file), e);
	if (!rc)
		rc = part(p, e);
	if (!rc)
		rc = part_hooks(p, e);
	if (!rc && !plan_nplaced(p))
		drop_hooks(p);
	return rc;
}
