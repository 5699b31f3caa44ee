/* SPDX-License-Identifier: GPL-2.0-only */
/* One function of a profile: its keys, what they mean together, and the short form that
 * --start,
 * --wait and --stop take. */
#include "record/profile/profile.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/num.h"
#include "record/profile/profile_arg.h"
#include "record/profile/profile_priv.h"

const char *const func_keys[] = {
	"function", "direction", "card",    "channel",	"size",	    "size_unit",
	"addr",	    "flags",	 "fd",	    "mode",	"ret",	    "asked",
	"when",	    "fail",	 "pending", "circular", "doorbell", "path",
	"again",    "optional",	 "key",	    "key2",	NULL,
};

const char *field_canonical(const char *word)
{
	int f = field_parse(word);

	return f < 0 ? word : field_name((enum field)f);
}

static int set_condition(struct condition *c, const char *value, bool at_exit,
			 struct err *e)
{
	int rc = condition_parse(value, c, e);

	if (rc)
		return rc;
	if (at_exit != !strcmp(c->field, "ret"))
		return err_set(e, ERR_USAGE,
			       at_exit ? "'%s' is asked at the function's "
					 "exit, where only ret is known"
				       : "'%s' is asked at the function's entry, where "
					 "ret is not known yet",
			       value);
	return 0;
}

/* "ret < arg4": what it is compared with is an argument, which the entry's event carries
 * as `asked`. */
static int set_exit_condition(struct func_spec *f, struct condition *c, const char *value,
			      struct err *e)
{
	const char *arg = strstr(value, "arg");
	int64_t unit;
	bool is_this;
	char *text;
	int rc;

	if (arg > value && arg[-1] == '(')
		arg--;
	if (arg > value && arg[-1] == '*')
		arg--;
	if (!arg || arg == value)
		return set_condition(c, value, true, e);
	if (f->arg[FIELD_ASKED].kind != ARG_NONE)
		return err_set(e, ERR_USAGE,
			       "'%s': 'asked' is said already; say 'ret < asked'", value);
	rc = arg_parse(&f->arg[FIELD_ASKED], arg, &unit, &is_this, e);
	if (rc)
		return rc;
	if (unit)
		return err_set(e, ERR_USAGE, "'%s': only size has a unit", value);
	if (asprintf(&text, "%.*sasked", (int)(arg - value), value) < 0)
		return err_nomem(e, "a profile");
	rc = set_condition(c, text, true, e);
	free(text);
	return rc;
}

/* "from_host when mode == 1"; the other direction when it does not hold. */
static int set_direction_when(struct func_spec *f, const char *value, int direction,
			      const char *when, struct err *e)
{
	int rc = set_condition(&f->from_host, when, false, e);

	if (rc || direction == DIR_FROM_HOST)
		return rc;
	if (f->from_host.op == OP_EQ)
		f->from_host.op = OP_NE;
	else if (f->from_host.op == OP_NE)
		f->from_host.op = OP_EQ;
	else
		return err_set(e, ERR_USAGE,
			       "'%s': say it the other way round, from_host when ...",
			       value);
	return 0;
}

static int bad_direction(const char *value, struct err *e)
{
	return err_set(e, ERR_USAGE,
		       "'%s' is no direction: to_host, from_host, unknown, or as in "
		       "'from_host when mode == 1'",
		       value);
}

static int set_direction(struct func_spec *f, const char *value, struct err *e)
{
	size_t len = strcspn(value, " \t");
	const char *rest = value + len + strspn(value + len, " \t");
	char word[16];
	int direction;

	snprintf(word, sizeof(word), "%.*s", (int)(len < 15 ? len : 15), value);
	direction = direction_parse(word);
	if (direction < 0)
		return bad_direction(value, e);
	if (!*rest) {
		f->direction = (enum direction)direction;
		return 0;
	}
	if (strncmp(rest, "when", 4) || !isblank((unsigned char)rest[4]) ||
	    direction == DIR_UNKNOWN)
		return bad_direction(value, e);
	return set_direction_when(f, value, direction, rest + 4 + strspn(rest + 4, " \t"),
				  e);
}

