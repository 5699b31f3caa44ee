/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/draw/html.h"

#include <string.h>

#include "lib/draw/figure.h"

/* lib/draw/page.css and lib/draw/page.js, embedded by the Makefile. */
extern const char embed_page_css[], embed_page_js[];

void html_begin(FILE *f, const char *title)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta name=\"color-scheme\" content=\"light dark\">\n"
	      "<link rel=\"icon\" href=\"data:,\">\n<title>",
	      f);
	html_text(f, title);
	fputs("</title>\n<style>\n:root{", f);
	color_variables(f, false);
	fputs("}\n@media screen and (prefers-color-scheme:dark){:root{", f);
	color_variables(f, true);
	fprintf(f, "}}\n%s</style>\n</head>\n<body>\n%s<main>\n", embed_page_css,
		svg_shared_defs);
}

void html_end(FILE *f)
{
	fprintf(f, "</main>\n<script>\n%s</script>\n</body>\n</html>\n", embed_page_js);
}

static void points(FILE *f, const struct figure *fig)
{
	fprintf(f,
		" data-box=\"%.4f %.4f %.4f %.4f\" "
		"data-narrow=\"%.4f %.4f %.4f %.4f\" data-points=\"",
		fig->box[0], fig->box[1], fig->box[2], fig->box[3], fig->box_narrow[0],
		fig->box_narrow[1], fig->box_narrow[2], fig->box_narrow[3]);
	for (size_t i = 0; i < fig->npoint; i++) {
		fprintf(f, "%s%.4f|%.4f|", i ? "~" : "", fig->point[i].x,
			fig->point[i].y);
		html_text(f, fig->point[i].text);
	}
	fputc('"', f);
}

void html_figure(FILE *f, const struct figure *fig, int level)
{
	fprintf(f, "<section class=\"plot\" id=\"%s\"><h%d>", fig->name, level);
	html_text(f, fig->title);
	fprintf(f, "</h%d>\n", level);
	fputs("<figure>\n<div class=\"hover\"", f);
	if (fig->npoint)
		points(f, fig);
	fprintf(f, ">\n%s%s</div>\n<figcaption>", fig->svg[0] ? fig->svg[0] : "",
		fig->svg[1] ? fig->svg[1] : "");
	html_text(f, fig->caption);
	fputs("</figcaption>\n</figure>\n</section>\n", f);
}
