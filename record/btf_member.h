/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Members of structures that the kernel's functions are given, by the types that the kernel
 * tells of itself (BTF: /sys/kernel/btf/vmlinux, and one of each module that was built with
 * it): "arg2->len", "arg1->irq_data.irq", "arg1->bus->number", and "(xdma_engine)arg2->dir"
 * where the function's own parameter is no pointer to a structure.
 */
#ifndef DMA_BTF_MEMBER_H
#define DMA_BTF_MEMBER_H

struct btf;
struct err;

struct arg_spec;

enum { BTF_MEMBER_TEXT = 128 };

/* Where the member of a (of ARG_MEMBER) lies, as the kernel's own syntax has it, without a
 * type, where its argument is at `where` ("%si"); and its type ("u32"), or "" where it is no
 * number. function: without its module. Pure. */
int btf_member_place(const struct btf *btf, const char *function,
		     const struct arg_spec *a, const char *where,
		     char place[BTF_MEMBER_TEXT], char type[8], struct err *e);

/* The types of this kernel, and of a module (NULL = none); to be freed by btf_types_free().
 * ERR_UNSUPPORTED where they are not told. */
struct btf_types {
	struct btf *vmlinux, *module;
};
int btf_types_load(struct btf_types *t, const char *module, struct err *e);
void btf_types_free(struct btf_types *t);
static inline const struct btf *btf_types_of(const struct btf_types *t)
{
	return t->module ? t->module : t->vmlinux;
}

#endif