/* The name behind "call ", if that is what it says. */
static const char *called(const char *value)
{
	const char *name = value + 4 + strspn(value + 4, " \t");

	return !strncmp(value, "call", 4) && name > value + 4 && *name &&
			       !strpbrk(name, " \t")
		       ? name
		       : NULL;
}

/* "store +0x400": the displacement of the store that starts the transfer; "call ioctl":
 * the function whose call does. */
static int set_doorbell(struct func_spec *f, const char *value, struct err *e)
{
	const char *p = value, *name = NULL;

	f->doorbell_store = -1;
	free(f->doorbell_call);
	f->doorbell_call = NULL;
	if (!strcmp(value, "exit"))
		return 0;
	if (!strncmp(value, "call", 4) && (name = called(value)))
		return set_text(&f->doorbell_call, name, e);
	if (!strncmp(p, "store", 5))
		p += 5 + strspn(p + 5, " \t");
	if (num_i64(p, 0, INT32_MAX, &f->doorbell_store, NULL)) {
		f->doorbell_store = -1;
		return err_set(
			e, ERR_USAGE,
			"'%s' is no doorbell: 'store +0x400' (the register's offset "
			"from the address that the program has), 'call ioctl' (the "
			"function that the start calls), or 'exit'",
			value);
	}
	return 0;
}

/* "/dev/xdma{card}_c2h_{channel} to_host" */
static int set_path(struct func_spec *f, const char *value, struct err *e)
{
	size_t len = strcspn(value, " \t");
	const char *rest = value + len + strspn(value + len, " \t");
	int direction = *rest ? direction_parse(rest) : DIR_UNKNOWN;
	struct meta_path *grown;

	if (*value != '/' || direction < 0)
		return err_set(e, ERR_USAGE,
			       "'%s' is no path with its direction, such as "
			       "'/dev/xdma{card}_c2h_{channel} to_host'",
			       value);
	for (const char *p = value; (p = memchr(p, '{', len - (size_t)(p - value))); p++)
		if (strncmp(p, "{card}", 6) && strncmp(p, "{channel}", 9) &&
		    strncmp(p, "{card:x}", 8) && strncmp(p, "{channel:x}", 11))
			return err_set(
				e, ERR_USAGE,
				"'%s': between braces stands {card} or {channel}, and "
				"{card:x} or {channel:x} for hexadecimal digits",
				value);
	grown = realloc(f->path, (f->npath + 1) * sizeof(*grown));
	if (!grown)
		return err_nomem(e, "a profile");
	f->path = grown;
	grown[f->npath].pattern = strndup(value, len);
	if (!grown[f->npath].pattern)
		return err_nomem(e, "a profile");
	grown[f->npath++].direction = (enum direction)direction;
	return 0;
}

static int set_unit(struct func_spec *f, int64_t unit, struct err *e)
{
	if (f->size_unit && f->size_unit != unit)
		return err_set(e, ERR_USAGE,
			       "the unit of size is said twice, and differently");
	f->size_unit = unit;
	return 0;
}

static int set_arg(struct func_spec *f, enum field field, const char *value,
		   struct err *e)
{
	struct arg_spec *a = &f->arg[field];
	int64_t unit = 0;
	bool is_this = false;
	int rc;

	if (field == FIELD_RET && type_valid(value)) {
		arg_release(a);
		a->kind = ARG_RETURN;
		snprintf(a->type, sizeof(a->type), "%s", value);
		return 0;
	}
	rc = arg_parse(a, value, &unit, &is_this, e);
	if (rc)
		return rc;
	if (a->kind == ARG_RETURN && field != FIELD_SIZE)
		return err_set(e, ERR_USAGE, "'%s': only size can be what is returned",
			       value);
	if (field == FIELD_RET && a->kind != ARG_EXPR)
		return err_set(e, ERR_USAGE,
			       "'%s': ret is the type of the returned value, such as s32",
			       value);
	if (a->kind == ARG_CONST && field > FIELD_SIZE)
		return err_set(e, ERR_USAGE,
			       "'%s': only card, channel and size can be constant",
			       value);
	if (unit && field != FIELD_SIZE)
		return err_set(e, ERR_USAGE, "'%s': only size has a unit", value);
	f->method |= is_this;
	return unit ? set_unit(f, unit, e) : 0;
}

