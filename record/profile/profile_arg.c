/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a value of an event comes from: "arg3", "*(arg3+8):u32", "this", "const 4",
 * "name:size",
 * "+8(%si):u32". */
#include "record/profile/profile.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/profile/profile_arg.h"
#include "lib/err.h"
#include "lib/num.h"
#include "record/profile/profile_priv.h"

enum { MAX_ARGS = 32, MAX_TEXT = 128, MAX_UNIT = 1 << 30 };

bool type_valid(const char *type)
{
	static const char *const size[] = {"8", "16", "32", "64"};

	if (!strchr("usx", *type) || !*type)
		return false;
	for (size_t k = 0; k < 4; k++)
		if (!strcmp(type + 1, size[k]))
			return true;
	return false;
}

static const char *skip(const char *p)
{
	while (isblank((unsigned char)*p))
		p++;
	return p;
}

/* "arg3" at *p, which moves behind it; "this" is the first. */
static bool take_index(const char **p, int *index)
{
	char *end;
	long n;

	if (!strncmp(*p, "this", 4) && !isalnum((unsigned char)(*p)[4])) {
		*index = 1;
		*p += 4;
		return true;
	}
	if (strncmp(*p, "arg", 3) || !isdigit((unsigned char)(*p)[3]))
		return false;
	n = strtol(*p + 3, &end, 10);
	if (n < 1 || n > MAX_ARGS || isalnum((unsigned char)*end) || *end == '_')
		return false;
	*index = (int)n;
	*p = end;
	return true;
}

static int bad_value(const char *text, struct err *e)
{
	return err_set(
		e, ERR_USAGE,
		"'%s' is no place of a value: say arg3 (the third argument, counted "
		"from 1, `this` of a method being the first), *(arg3+8):u32, this, "
		"name:PARAMETER, const 4, or the kernel's own syntax as in +8(%%si):u32",
		text);
}

/* Behind the place: nothing, or ":u32". */
static int take_type(struct arg_spec *a, const char *p, const char *text, struct err *e)
{
	p = skip(p);
	if (!*p)
		return 0;
	if (*p != ':')
		return bad_value(text, e);
	p = skip(p + 1);
	if (!type_valid(p))
		return err_set(
			e, ERR_USAGE,
			"'%s' is no type of a value in '%s': one of u8 u16 u32 u64, "
			"s8 to s64, x8 to x64",
			p, text);
	snprintf(a->type, sizeof(a->type), "%s", p);
	return 0;
}

/* "*(arg3+8)" and "*arg3". */
static int parse_deref(struct arg_spec *a, const char *text, struct err *e)
{
	const char *p = skip(text + 1);
	bool paren = *p == '(', minus;
	char *end;

	if (paren)
		p = skip(p + 1);
	if (!take_index(&p, &a->index))
		return bad_value(text, e);
	p = skip(p);
	a->kind = ARG_INDEX;
	a->has_deref = true;
	a->deref = 0;
	if (paren && (*p == '+' || *p == '-')) {
		minus = *p == '-';
		p = skip(p + 1);
		if (!isdigit((unsigned char)*p))
			return bad_value(text, e);
		a->deref = strtol(p, &end, 0);
		if (a->deref > INT32_MAX)
			return err_set(e, ERR_USAGE, "'%s': the offset is out of range",
				       text);
		if (minus)
			a->deref = -a->deref;
		p = skip(end);
	}
	if (paren && *p++ != ')')
		return bad_value(text, e);
	return take_type(a, p, text, e);
}

static int parse_const(struct arg_spec *a, const char *text, const char *p, struct err *e)
{
	a->kind = ARG_CONST;
	if (num_i64(skip(p), INT64_MIN + 1, INT64_MAX, &a->value, NULL))
		return err_set(e, ERR_USAGE,
			       "'%s' is no constant: const 4, or 0x10 "
			       "(a whole number of at most 64 bits)",
			       text);
	return 0;
}

