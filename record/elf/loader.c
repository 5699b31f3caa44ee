/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which files a command will map. The loader itself is asked (`ld.so --list PROGRAM`:
 * glibc and musl have it; it relocates nothing and runs nothing of the program), so
 * RPATH, RUNPATH, LD_LIBRARY_PATH, LD_PRELOAD, the cache and hardware directories count
 * as they will. Names of libraries among a program's strings are asked for too, as it may
 * open them with dlopen. Scripts and wrappers (sh -c, env, taskset ...) are read for
 * words that are programs.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/err.h"
#include "record/elf/symbols.h"

enum { MAX_FILES = 4096, MAX_DEPTH = 4, MAX_SCRIPT = 1 << 16, MAX_LIST = 1 << 20 };

struct files {
	char **path;
	size_t n;
	char *missing;
};

static bool have(const struct files *l, const char *path)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->path[i], path))
			return true;
	return false;
}

/* path is taken over. */
static int add(struct files *l, char *path, struct err *e)
{
	char **grown;

	if (path && (have(l, path) || l->n >= MAX_FILES)) {
		free(path);
		return 0;
	}
	grown = path ? reallocarray(l->path, l->n + 1, sizeof(*grown)) : NULL;
	if (!grown) {
		free(path);
		return err_nomem(e, "a program");
	}
	l->path = grown;
	grown[l->n++] = path;
	return 0;
}

void paths_free(char **paths, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(paths[i]);
	free(paths);
}

/* ---- what an ELF file says of itself ---- */

struct program {
	char *interp;	 /* NULL = static, or a library */
	char *libraries; /* "a.so:b.so": names among its strings */
};

static bool is_name(unsigned char c)
{
	return isalnum(c) || strchr("._-+/$", c);
}

/* One string: "libfoo.so", "/opt/x/libfoo.so.1.2". */
static bool is_library_name(const char *s, size_t len)
{
	const char *so = memmem(s, len, ".so", 3);

	if (!so || so == s || len > 250)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_name((unsigned char)s[i]))
			return false;
	for (so += 3; so < s + len; so++)
		if (*so != '.' && !isdigit((unsigned char)*so))
			return false;
	return true;
}

static void scan_strings(const char *p, size_t len, FILE *out)
{
	const char *end = p + len;

	while (p < end) {
		size_t n = strnlen(p, (size_t)(end - p));

		if (n > 3 && is_library_name(p, n))
			fprintf(out, "%.*s:", (int)n, p);
		p += n + 1;
	}
}

static char *read_interp(Elf *elf)
{
	size_t n = 0, size;
	const char *raw = elf_rawfile(elf, &size);
	GElf_Phdr p;

	if (elf_getphdrnum(elf, &n) || !raw)
		return NULL;
	for (size_t i = 0; i < n && i < 65535; i++)
		if (gelf_getphdr(elf, (int)i, &p) && p.p_type == PT_INTERP &&
		    p.p_offset < size && p.p_filesz <= size - p.p_offset)
			return strndup(raw + p.p_offset, p.p_filesz);
	return NULL;
}

static char *read_strings(Elf *elf)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	Elf_Scn *scn = NULL;

	while (out && (scn = elf_nextscn(elf, scn))) {
		GElf_Shdr h;
		Elf_Data *d;

		if (gelf_getshdr(scn, &h) && h.sh_type == SHT_PROGBITS &&
		    (h.sh_flags & SHF_ALLOC) && !(h.sh_flags & SHF_EXECINSTR) &&
		    (d = elf_rawdata(scn, NULL)) && d->d_buf)
			scan_strings(d->d_buf, d->d_size, out);
	}
	return out && !fclose(out) ? text : NULL;
}

static bool is_system(const char *path)
{
	return !strncmp(path, "/lib", 4) || !strncmp(path, "/usr/lib", 8) ||
	       !strncmp(path, "/bin/", 5) || !strncmp(path, "/usr/bin/", 9) ||
	       !strncmp(path, "/sbin/", 6) || !strncmp(path, "/usr/sbin/", 10);
}

