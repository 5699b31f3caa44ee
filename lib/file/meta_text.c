/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The text of feature section 250 (schema/FORMAT.md 3). Each kind of line is one table of
 * keys, which reading and writing share; so a key that is written can be read.
 */
#include <inttypes.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/file/meta.h"
#include "lib/num.h"

enum { FORMAT = 1, MAX_ELEMENTS = 1 << 20 };

enum type {
	T_STR,
	T_I32,
	T_I64,
	T_U64,
	T_BOOL,
	T_ROLE,
	T_DIRECTION,
	T_PAIRING,
	T_CONDITION
};
enum half {
	BEGIN = 1,
	END = 2,
	BOTH = 3,
	KEY = 4 /* identity: in every line of the kind */
};

struct key {
	const char *name;
	enum type type;
	unsigned half;
	size_t offset;
	int64_t min; /* of a number; what is below is "unknown" and not written */
};

#define K(s, n, f, t, h, m)                                                              \
	{                                                                                \
		n, t, h, offsetof(struct s, f), m                                        \
	}

static const struct key run_keys[] = {
	K(meta, "uuid", uuid, T_STR, BEGIN, 0),
	K(meta, "label", label, T_STR, BEGIN, 0),
	K(meta, "command", command, T_STR, BEGIN, 0),
	K(meta, "profile", profile, T_STR, BEGIN, 0),
	K(meta, "tool", tool, T_STR, BEGIN, 0),
	K(meta, "clock", clock, T_STR, BEGIN, 0),
	K(meta, "irq_feed", irq_feed, T_STR, BEGIN, 0),
	K(meta, "pairing", pairing, T_PAIRING, BEGIN, 0),
	K(meta, "part", part, T_I64, BEGIN, 1),
	K(meta, "begin_ns", begin_ns, T_I64, BEGIN, 0),
	K(meta, "begin_wall_ns", begin_wall_ns, T_I64, BEGIN, 0),
	K(meta, "workload_pid", workload_pid, T_I32, BEGIN, 0),
	K(meta, "from_start", from_start, T_BOOL, BEGIN, 0),
	K(meta, "uprobe_cost_ns", uprobe_cost_ns, T_I64, BEGIN, 0),
	K(meta, "process_cost_ns", process_cost_ns, T_I64, BEGIN, 0),
	K(meta, "irq_cost_ns", irq_cost_ns, T_I64, BEGIN, 0),
	{NULL, 0, 0, 0, 0},
};

static const struct key end_keys[] = {
	K(meta, "begin_ns", begin_ns, T_I64, END, 0),
	K(meta, "begin_wall_ns", begin_wall_ns, T_I64, END, 0),
	K(meta, "end_ns", end_ns, T_I64, END, 0),
	K(meta, "more", more, T_BOOL, END, 0),
	K(meta, "workload_pid", workload_pid, T_I32, END, 0),
	K(meta, "from_start", from_start, T_BOOL, END, 0),
	K(meta, "exit_status", exit_status, T_I32, END, 0),
	K(meta, "exit_signal", exit_signal, T_I32, END, 0),
	K(meta, "uprobe_cost_ns", uprobe_cost_ns, T_I64, END, 0),
	K(meta, "irq_cost_ns", irq_cost_ns, T_I64, END, 0),
	{NULL, 0, 0, 0, 0},
};

