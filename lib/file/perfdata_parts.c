/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A recording in several files, each with a head and an end of its own (schema/FORMAT.md 1.1).
 * They are mapped one behind the other, so that an offset is one number for all, and reading
 * goes on in the next where the data of one end. Attributes and features are those of
 * the last file that its recorder finished: it knows all events. Of section 250 the first
 * half is the first file's, the second half that file's.
 */
#include "lib/file/perfdata_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/array.h"
#include "lib/dma.h"
#include "lib/err.h"
#include "lib/file/meta.h"

/* While the files are looked at one after another. */
struct parts {
	struct part *part;
	size_t n;
	struct perfdata *newest; /* of those that were finished; else the first */
	size_t newest_at;
	struct meta meta;   /* of the last file */
	bool unfinished;    /* the last file is */
	char *uuid, *begun; /* the first file's: section 250, first half */
	int64_t first, begin_ns, begin_wall_ns;
	int64_t *before; /* of each event: samples in all files but the last */
	size_t nbefore;
};

static const char *section_of(struct perfdata *p, size_t *len)
{
	const void *text;

	return perfdata_feature(p, FEAT_DMAREC, &text, len, NULL) > 0 ? text : NULL;
}

/* Where the second half begins: with the line `end`. */
static size_t first_half(const char *text, size_t len)
{
	static const char end[] = "\nend";
	const char *at = memmem(text, len, end, sizeof(end) - 1);

	return at ? (size_t)(at - text) + 1 : len;
}

/* *m is filled; false = the file says nothing of parts, or what nobody can read. */
static bool read_meta(struct perfdata *p, struct meta *m)
{
	size_t len;
	const char *text = section_of(p, &len);

	meta_init(m);
	if (!text || meta_parse(m, text, len, NULL))
		return false;
	if (m->uuid && m->part != DMA_UNKNOWN)
		return true;
	meta_release(m);
	return false;
}

/* ---- finding them ---- */

static int count_before(struct parts *s, struct err *e)
{
	while (s->nbefore < s->meta.nevent)
		if (!array_add(&s->before, &s->nbefore))
			return err_nomem(e, "the parts of a recording");
	for (size_t i = 0; i < s->meta.nevent; i++)
		if (s->meta.event[i].delivered != DMA_UNKNOWN)
			s->before[i] += s->meta.event[i].delivered;
	return 0;
}

/* Behind the last whole record of a file whose recorder was killed. */
static uint64_t whole_end(const struct perfdata *p)
{
	uint64_t at = p->data_begin;

	while (p->data_end - at >= RECORD_HEADER) {
		uint64_t size = get_u16(p->map + at + 6);

		if (size < RECORD_HEADER || size > p->data_end - at)
			break;
		at += size;
	}
	return at;
}

/* The file, opened, becomes the last of those that there are; p and m are taken. */
static int take(struct parts *s, struct perfdata *p, const struct meta *m, struct err *e)
{
	struct part *last = array_add(&s->part, &s->n), *before;
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	if (last) {
		before = last > s->part ? last - 1 : NULL;
		last->at =
			before ? (before->at + before->size + page - 1) & ~(page - 1) : 0;
		last->size = p->size;
		last->begin = last->at + p->data_begin;
		last->end = last->at + (p->truncated ? whole_end(p) : p->data_end);
		last->path = strdup(p->name);
	}
	meta_release(&s->meta);
	s->meta = *m;
	s->unfinished = p->truncated;
	if (last && (!p->truncated || s->n == 1)) {
		perfdata_close(s->newest);
		s->newest = p;
		s->newest_at = s->n - 1;
	} else {
		perfdata_close(p);
	}
	return last && last->path ? 0 : err_nomem(e, "the parts of a recording");
}

static int take_first(struct parts *s, struct perfdata *p, const struct meta *m,
		      struct err *e)
{
	size_t len;
	const char *text = section_of(p, &len);

	s->first = m->part;
	s->begin_ns = m->begin_ns;
	s->begin_wall_ns = m->begin_wall_ns;
	s->uuid = strdup(m->uuid);
	s->begun = strndup(text, first_half(text, len));
	if (take(s, p, m, e))
		return ERR_NOMEM;
	return s->uuid && s->begun ? 0 : err_nomem(e, "the parts of a recording");
}

/* Of what was not finished only one may follow, which was not either: the recorder was
 * killed while it went from the one to the other. */
static int check_next(const struct parts *s, const struct perfdata *p, struct err *e)
{
	if (!s->unfinished || (p->truncated && s->newest_at + 2 >= s->n))
		return 0;
	return err_set(
		e, ERR_FORMAT,
		"%s: was cut or damaged, and another part of its recording follows "
		"it; copy it again, or load the others one by one",
		s->part[s->n - 1].path);
}

/* 1 = there was another. */
static int take_next(struct parts *s, const char *path, struct err *e)
{
	int64_t number = s->first + (int64_t)s->n;
	struct perfdata *p = NULL;
	struct meta m;
	char *name;
	int rc;

	if (asprintf(&name, "%s.%04" PRId64, path, number) < 0)
		return err_nomem(e, "the parts of a recording");
	rc = access(name, F_OK) ? ERR_NOTFOUND : perfdata_open(&p, name, e);
	free(name);
	if (rc)
		return rc == ERR_NOTFOUND ? 0 : rc;
	if (!read_meta(p, &m)) {
		perfdata_close(p);
		return 0;
	}
	if (m.part == number && !strcmp(m.uuid, s->uuid)) {
		rc = check_next(s, p, e);
		rc = rc ? rc : count_before(s, e);
		rc = rc ? rc : take(s, p, &m, e);
		return rc ? rc : 1;
	}
	meta_release(&m); /* it lay there before */
	perfdata_close(p);
	return 0;
}