/* false = not an ELF program or library. */
static bool program_read(struct program *p, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf *elf;
	GElf_Ehdr h;
	bool yes;

	*p = (struct program){0};
	if (fd < 0)
		return false;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	yes = elf && elf_kind(elf) == ELF_K_ELF && gelf_getehdr(elf, &h) &&
	      (h.e_type == ET_EXEC || h.e_type == ET_DYN);
	if (yes) {
		p->interp = read_interp(elf);
		p->libraries = is_system(path) ? NULL : read_strings(elf);
	}
	elf_end(elf);
	close(fd);
	return yes;
}

static void program_release(struct program *p)
{
	free(p->interp);
	free(p->libraries);
}

/* ---- asking the loader ---- */

static void exec_list(const char *interp, const char *path, const char *preload, int out)
{
	char *all = NULL;
	const char *old = getenv("LD_PRELOAD");
	int null = open("/dev/null", O_RDWR);

	if (preload &&
	    asprintf(&all, "%s%s%s", old ? old : "", old ? ":" : "", preload) >= 0)
		setenv("LD_PRELOAD", all, 1);
	unsetenv("LD_DEBUG");
	dup2(null, 0);
	dup2(out, 1);
	dup2(null, 2);
	execl(interp, interp, "--list", path, (char *)NULL);
	_exit(127);
}

/* malloc'ed text, or NULL. */
static char *ask_loader(const char *interp, const char *path, const char *preload)
{
	char *text = malloc(MAX_LIST + 1);
	size_t len = 0;
	ssize_t got;
	int fd[2], status;
	pid_t pid;

	if (!text || pipe2(fd, O_CLOEXEC)) {
		free(text);
		return NULL;
	}
	pid = fork();
	if (!pid)
		exec_list(interp, path, preload, fd[1]);
	close(fd[1]);
	while (pid > 0 && len < MAX_LIST &&
	       (got = read(fd[0], text + len, MAX_LIST - len)) != 0) {
		if (got < 0 && errno != EINTR)
			break;
		len += got > 0 ? (size_t)got : 0;
	}
	close(fd[0]);
	text[len] = '\0';
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return text;
}

static int add_missing(struct files *l, const char *name, size_t len, struct err *e)
{
	char *text;

	if (l->missing && memmem(l->missing, strlen(l->missing), name, len))
		return 0;
	if (asprintf(&text, "%s%s%.*s", l->missing ? l->missing : "",
		     l->missing ? ", " : "", (int)len, name) < 0)
		return err_nomem(e, "a program");
	free(l->missing);
	l->missing = text;
	return 0;
}

/* "\tlibc.so.6 => /lib/libc.so.6 (0x7f...)", "\t/lib/x (0x...)", "\tx => not found" */
static int add_line(struct files *l, char *line, const char *interp, struct err *e)
{
	char *arrow = strstr(line, " => "), *path, *end, *real;

	while (isspace((unsigned char)*line))
		line++;
	path = arrow ? arrow + 4 : line;
	if (arrow && !strncmp(path, "not found", 9))
		return add_missing(l, line, (size_t)(arrow - line), e);
	end = strstr(path, " (0x");
	if (*path != '/' || !end)
		return 0;
	*end = '\0';
	real = realpath(path, NULL);
	if (!real)
		return 0;
	end = realpath(interp, NULL); /* the loader itself starts no transfer */
	if (end && !strcmp(end, real)) {
		free(end);
		free(real);
		return 0;
	}
	free(end);
	return add(l, real, e);
}

static int add_list(struct files *l, char *text, const char *interp, struct err *e)
{
	char *save = NULL;
	int rc = 0;

	for (char *line = strtok_r(text, "\n", &save); line && !rc;
	     line = strtok_r(NULL, "\n", &save))
		rc = add_line(l, line, interp, e);
	return rc;
}

/* What a program or library loads; found: from where the list is to be scanned for names
 * of further libraries. */
