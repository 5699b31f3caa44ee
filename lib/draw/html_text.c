/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/draw/html.h"
#include "lib/text.h"

void html_text(FILE *f, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	while (p && *p) {
		size_t n = text_utf8(p);

		if (*p == '<')
			fputs("&lt;", f);
		else if (*p == '>')
			fputs("&gt;", f);
		else if (*p == '&')
			fputs("&amp;", f);
		else if (*p == '"')
			fputs("&quot;", f);
		else if (*p == '\'')
			fputs("&#39;", f);
		else if (*p < ' ' || *p == 0x7f)
			fputc(' ', f);
		else if (!n)
			fputc('?', f);
		else
			fwrite(p, 1, n, f);
		p += n ? n : 1;
	}
}
