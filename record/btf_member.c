/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/btf_member.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdbool.h>
#include <string.h>

#include "lib/err.h"
#include "record/profile/profile.h"

#define NAME "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789"

/* BTF_KIND_ENUM64 (Linux 6.0) is in no header of older libbpfs. */
enum { MAX_DEPTH = 8, KIND_ENUM64 = 19 };

/* ---- types ---- */

/* Behind const, volatile and typedefs. */
static const struct btf_type *plain(const struct btf *btf, uint32_t id, uint32_t *real)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	while (t && (btf_is_mod(t) || btf_is_typedef(t))) {
		id = t->type;
		t = btf__type_by_id(btf, id);
	}
	if (real)
		*real = id;
	return t;
}

static const char *name_of(const struct btf *btf, const struct btf_type *t)
{
	const char *name = t ? btf__name_by_offset(btf, t->name_off) : NULL;

	return name && *name ? name : "?";
}

/* A member of that name, also within a nameless structure of it: its offset in bits. */
static const struct btf_member *find_member(const struct btf *btf,
					    const struct btf_type *t, const char *name,
					    size_t len, uint32_t *bits, bool *field,
					    int depth)
{
	const struct btf_member *m = btf_members(t);

	for (int i = 0; i < btf_vlen(t); i++, m++) {
		const char *is = btf__name_by_offset(btf, m->name_off);
		const struct btf_type *in = plain(btf, m->type, NULL);
		const struct btf_member *found;
		uint32_t inner = 0;

		if (is && strlen(is) == len && !strncmp(is, name, len)) {
			*bits = btf_member_bit_offset(t, (uint32_t)i);
			*field = btf_member_bitfield_size(t, (uint32_t)i) != 0;
			return m;
		}
		if ((is && *is) || !in || !btf_is_composite(in) || depth >= MAX_DEPTH)
			continue;
		found = find_member(btf, in, name, len, &inner, field, depth + 1);
		if (found) {
			*bits = btf_member_bit_offset(t, (uint32_t)i) + inner;
			return found;
		}
	}
	return NULL;
}

/* The structure that the argument points to. */
static int first_type(const struct btf *btf, const char *function,
		      const struct arg_spec *a, uint32_t *id, struct err *e)
{
	const struct btf_type *t;
	int found;

	if (a->structure) {
		found = btf__find_by_name_kind(btf, a->structure, BTF_KIND_STRUCT);
		if (found < 0)
			return err_set(e, ERR_NOTFOUND,
				       "the kernel knows no structure '%s'",
				       a->structure);
		*id = (uint32_t)found;
		return 0;
	}
	found = btf__find_by_name_kind(btf, function, BTF_KIND_FUNC);
	t = found < 0 ? NULL : btf__type_by_id(btf, (uint32_t)found);
	t = t ? btf__type_by_id(btf, t->type) : NULL;
	if (!t || !btf_is_func_proto(t))
		return err_set(e, ERR_NOTFOUND,
			       "the kernel does not tell the parameters of %s; say "
			       "(STRUCTURE)arg%d->%s",
			       function, a->index, a->text);
	if (a->index > btf_vlen(t))
		return err_set(e, ERR_NOTFOUND, "%s has %d parameters, and no arg%d",
			       function, btf_vlen(t), a->index);
	t = plain(btf, btf_params(t)[a->index - 1].type, NULL);
	if (!t || !btf_is_ptr(t) || !plain(btf, t->type, id) ||
	    !btf_is_composite(plain(btf, t->type, NULL)))
		return err_set(e, ERR_FORMAT,
			       "arg%d of %s is no pointer to a structure; say "
			       "(STRUCTURE)arg%d->%s",
			       a->index, function, a->index, a->text);
	return 0;
}

