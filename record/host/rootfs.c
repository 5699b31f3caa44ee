/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/host/rootfs.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/num.h"

enum { LINE_BYTES = 1 << 20 };

/* Files of /proc have no size to ask for: read until there is no more. */
static int read_stream(FILE *f, const char *path, size_t max, char **text, size_t *len,
		       struct err *e)
{
	size_t n = 0, room = 0, got;
	char *buf = NULL, *grown;

	do {
		if (n + 1 >= room) {
			room = room ? room * 2 : 4096;
			grown = realloc(buf, room);
			if (!grown) {
				free(buf);
				return err_nomem(e, "%s", path);
			}
			buf = grown;
		}
		got = fread(buf + n, 1, room - 1 - n, f);
		n += got;
		if (n > max) {
			free(buf);
			return err_set(e, ERR_LIMIT, "%s: longer than %zu bytes", path,
				       max);
		}
	} while (got);
	if (ferror(f)) {
		free(buf);
		return err_errno(e, "cannot read %s", path);
	}
	buf[n] = 0;
	*text = buf;
	if (len)
		*len = n;
	return 0;
}

int rootfs_read(const char *root, const char *path, size_t max, char **text, size_t *len,
		struct err *e)
{
	char full[PATH_MAX];
	FILE *f;
	int rc;

	if (snprintf(full, sizeof(full), "%s%s", root, path) >= (int)sizeof(full))
		return err_set(e, ERR_LIMIT, "path too long: %s", path);
	f = fopen(full, "re");
	if (!f)
		return err_errno(e, "cannot open %s", full);
	rc = read_stream(f, full, max, text, len, e);
	fclose(f);
	return rc;
}

static char *line_of(const char *root, const char *fmt, va_list ap)
{
	char path[PATH_MAX], *text;
	size_t len;

	if (vsnprintf(path, sizeof(path), fmt, ap) >= (int)sizeof(path) ||
	    rootfs_read(root, path, LINE_BYTES, &text, NULL, NULL))
		return NULL;
	len = strcspn(text, "\n");
	text[len] = 0;
	if (len)
		return text;
	free(text);
	return NULL;
}

char *rootfs_line(const char *root, const char *fmt, ...)
{
	va_list ap;
	char *line;

	va_start(ap, fmt);
	line = line_of(root, fmt, ap);
	va_end(ap);
	return line;
}

bool rootfs_number(const char *root, int64_t *out, const char *fmt, ...)
{
	va_list ap;
	char *line;
	bool ok;

	va_start(ap, fmt);
	line = line_of(root, fmt, ap);
	va_end(ap);
	ok = line && !num_i64(line, INT64_MIN, INT64_MAX, out, NULL);
	free(line);
	return ok;
}

char *rootfs_link(const char *root, const char *fmt, ...)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *base;
	va_list ap;
	ssize_t len;
	int n = snprintf(path, sizeof(path), "%s", root);

	if (n < 0 || n >= (int)sizeof(path))
		return NULL;
	va_start(ap, fmt);
	vsnprintf(path + n, sizeof(path) - (size_t)n, fmt, ap);
	va_end(ap);
	len = readlink(path, target, sizeof(target) - 1);
	if (len <= 0)
		return NULL;
	target[len] = 0;
	base = strrchr(target, '/');
	return strdup(base ? base + 1 : target);
}

static int visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

int rootfs_names(const char *root, const char *path, char ***names, size_t *n,
		 struct err *e)
{
	char full[PATH_MAX];
	struct dirent **entry = NULL;
	int count;

	*names = NULL;
	*n = 0;
	if (snprintf(full, sizeof(full), "%s%s", root, path) >= (int)sizeof(full))
		return err_set(e, ERR_LIMIT, "path too long: %s", path);
	count = scandir(full, &entry, visible, versionsort);
	if (count < 0)
		return errno == ENOENT || errno == ENOTDIR
			       ? 0
			       : err_errno(e, "cannot list %s", full);
	*names = calloc((size_t)count + 1, sizeof(**names));
	for (int i = 0; i < count; i++) {
		if (*names && ((*names)[*n] = strdup(entry[i]->d_name)))
			(*n)++;
		free(entry[i]);
	}
	free(entry);
	if (*names && *n == (size_t)count)
		return 0;
	rootfs_names_free(*names, *n);
	*names = NULL;
	*n = 0;
	return err_nomem(e, "the names in %s", full);
}

void rootfs_names_free(char **names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
}
