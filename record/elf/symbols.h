/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Functions in ELF files: where they are, where they end, what their parameters are
 * called, and which files a command will load. Reads symbols from .symtab, .dynsym,
 * .gnu_debugdata and separate debug files (libdwfl's rules), DWARF where there is any;
 * decodes with capstone. Never guesses: a body that cannot be decoded whole is said so.
 */
#ifndef DMA_SYMBOLS_H
#define DMA_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

struct symbol {
	char *name;	     /* as in the symbol table */
	char *demangled;     /* "FlxCard::dma_wait(unsigned int)"; equal to name for C */
	char *qualified;     /* the same without parameters: "FlxCard::dma_wait" */
	uint64_t addr, size; /* virtual address in the file; size 0 = unknown */
	uint64_t offset;     /* of the first instruction in the file: what uprobes want */
	bool is_method; /* non-static member function as far as DWARF or mangling tells */
	bool plt_or_ifunc; /* an ifunc resolver: not the function itself */
	/* A thunk: the same function for callers that have a pointer to another base. The
	 * object is its `this` plus this_plus, and then, unless vcall is 0, plus the
	 * number at vcall in the table that stands there. */
	const char *thunk_of; /* within name, without "_Z"; NULL = no thunk */
	int64_t this_plus, vcall;
};

struct symbol_list {
	struct symbol *sym;
	size_t n;
};

struct elf_file;
int elf_file_open(struct elf_file **f, const char *path, struct err *e);
void elf_file_close(struct elf_file *f);
/* 0, or ERR_FORMAT: it was cut since it was opened, and what it gave may be zeros. */
int elf_file_whole(const struct elf_file *f, struct err *e);
const char *elf_file_path(const struct elf_file *f);
const char *elf_file_soname(const struct elf_file *f); /* NULL = none */
const char *elf_file_arch(const struct elf_file *f);   /* "x86_64", "aarch64" */
bool elf_file_has_symbols(const struct elf_file *f);   /* false: stripped whole */

/* Functions defined in f that pattern names: exact symbol name; demangled name with or
 * without parameters; the end of a qualified name ("dma_wait" fits FlxCard::dma_wait, and
 * "Card::f" fits ns::Card::f and Rust's <ns::Card as ns::Dma>::f, and, where nothing is
 * called so, ns::Card<int>::f); glob with
 * * ? [] over the qualified name. Parameters are no glob: "send(void *, size_t)" means what
 * it says; those of a C function are not compared. Doubles at one address (aliases) count
 * once. n = 0 is no error. */
int elf_file_find(struct elf_file *f, const char *pattern, struct symbol_list *out,
		  struct err *e);
void symbol_list_release(struct symbol_list *l);

bool elf_is_glob(const char *pattern);

/* Copies of s with other parameters (.constprop, .isra) or split off it (.part), which
 * may be called in its place and are not probed. */
size_t elf_file_clones(struct elf_file *f, const struct symbol *s);

/* In how many places of its own unit the compiler put the function's body in place of a call,
 * as DWARF tells; 0 without it. */
size_t elf_file_inlined(struct elf_file *f, const struct symbol *s);

/* Does s, a thunk, jump to its function or call it, perhaps by another thunk of the list?
 * Then that one's probes see its calls too; a thunk may also hold the whole body. 1, 0;
 * negative when it cannot be told. */
int elf_file_thunk_leads(struct elf_file *f, const struct symbol *s,
			 const struct symbol_list *l, struct err *e);

/* The nearest names for a message, by edit distance over their last parts; up to max,
 * malloc'ed. elf_file_find() finds them: with parameters where pattern has some. */
int elf_file_nearest(struct elf_file *f, const char *pattern, size_t max, char ***names,
		     size_t *n);

enum code_site_kind { SITE_RET, SITE_TAIL_JUMP, SITE_STORE, SITE_CALL };
struct code_site {
	enum code_site_kind kind;
	uint64_t offset; /* in the file */
	uint64_t addr;
	char stored
		[12]; /* by a store: "%ax:u32", in the kernel's words; "" = no register */
	char text[256]; /* the instruction, for --dry-run */
};
struct code_sites {
	struct code_site *site;
	size_t n;
	/* Of exits: a jump within the function goes to its first instruction, so that a
	 * probe there is hit by each turn of a loop; and does the function call others, out
	 * of which an exception may come? */
	bool loops, calls;
};
void code_sites_release(struct code_sites *s);

/* Every place where control leaves the function to its caller: ret, and jumps to another
 * function. A function of the same file that such a jump reaches returns for this one:
 * its exits count as this one's, unless this one calls it too. SITE_TAIL_JUMP is a jump
 * to another file: the end comes later, unseen. The body includes cold parts that the
 * compiler split off (NAME.cold). Size unknown: bounded by the next symbol and by
 * decoding. ERR_UNSUPPORTED with the reason when the body cannot be decoded to its end
 * (data in code, indirect jumps that may leave). */
int elf_file_exits(struct elf_file *f, const struct symbol *s, struct code_sites *out,
		   struct err *e);

/* Stores to memory with that displacement from a register (e.g. mov %eax,0x400(%rdx)) in
 * the body or, when there is none, in functions of the same file it calls directly (one
 * level). *where names the function they were found in (malloc'ed). n = 0 is no error. */
int elf_file_stores(struct elf_file *f, const struct symbol *s, int64_t displacement,
		    struct code_sites *out, char **where, struct err *e);

/* Every place where the body calls (or ends by a jump to) a function of that name,
 * directly, through the linkage table or through its slot; when it never does, in the
 * functions of the same file that it calls directly. n = 0 is no error. */
int elf_file_calls(struct elf_file *f, const struct symbol *s, const char *name,
		   struct code_sites *out, struct err *e);

/* Parameters by DWARF, `this` included as the first of a method. n = 0 without DWARF. */
struct parameter {
	char *name;
	uint8_t bytes;
	bool is_signed, is_pointer, is_float;
	int reg_index; /* 0-based integer-register argument number by the calling
			  convention; -1 = in memory or float register */
};
struct parameter_list {
	struct parameter *param;
	size_t n;
	bool returns_signed_int; /* a return value < 0 can mean an error */
	uint8_t return_bytes;	 /* 0 = void or unknown */
};
int elf_file_parameters(struct elf_file *f, const struct symbol *s,
			struct parameter_list *out, struct err *e);
void parameter_list_release(struct parameter_list *l);

/* The kernel's fetch argument for the n-th (from 1) integer argument at a function's
 * entry on this architecture: "%di", "%x0"; beyond the registers "+8($stack)" style. buf
 * of 32. NULL = impossible. */
const char *abi_argument(const char *arch, int n, char buf[32]);
const char *abi_return_value(const char *arch); /* "%ax", "%x0" */

/* Files that running argv will map: the executable (through PATH), its interpreter
 * (ld.so) left out, and every library it needs, as ld.so(8) says (nothing is run);
 * libraries whose names are among its strings (it may dlopen them); for a script its
 * interpreter, what `env` starts, and the programs that the script or the arguments name
 * (sh -c, taskset,
 * ...). Paths are resolved, without doubles. ERR_NOTFOUND when the command does not
 * exist. A library that is not found is skipped and named in *missing (malloc'ed text or
 * NULL). */
int loader_files(char *const *argv, char ***paths, size_t *n, char **missing,
		 struct err *e);
/* The same for a running process, from /proc/PID/maps: the files that it runs, by whatever
 * path reaches them (record/elf/mapped.h). *told: sentences about those whose path is not the
 * one that the process opened, a newline between them; malloc'ed or NULL. */
int loader_files_of_pid(int pid, char ***paths, size_t *n, char **told, struct err *e);
void paths_free(char **paths, size_t n);

#endif
