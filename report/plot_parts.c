/* SPDX-License-Identifier: GPL-2.0-only */
/* What several plots draw alike: reasons for drawing nothing, loss windows, legends. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/plots.h"

bool no_latency(const struct report *r, enum phase p, struct figure *f)
{
	char states[200];
	int at = 0;

	if (r->transfers == 0) {
		snprintf(f->why_not, sizeof(f->why_not),
			 "the recording holds no transfer.");
		return true;
	}
	if (r->summary[p].known && r->summary[p].n > 0)
		return false;
	states[0] = 0;
	for (int s = 0; s < STATE_N && at < (int)sizeof(states) - 1; s++)
		if (r->state[s])
			at += snprintf(states + at, sizeof(states) - (size_t)at,
				       "%s%llu %s", at ? ", " : "",
				       (unsigned long long)r->state[s],
				       state_words((enum transfer_state)s));
	snprintf(f->why_not, sizeof(f->why_not),
		 "the %s time is known of none of the %lld transfers (%s).",
		 phase_name(p), (long long)r->transfers, states);
	return true;
}

int ramp_level(double n, double max)
{
	int level;

	if (n <= 0)
		return -1;
	if (max <= 1)
		return FIGURE_RAMP / 2;
	level = (int)(log(n) / log(max) * (FIGURE_RAMP - 1) + 0.5);
	return level < 0 ? 0 : level >= FIGURE_RAMP ? FIGURE_RAMP - 1 : level;
}

void draw_losses(struct drawing *d, const struct report *r)
{
	const struct scan *s = r->scan;
	bool any = false;

	for (size_t i = 0; i < r->nloss; i++) {
		const struct loss *l = &r->loss[i];
		double a = 0, b = 1;

		if (l->from_ns == DMA_UNKNOWN && l->to_ns == DMA_UNKNOWN)
			continue; /* not a window */
		if (l->from_ns != DMA_UNKNOWN)
			a = axis_pos(&s->time, (double)(l->from_ns - s->zero_ns));
		if (l->to_ns != DMA_UNKNOWN)
			b = axis_pos(&s->time, (double)(l->to_ns - s->zero_ns));
		a = fmax(0, a);
		b = fmin(1, fmax(b, a + 0.003));
		if (a > 1 || b < 0)
			continue;
		draw_row(d, a, b, 0, 1);
		any = true;
	}
	if (any) {
		draw_rects(d, COLOR_LOSS, 1);
		panel_legend(d, COLOR_LOSS, "samples lost");
	}
}

void legend_series(struct drawing *d, const struct report *r)
{
	if (r->nseries < 2 && !strcmp(r->series[0].name, "all transfers"))
		return;
	for (int i = 0; i < r->nseries; i++)
		panel_legend(d, r->series[i].color, r->series[i].name);
}

void legend_ramp(struct drawing *d, double max, const char *what)
{
	char n[32], text[72];

	for (int level = 0; level < FIGURE_RAMP; level += 2) {
		text_count((uint64_t)llrint(
				   pow(fmax(max, 1), (double)level / (FIGURE_RAMP - 1))),
			   n);
		snprintf(text, sizeof(text), "%s%s%s", n,
			 level + 2 < FIGURE_RAMP ? "" : " ",
			 level + 2 < FIGURE_RAMP ? "" : what);
		panel_legend(d, (enum color)(COLOR_D0 + level), text);
	}
}
