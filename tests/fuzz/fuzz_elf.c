/* SPDX-License-Identifier: GPL-2.0-only */
/* ELF files from anywhere, as the search for libraries reads them: no crash, no leak, and
 * no more than the bounds that the header names. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/err.h"
#include "record/elf/elf_dynamic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct elf_dynamic *d, int fd)
{
	char **name;
	size_t n;

	if (d->nneeded > 4096 || (d->runpath && d->rpath))
		abort();
	if (elf_dynamic_names(d, fd, &name, &n, NULL) || n > 1024)
		abort();
	for (size_t i = 0; i < n; i++) {
		if (!strstr(name[i], ".so") || strlen(name[i]) > 250)
			abort();
		free(name[i]);
	}
	free(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("elf", MFD_CLOEXEC);
	struct elf_dynamic d;
	struct err e = {0};

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	if (!elf_dynamic_read(&d, fd, &e)) {
		check(&d, fd);
		elf_dynamic_release(&d);
	}
	close(fd);
	return 0;
}
