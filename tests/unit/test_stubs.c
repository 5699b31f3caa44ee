/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every shipped profile against a library with its card's API (tests/profiles/): each
 * function is there, and each argument is the parameter that it is meant to be, of the
 * size that its type says. Debug information is read here with libdw alone, as a second
 * opinion to record/symbols.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>

#include <capstone/capstone.h>
#include <cmocka.h>
#include <dwarf.h>
#include <elfutils/libdw.h>

#include "lib/err.h"
#include "record/profile/profile.h"

/* Which parameters a field may be. */
static const struct {
	enum field field;
	const char *name;
} meant[] = {
	{FIELD_CARD, "this"},	     {FIELD_CARD, "fpga"},
	{FIELD_CARD, "pDevice"},     {FIELD_CARD, "card"},
	{FIELD_CHANNEL, "dma_id"},   {FIELD_CHANNEL, "chnl"},
	{FIELD_CHANNEL, "channel"},  {FIELD_SIZE, "size"},
	{FIELD_ASKED, "len"},	     {FIELD_ASKED, "count"},
	{FIELD_ASKED, "size"},	     {FIELD_SIZE, "len"},
	{FIELD_SIZE, "xfer_sz"},     {FIELD_SIZE, "count"},
	{FIELD_SIZE, "ByteCount"},   {FIELD_ADDR, "dst"},
	{FIELD_ADDR, "src"},	     {FIELD_ADDR, "address"},
	{FIELD_ADDR, "offset"},	     {FIELD_FLAGS, "flags"},
	{FIELD_FLAGS, "Timeout_ms"}, {FIELD_FD, "fd"},
	{FIELD_MODE, "enable"},	     {FIELD_MODE, "Direction"},
};

static bool is_meant(enum field field, const char *name)
{
	for (size_t k = 0; k < sizeof(meant) / sizeof(*meant); k++)
		if (meant[k].field == field && !strcmp(meant[k].name, name))
			return true;
	return false;
}

struct function {
	Dwarf_Die die;
	char qualified[200];
	const char *name, *linkage;
};

struct library {
	int fd;
	Dwarf *dwarf;
	struct function *function;
	size_t n;
};

static const char *text_of(Dwarf_Die *die, unsigned attr)
{
	Dwarf_Attribute a;

	return dwarf_attr_integrate(die, attr, &a) ? dwarf_formstring(&a) : NULL;
}

/* "Class::name" of a method defined out of its class. */
static void qualify(struct function *f)
{
	Dwarf_Attribute a;
	Dwarf_Die spec, *scope = NULL;
	const char *class = NULL;

	if (dwarf_attr(&f->die, DW_AT_specification, &a) &&
	    dwarf_formref_die(&a, &spec) && dwarf_getscopes_die(&spec, &scope) > 1)
		class = dwarf_diename(&scope[1]);
	snprintf(f->qualified, sizeof(f->qualified), "%s%s%s", class ? class : "",
		 class ? "::" : "", f->name);
	free(scope);
}

static bool has_body(Dwarf_Die *die)
{
	return dwarf_hasattr(die, DW_AT_low_pc) || dwarf_hasattr(die, DW_AT_ranges);
}

static void add_functions(struct library *l, Dwarf_Die *cu)
{
	struct function *f;
	Dwarf_Die die;
	int rc = dwarf_child(cu, &die);

	for (; !rc; rc = dwarf_siblingof(&die, &die)) {
		if (dwarf_tag(&die) != DW_TAG_subprogram || !has_body(&die) ||
		    !text_of(&die, DW_AT_name))
			continue;
		l->function = realloc(l->function, (l->n + 1) * sizeof(*l->function));
		assert_non_null(l->function);
		f = &l->function[l->n++];
		f->die = die;
		f->name = text_of(&die, DW_AT_name);
		f->linkage = text_of(&die, DW_AT_linkage_name);
		qualify(f);
	}
}