static int add_loads(struct files *l, const char *path, const char *interp,
		     const char *libraries, struct err *e)
{
	char *text = ask_loader(interp, path, NULL), *more = NULL, *all = NULL;
	size_t from = l->n, len;
	FILE *names;
	int rc = text ? add_list(l, text, interp, e) : 0;

	free(text);
	names = open_memstream(&all, &len);
	if (rc || !names)
		return rc ? rc : err_nomem(e, "a program");
	fputs(libraries ? libraries : "", names);
	for (size_t i = from; i < l->n; i++) {
		struct program p;

		if (is_system(l->path[i]) || !program_read(&p, l->path[i]))
			continue;
		fputs(p.libraries ? p.libraries : "", names);
		program_release(&p);
	}
	if (!fclose(names) && *all && (more = ask_loader(interp, path, all)))
		rc = add_list(l, more, interp, e);
	free(more);
	free(all);
	return rc;
}

/* ---- commands, scripts, words ---- */

/* Through PATH, as execvp does; malloc'ed or NULL. */
static char *find_command(const char *name)
{
	const char *path = getenv("PATH"), *end;
	char *try = NULL, *real = NULL;
	struct stat st;

	if (strchr(name, '/'))
		return realpath(name, NULL);
	for (path = path ? path : "/usr/bin:/bin"; *path && !real;
	     path = *end ? end + 1 : end) {
		end = path + strcspn(path, ":");
		if (asprintf(&try, "%.*s/%s", (int)(end - path), path, name) < 0)
			return NULL;
		if (!stat(try, &st) && S_ISREG(st.st_mode) && !access(try, X_OK))
			real = realpath(try, NULL);
		free(try);
	}
	return real;
}

static int add_command(struct files *l, const char *path, int depth, struct err *e);

/* A word of a script or of a wrapper's arguments, if it is a program or library of the
 * user's. "$HERE/prog" is looked for beside the script. */
static int add_word(struct files *l, const char *word, const char *beside, int depth,
		    struct err *e)
{
	const char *slash = strchr(word, '/'), *name;
	char *path = NULL, *real = NULL;
	struct stat st;
	int rc = 0;

	if (!*word || strlen(word) > 1000)
		return 0;
	if (slash && (*word == '$' || *word == '/') && beside) {
		name = *word == '$' ? slash : word;
		if (asprintf(&path, "%s%s", beside, name) >= 0)
			real = realpath(path, NULL);
		free(path);
	}
	if (!real && *word != '$')
		real = find_command(word);
	if (real && !is_system(real) && !have(l, real) && !stat(real, &st) &&
	    S_ISREG(st.st_mode))
		rc = add_command(l, real, depth + 1, e);
	free(real);
	return rc;
}

static int add_words(struct files *l, char *text, const char *beside, int depth,
		     struct err *e)
{
	char *save = NULL;
	int rc = 0;

	for (char *word = strtok_r(text, " \t\n\r\"'`;|&()<>=,", &save); word && !rc;
	     word = strtok_r(NULL, " \t\n\r\"'`;|&()<>=,", &save))
		rc = add_word(l, word, beside, depth, e);
	return rc;
}

static int add_script(struct files *l, const char *path, char *text, int depth,
		      struct err *e)
{
	char *dir = strdup(path), *body = strchr(text, '\n'), *save = NULL, *word, *real;
	int rc = dir ? 0 : err_nomem(e, "a program");

	if (body)
		*body++ = '\0';
	/* "#!/usr/bin/env -S python3 -u": the interpreter, and what env starts */
	for (word = strtok_r(text + 2, " \t\r", &save); word && !rc;
	     word = strtok_r(NULL, " \t\r", &save)) {
		if (*word == '-' || strchr(word, '='))
			continue;
		real = find_command(word);
		rc = real ? add_command(l, real, depth + 1, e) : 0;
		free(real);
	}
	if (!rc && body) {
		*strrchr(dir, '/') = '\0';
		rc = add_words(l, body, dir, depth, e);
	}
	free(dir);
	return rc;
}

