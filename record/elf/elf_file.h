/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of record/elf/symbols.h share: an open file, its functions by address, its
 * segments and its procedure linkage table; and single instructions. */
#ifndef DMA_ELF_FILE_H
#define DMA_ELF_FILE_H

#include <elfutils/libdwfl.h>
#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/file/mapguard.h"
#include "record/elf/care.h"
#include "record/elf/symbols.h"

struct elf_function {
	char *name;	 /* without @VERSION */
	char *demangled; /* NULL until it is asked for */
	uint64_t addr, size;
	bool ifunc;
};

struct elf_segment {
	uint64_t addr, size, offset; /* size: in the file */
	bool exec;
};

/* A slot of the global offset table that the loader fills with a function's address. */
struct elf_slot {
	uint64_t addr;
	char *name;
};

enum { GUARD_FILE, GUARD_MODULE, GUARD_DEBUG, GUARDS };

struct elf_file {
	char *path, *soname;
	int fd;
	Elf *elf;
	Dwfl *dwfl;
	Dwfl_Module *module;
	/* libelf maps the files that it reads: this one twice, and its debug file */
	struct mapguard guard[GUARDS];
	struct elf_care care; /* between elf_file_begin() and elf_file_end() */
	bool cut;	      /* told by that */
	bool finding;	      /* its debug file is looked for */
	bool has_shared;      /* what debug files share was found */
	int debug_fd;	      /* -1 = no debug file of its own was read */
	GElf_Addr bias;	      /* of addresses that libdwfl gives */
	uint16_t machine;
	bool textrel;		       /* the loader writes into its code */
	bool pie;		       /* a program, although it looks like a library */
	struct elf_function *function; /* by address */
	size_t nfunction;
	struct elf_segment *segment;
	size_t nsegment;
	struct elf_slot *slot;
	size_t nslot;
	struct {
		uint64_t addr, size;
	} plt[8];
	size_t nplt;
};

/* Around all that libelf and libdw read. Not nested. */
void elf_file_begin(struct elf_file *f);
void elf_file_end(struct elf_file *f);

/* Before DWARF is read, which may lie in a file of its own. false = there is none, or not all of
 * it. */
bool elf_file_guard_debug(struct elf_file *f);

/* Offset in the file of an address in a segment with code; false = there is none. */
bool elf_file_offset(const struct elf_file *f, uint64_t addr, uint64_t *offset,
		     uint64_t *room);

/* The function that begins there, or that covers the address; NULL = none. Of several at
 * one address, one with a size. */
struct elf_function *elf_function_at(struct elf_file *f, uint64_t addr);
struct elf_function *elf_function_over(struct elf_file *f, uint64_t addr);
struct elf_function *elf_function_named(struct elf_file *f, const char *name);
uint64_t elf_function_next(const struct elf_file *f, uint64_t addr); /* UINT64_MAX */

/* Is it in a procedure linkage table; and whose slot is at this address? */
bool elf_in_plt(const struct elf_file *f, uint64_t addr);
const char *elf_slot_name(const struct elf_file *f, uint64_t addr);

const char *elf_demangled(struct elf_function *s); /* "" without memory */
/* "void ns::f<int>(long) const [clone .cold]" -> "ns::f<int>"; malloc'ed. */
char *elf_qualified(const char *demangled);

/* What the name of a thunk says ("_ZThn16_N6MyCard8dma_waitEj", also _ZTv and _ZTc; Itanium
 * C++ ABI 5.1.4.4): behind the adjustments, the function's name without "_Z". NULL = no
 * thunk. vcall is 0 where there is none. Pure. */
const char *elf_thunk(const char *name, int64_t *this_plus, int64_t *vcall);

/* ---- instructions (record/elf/insn.c) ---- */

enum insn_kind {
	INSN_PLAIN,
	INSN_NOP,
	INSN_CALL,
	INSN_RET,
	INSN_JUMP,	  /* unconditional and direct */
	INSN_CONDITIONAL, /* direct */
	INSN_TABLE,	  /* indirect, through a table of a switch */
	INSN_INDIRECT,	  /* indirect, to another function */
	INSN_UNCLEAR,	  /* indirect, and it cannot be told which of the two */
	INSN_STOP,	  /* never goes on: ud2, hlt, brk */
};

struct insn {
	uint64_t addr, target; /* target: of a direct call or jump, else 0 */
	uint64_t slot;	       /* indirect: address of the slot it goes through, else 0 */
	uint8_t size;
	enum insn_kind kind;
	bool store;  /* writes to memory at a register plus disp */
	bool framed; /* ... and the register is the frame pointer, if there is one */
	bool frames; /* makes the frame pointer one */
	uint64_t constant; /* x86-64: address that a lea makes, 0 = none */
	int64_t disp;
	char stored
		[12]; /* what it writes: "%ax:u32", in the kernel's words; "" = no register's */
	char text[208];
};

/* ---- the body of a function (record/elf/code.c) ---- */

/* Its instructions by address; where its jumps, its tables of jumps and its landing pads
 * lead within it. tables_unknown: a table was seen whose targets are not among them. */
struct code_map {
	struct insn *insn;
	size_t n;
	uint64_t *target;
	size_t ntarget;
	bool tables_unknown;
};
/* ERR_UNSUPPORTED when the body cannot be decoded to its end. */
int code_map_make(struct code_map *m, struct elf_file *f, uint64_t function,
		  struct err *e);
void code_map_release(struct code_map *m);

/* Addresses that the unwinder may jump to in the function (.eh_frame, LSDA); appended to
 * a malloc'ed list. false = the tables could not be understood. */
bool elf_landing_pads(struct elf_file *f, uint64_t function, uint64_t **pad, size_t *n);

/* Bytes of the file at an address, as far as its segment has them; how many. */
size_t elf_file_bytes(const struct elf_file *f, uint64_t addr, void *buf, size_t len);

/* The address of an offset in a segment with code. */
bool elf_file_address(const struct elf_file *f, uint64_t offset, uint64_t *addr);

struct decoder;
/* ERR_UNSUPPORTED for a machine other than x86-64 and aarch64. */
int decoder_new(struct decoder **d, struct elf_file *f, struct err *e);
void decoder_free(struct decoder *d);
/* The instruction at this address. false = none that is known, or no code there. The
 * instructions before it must have been asked for in order, for INSN_TABLE to be seen. */
bool decoder_at(struct decoder *d, uint64_t addr, struct insn *out);

#endif
