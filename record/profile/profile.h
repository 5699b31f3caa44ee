/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What to probe and how to read it: a card's library in a dozen lines of INI,
 * or one function as the options --start and --wait give it. The format for people is in
 * doc/dmarec-profile.5.scd. Unknown keys, doubled keys and bad values are errors with
 * file and line.
 */
#ifndef DMA_PROFILE_H
#define DMA_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/dma.h"
#include "lib/field.h"
#include "lib/file/meta.h"
#include "record/profile/profile_kernel.h"
#include "record/profile/profile_register.h"

struct err;

enum func_role {
	FUNC_START,    /* returns when the transfer has begun */
	FUNC_TRANSFER, /* starts and returns only when the transfer has ended */
	FUNC_WAIT,
	FUNC_STOP,
	FUNC_N
};

enum arg_kind {
	ARG_NONE,  /* not known */
	ARG_INDEX, /* the n-th argument, from 1, by the calling convention; `this` is arg1
		      of a method */
	/* the kernel's own syntax, whole in text: %cx:u64, +8(%si):u32, $stack0 */
	ARG_EXPR,
	ARG_CONST,
	ARG_NAME, /* the parameter of that name (DWARF); text */
	/* of a function of the kernel: the member `text` ("queue.number", "bus->number") of
	   the structure that an argument points to */
	ARG_MEMBER,
	ARG_RETURN, /* the return value, of `type`; only FIELD_RET and FIELD_SIZE */
};

struct arg_spec {
	enum arg_kind kind;
	int index;
	/* ARG_INDEX: the value is at *(argN + deref); else deref is -1. */
	bool has_deref;
	int64_t deref;
	char type[8]; /* u8 .. s64, x64; "" = u64, or what DWARF says. Of ARG_EXPR it is
			  in text too */
	char *text;   /* expression or name */
	/* ARG_MEMBER: the structure, where the profile says which; NULL = the function's */
	char *structure;
	int64_t value; /* constant */
};

/* Must a file of the workload define it? By its role: a start and a wait must, a stop need
 * not, and of the built-in default none. */
enum func_need { NEED_BY_ROLE, NEED_REQUIRED, NEED_OPTIONAL };

struct func_spec {
	char *pattern; /* C name, C++ qualified name, glob, or mangled name */
	enum func_role role;
	enum direction direction;
	bool method; /* an argument is `this`: the function is a C++ method, its arg1 */
	struct arg_spec arg[FIELD_N];
	int64_t size_unit; /* bytes for each unit of FIELD_SIZE; 0 = 1 */
	/* displacement of the store that starts; -1 = not known */
	int64_t doorbell_store;
	/* ... or the function whose call starts; NULL = not known. */
	char *doorbell_call;
	/* the store is to a register whose bits are the channels, by a [register] */
	bool doorbell_bits;
	struct condition when, fail, pending, circular, from_host;
	/* a start while the channel runs, with the same arguments, is no new transfer */
	bool restarts;
	enum func_need need;
	struct meta_path *path;
	size_t npath;
	char *origin; /* "flx.ini", "--start", "default": for messages */
	int line;
};

struct profile_counter {
	char *file;    /* "/proc/flx" */
	char *pattern; /* POSIX extended regex with one or two groups: [name,] value */
	char *name;    /* prefix of the counter's name; NULL = none */
};

/* When dmarec may take this profile by itself. */
enum profile_auto {
	/* one of its start functions is defined in a file of the workload */
	AUTO_FUNCTIONS,
	AUTO_LIBRARY, /* ... and a library of these sonames is among them */
	AUTO_NO, /* only when it is named: its functions are everyone's (read, write) */
};

struct profile {
	char *name, *title, *source; /* source: where its facts come from */
	char *path; /* file it was read from; NULL = built from options */
	enum profile_auto automatic;
	char **library; /* globs of sonames where functions are looked for first */
	size_t nlibrary;
	struct func_spec *func;
	size_t nfunc;
	char **device; /* names in /proc/interrupts */
	size_t ndevice;
	struct {
		uint16_t vendor, device;
	} * pci;
	size_t npci;
	/* Vector index (not number) that ends transfers; channel DMA_UNKNOWN = all. */
	struct {
		int32_t vector;
		int64_t channel;
	} * vector;
	size_t nvector;
	enum pairing pairing;
	struct profile_counter *counter;
	size_t ncounter;
	char **count; /* events of the machine's counting units */
	size_t ncount;
	struct kernel_spec *kernel; /* events of the kernel, with keys */
	size_t nkernel;
	struct register_spec *reg; /* that say which channels run */
	size_t nreg;
	enum watch_mode watch; /* whether they are read without being asked to */
	int64_t watch_every_ns;
};

void profile_init(struct profile *p);
void profile_release(struct profile *p);

/* 0; or negative with "file:line: ..." in the error. */
int profile_read(struct profile *p, const char *path, struct err *e);
int profile_read_mem(struct profile *p, const char *text, const char *name,
		     struct err *e);

/* NAME or FILE: a value with '/' or ending in .ini is a file; else NAME.ini is looked for
 * in $XDG_CONFIG_HOME/dmarec/profiles (or ~/.config/...), in $DMAREC_PROFILES, then in
 * dmarec/profiles of $XDG_DATA_HOME (or ~/.local/share) and of $XDG_DATA_DIRS, in
 * ../share/dmarec/profiles from the program or examples/profiles of its build tree, in the
 * built-in prefix, /usr/local/share and /usr/share. *path is malloc'ed. An unknown name
 * lists those there are. */
int profile_find(const char *name_or_file, char **path, struct err *e);

/* Paths of every profile that profile_find would reach, nearest first, shadowed ones left
 * out, and those that anyone but root and the invoking user can write (record/host/trust.h). */
struct profile_paths {
	char **path;
	size_t n;
	char *refused; /* the first that others can write, and why; NULL = none */
};
int profile_list(struct profile_paths *out, struct err *e);
void profile_paths_release(struct profile_paths *p);

/* Is it a library of this profile: the file's base name, or the soname, fits one of the
 * globs? */
bool profile_is_library(const struct profile *p, const char *file);

/* The built-in default: dma_from_host, dma_to_host, dma_wait, dma_stop, any arguments
 * unknown. */
int profile_default(struct profile *p, struct err *e);

/* One --start/--wait/--stop value in the kernel's argument syntax with our field names:
 * "dma_to_host id=%di:u32 size=%dx:u64", "fpga_send channel=arg2 size=arg4*4
 * direction=from_host". Fields may go by any of their words (lib/field.h). Appends to
 * p->func. */
int profile_add_func(struct profile *p, enum func_role role, const char *text,
		     const char *origin, struct err *e);

/* Is it an error when no function of the workload fits? */
bool func_required(const struct func_spec *f);

/* "[wait FlxCard::dma_wait] (flx.ini:20)", "--start dma_go": for messages. malloc'ed. */
char *func_describe(const struct func_spec *f);

#endif
