/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/term.h"

#include <inttypes.h>
#include <langinfo.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/db/answer.h"
#include "lib/cli.h"
#include "lib/err.h"
#include "lib/num.h"
#include "lib/text.h"
#include "report/data.h"
#include "report/page.h"
#include "report/plots.h"

enum { TERM_ROWS = 24 };

void term_look(struct term_look *look, FILE *f, bool ascii)
{
	const char *columns = getenv("COLUMNS");
	struct winsize w;
	int64_t n = 0;

	*look = (struct term_look){.width = 80};
	if (columns && *columns && !num_i64(columns, 1, 10000, &n, NULL))
		look->width = (int)n;
	else if (!ioctl(fileno(f), TIOCGWINSZ, &w) && w.ws_col)
		look->width = w.ws_col;
	if (look->width < 40)
		look->width = 40;
	if (look->width > 160)
		look->width = 160;
	look->color = cli_color(f);
	look->ascii = ascii || strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
}

static const char *on(const struct term_look *l, const char *code)
{
	return l->color ? code : "";
}

/* "µ" and arrows for those who have them. */
static const char *plain(const struct term_look *l, const char *text, char *buf,
			 size_t len)
{
	static const char *const from[] = {"µ", "→", "≈", "–", "≤"}, *const to[] = {
									     "u", "->",
									     "~", "-",
									     "<="};
	size_t at = 0;

	if (!l->ascii)
		return text;
	while (*text && at + 4 < len) {
		size_t i;

		for (i = 0; i < sizeof(to) / sizeof(*to); i++)
			if (!strncmp(text, from[i], strlen(from[i])))
				break;
		if (i < sizeof(to) / sizeof(*to)) {
			at += (size_t)snprintf(buf + at, len - at, "%s", to[i]);
			text += strlen(from[i]);
		} else {
			buf[at++] = (unsigned char)*text < 0x80 ? *text : '?';
			text++;
		}
	}
	buf[at] = 0;
	return buf;
}

static const char *print_ns(const struct term_look *l, double ns, char *buf, size_t len)
{
	char text[32];

	axis_print(AXIS_NS, ns, text, sizeof(text));
	if (l->ascii)
		plain(l, text, buf, len);
	else
		snprintf(buf, len, "%s", text);
	return buf;
}

/* Right-aligned in `width` columns, whatever the bytes. */
static void pad_left(FILE *f, const char *text, int width)
{
	int n = 0;

	for (const char *p = text; *p; p++)
		n += ((unsigned char)*p & 0xc0) != 0x80;
	fprintf(f, "%*s%s", n < width ? width - n : 0, "", text);
}

