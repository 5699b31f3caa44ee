/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tracing data section (perf's tools/perf/util/trace-event-info.c wrote it): magic,
 * version, byte order, then header files, ftrace formats, event formats by system; what
 * follows is not needed. Of a format libtraceevent is given only its name, its number and
 * the plain fields ("field:unsigned int size;"): arrays, strings and the print format are
 * not used, and are the hardest parts to parse of a text that a file brings.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <traceevent/event-parse.h>

#include "lib/err.h"
#include "lib/event/event_impl.h"

enum { MAX_FORMAT = 1 << 20, MAX_HEADER = 1 << 16 };

struct format {
	uint64_t id;
	const char *system, *text;
	size_t len;
	struct tep_event *event; /* once parsed */
	bool tried;
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

int formats_new(struct formats **out, const void *data, size_t len, const char *name,
		struct err *e)
{
	struct cursor c = {data, data, (const char *)data + len, name, e};
	struct formats *f = calloc(1, sizeof(*f));
	int rc = 0;

	*out = f;
	tep_set_loglevel(TEP_LOG_NONE);
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

/* "\tfield:" words ";\toffset:" digits ";\tsize:" digits ";" [ "\tsigned:" digit ";" ] */
static bool plain_field(const char *line, size_t len)
{
	static const char *const part[] = {";\toffset:", ";\tsize:", ";\tsigned:"};
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789 ";
	char text[160];
	size_t at;

	if (len >= sizeof(text) || len < 8 || memcmp(line, "\tfield:", 7))
		return false;
	memcpy(text, line, len);
	text[len] = 0;
	at = 7 + strspn(text + 7, letters);
	if (!memchr(text + 8, ' ', at - 7) || text[7] == ' ' || text[at - 1] == ' ')
		return false;
	for (int i = 0; i < 3; i++) {
		size_t n = strlen(part[i]), digits;

		if (i == 2 && !strcmp(text + at, ";"))
			return true;
		if (strncmp(text + at, part[i], n))
			return false;
		digits = strspn(text + at + n, "0123456789");
		if (!digits || digits > 5)
			return false;
		at += n + digits;
	}
	return !strcmp(text + at, ";");
}

/* The length of the word behind "name: ", at *at; 0 = none that could be one. */
static size_t format_name(const struct format *one, const char **at)
{
	size_t n = 0;

	if (one->len < 6 || memcmp(one->text, "name: ", 6))
		return 0;
	*at = one->text + 6;
	while (n + 6 < one->len && n < 128 &&
	       (isalnum((unsigned char)(*at)[n]) || (*at)[n] == '_'))
		n++;
	return n;
}

/* The format without what we do not need: the common fields, an empty line, the
 * others. */
static char *plain_format(const struct format *one, size_t *len)
{
	const char *at = one->text, *end = at + one->len, *name = "event";
	size_t nname = format_name(one, &name);
	bool any = false, parted = false;
	char *text = NULL;
	FILE *out = open_memstream(&text, len);

	if (!out)
		return NULL;
	fprintf(out, "name: %.*s\nID: %" PRIu64 "\nformat:\n", nname ? (int)nname : 5,
		nname ? name : "event", one->id);
	while (at < end) {
		const char *nl = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((nl ? nl : end) - at);
		bool field = plain_field(at, n), part = !n && any && !parted;

		if (field || part)
			fprintf(out, "%.*s\n", (int)n, at);
		any |= field;
		parted |= part;
		at += n + 1;
	}
	fprintf(out, "%s\nprint fmt: \"\"\n", parted ? "" : "\n");
	if (!fclose(out))
		return text;
	free(text);
	return NULL;
}

static void parse_format(struct formats *f, struct format *one)
{
	size_t len;
	char *text = plain_format(one, &len);

	one->tried = true;
	if (text && !tep_parse_event(f->tep, text, len, one->system))
		one->event = tep_find_event(f->tep, (int)one->id);
	free(text);
}

struct tep_event *formats_find(struct formats *f, uint64_t id)
{
	for (size_t i = 0; i < f->n; i++) {
		if (f->format[i].id != id)
			continue;
		if (!f->format[i].tried)
			parse_format(f, &f->format[i]);
		return f->format[i].event;
	}
	return NULL;
}

int value_parse(const char *name, bool return_probe)
{
	static const struct {
		const char *name;
		enum value value;
	} names[] = {
		{"card", V_CARD},
		{"this", V_CARD},
		{"channel", V_CHANNEL},
		{"id", V_CHANNEL},
		{"dma_id", V_CHANNEL},
		{"chan", V_CHANNEL},
		{"size", V_SIZE},
		{"size_bytes", V_SIZE},
		{"len", V_SIZE},
		{"count", V_SIZE},
		{"bytes", V_SIZE},
		{"addr", V_ADDR},
		{"dst", V_ADDR},
		{"src", V_ADDR},
		{"dma_addr", V_ADDR},
		{"offset", V_ADDR},
		{"flags", V_FLAGS},
		{"fd", V_FD},
		{"mode", V_MODE},
		{"direction", V_DIRECTION},
		{"ret", V_RET},
		{"retval", V_RET},
		{"irq", V_IRQ},
		{"common_type", V_COMMON_TYPE},
		{"common_pid", V_COMMON_PID},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(names[i].name, name))
			return names[i].value;
	return return_probe && !strcmp(name, "arg1") ? V_RET : -1;
}

static void add_field(const struct tep_format_field *ff, bool return_probe,
		      struct field field[V_N])
{
	const unsigned long other =
		TEP_FIELD_IS_ARRAY | TEP_FIELD_IS_DYNAMIC | TEP_FIELD_IS_STRING;
	int v = value_parse(ff->name, return_probe);

	if (v < 0 || field[v].size || ff->flags & other || ff->offset < 0 ||
	    ff->offset > UINT16_MAX)
		return;
	if (ff->size != 1 && ff->size != 2 && ff->size != 4 && ff->size != 8)
		return;
	field[v] = (struct field){(uint16_t)ff->offset, (uint8_t)ff->size,
				  ff->flags & TEP_FIELD_IS_SIGNED};
}

void formats_fields(const struct tep_event *ev, bool return_probe,
		    struct field field[V_N])
{
	for (const struct tep_format_field *f = ev->format.common_fields; f; f = f->next)
		add_field(f, return_probe, field);
	for (const struct tep_format_field *f = ev->format.fields; f; f = f->next)
		add_field(f, return_probe, field);
}
