/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tracing data section (perf's tools/perf/util/trace-event-info.c wrote it): magic,
 * version, byte order, then header files, ftrace formats, event formats by system; what
 * follows is not needed. libtraceevent parses the event formats, each when it is asked
 * for, and its text as it lies in the file.
 *
 * Two things stand between a stranger's file and that parser, which was written for what
 * a kernel says:
 * - Only the lines up to the print format are handed over. That is C for printing, which
 *   nothing here does; its parser calls itself for each bracket and operator of the text,
 *   and keeps memory of what it cannot parse.
 * - These lines have to be such as a kernel writes (read_declaration() and its callers).
 *   Where libtraceevent gives up inside the fields, it has freed one of them twice
 *   (before 1.2), keeps words of it, reads behind an array without "]", and replaces
 *   words that end in _PR_FMT by strings.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <traceevent/event-parse.h>

#include "lib/err.h"
#include "lib/event/event_impl.h"

enum { MAX_FORMAT = 1 << 20 };

struct format {
	uint64_t id;
	const char *system, *text;
	size_t len;
	/* once it was asked for */
	struct tep_event *event;
	size_t bad_line;
};

struct formats {
	struct tep_handle *tep;
	struct format *format;
	size_t n, room;
	const char *name;
};

struct cursor {
	const char *begin, *at, *end;
	const char *name;
	struct err *e;
};

static int cut(struct cursor *c, const char *what)
{
	return err_set(c->e, ERR_FORMAT,
		       "%s: tracing data (feature 1): %s at "
		       "byte %zu of %zu; the file is damaged",
		       c->name, what, (size_t)(c->at - c->begin),
		       (size_t)(c->end - c->begin));
}

static const char *take(struct cursor *c, uint64_t n)
{
	const char *here = c->at;

	if (n > (uint64_t)(c->end - c->at)) {
		cut(c, "it ends too early");
		return NULL;
	}
	c->at += n;
	return here;
}

static const char *take_text(struct cursor *c)
{
	const char *nul = memchr(c->at, 0, (size_t)(c->end - c->at)), *here = c->at;

	if (!nul) {
		cut(c, "a text without an end");
		return NULL;
	}
	c->at = nul + 1;
	return here;
}

static bool take_number(struct cursor *c, size_t size, uint64_t *v)
{
	const char *b = take(c, size);

	*v = 0;
	if (b)
		memcpy(v, b, size);
	return b;
}

static int read_intro(struct formats *f, struct cursor *c)
{
	static const char magic[10] = "\027\010\104tracing";
	const char *found = take(c, sizeof(magic)), *version;
	uint64_t order, long_size, page_size;

	if (!found)
		return ERR_FORMAT;
	if (memcmp(found, magic, sizeof(magic)))
		return cut(c, "it does not begin with its magic number");
	version = take_text(c);
	if (!version || !take_number(c, 1, &order) || !take_number(c, 1, &long_size) ||
	    !take_number(c, 4, &page_size))
		return ERR_FORMAT;
	if (order || (long_size != 4 && long_size != 8))
		return cut(c, "byte order or size of a long is none");
	tep_set_file_bigendian(f->tep, TEP_LITTLE_ENDIAN);
	tep_set_local_bigendian(f->tep, TEP_LITTLE_ENDIAN);
	tep_set_long_size(f->tep, (int)long_size);
	tep_set_page_size(f->tep, (int)page_size);
	return 0;
}

/* "header_page", then "header_event": name, u64 size, text. Not needed for perf's
 * records. */
static int skip_headers(struct cursor *c)
{
	for (int i = 0; i < 2; i++) {
		uint64_t size;

		if (!take_text(c) || !take_number(c, 8, &size) || !take(c, size))
			return ERR_FORMAT;
	}
	return 0;
}

static int skip_ftrace(struct cursor *c)
{
	uint64_t n, size;

	if (!take_number(c, 4, &n))
		return ERR_FORMAT;
	while (n--)
		if (!take_number(c, 8, &size) || !take(c, size))
			return ERR_FORMAT;
	return 0;
}

/* The number in the line "ID: 123". */
static bool format_id(const char *text, size_t len, uint64_t *id)
{
	const char *line = memmem(text, len, "\nID: ", 5);
	size_t i;

	if (!line)
		return false;
	*id = 0;
	for (i = (size_t)(line - text) + 5; i < len && text[i] >= '0' && text[i] <= '9';
	     i++) {
		*id = *id * 10 + (uint64_t)(text[i] - '0');
		if (*id > INT32_MAX)
			return false;
	}
	return i > (size_t)(line - text) + 5;
}

static int add_format(struct formats *f, struct cursor *c, const char *system)
{
	struct format one = {.system = system}, *grown;
	uint64_t size;

	if (!take_number(c, 8, &size))
		return ERR_FORMAT;
	one.text = take(c, size);
	one.len = (size_t)size;
	if (!one.text)
		return ERR_FORMAT;
	if (size > MAX_FORMAT || !format_id(one.text, one.len, &one.id))
		return cut(c, "an event's format has no ID line or is too long");
	if (f->n == f->room) {
		f->room = f->room ? 2 * f->room : 16;
		grown = reallocarray(f->format, f->room, sizeof(*grown));
		if (!grown)
			return err_nomem(c->e, "its formats of %s", c->name);
		f->format = grown;
	}
	f->format[f->n++] = one;
	return 0;
}

static int read_systems(struct formats *f, struct cursor *c)
{
	uint64_t nsystem, n;

	if (!take_number(c, 4, &nsystem))
		return ERR_FORMAT;
	while (nsystem--) {
		const char *system = take_text(c);

		if (!system || !take_number(c, 4, &n))
			return ERR_FORMAT;
		while (n--)
			if (add_format(f, c, system))
				return ERR_FORMAT;
	}
	return 0;
}

/* What libtraceevent thinks of a text is told by its return value. */
#ifdef TEP_HAS_LOGLEVEL
static void be_quiet(void)
{
	tep_set_loglevel(TEP_LOG_NONE);
}
#else /* before 1.3 it prints by this function, which a program may have its own of */
void warning(const char *fmt, ...);
void warning(const char *fmt, ...)
{
	(void)fmt;
}

static void be_quiet(void)
{
}
#endif

int formats_new(struct formats **out, const void *data, size_t len, const char *name,
		struct err *e)
{
	struct cursor c = {data, data, (const char *)data + len, name, e};
	struct formats *f = calloc(1, sizeof(*f));
	int rc = 0;

	*out = f;
	be_quiet();
	if (f)
		f->tep = tep_alloc();
	if (!f || !f->tep)
		rc = err_nomem(e, "its formats of %s", name);
	if (!rc)
		rc = read_intro(f, &c);
	if (!rc)
		rc = skip_headers(&c);
	if (!rc)
		rc = skip_ftrace(&c);
	if (!rc)
		rc = read_systems(f, &c);
	if (rc) {
		formats_free(f);
		*out = NULL;
	}
	return rc;
}

void formats_free(struct formats *f)
{
	if (!f)
		return;
	if (f->tep)
		tep_free(f->tep);
	free(f->format);
	free(f);
}

/* ---- what a kernel writes: f_show() of kernel/trace/trace_events.c ---- */

/* A text that is read from its beginning; at stays where something else is found. */
struct scan {
	const char *at, *end;
	size_t line;
};

static bool read_text(struct scan *s, const char *text)
{
	size_t n = strlen(text);

	if (n > (size_t)(s->end - s->at) || memcmp(s->at, text, n))
		return false;
	s->at += n;
	for (size_t i = 0; i < n; i++)
		s->line += text[i] == '\n';
	return true;
}

/* One or more characters of a set. */
static size_t read_some(struct scan *s, const char *set)
{
	const char *begin = s->at;

	while (s->at < s->end && *s->at && strchr(set, *s->at))
		s->at++;
	return (size_t)(s->at - begin);
}

/* Zero, or digits that do not begin with it: libtraceevent takes 010 for 8. */
static bool read_number(struct scan *s, size_t max_digits)
{
	const char *begin = s->at;
	size_t n = read_some(s, "0123456789");

	return n && n <= max_digits && (n == 1 || *begin != '0');
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
#define DIGITS	"0123456789"

/* "unsigned int size", "const char * name", "__data_loc char[] name", "u8 id[(2 + 4)]".
 * Not "__attribute__((user)) *p", of which libtraceevent keeps words. */
static bool read_declaration(struct scan *s)
{
	enum { MAX_DECLARATION = 256 };
	const char *begin = s->at;
	size_t words = 0;

	while (read_some(s, LETTERS DIGITS) || (words && read_text(s, "*"))) {
		words++;
		read_text(s, " ");
	}
	if (words < 2)
		return false;
	if (read_text(s, "[")) {
		read_some(s, LETTERS DIGITS " +-*/()");
		if (!read_text(s, "]"))
			return false;
		if (read_text(s, " ") && !read_some(s, LETTERS DIGITS))
			return false;
	}
	return s->at - begin <= MAX_DECLARATION &&
	       !memmem(begin, (size_t)(s->at - begin), "_PR_FMT", 7);
}

/* Lines of fields, and an empty one behind them. */
static bool read_fields(struct scan *s)
{
	enum { MAX_DIGITS = 5 };

	while (read_text(s, "\tfield:")) {
		if (!read_declaration(s) || !read_text(s, ";\toffset:") ||
		    !read_number(s, MAX_DIGITS) || !read_text(s, ";\tsize:") ||
		    !read_number(s, MAX_DIGITS))
			return false;
		if (read_text(s, ";\tsigned:") && !read_number(s, 1))
			return false;
		if (!read_text(s, ";\n"))
			return false;
	}
	return read_text(s, "\n");
}

/* Name, number, the common fields and the event's own. */
static bool read_format(struct scan *s)
{
	enum { MAX_DIGITS = 10 };

	return read_text(s, "name: ") && read_some(s, LETTERS DIGITS) &&
	       read_text(s, "\nID: ") && read_number(s, MAX_DIGITS) &&
	       read_text(s, "\nformat:\n") && read_fields(s) && read_fields(s);
}

/* ---- what libtraceevent makes of it ---- */

static int parse_format(struct formats *f, struct format *one)
{
	struct scan s = {one->text, one->text + one->len, 1};
	enum tep_errno rc;

	if (!read_format(&s)) {
		one->bad_line = s.line;
		return 0;
	}
	rc = tep_parse_format(f->tep, &one->event, one->text,
			      (unsigned long)(s.at - one->text), one->system);
	if (rc)
		one->event = NULL; /* freed */
	return rc ? ERR_NOMEM : 0;
}

const struct format *formats_find(struct formats *f, uint64_t id)
{
	for (size_t i = 0; i < f->n; i++) {
		struct format *one = &f->format[i];

		if (one->id != id)
			continue;
		if (!one->event && !one->bad_line && parse_format(f, one))
			return NULL;
		return one;
	}
	return NULL;
}

size_t format_bad_line(const struct format *one)
{
	return one->bad_line;
}

const char *format_system(const struct format *one)
{
	return one->system;
}

const char *format_name(const struct format *one)
{
	return one->event ? one->event->name : NULL;
}

static int value_parse(const char *name, bool return_probe)
{
	if (!strcmp(name, "irq"))
		return VALUE_IRQ;
	if (!strcmp(name, "name"))
		return VALUE_NAME;
	if (!strcmp(name, "common_type"))
		return VALUE_COMMON_TYPE;
	if (!strcmp(name, "common_pid"))
		return VALUE_COMMON_PID;
	if (!strcmp(name, "common_flags"))
		return VALUE_COMMON_FLAGS;
	if (!strcmp(name, "stack"))
		return VALUE_STACK;
	if (!strcmp(name, "shift"))
		return VALUE_SHIFT;
	if (!strcmp(name, "since"))
		return VALUE_SINCE;
	if (!strcmp(name, "busy"))
		return VALUE_BUSY;
	if (!strcmp(name, "value"))
		return VALUE_VALUE;
	if (!strcmp(name, "enabled"))
		return VALUE_ENABLED;
	if (!strcmp(name, "running"))
		return VALUE_RUNNING;
	return return_probe && !strcmp(name, "arg1") ? FIELD_RET : field_parse(name);
}

/* A number of one value. What is pointed to is no number, but where the pointer itself
 * tells things apart. */
static bool is_number(const struct tep_format_field *ff, int value)
{
	const unsigned long other =
		TEP_FIELD_IS_ARRAY | TEP_FIELD_IS_DYNAMIC | TEP_FIELD_IS_STRING;

	if (ff->offset < 0 || ff->offset > UINT16_MAX)
		return false;
	if (value == VALUE_NAME)
		return ff->flags & TEP_FIELD_IS_DYNAMIC && ff->size == 4;
	if (ff->flags & other)
		return false;
	if (ff->flags & TEP_FIELD_IS_POINTER && value != FIELD_CARD &&
	    value != FIELD_ADDR && value != FIELD_KEY && value != FIELD_KEY2 &&
	    value != VALUE_STACK)
		return false;
	return ff->size == 1 || ff->size == 2 || ff->size == 4 || ff->size == 8;
}

static void add_place(const struct tep_format_field *ff, bool return_probe,
		      struct place place[VALUE_N])
{
	int v = value_parse(ff->name, return_probe);

	if (v < 0 || place[v].size || !is_number(ff, v))
		return;
	place[v] = (struct place){(uint16_t)ff->offset, (uint8_t)ff->size,
				  ff->flags & TEP_FIELD_IS_SIGNED};
}

void format_places(const struct format *one, bool return_probe,
		   struct place place[VALUE_N])
{
	if (!one->event)
		return;
	for (const struct tep_format_field *f = one->event->format.common_fields; f;
	     f = f->next)
		add_place(f, return_probe, place);
	for (const struct tep_format_field *f = one->event->format.fields; f; f = f->next)
		add_place(f, return_probe, place);
}

/* "NAME" or "NAME:u8", of a field's beginning. */
static bool place_named(const struct format *one, const char *name, size_t len, int value,
			struct place *to)
{
	const char *type = memchr(name, ':', len);
	size_t n = type ? (size_t)(type - name) : len;
	const struct tep_format_field *f = one->event->format.fields;

	while (f && (strlen(f->name) != n || memcmp(f->name, name, n) != 0))
		f = f->next;
	if (!f || f->offset < 0 || f->offset > UINT16_MAX ||
	    (!type && !is_number(f, value)))
		return false;
	*to = (struct place){(uint16_t)f->offset, (uint8_t)f->size,
			     f->flags & TEP_FIELD_IS_SIGNED};
	if (type) {
		to->is_signed = type[1] == 's';
		to->size = (uint8_t)(strtoul(type + 2, NULL, 10) / 8);
	}
	return to->size <= f->size &&
	       (to->size == 1 || to->size == 2 || to->size == 4 || to->size == 8);
}

size_t format_places_named(const struct format *one, const char *names,
			   struct place place[VALUE_N], const char **bad)
{
	char word[16];

	for (int f = 0; f < FIELD_N; f++)
		place[f] = (struct place){0};
	for (const char *p = names; *p; p += strspn(p, " ")) {
		size_t len = strcspn(p, " "), key = strcspn(p, "=");
		int value;

		snprintf(word, sizeof(word), "%.*s", (int)(key < 15 ? key : 15), p);
		value = field_parse(word);
		if (!one->event || key >= len || value < 0 ||
		    !place_named(one, p + key + 1, len - key - 1, value, &place[value])) {
			*bad = p;
			return len;
		}
		p += len;
	}
	return 0;
}