static int set_size_unit(struct func_spec *f, const char *value, struct err *e)
{
	int64_t unit;
	int rc = num_bytes(value, 1, 1 << 30, &unit, e);

	return rc ? rc : set_unit(f, unit, e);
}

/* "again = same" */
static int set_again(struct func_spec *f, const char *value, struct err *e)
{
	if (strcmp(value, "new") && strcmp(value, "same"))
		return err_set(
			e, ERR_USAGE,
			"'%s': a start while the channel runs is 'new', or with the "
			"same arguments the 'same' transfer",
			value);
	f->restarts = !strcmp(value, "same");
	return 0;
}

static int set_optional(struct func_spec *f, const char *value, struct err *e)
{
	bool yes = !strcmp(value, "yes");

	if (!yes && strcmp(value, "no"))
		return err_set(
			e, ERR_USAGE,
			"'%s': a function is optional, yes or no: may the workload's "
			"files lack it?",
			value);
	f->need = yes ? NEED_OPTIONAL : NEED_REQUIRED;
	return 0;
}

static int unknown_key(const char *key, struct err *e)
{
	const char *near = nearest_word(field_canonical(key), func_keys);

	if (near)
		return err_set(e, ERR_USAGE, "'%s' is no key of a function; '%s' is", key,
			       near);
	return err_set(
		e, ERR_USAGE,
		"'%s' is no key of a function; these are: function, direction, card, "
		"channel, size, size_unit, addr, flags, fd, mode, ret, asked, when, fail, "
		"pending, circular, doorbell, path, again, optional, key, key2",
		key);
}

int func_set(struct func_spec *f, const char *key, const char *value, struct err *e)
{
	int field;

	if (!*value)
		return err_set(e, ERR_USAGE, "'%s' has no value", key);
	if (!strcmp(key, "direction"))
		return set_direction(f, value, e);
	field = field_parse(key);
	if (field >= 0)
		return set_arg(f, (enum field)field, value, e);
	if (!strcmp(key, "function"))
		return set_text(&f->pattern, value, e);
	if (!strcmp(key, "size_unit"))
		return set_size_unit(f, value, e);
	if (!strcmp(key, "doorbell"))
		return set_doorbell(f, value, e);
	if (!strcmp(key, "path"))
		return set_path(f, value, e);
	if (!strcmp(key, "again"))
		return set_again(f, value, e);
	if (!strcmp(key, "optional"))
		return set_optional(f, value, e);
	if (!strcmp(key, "when"))
		return set_condition(&f->when, value, false, e);
	if (!strcmp(key, "fail"))
		return set_exit_condition(f, &f->fail, value, e);
	if (!strcmp(key, "pending"))
		return set_exit_condition(f, &f->pending, value, e);
	if (!strcmp(key, "circular"))
		return set_condition(&f->circular, value, false, e);
	return unknown_key(key, e);
}

/* A condition at the entry needs the field that it asks for. */
static int check_condition(const struct func_spec *f, const struct condition *c,
			   const char *key, struct err *e)
{
	int field = c->op == OP_NONE ? FIELD_RET : field_parse(c->field);

	if (field == FIELD_RET)
		return 0;
	if (field < 0 || f->arg[field].kind == ARG_NONE)
		return err_set(e, ERR_USAGE,
			       "'%s' of %s asks for %s, but nothing "
			       "says where that is; add '%s = arg...'",
			       key, f->pattern, c->field, c->field);
	return 0;
}

/* What ret is compared with, the entry carries. */
static int check_asked(const struct func_spec *f, struct err *e)
{
	const struct condition *c[] = {&f->fail, &f->pending, &f->when, &f->circular,
				       &f->from_host};

	for (size_t i = 0; i < sizeof(c) / sizeof(*c); i++) {
		int other = c[i]->op != OP_NONE && *c[i]->other ? field_parse(c[i]->other)
								: FIELD_RET;

		if (other != FIELD_RET && f->arg[other].kind == ARG_NONE)
			return err_set(e, ERR_USAGE,
				       "a condition of %s asks for %s, but nothing says "
				       "where that is; add '%s = arg...'",
				       f->pattern, c[i]->other, c[i]->other);
	}
	return 0;
}