static void bar(FILE *f, const struct term_look *l, double share, int width)
{
	static const char *const eighth[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
	int units = (int)ceil(share * width * 8 - 1e-9), full;

	if (units < 1)
		units = 1;
	if (l->ascii) {
		for (int i = 0; i < (units + 7) / 8; i++)
			fputc('#', f);
		return;
	}
	full = units / 8;
	for (int i = 0; i < full; i++)
		fputs("█", f);
	fputs(eighth[units % 8], f);
}

/* The first bin of row i: the strip of what lies below has a row of its own. */
static size_t row_bin(const struct phase_bins *b, size_t i, size_t merge)
{
	size_t first = b->axis.strip > 0 ? 1 : 0;

	return i < first ? i : first + (i - first) * merge;
}

static uint64_t row_count(const struct report *r, const struct phase_bins *b, size_t i,
			  size_t merge)
{
	uint64_t n = 0;

	for (size_t k = row_bin(b, i, merge);
	     k < row_bin(b, i + 1, merge) && k < b->nbins; k++)
		for (int s = 0; s < r->nseries; s++)
			n += b->bin[s][k];
	return n;
}

static void quantile_note(FILE *f, const struct report *r, const struct term_look *l,
			  const struct phase_bins *b, size_t i, size_t merge)
{
	static const char *const name[] = {"median", "p90", "p99", "p99.9", "p99.99"};
	const struct summary_row *s = &r->summary[r->latency];
	const char *comma = "  ";

	for (int q = 0; q < 5; q++) {
		size_t bin;

		/* a quantile beyond the last value but one is just the largest */
		if (s->q[q] == DMA_UNKNOWN ||
		    (q && (double)s->n * (1 - summary_q[q]) < 1 - 1e-9))
			continue;
		bin = axis_bin(&b->axis, (double)s->q[q], b->nbins);
		if (bin < row_bin(b, i, merge) || bin >= row_bin(b, i + 1, merge))
			continue;
		fprintf(f, "%s%s%s%s", comma, on(l, "\033[33m"), name[q],
			on(l, "\033[0m"));
		comma = ", ";
	}
}

/* Where a row begins: in as many digits as tell it from the next one. */
static const char *print_edge(const struct term_look *l, double ns, double next_ns,
			      char buf[48])
{
	static const struct {
		double ns;
		const char *name;
	} unit[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "µs"}, {1, "ns"}};
	char text[48], next[48];
	size_t i = 0;

	axis_print(AXIS_NS, ns, text, sizeof(text));
	axis_print(AXIS_NS, next_ns, next, sizeof(next));
	if (strcmp(text, next) != 0 || !(next_ns > ns) || ns < 1)
		return print_ns(l, ns, buf, 48);
	while (unit[i].ns > ns)
		i++;
	snprintf(text, sizeof(text), "%.*f %s",
		 (int)fmin(4, ceil(-log10((next_ns - ns) / unit[i].ns))), ns / unit[i].ns,
		 unit[i].name);
	snprintf(buf, 48, "%s", plain(l, text, next, sizeof(next)));
	return buf;
}

/* Where row i begins, in ns. */
static double row_edge(const struct phase_bins *b, size_t i, size_t merge)
{
	size_t bin = row_bin(b, i, merge);

	return axis_value(&b->axis,
			  axis_edge(&b->axis, bin < b->nbins ? bin : b->nbins, b->nbins));
}

static void histogram(FILE *f, const struct report *r, const struct term_look *l)
{
	const struct phase_bins *b = &r->scan->phase[r->latency];
	size_t merge = (b->nbins + TERM_ROWS - 1) / TERM_ROWS,
	       rows = (b->nbins + merge - 1) / merge + (b->axis.strip > 0);
	size_t first = rows, last = 0;
	uint64_t most = 1;
	int width = l->width - 10 - 11 - 16;
	char text[48], n[32];

	width = width < 8 ? 8 : width;
	for (size_t i = 0; i < rows; i++) {
		uint64_t c = row_count(r, b, i, merge);

		most = c > most ? c : most;
		if (c) {
			first = first == rows ? i : first;
			last = i;
		}
	}
	for (size_t i = first; i < rows && i <= last; i++) {
		uint64_t c = row_count(r, b, i, merge);

		if (b->axis.strip > 0 && !i)
			pad_left(f, plain(l, b->axis.tick[0].label, text, sizeof(text)),
				 9);
		else
			pad_left(f,
				 print_edge(l, row_edge(b, i, merge),
					    row_edge(b, i + 1, merge), text),
				 9);
		fputs(l->ascii ? " |" : " ▕", f);
		if (c) {
			fputs(on(l, "\033[36m"), f);
			bar(f, l, (double)c / (double)most, width);
			fprintf(f, "%s %s", on(l, "\033[0m"), text_count(c, n));
		}
		quantile_note(f, r, l, b, i, merge);
		fputc('\n', f);
	}
}

static void cell(FILE *f, const struct term_look *l, int64_t v, bool thin, int width)
{
	char text[48] = "~";

	fputc(' ', f);
	print_ns(l, (double)v, text + thin, sizeof(text) - 1);
	pad_left(f, v == DMA_UNKNOWN ? "-" : text, width);
}

