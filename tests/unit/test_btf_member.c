/* SPDX-License-Identifier: GPL-2.0-only */
/* Members of structures, by types that are made up here as a kernel would tell them:
 *	struct bus { u16 number; };
 *	struct card { u32 first; struct { s64 inner; }; struct bus own; struct bus *bus; u32 bits:3; };
 *	void ended(int, const struct card *, void *);
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <bpf/btf.h>
#include <string.h>

#include "lib/err.h"
#include "record/btf_member.h"
#include "record/profile/profile.h"

static struct btf *types;

static int setup(void **state)
{
	int u16, u32, s64, bus, nameless, card, pointer, data, proto;

	(void)state;
	types = btf__new_empty();
	assert_non_null(types);
	u16 = btf__add_int(types, "u16", 2, 0);
	u32 = btf__add_int(types, "u32", 4, 0);
	s64 = btf__add_int(types, "s64", 8, BTF_INT_SIGNED);
	bus = btf__add_struct(types, "bus", 2);
	btf__add_field(types, "number", u16, 0, 0);
	nameless = btf__add_struct(types, NULL, 8);
	btf__add_field(types, "inner", s64, 0, 0);
	pointer = btf__add_ptr(types, bus);
	card = btf__add_struct(types, "card", 40);
	btf__add_field(types, "first", u32, 0, 0);
	btf__add_field(types, NULL, nameless, 64, 0);
	btf__add_field(types, "own", bus, 128, 0);
	btf__add_field(types, "bus", pointer, 192, 0);
	btf__add_field(types, "bits", u32, 256, 3);
	card = btf__add_ptr(types, btf__add_const(types, card));
	data = btf__add_ptr(types, 0);
	proto = btf__add_func_proto(types, 0);
	btf__add_func_param(types, "n", u32);
	btf__add_func_param(types, "card", card);
	btf__add_func_param(types, "data", data);
	assert_true(btf__add_func(types, "ended", BTF_FUNC_STATIC, proto) > 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	btf__free(types);
	return 0;
}

static int place(const char *key, char out[160], struct err *e)
{
	char text[200], where[BTF_MEMBER_TEXT], type[8];
	struct profile p;
	int rc;

	snprintf(text, sizeof(text),
		 "[start f]\nchannel = arg1\n[kernel m:ended]\nrole = end\nkey = %s\n",
		 key);
	rc = profile_read_mem(&p, text, "test", e);
	if (rc)
		return rc;
	assert_int_equal(p.kernel[0].arg[FIELD_KEY].kind, ARG_MEMBER);
	rc = btf_member_place(types, "ended", &p.kernel[0].arg[FIELD_KEY], "%si", where,
			      type, e);
	if (!rc)
		snprintf(out, 160, "%s:%s", where, type);
	profile_release(&p);
	return rc;
}

static void test_places(void **state)
{
	static const char *const known[][2] = {
		{"arg2->first", "+0(%si):u32"},
		{"arg2->inner", "+8(%si):s64"},
		{"arg2->own.number", "+16(%si):u16"},
		{"arg2->bus", "+24(%si):u64"},
		{"arg2->bus->number", "+0(+24(%si)):u16"},
		{"(card)arg3->own.number", "+16(%si):u16"},
		{"arg2->own", "+16(%si):"},
	};
	char got[160];

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		struct err e = {0};

		assert_int_equal(place(known[i][0], got, &e), 0);
		assert_string_equal(got, known[i][1]);
	}
}

static void test_refused(void **state)
{
	static const char *const bad[][2] = {
		{"arg2->nothing", "'card' has no member 'nothing'"},
		{"arg2->first.x", "'u32' has no member 'x'"},
		{"arg2->own->number", "'own' is no pointer"},
		{"arg2->bits", "some bits of a word"},
		{"arg1->first", "arg1 of ended is no pointer to a structure"},
		{"arg3->first", "say (STRUCTURE)arg3->first"},
		{"arg4->first", "ended has 3 parameters"},
		{"(crad)arg3->first", "no structure 'crad'"},
		{"arg2->", "is no member of a structure"},
		{"arg2->a..b", "is no member of a structure"},
		{"arg2->a->", "is no member of a structure"},
		{"arg0->a", "is no member of a structure"},
		{"arg2->first:u33", "is no member of a structure"},
		{"(card arg2->first", "is no member of a structure"},
	};
	char got[160];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct err e = {0};

		assert_true(place(bad[i][0], got, &e) < 0);
		if (!strstr(e.text, bad[i][1]))
			fail_msg("%s: %s", bad[i][0], e.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
