/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/flow/ends.h"

#include "lib/array.h"
#include "lib/err.h"

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