static void summary(FILE *f, const struct report *r, const struct term_look *l)
{
	bool wide = l->width >= 76, thin = false;
	char n[32];

	fprintf(f, "%s%-7s %*s", on(l, "\033[1m"), "phase", 9, "n");
	fprintf(f, wide ? " %8s %8s %8s %8s %8s %8s" : " %8s %8s",
		wide ? "min" : "median", wide ? "median" : "p99", "p90", "p99", "p99.9",
		"max");
	fprintf(f, "%s\n", on(l, "\033[0m"));
	for (int p = 0; p < PHASE_N; p++) {
		const struct summary_row *s = &r->summary[p];

		if (!s->known)
			continue;
		fprintf(f, "%-7s %9s", phase_name((enum phase)p),
			text_count((uint64_t)s->n, n));
		if (wide)
			cell(f, l, s->n ? s->min_ns : DMA_UNKNOWN, false, 8);
		cell(f, l, s->q[0], s->thin[0], 8);
		if (wide)
			cell(f, l, s->q[1], s->thin[1], 8);
		cell(f, l, s->q[2], s->thin[2], 8);
		if (wide) {
			cell(f, l, s->q[3], s->thin[3], 8);
			cell(f, l, s->n ? s->max_ns : DMA_UNKNOWN, false, 8);
		}
		for (int q = 1; q < 4; q++)
			thin |= s->q[q] != DMA_UNKNOWN && s->thin[q];
		fputc('\n', f);
	}
	if (thin)
		fputs("~ too few transfers for this quantile: no upper confidence limit\n",
		      f);
}

/* A paragraph broken at words; a label may not steer the terminal. */
static void say(FILE *f, const struct term_look *l, const char *text)
{
	char buf[1200], clean[1200];
	const char *p = clean;

	snprintf(clean, sizeof(clean), "%s", plain(l, text, buf, sizeof(buf)));
	text_clean(clean);

	while (*p) {
		int n = 0, last = 0, bytes = 0;

		for (; p[bytes] && n < l->width; bytes++) {
			if (p[bytes] == ' ')
				last = bytes;
			n += ((unsigned char)p[bytes] & 0xc0) != 0x80;
		}
		if (p[bytes] && last)
			bytes = last;
		fprintf(f, "%.*s\n", bytes, p);
		p += bytes;
		while (*p == ' ')
			p++;
	}
}

void term_print(FILE *f, const struct report *r, const struct answer *a,
		const struct term_look *l)
{
	char text[1200], counts[1024], sentence[512];
	struct figure why = {0};

	fputs(on(l, "\033[1m"), f);
	snprintf(text, sizeof(text), "%s: latency, %s", r->name, phase_words(r->latency));
	say(f, l, text);
	fputs(on(l, "\033[0m"), f);
	for (int i = 0; i < 3 && a; i++)
		if (*answer_sentence(a, i))
			say(f, l, answer_sentence(a, i));
	completeness_sentence(r, sentence, sizeof(sentence));
	say(f, l, sentence);
	if (r->transfers) {
		caption_counts(r, r->latency, counts, sizeof(counts));
		say(f, l, counts);
	}
	fputc('\n', f);
	if (no_latency(r, r->latency, &why)) {
		snprintf(text, sizeof(text), "No histogram: %s", why.why_not);
		say(f, l, text);
	} else {
		histogram(f, r, l);
	}
	fputc('\n', f);
	summary(f, r, l);
	if (!isnan(r->bytes_per_s)) {
		char rate[32], size[32], n[32], out[32];

		fputc('\n', f);
		snprintf(text, sizeof(text),
			 "Throughput: %s, %s of %s transfers that ended for the "
			 "program; %s left out.",
			 axis_print(AXIS_BYTES_PER_S, r->bytes_per_s, rate, sizeof(rate)),
			 num_print_bytes(size, r->bytes),
			 text_count((uint64_t)r->ended, n),
			 text_count((uint64_t)r->left_out, out));
		say(f, l, text);
	}
}
