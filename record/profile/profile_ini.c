/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A profile's file, line by line. No INI library: what one is built with (length of a
 * line, continued values, comments behind values) differs between distributions, and none
 * tells of a section without keys, or a continued value from a doubled key.
 */
#include "record/profile/profile.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/err.h"
#include "lib/num.h"
#include "record/host/rootfs.h"
#include "record/profile/profile_priv.h"

enum {
	MAX_FILE = 1 << 20,
	MAX_LINE = 1000, /* chosen: ten times the longest of a shipped profile */
	MAX_SECTIONS = 1000,
	MAX_KEYS = 24,
};

#define BLANKS " \t\r\v\f"

enum kind {
	KIND_NONE,
	KIND_PROFILE,
	KIND_LIBRARY,
	KIND_FUNC,
	KIND_INTERRUPT,
	KIND_COUNTER,
	KIND_REGISTER,
	KIND_KERNEL,
	KIND_TRACEPOINT,
	KIND_COUNT
};

struct parser {
	struct profile *p;
	const char *file; /* for messages */
	struct err *e;
	int rc;
	int line;
	char key[MAX_LINE + 1]; /* whose value an indented line continues; "" = none */
	bool continued;		/* this line does */
	enum kind kind;
	int section_line;
	const char *const *keys;
	int seen[MAX_KEYS]; /* line of each key in this section */
	struct {
		char *name;
		int line;
	} * section; /* the last is the one that is being read */
	size_t nsection;
};

static const char *const profile_keys[] = {"name", "title", "source",
					   "auto", "watch", NULL};
static const char *const library_keys[] = {"soname", NULL};
static const char *const interrupt_keys[] = {"device", "pci", "vector", "pairing", NULL};
static const char *const count_keys[] = {"event", NULL};
static const char *const counter_keys[] = {"file", "pattern", NULL};
static const char *const section_words[] = {
	"profile", "library",  "start", "transfer", "wait",	  "stop", "interrupt",
	"counter", "register", "count", "kernel",   "tracepoint", NULL};

