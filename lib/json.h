/* SPDX-License-Identifier: GPL-2.0-only */
/* Values of JSON (RFC 8259) to a stream. What is not known is null. */
#ifndef DMA_JSON_H
#define DMA_JSON_H

#include <stdint.h>
#include <stdio.h>

/* NULL = null; bytes that are no UTF-8 as U+FFFD, the replacement character. */
void json_text(FILE *f, const char *text);
void json_i64(FILE *f, int64_t v); /* DMA_UNKNOWN = null */
void json_real(FILE *f, double v); /* NAN and infinities = null */

#endif
