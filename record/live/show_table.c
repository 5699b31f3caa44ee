/* SPDX-License-Identifier: GPL-2.0-only */
/* The table: a head line, a line of what went wrong (when something did), then for each
 * row what the interval shows, the same since the start, and the interval's histogram; as
 * much of it as fits, most important first. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/file/meta.h"
#include "lib/flow/follow.h"
#include "lib/hist.h"
#include "lib/num.h"
#include "lib/text.h"
#include "record/live/cards.h"
#include "record/live/show.h"
#include "record/live/tally.h"

/* A column is there from so many columns of the terminal on; with processes, which need room
 * for their names, WIDE_NAMED. */
enum { WIDE = 123, WIDE_NAMED = 134, MEDIUM = 80 };
/* Widths of cells: on a narrow terminal, and else. */
enum { LABEL = 17, RATE = 7, BYTES = 10, FLIGHT = 7, TIME = 10 };
enum { NARROW_LABEL = 10, NARROW_FLIGHT = 4, NARROW_TIME = 9 };
/* With processes. */
enum { NAMED_WIDE = 28, NAMED = 24, NAMED_NARROW = 15 };
#define BOLD  "\x1b[1m"
#define DIM   "\x1b[2m"
#define RED   "\x1b[31m"
#define PLAIN "\x1b[0m"

struct table {
	const struct frame *f;
	FILE *out;
	int width, left; /* columns; lines that may still be written */
	bool color;
	bool named, medium, wide; /* rows are of processes; by the width */
	int label, flight, time;  /* widths of cells; flight 0 = none */
};

static void measure(struct table *t)
{
	t->medium = t->width >= MEDIUM;
	t->wide = t->width >= (t->named ? WIDE_NAMED : WIDE);
	t->label = !t->named   ? (t->medium ? LABEL : NARROW_LABEL)
		   : t->wide   ? NAMED_WIDE
		   : t->medium ? NAMED
			       : NAMED_NARROW;
	t->flight = t->medium && (t->wide || !t->named) ? FLIGHT
		    : t->medium || !t->named		? NARROW_FLIGHT
							: 0;
	t->time = t->medium && (t->wide || !t->named) ? TIME : NARROW_TIME;
}

static void pad(const struct table *t, const char *text, int width, bool right)
{
	int fill = width - text_columns(text);

	for (int i = 0; right && i < fill; i++)
		putc(' ', t->out);
	fputs(text, t->out);
	for (int i = 0; !right && i < fill; i++)
		putc(' ', t->out);
}

static void time_cell(const struct table *t, int64_t ns)
{
	char buf[32];

	pad(t, ns == DMA_UNKNOWN ? "-" : num_print_ns(buf, ns), t->time, true);
}

static void count_cell(const struct table *t, uint64_t n, int width)
{
	char buf[32];

	if (n < 100000)
		snprintf(buf, sizeof(buf), "%" PRIu64, n);
	else if (n < 100000000)
		snprintf(buf, sizeof(buf), "%.1fk", (double)n / 1e3);
	else
		snprintf(buf, sizeof(buf), "%.1fM", (double)n / 1e6);
	pad(t, buf, width, true);
}

/* One line less; false = none is left. */
static bool take(struct table *t)
{
	return t->left-- > 0;
}

/* A sentence, cut where the line ends. */
static void line(struct table *t, const char *style, const char *text)
{
	char cut[512];
	size_t at = 0;
	int columns = 0;

	if (!take(t))
		return;
	for (const char *p = text; *p && at + 8 < sizeof(cut); columns++) {
		size_t n = text_utf8((const unsigned char *)p);

		if (columns == t->width)
			break;
		n = n ? n : 1;
		memcpy(cut + at, p, n);
		at += n;
		p += n;
	}
	cut[at] = '\0';
	fprintf(t->out, "%s%s%s\n", t->color ? style : "", cut, t->color ? PLAIN : "");
}

/* ---- what stands above ---- */

static double seconds_of(const struct frame *f)
{
	if (f->from_ns == DMA_UNKNOWN || f->to_ns == DMA_UNKNOWN)
		return 0;
	return (double)(f->to_ns - f->from_ns) * 1e-9;
}

