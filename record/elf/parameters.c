/* SPDX-License-Identifier: GPL-2.0-only */
/* A function's parameters, from DWARF. */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/err.h"
#include "record/elf/debug_file.h"
#include "record/elf/elf_file.h"
#include "record/elf/split.h"

enum type_class { CLASS_INT, CLASS_FLOAT, CLASS_UNCLEAR };

struct type {
	enum type_class class;
	uint8_t bytes;
	bool is_signed, is_pointer, is_void;
};

static bool type_die(Dwarf_Die *die, Dwarf_Die *out)
{
	Dwarf_Attribute a;

	return dwarf_attr_integrate(die, DW_AT_type, &a) && dwarf_formref_die(&a, out) &&
	       dwarf_peel_type(out, out) >= 0;
}

static struct type base_type(Dwarf_Die *t)
{
	struct type out = {.class = CLASS_INT};
	Dwarf_Word encoding = 0, bytes = 0;
	Dwarf_Attribute a;

	if (dwarf_attr_integrate(t, DW_AT_encoding, &a))
		dwarf_formudata(&a, &encoding);
	if (dwarf_attr_integrate(t, DW_AT_byte_size, &a))
		dwarf_formudata(&a, &bytes);
	out.bytes = bytes <= 255 ? (uint8_t)bytes : 0;
	out.is_signed = encoding == DW_ATE_signed || encoding == DW_ATE_signed_char;
	if (encoding == DW_ATE_float)
		out.class = bytes <= 8 ? CLASS_FLOAT : CLASS_UNCLEAR;
	else if (bytes > 8 || encoding == DW_ATE_complex_float)
		out.class = CLASS_UNCLEAR;
	return out;
}

/* How the type of die (a parameter, or a function for its result) is passed. */
static struct type type_of(Dwarf_Die *die)
{
	struct type out = {.class = CLASS_INT, .bytes = 8};
	Dwarf_Die t;

	if (!type_die(die, &t))
		return (struct type){.is_void = true};
	switch (dwarf_tag(&t)) {
	case DW_TAG_base_type:
		return base_type(&t);
	case DW_TAG_enumeration_type:
		out = base_type(&t);
		out.bytes = out.bytes ? out.bytes : 4;
		out.class = CLASS_INT;
		return out;
	case DW_TAG_pointer_type:
	case DW_TAG_reference_type:
	case DW_TAG_rvalue_reference_type:
		out.is_pointer = true;
		return out;
	default:
		out.class =
			CLASS_UNCLEAR; /* by value: in registers, memory, or a pointer */
		out.bytes = 0;
		return out;
	}
}

static bool begins_at(Dwarf_Die *die, Dwarf_Addr pc)
{
	Dwarf_Addr low;

	return dwarf_tag(die) == DW_TAG_subprogram &&
	       ((!dwarf_entrypc(die, &low) && low == pc) ||
		(!dwarf_lowpc(die, &low) && low == pc));
}

/* Depth first: methods may be nested in classes and namespaces. */
static bool search(Dwarf_Die *parent, Dwarf_Addr pc, int depth, Dwarf_Die *out)
{
	Dwarf_Die die;
	int rc = depth > 16 ? 1 : dwarf_child(parent, &die);

	for (; !rc; rc = dwarf_siblingof(&die, &die)) {
		if (begins_at(&die, pc)) {
			*out = die;
			return true;
		}
		switch (dwarf_tag(&die)) {
		case DW_TAG_namespace:
		case DW_TAG_module:
		case DW_TAG_class_type:
		case DW_TAG_structure_type:
			if (search(&die, pc, depth + 1, out))
				return true;
			break;
		default:
			break;
		}
	}
	return false;
}

/* With -gsplit-dwarf the file has a skeleton of each unit; what it holds lies in a .dwo. */
static bool search_unit(struct elf_file *f, Dwarf_Die *cu, Dwarf_Addr pc, Dwarf_Die *out)
{
	Dwarf_Die split = {0};

	if (split_may_be_read(f, cu) &&
	    !dwarf_cu_info(cu->cu, NULL, NULL, NULL, &split, NULL, NULL, NULL) &&
	    split.cu && !debug_file_is_shared(dwarf_cu_getdwarf(split.cu)))
		cu = &split;
	return search(cu, pc, 0, out);
}

