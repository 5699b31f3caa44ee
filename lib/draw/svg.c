/* SPDX-License-Identifier: GPL-2.0-only */
/* A gnuplot SVG made fit to stand in a page: colours become CSS variables, its own
 * titles, ids and definitions go, since several stand in one document. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/draw/figure.h"
#include "lib/draw/html.h"

const char svg_shared_defs[] =
	"<svg width=\"0\" height=\"0\" style=\"position:absolute\" aria-hidden=\"true\" "
	"focusable=\"false\"><defs>"
	"<circle id=\"gpDot\" r=\"0.5\" stroke-width=\"0.5\" stroke=\"currentColor\"/>"
	"<path id=\"gpPt0\" stroke-width=\"0.222\" "
	"stroke=\"currentColor\" d=\"M-1,0 h2 M0,-1 v2\"/>"
	"<path id=\"gpPt1\" stroke-width=\"0.222\" stroke=\"currentColor\" d=\"M-1,-1 "
	"L1,1 M1,-1 L-1,1\"/>"
	"<circle id=\"gpPt5\" stroke-width=\"0.222\" stroke=\"currentColor\" "
	"fill=\"none\" r=\"1\"/>"
	"<circle id=\"gpPt6\" fill=\"currentColor\" stroke=\"none\" r=\"1\"/>"
	"<path id=\"gpPt8\" stroke=\"none\" fill=\"currentColor\" d=\"M0,-1.33 "
	"L-1.33,0.67 L1.33,0.67 z\"/>"
	"</defs></svg>\n";

/* "rgb( 0, 114, 178)"; the digits are read by strtol, as sscanf measures the rest of the
 * picture for each colour. */
static int color_at(const char *p, const char **end)
{
	unsigned long rgb = 0;
	char hex[sizeof("#rrggbb")], *next = (char *)p + strlen("rgb(");

	for (int i = 0; i < 3; i++) {
		const char *digits = next;

		rgb = rgb << 8 | (strtoul(digits, &next, 10) & 0xff);
		if (next == digits || *next++ != (i < 2 ? ',' : ')'))
			return -1;
	}
	*end = next;
	snprintf(hex, sizeof(hex), "#%06lx", rgb);
	for (int i = 0; i < COLOR_N; i++)
		if (!strcmp(hex, color_hex((enum color)i)))
			return i;
	return -1;
}

/* The variables' names come from color_variables(), in the enum's order. */
static const char *variable(int c)
{
	static const char *const name[COLOR_N] = {
		"s0", "s1", "s2",  "s3",   "s4",   "s5",   "s6",   "other",
		"p0", "p1", "p2",  "d0",   "d1",   "d2",   "d3",   "d4",
		"d5", "d6", "ink", "soft", "grid", "back", "loss", "warn"};

	return name[c];
}

static void themed_line(FILE *f, const char *p, const char *end)
{
	while (p < end) {
		const char *after;
		int c;

		if (*p == 'r' && !strncmp(p, "rgb(", 4) &&
		    (c = color_at(p, &after)) >= 0) {
			fprintf(f, "var(--%s)", variable(c));
			p = after;
		} else if (!strncmp(p, "color=\"black\"", 13)) {
			fputs("color=\"var(--ink)\"", f);
			p += 13;
		} else if (!strncmp(p, " font-family=\"", 14)) {
			for (p += 14; p < end && *p != '"'; p++)
				;
			p += p < end;
		} else if (*p == '\t') {
			p++;
		} else {
			putc_unlocked(*p++, f);
		}
	}
	fputc('\n', f);
}

static bool starts(const char *p, const char *end, const char *word)
{
	size_t n = strlen(word);

	while (p < end && isspace((unsigned char)*p))
		p++;
	return (size_t)(end - p) >= n && !memcmp(p, word, n);
}

static void body(FILE *f, const char *p, const char *end)
{
	bool defs = false;

	while (p < end) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));

		eol = eol ? eol : end;
		if (starts(p, eol, "<defs>"))
			defs = true;
		if (starts(p, eol, "<g id=\"gnuplot"))
			fputs("<g>\n", f);
		else if (!defs && !starts(p, eol, "<rect x=\"0\" y=\"0\"") &&
			 !starts(p, eol, "<title>") && !starts(p, eol, "<desc>") &&
			 eol > p)
			themed_line(f, p, eol);
		if (starts(p, eol, "</defs>"))
			defs = false;
		p = eol + 1;
	}
}

char *svg_inline(const char *svg, size_t len, const double used[2], const char *css_class,
		 const char *alt)
{
	double width, height;
	const char *open = strstr(svg, "<svg"), *box, *close;
	char *text = NULL;
	size_t n;
	FILE *f;

	if (!open || !(box = strstr(open, "viewBox=\"")) ||
	    !(close = strchr(open, '>')) ||
	    sscanf(box, "viewBox=\"0 0 %lf %lf\"", &width, &height) != 2)
		return NULL;
	f = open_memstream(&text, &n);
	if (!f)
		return NULL;
	fprintf(f,
		"<svg class=\"%s\" viewBox=\"0 %.0f %.0f %.0f\" role=\"img\" "
		"aria-label=\"",
		css_class, used[0], width, fmin(height, used[1]) - used[0]);
	html_text(f, alt);
	fputs("\" xmlns=\"http://www.w3.org/2000/svg\" "
	      "xmlns:xlink=\"http://www.w3.org/1999/xlink\">\n",
	      f);
	body(f, close + 1, svg + len);
	fclose(f);
	return text;
}
