/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writing a perf.data file as it grows: what is needed to read it goes first, so that a
 * killed recorder leaves something that can be analysed. Appending copies into one
 * buffer; the file sees writes of BUFFER bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/file/perfdata_impl.h"

enum { BUFFER = 1 << 20, DATA_ALIGN = 4096, FINISHED_ROUND = 68 };

struct perfdata_writer {
	char *path;
	int fd;
	uint8_t *buf;
	size_t nbuf;
	uint64_t offset; /* in the file, behind what was written */
	uint64_t data_offset, round_offset;
	uint8_t header[HEADER_SIZE];
	struct feature feature[FEAT_BITS];
	/* the directory's entry of FEAT_DMAREC: where its offset is */
	uint64_t meta_entry;
	uint8_t *early_meta; /* a copy of the first half of FEAT_DMAREC */
	size_t nearly_meta;
	const struct perfdata_attr
		*attrs; /* all, when more came; NULL = the first ones */
	size_t nattrs;
};

static void put_u64_at(uint8_t *to, uint64_t v)
{
	memcpy(to, &v, sizeof(v));
}

static int write_all(struct perfdata_writer *w, const void *buf, size_t len,
		     uint64_t offset, struct err *e)
{
	const uint8_t *from = buf;

	while (len) {
		ssize_t n = pwrite(w->fd, from, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n ? errno : ENOSPC;
			return err_errno(e,
					 "%s: cannot write %zu bytes at offset %" PRIu64,
					 w->path, len, offset);
		}
		from += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

int perfdata_flush(struct perfdata_writer *w, struct err *e)
{
	int rc = write_all(w, w->buf, w->nbuf, w->offset, e);

	if (!rc) {
		w->offset += w->nbuf;
		w->nbuf = 0;
	}
	return rc;
}

int perfdata_append(struct perfdata_writer *w, const void *buf, size_t len, struct err *e)
{
	int rc = len > BUFFER - w->nbuf ? perfdata_flush(w, e) : 0;

	if (rc || !len)
		return rc;
	if (len >= BUFFER) {
		rc = write_all(w, buf, len, w->offset, e);
		w->offset += rc ? 0 : len;
		return rc;
	}
	memcpy(w->buf + w->nbuf, buf, len);
	w->nbuf += len;
	return 0;
}

uint64_t perfdata_written(const struct perfdata_writer *w)
{
	return w->offset + w->nbuf;
}

int perfdata_round(struct perfdata_writer *w, struct err *e)
{
	static const struct perf_event_header round = {FINISHED_ROUND, 0, sizeof(round)};
	int rc;

	if (perfdata_written(w) == w->round_offset)
		return 0;
	rc = perfdata_append(w, &round, sizeof(round), e);
	w->round_offset = perfdata_written(w);
	return rc;
}

static int pad_to(struct perfdata_writer *w, uint64_t align, struct err *e)
{
	static const uint8_t zeros[DATA_ALIGN];

	return perfdata_append(w, zeros, (size_t)(-perfdata_written(w) & (align - 1)), e);
}

/* ---- the beginning ---- */

/* Names are looked up in a directory that is opened once: it cannot become another one in
 * between. *base is within path. */
static int open_dir(const char *path, const char **base, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	int fd = dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	*base = slash ? slash + 1 : path;
	if (!dir)
		return err_nomem(e, "%s", path);
	if (fd < 0)
		err_errno(e, "%s: its directory cannot be opened", path);
	free(dir);
	return fd;
}

static bool is_other_users(const struct stat *st, const struct perfdata_owner *owner)
{
	return st->st_uid != geteuid() && (!owner || st->st_uid != owner->uid);
}

static int keep_old(int dir, const char *base, const char *path,
		    const struct perfdata_owner *owner, struct err *e)
{
	struct stat st;
	char *old = NULL;
	int rc = 0;

	if (fstatat(dir, base, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : err_errno(e, "%s: cannot be examined", path);
	if (S_ISDIR(st.st_mode))
		return err_set(e, ERR_IO,
			       "%s: is a directory; name a file to record into", path);
	if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
		return err_set(e, ERR_IO,
			       "%s: is no regular file; a recording "
			       "cannot go into a pipe or device",
			       path);
	if (asprintf(&old, "%s.old", base) < 0)
		return err_nomem(e, "%s", path);
	if (!fstatat(dir, old, &st, AT_SYMLINK_NOFOLLOW) && is_other_users(&st, owner))
		rc = err_set(e, ERR_PERM,
			     "%s.old: belongs to another user (%u) and would be "
			     "replaced; name another file",
			     path, (unsigned)st.st_uid);
	else if (renameat(dir, base, dir, old))
		rc = err_errno(e, "%s: cannot be renamed to %s", path, old);
	free(old);
	return rc;
}

/* For its owner alone: it holds command lines, addresses and a driver's counters. */
static int create(struct perfdata_writer *w, const struct perfdata_owner *owner,
		  struct err *e)
{
	const char *base;
	int dir = open_dir(w->path, &base, e), rc;

	if (dir < 0)
		return e && e->code ? e->code : ERR_IO;
	rc = keep_old(dir, base, w->path, owner, e);
	if (!rc) {
		w->fd = openat(dir, base,
			       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			       0600);
		if (w->fd < 0)
			rc = err_errno(e, "%s: cannot create it", w->path);
		else if (owner && owner->uid != geteuid() &&
			 fchown(w->fd, owner->uid, owner->gid))
			rc = err_errno(e, "%s: cannot be given to user %u", w->path,
				       (unsigned)owner->uid);
	}
	close(dir);
	return rc;
}

static int writer_new(struct perfdata_writer **out, const char *path, struct err *e)
{
	struct perfdata_writer *w = calloc(1, sizeof(*w));

	*out = w;
	if (!w)
		return err_nomem(e, "%s", path);
	w->fd = -1;
	w->path = strdup(path);
	w->buf = malloc(BUFFER);
	if (!w->path || !w->buf)
		return err_nomem(e, "%s", path);
	return 0;
}

static int write_attrs(struct perfdata_writer *w, const struct perfdata_attr *attrs,
		       size_t n, struct err *e)
{
	const size_t stride = sizeof(struct perf_event_attr) + SECTION_SIZE;
	uint64_t ids = perfdata_written(w) + n * stride;
	uint8_t entry[sizeof(struct perf_event_attr) + SECTION_SIZE];
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++) {
		struct perf_event_attr attr = attrs[i].attr;

		attr.size = sizeof(attr);
		memcpy(entry, &attr, sizeof(attr));
		put_u64_at(entry + sizeof(attr), ids);
		put_u64_at(entry + sizeof(attr) + 8, attrs[i].nids * sizeof(uint64_t));
		ids += attrs[i].nids * sizeof(uint64_t);
		rc = perfdata_append(w, entry, sizeof(entry), e);
	}
	for (size_t i = 0; i < n && !rc; i++)
		rc = perfdata_append(w, attrs[i].ids, attrs[i].nids * sizeof(uint64_t),
				     e);
	return rc;
}

/* Where the attributes lie. */
static void enter_attrs(struct perfdata_writer *w, uint64_t at, size_t nattrs)
{
	uint64_t stride = sizeof(struct perf_event_attr) + SECTION_SIZE;

	put_u64_at(w->header + HEADER_ATTR_SIZE, stride);
	put_u64_at(w->header + HEADER_ATTRS, at);
	put_u64_at(w->header + HEADER_ATTRS + 8, nattrs * stride);
}

static void make_header(struct perfdata_writer *w, size_t nattrs)
{
	memcpy(w->header, PERFDATA_MAGIC, 8);
	put_u64_at(w->header + 8, HEADER_SIZE);
	enter_attrs(w, HEADER_SIZE, nattrs);
}

/* The directory's last entry is for the whole of our section: perf's table cannot hold
 * it, since perf's own tools (inject, 6.1) crash on bits that they do not know. */
static int write_entry(struct perfdata_writer *w, uint64_t feat, uint64_t at,
		       uint64_t len, struct err *e)
{
	uint8_t entry[DIRECTORY_ENTRY];

	put_u64_at(entry, feat);
	put_u64_at(entry + 8, at);
	put_u64_at(entry + 16, len);
	return perfdata_append(w, entry, sizeof(entry), e);
}

static int write_early(struct perfdata_writer *w, const struct perfdata_section *s,
		       size_t n, struct err *e)
{
	uint8_t head[DIRECTORY_HEAD] = EARLY_MAGIC;
	uint32_t count = (uint32_t)n + 1;
	uint64_t at;
	int rc = pad_to(w, 8, e);

	memcpy(head + 8, &count, sizeof(count));
	at = perfdata_written(w) + sizeof(head) + count * 24ull;
	if (!rc)
		rc = perfdata_append(w, head, sizeof(head), e);
	for (size_t i = 0; i < n && !rc; i++) {
		if (s[i].feat != FEAT_DMAREC)
			w->feature[s[i].feat] = (struct feature){at, s[i].len};
		rc = write_entry(w, s[i].feat, at, s[i].len, e);
		at += (s[i].len + 7) & ~7ull;
	}
	w->meta_entry = perfdata_written(w) + 8;
	if (!rc)
		rc = write_entry(w, FEAT_DMAREC, 0, 0, e);
	for (size_t i = 0; i < n && !rc; i++) {
		rc = perfdata_append(w, s[i].buf, s[i].len, e);
		if (!rc)
			rc = pad_to(w, 8, e);
	}
	return rc;
}

static int keep_early_meta(struct perfdata_writer *w, const struct perfdata_section *s,
			   size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i].feat >= FEAT_BITS)
			return err_set(e, ERR_USAGE, "%s: feature %u is beyond %d",
				       w->path, s[i].feat, FEAT_BITS - 1);
		if (s[i].feat != FEAT_DMAREC || !s[i].len)
			continue;
		free(w->early_meta);
		w->early_meta = malloc(s[i].len);
		if (!w->early_meta)
			return err_nomem(e, "section 250 of %s", w->path);
		memcpy(w->early_meta, s[i].buf, s[i].len);
		w->nearly_meta = s[i].len;
	}
	return 0;
}