static const struct key event_keys[] = {
	K(meta_event, "id", id, T_I32, KEY | BOTH, 0),
	K(meta_event, "attr", attr, T_I32, BEGIN, 0),
	K(meta_event, "name", name, T_STR, BEGIN, 0),
	K(meta_event, "role", role, T_ROLE, BEGIN, 0),
	K(meta_event, "direction", direction, T_DIRECTION, BEGIN, 0),
	K(meta_event, "function", function, T_STR, BEGIN, 0),
	K(meta_event, "file", file, T_STR, BEGIN, 0),
	K(meta_event, "offset", offset, T_U64, BEGIN, 1),
	K(meta_event, "func", func, T_I32, BEGIN, 0),
	K(meta_event, "armed", armed, T_STR, BEGIN, 0),
	K(meta_event, "places", places, T_STR, BEGIN, 0),
	K(meta_event, "blocking", blocking, T_BOOL, BEGIN, 0),
	K(meta_event, "no_exit", no_exit, T_BOOL, BEGIN, 0),
	K(meta_event, "restarts", restarts, T_BOOL, BEGIN, 0),
	K(meta_event, "size_unit", size_unit, T_I64, BEGIN, 1),
	K(meta_event, "card", constant.card, T_I64, BEGIN, 0),
	K(meta_event, "channel", constant.channel, T_I64, BEGIN, 0),
	K(meta_event, "size_bytes", constant.size_bytes, T_I64, BEGIN, 0),
	K(meta_event, "shift", shift, T_I64, BEGIN, INT64_MIN + 1),
	K(meta_event, "when", when, T_CONDITION, BEGIN, 0),
	K(meta_event, "fail", fail, T_CONDITION, BEGIN, 0),
	K(meta_event, "pending", pending, T_CONDITION, BEGIN, 0),
	K(meta_event, "circular", circular, T_CONDITION, BEGIN, 0),
	K(meta_event, "from_host", from_host, T_CONDITION, BEGIN, 0),
	K(meta_event, "counted", counted, T_I64, END, 0),
	K(meta_event, "delivered", delivered, T_I64, END, 0),
	{NULL, 0, 0, 0, 0},
};

static const struct key path_keys[] = {
	K(meta_path, "pattern", pattern, T_STR, BEGIN, 0),
	K(meta_path, "direction", direction, T_DIRECTION, BEGIN, 0),
	{NULL, 0, 0, 0, 0},
};

static const struct key irq_keys[] = {
	K(meta_irq, "irq", irq, T_I32, KEY | BOTH, 0),
	K(meta_irq, "name", name, T_STR, BEGIN, 0),
	K(meta_irq, "chip", chip, T_STR, BEGIN, 0),
	K(meta_irq, "bdf", bdf, T_STR, BEGIN, 0),
	K(meta_irq, "vector", vector, T_I32, BEGIN, 0),
	K(meta_irq, "affinity_before", affinity_before, T_STR, BEGIN, 0),
	K(meta_irq, "affinity_after", affinity_after, T_STR, END, 0),
	K(meta_irq, "masked", masked, T_I32, BEGIN, 0),
	K(meta_irq, "count_before", count_before, T_I64, BEGIN, 0),
	K(meta_irq, "count_after", count_after, T_I64, END, 0),
	K(meta_irq, "recorded", recorded, T_BOOL, BEGIN, 0),
	K(meta_irq, "completes", completes, T_BOOL, BEGIN, 0),
	K(meta_irq, "completes_channel", completes_channel, T_I64, BEGIN, 0),
	{NULL, 0, 0, 0, 0},
};

static const struct key pair_keys[] = {
	K(meta_pair, "name", name, T_STR, KEY | BOTH, 0),
	K(meta_pair, "before", before, T_STR, BEGIN, 0),
	K(meta_pair, "after", after, T_STR, END, 0),
	{NULL, 0, 0, 0, 0},
};

static const struct key env_keys[] = {
	K(meta_pair, "name", name, T_STR, KEY | BOTH, 0),
	K(meta_pair, "value", before, T_STR, BEGIN, 0),
	{NULL, 0, 0, 0, 0},
};

static const struct key fd_keys[] = {
	K(meta_fd, "pid", pid, T_I32, END, 0),
	K(meta_fd, "fd", fd, T_I32, END, 0),
	K(meta_fd, "from_ns", from_ns, T_I64, END, 0),
	K(meta_fd, "path", path, T_STR, END, 0),
	{NULL, 0, 0, 0, 0},
};

