/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DMA_SPLIT_H
#define DMA_SPLIT_H

#include <elfutils/libdw.h>
#include <stdbool.h>

#include "record/elf/elf_file.h"

/* May libdw look for the .dwo file of this unit (or for the .dwp of all)? It opens what it finds
 * by name, and waits for the writer of a pipe: so only where regular files or nothing can be
 * found, and nobody but root and the invoking user can change that meanwhile. */
bool split_may_be_read(struct elf_file *f, Dwarf_Die *unit);

#endif