static int fault(struct parser *ps, int line, enum err_code code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The first fault stays. */
static int fault(struct parser *ps, int line, enum err_code code, const char *fmt, ...)
{
	char text[800];
	va_list ap;

	if (ps->rc)
		return ps->rc;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ps->rc = err_set(ps->e, code, "%s:%d: %s", ps->file, line, text);
	return ps->rc;
}

/* ---- sections ---- */

static int end_section(struct parser *ps)
{
	struct profile *p = ps->p;
	struct profile_counter *c;
	struct err why = {0};

	if (ps->kind == KIND_FUNC && func_finish(&p->func[p->nfunc - 1], &why))
		return fault(ps, ps->section_line, why.code, "%s", why.text);
	if (ps->kind == KIND_COUNTER) {
		c = &p->counter[p->ncounter - 1];
		if (!c->file || !c->pattern)
			return fault(ps, ps->section_line, ERR_FORMAT,
				     "a counter needs both 'file = ' and 'pattern = '");
	}
	if ((ps->kind == KIND_KERNEL || ps->kind == KIND_TRACEPOINT) &&
	    kernel_finish(&p->kernel[p->nkernel - 1], &why))
		return fault(ps, ps->section_line, why.code, "%s", why.text);
	if (ps->kind == KIND_REGISTER && register_finish(&p->reg[p->nreg - 1], &why))
		return fault(ps, ps->section_line, why.code, "%s", why.text);
	return 0;
}

static int begin_register(struct parser *ps, const char *name)
{
	struct register_spec *r = array_add(&ps->p->reg, &ps->p->nreg);

	if (!r)
		return fault(ps, ps->line, ERR_NOMEM, "no memory");
	register_init(r);
	r->line = ps->line;
	ps->kind = KIND_REGISTER;
	ps->keys = register_keys;
	return set_text(&r->name, name, NULL)
		       ? fault(ps, ps->line, ERR_NOMEM, "no memory")
		       : 0;
}

static int begin_kernel(struct parser *ps, enum kind kind, const char *name)
{
	struct kernel_spec *k = array_add(&ps->p->kernel, &ps->p->nkernel);
	struct err why = {0};

	if (!k)
		return fault(ps, ps->line, ERR_NOMEM, "no memory");
	ps->kind = kind;
	ps->keys = kernel_keys;
	return kernel_init(k, name, kind == KIND_TRACEPOINT, ps->line, &why)
		       ? fault(ps, ps->line, why.code, "%s", why.text)
		       : 0;
}

static int begin_func(struct parser *ps, enum func_role role, const char *name)
{
	struct func_spec *f = profile_new_func(ps->p, role);
	const char *base = strrchr(ps->file, '/');

	if (!f || set_text(&f->pattern, name, NULL) ||
	    set_text(&f->origin, base ? base + 1 : ps->file, NULL))
		return fault(ps, ps->line, ERR_NOMEM, "no memory");
	f->line = ps->line;
	ps->kind = KIND_FUNC;
	ps->keys = func_keys;
	return 0;
}

static int begin_counter(struct parser *ps, const char *name)
{
	struct profile *p = ps->p;
	struct profile_counter *grown =
		realloc(p->counter, (p->ncounter + 1) * sizeof(*grown));

	if (!grown)
		return fault(ps, ps->line, ERR_NOMEM, "no memory");
	p->counter = grown;
	grown[p->ncounter] = (struct profile_counter){.name = strdup(name)};
	p->ncounter++;
	ps->kind = KIND_COUNTER;
	ps->keys = counter_keys;
	return grown[p->ncounter - 1].name ? 0
					   : fault(ps, ps->line, ERR_NOMEM, "no memory");
}

static int unknown_section(struct parser *ps, const char *word)
{
	const char *near = nearest_word(word, section_words);

	if (near)
		return fault(ps, ps->line, ERR_FORMAT, "'[%s]' is no section; '[%s]' is",
			     word, near);
	return fault(ps, ps->line, ERR_FORMAT,
		     "'[%s]' is no section; these are: [profile], [library], [start "
		     "FUNCTION], [transfer FUNCTION], [wait FUNCTION], [stop FUNCTION], "
		     "[interrupt], [counter NAME], [register NAME], [count], [kernel "
		     "FUNCTION], [tracepoint SYSTEM:EVENT]",
		     word);
}

/* What kind of section a word names, and whether a name follows it. */
static int begin_kind(struct parser *ps, const char *word, const char *name)
{
	static const struct {
		const char *word;
		enum kind kind;
		const char *const *keys;
		enum func_role role;
	} known[] = {
		{"profile", KIND_PROFILE, profile_keys, 0},
		{"library", KIND_LIBRARY, library_keys, 0},
		{"interrupt", KIND_INTERRUPT, interrupt_keys, 0},
		{"counter", KIND_COUNTER, counter_keys, 0},
		{"register", KIND_REGISTER, register_keys, 0},
		{"count", KIND_COUNT, count_keys, 0},
		{"kernel", KIND_KERNEL, kernel_keys, 0},
		{"tracepoint", KIND_TRACEPOINT, kernel_keys, 0},
		{"start", KIND_FUNC, func_keys, FUNC_START},
		{"transfer", KIND_FUNC, func_keys, FUNC_TRANSFER},
		{"wait", KIND_FUNC, func_keys, FUNC_WAIT},
		{"stop", KIND_FUNC, func_keys, FUNC_STOP},
	};

	for (size_t k = 0; k < sizeof(known) / sizeof(*known); k++) {
		bool named =
			known[k].kind == KIND_FUNC || known[k].kind == KIND_COUNTER ||
			known[k].kind == KIND_REGISTER || known[k].kind == KIND_KERNEL ||
			known[k].kind == KIND_TRACEPOINT;

		if (strcmp(word, known[k].word))
			continue;
		if (named && !*name)
			return fault(ps, ps->line, ERR_FORMAT,
				     "[%s] needs a name: [%s %s]", word, word,
				     known[k].kind == KIND_FUNC ||
						     known[k].kind == KIND_KERNEL
					     ? "FUNCTION"
				     : known[k].kind == KIND_TRACEPOINT ? "SYSTEM:EVENT"
									: "NAME");
		if (!named && *name)
			return fault(ps, ps->line, ERR_FORMAT,
				     "[%s] takes no name, found '%s'", word, name);
		if (known[k].kind == KIND_FUNC)
			return begin_func(ps, known[k].role, name);
		if (known[k].kind == KIND_COUNTER)
			return begin_counter(ps, name);
		if (known[k].kind == KIND_REGISTER)
			return begin_register(ps, name);
		if (known[k].kind == KIND_KERNEL || known[k].kind == KIND_TRACEPOINT)
			return begin_kernel(ps, known[k].kind, name);
		ps->kind = known[k].kind;
		ps->keys = known[k].keys;
		return 0;
	}
	return unknown_section(ps, word);
}

static int note_section(struct parser *ps, const char *section)
{
	void *grown;

	for (size_t k = 0; k < ps->nsection; k++)
		if (!strcmp(ps->section[k].name, section))
			return fault(ps, ps->line, ERR_FORMAT,
				     "section [%s] again; the first is on line %d",
				     section, ps->section[k].line);
	if (ps->nsection == MAX_SECTIONS)
		return fault(ps, ps->line, ERR_FORMAT,
			     "more than %d sections: is this a profile?", MAX_SECTIONS);
	grown = realloc(ps->section, (ps->nsection + 1) * sizeof(*ps->section));
	if (!grown)
		return fault(ps, ps->line, ERR_NOMEM, "no memory");
	ps->section = grown;
	ps->section[ps->nsection].name = strdup(section);
	if (!ps->section[ps->nsection].name)
		return fault(ps, ps->line, ERR_NOMEM, "no memory");
	ps->section[ps->nsection++].line = ps->line;
	return 0;
}

static void trim_end(char *text)
{
	size_t n = strlen(text);

	while (n && strchr(BLANKS, text[n - 1]))
		text[--n] = 0;
}

static int begin_section(struct parser *ps, char *section)
{
	char *word = section + strspn(section, BLANKS), *name;

	if (end_section(ps) || note_section(ps, section))
		return ps->rc;
	ps->kind = KIND_NONE;
	ps->section_line = ps->line;
	ps->key[0] = 0;
	memset(ps->seen, 0, sizeof(ps->seen));
	name = word + strcspn(word, BLANKS);
	if (*name)
		*name++ = 0;
	name += strspn(name, BLANKS);
	trim_end(name);
	return begin_kind(ps, word, name);
}

/* ---- keys ---- */

/* Keys that may stand on several lines, each a value of its own. */
static bool takes_lines(const char *key)
{
	static const char *const multi[] = {"path",   "device", "pci",	"soname",
					    "source", "title",	"event"};

	for (size_t k = 0; k < sizeof(multi) / sizeof(*multi); k++)
		if (!strcmp(key, multi[k]))
			return true;
	return false;
}

static int check_doubled(struct parser *ps, const char *key, int index)
{
	if (ps->continued && !takes_lines(key))
		return fault(
			ps, ps->line, ERR_FORMAT,
			"this line is indented and so continues '%s', which takes one "
			"value; keys begin at the start of a line",
			key);
	if (!ps->continued && ps->seen[index])
		return fault(
			ps, ps->line, ERR_FORMAT, "'%s' again; the first is on line %d%s",
			key, ps->seen[index],
			takes_lines(key) ? "; further values go on indented lines" : "");
	if (!ps->continued)
		ps->seen[index] = ps->line;
	return 0;
}

static int unknown_key(struct parser *ps, const char *section, const char *key)
{
	const char *near = nearest_word(
		ps->keys == func_keys ? field_canonical(key) : key, ps->keys);
	char all[300] = "";
	size_t len = 0;

	if (near)
		return fault(ps, ps->line, ERR_FORMAT,
			     "'%s' is no key of [%s]; did you mean '%s'?", key, section,
			     near);
	for (const char *const *k = ps->keys; *k && len < sizeof(all); k++)
		len += (size_t)snprintf(all + len, sizeof(all) - len, "%s%s",
					len ? ", " : "", *k);
	return fault(ps, ps->line, ERR_FORMAT, "'%s' is no key of [%s]; these are: %s",
		     key, section, all);
}

static int set_key(struct parser *ps, const char *key, const char *value, struct err *why)
{
	struct profile *p = ps->p;

	switch (ps->kind) {
	case KIND_PROFILE:
		return profile_set_head(p, key, value, why);
	case KIND_LIBRARY:
		return profile_add_library(p, value, why);
	case KIND_FUNC:
		return func_set(&p->func[p->nfunc - 1], key, value, why);
	case KIND_INTERRUPT:
		return profile_set_interrupt(p, key, value, why);
	case KIND_COUNTER:
		return profile_set_counter(&p->counter[p->ncounter - 1], key, value, why);
	case KIND_REGISTER:
		return register_set(&p->reg[p->nreg - 1], key, value, why);
	case KIND_KERNEL:
	case KIND_TRACEPOINT:
		return kernel_set(&p->kernel[p->nkernel - 1], key, value, why);
	case KIND_COUNT: /* one a line: terms have commas */
		return add_text(&p->count, &p->ncount, value, strlen(value), why);
	case KIND_NONE:
		break;
	}
	return 0;
}

/* "vector.3 = 2": the vector that ends channel 3. */
static int channel_vector(struct parser *ps, const char *key, const char *value,
			  struct err *why)
{
	int64_t channel;

	if (ps->continued)
		return err_set(why, ERR_FORMAT, "'%s' takes one value", key);
	if (num_i64(key + 7, 0, INT32_MAX, &channel, NULL))
		return err_set(why, ERR_FORMAT,
			       "'%s': behind 'vector.' stands a channel's number", key);
	return profile_add_vector(ps->p, channel, value, why);
}

static int handle_key(struct parser *ps, const char *key, const char *value)
{
	struct err why = {0};
	int index = 0;

	if (ps->kind == KIND_NONE)
		return fault(ps, ps->line, ERR_FORMAT, "'%s' stands before any [section]",
			     key);
	if (!*value)
		return fault(ps, ps->line, ERR_FORMAT, "'%s' has no value", key);
	if (ps->kind == KIND_INTERRUPT && !strncmp(key, "vector.", 7)) {
		if (channel_vector(ps, key, value, &why))
			return fault(ps, ps->line, why.code, "%s", why.text);
		return 0;
	}
	while (ps->keys[index] && strcmp(key, ps->keys[index]))
		index++;
	if (!ps->keys[index])
		return unknown_key(ps, ps->section[ps->nsection - 1].name, key);
	if (check_doubled(ps, key, index))
		return ps->rc;
	if (set_key(ps, key, value, &why))
		return fault(ps, ps->line, why.code, "%s", why.text);
	return 0;
}

/* ---- lines ---- */

/* "[start f]", then nothing or a comment. */
static int take_header(struct parser *ps, char *line)
{
	char *close = strchr(line, ']'), *behind;

	if (!close)
		return fault(ps, ps->line, ERR_FORMAT, "'[' without ']'");
	behind = close + 1 + strspn(close + 1, BLANKS);
	if (*behind && *behind != ';' && *behind != '#')
		return fault(ps, ps->line, ERR_FORMAT, "text behind ']': '%s'", behind);
	*close = 0;
	return begin_section(ps, line + 1);
}

/* A ';' behind a blank begins a comment. */
static void cut_comment(char *text)
{
	for (char *at = text; *at; at++)
		if (*at == ';' && at > text && strchr(BLANKS, at[-1]))
			*at = 0;
}

static int take_value(struct parser *ps, char *value)
{
	cut_comment(value);
	trim_end(value);
	return handle_key(ps, ps->key, value + strspn(value, BLANKS));
}

static int take_key(struct parser *ps, char *line)
{
	char *equals;

	cut_comment(line);
	equals = line + strcspn(line, "=:");
	if (!*equals || equals == line)
		return fault(
			ps, ps->line, ERR_FORMAT,
			"this is no '[section]', no 'key = value' and no '; comment'");
	*equals = 0;
	trim_end(line);
	memcpy(ps->key, line, strlen(line) + 1);
	ps->continued = false;
	return take_value(ps, equals + 1);
}

static int take_line(struct parser *ps, char *line)
{
	char *text = line + strspn(line, BLANKS);

	if (!*text || *text == ';' || *text == '#')
		return 0;
	if (text == line)
		return *line == '[' ? take_header(ps, line) : take_key(ps, line);
	if (!*ps->key)
		return fault(ps, ps->line, ERR_FORMAT,
			     "this line is indented, but there is no value to continue");
	ps->continued = true;
	return take_value(ps, text);
}

static int read_lines(struct parser *ps, const char *text, const char *end)
{
	char line[MAX_LINE + 1];

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t len = (size_t)((newline ? newline : end) - text);

		ps->line++;
		if (len > MAX_LINE)
			return fault(ps, ps->line, ERR_FORMAT,
				     "a line of %zu characters, at most %d can be read; "
				     "continue a value on an indented line",
				     len, MAX_LINE);
		memcpy(line, text, len);
		line[len] = 0;
		if (take_line(ps, line))
			return ps->rc;
		text = newline ? newline + 1 : end;
	}
	return 0;
}

