/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pictures: a thin layer over gnuplot's language, used by dmareport and `dmacompare
 * --report`. The caller draws into panels whose coordinates are 0 .. 1 both ways
 * (lib/draw/axis.h makes them); the layer writes the script for one canvas. The same drawing
 * serves PNG, SVG and PDF files (with title and caption) and the two SVGs of the page
 * (wide and for a phone; title and caption are HTML there). Colours are names, so that
 * the page can be light or dark. Nothing here prints or runs anything.
 */
#ifndef DMA_FIGURE_H
#define DMA_FIGURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/draw/axis.h"

/* Okabe & Ito's colour-blind-safe palette for series; a ramp for densities; ink for text
 * and marks. */
enum color {
	COLOR_S0,
	COLOR_S1,
	COLOR_S2,
	COLOR_S3,
	COLOR_S4,
	COLOR_S5,
	COLOR_S6,
	COLOR_OTHER, /* all the rest together */
	COLOR_P0,    /* phases, in their order: one hue that no series has */
	COLOR_P1,
	COLOR_P2,
	COLOR_D0,
	COLOR_D1,
	COLOR_D2,
	COLOR_D3,
	COLOR_D4,
	COLOR_D5,
	COLOR_D6,
	COLOR_INK,
	COLOR_SOFT,
	COLOR_GRID,
	COLOR_BACK,
	COLOR_LOSS,
	COLOR_WARN,
	COLOR_N
};
enum { FIGURE_SERIES = 7, FIGURE_RAMP = 7 };

struct drawing;

enum canvas_kind {
	CANVAS_PNG,
	CANVAS_SVG,
	CANVAS_PDF,
	CANVAS_WIDE,
	CANVAS_NARROW,
	CANVAS_N
};

struct canvas {
	enum canvas_kind kind;
	const char *term;     /* pngcairo, png, svg, pdfcairo */
	double width, height; /* px */
	double font;	      /* px */
	bool narrow, titled;
	double left, right, top, bottom; /* px around the drawing area */
};

/* What hovers: a point in a panel with the sentence that is shown there. */
struct figure_point {
	double x, y; /* 0 .. 1 in the panel */
	char text[160];
};

enum { FIGURE_MAX_PANELS = 24 };
struct figure {
	char name[48]; /* file name without ending; letters, digits, - */
	char title[120];
	char caption[1024];   /* n, what was left out, unit, probe cost */
	char alt[512];	      /* what a person who cannot see it should know */
	char why_not[512];    /* not "" = nothing to draw, and why */
	double height;	      /* px of the drawing on a wide canvas; 0 = 420 */
	double height_narrow; /* 0 = 320 */
	void *data;	      /* the drawer's */
	void (*release)(void *data);
	/* Draw on d; called once for each canvas. */
	void (*draw)(const struct figure *f, struct drawing *d);
	/* Filled by the draw on CANVAS_WIDE, for the pointer. */
	struct figure_point *point;
	size_t npoint, point_size;
	double box[4]; /* left, top, right, bottom of the first panel as shares of the
			  wide canvas */
	double box_narrow[4];
	/* px of the page's canvases, wide and narrow, that the drawing uses: what lies
	 * above and below is cut off, so that no page has holes. */
	double used[2][2];
	char *svg[2]; /* themed, inline: wide, narrow; malloc'ed */
};
void figure_release(struct figure *f);

struct drawing {
	FILE *f;
	struct canvas c;
	struct figure *fig;
	int block, object;
	bool in_panel, boxed;
	char *plots;
	size_t plots_len;
	FILE *plot;
	char *rows;
	size_t rows_len;
	FILE *row;
	size_t nrows;
	double px[4];	 /* panel: left, top, right, bottom in px */
	double used[2];	 /* px, the highest and the lowest that anything stands at */
	double legend_y; /* px, the lowest row's; rows are placed when the panel ends */
	struct legend_entry {
		enum color color;
		int dash; /* -1 = a filled square */
		char text[72];
	} legend[FIGURE_SERIES + 8];
	int nlegend;
};

/* Write the whole script for one canvas into *text (malloc'ed), for the file `path`. NULL
 * = no memory. */
char *figure_script(struct figure *f, enum canvas_kind kind, const char *term,
		    const char *path, size_t *len);

/* ---- inside draw() ---- */
/* A panel at shares of the drawing area (0,0 = top left). x and y axes may be NULL.
 * titles may be NULL. */
void panel_begin(struct drawing *d, double left, double top, double right, double bottom);
void panel_axes(struct drawing *d, const struct axis *x, const char *x_title,
		const struct axis *y, const char *y_title);
void panel_end(struct drawing *d);
void panel_legend(struct drawing *d, enum color c,
		  const char *text); /* above the panel, left to right */
void panel_legend_line(struct drawing *d, enum color c, int dash, const char *text);

/* Shapes: a batch is one colour. Give rows, then say what they are. */
void draw_row(struct drawing *d, double a, double b, double x, double y);
void draw_rects(struct drawing *d, enum color c, double opacity);	 /* x0 x1 y0 y1 */
void draw_line(struct drawing *d, enum color c, double width, int dash); /* x y - - */
void draw_gap(struct drawing *d); /* the line stops */
void draw_points(struct drawing *d, enum color c, double size, int type); /* x y - - */
void draw_band(struct drawing *d, enum color c, double opacity); /* x low high - */
void draw_segments(struct drawing *d, enum color c, double width,
		   int dash); /* x0 x1 y0 y1 */

enum align { ALIGN_LEFT, ALIGN_CENTER, ALIGN_RIGHT };
/* Text at panel coordinates, moved by px. */
void draw_text(struct drawing *d, double x, double y, double dx, double dy, enum align a,
	       enum color c, const char *text);

/* Vertical marks, each with its label at the top, beside its line. No label lies across a
 * line or on another label: one that would stands lower, and its line begins there. */
enum { DRAW_MARKS = 8 };
struct mark {
	double x; /* 0 .. 1 in the panel */
	int dash;
	char text[64];
};
void draw_marks(struct drawing *d, const struct mark *m, size_t n);

/* For the pointer and the keyboard (recorded on the wide canvas only; at most a few
 * hundred are useful). */
void draw_hover(struct drawing *d, double x, double y, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

bool drawing_narrow(const struct drawing *d);
double text_width(const struct drawing *d, const char *text); /* px, estimated */

/* ---- the page ---- */
/* A gnuplot SVG as an inline element: themed by CSS variables, no ids, role img; of it
 * what lies between used[0] and used[1] from its top. malloc'ed. */
char *svg_inline(const char *svg, size_t len, const double used[2], const char *css_class,
		 const char *alt);
/* "--s0:#0072b2;..." for the light or the dark scheme. */
void color_variables(FILE *f, bool dark);
const char *color_hex(enum color c);
extern const char svg_shared_defs[]; /* once in a page that holds inline SVGs */

#endif