static void library_open(struct library *l, const char *name)
{
	Dwarf_Off next, offset = 0;
	size_t header;
	Dwarf_Die cu;
	char path[600];

	snprintf(path, sizeof(path), "%s/%s", TEST_BUILD, name);
	memset(l, 0, sizeof(*l));
	l->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (l->fd < 0)
		fail_msg("%s is not built", path);
	l->dwarf = dwarf_begin(l->fd, DWARF_C_READ);
	assert_non_null(l->dwarf);
	while (!dwarf_nextcu(l->dwarf, offset, &next, &header, NULL, NULL, NULL)) {
		if (dwarf_offdie(l->dwarf, offset + header, &cu))
			add_functions(l, &cu);
		offset = next;
	}
}

static void library_close(struct library *l)
{
	dwarf_end(l->dwarf);
	close(l->fd);
	free(l->function);
}

static bool fits(const struct function *f, const char *pattern)
{
	return !strcmp(pattern, f->name) || !strcmp(pattern, f->qualified) ||
	       (f->linkage && !strcmp(pattern, f->linkage));
}

/* The index-th parameter, from 1; `this` counts. */
static bool parameter(struct function *f, int index, Dwarf_Die *out)
{
	int rc = dwarf_child(&f->die, out);

	for (; !rc; rc = dwarf_siblingof(out, out))
		if (dwarf_tag(out) == DW_TAG_formal_parameter && !--index)
			return true;
	return false;
}

static void type_of(Dwarf_Die *die, Dwarf_Die *type)
{
	Dwarf_Attribute a;

	assert_non_null(dwarf_attr_integrate(die, DW_AT_type, &a));
	assert_non_null(dwarf_formref_die(&a, type));
	assert_true(dwarf_peel_type(type, type) >= 0);
}

/* The member at this offset of the structure that a parameter points to. */
static bool member_at(Dwarf_Die *param, int64_t offset, Dwarf_Die *out)
{
	Dwarf_Attribute a;
	Dwarf_Die type;
	Dwarf_Word at;
	int rc;

	type_of(param, &type);
	if (dwarf_tag(&type) != DW_TAG_pointer_type)
		return false;
	type_of(&type, &type);
	rc = dwarf_child(&type, out);
	for (; !rc; rc = dwarf_siblingof(out, out))
		if (dwarf_attr(out, DW_AT_data_member_location, &a) &&
		    !dwarf_formudata(&a, &at) && (int64_t)at == offset)
			return true;
	return false;
}

static void check_size(const struct arg_spec *a, Dwarf_Die *value, const char *where)
{
	int bytes = *a->type ? atoi(a->type + 1) / 8 : 8;
	Dwarf_Attribute attr;
	Dwarf_Word encoding = 0;
	Dwarf_Die type;
	int real;

	type_of(value, &type);
	real = dwarf_bytesize(&type);
	if (real < 0 && dwarf_tag(&type) == DW_TAG_pointer_type)
		real = 8;
	if (real != bytes)
		fail_msg("%s: %d bytes, the profile reads %d", where, real, bytes);
	if (dwarf_attr(&type, DW_AT_encoding, &attr) &&
	    !dwarf_formudata(&attr, &encoding) && bytes < 8 &&
	    (encoding == DW_ATE_signed) != (*a->type == 's'))
		fail_msg("%s: signed in one place and not in the other", where);
}

static void check_arg(struct function *f, enum field field, const struct arg_spec *a,
		      const char *profile)
{
	Dwarf_Die value, member;
	const char *name;
	char where[300];

	if (a->kind != ARG_INDEX)
		return;
	snprintf(where, sizeof(where), "%s: %s: %s", profile, f->qualified,
		 field_name(field));
	if (!parameter(f, a->index, &value))
		fail_msg("%s: there is no argument %d", where, a->index);
	if (a->has_deref) {
		if (!member_at(&value, a->deref, &member))
			fail_msg("%s: nothing at offset %ld", where, (long)a->deref);
		value = member;
	}
	name = text_of(&value, DW_AT_name);
	if (!name || !is_meant(field, name))
		fail_msg("%s: argument %d is '%s'", where, a->index, name ? name : "?");
	check_size(a, &value, where);
}

