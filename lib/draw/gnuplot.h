/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs gnuplot on a script: a child of our own without a shell, the script through a
 * pipe, its standard error caught. A warning of gnuplot is an error of ours, so anything
 * it says fails the call with its first words. Needs no display.
 */
#ifndef DMA_GNUPLOT_H
#define DMA_GNUPLOT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

struct err;

/* What this gnuplot can write. */
struct gnuplot_terminals {
	bool pngcairo, png, svg, pdfcairo;
};

/* ERR_NOTFOUND, with the package's name, when there is no gnuplot in PATH. */
int gnuplot_probe(struct gnuplot_terminals *t, struct err *e);

/* Run a script of len bytes to its end. 0, or an error that quotes gnuplot. */
int gnuplot_run(const char *script, size_t len, struct err *e);

struct gnuplot_script {
	const char *text;
	size_t len;
};

/* A script that wants to be counted ends with this line. */
#define GNUPLOT_DONE "set print '-'\nprint 1\nset print\n"

/* Those that gnuplot_run_all() waits for. */
void gnuplot_signals(sigset_t *set);

struct gnuplot_watch { /* zero-initialised */
	/* About five times a second, with the scripts that are done; may be NULL. */
	void (*step)(void *arg, size_t done);
	void *arg;
	/* What gnuplot or a library of it said though it drew everything; "" = nothing. */
	char said[512];
	/* SIGINT, SIGTERM or SIGHUP that came meanwhile: the gnuplots are gone, and the
	 * caller raises it again when it has tidied up. 0 = none. */
	int signal;
};

/* n scripts, shared out among at most `jobs` gnuplots (a start costs as much as a picture)
 * whose working directory is the descriptor `dir` (-1 = ours). 0, or the first error. The three signals and SIGCHLD must be blocked by the caller. */
int gnuplot_run_all(const struct gnuplot_script *s, size_t n, int jobs, int dir,
		    struct gnuplot_watch *w, struct err *e);

#endif