static int check_roles(const struct func_spec *f, struct err *e)
{
	bool starts = f->role == FUNC_START || f->role == FUNC_TRANSFER;

	if (f->circular.op != OP_NONE && !starts)
		return err_set(e, ERR_USAGE, "%s: only a start can be circular",
			       f->pattern);
	if (f->restarts && f->role != FUNC_START)
		return err_set(e, ERR_USAGE, "%s: only a start can come again",
			       f->pattern);
	if ((f->doorbell_store >= 0 || f->doorbell_call) && !starts)
		return err_set(e, ERR_USAGE, "%s: only a start has a doorbell",
			       f->pattern);
	if (f->pending.op != OP_NONE && f->role != FUNC_WAIT)
		return err_set(e, ERR_USAGE,
			       "%s: only a wait can say that a transfer is pending",
			       f->pattern);
	if (f->npath && f->arg[FIELD_FD].kind == ARG_NONE)
		return err_set(
			e, ERR_USAGE,
			"%s: path needs the argument that holds the file's number; "
			"add 'fd = arg1'",
			f->pattern);
	if (f->arg[FIELD_SIZE].kind == ARG_RETURN && f->role == FUNC_STOP)
		return err_set(e, ERR_USAGE, "%s: of a stop no return value is read",
			       f->pattern);
	if (f->size_unit && f->arg[FIELD_SIZE].kind == ARG_NONE)
		return err_set(e, ERR_USAGE, "%s: there is a unit, but no size",
			       f->pattern);
	return 0;
}

/* "FlxCard::dma_to_host(unsigned int)": the usual names tell the direction. */
static enum direction direction_by_name(const char *pattern)
{
	size_t len = strcspn(pattern, "(");
	const char *p = pattern;

	for (const char *q = pattern; q + 1 < pattern + len; q++)
		if (q[0] == ':' && q[1] == ':')
			p = q + 2;
	if (!strncmp(p, "dma_to_host", 11))
		return DIR_TO_HOST;
	if (!strncmp(p, "dma_from_host", 13))
		return DIR_FROM_HOST;
	return DIR_UNKNOWN;
}

static void copy_type(struct arg_spec *to, const struct arg_spec *from)
{
	if (from->kind == ARG_RETURN)
		snprintf(to->type, sizeof(to->type), "%s", from->type);
}

int func_finish(struct func_spec *f, struct err *e)
{
	int rc = check_roles(f, e);

	if (!rc)
		rc = check_condition(f, &f->when, "when", e);
	if (!rc)
		rc = check_condition(f, &f->circular, "circular", e);
	if (!rc)
		rc = check_condition(f, &f->from_host, "direction", e);
	if (!rc)
		rc = check_asked(f, e);
	if (rc)
		return rc;
	if ((f->fail.op != OP_NONE || f->pending.op != OP_NONE) &&
	    f->arg[FIELD_RET].kind == ARG_NONE) {
		f->arg[FIELD_RET].kind = ARG_RETURN;
		snprintf(f->arg[FIELD_RET].type, sizeof(f->arg[FIELD_RET].type), "s32");
	}
	/* what is compared with the return value, or is it, has its type */
	if (!*f->arg[FIELD_ASKED].type)
		copy_type(&f->arg[FIELD_ASKED], &f->arg[FIELD_RET]);
	if (f->arg[FIELD_SIZE].kind == ARG_RETURN && !*f->arg[FIELD_SIZE].type)
		copy_type(&f->arg[FIELD_SIZE], &f->arg[FIELD_RET]);
	if (f->direction == DIR_UNKNOWN && f->from_host.op == OP_NONE && !f->npath &&
	    (f->role == FUNC_START || f->role == FUNC_TRANSFER))
		f->direction = direction_by_name(f->pattern);
	return 0;
}

