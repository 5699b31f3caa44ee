/* SPDX-License-Identifier: GPL-2.0-only */
/* Functions by name: as the symbol table has it, demangled, qualified, or by a
 * pattern. */
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/err.h"
#include "record/elf/elf_file.h"
#include "record/elf/pattern.h"

/* A part that the compiler split off, or a copy with other parameters: not the function
 * that a person means. "f.cold", "f.part.0", "f.constprop.0", "f.isra.0", "f.lto_priv.0"
 * (a local function of that name in another unit) is the function itself. */
static bool is_fragment(const char *name)
{
	static const char *const part[] = {".cold", ".part.", ".constprop.", ".isra."};

	for (size_t i = 0; i < sizeof(part) / sizeof(*part); i++)
		if (strstr(name, part[i]))
			return true;
	return false;
}

static int add(struct symbol_list *l, struct elf_file *f, struct elf_function *x,
	       char *qualified, struct err *e)
{
	struct symbol *s = array_add(&l->sym, &l->n);

	if (!s) {
		free(qualified);
		return err_nomem(e, "a program");
	}
	*s = (struct symbol){.name = strdup(x->name),
			     .demangled = strdup(elf_demangled(x)),
			     .qualified = qualified,
			     .addr = x->addr,
			     .size = x->size,
			     .is_method = !strncmp(x->name, "_ZNK", 4),
			     .plt_or_ifunc = x->ifunc};
	elf_file_offset(f, x->addr, &s->offset, NULL);
	if (s->name)
		s->thunk_of = elf_thunk(s->name, &s->this_plus, &s->vcall);
	return s->name && s->demangled ? 0 : err_nomem(e, "a program");
}

static bool known_address(const struct symbol_list *l, uint64_t addr)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->sym[i].addr == addr)
			return true;
	return false;
}

/* One pass over the functions: those that are called so, or those that the pattern fits. */
static int find(struct elf_file *f, const struct name_pattern *p, enum name_fit how,
		struct symbol_list *out, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < f->nfunction; i++) {
		struct elf_function *x = &f->function[i];
		char *qualified;

		if ((!strstr(x->name, p->word) && strcmp(x->name, p->text)) ||
		    is_fragment(x->name) || known_address(out, x->addr))
			continue;
		qualified = elf_qualified(elf_demangled(x));
		if (!qualified)
			rc = err_nomem(e, "a program");
		else if (name_pattern_fits(p, x->name, elf_demangled(x), qualified, how))
			rc = add(out, f, x, qualified, e);
		else
			free(qualified);
	}
	return rc;
}

/* "send<char*>" is a name before it is a pattern. */
int elf_file_find(struct elf_file *f, const char *pattern, struct symbol_list *out,
		  struct err *e)
{
	struct name_pattern p;
	int rc = name_pattern_init(&p, pattern) ? err_nomem(e, "a program") : 0;

	*out = (struct symbol_list){0};
	if (!rc && (!p.glob || strchr(p.name, '<')))
		rc = find(f, &p, FIT_NAME, out, e);
	if (!rc && !p.glob && !out->n && strstr(p.name, "::"))
		rc = find(f, &p, FIT_BARE, out, e);
	if (!rc && p.glob && !out->n)
		rc = find(f, &p, FIT_GLOB, out, e);
	name_pattern_release(&p);
	if (rc)
		symbol_list_release(out);
	return rc;
}

bool elf_is_glob(const char *pattern)
{
	struct name_pattern p;
	bool glob = !name_pattern_init(&p, pattern) && p.glob;

	name_pattern_release(&p);
	return glob;
}

size_t elf_file_clones(struct elf_file *f, const struct symbol *s)
{
	static const char *const part[] = {".part.", ".constprop.", ".isra."};
	size_t n = 0, len = strlen(s->name);

	for (size_t i = 0; i < f->nfunction; i++)
		for (size_t k = 0; k < sizeof(part) / sizeof(*part); k++)
			n += !strncmp(f->function[i].name, s->name, len) &&
			     !strncmp(f->function[i].name + len, part[k],
				      strlen(part[k])) &&
			     !strstr(f->function[i].name, ".cold");
	return n;
}

void symbol_list_release(struct symbol_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->sym[i].name);
		free(l->sym[i].demangled);
		free(l->sym[i].qualified);
	}
	free(l->sym);
	*l = (struct symbol_list){0};
}

/* ---- the nearest ---- */

enum { MAX_NAME = 63 };

static size_t least(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Levenshtein's, of the last components. */
static size_t distance(const char *a, size_t na, const char *b, size_t nb)
{
	size_t row[MAX_NAME + 1];

	for (size_t j = 0; j <= nb; j++)
		row[j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			size_t above = row[j];

			row[j] = least(above + 1, row[j - 1] + 1,
				       diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[nb];
}

struct candidate {
	size_t distance;
	struct elf_function *function;
};

static void keep(struct candidate *best, size_t max, size_t *n, struct candidate c)
{
	size_t i = *n;

	for (size_t k = 0; k < *n; k++)
		if (!strcmp(elf_demangled(best[k].function), elf_demangled(c.function)))
			return;
	if (i == max && best[max - 1].distance <= c.distance)
		return;
	i = i < max ? (*n)++ : max - 1;
	for (; i && best[i - 1].distance > c.distance; i--)
		best[i] = best[i - 1];
	best[i] = c;
}

/* A function as it may be asked for: without its parameters where they were not given. */
static char *offered(const char *pattern, struct elf_function *x)
{
	return strchr(pattern, '(') ? elf_pasteable(elf_demangled(x))
				    : elf_qualified(elf_demangled(x));
}

static bool listed(char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

int elf_file_nearest(struct elf_file *f, const char *pattern, size_t max, char ***names,
		     size_t *n)
{
	struct candidate best[16];
	size_t nbest = 0, len, plen;
	struct name_pattern wanted;
	const char *p;

	*names = calloc(max + 1, sizeof(**names));
	*n = 0;
	if (!*names || name_pattern_init(&wanted, pattern))
		return ERR_NOMEM;
	p = elf_last_component(wanted.name, &plen);
	max = max > 16 ? 16 : max;
	for (size_t i = 0; i < f->nfunction && plen <= MAX_NAME && f->nfunction < 200000;
	     i++) {
		struct elf_function *x = &f->function[i];
		char *q;
		const char *last;

		if (is_fragment(x->name) || !(q = elf_qualified(elf_demangled(x))))
			continue;
		last = elf_last_component(q, &len);
		if (len && len <= MAX_NAME) {
			size_t d = distance(p, plen, last, len);

			if (d <= plen / 3 + 1)
				keep(best, max, &nbest, (struct candidate){d, x});
		}
		free(q);
	}
	for (size_t i = 0; i < nbest; i++) {
		char *name = offered(pattern, best[i].function);

		if (name && !listed(*names, *n, name))
			(*names)[(*n)++] = name;
		else
			free(name);
	}
	name_pattern_release(&wanted);
	return 0;
}
