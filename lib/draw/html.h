/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The frame of a self-contained page: style and script inline, no network, light and
 * dark, prints well. Used by dmareport and `dmacompare --report`.
 */
#ifndef DMA_HTML_H
#define DMA_HTML_H

#include <stddef.h>
#include <stdio.h>

struct figure;

/* Text with < > & " ' written as entities; control characters as spaces; bytes that are
 * no UTF-8 as '?'. */
void html_text(FILE *f, const char *text);

/* <!DOCTYPE ...> to <main>; and the rest with the script. */
void html_begin(FILE *f, const char *title);
void html_end(FILE *f);

/* A figure with its two drawings, title (as a heading of `level`), caption and points for
 * the pointer; or its reason for not being drawn. */
void html_figure(FILE *f, const struct figure *fig, int level);

#endif