static bool find_function(struct elf_file *f, uint64_t addr, Dwarf_Die *out)
{
	Dwarf_Addr bias = 0;
	Dwarf_Die *cu;

	if (!elf_file_guard_debug(f))
		return false;
	cu = dwfl_module_addrdie(f->module, addr + f->bias, &bias);
	if (cu)
		return search_unit(f, cu, addr + f->bias - bias, out);
	while ((cu = dwfl_module_nextcu(f->module, cu, &bias)))
		if (search_unit(f, cu, addr + f->bias - bias, out))
			return true;
	return false;
}

static int add_parameter(struct parameter_list *l, Dwarf_Die *die, int *next,
			 struct err *e)
{
	struct parameter *q = array_add(&l->param, &l->n);
	Dwarf_Attribute a;
	const char *name =
		dwarf_attr_integrate(die, DW_AT_name, &a) ? dwarf_formstring(&a) : NULL;
	struct type t = type_of(die);

	if (!q)
		return err_nomem(e, "a program");
	*q = (struct parameter){.name = strdup(name ? name : ""),
				.bytes = t.bytes,
				.is_signed = t.is_signed,
				.is_pointer = t.is_pointer,
				.is_float = t.class == CLASS_FLOAT,
				.reg_index = -1};
	if (t.class == CLASS_UNCLEAR)
		*next = -1; /* what follows may be anywhere */
	if (t.class == CLASS_INT && *next >= 0)
		q->reg_index = (*next)++;
	return q->name ? 0 : err_nomem(e, "a program");
}

static int read_parameters(struct elf_file *f, const struct symbol *s,
			   struct parameter_list *out, struct err *e)
{
	Dwarf_Die fn, die;
	struct type result;
	int next = 0, rc;

	*out = (struct parameter_list){0};
	if (!find_function(f, s->addr, &fn))
		return 0;
	result = type_of(&fn);
	if (result.class == CLASS_UNCLEAR)
		next = -1; /* a hidden pointer may come first */
	else if (!result.is_void && result.class == CLASS_INT) {
		out->return_bytes = result.bytes;
		out->returns_signed_int = result.is_signed;
	}
	for (rc = dwarf_child(&fn, &die); !rc; rc = dwarf_siblingof(&die, &die))
		if (dwarf_tag(&die) == DW_TAG_formal_parameter &&
		    add_parameter(out, &die, &next, e)) {
			parameter_list_release(out);
			return ERR_NOMEM;
		}
	return 0;
}

int elf_file_parameters(struct elf_file *f, const struct symbol *s,
			struct parameter_list *out, struct err *e)
{
	int rc;

	elf_file_begin(f);
	rc = read_parameters(f, s, out, e);
	elf_file_end(f);
	return rc;
}

static int count_one(Dwarf_Die *die, void *arg)
{
	(void)die;
	++*(size_t *)arg;
	return DWARF_CB_OK;
}

/* A function that was inlined somewhere, and stands by itself too, has what both share in a
 * DIE of its own. */
static size_t count_inlined(struct elf_file *f, const struct symbol *s)
{
	Dwarf_Attribute a;
	Dwarf_Die fn, origin;
	size_t n = 0;

	if (!find_function(f, s->addr, &fn) ||
	    !dwarf_attr(&fn, DW_AT_abstract_origin, &a) ||
	    !dwarf_formref_die(&a, &origin))
		return 0;
	dwarf_func_inline_instances(&origin, count_one, &n);
	return n;
}

size_t elf_file_inlined(struct elf_file *f, const struct symbol *s)
{
	size_t n;

	elf_file_begin(f);
	n = count_inlined(f, s);
	elf_file_end(f);
	return n;
}

void parameter_list_release(struct parameter_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->param[i].name);
	free(l->param);
	*l = (struct parameter_list){0};
}
