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

/* Where plots and page go. All names are looked up in the descriptor, which is opened once:
 * what stands at the path later is not followed. Nothing goes through a link that another
 * user may have planted, and where others can write too, nothing of theirs is replaced. */
struct render_dir {
	const char *path; /* the caller's */
	int fd;		  /* -1 = not open */
	bool made;	  /* for this */
};

/* Make the directory with all that lead to it, unless it is there, and open it. The caller
 * closes it, also on failure. */
int render_open(struct render_dir *d, const char *path, struct err *e);
void render_close(struct render_dir *d);

/* Draw n figures into the directory: NAME.png and so on, each whole or not at all. Figures
 * with a why_not are skipped. */
int render(struct figure *fig, size_t n, const struct render_dir *d,
	   const struct formats *want, const struct gnuplot_terminals *can,
	   struct gnuplot_watch *w, struct err *e);

/* index.html in the directory, whole or not at all; *path gets its name (malloc'ed, also on
 * failure, where it may be NULL). */
int render_page(const struct render_dir *d,
		int (*write)(FILE *f, void *arg, struct err *e), void *arg, char **path,
		struct err *e);

#endif
