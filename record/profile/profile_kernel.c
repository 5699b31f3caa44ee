/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/profile/profile_kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/num.h"
#include "record/profile/profile.h"
#include "record/profile/profile_arg.h"
#include "record/profile/profile_priv.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
#define NAME	LETTERS "0123456789"

enum { MAX_UNIT = 1 << 30, MAX_NAME = 96 };

const char *const kernel_keys[] = {
	"role",	 "key",	 "card",      "channel", "size",     "size_unit", "addr",
	"flags", "mode", "direction", "when",	 "optional", NULL};

static const struct {
	const char *word;
	enum role role;
} roles[] = {{"submit", ROLE_ASKED},
	     {"doorbell", ROLE_ISSUED},
	     {"end", ROLE_ENDED},
	     {"other", ROLE_OTHER}};

static bool is_name(const char *text, size_t len)
{
	return len && strspn(text, NAME) >= len && strspn(text, LETTERS);
}

static int bad_name(const struct kernel_spec *k, struct err *e)
{
	if (k->tracepoint)
		return err_set(e, ERR_FORMAT,
			       "'%s' is no event of the kernel, such as "
			       "block:block_rq_issue (see `perf list tracepoint`)",
			       k->name);
	return err_set(
		e, ERR_FORMAT,
		"'%s' is no function of the kernel: its name, or MODULE:NAME, as in "
		"/proc/kallsyms",
		k->name);
}

int kernel_init(struct kernel_spec *k, const char *name, bool tracepoint, int line,
		struct err *e)
{
	size_t first = strcspn(name, ":");
	const char *rest = name[first] ? name + first + 1 : NULL;

	*k = (struct kernel_spec){.tracepoint = tracepoint,
				  .constant = {DMA_UNKNOWN, DMA_UNKNOWN, DMA_UNKNOWN},
				  .name = strdup(name),
				  .arg = calloc(FIELD_N, sizeof(*k->arg)),
				  .line = line};
	if (!k->name || !k->arg)
		return err_nomem(e, "a profile");
	if (strlen(name) > MAX_NAME || !is_name(name, first) || (tracepoint && !rest))
		return bad_name(k, e);
	/* the compiler's copies of a function have a dot: transfer_ended.constprop.0 */
	if (rest && (!*rest || rest[strspn(rest, NAME ".")]))
		return bad_name(k, e);
	return 0;
}

void kernel_release(struct kernel_spec *k)
{
	for (int f = 0; f < FIELD_N; f++) {
		free(k->place[f]);
		if (k->arg)
			arg_release(&k->arg[f]);
	}
	free(k->arg);
	free(k->name);
}

static int set_role(struct kernel_spec *k, const char *value, struct err *e)
{
	for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++)
		if (!strcmp(value, roles[i].word)) {
			k->role = roles[i].role;
			k->has_role = true;
			return 0;
		}
	return err_set(
		e, ERR_FORMAT,
		"'%s' is no role of an event of the kernel: submit, doorbell, end or "
		"other",
		value);
}

static int set_constant(struct kernel_spec *k, enum field f, int64_t v, struct err *e)
{
	int64_t *to = f == FIELD_CARD	   ? &k->constant.card
		      : f == FIELD_CHANNEL ? &k->constant.channel
		      : f == FIELD_SIZE	   ? &k->constant.size_bytes
					   : NULL;

	if (!to)
		return err_set(e, ERR_FORMAT,
			       "only card, channel and size can be constant");
	*to = v;
	return 0;
}

static int set_unit(struct kernel_spec *k, const char *value, struct err *e)
{
	if (num_i64(value + strspn(value, " \t"), 1, MAX_UNIT, &k->size_unit, NULL))
		return err_set(e, ERR_FORMAT,
			       "'%s' is no number of bytes of a unit, 1 to %d", value,
			       MAX_UNIT);
	return 0;
}

/* "nr_sector", "rwbs:u8", "nr_sector * 512", "const 4". */
static int set_place(struct kernel_spec *k, enum field f, const char *value,
		     struct err *e)
{
	size_t name = strspn(value, NAME), len = strcspn(value, " \t*");
	const char *rest = value + len + strspn(value + len, " \t");
	int64_t v;