/* All that comes before the data. */
static int write_head(struct perfdata_writer *w, const struct perfdata_attr *attrs,
		      size_t nattrs, const struct perfdata_section *early, size_t nearly,
		      struct err *e)
{
	int rc = 0;

	if (nearly >= EARLY_MAX)
		rc = err_set(e, ERR_USAGE, "%s: %zu early sections, at most %d", w->path,
			     nearly, EARLY_MAX - 1);
	if (!rc)
		rc = keep_early_meta(w, early, nearly, e);
	if (!rc) {
		make_header(w, nattrs);
		rc = perfdata_append(w, w->header, sizeof(w->header), e);
	}
	if (!rc)
		rc = write_attrs(w, attrs, nattrs, e);
	if (!rc)
		rc = write_early(w, early, nearly, e);
	if (!rc)
		rc = pad_to(w, DATA_ALIGN, e);
	if (!rc) {
		w->data_offset = w->round_offset = perfdata_written(w);
		put_u64_at(w->header + HEADER_DATA, w->data_offset);
		rc = perfdata_flush(w, e);
	}
	return rc ? rc : write_all(w, w->header, sizeof(w->header), 0, e);
}

int perfdata_create(struct perfdata_writer **out, const char *path,
		    const struct perfdata_owner *owner, const struct perfdata_attr *attrs,
		    size_t nattrs, const struct perfdata_section *early, size_t nearly,
		    struct err *e)
{
	int rc = writer_new(out, path, e);