/* "name:size" or "name:size:u32": the parameter that DWARF calls so. */
static int parse_name(struct arg_spec *a, const char *text, struct err *e)
{
	const char *p = skip(text + 5), *begin = p;

	while (isalnum((unsigned char)*p) || *p == '_')
		p++;
	if (p == begin || isdigit((unsigned char)*begin) || p - begin >= MAX_TEXT)
		return bad_value(text, e);
	a->kind = ARG_NAME;
	a->text = strndup(begin, (size_t)(p - begin));
	return a->text ? take_type(a, p, text, e) : err_nomem(e, "a profile");
}

/* Documentation/trace/uprobetracer.rst, FETCHARGS. Only the form is looked at; the kernel
 * says what it thinks of the rest. Blanks and other characters would break out of the
 * probe's definition. */
static int parse_expr(struct arg_spec *a, const char *text, struct err *e)
{
	const char *type = strrchr(text, ':');
	int depth = 0;

	if (strlen(text) >= MAX_TEXT)
		return err_set(e, ERR_USAGE,
			       "'%.40s...' is too long for a fetch argument", text);
	for (const char *p = text; *p; p++) {
		if (!isalnum((unsigned char)*p) && !strchr("%$@+-()_.:\\~/", *p))
			return err_set(e, ERR_USAGE,
				       "'%s': '%c' has no place in the "
				       "kernel's syntax for an argument",
				       text, *p);
		depth += (*p == '(') - (*p == ')');
		if (depth < 0)
			break;
	}
	if (depth)
		return err_set(e, ERR_USAGE, "'%s': the parentheses do not match", text);
	if (type && (type == text || !type[1]))
		return bad_value(text, e);
	if (type && strchr("usx", type[1]) && isdigit((unsigned char)type[2])) {
		if (!type_valid(type + 1))
			return err_set(e, ERR_USAGE, "'%s' is no type of a value in '%s'",
				       type + 1, text);
		snprintf(a->type, sizeof(a->type), "%s", type + 1);
	}
	a->kind = ARG_EXPR;
	a->text = strdup(text);
	return a->text ? 0 : err_nomem(e, "a profile");
}

/* "arg4 * 4": cut the factor off text. */
static int take_unit(char *text, int64_t *unit, struct err *e)
{
	char *star = strrchr(text, '*'), *end;

	*unit = 0;
	if (!star || star == text)
		return 0;
	if (num_i64(skip(star + 1), 1, MAX_UNIT, unit, NULL))
		return err_set(
			e, ERR_USAGE,
			"'%s': behind '*' stands the number of bytes of a unit, 1 to %d",
			text, MAX_UNIT);
	for (end = star; end > text && isblank((unsigned char)end[-1]); end--)
		;
	*end = 0;
	return 0;
}

static int parse_place(struct arg_spec *a, const char *text, bool *is_this, struct err *e)
{
	const char *p = text;

	*is_this = !strncmp(text, "this", 4);
	if (take_index(&p, &a->index)) {
		a->kind = ARG_INDEX;
		return take_type(a, p, text, e);
	}
	*is_this = false;
	if (*p == '*')
		return parse_deref(a, text, e);
	if (!strncmp(p, "const", 5) && isblank((unsigned char)p[5]))
		return parse_const(a, text, p + 5, e);
	if (isdigit((unsigned char)*p))
		return parse_const(a, text, p, e);
	if (!strncmp(p, "name:", 5))
		return parse_name(a, text, e);
	if (!strncmp(p, "ret", 3) &&
	    (!p[3] || p[3] == ':' || isblank((unsigned char)p[3]))) {
		a->kind = ARG_RETURN;
		return take_type(a, p + 3, text, e);
	}
	if (*p && strchr("%$@+-\\", *p))
		return parse_expr(a, text, e);
	return bad_value(text, e);
}

int arg_parse(struct arg_spec *a, const char *text, int64_t *unit, bool *is_this,
	      struct err *e)
{
	char *copy = strdup(text);
	int rc;

	arg_release(a);
	if (!copy)
		return err_nomem(e, "a profile");
	rc = take_unit(copy, unit, e);
	if (!rc)
		rc = parse_place(a, copy, is_this, e);
	free(copy);
	if (rc)
		arg_release(a);
	return rc;
}

void arg_release(struct arg_spec *a)
{
	free(a->text);
	free(a->structure);
	*a = (struct arg_spec){.deref = -1};
}
