/* SPDX-License-Identifier: GPL-2.0-only */
/* The tables of index.html, which stand below the pictures, and the environment, folded. */
#ifndef REPORT_PAGE_TABLES_H
#define REPORT_PAGE_TABLES_H

#include <stdio.h>

#include "report/data.h"

int page_tables(FILE *f, const struct report *r, struct err *e);
int page_environment(FILE *f, const struct report *r, struct err *e);

#endif