	if (!strncmp(value, "const ", 6) || strspn(value, "0123456789"))
		return num_i64(value + (*value == 'c' ? 6 : 0), INT64_MIN + 1, INT64_MAX,
			       &v, NULL)
			       ? err_set(e, ERR_FORMAT, "'%s' is no constant", value)
			       : set_constant(k, f, v, e);
	if (!is_name(value, name) ||
	    (name != len && (value[name] != ':' || !type_valid(value + name + 1))))
		return err_set(e, ERR_FORMAT,
			       "'%s' is no field of an event: its name as in the event's "
			       "format, with a type behind it where it is none: rwbs:u8",
			       value);
	if (*rest && (*rest != '*' || f != FIELD_SIZE))
		return err_set(e, ERR_FORMAT, "'%s': only size has a unit", value);
	free(k->place[f]);
	k->place[f] = strndup(value, len);
	if (!k->place[f])
		return err_nomem(e, "a profile");
	return *rest ? set_unit(k, rest + 1, e) : 0;
}

static int bad_member(const char *value, struct err *e)
{
	return err_set(e, ERR_FORMAT,
		       "'%s' is no member of a structure: arg2->len, "
		       "arg1->queue.number:u32, (STRUCTURE)arg2->len",
		       value);
}

/* "queue.number", "bus->number": names with one of the two between. */
static bool is_member(const char *text, size_t len)
{
	const char *end = text + len;

	while (text < end) {
		size_t name = strspn(text, NAME);

		if (!is_name(text, name))
			return false;
		text += name;
		if (text == end)
			return true;
		text += *text == '.' ? 1 : !strncmp(text, "->", 2) ? 2 : len;
	}
	return false;
}

/* Behind a member: ":u32", "* 4". */
static int member_type(struct arg_spec *a, const char *rest, int64_t *unit)
{
	if (*rest == ':') {
		size_t len = strcspn(++rest, " \t*");

		snprintf(a->type, sizeof(a->type), "%.*s", (int)len, rest);
		if (len >= sizeof(a->type) || !type_valid(a->type))
			return -1;
		rest += len;
	}
	rest += strspn(rest, " \t");
	if (!*rest)
		return 0;
	return *rest == '*' ? num_i64(rest + 1 + strspn(rest + 1, " \t"), 1, MAX_UNIT,
				      unit, NULL)
			    : -1;
}

/* "arg2->len", "(mycard)arg2->bus.number:u32 * 4". Where the member is, the kernel is asked
 * when it is armed (record/btf_member.h). */
static int set_member(struct arg_spec *a, const char *value, int64_t *unit, struct err *e)
{
	const char *at = value, *name;
	size_t cast = 0, len;
	char *end;

	arg_release(a);
	if (*at == '(') {
		cast = strspn(++at, NAME);
		if (!is_name(at, cast) || at[cast] != ')')
			return bad_member(value, e);
		a->structure = strndup(at, cast);
		at += cast + 1;
	}
	if (strncmp(at, "arg", 3) || at[3] < '1' || at[3] > '9')
		return bad_member(value, e);
	a->index = (int)strtol(at + 3, &end, 10);
	if (strncmp(end, "->", 2) || a->index > 32)
		return bad_member(value, e);
	name = end + 2;
	len = strcspn(name, " \t*:");
	a->text = strndup(name, len);
	if (!a->text || (cast && !a->structure))
		return err_nomem(e, "a profile");
	a->kind = ARG_MEMBER;
	return is_member(name, len) && !member_type(a, name + len, unit)
		       ? 0
		       : bad_member(value, e);
}

static int set_argument(struct kernel_spec *k, enum field f, const char *value,
			struct err *e)
{
	struct arg_spec *a = &k->arg[f];
	int64_t unit = 0;
	bool is_this = false;
	int rc = strstr(value, "->") ? set_member(a, value, &unit, e)
				     : arg_parse(a, value, &unit, &is_this, e);

	if (rc)
		return rc;
	if (unit && f != FIELD_SIZE)
		return err_set(e, ERR_FORMAT, "'%s': only size has a unit", value);
	if (is_this || a->kind == ARG_NAME || a->kind == ARG_RETURN)
		return err_set(
			e, ERR_FORMAT,
			"'%s': of a function of the kernel an argument is told by its "
			"number, *(arg1+8):u32, arg1->member, or the kernel's own syntax",
			value);
	if (unit)
		k->size_unit = unit;
	return a->kind == ARG_CONST ? set_constant(k, f, a->value, e) : 0;
}