#ifdef __x86_64__
static bool stores_to(const cs_insn *in, int64_t displacement)
{
	const cs_x86 *x = &in->detail->x86;

	for (int k = 0; k < x->op_count; k++)
		if (x->operands[k].type == X86_OP_MEM &&
		    x->operands[k].access & CS_AC_WRITE &&
		    x->operands[k].mem.disp == displacement)
			return true;
	return false;
}

/* In a shared library without relocated text, addresses and offsets of code are the same
 * as far as the first segments go; the stubs are small enough. */
static void check_doorbell(struct library *l, struct function *f, int64_t displacement)
{
	Dwarf_Addr begin, end, base;
	uint8_t code[4096];
	cs_insn *in;
	bool found = false;
	size_t n;
	csh cs;

	assert_true(dwarf_ranges(&f->die, 0, &base, &begin, &end) > 0);
	assert_true(end - begin < sizeof(code));
	assert_int_equal(pread(l->fd, code, end - begin, (off_t)begin), end - begin);
	assert_int_equal(cs_open(CS_ARCH_X86, CS_MODE_64, &cs), CS_ERR_OK);
	cs_option(cs, CS_OPT_DETAIL, CS_OPT_ON);
	n = cs_disasm(cs, code, end - begin, begin, 0, &in);
	for (size_t k = 0; k < n && !found; k++)
		found = stores_to(&in[k], displacement);
	if (n)
		cs_free(in, n);
	cs_close(&cs);
	if (!found)
		fail_msg("%s: no store at displacement 0x%lx", f->qualified,
			 (unsigned long)displacement);
}
#else
static void check_doorbell(struct library *l, struct function *f, int64_t displacement)
{
	(void)l;
	(void)f;
	(void)displacement;
}
#endif

static void check_profile(const char *name, const char *library)
{
	struct err err = {0};
	struct library l;
	struct profile p;
	char path[600];

	snprintf(path, sizeof(path), "%s/examples/profiles/%s.ini", TEST_SOURCE, name);
	if (profile_read(&p, path, &err))
		fail_msg("%s", err.text);
	library_open(&l, library);
	for (size_t k = 0; k < p.nfunc; k++) {
		size_t found = 0;

		for (size_t j = 0; j < l.n; j++) {
			if (!fits(&l.function[j], p.func[k].pattern))
				continue;
			found++;
			if (p.func[k].doorbell_store >= 0)
				check_doorbell(&l, &l.function[j],
					       p.func[k].doorbell_store);
			for (int f = 0; f < FIELD_N; f++)
				check_arg(&l.function[j], (enum field)f,
					  &p.func[k].arg[f], name);
		}
		if (found != 1)
			fail_msg("%s: %zu functions are '%s'", name, found,
				 p.func[k].pattern);
	}
	library_close(&l);
	profile_release(&p);
}

#define TEST(id, profile, library)                                                       \
	static void test_##id(void **state)                                              \
	{                                                                                \
		(void)state;                                                             \
		check_profile(profile, library);                                         \
	}

TEST(flx, "flx", "tests/profiles/stub_flx.so")
TEST(wupper, "wupper", "tests/profiles/stub_wupper.so")
TEST(edu, "edu", "tests/profiles/stub_edu.so")
TEST(riffa, "riffa", "tests/profiles/stub_riffa.so")
TEST(litepcie, "litepcie", "tests/profiles/stub_litepcie.so")
TEST(aws_f1, "aws-f1", "tests/profiles/stub_aws-f1.so")
TEST(plx, "plx", "tests/profiles/stub_plx.so")
TEST(xdma, "xdma", "tests/profiles/stub_libc.so")
TEST(qdma, "qdma", "tests/profiles/stub_libc.so")
TEST(blkdma, "blkdma", "examples/libblkdma.so")

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flx),	 cmocka_unit_test(test_wupper),
		cmocka_unit_test(test_edu),	 cmocka_unit_test(test_riffa),
		cmocka_unit_test(test_litepcie), cmocka_unit_test(test_aws_f1),
		cmocka_unit_test(test_plx),	 cmocka_unit_test(test_xdma),
		cmocka_unit_test(test_qdma),	 cmocka_unit_test(test_blkdma),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