	if (!rc)
		rc = create(*out, owner, e);
	if (!rc)
		rc = write_head(*out, attrs, nattrs, early, nearly, e);
	if (rc) {
		perfdata_abandon(*out);
		*out = NULL;
	}
	return rc;
}

static int read_back(const struct perfdata_writer *w, void **head, size_t *len,
		     struct err *e)
{
	*len = (size_t)w->offset;
	*head = malloc(*len);
	if (!*head)
		return err_nomem(e, "the head of a recording");
	if (pread(w->fd, *head, *len, 0) == (ssize_t)*len)
		return 0;
	free(*head);
	*head = NULL;
	return err_errno(e, "the head of a recording");
}

int perfdata_head(void **head, size_t *len, const struct perfdata_attr *attrs,
		  size_t nattrs, const struct perfdata_section *early, size_t nearly,
		  struct err *e)
{
	struct perfdata_writer *w;
	int rc = writer_new(&w, "memory", e);

	*head = NULL;
	if (!rc && (w->fd = memfd_create("dmarec", MFD_CLOEXEC)) < 0)
		rc = err_errno(e, "memory for the head of a recording");
	if (!rc)
		rc = write_head(w, attrs, nattrs, early, nearly, e);
	if (!rc)
		rc = read_back(w, head, len, e);
	perfdata_abandon(w);
	return rc;
}

/* ---- the end ---- */

/* The sections behind the table, and where each will lie; *meta is that of ours. */
static void place_late(struct perfdata_writer *w, const struct perfdata_section *late,
		       size_t nlate, struct feature *meta)
{
	bool there[FEAT_BITS] = {false};
	uint64_t at;
	size_t n = 0;

	for (unsigned i = 0; i < FEAT_BITS; i++)
		there[i] = w->feature[i].size;
	for (size_t i = 0; i < nlate; i++)
		there[late[i].feat] = late[i].feat != FEAT_DMAREC;
	for (unsigned i = 0; i < FEAT_BITS; i++) {
		n += there[i];
		if (there[i])
			w->header[HEADER_FEATURES + i / 8] |= (uint8_t)(1 << i % 8);
	}
	at = perfdata_written(w) + n * SECTION_SIZE;
	for (size_t i = 0; i < nlate; i++) {
		bool ours = late[i].feat == FEAT_DMAREC;
		struct feature f = {at, late[i].len + (ours ? w->nearly_meta : 0)};

		*(ours ? meta : &w->feature[late[i].feat]) = f;
		at = (at + f.size + 7) & ~7ull;
	}
}

