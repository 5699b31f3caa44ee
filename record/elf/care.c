/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/elf/care.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	/* Chosen: what libdw needs by itself is a few MiB. */
	ROOM_BYTES = 64 << 20,
	/* libdwfl maps a file so that it counts as data, holes too; of a larger one, which
	 * has no holes, the next covers it. */
	ROOM_MAPPED_BYTES = 256 << 20,
	/* Chosen: compilers' debug sections shrink to a quarter (zlib, zstd), symbols of
	 * .gnu_debugdata to a fifth (xz). */
	ROOM_TIMES = 16,
	BLOCK_BYTES = 512, /* of st_blocks */
};

/* Private memory that can be written; 0 = /proc does not say. */
static rlim_t data_bytes(void)
{
	char text[128]; /* "size resident shared text lib data dt", in pages (proc(5)) */
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	unsigned long pages = 0;

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	if (sscanf(text, "%*u %*u %*u %*u %*u %lu", &pages) != 1)
		return 0;
	return (rlim_t)pages * (rlim_t)getpagesize();
}

static rlim_t room_for(int fd)
{
	rlim_t mapped;
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return 0;
	mapped = (rlim_t)st.st_size;
	return (mapped < ROOM_MAPPED_BYTES ? mapped : ROOM_MAPPED_BYTES) +
	       (rlim_t)st.st_blocks * BLOCK_BYTES * ROOM_TIMES;
}

static void limit(struct elf_care *c, rlim_t bytes)
{
	struct rlimit now = {bytes, c->was.rlim_max};

	if (c->was.rlim_cur == RLIM_INFINITY || bytes < c->was.rlim_cur)
		c->limited = !setrlimit(RLIMIT_DATA, &now);
	else if (c->limited)
		setrlimit(RLIMIT_DATA, &c->was);
}

void elf_care_begin(struct elf_care *c, int fd)
{
	rlim_t held = data_bytes();

	c->limited = false;
	mapguard_anywhere(&c->anywhere);
	if (held && !getrlimit(RLIMIT_DATA, &c->was))
		limit(c, held + ROOM_BYTES + room_for(fd));
}

void elf_care_more(struct elf_care *c, int fd)
{
	struct rlimit now;

	if (c->limited && !getrlimit(RLIMIT_DATA, &now))
		limit(c, now.rlim_cur + room_for(fd));
}

bool elf_care_end(struct elf_care *c)
{
	bool gone = mapguard_touched(&c->anywhere);

	if (c->limited)
		setrlimit(RLIMIT_DATA, &c->was);
	mapguard_remove(&c->anywhere);
	return gone;
}