static const struct key register_keys[] = {
	K(meta_register, "event", event, T_I32, KEY | BOTH, 0),
	K(meta_register, "bdf", bdf, T_STR, BEGIN, 0),
	K(meta_register, "file", file, T_STR, BEGIN, 0),
	K(meta_register, "offset", offset, T_I64, BEGIN, 0),
	K(meta_register, "width", width, T_I32, BEGIN, 0),
	K(meta_register, "busy", busy, T_STR, BEGIN, 0),
	K(meta_register, "channel", channel, T_I64, BEGIN, 0),
	K(meta_register, "channels", channels, T_I64, BEGIN, 1),
	K(meta_register, "mode", mode, T_STR, BEGIN, 0),
	K(meta_register, "cpu", cpu, T_I32, BEGIN, 0),
	K(meta_register, "shared_cpu", shared_cpu, T_BOOL, BEGIN, 0),
	K(meta_register, "link_bytes_per_s", link_bytes_per_s, T_I64, BEGIN, 0),
	K(meta_register, "readings", readings, T_I64, END, 0),
	K(meta_register, "read_min_ns", read_min_ns, T_I64, END, 0),
	K(meta_register, "read_median_ns", read_median_ns, T_I64, END, 0),
	K(meta_register, "read_p99_ns", read_p99_ns, T_I64, END, 0),
	K(meta_register, "read_max_ns", read_max_ns, T_I64, END, 0),
	K(meta_register, "gap_ns", gap_ns, T_I64, END, 0),
	K(meta_register, "watched_ns", watched_ns, T_I64, END, 0),
	K(meta_register, "ended", ended, T_STR, END, 0),
	{NULL, 0, 0, 0, 0},
};

static const struct key count_keys[] = {
	K(meta_count, "event", event, T_I32, KEY | BOTH, 0),
	K(meta_count, "text", text, T_STR, BEGIN, 0),
	K(meta_count, "unit", unit, T_STR, BEGIN, 0),
	K(meta_count, "scale", scale, T_STR, BEGIN, 0),
	K(meta_count, "cpus", cpus, T_I32, BEGIN, 0),
	{NULL, 0, 0, 0, 0},
};

/* ---- writing ---- */

static void put_escaped(FILE *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < ' ' || c == '%' || c == 0x7f)
			fprintf(out, "%%%02X", c);
		else
			fputc(c, out);
	}
}

static void put_text(FILE *out, const char *key, const char *text)
{
	fprintf(out, "\t%s=", key);
	put_escaped(out, text);
}

static void put_number(FILE *out, const struct key *k, int64_t v)
{
	if (v >= k->min)
		fprintf(out, "\t%s=%" PRId64, k->name, v);
}

static void put_key(FILE *out, const struct key *k, const void *base)
{
	const void *field = (const char *)base + k->offset;
	char buf[64];

	switch (k->type) {
	case T_STR:
		if (*(char *const *)field)
			put_text(out, k->name, *(char *const *)field);
		break;
	case T_I32:
		put_number(out, k, *(const int32_t *)field);
		break;
	case T_I64:
		put_number(out, k, *(const int64_t *)field);
		break;
	case T_U64:
		if (*(const uint64_t *)field)
			fprintf(out, "\t%s=0x%" PRIx64, k->name,
				*(const uint64_t *)field);
		break;
	case T_BOOL:
		if (*(const bool *)field)
			fprintf(out, "\t%s=1", k->name);
		break;
	case T_ROLE:
		put_text(out, k->name, role_name(*(const enum role *)field));
		break;
	case T_DIRECTION:
		put_text(out, k->name, direction_name(*(const enum direction *)field));
		break;
	case T_PAIRING:
		put_text(out, k->name, pairing_name(*(const enum pairing *)field));
		break;
	case T_CONDITION:
		if (((const struct condition *)field)->op != OP_NONE)
			put_text(out, k->name, condition_print(field, buf));
		break;
	}
}

