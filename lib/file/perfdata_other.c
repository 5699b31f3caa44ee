/* SPDX-License-Identifier: GPL-2.0-only */
/* Files that are no recording: what they are, as far as their first bytes tell, and what to do. */
#include <ctype.h>
#include <stdio.h>
#include <sys/stat.h>

#include "lib/err.h"
#include "lib/file/perfdata_impl.h"

#define RECORD_INSTEAD "; record with dmarec or perf record"
#define UNPACK	       "; unpack it first: "

static const struct {
	uint64_t at;
	const char *magic;
	size_t len;
	const char *what;
} others[] = {
	{0, "SQLite format 3", 16,
	 "an SQLite database, not a recording; a recording is a perf.data file as dmarec and "
	 "perf record write"},
	{0, "\x17\x08\x44tracing", 10,
	 "a trace.dat of trace-cmd, which has no arguments of uprobes in perf's "
	 "form" RECORD_INSTEAD},
	{0, "\x1f\x8b", 2, "compressed by gzip" UNPACK "gunzip <FILE >OUT"},
	{0, "\x28\xb5\x2f\xfd", 4, "compressed by zstd" UNPACK "zstd -d <FILE >OUT"},
	{0,
	 "\xfd"
	 "7zXZ",
	 5, "compressed by xz" UNPACK "unxz <FILE >OUT"},
	{0, "BZh", 3, "compressed by bzip2" UNPACK "bunzip2 <FILE >OUT"},
	{0, "\x04\x22\x4d\x18", 4, "compressed by lz4" UNPACK "lz4 -d <FILE >OUT"},
	{0, "PK\x03\x04", 4, "a zip archive; unpack it first"},
	{257, "ustar", 5, "a tar archive" UNPACK "tar xf FILE"},
	{0,
	 "\x7f"
	 "ELF",
	 4, "a program or a library, not a recording of one; dmarec -- FILE records it"},
	{0, "# tracer: ", 10, "ftrace's text (tracefs/trace)" RECORD_INSTEAD},
	{0, "{", 1, "JSON, not a recording; give the perf.data file that it was made of"},
};

/* All of its first bytes are of a text. */
static bool is_text(const struct perfdata *p)
{
	enum { LOOKED_AT = 256 };

	for (uint64_t i = 0; i < p->size && i < LOOKED_AT; i++)
		if (!isprint(p->map[i]) && !isspace(p->map[i]) && p->map[i] < 0x80)
			return false;
	return true;
}

int perfdata_other(const struct perfdata *p, struct err *e)
{
	char shown[33];
	size_t n = 0;

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (p->size >= others[i].at + others[i].len &&
		    !memcmp(p->map + others[i].at, others[i].magic, others[i].len))
			return err_set(e, ERR_FORMAT, "%s: is %s", p->name,
				       others[i].what);
	if (is_text(p))
		return err_set(e, ERR_FORMAT,
			       "%s: is a text, not a recording; of what perf script or "
			       "trace-cmd report printed, give the perf.data file "
			       "itself, or record with dmarec or perf record",
			       p->name);
	for (uint64_t i = 0; i < p->size && i < 8; i++)
		n += (size_t)snprintf(shown + n, sizeof(shown) - n,
				      isprint(p->map[i]) ? "%c" : "\\x%02x", p->map[i]);
	return err_set(e, ERR_FORMAT,
		       "%s: is no recording: it begins with \"%.*s\" at offset "
		       "0, a perf.data file with \"" PERFDATA_MAGIC "\"",
		       p->name, (int)n, shown);
}

static bool holds(const struct perfdata *p, const char *name)
{
	char path[4096];
	struct stat st;

	return snprintf(path, sizeof(path), "%s/%s", p->name, name) < (int)sizeof(path) &&
	       !stat(path, &st);
}

int perfdata_other_dir(const struct perfdata *p, struct err *e)
{
	if (holds(p, "metadata") || holds(p, "kernel") || holds(p, "ust"))
		return err_set(
			e, ERR_FORMAT,
			"%s: is a directory of a CTF trace (LTTng, perf data convert) "
			"and no recording" RECORD_INSTEAD,
			p->name);
	if (holds(p, "data"))
		return err_set(e, ERR_FORMAT,
			       "%s: is a directory as perf record --threads writes it; "
			       "record without --threads",
			       p->name);
	return err_set(e, ERR_FORMAT,
		       "%s: is a directory, not a recording; name the file", p->name);
}
