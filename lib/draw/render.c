/* SPDX-License-Identifier: GPL-2.0-only */
/* gnuplot draws into a directory of its own inside the target, and what it finished is
 * renamed. */
#include "lib/draw/render.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"

static const char *const ending[CANVAS_N] = {".png", ".svg", ".pdf", ".wide", ".narrow"};

struct job {
	const char *dir;
	char *tmp;		    /* inside dir */
	const char *term[CANVAS_N]; /* NULL = not wanted */
};

static int read_file(const char *path, char **text, size_t *len, struct err *e)
{
	FILE *f = fopen(path, "rb");
	struct stat st;

	*text = NULL;
	if (!f)
		return err_errno(e, "%s: cannot read what gnuplot drew", path);
	if (fstat(fileno(f), &st) || !(*text = malloc((size_t)st.st_size + 1))) {
		fclose(f);
		return err_errno(e, "%s: cannot read what gnuplot drew", path);
	}
	*len = fread(*text, 1, (size_t)st.st_size, f);
	(*text)[*len] = 0;
	fclose(f);
	return 0;
}

static char *path_of(const char *dir, const char *name, const char *end)
{
	char *path = NULL;

	return asprintf(&path, "%s/%s%s", dir, name, end) < 0 ? NULL : path;
}

static char *script_of(struct figure *f, const struct job *j, size_t *len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len);

	if (!out)
		return NULL;
	for (int k = 0; k < CANVAS_N; k++) {
		char *path, *part;
		size_t n;

		if (!j->term[k])
			continue;
		path = path_of(j->tmp, f->name, ending[k]);
		part = path ? figure_script(f, (enum canvas_kind)k, j->term[k], path, &n)
			    : NULL;
		if (part)
			fwrite(part, 1, n, out);
		fputs("reset session\n", out);
		free(part);
		free(path);
	}
	fputs(GNUPLOT_DONE, out);
	return fclose(out) ? NULL : text;
}

static int take_svg(struct figure *f, const struct job *j, int k, struct err *e)
{
	char *path = path_of(j->tmp, f->name, ending[k]), *text = NULL;
	size_t len = 0;
	int error = path ? read_file(path, &text, &len, e) : err_nomem(e, "a drawing");

	if (!error) {
		f->svg[k == CANVAS_NARROW] = svg_inline(
			text, len, k == CANVAS_NARROW ? "narrow" : "wide", f->alt);
		if (!f->svg[k == CANVAS_NARROW])
			error = err_set(e, ERR_IO, "%s: gnuplot drew no SVG", path);
	}
	if (path)
		unlink(path);
	free(text);
	free(path);
	return error;
}

static int take_file(const struct figure *f, const struct job *j, int k, struct err *e)
{
	char *from = path_of(j->tmp, f->name, ending[k]),
	     *to = path_of(j->dir, f->name, ending[k]);
	struct stat st;
	int error = 0;

	if (!from || !to)
		error = err_nomem(e, "a drawing");
	else if (stat(from, &st) || !st.st_size)
		error = err_set(e, ERR_IO, "gnuplot left %s empty; is the disk full?",
				from);
	else if (rename(from, to))
		error = err_errno(e, "cannot write %s", to);
	free(from);
	free(to);
	return error;
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
	for (size_t i = 0; i < n; i++)
		for (int k = 0; k < CANVAS_N; k++) {
			char *path = j->term[k] ? path_of(j->tmp, fig[i].name, ending[k])
						: NULL;

			if (path)
				unlink(path);
			free(path);
		}
	rmdir(j->tmp);
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

int render(struct figure *fig, size_t n, const char *dir, const struct formats *want,
	   const struct gnuplot_terminals *can, struct gnuplot_watch *w, struct err *e)
{
	struct gnuplot_script *script = calloc(n + 1, sizeof(*script));
	struct job j = {.dir = dir, .tmp = path_of(dir, ".drawing-XXXXXX", "")};
	sigset_t ours, before;
	size_t scripts = 0;
	int error = 0;

	gnuplot_signals(&ours);
	sigprocmask(SIG_BLOCK, &ours, &before);

	if (!script || !j.tmp) {
		error = err_nomem(e, "a drawing");
		goto out;
	}
	if (!mkdtemp(j.tmp)) {
		error = err_errno(e, "cannot write into %s", dir);
		goto out;
	}
	choose_terminals(&j, want, can);
	for (size_t i = 0; i < n && !error; i++) {
		if (*fig[i].why_not)
			continue;
		script[scripts].text = script_of(&fig[i], &j, &script[scripts].len);
		if (!script[scripts++].text)
			error = err_nomem(e, "a drawing");
	}
	if (!error)
		error = gnuplot_run_all(script, scripts, 2, w, e);
	if (!error && !w->signal)
		error = collect(fig, n, &j, e);
	remove_tmp(fig, n, &j);
out:
	if (w->signal) {
		rmdir(dir); /* of which nothing came, if it was made for this */
		raise(w->signal);
	}
	sigprocmask(SIG_SETMASK, &before, NULL); /* a signal that came ends it here */
	for (size_t i = 0; i < scripts; i++)
		free((char *)script[i].text);
	free(script);
	free(j.tmp);
	return error;
}

int render_directory(const char *path, struct err *e)
{
	char *copy = strdup(path);
	struct stat st;
	int error = 0;

	if (!copy)
		return err_nomem(e, "a drawing");
	for (char *p = copy + 1; !error; p++) {
		char c = *p;

		if (c && c != '/')
			continue;
		*p = 0;
		if (mkdir(copy, 0777) && errno != EEXIST)
			error = err_errno(e, "cannot make the directory %s", copy);
		*p = c;
		if (!c)
			break;
	}
	if (!error && (stat(path, &st) || !S_ISDIR(st.st_mode)))
		error = err_set(e, ERR_IO, "%s is there and no directory; name another",
				path);
	free(copy);
	return error;
}

int render_page(const char *dir, int (*write)(FILE *f, void *arg, struct err *e),
		void *arg, char **path, struct err *e)
{
	char *tmp = NULL;
	FILE *f;
	int error;

	*path = path_of(dir, "index", ".html");
	if (!*path || asprintf(&tmp, "%s/.index.html.%d", dir, (int)getpid()) < 0)
		return err_nomem(e, "a drawing");
	f = fopen(tmp, "w");
	if (!f) {
		error = err_errno(e, "cannot write %s", tmp);
		free(tmp);
		return error;
	}
	error = write(f, arg, e);
	if (fclose(f) && !error)
		error = err_errno(e, "cannot write %s", tmp);
	if (!error && rename(tmp, *path))
		error = err_errno(e, "cannot write %s", *path);
	if (error)
		unlink(tmp);
	free(tmp);
	return error;
}