static void headline(struct table *t)
{
	const struct frame *f = t->f;
	char text[300], since[32], over[32];
	int64_t passed = f->to_ns == DMA_UNKNOWN || f->begin_ns == DMA_UNKNOWN
				 ? 0
				 : f->to_ns - f->begin_ns;
	uint64_t n = 0, open = 0;

	for (size_t i = 0; i < f->tally->n; i++) {
		n += f->tally->row[i]->all.n;
		open += row_open(f->tally->row[i]);
	}
	if (!passed)
		snprintf(text, sizeof(text), "dmarec records: nothing has come yet");
	else
		snprintf(text, sizeof(text),
			 "dmarec %s: %s, last %s; %" PRIu64 " transfer%s, %" PRIu64 " %s",
			 f->last ? "has recorded" : "records",
			 num_print_ns(since, passed),
			 num_print_ns(over, (int64_t)(seconds_of(f) * 1e9)), n, text_s(n),
			 open, f->last ? "not decided" : "not decided yet");
	line(t, BOLD, text);
}

static void vector_troubles(struct table *t)
{
	const struct frame *f = t->f;
	size_t late = follow_late_channels(f->follow);
	char text[400];

	if (follow_differs(f->follow))
		line(t, RED,
		     "the whole recording shows other vectors than its beginning did: "
		     "dmaanalyze goes by the whole");
	if (!late)
		return;
	snprintf(text, sizeof(text), "%s%zu channel%s %s", f->cards ? "of " : "", late,
		 text_s(late),
		 f->cards ? "it does not show which vector ends transfers: no device "
			    "times"
			  : "came after it was decided which vector ends what: theirs is "
			    "not known here, dmaanalyze finds it");
	line(t, f->cards ? "" : RED, text);
}

static void troubles(struct table *t)
{
	const struct frame *f = t->f;
	char text[400], late[32], size[32];

	if (f->triggered) {
		snprintf(text, sizeof(text), "trigger: %s", f->triggered);
		line(t, RED, text);
	}
	if (f->tally->last_start_ns != DMA_UNKNOWN && follow_held(f->follow)) {
		snprintf(text, sizeof(text),
			 "%zu samples wait until it is clear which vector ends transfers",
			 follow_held(f->follow));
		line(t, "", text);
	}
	if (f->skipped_bytes) {
		snprintf(
			text, sizeof(text),
			"the view could not follow and has skipped %s; the recording has "
			"them",
			num_print_bytes(size, (int64_t)f->skipped_bytes));
		line(t, RED, text);
	}
	if (f->unseen_files) {
		snprintf(
			text, sizeof(text),
			"what starts in %zu file%s that appeared later is recorded, and not "
			"shown here for want of memory: name %s by -x",
			f->unseen_files, text_s(f->unseen_files),
			text_number(f->unseen_files, "it", "them"));
		line(t, RED, text);
	}
	if (f->behind_ns > INT64_C(2000000000)) {
		snprintf(text, sizeof(text), "the view is %s behind",
			 num_print_ns(late, f->behind_ns));
		line(t, RED, text);
	}
	if (f->tally->lost) {
		snprintf(text, sizeof(text),
			 "%" PRIu64 " %s lost so far: a larger ring (-m)", f->tally->lost,
			 text_number(f->tally->lost, "sample was", "samples were"));
		line(t, RED, text);
	}
	vector_troubles(t);
}

static void phase_heads(struct table *t, const char *median)
{
	int more = t->medium ? 1 : 0; /* the first name is one longer than its cell */

	if (t->named && t->medium && !t->wide) {
		median = "device med";
		more = 2;
	}
	pad(t, median, t->time + more, true);
	if (t->medium)
		pad(t, "p99", t->time - more, true);
	pad(t, "max", t->time, true);
}

static void column_heads(struct table *t)
{
	if (!take(t))
		return;
	fputs(t->color ? DIM : "", t->out);
	pad(t,
	    t->named	? (t->medium ? "process card/channel" : "process")
	    : t->medium ? "card/channel"
			: "channel",
	    t->label, false);
	pad(t, "/s", RATE, true);
	if (t->medium)
		pad(t, "bytes/s", BYTES, true);
	if (t->flight)
		pad(t, t->flight == FLIGHT ? "flight" : "fl", t->flight, true);
	if (t->wide)
		phase_heads(t, "total: med");
	phase_heads(t, t->medium ? "device: med" : "median");
	if (t->wide) {
		pad(t, "missing", 8, true);
		pad(t, "late", 6, true);
		pad(t, "unknown", 8, true);
	} else if (t->medium) {
		pad(t, "bad", 6, true);
	}
	fprintf(t->out, "%s\n", t->color ? PLAIN : "");
}

