/* SPDX-License-Identifier: GPL-2.0-only */
/* Functions by name: as the symbol table has it, demangled, qualified, or by a
 * pattern. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/err.h"
#include "record/elf/elf_file.h"

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

/* Where the parameters begin: the bracket that belongs to the last closing one. */
static size_t before_parameters(const char *s, size_t len)
{
	int depth = 0;

	for (size_t i = len; i-- > 0;) {
		depth += s[i] == ')';
		depth -= s[i] == '(';
		if (!depth)
			return i;
	}
	return len;
}

static bool ends_with(const char *s, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len >= n && !memcmp(s + len - n, end, n);
}

/* Behind a return type, which only templates have: the last blank outside of brackets. */
static size_t after_type(const char *s, size_t len)
{
	int depth = 0;

	for (size_t i = len; i-- > 0;) {
		depth += s[i] == '>' || s[i] == ')';
		depth -= s[i] == '<' || s[i] == '(';
		if (!depth && s[i] == ' ')
			return i + 1;
	}
	return 0;
}

/* "non-virtual thunk to " */
static size_t thunk_prefix(const char *demangled)
{
	static const char *const thunk[] = {"non-virtual thunk to ", "virtual thunk to ",
					    "covariant return thunk to "};

	for (size_t i = 0; i < sizeof(thunk) / sizeof(*thunk); i++)
		if (!strncmp(demangled, thunk[i], strlen(thunk[i])))
			return strlen(thunk[i]);
	return 0;
}

static char *qualified_name(const char *s)
{
	static const char *const tail[] = {" const", " volatile", " &&", " &"};
	const char *clone = strstr(s, " [clone ");
	size_t len = clone ? (size_t)(clone - s) : strlen(s), from = 0;

	for (bool again = true; again;) {
		again = false;
		for (size_t i = 0; i < sizeof(tail) / sizeof(*tail); i++)
			if (ends_with(s, len, tail[i])) {
				len -= strlen(tail[i]);
				again = true;
			}
	}
	if (ends_with(s, len, ")")) {
		size_t cut = before_parameters(s, len);

		/* "f(int)", not "operator()" alone or "(anonymous namespace)" */
		if (cut > 0)
			len = cut;
		if (ends_with(s, len, ">") && !strstr(s, "operator"))
			from = after_type(s, len);
	}
	return strndup(s + from, len - from);
}

/* "card::generic::<u32>" of Rust -> "card::generic" */
static size_t without_turbofish(const char *s, size_t len)
{
	int depth = 0;

	if (!len || s[len - 1] != '>')
		return len;
	for (size_t i = len; i-- > 0;) {
		depth += s[i] == '>' && s[i - !!i] != '-'; /* "fn() -> u32" */
		depth -= s[i] == '<';
		if (!depth)
			return i >= 2 && s[i - 1] == ':' && s[i - 2] == ':' ? i - 2 : len;
	}
	return len;
}

/* Behind the bracket that closes the one at s; 0 = none does. */
static size_t closing(const char *s)
{
	int depth = 0;

	for (size_t i = 0; s[i]; i++) {
		depth += s[i] == '<';
		depth -= s[i] == '>' && (!i || s[i - 1] != '-'); /* "fn() -> u32" */
		if (!depth)
			return i + 1;
	}
	return 0;
}

/* Rust: "<card::Card>::f::<u32>" -> "card::Card::f"; "<card::Card as card::Dma>::f" stays, for
 * another trait may have an f. No C++ name begins so. */
static char *rust_name(const char *s)
{
	size_t len = without_turbofish(s, strlen(s)), end = *s == '<' ? closing(s) : 0;
	char *text;

	if (end < 2 || memmem(s, end, " as ", 4))
		return strndup(s, len);
	return asprintf(&text, "%.*s%.*s", (int)end - 2, s + 1, (int)(len - end),
			s + end) < 0
		       ? NULL
		       : text;
}

char *elf_qualified(const char *s)
{
	if (*s == '<' || strstr(s, "::<"))
		return rust_name(s);
	return qualified_name(s + thunk_prefix(s));
}

/* "ns::f<int>" -> "f" */
static const char *last_component(const char *qualified, size_t *len)
{
	const char *last = qualified;
	int depth = 0;

	for (const char *p = qualified; *p; p++) {
		depth += *p == '<' || *p == '(';
		depth -= *p == '>' || *p == ')';
		if (!depth && p[0] == ':' && p[1] == ':')
			last = p + 2;
	}
	*len = strncmp(last, "operator", 8) ? strcspn(last, "<") : strlen(last);
	return last;
}

