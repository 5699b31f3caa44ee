/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a person calls a function by: a name, a name with its parameters, or a pattern of
 * names. A '*' among parameters is a pointer. Knows nothing of files.
 */
#ifndef DMA_PATTERN_H
#define DMA_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

struct name_pattern {
	const char *text;
	char *name;	/* of text, without parameters */
	char *params;	/* as elf_parameters() writes them; NULL = any */
	bool glob;	/* * ? [] in the name */
	char word[256]; /* what a symbol's name must hold to fit; "" = nothing */
};

/* text must outlive it. ERR_NOMEM. */
int name_pattern_init(struct name_pattern *p, const char *text);
void name_pattern_release(struct name_pattern *p);

enum name_fit {
	FIT_NAME,
	FIT_BARE, /* the name leaves out what the function's types are made of:
		   * "Channel::f" for Channel<4>::f and <Channel<4> as Dma<&str>>::f */
	FIT_GLOB,
};

/* Does it name this function in that way: its symbol, demangled, and demangled without
 * parameters? */
bool name_pattern_fits(const struct name_pattern *p, const char *symbol,
		       const char *demangled, const char *qualified, enum name_fit how);

/* "ns::Card<int>::f<char>" -> "ns::Card::f"; "<Card<4> as Dma<&str>>::f" -> "<Card as Dma>::f".
 * malloc'ed. Pure. */
char *elf_bare(const char *qualified);

/* "(void *, size_t) const" -> "(void*,unsigned long)const": as two ways to write the same
 * types are the same text: blanks, `const T` and `T const`, size_t and the like (of a machine
 * whose long has 64 bits). malloc'ed. Pure. */
char *elf_parameters(const char *text);

/* The last part of "ns::f<int>": "f", and its length. */
const char *elf_last_component(const char *qualified, size_t *len);

/* A demangled name as it can be given back: without what a demangler adds. malloc'ed. */
char *elf_pasteable(const char *demangled);

#endif