/* A file: a program, a library, or a script; anything else is left alone. */
static int add_command(struct files *l, const char *path, int depth, struct err *e)
{
	struct program p;
	char *text;
	ssize_t got;
	int fd, rc = 0;

	if (depth > MAX_DEPTH || have(l, path))
		return 0;
	if (program_read(&p, path)) {
		rc = add(l, strdup(path), e);
		if (!rc && p.interp)
			rc = add_loads(l, path, p.interp, p.libraries, e);
		program_release(&p);
		return rc;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	text = fd < 0 ? NULL : malloc(MAX_SCRIPT + 1);
	got = text ? read(fd, text, MAX_SCRIPT) : -1;
	if (got > 2) {
		text[got] = '\0';
		if (text[0] == '#' && text[1] == '!')
			rc = add_script(l, path, text, depth, e);
	}
	free(text);
	if (fd >= 0)
		close(fd);
	return rc;
}

int loader_files(char *const *argv, char ***paths, size_t *n, char **missing,
		 struct err *e)
{
	struct files l = {0};
	char *real = find_command(argv[0]);
	int rc = 0;

	*paths = NULL;
	*n = 0;
	*missing = NULL;
	if (!real)
		return err_set(e, ERR_NOTFOUND, "%s: there is no such command", argv[0]);
	rc = add_command(&l, real, 0, e);
	free(real);
	for (size_t i = 1; argv[i] && i < 256 && !rc; i++) {
		char *copy = strdup(argv[i]);

		rc = copy ? add_words(&l, copy, NULL, 0, e) : err_nomem(e, "a program");
		free(copy);
	}
	if (rc) {
		paths_free(l.path, l.n);
		free(l.missing);
		return rc;
	}
	*paths = l.path;
	*n = l.n;
	*missing = l.missing;
	return 0;
}

/* ---- a running process ---- */

static bool other_root(int pid)
{
	char path[64];
	struct stat a, b;

	snprintf(path, sizeof(path), "/proc/%d/root/", pid);
	return !stat(path, &a) && !stat("/", &b) &&
	       (a.st_dev != b.st_dev || a.st_ino != b.st_ino);
}

/* "7f..-7f.. r-xp 00000000 fe:00 123   /path" */
static int add_mapping(struct files *l, int pid, bool elsewhere, char *line,
		       struct err *e)
{
	char *path = strchr(line, '/'), *full, *blank = strchr(line, ' ');

	line[strcspn(line, "\n")] = '\0';
	if (!path || !blank || blank[3] != 'x' || strstr(path, " (deleted)"))
		return 0;
	if ((elsewhere ? asprintf(&full, "/proc/%d/root%s", pid, path)
		       : asprintf(&full, "%s", path)) < 0)
		return err_nomem(e, "a program");
	return add(l, full, e);
}

int loader_files_of_pid(int pid, char ***paths, size_t *n, struct err *e)
{
	char name[64], *line = NULL;
	struct files l = {0};
	size_t size = 0;
	bool elsewhere = other_root(pid);
	int rc = 0;
	FILE *f;

	*paths = NULL;
	*n = 0;
	snprintf(name, sizeof(name), "/proc/%d/maps", pid);
	f = fopen(name, "re");
	if (!f && errno == ENOENT)
		return err_set(e, ERR_NOTFOUND, "there is no process %d", pid);
	if (!f)
		return err_errno(e, "%s", name);
	while (!rc && getline(&line, &size, f) > 0)
		rc = add_mapping(&l, pid, elsewhere, line, e);
	free(line);
	fclose(f);
	/* what the program may yet open */
	for (size_t i = 0, had = l.n; !rc && !elsewhere && i < had; i++) {
		struct program p;

		if (is_system(l.path[i]) || !program_read(&p, l.path[i]))
			continue;
		if (p.interp)
			rc = add_loads(&l, l.path[i], p.interp, p.libraries, e);
		program_release(&p);
	}
	if (!rc && !l.n)
		rc = err_set(e, ERR_NOTFOUND,
			     "process %d has no program: a kernel thread?", pid);
	free(l.missing);
	if (rc) {
		paths_free(l.path, l.n);
		return rc;
	}
	*paths = l.path;
	*n = l.n;
	return 0;
}
