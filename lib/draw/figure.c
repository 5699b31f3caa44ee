/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/draw/figure.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	uint32_t light, dark;
} colors[COLOR_N] = {
	[COLOR_S0] = {"s0", 0x0072b2, 0x3ea6e6},
	[COLOR_S1] = {"s1", 0xd55e00, 0xf28b3c},
	[COLOR_S2] = {"s2", 0x009e73, 0x2cc79b},
	[COLOR_S3] = {"s3", 0xcc79a7, 0xe29cc3},
	[COLOR_S4] = {"s4", 0xe69f00, 0xf2b632},
	[COLOR_S5] = {"s5", 0x56b4e9, 0x8fd0f7},
	[COLOR_S6] = {"s6", 0x6a4c93, 0xa98bd6},
	[COLOR_OTHER] = {"other", 0x8a8a8a, 0x9a9a9a},
	[COLOR_P0] = {"p0", 0xc5b3e6, 0x6a569c},
	[COLOR_P1] = {"p1", 0x7a4fb0, 0xa184dc},
	[COLOR_P2] = {"p2", 0x3b1a66, 0xdccdf8},
	[COLOR_D0] = {"d0", 0xb3d1e8, 0x1f4a70},
	[COLOR_D1] = {"d1", 0x8dbbdc, 0x245f8c},
	[COLOR_D2] = {"d2", 0x64a4d0, 0x2b78ab},
	[COLOR_D3] = {"d3", 0x3f8bc2, 0x3d93c6},
	[COLOR_D4] = {"d4", 0x2270ae, 0x62afd9},
	[COLOR_D5] = {"d5", 0x0f5396, 0x98d0ec},
	[COLOR_D6] = {"d6", 0x08306b, 0xe3f3fc},
	[COLOR_INK] = {"ink", 0x1b1f24, 0xe8eaed},
	[COLOR_SOFT] = {"soft", 0x57606a, 0xa5adb8},
	[COLOR_GRID] = {"grid", 0xe1e4e8, 0x2e353e},
	[COLOR_BACK] = {"back", 0xfffffe, 0x14181d},
	[COLOR_LOSS] = {"loss", 0xf6d5d0, 0x55262a},
	[COLOR_WARN] = {"warn", 0xb3261e, 0xff8f85},
};

static char hex_text[COLOR_N][8];

const char *color_hex(enum color c)
{
	if (!hex_text[c][0])
		snprintf(hex_text[c], sizeof(hex_text[c]), "#%06x", colors[c].light);
	return hex_text[c];
}

void color_variables(FILE *f, bool dark)
{
	for (int i = 0; i < COLOR_N; i++)
		fprintf(f, "--%s:#%06x;", colors[i].name,
			dark ? colors[i].dark : colors[i].light);
}

void figure_release(struct figure *f)
{
	if (f->release)
		f->release(f->data);
	free(f->point);
	free(f->svg[0]);
	free(f->svg[1]);
	memset(f, 0, sizeof(*f));
}

bool drawing_narrow(const struct drawing *d)
{
	return d->c.narrow;
}