static void put_line(FILE *out, const char *kind, const struct key *keys, enum half half,
		     const void *base)
{
	fputs(kind, out);
	for (; keys->name; keys++)
		if (keys->half & (half | KEY))
			put_key(out, keys, base);
	fputc('\n', out);
}

static void put_event(FILE *out, enum half half, const struct meta_event *ev)
{
	put_line(out, "event", event_keys, half, ev);
	for (size_t i = 0; i < ev->npath; i++) {
		fprintf(out, "path\tevent=%d", ev->id);
		put_line(out, "", path_keys, BEGIN, &ev->path[i]);
	}
}

int meta_write_begin(const struct meta *m, FILE *out)
{
	fprintf(out, "dmarec\tformat=%d\n", FORMAT);
	put_line(out, "run", run_keys, BEGIN, m);
	for (size_t i = 0; i < m->nevent; i++)
		if (!m->event[i].late)
			put_event(out, BEGIN, &m->event[i]);
	for (size_t i = 0; i < m->nirq; i++)
		if (!m->irq[i].late)
			put_line(out, "irq", irq_keys, BEGIN, &m->irq[i]);
	for (size_t i = 0; i < m->nreg; i++)
		put_line(out, "register", register_keys, BEGIN, &m->reg[i]);
	for (size_t i = 0; i < m->ncount; i++)
		put_line(out, "count", count_keys, BEGIN, &m->count[i]);
	for (size_t i = 0; i < m->nenv; i++)
		put_line(out, "env", env_keys, BEGIN, &m->env[i]);
	for (size_t i = 0; i < m->ncounter; i++)
		put_line(out, "counter", pair_keys, BEGIN, &m->counter[i]);
	return ferror(out) ? ERR_IO : 0;
}

int meta_write_end(const struct meta *m, FILE *out)
{
	put_line(out, "end", end_keys, END, m);
	for (size_t i = 0; i < m->nevent; i++) {
		if (m->event[i].late)
			put_event(out, BOTH, &m->event[i]);
		else
			put_line(out, "event", event_keys, END, &m->event[i]);
	}
	for (size_t i = 0; i < m->nirq; i++)
		put_line(out, "irq", irq_keys, m->irq[i].late ? BOTH : END, &m->irq[i]);
	for (size_t i = 0; i < m->ncounter; i++)
		put_line(out, "counter", pair_keys, END, &m->counter[i]);
	for (size_t i = 0; i < m->nreg; i++)
		put_line(out, "register", register_keys, END, &m->reg[i]);
	for (size_t i = 0; i < m->nfd; i++)
		put_line(out, "fd", fd_keys, END, &m->fd[i]);
	for (size_t i = 0; i < m->nwarning; i++) {
		fputs("warning", out);
		put_text(out, "text", m->warning[i]);
		fputc('\n', out);
	}
	return ferror(out) ? ERR_IO : 0;
}

/* ---- reading ---- */

struct pair {
	char *key, *value;
};

struct line {
	size_t number;
	char *kind;
	struct pair pair[64];
	size_t n;
	void **known; /* tree of struct known: names in lines before */
};

static int bad_line(const struct line *l, struct err *e, const char *what,
		    const char *value)
{
	return err_set(e, ERR_FORMAT, "feature 250, line %zu: %s '%.200s'", l->number,
		       what, value);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* %XX in place; -1 for a '%' without two digits, and for %00, which no C string can
 * hold. */
static int unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		int hi, lo;

		if (*from != '%') {
			*to++ = *from;
			continue;
		}
		hi = hex_digit(from[1]);
		lo = hi < 0 ? -1 : hex_digit(from[2]);
		if (lo < 0 || !(hi | lo))
			return -1;
		*to++ = (char)(hi << 4 | lo);
		from += 2;
	}
	*to = 0;
	return 0;
}

