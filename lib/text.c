/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/text.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

size_t text_utf8(const unsigned char *p)
{
	size_t n = *p < 0x80		      ? 1
		   : *p >= 0xc2 && *p <= 0xdf ? 2
		   : *p >= 0xe0 && *p <= 0xef ? 3
		   : *p >= 0xf0 && *p <= 0xf4 ? 4
					      : 0;

	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) ||
	    (*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

char *text_clean(char *text)
{
	for (unsigned char *p = (unsigned char *)text; p && *p; p++) {
		bool c1 = p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0;

		if ((*p < 0x20 && *p != '\n') || *p == 0x7f)
			*p = '?';
		else if (c1)
			p[0] = p[1] = '?';
	}
	return text;
}

const char *text_count(uint64_t n, char buf[32])
{
	char plain[24];
	size_t len = (size_t)snprintf(plain, sizeof(plain), "%" PRIu64, n), at = 0;

	for (size_t i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			buf[at++] = ',';
		buf[at++] = plain[i];
	}
	buf[at] = 0;
	return buf;
}

static int columns_of(const char *text, size_t bytes)
{
	int n = 0;

	for (size_t i = 0; i < bytes; i++)
		n += ((unsigned char)text[i] & 0xc0) != 0x80;
	return n;
}

int text_columns(const char *text)
{
	return columns_of(text, strlen(text));
}

void text_wrap(FILE *f, const char *text, int at, int indent, int width)
{
	bool first = true; /* on its line */

	while (*text) {
		size_t len = strcspn(text, " \n");
		int n = columns_of(text, len);

		if (!first && at + 1 + n > width) {
			fprintf(f, "\n%*s", indent, "");
			at = indent;
			first = true;
		}
		fprintf(f, "%s%.*s", first ? "" : " ", (int)len, text);
		at += n + !first;
		first = false;
		text += len;
		text += strspn(text, " \n");
	}
	fputc('\n', f);
}

const char *text_number(uint64_t n, const char *one, const char *many)
{
	return n == 1 ? one : many;
}

const char *text_s(uint64_t n)
{
	return text_number(n, "", "s");
}
