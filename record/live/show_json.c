/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>

#include "lib/file/meta.h"
#include "lib/flow/follow.h"
#include "lib/hist.h"
#include "lib/json.h"
#include "record/live/cards.h"
#include "record/live/show.h"
#include "record/live/tally.h"

static void figures(const char *name, const struct span *s, enum phase p, FILE *out)
{
	fprintf(out, ",\"%s\":{\"n\":%" PRIu64 ",\"median_ns\":", name, span_n(s, p));
	json_i64(out, span_median_ns(s, p));
	fputs(",\"p99_ns\":", out);
	json_i64(out, span_p99_ns(s, p));
	fputs(",\"max_ns\":", out);
	json_i64(out, span_max_ns(s, p));
	putc('}', out);
}

static void span(const struct span *s, FILE *out)
{
	fprintf(out, "\"transfers\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"states\":{", s->n,
		s->bytes);
	for (int i = 0; i < STATE_N; i++)
		fprintf(out, "%s\"%s\":%" PRIu64, i ? "," : "",
			state_name((enum transfer_state)i), s->state[i]);
	putc('}', out);
	for (int p = 0; p < PHASE_N; p++)
		figures(phase_name((enum phase)p), s, (enum phase)p, out);
}

/* Bins of powers of two, those that are empty left out: [low, high, n] in ns. */
static void histogram(const struct hist *h, FILE *out)
{
	uint64_t n, sum = 0;
	int64_t low, high, from = 0, to = 0;
	size_t iter = 0;
	bool first = true;

	putc('[', out);
	while (h && hist_next(h, &iter, &low, &high, &n)) {
		if (sum && low >= to) {
			fprintf(out, "%s[%" PRId64 ",%" PRId64 ",%" PRIu64 "]",
				first ? "" : ",", from, to, sum);
			first = false;
			sum = 0;
		}
		if (!sum) {
			from = low < 0 ? INT64_MIN / 2 : low ? 1 : 0;
			to = low < 0 ? 0 : low ? 2 : 1;
			while (low > 0 && to <= low) {
				from = to;
				to *= 2;
			}
		}
		sum += n;
	}
	if (sum)
		fprintf(out, "%s[%" PRId64 ",%" PRId64 ",%" PRIu64 "]", first ? "" : ",",
			from, to, sum);
	putc(']', out);
}

static void row(const struct frame *f, const struct row *r, FILE *out)
{
	char name[128];

	fputs("{\"card\":", out);
	json_i64(out, r->card);
	fputs(",\"channel\":", out);
	json_i64(out, r->channel);
	fputs(",\"direction\":", out);
	json_text(out, direction_name(r->direction));
	fputs(",\"pid\":", out);
	json_i64(out, r->pid < 0 ? DMA_UNKNOWN : r->pid);
	fputs(",\"process\":", out);
	json_text(out, *r->name ? r->name : NULL);
	fputs(",\"ended_by\":", out);
	frame_vector(f, r, name, sizeof(name));
	json_text(out, *name ? name : NULL);
	fprintf(out,
		",\"started\":%" PRIu64 ",\"open\":%" PRIu64 ",\"in_flight\":%" PRIu64
		",",
		r->started, row_open(r), r->in_flight);
	span(&r->now, out);
	fputs(",\"histogram\":{\"device\":", out);
	histogram(r->now.phase[PHASE_DEVICE], out);
	fputs(",\"total\":", out);
	histogram(r->now.phase[PHASE_TOTAL], out);
	fputs("},\"since_start\":{", out);
	span(&r->all, out);
	fputs("}}", out);
}

static void vectors(const struct frame *f, FILE *out)
{
	size_t n;
	const struct join_vector *v = follow_vectors(f->follow, &n);

	fputs(",\"vectors\":[", out);
	for (size_t i = 0; follow_decided(f->follow) && i < n; i++) {
		const struct process_card *own =
			f->cards ? process_cards_of(f->cards, v[i].card) : NULL;

		fprintf(out, "%s{\"irq\":%d,\"card\":", i ? "," : "", v[i].irq);
		json_i64(out, own ? own->card : v[i].card);
		fputs(",\"channel\":", out);
		json_i64(out, v[i].channel);
		putc('}', out);
	}
	putc(']', out);
}

void frame_json(const struct frame *f, FILE *out)
{
	const struct tally *t = f->tally;

	fprintf(out,
		"{\"format\":%d,\"interval\":%" PRIu64 ",\"from_ns\":", LIVE_JSON_FORMAT,
		f->number);
	json_i64(out, f->from_ns);
	fputs(",\"to_ns\":", out);
	json_i64(out, f->to_ns);
	fprintf(out,
		",\"last\":%s,\"decided\":%s,\"held\":%zu,\"late_channels\":%zu"
		",\"behind_ns\":%" PRId64 ",\"skipped_bytes\":%" PRIu64
		",\"unseen_files\":%zu"
		",\"lost\":%" PRIu64 ",\"starts\":%" PRIu64 ",\"triggered\":",
		f->last ? "true" : "false", follow_decided(f->follow) ? "true" : "false",
		follow_held(f->follow), follow_late_channels(f->follow), f->behind_ns,
		f->skipped_bytes, f->unseen_files, t->lost_now, t->starts_now);
	json_text(out, f->triggered);
	fprintf(out, ",\"differs\":%s", follow_differs(f->follow) ? "true" : "false");
	vectors(f, out);
	fputs(",\"rows\":[", out);
	for (size_t i = 0; i < t->n; i++) {
		if (i)
			putc(',', out);
		row(f, t->row[i], out);
	}
	fputs("]}\n", out);
}