/* ---- what the whole says ---- */

static void put_warning(FILE *out, const char *path, int64_t part, const char *says)
{
	fputs("warning\ttext=", out);
	for (const char *c = path; *c; c++)
		fprintf(out, *c < ' ' || *c == '%' || *c == 0x7f ? "%%%02X" : "%c",
			(unsigned char)*c);
	fprintf(out, " is part %" PRId64 " of a recording: %s\n", part, says);
}

static void put_half(const struct parts *s, const char *text, size_t len, FILE *out)
{
	size_t from = first_half(text, len);
	const char *line = memchr(text + from, '\n', len - from);

	if (s->unfinished && line) /* when the whole ended is not known */
		from = (size_t)(line + 1 - text);
	fwrite(text + from, 1, len - from, out);
	fputc('\n', out);
}

static int compose(struct parts *s, char **text, size_t *size, struct err *e)
{
	size_t len, last = s->n - 1;
	const char *newest = section_of(s->newest, &len);
	FILE *out = open_memstream(text, size);

	if (!out)
		return err_nomem(e, "the parts of a recording");
	fprintf(out, "%s\n", s->begun);
	put_half(s, newest, len, out);
	if (s->n > 1)
		fprintf(out, "run\tbegin_ns=%" PRId64 "\tbegin_wall_ns=%" PRId64 "\n",
			s->begin_ns, s->begin_wall_ns);
	for (size_t i = 0; i < s->nbefore && i < s->meta.nevent; i++)
		if (s->meta.event[i].counted != DMA_UNKNOWN)
			fprintf(out, "event\tid=%zu\tcounted=%" PRId64 "\n", i,
				s->meta.event[i].counted + s->before[i]);
	if (s->first > 1) {
		fprintf(out, "run\tuuid=%s.%04" PRId64 "\n", s->uuid, s->first);
		put_warning(out, s->part[0].path, s->first,
			    "what was in flight when it begins was not seen to start, "
			    "and the first file of the recording loads all parts");
	}
	if (s->meta.more)
		put_warning(out, s->part[last].path, s->first + (int64_t)last,
			    "it goes on in the next, which is not loaded; what is in "
			    "flight at its end may have ended there");
	return fclose(out) ? err_nomem(e, "the parts of a recording") : 0;
}

/* ---- one reader of all ---- */

static int map_part(uint8_t *map, struct part *part, struct err *e)
{
	struct stat st;
	int fd = open(part->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), rc = 0;

	if (fd < 0)
		return err_errno(e, "%s: cannot open the recording", part->path);
	if (part->size && mmap(map + part->at, part->size, PROT_READ,
			       MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
		rc = err_errno(e, "%s: cannot map %" PRIu64 " bytes", part->path,
			       part->size);
	if (!rc && !fstat(fd, &st)) {
		part->dev = st.st_dev;
		part->ino = st.st_ino;
	}
	close(fd);
	return rc;
}

/* The newest file's reader reads all of them. */
static int map_all(struct parts *s, struct perfdata *p, struct err *e)
{
	const struct part *last = &s->part[s->n - 1];
	uint64_t size = last->at + last->size, shift = s->part[s->newest_at].at;
	uint8_t *map = mmap(NULL, size, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int rc = 0;

	if (map == MAP_FAILED)
		return err_errno(e, "%s: no address space for its %zu parts",
				 s->part[0].path, s->n);
	for (size_t i = 0; i < s->n && !rc; i++)
		rc = map_part(map, &s->part[i], e);
	if (rc) {
		munmap(map, size);
		return rc;
	}
	perfdata_unmap(p);
	perfdata_map(p, map, size, -1);
	for (unsigned i = 0; i < FEAT_BITS; i++)
		p->feature[i].offset += p->feature[i].size ? shift : 0;
	p->data_begin = s->part[0].begin;
	p->data_end = last->end;
	p->truncated = s->unfinished;
	return 0;
}

/* What was found goes to the reader; what is left is freed by release(). */
static int join(struct parts *s, struct err *e)
{
	struct perfdata *p = s->newest;
	int rc = compose(s, &p->meta, &p->nmeta, e);

	if (!rc && s->n > 1)
		rc = map_all(s, p, e);
	if (rc)
		return rc;
	free(p->name);
	p->name = strdup(s->part[0].path);
	p->part = s->part;
	p->npart = s->n;
	s->part = NULL;
	s->n = 0;
	order_reset(p);
	return p->name ? 0 : err_nomem(e, "the parts of a recording");
}

static void release(struct parts *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->part[i].path);
	free(s->part);
	free(s->before);
	free(s->uuid);
	free(s->begun);
	meta_release(&s->meta);
	perfdata_close(s->newest);
}

int perfdata_open_parts(struct perfdata **out, const char *path, struct err *e)
{
	struct parts s = {.n = 0};
	struct meta m;
	int rc = perfdata_open(out, path, e);

	if (rc || !read_meta(*out, &m))
		return rc;
	meta_init(&s.meta);
	rc = take_first(&s, *out, &m, e);
	*out = NULL;
	while (!rc && s.first == 1 && (rc = take_next(&s, path, e)) > 0)
		rc = 0;
	if (!rc)
		rc = join(&s, e);
	if (!rc) {
		*out = s.newest;
		s.newest = NULL;
	}
	release(&s);
	return rc;
}

size_t perfdata_nparts(const struct perfdata *p)
{
	return p->npart ? p->npart : 1;
}

const char *perfdata_part_path(const struct perfdata *p, size_t i)
{
	return i < p->npart ? p->part[i].path : p->name;
}
