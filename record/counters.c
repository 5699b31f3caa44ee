/* SPDX-License-Identifier: GPL-2.0-only */
/* Driver counters: lines that a pattern fits, taken apart into names and values. */
#include "record/counters.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/array.h"
#include "lib/err.h"
#include "record/host/rootfs.h"
#include "record/host/trust.h"

enum { MAX_BYTES = 1 << 20, MAX_VALUES = 4096 };

static int no_memory(struct err *e)
{
	return err_nomem(e, "a driver's counters");
}

void counters_release(struct counter_set *s)
{
	for (size_t k = 0; k < s->n; k++) {
		free(s->v[k].name);
		free(s->v[k].value);
	}
	free(s->v);
	*s = (struct counter_set){0};
}

const char *counters_find(const struct counter_set *s, const char *name)
{
	for (size_t k = 0; k < s->n; k++)
		if (!strcmp(s->v[k].name, name))
			return s->v[k].value;
	return NULL;
}

static int add(struct counter_set *s, const char *name, const char *value, size_t len,
	       struct err *e)
{
	struct counter_value *added;

	if (s->n == MAX_VALUES)
		return err_set(e, ERR_LIMIT, "more than %d counters", MAX_VALUES);
	added = array_add(&s->v, &s->n);
	if (!added)
		return no_memory(e);
	added->name = strdup(name);
	added->value = strndup(value, len);
	return added->name && added->value ? 0 : no_memory(e);
}

static const char separators[] = " \t|,";

/* Fields of "  3 |  0 | 17 |"; 0 unless each is a number and there are at least two. */
static size_t count_numbers(const char *p, const char *end)
{
	size_t n = 0, len;

	for (; p < end; p += len) {
		p += strspn(p, separators);
		if (p >= end)
			break;
		len = strcspn(p, separators);
		if (len > (size_t)(end - p))
			len = (size_t)(end - p);
		if (strspn(p, "0123456789abcdefABCDEFx") < len ||
		    !strchr("0123456789", *p))
			return 0;
		n++;
	}
	return n > 1 ? n : 0;
}

static int add_numbers(struct counter_set *s, const char *name, const char *p,
		       const char *end, size_t n, struct err *e)
{
	char full[300];
	int rc = 0;

	for (size_t k = 0, len; k < n && !rc; k++, p += len) {
		p += strspn(p, separators);
		len = strcspn(p, separators);
		if (len > (size_t)(end - p))
			len = (size_t)(end - p);
		snprintf(full, sizeof(full), "%s.%zu", name, k);
		rc = add(s, full, p, len, e);
	}
	return rc;
}

/* A name that is there already (another card's row) gets its ordinal. */
static void make_unique(const struct counter_set *s, char *name, size_t size)
{
	char plain[208], first[256];

	snprintf(plain, sizeof(plain), "%.200s", name);
	for (unsigned k = 2; k < MAX_VALUES; k++) {
		snprintf(first, sizeof(first), "%s.0", name);
		if (!counters_find(s, name) && !counters_find(s, first))
			return;
		snprintf(name, size, "%s#%u", plain, k);
	}
}

static int add_match(struct counter_set *s, const char *prefix, const char *line,
		     const regmatch_t *m, bool named, struct err *e)
{
	const regmatch_t *value = named ? &m[2] : &m[1];
	const char *p = line + value->rm_so, *end = line + value->rm_eo;
	char name[240];
	size_t n;

	if (value->rm_so < 0 || (named && m[1].rm_so < 0))
		return 0;
	snprintf(name, 200, "%s%s%.*s", prefix ? prefix : "", prefix && named ? "." : "",
		 named ? (int)(m[1].rm_eo - m[1].rm_so) : 0,
		 line + (named ? m[1].rm_so : 0));
	for (n = strlen(name); n && name[n - 1] == ' ';)
		name[--n] = 0;
	make_unique(s, name, sizeof(name));
	while (p < end && strchr(" \t|", *p))
		p++;
	while (end > p && strchr(" \t\r|", end[-1]))
		end--;
	n = count_numbers(p, end);
	return n ? add_numbers(s, name, p, end, n, e)
		 : add(s, name, p, (size_t)(end - p), e);
}

int counters_scan(const struct profile_counter *c, const char *text,
		  struct counter_set *out, struct err *e)
{
	size_t before = out->n;
	regmatch_t m[3];
	regex_t re;
	char *line;
	int rc = 0;

	if (regcomp(&re, c->pattern, REG_EXTENDED))
		return err_set(e, ERR_USAGE, "'%s' is no regular expression", c->pattern);
	for (size_t len; *text && !rc; text += len, text += *text == '\n') {
		len = strcspn(text, "\n");
		line = strndup(text, len);
		if (!line)
			rc = no_memory(e);
		else if (!regexec(&re, line, 3, m, 0))
			rc = add_match(out, c->name, line, m, re.re_nsub == 2, e);
		free(line);
	}
	regfree(&re);
	return rc ? rc : (int)(out->n - before);
}

/* One more sentence about what is not there. */
static int note(char **missing, const char *what, const char *file, const char *name,
		struct err *e)
{
	char *joined;

	if (asprintf(&joined, "%s%s%s of %s: %s", *missing ? *missing : "",
		     *missing ? "; " : "", name, file, what) < 0)
		return no_memory(e);
	free(*missing);
	*missing = joined;
	return 0;
}

static bool is_named(const struct counter_files *named, const char *file)
{
	for (size_t k = 0; named && k < named->n; k++)
		if (!strcmp(named->file[k], file))
			return true;
	return false;
}

static int read_file(const char *file, const struct counter_files *named, char **text,
		     struct err *e)
{
	char path[64];
	int fd, rc;

	if (is_named(named, file))
		return rootfs_read("", file, MAX_BYTES, text, NULL, e);
	fd = trust_open_kernel_file(file, e);
	if (fd < 0)
		return fd;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	rc = rootfs_read("", path, MAX_BYTES, text, NULL, e);
	close(fd);
	return rc;
}

int counters_read(const struct profile *p, const struct counter_files *named,
		  struct counter_set *out, char **missing, struct err *e)
{
	char *text;
	int rc = 0, n;

	*out = (struct counter_set){0};
	*missing = NULL;
	for (size_t k = 0; k < p->ncounter && !rc; k++) {
		const struct profile_counter *c = &p->counter[k];
		struct err why = {0};

		if (read_file(c->file, named, &text, &why)) {
			rc = note(missing, why.text, c->file, c->name, e);
			continue;
		}
		n = counters_scan(c, text, out, e);
		free(text);
		if (n < 0)
			rc = n;
		else if (!n)
			rc = note(missing, "no line fits the pattern", c->file, c->name,
				  e);
	}
	if (!rc)
		return 0;
	counters_release(out);
	free(*missing);
	*missing = NULL;
	return rc;
}
