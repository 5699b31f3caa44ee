/* SPDX-License-Identifier: GPL-2.0-only */
/* A loader's own directories are strings in its file (glibc's system_dirs: "/lib/" and so
 * on, one behind the other; its cache's path ends in "/ld.so.cache"); musl's are in
 * /etc/ld-musl-ARCH.path. */
#include "record/elf/libpath.h"

#include <ctype.h>
#include <elf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "lib/err.h"
#include "record/elf/elf_dynamic.h"
#include "record/elf/ldcache.h"

enum {
	LOADER_MAX_BYTES = 8 << 20, /* glibc's and musl's have less than 1 MiB */
	TEXT_MAX_BYTES = 1 << 20, /* /proc/cpuinfo, the first processor; ld-musl-*.path */
	DIRS_MAX = 64,
};

/* At most max bytes with a NUL behind them; NULL = no regular file, or no memory. */
static char *read_text(const char *path, size_t max, size_t *len)
{
	int fd = regular_open(path);
	char *text = fd < 0 ? NULL : malloc(max + 1);
	ssize_t got = 0;

	*len = 0;
	while (text && *len < max && (got = read(fd, text + *len, max - *len)) > 0)
		*len += (size_t)got;
	if (text)
		text[*len] = '\0';
	if (fd >= 0)
		close(fd);
	return text;
}

static int add_dir(struct loader *l, const char *dir, size_t len, struct err *e)
{
	char **grown;

	while (len > 1 && dir[len - 1] == '/')
		len--;
	if (!len || len >= PATH_MAX || l->ndir >= DIRS_MAX)
		return 0;
	grown = reallocarray(l->dir, l->ndir + 1, sizeof(*grown));
	if (!grown)
		return err_nomem(e, "a program");
	l->dir = grown;
	if (!(grown[l->ndir] = strndup(dir, len)))
		return err_nomem(e, "a program");
	l->ndir++;
	return 0;
}

/* ---- glibc ---- */

/* "/lib/x86_64-linux-gnu/": length, 0 = no directory. */
static size_t directory_at(const char *p, const char *end)
{
	size_t n = strnlen(p, (size_t)(end - p));

	if (n < 3 || n >= PATH_MAX || p + n == end || p[0] != '/' || p[n - 1] != '/')
		return 0;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)p[i]) && !strchr("/._-+", p[i]))
			return 0;
	return n;
}

/* The first run of strings that are directories. */
static int take_directories(struct loader *l, const char *text, size_t len, struct err *e)
{
	const char *end = text + len, *p = text;
	size_t n = 0;
	int rc = 0;

	while (p < end && !(n = directory_at(p, end)))
		p += strnlen(p, (size_t)(end - p)) + 1;
	while (!rc && p < end && (n = directory_at(p, end))) {
		rc = add_dir(l, p, n, e);
		p += n + 1;
	}
	return rc;
}

static void take_cache(struct loader *l, const char *text, size_t len)
{
	static const char name[] = "/ld.so.cache"; /* with its NUL */
	const char *at = memmem(text, len, name, sizeof(name)), *p = at;

	while (p && p > text && p[-1] > ' ' && at - p < PATH_MAX)
		p--;
	if (p && *p == '/')
		ldcache_open(&l->cache, p, NULL);
}

static int default_directories(struct loader *l, unsigned machine, struct err *e)
{
	static const char *const plain[] = {"/lib64", "/usr/lib64", "/lib", "/usr/lib"};
	const char *multi = machine == EM_X86_64    ? "x86_64-linux-gnu"
			    : machine == EM_AARCH64 ? "aarch64-linux-gnu"
						    : NULL;
	char dir[64];
	int rc = 0;

	for (int usr = 0; multi && usr < 2 && !rc; usr++) {
		snprintf(dir, sizeof(dir), "%s/lib/%s", usr ? "/usr" : "", multi);
		if (!access(dir, X_OK))
			rc = add_dir(l, dir, strlen(dir), e);
	}
	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain) && !rc; i++)
		rc = add_dir(l, plain[i], strlen(plain[i]), e);
	return rc;
}

/* "/usr/lib/x86_64-linux-gnu" -> "lib/x86_64-linux-gnu" */
static int take_lib(struct loader *l, struct err *e)
{
	const char *dir = l->ndir ? l->dir[0] : "/lib", *p = strstr(dir, "/lib");

	for (const char *next = p; next; next = strstr(next + 1, "/lib"))
		p = next;
	l->lib = strdup(p ? p + 1 : "lib");
	return l->lib ? 0 : err_nomem(e, "a program");
}

static int read_glibc(struct loader *l, unsigned machine, struct err *e)
{
	size_t len, size;
	char *text = l->path ? read_text(l->path, LOADER_MAX_BYTES, &len) : NULL;
	char *cpu = read_text("/proc/cpuinfo", TEXT_MAX_BYTES, &size);
	int rc = 0;

	if (text) {
		rc = take_directories(l, text, len, e);
		take_cache(l, text, len);
	}
	if (!rc && !l->ndir) {
		rc = default_directories(l, machine, e);
		ldcache_open(&l->cache, "/etc/ld.so.cache", NULL);
	}
	if (cpu && machine == EM_X86_64)
		l->nhwcap = hwcap_levels(cpu, l->hwcap);
	free(text);
	free(cpu);
	return rc;
}