static int split_line(struct line *l, char *text, struct err *e)
{
	char *field, *save = text;

	l->n = 0;
	l->kind = strsep(&save, "\t");
	while ((field = strsep(&save, "\t"))) {
		char *eq = strchr(field, '=');

		if (!eq || eq == field)
			return bad_line(l, e, "expected key=value, found", field);
		*eq = 0;
		if (unescape(eq + 1))
			return bad_line(l, e, "'%' without two digits in", eq + 1);
		for (size_t i = 0; i < l->n; i++)
			if (!strcmp(l->pair[i].key, field))
				return bad_line(l, e, "two values for key", field);
		if (l->n == sizeof(l->pair) / sizeof(*l->pair))
			return bad_line(l, e, "more than 64 keys, the last", field);
		l->pair[l->n++] = (struct pair){field, eq + 1};
	}
	return 0;
}

static const char *value_of(const struct line *l, const char *key)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->pair[i].key, key))
			return l->pair[i].value;
	return NULL;
}

static int set_string(char **field, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return ERR_NOMEM;
	free(*field);
	*field = copy;
	return 0;
}

/* An unsigned 64-bit file offset: num_i64 has not the range. */
static int set_u64(uint64_t *field, const char *value)
{
	int64_t v;

	if (num_i64(value, 0, INT64_MAX, &v, NULL))
		return -1;
	*field = (uint64_t)v;
	return 0;
}

static int set_word(int *field, int word)
{
	if (word >= 0)
		*field = word;
	return word < 0 ? -1 : 0;
}

/* 0, ERR_NOMEM, or -1 = a bad value. */
static int set_key(const struct key *k, void *base, const char *value)
{
	void *field = (char *)base + k->offset;
	int64_t v = 0;
	int rc = 0;

	if (k->type == T_I32 || k->type == T_I64 || k->type == T_BOOL)
		rc = num_i64(value, k->type == T_BOOL ? 0 : k->min,
			     k->type == T_I64	 ? INT64_MAX
			     : k->type == T_BOOL ? 1
						 : INT32_MAX,
			     &v, NULL);
	if (rc)
		return -1;
	switch (k->type) {
	case T_STR:
		return set_string(field, value);
	case T_I32:
		*(int32_t *)field = (int32_t)v;
		return 0;
	case T_I64:
		*(int64_t *)field = v;
		return 0;
	case T_BOOL:
		*(bool *)field = v;
		return 0;
	case T_U64:
		return set_u64(field, value);
	case T_ROLE:
		return set_word(field, role_parse(value));
	case T_DIRECTION:
		return set_word(field, direction_parse(value));
	case T_PAIRING:
		return set_word(field, pairing_parse(value));
	case T_CONDITION:
		return condition_parse(value, field, NULL) ? -1 : 0;
	}
	return -1;
}

static int set_keys(const struct line *l, const struct key *keys, void *base,
		    struct err *e)
{
	if (!base)
		return err_nomem(e, "feature 250, line %zu", l->number);
	for (; keys->name; keys++) {
		const char *value = value_of(l, keys->name);
		int rc = value ? set_key(keys, base, value) : 0;

		if (rc == ERR_NOMEM)
			return err_nomem(e, "feature 250, line %zu", l->number);
		if (rc) {
			char what[64];

			snprintf(what, sizeof(what), "bad value for %s:", keys->name);
			return bad_line(l, e, what, value);
		}
	}
	return 0;
}

static int number_of(const struct line *l, const char *key, int64_t *v, struct err *e)
{
	const char *text = value_of(l, key);

	if (!text)
		return bad_line(l, e, "no key", key);
	return num_i64(text, 0, INT32_MAX, v, NULL)
		       ? bad_line(l, e, "not a number:", text)
		       : 0;
}

static int read_run(struct meta *m, const struct line *l, struct err *e)
{
	return set_keys(l, run_keys, m, e);
}

static int read_end(struct meta *m, const struct line *l, struct err *e)
{
	m->finished = true;
	return set_keys(l, end_keys, m, e);
}

