/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/json.h"

#include <inttypes.h>
#include <math.h>

#include "lib/dma.h"

/* Bytes of the UTF-8 sequence at p, 0 = none. */
static int sequence(const unsigned char *p)
{
	int n = *p < 0x80		   ? 1
		: *p >= 0xc2 && *p <= 0xdf ? 2
		: *p >= 0xe0 && *p <= 0xef ? 3
		: *p >= 0xf0 && *p <= 0xf4 ? 4
					   : 0;

	for (int i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) ||
	    (*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

void json_text(FILE *f, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	if (!text) {
		fputs("null", f);
		return;
	}
	putc('"', f);
	while (*p) {
		int n = sequence(p);

		if (!n) {
			putc('?', f);
			p++;
		} else if (*p == '"' || *p == '\\') {
			fprintf(f, "\\%c", *p++);
		} else if (*p < 0x20) {
			fprintf(f, "\\u%04x", *p++);
		} else {
			fwrite(p, 1, (size_t)n, f);
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
