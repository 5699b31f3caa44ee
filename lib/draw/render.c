/* SPDX-License-Identifier: GPL-2.0-only */
/* gnuplot draws into a directory of its own inside the target, and what it finished is
 * renamed. */
#include "lib/draw/render.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"

static const char *const ending[CANVAS_N] = {".png", ".svg", ".pdf", ".wide", ".narrow"};

enum { NAME_BYTES = 80 }; /* of a figure's name with its ending, or a temporary one */

struct job {
	const struct render_dir *dir;
	char tmp[NAME_BYTES];	    /* a directory in dir */
	int fd;			    /* of it */
	const char *term[CANVAS_N]; /* NULL = not wanted */
};

/* ---- names in a directory that others may write to ---- */

/* ".what-XXXXXX" */
static void hidden_name(char name[NAME_BYTES], const char *what)
{
	static const char letter[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	unsigned char draw[12];

	if (getrandom(draw, sizeof(draw), GRND_NONBLOCK) != (ssize_t)sizeof(draw))
		memset(draw, (int)getpid(), sizeof(draw)); /* early in the boot */
	snprintf(name, NAME_BYTES, ".%s-", what);
	for (size_t i = 0, n = strlen(name); i <= sizeof(draw); i++)
		name[n + i] = i < sizeof(draw) ? letter[draw[i] % 36] : '\0';
}

/* Ours, or root's. */
static bool trusted(const struct stat *st)
{
	return st->st_uid == geteuid() || !st->st_uid;
}

/* `from`, which is whole, becomes `to`. In a directory that others can write to, what
 * another user has put there under that name is no older report. */
static int put(int from_fd, const char *from, const struct render_dir *d, const char *to,
	       struct err *e)
{
	struct stat dir, st;

	if (fstat(d->fd, &dir))
		return err_errno(e, "%s: cannot be examined", d->path);
	if (!fstatat(d->fd, to, &st, AT_SYMLINK_NOFOLLOW) && !trusted(&st) &&
	    st.st_uid != dir.st_uid)
		return err_set(e, ERR_PERM,
			       "%s/%s: belongs to another user (%u) and would be "
			       "replaced; name another directory (-o)",
			       d->path, to, (unsigned)st.st_uid);
	if (renameat(from_fd, from, d->fd, to))
		return err_errno(e, "cannot write %s/%s", d->path, to);
	return 0;
}

/* The directory and all that lead to it, unless they are there. */
static int make_all(struct render_dir *d, struct err *e)
{
	char *copy = strdup(d->path);
	int error = copy ? 0 : err_nomem(e, "a drawing");

	for (char *p = copy; !error && *p; p++) {
		char c = p[1];

		if (c && c != '/')
			continue;
		p[1] = '\0';
		d->made = !mkdir(copy, 0777);
		if (!d->made && errno != EEXIST)
			error = err_errno(e, "cannot make the directory %s", copy);
		p[1] = c;
	}
	free(copy);
	return error;
}

int render_open(struct render_dir *d, const char *path, struct err *e)
{
	struct stat st;
	int error;

	*d = (struct render_dir){path, -1, false};
	error = make_all(d, e);
	if (error)
		return error;
	d->fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (d->fd < 0 && !lstat(path, &st) && S_ISLNK(st.st_mode)) {
		if (!trusted(&st))
			return err_set(
				e, ERR_PERM,
				"%s: is a link of another user's (%u) to somewhere "
				"else; name another directory (-o)",
				path, (unsigned)st.st_uid);
		d->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (d->fd < 0 && errno == ENOTDIR)
		return err_set(e, ERR_IO, "%s is there and no directory; name another",
			       path);
	return d->fd < 0 ? err_errno(e, "%s: cannot be opened", path) : 0;
}

void render_close(struct render_dir *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}

/* ---- drawing ---- */

static int read_file(const struct job *j, const char *name, char **text, size_t *len,
		     struct err *e)
{
	int fd = openat(j->fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "rb");
	struct stat st;

	*text = NULL;
	if (!f) {
		if (fd >= 0)
			close(fd);
		return err_errno(e, "%s: cannot read what gnuplot drew", name);
	}
	if (fstat(fd, &st) || !(*text = malloc((size_t)st.st_size + 1))) {
		fclose(f);
		return err_errno(e, "%s: cannot read what gnuplot drew", name);
	}
	*len = fread(*text, 1, (size_t)st.st_size, f);
	(*text)[*len] = 0;
	fclose(f);
	return 0;
}

static const char *file_of(const struct figure *f, int kind, char name[NAME_BYTES])
{
	snprintf(name, NAME_BYTES, "%s%s", f->name, ending[kind]);
	return name;
}

/* gnuplot's working directory is the one it draws into. */
static char *script_of(struct figure *f, const struct job *j, size_t *len)
{
	char *text = NULL, name[NAME_BYTES];
	FILE *out = open_memstream(&text, len);
	bool whole = true;

	if (!out)
		return NULL;
	for (int k = 0; k < CANVAS_N; k++) {
		char *part;
		size_t n;

		if (!j->term[k])
			continue;
		part = figure_script(f, (enum canvas_kind)k, j->term[k],
				     file_of(f, k, name), &n);
		if (part)
			fwrite(part, 1, n, out);
		whole &= part != NULL;
		fputs("reset session\n", out);
		free(part);
	}
	fputs(GNUPLOT_DONE, out);
	whole &= !ferror(out);
	if (!fclose(out) && whole)
		return text;
	free(text);
	return NULL;
}

static int take_svg(struct figure *f, const struct job *j, int k, struct err *e)
{
	char *text = NULL, name[NAME_BYTES];
	size_t len = 0;
	int error = read_file(j, file_of(f, k, name), &text, &len, e);

	if (!error) {
		int n = k == CANVAS_NARROW;

		f->svg[n] =
			svg_inline(text, len, f->used[n], n ? "narrow" : "wide", f->alt);
		if (!f->svg[n])
			error = err_set(e, ERR_IO, "%s: gnuplot drew no SVG", name);
	}
	unlinkat(j->fd, name, 0);
	free(text);
	return error;
}

static int take_file(const struct figure *f, const struct job *j, int k, struct err *e)
{
	char name[NAME_BYTES];
	struct stat st;

	file_of(f, k, name);
	if (fstatat(j->fd, name, &st, AT_SYMLINK_NOFOLLOW) || !st.st_size)
		return err_set(e, ERR_IO, "gnuplot left %s empty; is the disk full?",
			       name);
	return put(j->fd, name, j->dir, name, e);
}

static int collect(struct figure *fig, size_t n, const struct job *j, struct err *e)
{
	int error = 0;

	for (size_t i = 0; i < n && !error; i++)
		for (int k = 0; k < CANVAS_N && !error; k++) {
			if (*fig[i].why_not || !j->term[k])
				continue;
			error = k == CANVAS_WIDE || k == CANVAS_NARROW
					? take_svg(&fig[i], j, k, e)
					: take_file(&fig[i], j, k, e);
		}
	return error;
}

static void remove_tmp(const struct figure *fig, size_t n, const struct job *j)
{
	char name[NAME_BYTES];

	for (size_t i = 0; i < n && j->fd >= 0; i++)
		for (int k = 0; k < CANVAS_N; k++)
			if (j->term[k])
				unlinkat(j->fd, file_of(&fig[i], k, name), 0);
	if (*j->tmp)
		unlinkat(j->dir->fd, j->tmp, AT_REMOVEDIR);
}

/* A directory of our own inside the target. */
static int make_tmp(struct job *j, struct err *e)
{
	hidden_name(j->tmp, "drawing");
	if (mkdirat(j->dir->fd, j->tmp, 0700)) {
		int error = err_errno(e, "cannot write into %s", j->dir->path);

		*j->tmp = '\0';
		return error;
	}
	j->fd = openat(j->dir->fd, j->tmp,
		       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return j->fd < 0 ? err_errno(e, "cannot write into %s", j->dir->path) : 0;
}

static void choose_terminals(struct job *j, const struct formats *want,
			     const struct gnuplot_terminals *can)
{
	j->term[CANVAS_PNG] = !want->png      ? NULL
			      : can->pngcairo ? "pngcairo"
			      : can->png      ? "png"
					      : NULL;
	j->term[CANVAS_SVG] = want->svg && can->svg ? "svg" : NULL;
	j->term[CANVAS_PDF] = want->pdf && can->pdfcairo ? "pdfcairo" : NULL;
	j->term[CANVAS_WIDE] = j->term[CANVAS_NARROW] =
		want->html && can->svg ? "svg" : NULL;
}

int render(struct figure *fig, size_t n, const struct render_dir *d,
	   const struct formats *want, const struct gnuplot_terminals *can,
	   struct gnuplot_watch *w, struct err *e)
{
	struct gnuplot_script *script = calloc(n + 1, sizeof(*script));
	struct job j = {.dir = d, .fd = -1};
	sigset_t ours, before;
	size_t scripts = 0;
	int error = 0;

	gnuplot_signals(&ours);
	sigprocmask(SIG_BLOCK, &ours, &before);

	error = script ? make_tmp(&j, e) : err_nomem(e, "a drawing");
	if (error)
		goto out;
	choose_terminals(&j, want, can);
	for (size_t i = 0; i < n && !error; i++) {
		if (*fig[i].why_not)
			continue;
		script[scripts].text = script_of(&fig[i], &j, &script[scripts].len);
		if (!script[scripts++].text)
			error = err_nomem(e, "a drawing");
	}
	if (!error)
		error = gnuplot_run_all(script, scripts, 2, j.fd, w, e);
	if (!error && !w->signal)
		error = collect(fig, n, &j, e);
out:
	remove_tmp(fig, n, &j);
	if (j.fd >= 0)
		close(j.fd);
	if (w->signal) {
		if (d->made)
			rmdir(d->path); /* where nothing has come into it */
		raise(w->signal);
	}
	sigprocmask(SIG_SETMASK, &before, NULL); /* a signal that came ends it here */
	for (size_t i = 0; i < scripts; i++)
		free((char *)script[i].text);
	free(script);
	return error;
}

int render_page(const struct render_dir *d,
		int (*write)(FILE *f, void *arg, struct err *e), void *arg, char **path,
		struct err *e)
{
	char tmp[NAME_BYTES];
	FILE *f = NULL;
	int error, fd;

	if (asprintf(path, "%s/index.html", d->path) < 0) {
		*path = NULL;
		return err_nomem(e, "a drawing");
	}
	hidden_name(tmp, "index.html");
	fd = openat(d->fd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0666);
	if (fd >= 0 && !(f = fdopen(fd, "w")))
		close(fd);
	if (!f) {
		error = err_errno(e, "cannot write %s/%s", d->path, tmp);
	} else {
		error = write(f, arg, e);
		if (fclose(f) && !error)
			error = err_errno(e, "cannot write %s/%s", d->path, tmp);
	}
	if (!error)
		error = put(d->fd, tmp, d, "index.html", e);
	if (error && fd >= 0)
		unlinkat(d->fd, tmp, 0);
	return error;
}