/* ---- rows ---- */

static const char *direction(const struct row *r, bool brief)
{
	if (r->direction == DIR_TO_HOST)
		return brief ? "<" : "to_host";
	if (r->direction == DIR_FROM_HOST)
		return brief ? ">" : "from_host";
	return brief ? "" : "?";
}

/* "4711 readout 0/3 <": the name is cut, and on a narrow terminal the card left out. */
static void process_label(const struct table *t, const struct row *r, const char *where,
			  char *buf, size_t size)
{
	char pid[16];
	int room;

	if (r->pid == TALLY_ENDED) {
		snprintf(buf, size, "%s %s",
			 t->medium ? "(processes that ended)" : "(ended)",
			 direction(r, true));
		return;
	}
	snprintf(pid, sizeof(pid), "%d ", r->pid);
	room = t->label - (int)strlen(pid) - (int)strlen(where) - 3;
	snprintf(buf, size, "%s%.*s%s%s %s", pid, room > 0 ? room : 0, r->name,
		 room > 0 && *r->name ? " " : "", where, direction(r, true));
}

static void label(const struct table *t, const struct row *r, char *buf, size_t size)
{
	char where[64], channel[32] = "?", card[32] = "";

	if (r->channel != DMA_UNKNOWN)
		snprintf(channel, sizeof(channel), "%" PRId64, r->channel);
	if (r->card != DMA_UNKNOWN && (t->medium || !t->named))
		snprintf(card, sizeof(card), "%" PRId64 "/", r->card);
	snprintf(where, sizeof(where), "%s%s", card, channel);
	if (t->named)
		process_label(t, r, where, buf, size);
	else
		snprintf(buf, size, "%s %s", where, direction(r, !t->medium));
}

static uint64_t bad(const struct span *s)
{
	return s->state[STATE_NO_INTERRUPT] + s->state[STATE_LATE] +
	       s->state[STATE_UNKNOWN] + s->state[STATE_FAILED] + s->state[STATE_ABORTED];
}

/* `device` where there is one, else `total`, marked as such. */
static void phase_cells(const struct table *t, const struct span *s, enum phase p)
{
	time_cell(t, span_median_ns(s, p));
	if (t->medium)
		time_cell(t, span_p99_ns(s, p));
	time_cell(t, span_max_ns(s, p));
}

static void span_line(struct table *t, const char *name, const struct row *r,
		      const struct span *s, double seconds, bool now)
{
	enum phase p = t->wide || span_n(s, PHASE_DEVICE) ? PHASE_DEVICE : PHASE_TOTAL;
	char buf[48];

	if (!take(t))
		return;
	pad(t, name, t->label, false);
	if (seconds > 0)
		snprintf(buf, sizeof(buf), "%.0f", (double)s->n / seconds);
	else
		snprintf(buf, sizeof(buf), "-");
	pad(t, buf, RATE, true);
	if (t->medium)
		pad(t,
		    seconds > 0 ? num_print_rate(buf, (double)s->bytes / seconds) : "-",
		    BYTES, true);
	if (t->flight)
		count_cell(t, now ? r->in_flight : r->most_in_flight, t->flight);
	if (t->wide)
		phase_cells(t, s, PHASE_TOTAL);
	if (t->medium && !t->wide)
		fputs(p == PHASE_TOTAL ? " t" : "  ", t->out);
	phase_cells(t, s, p);
	if (t->wide) {
		count_cell(t, s->state[STATE_NO_INTERRUPT], 8);
		count_cell(t, s->state[STATE_LATE], 6);
		count_cell(t, s->state[STATE_UNKNOWN], 8);
	} else if (t->medium) {
		count_cell(t, bad(s), 6);
	}
	putc('\n', t->out);
}

