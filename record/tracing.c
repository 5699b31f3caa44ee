/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The section's parts, in order: magic, version, byte order, size of long, page size,
 * header_page, header_event, ftrace's own formats (none), formats by system, kallsyms
 * (none), printk formats (none), saved command lines (none).
 */
#include "record/tracing.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/err.h"
#include "record/host/rootfs.h"
#include "record/probes.h"

static void put32(FILE *out, uint32_t v)
{
	fwrite(&v, sizeof(v), 1, out);
}

static void put_text(FILE *out, const char *text, size_t len)
{
	uint64_t size = len;

	fwrite(&size, sizeof(size), 1, out);
	fwrite(text, 1, len, out);
}

static int put_file(FILE *out, const char *root, const char *path, struct err *e)
{
	char *text;
	size_t len;
	int rc = rootfs_read(root, path, 1 << 20, &text, &len, e);

	if (rc)
		return rc;
	put_text(out, text, len);
	free(text);
	return 0;
}

static size_t system_length(const char *event)
{
	return strcspn(event, "/");
}

static bool same_system(const char *a, const char *b)
{
	size_t n = system_length(a);

	return n == system_length(b) && !strncmp(a, b, n);
}

/* All events of the system of events[first], if it is the first of them. */
static int put_system(FILE *out, const char *root, const char *const *events,
		      const char *const *format, size_t n, size_t first, struct err *e)
{
	uint32_t count = 0;
	char path[256];
	int rc = 0;

	for (size_t i = first; i < n; i++)
		count += same_system(events[first], events[i]);
	fwrite(events[first], 1, system_length(events[first]), out);
	fputc(0, out);
	put32(out, count);
	for (size_t i = first; !rc && i < n; i++) {
		if (!same_system(events[first], events[i]))
			continue;
		if (format && format[i]) {
			put_text(out, format[i], strlen(format[i]));
			continue;
		}
		snprintf(path, sizeof(path), "/events/%s/format", events[i]);
		rc = put_file(out, root, path, e);
	}
	return rc;
}

static bool is_first(const char *const *events, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (same_system(events[k], events[i]))
			return false;
	return true;
}

static int put_all(FILE *out, const char *root, const char *const *events,
		   const char *const *format, size_t n, struct err *e)
{
	static const char head[] = "\x17\x08\x44tracing0.6";
	uint32_t systems = 0;
	uint64_t zero = 0;
	int rc;

	fwrite(head, 1, sizeof(head), out);
	fputc(__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__, out);
	fputc(sizeof(long), out);
	put32(out, (uint32_t)sysconf(_SC_PAGESIZE));
	fwrite("header_page", 1, 12, out);
	rc = put_file(out, root, "/events/header_page", e);
	fwrite("header_event", 1, 13, out);
	if (!rc)
		rc = put_file(out, root, "/events/header_event", e);
	put32(out, 0);
	for (size_t i = 0; i < n; i++)
		systems += is_first(events, i);
	put32(out, systems);
	for (size_t i = 0; !rc && i < n; i++)
		if (is_first(events, i))
			rc = put_system(out, root, events, format, n, i, e);
	put32(out, 0);
	put32(out, 0);
	fwrite(&zero, sizeof(zero), 1, out);
	return rc;
}

int tracing_data(const char *const *events, const char *const *format, size_t n,
		 char **buf, size_t *len, struct err *e)
{
	const char *root = tracefs_find(e);
	FILE *out;
	int rc;

	*buf = NULL;
	if (!root)
		return e ? e->code : ERR_NOTFOUND;
	out = open_memstream(buf, len);
	if (!out)
		return err_errno(e, "tracing data");
	rc = put_all(out, root, events, format, n, e);
	if (fclose(out) && !rc)
		rc = err_errno(e, "tracing data");
	if (rc) {
		free(*buf);
		*buf = NULL;
	}
	return rc;
}

/* ---- more events ---- */

enum { TAIL_BYTES = 16 /* kallsyms, printk formats, saved command lines: all empty */ };

/* Where the number of systems stands; 0 = it is not there. */
static size_t systems_at(const char *buf, size_t len)
{
	size_t at = 14 + 2 + 4; /* magic and version, byte order and long, page size */
	uint64_t size;

	for (int i = 0; i < 2; i++) { /* header_page, header_event */
		at += i ? 13 : 12;
		if (at + sizeof(size) > len)
			return 0;
		memcpy(&size, buf + at, sizeof(size));
		at += sizeof(size);
		if (size > len - at)
			return 0;
		at += size;
	}
	at += 4; /* ftrace's own */
	return at + 4 + TAIL_BYTES <= len ? at : 0;
}

int tracing_data_more(const char *old, size_t nold, const char *system,
		      char *const *format, size_t n, char **buf, size_t *len,
		      struct err *e)
{
	size_t at = systems_at(old, nold);
	uint32_t systems;
	FILE *out;

	*buf = NULL;
	out = at ? open_memstream(buf, len) : NULL;
	if (!at)
		return err_set(e, ERR_FORMAT, "the tracing data have no systems");
	if (!out)
		return err_nomem(e, "tracing data");
	memcpy(&systems, old + at, sizeof(systems));
	fwrite(old, 1, at, out);
	put32(out, systems + 1);
	fwrite(old + at + 4, 1, nold - at - 4 - TAIL_BYTES, out);
	fwrite(system, 1, strlen(system) + 1, out);
	put32(out, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		put_text(out, format[i], strlen(format[i]));
	fwrite(old + nold - TAIL_BYTES, 1, TAIL_BYTES, out);
	return fclose(out) ? err_nomem(e, "tracing data") : 0;
}