static int write_table(struct perfdata_writer *w, struct err *e)
{
	uint8_t table[FEAT_BITS * SECTION_SIZE];
	size_t n = 0;

	for (unsigned i = 0; i < FEAT_BITS; i++) {
		if (!(w->header[HEADER_FEATURES + i / 8] >> i % 8 & 1))
			continue;
		put_u64_at(table + n, w->feature[i].offset);
		put_u64_at(table + n + 8, w->feature[i].size);
		n += SECTION_SIZE;
	}
	return perfdata_append(w, table, n, e);
}

static int write_late(struct perfdata_writer *w, const struct perfdata_section *s,
		      struct err *e)
{
	int rc = 0;

	if (s->feat == FEAT_DMAREC)
		rc = perfdata_append(w, w->early_meta, w->nearly_meta, e);
	if (!rc)
		rc = perfdata_append(w, s->buf, s->len, e);
	return rc ? rc : pad_to(w, 8, e);
}

/* Behind all else a table of all attributes, with a directory that has our section only: what
 * perf knows is in the feature table. The header names it last. */
static int write_more_attrs(struct perfdata_writer *w, const struct feature *meta,
			    struct err *e)
{
	uint8_t head[DIRECTORY_HEAD] = EARLY_MAGIC;
	const uint32_t entries = 1;
	int rc = pad_to(w, 8, e);
	uint64_t at = perfdata_written(w);

	memcpy(head + 8, &entries, sizeof(entries));
	if (!rc)
		rc = write_attrs(w, w->attrs, w->nattrs, e);
	if (!rc)
		rc = perfdata_append(w, head, sizeof(head), e);
	if (!rc)
		rc = write_entry(w, FEAT_DMAREC, meta->offset, meta->size, e);
	if (!rc)
		rc = perfdata_flush(w, e);
	enter_attrs(w, at, w->nattrs);
	return rc ? rc : write_all(w, w->header, sizeof(w->header), 0, e);
}

/*
 * The header goes first: from then on the data has an end, and a reader that finds the
 * table or a section beyond the end of the file takes what the directory says, as with a
 * killed recorder. Our own section is entered last, when all of it is there.
 */
static int write_features(struct perfdata_writer *w, const struct perfdata_section *late,
			  size_t nlate, struct err *e)
{
	struct feature meta = {0};
	uint8_t entry[16];
	int rc = perfdata_flush(w, e);

	if (rc)
		return rc;
	put_u64_at(w->header + HEADER_DATA + 8, w->offset - w->data_offset);
	place_late(w, late, nlate, &meta);
	rc = write_all(w, w->header, sizeof(w->header), 0, e);
	if (!rc)
		rc = write_table(w, e);
	for (size_t i = 0; i < nlate && !rc; i++)
		rc = write_late(w, &late[i], e);
	if (!rc)
		rc = perfdata_flush(w, e);
	put_u64_at(entry, meta.offset);
	put_u64_at(entry + 8, meta.size);
	if (!rc && meta.size)
		rc = write_all(w, entry, sizeof(entry), w->meta_entry, e);
	return rc || !w->attrs ? rc : write_more_attrs(w, &meta, e);
}

void perfdata_replace_attrs(struct perfdata_writer *w, const struct perfdata_attr *attrs,
			    size_t n)
{
	w->attrs = attrs;
	w->nattrs = n;
}

int perfdata_finish(struct perfdata_writer *w, const struct perfdata_section *late,
		    size_t nlate, struct err *e)
{
	/* A data section of no length would say "killed". */
	bool empty = perfdata_written(w) == w->data_offset;
	int rc = 0;

	for (size_t i = 0; i < nlate && !rc; i++)
		if (late[i].feat >= FEAT_BITS)
			rc = err_set(e, ERR_USAGE, "%s: feature %u is beyond %d", w->path,
				     late[i].feat, FEAT_BITS - 1);
	w->round_offset = empty ? 0 : w->round_offset;
	if (!rc)
		rc = perfdata_round(w, e);
	if (!rc)
		rc = write_features(w, late, nlate, e);
	if (close(w->fd) && !rc)
		rc = err_errno(e, "%s: cannot be closed", w->path);
	w->fd = -1;
	perfdata_abandon(w);
	return rc;
}

void perfdata_abandon(struct perfdata_writer *w)
{
	if (!w)
		return;
	if (w->fd >= 0) {
		perfdata_flush(w, NULL);
		close(w->fd);
	}
	free(w->early_meta);
	free(w->buf);
	free(w->path);
	free(w);
}
