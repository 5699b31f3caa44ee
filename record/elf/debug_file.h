/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMA_DEBUG_FILE_H
#define DMA_DEBUG_FILE_H

#include <elfutils/libdwfl.h>
#include <stdbool.h>

struct elf_file;

/* libdwfl's find_debuginfo, of modules whose userdata is their struct elf_file: the debug
 * file, opened, and its path (malloc'ed); -1 = there is none. A link that is not the
 * program's is what its DWARF shares with others. Regular files only, and of the same build: by build id, or
 * where one of both has none by the sum over its bytes. */
int debug_file_find(Dwfl_Module *module, void **userdata, const char *modname,
		    Dwarf_Addr base, const char *file, const char *link, GElf_Word sum,
		    char **debug_file);

/* Does it refer to a file that it shares with others? Where that was not found, libdw looks for
 * it by itself, and opens what it finds. */
bool debug_file_is_shared(Dwarf *d);

#endif
