/* SPDX-License-Identifier: GPL-2.0-only */
/* Names as people and demanglers write them. */
#include "record/elf/pattern.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "record/elf/elf_file.h"

/* Where the bracket is that belongs to the last closing one. */
static size_t matching_bracket(const char *s, size_t len)
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

/* Without what stands behind the parameters: " const", " [clone .cold]". */
static size_t signature_end(const char *s)
{
	static const char *const tail[] = {" const", " volatile", " &&", " &"};
	const char *clone = strstr(s, " [clone ");
	size_t len = clone ? (size_t)(clone - s) : strlen(s);

	for (bool again = true; again;) {
		again = false;
		for (size_t i = 0; i < sizeof(tail) / sizeof(*tail); i++)
			if (ends_with(s, len, tail[i])) {
				len -= strlen(tail[i]);
				again = true;
			}
	}
	return len;
}

/* Of "f(int)"; not of "operator()" alone or "(anonymous namespace)": its length. */
static size_t before_parameters(const char *s)
{
	size_t len = signature_end(s), cut;

	if (!ends_with(s, len, ")"))
		return len;
	cut = matching_bracket(s, len);
	return cut && !ends_with(s, cut, "operator") ? cut : len;
}

static char *qualified_name(const char *s)
{
	size_t len = before_parameters(s), from = 0;

	/* only a template has its return type in its name */
	if (s[len] == '(' && ends_with(s, len, ">") && !strstr(s, "operator"))
		from = after_type(s, len);
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
const char *elf_last_component(const char *qualified, size_t *len)
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

/* ---- parameters ---- */

/* What a type is called behind its usual other name, where long has 64 bits. */
static const char *plain_type(const char *word, size_t len)
{
	static const char *const other[][2] = {
		{"size_t", "unsigned long"},
		{"ssize_t", "long"},
		{"off_t", "long"},
		{"off64_t", "long"},
		{"uintptr_t", "unsigned long"},
		{"intptr_t", "long"},
		{"uint8_t", "unsigned char"},
		{"int8_t", "signed char"},
		{"uint16_t", "unsigned short"},
		{"int16_t", "short"},
		{"uint32_t", "unsigned int"},
		{"int32_t", "int"},
		{"uint64_t", "unsigned long"},
		{"int64_t", "long"},
		{"u_char", "unsigned char"},
		{"u_short", "unsigned short"},
		{"u_int", "unsigned int"},
		{"u_long", "unsigned long"},
		{"uint", "unsigned int"},
		{"ulong", "unsigned long"},
	};

	if (len > 5 && !strncmp(word, "std::", 5)) {
		word += 5;
		len -= 5;
	}
	for (size_t i = 0; i < sizeof(other) / sizeof(*other); i++)
		if (strlen(other[i][0]) == len && !memcmp(other[i][0], word, len))
			return other[i][1];
	return NULL;
}

static bool in_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == ':' || c == '$';
}

/* Where the first type of s ends: "unsigned int const*,..." at the blank before const. */
static const char *type_end(const char *s)
{
	int depth = 0;

	for (; *s; s++) {
		if (!depth && (strchr("*&,)", *s) || !strncmp(s, " const", 6)))
			return s;
		depth += *s == '<' || *s == '(';
		depth -= *s == '>' || *s == ')';
	}
	return s;
}

/* "(const char*,int)" -> "(char const*,int)": of each parameter's own type. */
static void const_behind(const char *s, FILE *out)
{
	while (*s) {
		const char *end;

		if (strncmp(s, "const ", 6)) {
			fputc(*s, out);
			for (s++; *s && s[-1] != '(' && s[-1] != ','; s++)
				fputc(*s, out);
			continue;
		}
		end = type_end(s += 6);
		fprintf(out, "%.*s%sconst", (int)(end - s), s,
			end > s && in_word(end[-1]) ? " " : "");
		s = end;
	}
}

static bool names_integer(const char *s)
{
	return !strncmp(s, "int", 3) || !strncmp(s, "long", 4) ||
	       !strncmp(s, "char", 4) || !strncmp(s, "short", 5);
}

/* Words in their plain form, and no blank that does not part two of them. */
static void put_words(const char *s, FILE *out)
{
	bool after_word = false;

	while (*s) {
		size_t len = 0;
		const char *plain;

		while (in_word(s[len]))
			len++;
		if (!len) {
			if (!isspace((unsigned char)*s)) {
				fputc(*s, out);
				after_word = false;
			}
			s++;
			continue;
		}
		plain = plain_type(s, len);
		if (len == 8 && !strncmp(s, "unsigned", len) &&
		    !names_integer(s + len + strspn(s + len, " \t")))
			plain = "unsigned int";
		fprintf(out, "%s%.*s", after_word ? " " : "",
			plain ? (int)strlen(plain) : (int)len, plain ? plain : s);
		after_word = true;
		s += len;
	}
}

