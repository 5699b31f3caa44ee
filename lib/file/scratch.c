/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/file/scratch.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/file/perfdata_impl.h"

static FILE *unnamed(void)
{
	const char *dir = getenv("TMPDIR");
	char name[4096];
	FILE *f = NULL;
	int fd;

	snprintf(name, sizeof(name), "%s/dmaanalyze.XXXXXX", dir && *dir ? dir : "/tmp");
	fd = mkostemp(name, O_CLOEXEC);
	if (fd >= 0) {
		unlink(name);
		f = fdopen(fd, "w+");
	}
	if (fd >= 0 && !f)
		close(fd);
	return f;
}

static int failed(struct scratch *s)
{
	return err_errno(s->e,
			 "%s: unpacking it into a temporary file (TMPDIR names another "
			 "place)",
			 s->p->name);
}

int scratch_open(struct scratch *s, struct perfdata *p, struct err *e)
{
	*s = (struct scratch){.p = p, .out = unnamed(), .e = e};
	return s->out ? 0 : failed(s);
}

int scratch_put(struct scratch *s, const void *buf, size_t len)
{
	if (len && fwrite(buf, len, 1, s->out) != 1)
		return failed(s);
	s->written += len;
	return 0;
}

int scratch_put_at(struct scratch *s, uint64_t at, const void *buf, size_t len)
{
	if (fseeko(s->out, (off_t)at, SEEK_SET) || fwrite(buf, len, 1, s->out) != 1 ||
	    fseeko(s->out, 0, SEEK_END))
		return failed(s);
	return 0;
}

int scratch_map(struct scratch *s)
{
	struct perfdata *p = s->p;
	void *map = MAP_FAILED;

	if (!fflush(s->out))
		map = mmap(NULL, s->written, PROT_READ, MAP_SHARED, fileno(s->out), 0);
	if (map == MAP_FAILED)
		return failed(s);
	if (perfdata_or_cut(p, 0, s->e)) { /* what was unpacked is not what stood there */
		munmap(map, s->written);
		return ERR_FORMAT;
	}
	perfdata_unmap(p);
	perfdata_map(p, map, s->written, -1);
	return 0;
}

void scratch_close(struct scratch *s)
{
	if (s->out)
		fclose(s->out);
	s->out = NULL;
}
