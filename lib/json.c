/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/json.h"

#include <inttypes.h>
#include <math.h>

#include "lib/dma.h"
#include "lib/text.h"

void json_text(FILE *f, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	if (!text) {
		fputs("null", f);
		return;
	}
	putc('"', f);
	while (*p) {
		size_t n = text_utf8(p);

		if (!n) {
			fputs("\\ufffd", f);
			p++;
		} else if (*p == '"' || *p == '\\') {
			fprintf(f, "\\%c", *p++);
		} else if (*p < 0x20 || *p == 0x7f) {
			fprintf(f, "\\u%04x", *p++);
		} else {
			fwrite(p, 1, n, f);
			p += n;
		}
	}
	putc('"', f);
}

void json_i64(FILE *f, int64_t v)
{
	if (v == DMA_UNKNOWN)
		fputs("null", f);
	else
		fprintf(f, "%" PRId64, v);
}

void json_real(FILE *f, double v)
{
	if (isfinite(v))
		fprintf(f, "%.12g", v);
	else
		fputs("null", f);
}