static bool is_setting(const char *word)
{
	size_t len = strspn(word, "abcdefghijklmnopqrstuvwxyz_2"); /* key2 */

	return len && word[len] == '=';
}

/* Function and settings of "FUNC a=b c=d"; text is cut into pieces. */
static int parse_short(struct func_spec *f, char *text, struct err *e)
{
	unsigned seen = 0;
	char *p = text, *next, *word;
	const char *key;
	int rc = 0;

	while (*p && !is_setting(p)) { /* a C++ name may have blanks */
		p += strcspn(p, " \t");
		p += strspn(p, " \t");
	}
	for (next = p; next > text && isblank((unsigned char)next[-1]);)
		*--next = 0;
	if (p > text)
		rc = set_text(&f->pattern, text, e);
	for (; !rc && *p; p = next) {
		word = p;
		p += strcspn(p, " \t");
		next = p + strspn(p, " \t");
		*p = 0;
		p = strchr(word, '=');
		if (!p)
			return err_set(e, ERR_USAGE, "'%s' is no NAME=VALUE", word);
		*p++ = 0;
		key = field_canonical(word);
		for (unsigned k = 0; func_keys[k]; k++) {
			if (strcmp(key, func_keys[k]) || !strcmp(key, "path"))
				continue;
			if (seen & 1u << k)
				return err_set(e, ERR_USAGE, "%s is given twice", key);
			seen |= 1u << k;
		}
		rc = func_set(f, key, p, e);
	}
	return rc;
}

int profile_add_func(struct profile *p, enum func_role role, const char *text,
		     const char *origin, struct err *e)
{
	struct func_spec *f = profile_new_func(p, role);
	char *copy = strdup(text + strspn(text, " \t\n"));
	int rc = f && copy ? set_text(&f->origin, origin, e) : err_nomem(e, "a profile");

	for (char *c = copy; c && *c; c++)
		if (isspace((unsigned char)*c))
			*c = ' ';
	if (!rc)
		rc = parse_short(f, copy, e);
	if (!rc && f->need == NEED_BY_ROLE)
		f->need = NEED_REQUIRED; /* somebody asked for it by name */
	if (!rc && (!f->pattern || !*f->pattern))
		rc = err_set(
			e, ERR_USAGE,
			"'%s' names no function: FUNCTION [channel=arg1 size=arg3 ...]",
			text);
	if (!rc)
		rc = func_finish(f, e);
	free(copy);
	if (!rc)
		return 0;
	if (e && e->code)
		err_prefix(e, "%s '%s'", origin, text);
	if (f)
		profile_drop_func(p);
	return rc;
}

int profile_default(struct profile *p, struct err *e)
{
	static const struct {
		enum func_role role;
		const char *function;
	} usual[] = {
		{FUNC_START, "dma_to_host"},
		{FUNC_START, "dma_from_host"},
		{FUNC_WAIT, "dma_wait"},
		{FUNC_STOP, "dma_stop"},
	};
	int rc;

	profile_init(p);
	rc = set_text(&p->name, "default", e);
	for (size_t k = 0; k < sizeof(usual) / sizeof(*usual) && !rc; k++)
		rc = profile_add_func(p, usual[k].role, usual[k].function, "default", e);
	for (size_t k = 0; !rc && k < p->nfunc; k++)
		p->func[k].need = NEED_OPTIONAL;
	if (rc)
		profile_release(p);
	return rc;
}

bool func_required(const struct func_spec *f)
{
	return f->need == NEED_REQUIRED ||
	       (f->need == NEED_BY_ROLE && f->role != FUNC_STOP);
}

char *func_describe(const struct func_spec *f)
{
	static const char *const role[FUNC_N] = {"start", "transfer", "wait", "stop"};
	char *text;
	int n;

	if (f->origin && !strncmp(f->origin, "--", 2))
		n = asprintf(&text, "%s %s", f->origin, f->pattern);
	else if (f->line)
		n = asprintf(&text, "[%s %s] (%s:%d)", role[f->role], f->pattern,
			     f->origin, f->line);
	else
		n = asprintf(&text, "[%s %s] (the default)", role[f->role], f->pattern);
	return n < 0 ? NULL : text;
}