/* "Card::f" names "ns::Card::f", and "Card::f" and "Dma::f" name "<ns::Card as ns::Dma>::f". */
static bool path_ends(const char *pattern, const char *name, size_t len)
{
	size_t n = strlen(pattern);

	return len >= n && !memcmp(name + len - n, pattern, n) &&
	       (len == n ||
		(len > n + 1 && name[len - n - 1] == ':' && name[len - n - 2] == ':'));
}

static bool path_fits(const char *pattern, const char *qualified)
{
	size_t end = *qualified == '<' ? closing(qualified) : 0, head;
	const char *as = end ? memmem(qualified, end, " as ", 4) : NULL;
	const char *tail = strrchr(pattern, ':');
	char *type;
	bool fits = false;

	if (!as)
		return path_ends(pattern, qualified, strlen(qualified));
	/* the type's, and the trait's, before "::f" */
	if (!tail || tail == pattern || tail[-1] != ':' ||
	    strcmp(tail - 1, qualified + end) ||
	    !(type = strndup(pattern, (size_t)(tail - 1 - pattern))))
		return false;
	head = (size_t)(as - qualified);
	fits = path_ends(type, qualified + 1, head - 1) ||
	       path_ends(type, as + 4, end - 1 - head - 4);
	free(type);
	return fits;
}

static bool name_fits(const char *pattern, bool glob, const char *name,
		      const char *demangled, const char *qualified)
{
	size_t len;
	const char *last = last_component(qualified, &len), *target;
	int64_t plus, vcall;

	demangled += thunk_prefix(demangled);
	target = elf_thunk(name, &plus, &vcall);
	if (target && !strncmp(pattern, "_Z", 2) && !strcmp(pattern + 2, target))
		return true;
	if (glob)
		return !fnmatch(pattern, qualified, 0) || !fnmatch(pattern, name, 0);
	return !strcmp(pattern, name) || !strcmp(pattern, demangled) ||
	       !strcmp(pattern, qualified) || path_fits(pattern, qualified) ||
	       (strlen(pattern) == len && !strncmp(pattern, last, len));
}

/* A word that every name which fits must hold: saves demangling the others. */
static void needed_word(const char *pattern, bool glob, char *out, size_t size)
{
	size_t len;
	const char *p = pattern;

	*out = '\0';
	if (glob)
		return;
	p = strstr(pattern, "operator") ? "" : last_component(pattern, &len);
	len = strcspn(p, "<( ");
	if (len < size && !strchr(p, '~')) {
		memcpy(out, p, len);
		out[len] = '\0';
	}
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

int elf_file_find(struct elf_file *f, const char *pattern, struct symbol_list *out,
		  struct err *e)
{
	bool glob = strpbrk(pattern, "*?[") && !strstr(pattern, "operator");
	char word[256];
	int rc = 0;

	*out = (struct symbol_list){0};
	needed_word(pattern, glob, word, sizeof(word));
	for (size_t i = 0; !rc && i < f->nfunction; i++) {
		struct elf_function *x = &f->function[i];
		char *qualified;

		if ((!strstr(x->name, word) && strcmp(x->name, pattern)) ||
		    is_fragment(x->name) || known_address(out, x->addr))
			continue;
		qualified = elf_qualified(elf_demangled(x));
		if (!qualified)
			rc = err_nomem(e, "a program");
		else if (name_fits(pattern, glob, x->name, elf_demangled(x), qualified))
			rc = add(out, f, x, qualified, e);
		else
			free(qualified);
	}
	if (rc)
		symbol_list_release(out);
	return rc;
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

int elf_file_nearest(struct elf_file *f, const char *pattern, size_t max, char ***names,
		     size_t *n)
{
	struct candidate best[16];
	size_t nbest = 0, len, plen;
	const char *p = last_component(pattern, &plen);

	*names = calloc(max + 1, sizeof(**names));
	*n = 0;
	if (!*names)
		return ERR_NOMEM;
	max = max > 16 ? 16 : max;
	for (size_t i = 0; i < f->nfunction && plen <= MAX_NAME && f->nfunction < 200000;
	     i++) {
		struct elf_function *x = &f->function[i];
		char *q;
		const char *last;

		if (is_fragment(x->name) || !(q = elf_qualified(elf_demangled(x))))
			continue;
		last = last_component(q, &len);
		if (len && len <= MAX_NAME) {
			size_t d = distance(p, plen, last, len);

			if (d <= plen / 3 + 1)
				keep(best, max, &nbest, (struct candidate){d, x});
		}
		free(q);
	}
	for (size_t i = 0; i < nbest; i++)
		if (((*names)[*n] = strdup(elf_demangled(best[i].function))))
			++*n;
	return 0;
}
