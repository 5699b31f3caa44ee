/* SPDX-License-Identifier: GPL-2.0-only */
/* The page of --report: verdicts first, what else differs, the pictures, the figures. */
#ifndef DMA_COMPARE_PAGE_H
#define DMA_COMPARE_PAGE_H

#include "compare/compare_print.h"
#include "lib/draw/figure.h"

/* Groups that are drawn, and the figures of each. */
enum { COMPARE_DRAWN = 8, COMPARE_FIGURES = 3 };

int compare_page_write(FILE *f, const struct compare_result *r, const struct figure *fig,
		       size_t nfig, struct err *e);

#endif
