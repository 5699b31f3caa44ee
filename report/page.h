/* SPDX-License-Identifier: GPL-2.0-only */
/* index.html: the answer and completeness first, then the plots, the tables, and folded, the
 * environment. */
#ifndef REPORT_PAGE_H
#define REPORT_PAGE_H

#include <stddef.h>
#include <stdio.h>

#include "report/data.h"
#include "report/plots.h"

struct run_figures {
	struct report *r;
	struct figure *fig;
	int *kind; /* enum plot_kind of each */
	size_t n;
};

int page_write(FILE *f, const struct run_figures *run, size_t nrun, struct err *e);

/* Whether the recording is whole, in one or two plain sentences. Returns 1 when it is, 0
 * when it has holes or cannot tell. */
int completeness_sentence(const struct report *r, char *buf, size_t len);

#endif
