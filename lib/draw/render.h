/* SPDX-License-Identifier: GPL-2.0-only */
/* Figures to files, and into the figures the SVGs of the page; the directory and the page
 * that they are put in. */
#ifndef DMA_RENDER_H
#define DMA_RENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "lib/draw/figure.h"
#include "lib/draw/gnuplot.h"

struct err;

struct formats {
	bool html, png, svg, pdf;
};

/* Draw n figures into the directory dir (which exists): NAME.png and so on, each whole or
 * not at all. Figures with a why_not are skipped. */
int render(struct figure *fig, size_t n, const char *dir, const struct formats *want,
	   const struct gnuplot_terminals *can, struct gnuplot_watch *w, struct err *e);

/* Make the directory with all that lead to it, unless it is there. */
int render_directory(const char *path, struct err *e);

/* index.html in dir, whole or not at all; *path gets its name (malloc'ed, also on
 * failure). */
int render_page(const char *dir, int (*write)(FILE *f, void *arg, struct err *e),
		void *arg, char **path, struct err *e);

#endif