static int read_event(struct meta *m, const struct line *l, struct err *e)
{
	struct meta_event *ev;
	int64_t id;

	if (number_of(l, "id", &id, e))
		return ERR_FORMAT;
	if ((size_t)id > m->nevent || id >= MAX_ELEMENTS)
		return bad_line(l, e, "event ids must count up from 0, found",
				value_of(l, "id"));
	bool known = (size_t)id < m->nevent;

	ev = known ? &m->event[id] : meta_add_event(m);
	if (ev && !known)
		ev->late = m->finished;
	return set_keys(l, event_keys, ev, e);
}

static int read_path(struct meta *m, const struct line *l, struct err *e)
{
	struct meta_path *path;
	int64_t id;
	int rc;

	if (number_of(l, "event", &id, e))
		return ERR_FORMAT;
	if ((size_t)id >= m->nevent)
		return bad_line(l, e, "a path of an event that is not there:",
				value_of(l, "event"));
	path = meta_add_path(&m->event[id]);
	rc = set_keys(l, path_keys, path, e);
	return rc || path->pattern ? rc : bad_line(l, e, "no key", "pattern");
}

/* ---- lines by name: what a file names a hundred thousand times is found as fast ---- */

struct known {
	size_t ordinal;
	const char *kind, *name; /* of line, and what it names: in text, or the line's */
	char text[];
};

static int by_name(const void *a, const void *b)
{
	const struct known *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : strcmp(x->kind, y->kind);
}

static struct known *known_copy(const struct known *of)
{
	size_t kind = strlen(of->kind) + 1, name = strlen(of->name) + 1;
	struct known *k = malloc(sizeof(*k) + kind + name);

	if (!k)
		return NULL;
	*k = (struct known){of->ordinal, k->text, k->text + kind};
	memcpy(k->text, of->kind, kind);
	memcpy(k->text + kind, of->name, name);
	return k;
}

/* The ordinal under which the line's kind and name were seen first; `next` when they are
 * new. Negative: no memory. */
static int ordinal_of(const struct line *l, const char *name, size_t next,
		      size_t *ordinal, struct err *e)
{
	struct known key = {next, l->kind, name}, *own, **found;

	found = tsearch(&key, l->known, by_name);
	if (!found)
		return err_nomem(e, "feature 250");
	if (*found == &key) { /* new: what stays in the tree is a copy */
		own = known_copy(&key);
		if (!own) {
			tdelete(&key, l->known, by_name);
			return err_nomem(e, "feature 250");
		}
		*found = own;
	}
	*ordinal = (*found)->ordinal;
	return 0;
}

static int read_irq(struct meta *m, const struct line *l, struct err *e)
{
	char name[16];
	size_t at;
	int64_t number;

	if (number_of(l, "irq", &number, e))
		return ERR_FORMAT;
	snprintf(name, sizeof(name), "%d", (int)number);
	if (ordinal_of(l, name, m->nirq, &at, e))
		return ERR_NOMEM;
	return set_keys(l, irq_keys, at < m->nirq ? &m->irq[at] : meta_add_irq(m), e);
}

static int read_counter(struct meta *m, const struct line *l, struct err *e)
{
	const char *name = value_of(l, "name");
	size_t at;

	if (!name)
		return bad_line(l, e, "no key", "name");
	if (ordinal_of(l, name, m->ncounter, &at, e))
		return ERR_NOMEM;
	return set_keys(l, pair_keys,
			at < m->ncounter ? &m->counter[at] : meta_add_counter(m), e);
}

static int read_env(struct meta *m, const struct line *l, struct err *e)
{
	const char *name = value_of(l, "name");
	size_t at;

	if (!name)
		return bad_line(l, e, "no key", "name");
	if (ordinal_of(l, name, m->nenv, &at, e))
		return ERR_NOMEM;
	return set_keys(l, env_keys, at < m->nenv ? &m->env[at] : meta_add_env(m), e);
}

static int read_fd(struct meta *m, const struct line *l, struct err *e)
{
	struct meta_fd *fd = meta_add_fd(m);
	int rc = set_keys(l, fd_keys, fd, e);

	return rc || fd->path ? rc : bad_line(l, e, "no key", "path");
}

