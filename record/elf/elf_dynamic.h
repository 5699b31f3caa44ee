/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an ELF file asks the loader for, read by pread alone: nothing of the file is run
 * or mapped (a file that shrinks meanwhile is a short read, no SIGBUS), every size that
 * the file gives is bounded before it is used, and every string ends within its table.
 */
#ifndef DMA_ELF_DYNAMIC_H
#define DMA_ELF_DYNAMIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* Read-only descriptor of a regular file; -1 with errno otherwise (EINVAL: a FIFO,
 * device, socket, directory). Neither waits for a FIFO's writer nor wakes a device: the
 * kind is looked at before the file is opened. */
int regular_open(const char *path);

struct elf_range {
	uint64_t addr, offset, size; /* size: bytes in the file */
	uint32_t flags;		     /* PF_R | PF_W | PF_X */
};

struct elf_dynamic {
	uint8_t class;		/* ELFCLASS32, ELFCLASS64 */
	uint16_t type, machine; /* ET_EXEC, ET_DYN, ...; EM_X86_64, ... */
	char *interp;		/* NULL = static, or a library */
	char *soname, *rpath, *runpath;
	bool nodeflib;	/* DF_1_NODEFLIB */
	char **needed;	/* DT_NEEDED, DT_FILTER and DT_AUXILIARY, in order */
	bool *optional; /* DT_AUXILIARY: goes without */
	size_t nneeded;
	struct elf_range *load; /* PT_LOAD */
	size_t nload;
};

/* ERR_FORMAT: no ELF file of this machine's byte order. What is damaged behind the file's
 * header counts as absent. */
int elf_dynamic_read(struct elf_dynamic *d, int fd, struct err *e);
void elf_dynamic_release(struct elf_dynamic *d);

/* Names of libraries among the program's constants ("libfoo.so", "/opt/x/libfoo.so.1"),
 * which it may give to dlopen: at most 1024 of the file's first 256 MiB, each once. */
int elf_dynamic_names(const struct elf_dynamic *d, int fd, char ***names, size_t *n,
		      struct err *e);

#endif