/* ---- musl ---- */

/* "/opt/lib/ld-musl-x86_64.so.1" -> "/opt/etc/ld-musl-x86_64.path" */
static char *musl_path_file(const char *interp)
{
	const char *base = strrchr(interp, '/'), *dir, *end;
	char *path;

	end = base ? strstr(base, ".so") : NULL;
	if (!end)
		return NULL;
	for (dir = base; dir > interp && dir[-1] != '/';)
		dir--;
	dir -= dir > interp;
	return asprintf(&path, "%.*s/etc%.*s.path", (int)(dir - interp), interp,
			(int)(end - base), base) < 0
		       ? NULL
		       : path;
}

static int read_musl(struct loader *l, struct err *e)
{
	static const char standard[] = "/lib:/usr/local/lib:/usr/lib";
	char *file = musl_path_file(l->path), *text = NULL;
	size_t len;
	const char *p;
	int rc = 0;

	if (file)
		text = read_text(file, TEXT_MAX_BYTES, &len);
	for (p = text ? text : standard; *p && !rc; p += *p != 0) {
		size_t n = strcspn(p, ":\n");

		rc = add_dir(l, p, n, e);
		p += n;
	}
	free(text);
	free(file);
	return rc;
}

int loader_read(struct loader *l, const char *interp, unsigned machine, struct err *e)
{
	int rc;

	*l = (struct loader){.platform = (const char *)getauxval(AT_PLATFORM)};
	if (interp && !(l->path = strdup(interp)))
		return err_nomem(e, "a program");
	l->musl = interp && strstr(interp, "/ld-musl-");
	rc = l->musl ? read_musl(l, e) : read_glibc(l, machine, e);
	return rc ? rc : take_lib(l, e);
}

void loader_release(struct loader *l)
{
	for (size_t i = 0; i < l->ndir; i++)
		free(l->dir[i]);
	free(l->dir);
	free(l->path);
	free(l->lib);
	ldcache_free(l->cache);
	*l = (struct loader){0};
}

bool loader_is_default(const struct loader *l, const char *dir)
{
	for (size_t i = 0; i < l->ndir; i++)
		if (!strcmp(l->dir[i], dir))
			return true;
	return false;
}

/* ---- the processor ---- */

static bool has_flag(const char *line, size_t len, const char *flag)
{
	size_t n = strlen(flag);

	for (const char *p = line; (p = memmem(p, len - (size_t)(p - line), flag, n));
	     p++)
		if (p > line && isspace((unsigned char)p[-1]) &&
		    (p + n == line + len || isspace((unsigned char)p[n])))
			return true;
	return false;
}

/* The levels of the x86-64 psABI, in the kernel's names of flags. */
size_t hwcap_levels(const char *cpuinfo, const char *name[3])
{
	static const struct {
		const char *name, *flag[10];
	} level[] = {
		{"x86-64-v2",
		 {"cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"}},
		{"x86-64-v3",
		 {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"}},
		{"x86-64-v4",
		 {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}},
	};
	const char *line = strstr(cpuinfo, "\nflags");
	size_t len = line ? strcspn(++line, "\n") : 0, n = 0;

	for (size_t i = 0; line && i < 3; i++, n++)
		for (size_t k = 0; k < 10 && level[i].flag[k]; k++)
			if (!has_flag(line, len, level[i].flag[k]))
				goto out;
out:
	for (size_t i = 0; i < n; i++)
		name[i] = level[n - 1 - i].name;
	return n;
}

/* ---- tokens ---- */

/* Length of "$NAME" or "${NAME}" at p, 0 = it is something else. */
static size_t token_at(const char *p, const char *end, const char *name)
{
	size_t n = strlen(name), left = (size_t)(end - p);

	if (left > n + 2 && p[1] == '{' && !strncmp(p + 2, name, n) && p[n + 2] == '}')
		return n + 3;
	if (left > n && !strncmp(p + 1, name, n) &&
	    (left == n + 1 || !(isalnum((unsigned char)p[n + 1]) || p[n + 1] == '_')))
		return n + 1;
	return 0;
}

char *expand_tokens(const struct loader *l, const char *text, size_t len,
		    const char *origin_dir, bool *origin)
{
	const char *const name[] = {"ORIGIN", "LIB", "PLATFORM"};
	const char *const value[] = {origin_dir, l->lib, l->platform};
	const char *end = text + len;
	char *all = NULL;
	size_t size;
	FILE *out = open_memstream(&all, &size);

	*origin = false;
	for (const char *p = text; out && p < end;) {
		size_t n = 0;

		for (size_t i = 0; *p == '$' && !n && i < 3; i++)
			if (value[i] && (n = token_at(p, end, name[i]))) {
				fputs(value[i], out);
				*origin |= !i;
			}
		if (!n)
			fputc(*p, out);
		p += n ? n : 1;
	}
	if (out && fclose(out)) {
		free(all);
		all = NULL;
	}
	return all;
}
