/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs gnuplot on a script: a child of our own without a shell, the script through a
 * pipe, its standard error caught. A warning of gnuplot is an error of ours, so anything
 * it says fails the call with its first words. Needs no display.
 */
#ifndef DMA_GNUPLOT_H
#define DMA_GNUPLOT_H

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

/* The same for n scripts, at most `jobs` at a time. All are run; the first error is
 * kept. */
struct gnuplot_script {
	const char *text;
	size_t len;
};
int gnuplot_run_all(const struct gnuplot_script *s, size_t n, int jobs, struct err *e);

#endif
