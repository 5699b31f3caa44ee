/* SPDX-License-Identifier: GPL-2.0-only */
/* Figures to files, and into the figures the SVGs of the page. */
#ifndef REPORT_RENDER_H
#define REPORT_RENDER_H

#include <stdbool.h>
#include <stddef.h>

#include "figure.h"
#include "gnuplot.h"

struct err;

struct formats {
	bool html, png, svg, pdf;
};

/* Draw n figures into the directory dir (which exists): NAME.png and so on, each whole or
 * not at all. Figures with a why_not are skipped. */
int render(struct figure *fig, size_t n, const char *dir, const struct formats *want,
	   const struct gnuplot_terminals *can, struct err *e);

#endif
