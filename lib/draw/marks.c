/* SPDX-License-Identifier: GPL-2.0-only */
/* Vertical marks whose labels lie across no mark. */
#include <stdlib.h>

#include "lib/draw/figure.h"

/* A mark as it is placed, in px. */
struct placed {
	const struct mark *m;
	double at, from, to; /* the line, and its label */
	bool left;	     /* the label stands left of the line */
	int row;	     /* of the label, from the top; the line begins there */
};

static const double LABEL_GAP_PX = 10, ROW_FONTS = 1.35; /* as they look well */

static int by_place(const void *a, const void *b)
{
	double x = ((const struct placed *)a)->at, y = ((const struct placed *)b)->at;

	return (x > y) - (x < y);
}

/* Left of the line where another mark is to its right, or no room. */
static void place(const struct drawing *d, struct placed *p, bool last)
{
	double w = text_width(d, p->m->text) + LABEL_GAP_PX;

	p->left = last ? p->at + w > d->px[2] : p->at - w > d->px[0];
	p->from = p->left ? p->at - w : p->at;
	p->to = p->left ? p->at : p->at + w;
}

/* Below all labels that its own would lie on, and so its line crosses none of them. */
static void draw_one(struct drawing *d, struct placed *p, const struct placed *all,
		     size_t n)
{
	double font = d->c.font, height = d->px[3] - d->px[1];

	p->row = 0;
	for (size_t i = 0; i < n; i++)
		if (&all[i] != p && all[i].row >= p->row && p->from < all[i].to &&
		    p->to > all[i].from)
			p->row = all[i].row + 1;
	draw_row(d, p->m->x, p->m->x, 0, 1 - ROW_FONTS * font * p->row / height);
	draw_segments(d, COLOR_INK, 1.4, p->m->dash);
	draw_text(d, p->m->x, 1, p->left ? -5 : 5, font * (0.8 + ROW_FONTS * p->row),
		  p->left ? ALIGN_RIGHT : ALIGN_LEFT, COLOR_INK, p->m->text);
}

void draw_marks(struct drawing *d, const struct mark *m, size_t n)
{
	struct placed p[DRAW_MARKS] = {{0}};

	n = n < DRAW_MARKS ? n : DRAW_MARKS;
	for (size_t i = 0; i < n; i++)
		p[i] = (struct placed){
			.m = &m[i],
			.at = d->px[0] + m[i].x * (d->px[2] - d->px[0]),
			.row = -1,
		};
	qsort(p, n, sizeof(*p), by_place);
	for (size_t i = 0; i < n; i++)
		place(d, &p[i], i + 1 == n);
	/* A label lies over what its line is beside: the line is drawn later, and lower. */
	for (size_t i = n; i-- > 0;)
		if (p[i].left)
			draw_one(d, &p[i], p, n);
	for (size_t i = 0; i < n; i++)
		if (!p[i].left)
			draw_one(d, &p[i], p, n);
}