static int set_field(struct kernel_spec *k, enum field f, const char *value,
		     struct err *e)
{
	return k->tracepoint ? set_place(k, f, value, e) : set_argument(k, f, value, e);
}

/* "dev, sector" */
static int set_key(struct kernel_spec *k, const char *value, struct err *e)
{
	size_t len = strcspn(value, ",");
	const char *more =
		value[len] ? value + len + 1 + strspn(value + len + 1, " \t") : NULL;
	char *one;
	int rc;

	if (more && (!*more || strchr(more, ',')))
		return err_set(e, ERR_FORMAT,
			       "'%s': a key is one number, or two: dev, sector", value);
	while (len && strchr(" \t", value[len - 1]))
		len--;
	one = strndup(value, len);
	rc = one ? set_field(k, FIELD_KEY, one, e) : err_nomem(e, "a profile");
	free(one);
	return rc || !more ? rc : set_field(k, FIELD_KEY2, more, e);
}

static int set_direction(struct kernel_spec *k, const char *value, struct err *e)
{
	static const char when[] = "from_host when ";
	int direction = direction_parse(value);

	if (!strncmp(value, when, sizeof(when) - 1))
		return condition_parse(value + sizeof(when) - 1, &k->from_host, e);
	if (direction < 0)
		return err_set(e, ERR_FORMAT,
			       "'%s' is no direction: to_host, from_host, unknown, or "
			       "'from_host when mode == 87'",
			       value);
	k->direction = (enum direction)direction;
	return 0;
}

int kernel_set(struct kernel_spec *k, const char *key, const char *value, struct err *e)
{
	if (!strcmp(key, "role"))
		return set_role(k, value, e);
	if (!strcmp(key, "key"))
		return set_key(k, value, e);
	if (!strcmp(key, "direction"))
		return set_direction(k, value, e);
	if (!strcmp(key, "when"))
		return condition_parse(value, &k->when, e);
	if (!strcmp(key, "size_unit"))
		return set_unit(k, value, e);
	if (!strcmp(key, "optional")) {
		k->optional = !strcmp(value, "yes");
		return k->optional || !strcmp(value, "no")
			       ? 0
			       : err_set(e, ERR_FORMAT,
					 "'%s': an event is optional, yes or no", value);
	}
	return set_field(k, (enum field)field_parse(key), value, e);
}

static bool has(const struct kernel_spec *k, int f)
{
	return k->place[f] || k->arg[f].kind != ARG_NONE;
}

static int check_condition(const struct kernel_spec *k, const struct condition *c,
			   const char *key, struct err *e)
{
	int f = c->op == OP_NONE ? -1 : field_parse(c->field);

	if (c->op == OP_NONE || (f >= 0 && has(k, f) && !*c->other))
		return 0;
	return err_set(e, ERR_FORMAT,
		       "'%s' asks for %s, but nothing says where that is; add '%s = ...'",
		       key, c->field, c->field);
}

int kernel_finish(const struct kernel_spec *k, struct err *e)
{
	int rc = check_condition(k, &k->when, "when", e);

	rc = rc ? rc : check_condition(k, &k->from_host, "direction", e);
	if (rc)
		return rc;
	if (!k->has_role)
		return err_set(e, ERR_FORMAT,
			       "[%s %s] needs 'role = submit', doorbell, end or other",
			       k->tracepoint ? "tracepoint" : "kernel", k->name);
	if (k->role != ROLE_OTHER && !has(k, FIELD_KEY))
		return err_set(
			e, ERR_FORMAT,
			"[%s %s] needs 'key = ...', which tells whose it is: a number "
			"that the start and the end of a transfer share",
			k->tracepoint ? "tracepoint" : "kernel", k->name);
	return 0;
}

char *kernel_places(const struct kernel_spec *k)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	for (int f = 0; out && f < FIELD_N; f++)
		if (k->place[f])
			fprintf(out, "%s%s=%s", ftell(out) ? " " : "",
				field_name((enum field)f), k->place[f]);
	return out && !fclose(out) ? text : NULL;
}