/* Which doorbells are stores of a bit for each channel, as a register's section says. */
static void tie_registers(struct profile *p)
{
	for (size_t k = 0; k < p->nfunc; k++)
		for (size_t r = 0; r < p->nreg; r++)
			p->func[k].doorbell_bits |=
				p->func[k].doorbell_store == p->reg[r].offset &&
				p->reg[r].by_bit && !p->reg[r].negated &&
				!p->reg[r].shift;
}

static int finish(struct parser *ps)
{
	bool starts = false;

	if (end_section(ps))
		return ps->rc;
	for (size_t k = 0; k < ps->p->nfunc; k++)
		starts |= ps->p->func[k].role <= FUNC_TRANSFER;
	if (!starts)
		return fault(ps, ps->line ? ps->line : 1, ERR_FORMAT,
			     "no function starts a transfer: a profile needs a [start "
			     "FUNCTION] or [transfer FUNCTION]");
	if (ps->p->automatic == AUTO_LIBRARY && !ps->p->nlibrary)
		return fault(ps, ps->line, ERR_FORMAT,
			     "'auto = library' needs a [library] with 'soname = ...'");
	tie_registers(ps->p);
	return 0;
}

/* "dir/flx.ini" is called flx unless it says otherwise. */
static int name_by_file(struct profile *p, const char *file, struct err *e)
{
	const char *base = strrchr(file, '/'), *dot;

	if (p->name)
		return 0;
	base = base ? base + 1 : file;
	dot = strrchr(base, '.');
	p->name = strndup(base, dot && dot > base ? (size_t)(dot - base) : strlen(base));
	return p->name ? 0 : err_nomem(e, "a profile");
}

