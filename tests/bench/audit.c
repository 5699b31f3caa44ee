// SPDX-License-Identifier: GPL-2.0-only
/* What LD_AUDIT costs: la_x86_64_gnu_pltenter for every call of dma_wait, which reads the
 * clock and keeps it, as a probe must. */
#include <link.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

static __thread struct timespec kept[1024];
static __thread unsigned long n;

unsigned la_version(unsigned v)
{
	return v;
}

unsigned la_objopen(struct link_map *map, Lmid_t id, uintptr_t *cookie)
{
	(void)map;
	(void)id;
	(void)cookie;
	return LA_FLG_BINDTO | LA_FLG_BINDFROM;
}

uintptr_t la_symbind64(Elf64_Sym *sym, unsigned i, uintptr_t *from, uintptr_t *to,
		       unsigned *flags, const char *name)
{
	(void)i;
	(void)from;
	(void)to;
	if (strcmp(name, "dma_wait"))
		*flags |= LA_SYMB_NOPLTENTER | LA_SYMB_NOPLTEXIT;
	else
		*flags |= LA_SYMB_NOPLTEXIT;
	return sym->st_value;
}

#ifdef __x86_64__
Elf64_Addr la_x86_64_gnu_pltenter(Elf64_Sym *sym, unsigned i, uintptr_t *from,
				  uintptr_t *to, La_x86_64_regs *regs, unsigned *flags,
				  const char *name, long *frame)
{
	(void)i;
	(void)from;
	(void)to;
	(void)regs;
	(void)flags;
	(void)name;
	*frame = -1;
	clock_gettime(CLOCK_MONOTONIC, &kept[n++ % 1024]);
	return sym->st_value;
}
#endif
