/* SPDX-License-Identifier: GPL-2.0-only */
/* --report: both sides over one another, and a page that holds the pictures. */
#ifndef DMA_COMPARE_REPORT_H
#define DMA_COMPARE_REPORT_H

#include "compare/compare_print.h"

/* Draw into dir, which is made when it is not there. *path gets the page's name
 * (malloc'ed, also on failure). */
int compare_report(const struct compare_result *r, const char *dir, char **path,
		   struct err *e);

#endif
