/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/flow/ends.h"

#include "lib/array.h"
#include "lib/err.h"
#include "lib/event/event.h"

bool ends_transfers(enum verdict v)
{
	return v == VERDICT_COMPLETION || v == VERDICT_SHARED;
}

int ends_add(struct join_vector **vector, size_t *n, int64_t irq, int64_t card,
	     int64_t channel, struct err *e)
{
	struct join_vector *added = array_add(vector, n);

	if (!added)
		return err_nomem(e, "the vectors that end transfers");
	*added = (struct join_vector){(int32_t)irq, card, channel};
	return 0;
}

/* Of several that end a channel's transfers, that with the best score; of equal ones the
 * first. */
static bool is_best(const struct vector_result *r, size_t i)
{
	const struct vector_evidence *v = &r->channel[i];

	for (size_t k = 0; k < r->nchannel; k++) {
		const struct vector_evidence *w = &r->channel[k];

		if (w->card == v->card && w->channel == v->channel &&
		    ends_transfers(w->verdict) &&
		    (w->score > v->score || (w->score == v->score && k < i)))
			return false;
	}
	return true;
}

int ends_found(const struct vector_result *r, struct join_vector **vector, size_t *n,
	       struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < r->nchannel && !rc; i++) {
		const struct vector_evidence *v = &r->channel[i];

		if (ends_transfers(v->verdict) && is_best(r, i))
			rc = ends_add(vector, n, v->irq, v->card, v->channel, e);
	}
	return rc;
}

/* ---- a line that is named, with several handlers ---- */

static bool of_line(const struct vector_evidence *v, int64_t irq)
{
	return v->irq == irq || (irq < HANDLER_STRIDE && v->irq % HANDLER_STRIDE == irq);
}

/* Does x fit better than y what ends transfers? Where that is unclear of both, it is what
 * comes just once in more of them. */
static bool fits_better(const struct vector_evidence *x, const struct vector_evidence *y)
{
	bool ends = ends_transfers(x->verdict);

	if (!y || ends != ends_transfers(y->verdict))
		return ends || (!y && x->verdict == VERDICT_UNCLEAR);
	return ends ? x->score > y->score
		    : x->verdict == VERDICT_UNCLEAR && x->one > y->one;
}

int64_t ends_handler(const struct vector_result *r, int64_t irq)
{
	const struct vector_evidence *best = NULL;

	for (size_t i = 0; i < r->noverall; i++)
		if (of_line(&r->overall[i], irq) && fits_better(&r->overall[i], best))
			best = &r->overall[i];
	return best ? best->irq : irq;
}

static bool same_channel(const struct vector_evidence *x, const struct vector_evidence *y)
{
	return x->card == y->card && x->channel == y->channel;
}

/* Of this channel the handler that ends its transfers; where none is seen to, `other`. */
static int64_t handler_of(const struct vector_result *r, int64_t irq,
			  const struct vector_evidence *channel, int64_t other)
{
	const struct vector_evidence *best = NULL;

	for (size_t i = 0; i < r->nchannel; i++) {
		const struct vector_evidence *v = &r->channel[i];

		if (of_line(v, irq) && same_channel(v, channel) && fits_better(v, best))
			best = v;
	}
	return best && ends_transfers(best->verdict) ? best->irq : other;
}

/* The first evidence of its channel from a handler of the line? */
static bool is_first(const struct vector_result *r, size_t i, int64_t irq)
{
	if (!of_line(&r->channel[i], irq))
		return false;
	for (size_t k = 0; k < i; k++)
		if (of_line(&r->channel[k], irq) &&
		    same_channel(&r->channel[k], &r->channel[i]))
			return false;
	return true;
}

int ends_named(const struct vector_result *r, int64_t irq, int64_t channel,
	       struct join_vector **vector, size_t *n, struct err *e)
{
	int64_t best = ends_handler(r, irq);
	bool differ = false;
	int rc = 0;

	for (size_t i = 0; i < r->nchannel; i++)
		differ |= is_first(r, i, irq) &&
			  handler_of(r, irq, &r->channel[i], best) != best;
	if (!differ)
		return ends_add(vector, n, best, DMA_UNKNOWN, channel, e);
	for (size_t i = 0; i < r->nchannel && !rc; i++) {
		const struct vector_evidence *v = &r->channel[i];

		if (is_first(r, i, irq) &&
		    (channel == DMA_UNKNOWN || channel == v->channel))
			rc = ends_add(vector, n, handler_of(r, irq, v, best), v->card,
				      v->channel, e);
	}
	return rc;
}