/* One mark for each bin of the histogram's range, which is cut into powers of a factor. */
static void bars(const struct hist *h, FILE *out)
{
	static const char *const mark[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	enum { BINS = 20 };
	uint64_t bin[BINS] = {0}, n, most = 0;
	int64_t low, high;
	size_t iter = 0;
	double min = (double)hist_min(h), max = (double)hist_max(h);

	while (hist_next(h, &iter, &low, &high, &n)) {
		double at = max > min ? ((double)low - min) / (max - min) : 0;
		int i = (int)(at * BINS);

		i = i < 0 ? 0 : i >= BINS ? BINS - 1 : i;
		bin[i] += n;
		most = bin[i] > most ? bin[i] : most;
	}
	for (int i = 0; i < BINS; i++)
		fputs(mark[bin[i] ? 1 + bin[i] * 7 / most : 0], out);
}

static void histogram_line(struct table *t, const struct row *r)
{
	enum phase p = span_n(&r->now, PHASE_DEVICE) ? PHASE_DEVICE : PHASE_TOTAL;
	char *text = NULL, low[32], high[32], vector[128];
	size_t size;
	FILE *f;

	if (!r->now.phase[p] || t->left < 1)
		return;
	f = open_memstream(&text, &size);
	if (!f)
		return;
	fprintf(f, "  %s %s ", phase_name(p),
		num_print_ns(low, span_n(&r->now, p) ? hist_min(r->now.phase[p]) : 0));
	bars(r->now.phase[p], f);
	fprintf(f, " %s", num_print_ns(high, span_max_ns(&r->now, p)));
	frame_vector(t->f, r, vector, sizeof(vector));
	fprintf(f, "  %s", *vector ? vector : "no vector ends them");
	if (!fclose(f))
		line(t, "", text);
	free(text);
}

/* Who did most in the interval stands first, then who did most so far. */
static int by_use(const void *a, const void *b)
{
	const struct row *x = *(struct row *const *)a, *y = *(struct row *const *)b;

	if (x->now.n != y->now.n)
		return x->now.n > y->now.n ? -1 : 1;
	return (x->all.n < y->all.n) - (x->all.n > y->all.n);
}

static struct row **ordered(const struct table *t)
{
	const struct tally *y = t->f->tally;
	struct row **row = calloc(y->n + 1, sizeof(*row));

	if (row && y->n)
		memcpy(row, y->row, y->n * sizeof(*row));
	if (row && t->named)
		qsort(row, y->n, sizeof(*row), by_use);
	return row;
}

static void rows(struct table *t)
{
	const struct frame *f = t->f;
	const struct tally *y = f->tally;
	struct row **row = ordered(t);
	int each = y->n ? t->left / (int)y->n : 0;
	double all = f->begin_ns == DMA_UNKNOWN || f->to_ns == DMA_UNKNOWN
			     ? 0
			     : (double)(f->to_ns - f->begin_ns) * 1e-9;

	for (size_t i = 0; row && i < y->n; i++) {
		char name[128];

		if (t->left == 1 && i + 1 < y->n) {
			snprintf(name, sizeof(name), "... and %zu more rows", y->n - i);
			line(t, "", name);
			break;
		}
		label(t, row[i], name, sizeof(name));
		span_line(t, name, row[i], &row[i]->now, seconds_of(f), true);
		if (each >= 2)
			span_line(t, "  since start", row[i], &row[i]->all, all, false);
		if (each >= 3)
			histogram_line(t, row[i]);
	}
	free(row);
}

void frame_table(const struct frame *f, int width, int lines, bool color, FILE *out)
{
	struct table t = {.f = f,
			  .out = out,
			  .width = width,
			  .left = lines,
			  .color = color,
			  .named = f->tally->by_process};

	measure(&t);
	headline(&t);
	troubles(&t);
	if (!f->tally->n && follow_decided(f->follow)) {
		line(&t, "", "no transfer yet");
		return;
	}
	if (f->tally->n)
		column_heads(&t);
	rows(&t);
}

static bool serves(const struct frame *f, const struct join_vector *v,
		   const struct row *r)
{
	const struct process_card *own =
		f->cards ? process_cards_of(f->cards, v->card) : NULL;

	if (v->channel != DMA_UNKNOWN && v->channel != r->channel)
		return false;
	if (own)
		return own->pid == r->pid && own->card == r->card;
	return v->card == DMA_UNKNOWN || v->card == r->card;
}

const char *frame_vector(const struct frame *f, const struct row *r, char *buf,
			 size_t size)
{
	size_t n;
	const struct join_vector *v = follow_vectors(f->follow, &n);

	*buf = '\0';
	for (size_t i = 0; follow_decided(f->follow) && i < n; i++) {
		const char *name = NULL;

		if (!serves(f, &v[i], r))
			continue;
		for (size_t k = 0; k < f->meta->nirq; k++)
			if (f->meta->irq[k].irq == v[i].irq)
				name = f->meta->irq[k].name;
		snprintf(buf, size, "irq %d%s%s", v[i].irq, name ? " " : "",
			 name ? name : "");
		text_clean(buf);
		return buf;
	}
	return buf;
}