static void type_word(const struct btf *btf, const struct btf_type *t, char type[8])
{
	bool number = btf_is_int(t) || btf_is_enum(t) || btf_kind(t) == KIND_ENUM64 ||
		      btf_is_ptr(t);
	uint32_t size = btf_is_ptr(t) ? (uint32_t)btf__pointer_size(btf) : t->size;
	bool is_signed = btf_is_int(t) && btf_int_encoding(t) & BTF_INT_SIGNED;

	*type = 0;
	if (number && (size == 1 || size == 2 || size == 4 || size == 8))
		snprintf(type, 8, "%c%" PRIu32, is_signed ? 's' : 'u', size * 8);
}

static bool deref(char place[BTF_MEMBER_TEXT], uint32_t offset)
{
	char inner[BTF_MEMBER_TEXT];

	memcpy(inner, place, sizeof(inner));
	return snprintf(place, BTF_MEMBER_TEXT, "+%" PRIu32 "(%s)", offset, inner) <
	       BTF_MEMBER_TEXT;
}

/* One name of the path: what it is, and where from the structure's beginning. */
static int step(const struct btf *btf, const struct btf_type **t, const char *name,
		size_t len, uint32_t *offset, struct err *e)
{
	uint32_t bits = 0;
	bool field = false;
	const struct btf_member *m =
		*t && btf_is_composite(*t)
			? find_member(btf, *t, name, len, &bits, &field, 0)
			: NULL;

	if (!m)
		return err_set(e, ERR_NOTFOUND,
			       "'%s' has no member '%.*s' in this kernel",
			       name_of(btf, *t), (int)len, name);
	if (field)
		return err_set(
			e, ERR_UNSUPPORTED,
			"'%.*s' is some bits of a word; say where that word is, and "
			"'when = ... & ...'",
			(int)len, name);
	*offset += bits / 8;
	*t = plain(btf, m->type, NULL);
	return 0;
}

int btf_member_place(const struct btf *btf, const char *function,
		     const struct arg_spec *a, const char *where,
		     char place[BTF_MEMBER_TEXT], char type[8], struct err *e)
{
	const struct btf_type *t;
	uint32_t id, offset = 0;
	int rc = first_type(btf, function, a, &id, e);

	if (rc)
		return rc;
	t = plain(btf, id, NULL);
	snprintf(place, BTF_MEMBER_TEXT, "%s", where);
	for (const char *at = a->text; *at;) {
		size_t len = strspn(at, NAME);

		rc = step(btf, &t, at, len, &offset, e);
		if (rc)
			return rc;
		at += len;
		if (*at == '-') {
			if (!t || !btf_is_ptr(t) || !deref(place, offset))
				return err_set(e, ERR_FORMAT, "'%.*s' is no pointer",
					       (int)len, at - len);
			offset = 0;
			t = plain(btf, t->type, NULL);
		}
		at += *at == '.' ? 1 : *at ? 2 : 0;
	}
	if (!t || !deref(place, offset))
		return err_set(e, ERR_FORMAT, "'%s' is too long", a->text);
	type_word(btf, t, type);
	return 0;
}

/* ---- this kernel's ---- */

/* libbpf before 1.0 answers an error by a pointer that is none. */
static struct btf *valid(struct btf *btf)
{
	return libbpf_get_error(btf) ? NULL : btf;
}

int btf_types_load(struct btf_types *t, const char *module, struct err *e)
{
	char path[128];

	*t = (struct btf_types){.vmlinux =
					valid(btf__parse_raw("/sys/kernel/btf/vmlinux"))};
	snprintf(path, sizeof(path), "/sys/kernel/btf/%s", module ? module : "");
	if (t->vmlinux && module)
		t->module = valid(btf__parse_raw_split(path, t->vmlinux));
	if (t->vmlinux && (!module || t->module))
		return 0;
	btf_types_free(t);
	return err_set(
		e, ERR_UNSUPPORTED,
		"this kernel does not tell the types of %s (no /sys/kernel/btf/%s, or no "
		"right to read it): say *(argN+OFFSET):u32",
		module ? module : "its functions", module ? module : "vmlinux");
}

void btf_types_free(struct btf_types *t)
{
	btf__free(t->module);
	btf__free(t->vmlinux);
	*t = (struct btf_types){0};
}
