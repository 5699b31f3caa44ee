/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/file/mapguard.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A signal handler knows nothing else. */
static struct mapguard *volatile guards;

static void on_bus_error(int signal_number, siginfo_t *info, void *context)
{
	uintptr_t at = (uintptr_t)info->si_addr, page = (uintptr_t)getpagesize();

	(void)context;
	for (struct mapguard *g = guards; g; g = g->next) {
		if (at - (uintptr_t)g->map >= g->size)
			continue;
		if (mmap((void *)(at & ~(page - 1)), page, PROT_READ,
			 MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
			break;
		g->touched = 1;
		return;
	}
	signal(signal_number, SIG_DFL); /* comes again, and ends the program */
}

void mapguard_add(struct mapguard *g, const void *map, size_t size, int fd)
{
	struct sigaction a = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};

	*g = (struct mapguard){.map = map, .size = size, .fd = fd, .next = guards};
	if (!guards)
		sigaction(SIGBUS, &a, NULL);
	guards = g;
}

void mapguard_anywhere(struct mapguard *g)
{
	mapguard_add(g, NULL, SIZE_MAX, -1);
}

void mapguard_remove(struct mapguard *g)
{
	struct mapguard *volatile *at = &guards;

	while (*at && *at != g)
		at = &(*at)->next;
	if (*at)
		*at = g->next;
	*g = (struct mapguard){.map = NULL, .fd = -1};
}

bool mapguard_cut(const struct mapguard *g)
{
	struct stat st;

	if (g->touched || !g->map || g->fd < 0)
		return g->touched;
	return !fstat(g->fd, &st) && (uint64_t)st.st_size < g->size;
}