char *elf_parameters(const char *text)
{
	char *words = NULL, *done = NULL;
	size_t len;
	FILE *out = open_memstream(&words, &len);

	if (!out)
		return NULL;
	put_words(text, out);
	if (fclose(out) || !(out = open_memstream(&done, &len))) {
		free(words);
		return NULL;
	}
	const_behind(!strncmp(words, "(void)", 6) ? "()" : words, out);
	if (!strncmp(words, "(void)", 6))
		fputs(words + 6, out);
	free(words);
	if (!fclose(out))
		return done;
	free(done);
	return NULL;
}

/* ---- what fits ---- */

/* A word that every symbol's name which fits must hold: saves demangling the others. */
static void needed_word(struct name_pattern *p)
{
	size_t len;
	const char *last;

	if (p->glob || strstr(p->name, "operator"))
		return;
	last = elf_last_component(p->name, &len);
	len = strcspn(last, "<( ");
	if (len < sizeof(p->word) && !strchr(last, '~'))
		memcpy(p->word, last, len);
}

int name_pattern_init(struct name_pattern *p, const char *text)
{
	size_t cut = before_parameters(text);

	*p = (struct name_pattern){.text = text, .name = strndup(text, cut)};
	if (text[cut] == '(')
		p->params = elf_parameters(text + cut);
	if (!p->name || (text[cut] == '(' && !p->params)) {
		name_pattern_release(p);
		return ERR_NOMEM;
	}
	p->glob = strpbrk(p->name, "*?[") && !strstr(p->name, "operator");
	needed_word(p);
	return 0;
}

void name_pattern_release(struct name_pattern *p)
{
	free(p->name);
	free(p->params);
	*p = (struct name_pattern){0};
}

/* A C function's parameters are not in its symbol, and there is one of its name. */
static bool params_fit(const struct name_pattern *p, const char *symbol,
		       const char *demangled)
{
	size_t cut = before_parameters(demangled);
	char *theirs;
	bool fits;

	if (!p->params || !strcmp(symbol, demangled))
		return true;
	theirs = demangled[cut] == '(' ? strdup(demangled + cut) : NULL;
	if (!theirs)
		return false;
	if (strstr(theirs, " [clone "))
		*strstr(theirs, " [clone ") = '\0';
	demangled = elf_parameters(theirs);
	fits = demangled && !strcmp(demangled, p->params);
	free((char *)demangled);
	free(theirs);
	return fits;
}

char *elf_bare(const char *qualified)
{
	char *bare = strdup(qualified);
	size_t n = 0;
	int depth = 0;

	if (!bare || strstr(qualified, "operator"))
		return bare;
	for (size_t i = 0; qualified[i]; i++) {
		bool opens = qualified[i] == '<' &&
			     i, /* the first is Rust's, of a path */
			closes = qualified[i] == '>' && depth && qualified[i - 1] != '-';

		if (opens && !depth && n > 2 && bare[n - 1] == ':') /* "f::<u32>" */
			n -= 2;
		depth += opens;
		if (!depth)
			bare[n++] = qualified[i];
		depth -= closes;
	}
	bare[n] = '\0';
	return bare;
}

static bool bare_fits(const char *pattern, const char *qualified)
{
	char *bare = strchr(pattern, '<') ? NULL : elf_bare(qualified);
	bool fits = bare && (!strcmp(pattern, bare) || path_fits(pattern, bare));

	free(bare);
	return fits;
}

/* As a name does, a pattern fits the end of a path: "Card::dma_*" fits ns::Card::dma_wait. */
static bool glob_fits(const char *pattern, const char *qualified)
{
	int depth = 0;

	if (!fnmatch(pattern, qualified, 0))
		return true;
	for (const char *s = qualified; *s; s++) {
		depth += *s == '<' || *s == '(';
		depth -= *s == '>' || *s == ')';
		if (!depth && s[0] == ':' && s[1] == ':' && !fnmatch(pattern, s + 2, 0))
			return true;
	}
	return false;
}

bool name_pattern_fits(const struct name_pattern *p, const char *symbol,
		       const char *demangled, const char *qualified, enum name_fit how)
{
	size_t len;
	const char *last = elf_last_component(qualified, &len), *target;
	int64_t plus, vcall;

	demangled += thunk_prefix(demangled);
	target = elf_thunk(symbol, &plus, &vcall);
	if (target && !strncmp(p->text, "_Z", 2) && !strcmp(p->text + 2, target))
		return true;
	if (!strcmp(p->text, symbol) || !strcmp(p->text, demangled))
		return true;
	if (!params_fit(p, symbol, demangled))
		return false;
	if (how == FIT_BARE)
		return bare_fits(p->name, qualified);
	if (how == FIT_GLOB)
		return glob_fits(p->name, qualified) || !fnmatch(p->name, symbol, 0);
	return !strcmp(p->name, qualified) || path_fits(p->name, qualified) ||
	       (strlen(p->name) == len && !strncmp(p->name, last, len));
}

/* ---- what is offered ---- */

char *elf_pasteable(const char *demangled)
{
	const char *clone = strstr(demangled, " [clone ");

	demangled += thunk_prefix(demangled);
	return clone ? strndup(demangled, (size_t)(clone - demangled))
		     : strdup(demangled);
}