/* A line of an event's: which of n it is, that many = a new one. */
static int event_line(struct meta *m, const struct line *l, size_t n, size_t *at,
		      struct err *e)
{
	char name[16];
	int64_t id;

	if (number_of(l, "event", &id, e))
		return ERR_FORMAT;
	if ((size_t)id >= m->nevent)
		return bad_line(l, e, "it is of an event that is not there:",
				value_of(l, "event"));
	snprintf(name, sizeof(name), "%d", (int)id);
	return ordinal_of(l, name, n, at, e);
}

static int read_register(struct meta *m, const struct line *l, struct err *e)
{
	size_t at = 0;
	int rc = event_line(m, l, m->nreg, &at, e);

	return rc ? rc
		  : set_keys(l, register_keys,
			     at < m->nreg ? &m->reg[at] : meta_add_register(m), e);
}

static int read_count(struct meta *m, const struct line *l, struct err *e)
{
	size_t at = 0;
	int rc = event_line(m, l, m->ncount, &at, e);

	return rc ? rc
		  : set_keys(l, count_keys,
			     at < m->ncount ? &m->count[at] : meta_add_count(m), e);
}

static int read_warning(struct meta *m, const struct line *l, struct err *e)
{
	const char *text = value_of(l, "text");

	if (!text)
		return bad_line(l, e, "no key", "text");
	return meta_add_warning(m, text) ? err_nomem(e, "feature 250") : 0;
}

static int read_first(struct meta *m, const struct line *l, struct err *e)
{
	int64_t format;

	if (strcmp(l->kind, "dmarec"))
		return bad_line(l, e, "the first line must be of kind dmarec, found",
				l->kind);
	if (number_of(l, "format", &format, e))
		return ERR_FORMAT;
	if (format != FORMAT)
		return err_set(e, ERR_UNSUPPORTED,
			       "feature 250 has format %" PRId64
			       ", this program reads %d; use the dmaanalyze that came "
			       "with that dmarec",
			       format, FORMAT);
	m->version = (int)format;
	return 0;
}

static int read_line(struct meta *m, const struct line *l, struct err *e)
{
	static const struct {
		const char *kind;
		int (*read)(struct meta *m, const struct line *l, struct err *e);
	} kinds[] = {
		{"run", read_run},	   {"end", read_end},
		{"event", read_event},	   {"path", read_path},
		{"irq", read_irq},	   {"counter", read_counter},
		{"env", read_env},	   {"fd", read_fd},
		{"warning", read_warning}, {"register", read_register},
		{"count", read_count},
	};

	if (!m->version)
		return read_first(m, l, e);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(kinds[i].kind, l->kind))
			return kinds[i].read(m, l, e);
	return 0;
}

static int parse_text(struct meta *m, char *text, struct err *e)
{
	void *known = NULL;
	struct line l = {.known = &known};
	char *one;
	int rc = 0;

	while (!rc && (one = strsep(&text, "\n"))) {
		l.number++;
		if (!*one)
			continue;
		rc = split_line(&l, one, e);
		if (!rc)
			rc = read_line(m, &l, e);
	}
	tdestroy(known, free);
	if (!rc && !m->version)
		rc = err_set(e, ERR_FORMAT,
			     "feature 250 has no line 'dmarec<TAB>format=1'");
	return rc;
}

int meta_parse(struct meta *m, const void *buf, size_t len, struct err *e)
{
	char *text;
	int rc;

	if (memchr(buf, 0, len))
		return err_set(
			e, ERR_FORMAT,
			"feature 250: a NUL byte at %zu of %zu, expected text",
			(size_t)((const char *)memchr(buf, 0, len) - (const char *)buf),
			len);
	text = strndup(buf, len);
	if (!text)
		return err_nomem(e, "%zu bytes of feature 250", len);
	rc = parse_text(m, text, e);
	free(text);
	if (rc)
		meta_release(m);
	return rc;
}