static size_t glyphs(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

double text_width(const struct drawing *d, const char *text)
{
	return (double)glyphs(text) * d->c.font * 0.56;
}

/* A text in gnuplot's single quotes: nothing is special but the quote itself. */
static void quote(FILE *f, const char *text)
{
	fputc('\'', f);
	for (; *text; text++) {
		if (*text == '\'')
			fputs("''", f);
		else if ((unsigned char)*text >= ' ')
			fputc(*text, f);
	}
	fputc('\'', f);
}

/* ---- canvas ---- */
static void canvas_init(struct canvas *c, const struct figure *f, enum canvas_kind kind,
			const char *term)
{
	double area = f->height > 0 ? f->height : 420;

	*c = (struct canvas){.kind = kind,
			     .term = term,
			     .font = 13,
			     .width = 1000,
			     .left = 66,
			     .right = 22,
			     .top = 14,
			     .bottom = 14};
	if (kind == CANVAS_NARROW) {
		area = f->height_narrow > 0 ? f->height_narrow : 320;
		c->narrow = true;
		c->width = 372;
		c->font = 12;
		c->left = 52;
		c->right = 12;
	}
	if (kind == CANVAS_PNG || kind == CANVAS_SVG || kind == CANVAS_PDF) {
		c->titled = true;
		c->top = 52;
	}
	c->height = area + c->top + c->bottom;
}

/* Break a caption at words; calls emit for each line. Returns lines. */
static int wrap(const char *text, size_t width, FILE *f, const struct canvas *c,
		double y0)
{
	int line = 0;

	while (*text) {
		size_t bytes = 0, n = 0, last = 0;
		char buf[512];

		for (const char *p = text; *p && n <= width && bytes < sizeof(buf) - 4;
		     p++) {
			if (*p == ' ')
				last = bytes;
			n += ((unsigned char)*p & 0xc0) != 0x80;
			bytes++;
		}
		if (text[bytes] && last)
			bytes = last;
		if (f) {
			snprintf(buf, sizeof(buf), "%.*s", (int)bytes, text);
			fputs("set label ", f);
			quote(f, buf);
			fprintf(f,
				" at screen %.5f,%.5f left front "
				"tc rgb '%s' font ',%.0f'\n",
				14 / c->width, 1 - (y0 + line * 16) / c->height,
				color_hex(COLOR_SOFT),
				strcmp(c->term, "svg") ? 9.0 : 12.0);
		}
		line++;
		text += bytes;
		while (*text == ' ')
			text++;
	}
	return line;
}

static void begin_titled(struct drawing *d)
{
	struct canvas *c = &d->c;

	fputs("set label ", d->f);
	quote(d->f, d->fig->title);
	fprintf(d->f, " at screen %.5f,%.5f left front tc rgb '%s' font ',17'\n",
		14 / c->width, 1 - 24 / c->height, color_hex(COLOR_INK));
	wrap(d->fig->caption, 144, d->f, c, c->height - c->bottom + 10);
}

static void begin_canvas(struct drawing *d, const char *path)
{
	struct canvas *c = &d->c;
	const char *back = color_hex(COLOR_BACK);

	if (c->titled) {
		int lines = wrap(d->fig->caption, 144, NULL, c, 0);

		c->bottom = 10 + 16 * lines;
		c->height = c->height - 14 + c->bottom;
	}
	if (!strcmp(c->term, "svg"))
		fprintf(d->f,
			"set term svg size %.0f,%.0f dynamic noenhanced font "
			"'Helvetica,Arial,sans-serif,%.0f'%s%s%s\n",
			c->width, c->height, c->font, c->titled ? " background '" : "",
			c->titled ? back : "", c->titled ? "'" : "");
	else if (!strcmp(c->term, "pdfcairo"))
		fprintf(d->f,
			"set term pdfcairo size %.2fin,%.2fin noenhanced "
			"font 'Sans,%.1f' fontscale 0.75 background '%s'\n",
			c->width / 96, c->height / 96, c->font, back);
	else if (!strcmp(c->term, "pngcairo"))
		fprintf(d->f,
			"set term pngcairo size %.0f,%.0f noenhanced font 'Sans,%.1f' "
			"background '%s'\n",
			c->width, c->height, c->font * 0.75, back);
	else
		fprintf(d->f, "set term png size %.0f,%.0f noenhanced background '%s'\n",
			c->width, c->height, back);
	fputs("set encoding utf8\nset output ", d->f);
	quote(d->f, path);
	fputs("\nset multiplot\nunset key\nunset border\nunset tics\nset style fill "
	      "solid noborder\n"
	      "set xrange [0:1] noextend\nset yrange [0:1] noextend\n",
	      d->f);
	if (c->titled)
		begin_titled(d);
}

/* Of a page's canvas only what is used stands in the page; the box is a share of that. */
static void crop(struct figure *f, const struct drawing *d)
{
	bool narrow = d->c.kind == CANVAS_NARROW;
	double *box = narrow ? f->box_narrow : f->box, *used = f->used[narrow];

	used[0] = fmax(0, floor(d->used[0]));
	used[1] = fmin(d->c.height, ceil(d->used[1]));
	box[1] = (box[1] * d->c.height - used[0]) / (used[1] - used[0]);
	box[3] = (box[3] * d->c.height - used[0]) / (used[1] - used[0]);
}

char *figure_script(struct figure *f, enum canvas_kind kind, const char *term,
		    const char *path, size_t *len)
{
	char *text = NULL;
	struct drawing d = {.fig = f, .used = {INFINITY, -INFINITY}};

	d.f = open_memstream(&text, len);
	if (!d.f)
		return NULL;
	d.row = open_memstream(&d.rows, &d.rows_len);
	canvas_init(&d.c, f, kind, term);
	if (kind == CANVAS_WIDE)
		f->npoint = 0;
	begin_canvas(&d, path);
	if (d.row)
		f->draw(f, &d);
	if (d.in_panel)
		panel_end(&d);
	if (!d.c.titled)
		crop(f, &d);
	fputs("unset multiplot\nset output\n", d.f);
	if (d.row)
		fclose(d.row);
	free(d.rows);
	fclose(d.f);
	return text;
}

/* ---- panels ---- */
static void use_px(struct drawing *d, double from, double to)
{
	d->used[0] = fmin(d->used[0], from);
	d->used[1] = fmax(d->used[1], to);
}

void panel_begin(struct drawing *d, double left, double top, double right, double bottom)
{
	struct canvas *c = &d->c;
	double w = c->width - c->left - c->right, h = c->height - c->top - c->bottom;

	if (d->in_panel)
		panel_end(d);
	d->in_panel = true;
	d->px[0] = c->left + left * w;
	d->px[1] = c->top + top * h;
	d->px[2] = c->left + right * w;
	d->px[3] = c->top + bottom * h;
	d->nlegend = 0;
	d->legend_y = d->px[1] - c->font * 0.9;
	use_px(d, d->px[1] - c->font / 2, d->px[3] + c->font / 2);
	d->plots = NULL;
	d->plot = open_memstream(&d->plots, &d->plots_len);
	fprintf(d->f,
		"set lmargin at screen %.5f\nset rmargin at screen %.5f\n"
		"set tmargin at screen %.5f\nset bmargin at screen %.5f\n",
		d->px[0] / c->width, d->px[2] / c->width, 1 - d->px[1] / c->height,
		1 - d->px[3] / c->height);
	if (!d->boxed && (c->kind == CANVAS_WIDE || c->kind == CANVAS_NARROW)) {
		double *box = c->kind == CANVAS_WIDE ? d->fig->box : d->fig->box_narrow;

		box[0] = d->px[0] / c->width;
		box[1] = d->px[1] / c->height;
		box[2] = d->px[2] / c->width;
		box[3] = d->px[3] / c->height;
		d->boxed = true;
	}
}

static void label_px(struct drawing *d, double x, double y, enum align a, enum color col,
		     const char *text, double size)
{
	static const char *const align_name[] = {"left", "center", "right"};

	use_px(d, y - size, y + size);
	fputs("set label ", d->f);
	quote(d->f, text);
	fprintf(d->f, " at screen %.5f,%.5f %s front tc rgb '%s' font ',%.1f'\n",
		x / d->c.width, 1 - y / d->c.height, align_name[a], color_hex(col),
		strncmp(d->c.term, "svg", 3) ? size * 0.75 : size);
}

static void rect_px(struct drawing *d, double x0, double y0, double x1, double y1,
		    enum color c)
{
	fprintf(d->f,
		"set object %d rect from screen %.5f,%.5f to screen "
		"%.5f,%.5f fc rgb '%s' fs solid noborder front\n",
		++d->object, x0 / d->c.width, 1 - y0 / d->c.height, x1 / d->c.width,
		1 - y1 / d->c.height, color_hex(c));
}

void draw_text(struct drawing *d, double x, double y, double dx, double dy, enum align a,
	       enum color c, const char *text)
{
	label_px(d, d->px[0] + x * (d->px[2] - d->px[0]) + dx,
		 d->px[3] - y * (d->px[3] - d->px[1]) + dy, a, c, text, d->c.font);
}

/* Ticks that would run into each other on a narrow canvas lose their labels. */
static void axis_x(struct drawing *d, const struct axis *a, const char *title)
{
	double w = d->px[2] - d->px[0], edge = -1e9;
	char buf[160];

	for (size_t i = 0; i < a->nticks; i++)
		if (*a->tick[i].label) {
			draw_row(d, a->tick[i].pos, a->tick[i].pos, 0, 1);
		}
	draw_segments(d, COLOR_GRID, 1, 0);
	for (size_t i = 0; i < a->nticks; i++) {
		double half = text_width(d, a->tick[i].label) / 2,
		       at = a->tick[i].pos * w;

		if (!*a->tick[i].label || at - half < edge + 6)
			continue;
		if (d->px[0] + at + half > d->c.width - 1)
			continue;
		label_px(d, d->px[0] + at, d->px[3] + d->c.font * 1.1, ALIGN_CENTER,
			 COLOR_SOFT, a->tick[i].label, d->c.font);
		edge = at + half;
	}
	if (title)
		label_px(d, d->px[2], d->px[3] + d->c.font * 2.6, ALIGN_RIGHT, COLOR_INK,
			 axis_title(a, title, buf, sizeof(buf)), d->c.font);
}

static void axis_y(struct drawing *d, const struct axis *a, const char *title)
{
	char buf[160];
	double h = d->px[3] - d->px[1], edge = -1e9;

	for (size_t i = 0; i < a->nticks; i++)
		if (*a->tick[i].label)
			draw_row(d, 0, 1, a->tick[i].pos, a->tick[i].pos);
	draw_segments(d, COLOR_GRID, 1, 0);
	for (size_t i = 0; i < a->nticks; i++) {
		if (!*a->tick[i].label || a->tick[i].pos * h < edge + d->c.font * 1.1)
			continue;
		draw_text(d, 0, a->tick[i].pos, -7, d->c.font * 0.06, ALIGN_RIGHT,
			  COLOR_SOFT, a->tick[i].label);
		edge = a->tick[i].pos * h;
	}
	if (title)
		label_px(d, fmax(d->px[0] - d->c.left + 8, 4), d->legend_y, ALIGN_LEFT,
			 COLOR_INK, axis_title(a, title, buf, sizeof(buf)), d->c.font);
}

void panel_axes(struct drawing *d, const struct axis *x, const char *x_title,
		const struct axis *y, const char *y_title)
{
	if (y)
		axis_y(d, y, y_title);
	if (x)
		axis_x(d, x, x_title);
	if (y && y_title)
		d->legend_y -= d->c.font * 1.7;
}

static void legend_add(struct drawing *d, enum color c, int dash, const char *text)
{
	struct legend_entry *l;

	if (d->nlegend == (int)(sizeof(d->legend) / sizeof(*d->legend)))
		return;
	l = &d->legend[d->nlegend++];
	l->color = c;
	l->dash = dash;
	snprintf(l->text, sizeof(l->text), "%s", text);
}

void panel_legend(struct drawing *d, enum color c, const char *text)
{
	legend_add(d, c, -1, text);
}

void panel_legend_line(struct drawing *d, enum color c, int dash, const char *text)
{
	legend_add(d, c, dash, text);
}

static void legend_put(struct drawing *d, const struct legend_entry *l, double x,
		       double y)
{
	if (l->dash >= 0)
		fprintf(d->f,
			"set arrow from screen %.5f,%.5f to screen "
			"%.5f,%.5f nohead front lw 2 lc rgb '%s' dt %d\n",
			x / d->c.width, 1 - y / d->c.height, (x + 18) / d->c.width,
			1 - y / d->c.height, color_hex(l->color), l->dash ? l->dash : 1);
	else
		rect_px(d, x + 3, y - 5, x + 15, y + 5, l->color);
	label_px(d, x + 22, y, ALIGN_LEFT, COLOR_INK, l->text, d->c.font);
}

/* Two passes: how many rows, then the rows from top to bottom, the last one at
 * legend_y. */
static void legend_end(struct drawing *d)
{
	int rows = 0, row = 0;

	for (int pass = 0; pass < 2; pass++) {
		double x = d->px[0];

		row = 0;
		for (int i = 0; i < d->nlegend; i++) {
			double w = text_width(d, d->legend[i].text) + 36;

			if (x + w > d->px[2] + 14 && x > d->px[0]) {
				x = d->px[0];
				row++;
			}
			if (pass)
				legend_put(d, &d->legend[i], x,
					   d->legend_y - (rows - row) * d->c.font * 1.5);
			x += w + 4;
		}
		rows = row;
	}
	d->nlegend = 0;
}

void panel_end(struct drawing *d)
{
	legend_end(d);
	/* The baseline, so that there is always something to plot. */
	draw_row(d, 0, 1, 0, 0);
	draw_segments(d, COLOR_SOFT, 1, 0);
	fclose(d->plot);
	fprintf(d->f, "plot %s\n", d->plots + 2);
	free(d->plots);
	d->plots = NULL;
	d->in_panel = false;
	fputs("unset label\nunset arrow\nunset object\n", d->f);
	d->object = 0;
}

/* ---- shapes ---- */
static double bounded(double v)
{
	return v > -5 ? (v < 6 ? v : 6) : -5; /* also NaN: out of sight */
}

void draw_row(struct drawing *d, double a, double b, double x, double y)
{
	fprintf(d->row, "%.5g %.5g %.5g %.5g\n", bounded(a), bounded(b), bounded(x),
		bounded(y));
	d->nrows++;
}

void draw_gap(struct drawing *d)
{
	fputc('\n', d->row);
}

/* The rows so far become datablock $bN; 0 when there are none. */
static int take_rows(struct drawing *d)
{
	fflush(d->row);
	if (d->nrows) {
		fprintf(d->f, "$b%d << EOD\n", ++d->block);
		fwrite(d->rows, 1, d->rows_len, d->f);
		fputs("EOD\n", d->f);
	}
	rewind(d->row);
	fclose(d->row);
	free(d->rows);
	d->rows = NULL;
	d->row = open_memstream(&d->rows, &d->rows_len);
	if (!d->nrows)
		return 0;
	d->nrows = 0;
	return d->block;
}

void draw_rects(struct drawing *d, enum color c, double opacity)
{
	int b = take_rows(d);

	if (b)
		fprintf(d->plot,
			", $b%d using 1:3:1:2:3:4 with boxxyerror "
			"fs %ssolid %.2f noborder lc rgb '%s'",
			b, opacity < 1 ? "transparent " : "", opacity, color_hex(c));
}

void draw_line(struct drawing *d, enum color c, double width, int dash)
{
	int b = take_rows(d);

	if (b)
		fprintf(d->plot, ", $b%d using 1:2 with lines lw %.1f dt %d lc rgb '%s'",
			b, width, dash ? dash : 1, color_hex(c));
}

void draw_points(struct drawing *d, enum color c, double size, int type)
{
	int b = take_rows(d);

	if (b)
		fprintf(d->plot, ", $b%d using 1:2 with points pt %d ps %.2f lc rgb '%s'",
			b, type ? type : 7, size, color_hex(c));
}

void draw_band(struct drawing *d, enum color c, double opacity)
{
	int b = take_rows(d);

	if (b)
		fprintf(d->plot,
			", $b%d using 1:2:3 with filledcurves fs "
			"transparent solid %.2f noborder lc rgb '%s'",
			b, opacity, color_hex(c));
}

void draw_segments(struct drawing *d, enum color c, double width, int dash)
{
	int b = take_rows(d);

	if (b)
		fprintf(d->plot,
			", $b%d using 1:3:($2-$1):($4-$3) with "
			"vectors nohead lw %.1f dt %d lc rgb '%s'",
			b, width, dash ? dash : 1, color_hex(c));
}

void draw_hover(struct drawing *d, double x, double y, const char *fmt, ...)
{
	struct figure *f = d->fig;
	struct figure_point *grown;
	va_list ap;

	if (d->c.kind != CANVAS_WIDE)
		return;
	if (f->npoint == f->point_size) {
		f->point_size = f->point_size ? 2 * f->point_size : 64;
		grown = realloc(f->point, f->point_size * sizeof(*f->point));
		if (!grown) {
			f->point_size = f->npoint;
			return;
		}
		f->point = grown;
	}
	f->point[f->npoint].x = x;
	f->point[f->npoint].y = y;
	va_start(ap, fmt);
	vsnprintf(f->point[f->npoint].text, sizeof(f->point[0].text), fmt, ap);
	va_end(ap);
	f->npoint++;
}
