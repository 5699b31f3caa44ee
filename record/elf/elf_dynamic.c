/* SPDX-License-Identifier: GPL-2.0-only */
/* ELF header, program headers and dynamic section (gABI chapters 4 and 5), and names of
 * libraries among a program's constants. */
#include "record/elf/elf_dynamic.h"

#include <ctype.h>
#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"

enum {
	/* The kernel runs no program with more (fs/binfmt_elf.c, load_elf_phdrs). */
	HEADERS_MAX_BYTES = 65536,
	/* Chosen: the largest dynamic sections seen have some hundred entries. */
	DYNAMIC_MAX = 1 << 16,
	NEEDED_MAX = 4096,
	STRING_MAX_BYTES = 1 << 16, /* search paths of package stores take kilobytes */
	STRING_FIRST_BYTES = 256,   /* first read of a string, then four times that */
	NAMES_MAX = 1024,
	NAME_MAX_BYTES = 250,
	SCAN_BYTES = 1 << 20,	    /* one read */
	SCAN_MAX_BYTES = 256 << 20, /* of one file: a bound for sparse files */
};

int regular_open(const char *path)
{
	char link[64];
	struct stat st;
	int at = open(path, O_PATH | O_CLOEXEC), fd = -1;

	if (at < 0)
		return -1;
	if (fstat(at, &st)) {
		/* errno says why */
	} else if (!S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
	} else {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", at);
		fd = open(link, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	}
	close(at);
	return fd;
}

static bool read_at(int fd, void *buf, size_t len, uint64_t offset)
{
	return offset <= INT64_MAX - len &&
	       pread(fd, buf, len, (off_t)offset) == (ssize_t)len;
}

/* At most max bytes, or what the file has; as a text. malloc'ed, NULL = not there, or it
 * does not end. */
static char *read_string(int fd, uint64_t offset, uint64_t max)
{
	char *text = NULL, *grown;

	if (offset > INT64_MAX - STRING_MAX_BYTES)
		return NULL;
	max = max < STRING_MAX_BYTES ? max : STRING_MAX_BYTES;
	for (uint64_t size = STRING_FIRST_BYTES;; size *= 4) {
		uint64_t want = size < max ? size : max;
		ssize_t got;

		grown = realloc(text, want + 1);
		if (!grown)
			break;
		text = grown;
		got = pread(fd, text, want, (off_t)offset);
		if (got > 0 && memchr(text, 0, (size_t)got))
			return text;
		if (got < (ssize_t)want || want == max)
			break;
	}
	free(text);
	return NULL;
}

/* ---- headers ---- */

struct header {
	uint64_t phoff;
	size_t phnum, phentsize;
};

static bool read_header(struct elf_dynamic *d, int fd, struct header *h)
{
	union {
		unsigned char ident[EI_NIDENT];
		Elf32_Ehdr e32;
		Elf64_Ehdr e64;
	} u;
	int data = __BYTE_ORDER == __LITTLE_ENDIAN ? ELFDATA2LSB : ELFDATA2MSB;

	if (!read_at(fd, &u.e32, sizeof(u.e32), 0) || memcmp(u.ident, ELFMAG, SELFMAG) ||
	    u.ident[EI_DATA] != data)
		return false;
	d->class = u.ident[EI_CLASS];
	if (d->class == ELFCLASS64 && read_at(fd, &u.e64, sizeof(u.e64), 0)) {
		d->type = u.e64.e_type;
		d->machine = u.e64.e_machine;
		*h = (struct header){u.e64.e_phoff, u.e64.e_phnum, sizeof(Elf64_Phdr)};
		return u.e64.e_phentsize == h->phentsize || !h->phnum;
	}
	if (d->class == ELFCLASS32) {
		d->type = u.e32.e_type;
		d->machine = u.e32.e_machine;
		*h = (struct header){u.e32.e_phoff, u.e32.e_phnum, sizeof(Elf32_Phdr)};
		return u.e32.e_phentsize == h->phentsize || !h->phnum;
	}
	return false;
}

static Elf64_Phdr program_header(const struct elf_dynamic *d, const char *table, size_t i)
{
	Elf64_Phdr p;
	Elf32_Phdr q;

	if (d->class == ELFCLASS64) {
		memcpy(&p, table + i * sizeof(p), sizeof(p));
		return p;
	}
	memcpy(&q, table + i * sizeof(q), sizeof(q));
	return (Elf64_Phdr){.p_type = q.p_type,
			    .p_flags = q.p_flags,
			    .p_offset = q.p_offset,
			    .p_vaddr = q.p_vaddr,
			    .p_filesz = q.p_filesz,
			    .p_memsz = q.p_memsz};
}

/* dynamic: the range of PT_DYNAMIC, size 0 = none. */
static int read_program_headers(struct elf_dynamic *d, int fd, const struct header *h,
				struct elf_range *dynamic, struct err *e)
{
	size_t size = h->phnum * h->phentsize;
	char *table;

	if (!size || size > HEADERS_MAX_BYTES)
		return 0;
	table = malloc(size);
	d->load = calloc(h->phnum, sizeof(*d->load));
	if (!table || !d->load) {
		free(table);
		return err_nomem(e, "a program");
	}
	for (size_t i = 0; i < h->phnum && (i || read_at(fd, table, size, h->phoff));
	     i++) {
		Elf64_Phdr p = program_header(d, table, i);
		struct elf_range r = {p.p_vaddr, p.p_offset, p.p_filesz, p.p_flags};

		if (p.p_type == PT_LOAD)
			d->load[d->nload++] = r;
		if (p.p_type == PT_DYNAMIC)
			*dynamic = r;
		if (p.p_type == PT_INTERP && !d->interp)
			d->interp = read_string(fd, p.p_offset,
						p.p_filesz < PATH_MAX ? p.p_filesz
								      : PATH_MAX);
	}
	free(table);
	return 0;
}

/* ---- the dynamic section ---- */

struct entry {
	int64_t tag;
	uint64_t value;
};

static struct entry dynamic_entry(const struct elf_dynamic *d, const char *table,
				  size_t i)
{
	Elf64_Dyn p;
	Elf32_Dyn q;

	if (d->class == ELFCLASS64) {
		memcpy(&p, table + i * sizeof(p), sizeof(p));
		return (struct entry){p.d_tag, p.d_un.d_val};
	}
	memcpy(&q, table + i * sizeof(q), sizeof(q));
	return (struct entry){q.d_tag, q.d_un.d_val};
}

struct strings {
	uint64_t offset, size; /* of the table in the file */
};

/* Where DT_STRTAB's address lies in the file. size 0 = nowhere. */
static struct strings find_strings(const struct elf_dynamic *d, const char *table,
				   size_t n)
{
	uint64_t addr = 0, size = 0;

	for (size_t i = 0; i < n; i++) {
		struct entry x = dynamic_entry(d, table, i);

		if (x.tag == DT_NULL)
			break;
		addr = x.tag == DT_STRTAB ? x.value : addr;
		size = x.tag == DT_STRSZ ? x.value : size;
	}
	for (size_t i = 0; i < d->nload; i++) {
		const struct elf_range *r = &d->load[i];

		if (addr < r->addr || addr - r->addr >= r->size ||
		    r->offset > UINT64_MAX - (addr - r->addr))
			continue;
		addr -= r->addr;
		return (struct strings){r->offset + addr,
					size < r->size - addr ? size : r->size - addr};
	}
	return (struct strings){0};
}

static void take(char **field, char *text)
{
	free(*field);
	*field = text;
}

static int add_needed(struct elf_dynamic *d, char *name, bool optional, struct err *e)
{
	char **grown;
	bool *more;

	if (!name || !*name || d->nneeded >= NEEDED_MAX) {
		free(name);
		return 0;
	}
	grown = reallocarray(d->needed, d->nneeded + 1, sizeof(*grown));
	if (grown)
		d->needed = grown;
	more = reallocarray(d->optional, d->nneeded + 1, sizeof(*more));
	if (more)
		d->optional = more;
	if (!grown || !more) {
		free(name);
		return err_nomem(e, "a program");
	}
	d->optional[d->nneeded] = optional;
	d->needed[d->nneeded++] = name;
	return 0;
}

static int take_entry(struct elf_dynamic *d, int fd, struct strings s, struct entry x,
		      struct err *e)
{
	char *text;

	if (x.tag == DT_FLAGS_1)
		d->nodeflib = (x.value & DF_1_NODEFLIB) != 0;
	if ((x.tag != DT_NEEDED && x.tag != DT_SONAME && x.tag != DT_RPATH &&
	     x.tag != DT_RUNPATH && x.tag != DT_FILTER && x.tag != DT_AUXILIARY) ||
	    x.value >= s.size || (x.tag == DT_NEEDED && d->nneeded >= NEEDED_MAX))
		return 0;
	text = read_string(fd, s.offset + x.value, s.size - x.value);
	if (x.tag == DT_SONAME)
		take(&d->soname, text);
	else if (x.tag == DT_RPATH)
		take(&d->rpath, text);
	else if (x.tag == DT_RUNPATH)
		take(&d->runpath, text);
	else
		return add_needed(d, text, x.tag == DT_AUXILIARY, e);
	return 0;
}

static int read_dynamic(struct elf_dynamic *d, int fd, const struct elf_range *at,
			struct err *e)
{
	size_t size = d->class == ELFCLASS64 ? sizeof(Elf64_Dyn) : sizeof(Elf32_Dyn);
	size_t n = at->size / size < DYNAMIC_MAX ? at->size / size : DYNAMIC_MAX;
	char *table = n ? malloc(n * size) : NULL;
	struct strings s;
	int rc = 0;

	if (n && !table)
		return err_nomem(e, "a program");
	if (!n || !read_at(fd, table, n * size, at->offset)) {
		free(table);
		return 0;
	}
	s = find_strings(d, table, n);
	for (size_t i = 0; i < n && !rc; i++) {
		struct entry x = dynamic_entry(d, table, i);

		if (x.tag == DT_NULL)
			break;
		rc = take_entry(d, fd, s, x, e);
	}
	free(table);
	if (d->runpath) /* ld.so(8): DT_RPATH counts only without DT_RUNPATH */
		take(&d->rpath, NULL);
	return rc;
}

int elf_dynamic_read(struct elf_dynamic *d, int fd, struct err *e)
{
	struct header h = {0};
	struct elf_range dynamic = {0};
	int rc;

	*d = (struct elf_dynamic){0};
	if (!read_header(d, fd, &h))
		return err_set(e, ERR_FORMAT, "not an ELF file of this machine");
	rc = read_program_headers(d, fd, &h, &dynamic, e);
	if (!rc)
		rc = read_dynamic(d, fd, &dynamic, e);
	if (rc)
		elf_dynamic_release(d);
	return rc;
}

void elf_dynamic_release(struct elf_dynamic *d)
{
	for (size_t i = 0; i < d->nneeded; i++)
		free(d->needed[i]);
	free(d->needed);
	free(d->optional);
	free(d->load);
	free(d->interp);
	free(d->soname);
	free(d->rpath);
	free(d->runpath);
	*d = (struct elf_dynamic){0};
}

/* ---- names among constants ---- */

struct names {
	char **name;
	size_t n;
};

static bool is_name(unsigned char c)
{
	return isalnum(c) || (c && strchr("._-+/$", c));
}

static int add_name(struct names *l, const char *name, size_t len, struct err *e)
{
	char **grown;

	for (size_t i = 0; i < l->n; i++)
		if (!strncmp(l->name[i], name, len) && !l->name[i][len])
			return 0;
	if (l->n >= NAMES_MAX)
		return 0;
	grown = reallocarray(l->name, l->n + 1, sizeof(*grown));
	if (!grown)
		return err_nomem(e, "a program");
	l->name = grown;
	if (!(grown[l->n] = strndup(name, len)))
		return err_nomem(e, "a program");
	l->n++;
	return 0;
}

/* The string around a ".so" of the text: from behind a NUL (or the segment's begin) to a
 * NUL. Length, 0 = it is no library's name. */
static size_t name_around(const char *text, size_t len, bool begin, const char *so,
			  const char **name)
{
	const char *p = so, *end = so + 3;

	while (p > text && so - p < NAME_MAX_BYTES && is_name((unsigned char)p[-1]))
		p--;
	while (end < text + len && (*end == '.' || isdigit((unsigned char)*end)))
		end++;
	*name = p;
	return p == so || (p > text ? p[-1] != 0 : !begin) || end == text + len || *end ||
			       end - p > NAME_MAX_BYTES
		       ? 0
		       : (size_t)(end - p);
}

static int scan_text(struct names *l, const char *text, size_t len, bool begin,
		     struct err *e)
{
	const char *so, *name, *p = text;
	int rc = 0;

	while (!rc && l->n < NAMES_MAX &&
	       (so = memmem(p, len - (size_t)(p - text), ".so", 3))) {
		size_t n = name_around(text, len, begin, so, &name);

		rc = n ? add_name(l, name, n, e) : 0;
		p = so + 3;
	}
	return rc;
}

/* Pieces overlap, so that a name on their border is whole in one of them. */
static int scan_range(struct names *l, int fd, const struct elf_range *r, char *text,
		      uint64_t *budget, struct err *e)
{
	const size_t overlap = NAME_MAX_BYTES + 2;
	uint64_t at = 0;
	int rc = 0;

	while (!rc && at < r->size && *budget && r->offset <= INT64_MAX - r->size) {
		uint64_t want = r->size - at < SCAN_BYTES ? r->size - at : SCAN_BYTES;
		ssize_t got = pread(fd, text, want, (off_t)(r->offset + at));

		if (got <= 0)
			break;
		rc = scan_text(l, text, (size_t)got, !at, e);
		*budget -= (uint64_t)got < *budget ? (uint64_t)got : *budget;
		if ((size_t)got <= overlap)
			break;
		at += (uint64_t)got - (at + (uint64_t)got < r->size ? overlap : 0);
	}
	return rc;
}

/* Constants stand beside the code only where the linker made no segment of their own. */
static bool apart(const struct elf_dynamic *d)
{
	for (size_t i = 0; i < d->nload; i++)
		if ((d->load[i].flags & (PF_R | PF_W | PF_X)) == PF_R)
			return true;
	return false;
}

int elf_dynamic_names(const struct elf_dynamic *d, int fd, char ***names, size_t *n,
		      struct err *e)
{
	struct names l = {0};
	uint64_t budget = SCAN_MAX_BYTES;
	char *text = malloc(SCAN_BYTES);
	int rc = text ? 0 : err_nomem(e, "a program");

	for (size_t i = 0; i < d->nload && !rc; i++)
		if (!(d->load[i].flags & PF_X) || !apart(d))
			rc = scan_range(&l, fd, &d->load[i], text, &budget, e);
	free(text);
	*names = l.name;
	*n = l.n;
	return rc;
}
