/* SPDX-License-Identifier: GPL-2.0-only */
/* Text from outside: a recording, a database, a driver's name. */
#ifndef DMA_TEXT_H
#define DMA_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Bytes of the well-formed UTF-8 sequence at p (Unicode 15, table 3-7: no overlong forms,
 * no surrogates), 1 to 4; 0 = none begins here. p ends with a NUL. */
size_t text_utf8(const unsigned char *p);

/* A text must not steer the terminal: control characters become '?', in place; a newline
 * stays. Returns text; NULL is fine. */
char *text_clean(char *text);

/* A paragraph broken at words so that no line has more than `width` columns (a longer word
 * has a line of its own): `indent` spaces before each line but the first, which begins at
 * column `at`. Ends with a newline. */
void text_wrap(FILE *f, const char *text, int at, int indent, int width);

/* Columns of a text: its characters, not bytes. */
int text_columns(const char *text);

/* "1,234,567" into buf, which is returned. */
const char *text_count(uint64_t n, char buf[32]);

/* One or many: text_s(n) behind a noun, "1 sample", "2 samples"; else either word. */
const char *text_s(uint64_t n);
const char *text_number(uint64_t n, const char *one, const char *many);

#endif
