/* SPDX-License-Identifier: GPL-2.0-only */
/* A recording from anywhere: no crash, whatever is refused is refused with a text,
 * records stay inside the file and in order of time, and a second reading says the
 * same. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/dma.h"
#include "lib/err.h"
#include "lib/event/event.h"
#include "lib/file/meta.h"
#include "lib/file/perfdata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t size;
};

static void need(int ok)
{
	if (!ok)
		abort();
}

static void inside(const struct input *in, const void *at, size_t len)
{
	const uint8_t *p = at;

	need(!at || (p >= in->data && len <= in->size &&
		     (size_t)(p - in->data) <= in->size - len));
}

static void check_record(const struct input *in, const struct perfdata *p,
			 const struct perfdata_rec *r)
{
	need(r->type < 64 && r->attr >= -1 &&
	     (r->attr < 0 || (size_t)r->attr < perfdata_nattrs(p)));
	need(r->time_ns == DMA_UNKNOWN || r->time_ns > 0);
	inside(in, r->raw, r->raw_len);
	inside(in, r->body, r->body_len);
	need(r->lost_from_ns == DMA_UNKNOWN || r->lost_to_ns == DMA_UNKNOWN ||
	     r->lost_from_ns <= r->lost_to_ns || r->time_ns < r->lost_from_ns);
}

struct tally {
	uint64_t records, disordered, hash;
	int rc;
};

/* All records; d = NULL does not decode. */
static struct tally read_all(const struct input *in, struct perfdata *p,
			     struct event_decoder *d)
{
	struct tally t = {0};
	struct perfdata_rec r;
	struct sample s;
	int64_t last = DMA_UNKNOWN;
	uint64_t back = 0;

	while (1) {
		struct err e = {0};

		t.rc = perfdata_next(p, &r, &e);
		need((t.rc < 0) == (e.code != 0));
		if (t.rc <= 0)
			break;
		check_record(in, p, &r);
		bool lost =
			r.type == PERF_RECORD_LOST || r.type == PERF_RECORD_LOST_SAMPLES;

		back += !lost && r.time_ns != DMA_UNKNOWN && r.time_ns < last;
		last = lost ? last : r.time_ns > last ? r.time_ns : last;
		t.records++;
		t.hash = t.hash * 31 + r.offset;
		if (d && event_decode(d, &r, &s, &e) < 0)
			need(e.code);
		need(perfdata_data_done(p) <= perfdata_data_size(p));
	}
	t.disordered = perfdata_disordered(p);
	need(t.disordered == back);
	return t;
}

static void look(struct perfdata *p)
{
	struct perfdata_clock c;
	const void *buf;
	size_t len;

	for (unsigned f = 0; f < FEAT_BITS + 2; f++) {
		perfdata_string(p, f);
		if (perfdata_feature(p, f, &buf, &len, NULL) > 0)
			need(len > 0);
	}
	perfdata_clock(p, &c, NULL);
	perfdata_truncated(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	const struct event_card *card;
	struct event_decoder *d = NULL;
	struct perfdata *p = NULL;
	struct tally one, two;
	struct err e = {0};
	struct meta m;
	bool guessed;

	if (perfdata_open_mem(&p, data, size, "f", &e)) {
		need(!p && e.code && e.text[0]);
		return 0;
	}
	need(!e.code);
	look(p);
	one = read_all(&in, p, NULL);
	perfdata_rewind(p, NULL);
	meta_init(&m);
	if (event_decoder_new(&d, p, NULL, &m, &guessed, &e))
		need(!d && e.code);
	two = read_all(&in, p, d);
	need(one.rc == two.rc && one.records == two.records && one.hash == two.hash &&
	     one.disordered == two.disordered);
	if (d)
		event_cards(d, &card);
	event_decoder_free(d);
	meta_release(&m);
	perfdata_close(p);
	return 0;
}