static int parse(struct profile *p, const char *text, size_t len, const char *file,
		 struct err *e)
{
	struct parser ps = {.p = p, .file = file, .e = e};
	bool marked = len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3);

	if (memchr(text, 0, len))
		return err_set(e, ERR_FORMAT, "%s: is no text file (it holds a NUL byte)",
			       file);
	if (!read_lines(&ps, text + (marked ? 3 : 0), text + len))
		finish(&ps);
	for (size_t k = 0; k < ps.nsection; k++)
		free(ps.section[k].name);
	free(ps.section);
	return ps.rc ? ps.rc : name_by_file(p, file, e);
}

int profile_read_mem(struct profile *p, const char *text, const char *name, struct err *e)
{
	int rc;

	profile_init(p);
	rc = parse(p, text, strlen(text), name, e);
	if (rc)
		profile_release(p);
	return rc;
}

int profile_read(struct profile *p, const char *path, struct err *e)
{
	char *text;
	size_t len;
	int rc;

	profile_init(p);
	rc = rootfs_read("", path, MAX_FILE, &text, &len, e);
	if (rc)
		return rc;
	rc = parse(p, text, len, path, e);
	free(text);
	if (!rc)
		rc = set_text(&p->path, path, e);
	if (rc)
		profile_release(p);
	return rc;
}
