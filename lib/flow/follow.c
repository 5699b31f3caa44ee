/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/flow/follow.h"

#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/err.h"
#include "lib/flow/ends.h"

enum { CHANNELS_BEGUN = 1024 };

struct window {
	int32_t cpu;
	int64_t from_ns, to_ns;
};

struct known {
	int64_t card, channel;
};

struct follow {
	struct vector_finder *finder; /* of the whole */
	struct join *join;	      /* NULL = not decided yet */
	struct join_sink sink;
	struct join_vector *vector;
	size_t nvector;
	bool named, differs, from_start;
	int32_t *recorded;
	size_t nrecorded;
	enum pairing pairing;
	struct sample *held;
	size_t nheld;
	struct window *window; /* told before the decision */
	size_t nwindow;
	int64_t first_ns; /* of the first start; DMA_UNKNOWN = none */
	uint64_t ends, ask_at;
	struct known *channel; /* that were there when it was decided, then late ones */
	size_t nchannel, nlate;
};

static int tell_recorded(const struct follow *f, struct vector_finder *finder,
			 struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < f->nrecorded && !rc; i++)
		rc = vector_finder_known(finder, f->recorded[i], DMA_UNKNOWN, e);
	return rc;
}

int follow_new(struct follow **out, const struct follow_options *o,
	       const struct join_sink *sink, struct err *e)
{
	struct follow *f = calloc(1, sizeof(*f));
	int rc = f ? vector_finder_new(&f->finder, e) : err_nomem(e, "the live view");

	*out = NULL;
	if (rc) {
		follow_free(f);
		return rc;
	}
	f->sink = *sink;
	f->pairing = o->pairing;
	f->from_start = o->from_start;
	f->named = o->nvector > 0;
	f->first_ns = DMA_UNKNOWN;
	f->ask_at = FOLLOW_ENOUGH;
	f->recorded = calloc(o->nrecorded + 1, sizeof(*f->recorded));
	if (!f->recorded)
		rc = err_nomem(e, "the live view");
	else if (o->nrecorded)
		memcpy(f->recorded, o->recorded, o->nrecorded * sizeof(*f->recorded));
	f->nrecorded = f->recorded ? o->nrecorded : 0;
	for (size_t i = 0; i < o->nvector && !rc; i++)
		rc = ends_add(&f->vector, &f->nvector, o->vector[i].irq,
			      o->vector[i].card, o->vector[i].channel, e);
	if (!rc)
		rc = tell_recorded(f, f->finder, e);
	if (rc)
		follow_free(f);
	else
		*out = f;
	return rc;
}

void follow_free(struct follow *f)
{
	if (!f)
		return;
	join_free(f->join);
	vector_finder_free(f->finder);
	free(f->vector);
	free(f->recorded);
	free(f->held);
	free(f->window);
	free(f->channel);
	free(f);
}

/* ---- the decision ---- */

static int make_joiner(struct follow *f, const struct vector_result *found, struct err *e)
{
	struct begun_channel begun[CHANNELS_BEGUN];
	struct join_options o;
	int rc;

	follow_join_options(f, &o);
	o.begun = begun;
	if (!f->from_start)
		o.nbegun = begun_result(found->begun, false, begun, CHANNELS_BEGUN);
	rc = join_new(&f->join, &o, &f->sink, e);
	for (size_t i = 0; i < f->nwindow && !rc; i++)
		rc = join_loss(f->join, f->window[i].cpu, f->window[i].from_ns,
			       f->window[i].to_ns, e);
	for (size_t i = 0; i < f->nheld && !rc; i++)
		rc = join_push(f->join, &f->held[i], e);
	free(f->held);
	f->held = NULL;
	f->nheld = 0;
	return rc;
}

/* A finder of its own for each asking: one can be asked only once. */
static int ask(const struct follow *f, struct vector_finder **finder,
	       const struct vector_result **found, struct err *e)
{
	int rc = vector_finder_new(finder, e);

	if (!rc)
		rc = tell_recorded(f, *finder, e);
	for (size_t i = 0; i < f->nwindow && !rc; i++)
		rc = vector_finder_loss(*finder, f->window[i].cpu, f->window[i].from_ns,
					f->window[i].to_ns);
	for (size_t i = 0; i < f->nheld && !rc; i++)
		rc = vector_finder_push(*finder, &f->held[i], e);
	return rc ? rc : vector_finder_finish(*finder, found, e);
}

/* last: whatever the finder says, it is decided now. */
static int decide(struct follow *f, bool last, struct err *e)
{
	struct vector_finder *finder = NULL;
	const struct vector_result *found = NULL;
	int rc = ask(f, &finder, &found, e);

	f->ask_at = 2 * f->ends;
	if (!rc && (last || f->named || found->nwinner >= f->nchannel)) {
		if (!f->named)
			rc = ends_found(found, &f->vector, &f->nvector, e);
		if (!rc)
			rc = make_joiner(f, found, e);
	}
	vector_finder_free(finder);
	return rc;
}

static int decide_in_time(struct follow *f, int64_t now_ns, struct err *e)
{
	int64_t passed = f->first_ns == DMA_UNKNOWN ? 0 : now_ns - f->first_ns;
	bool last = f->ends >= FOLLOW_PLENTY || f->nheld >= FOLLOW_MOST_HELD ||
		    passed >= FOLLOW_PATIENCE_NS;

	if (last || (f->ends >= f->ask_at && passed >= FOLLOW_LEAST_NS))
		return decide(f, last, e);
	return 0;
}

static int note_channel(struct follow *f, const struct sample *s, struct err *e)
{
	struct known *added;

	for (size_t i = f->nchannel; i-- > 0;)
		if (f->channel[i].card == s->card && f->channel[i].channel == s->channel)
			return 0;
	added = array_add(&f->channel, &f->nchannel);
	if (!added)
		return err_nomem(e, "the live view");
	*added = (struct known){s->card, s->channel};
	f->nlate += f->join != NULL;
	return 0;
}

static int hold(struct follow *f, const struct sample *s, struct err *e)
{
	struct sample *added = array_add(&f->held, &f->nheld);

	if (!added)
		return err_nomem(e, "the live view");
	*added = *s;
	if (s->role == ROLE_SUBMIT && f->first_ns == DMA_UNKNOWN)
		f->first_ns = s->time_ns;
	f->ends += s->role == ROLE_WOKEN && !(s->bits & SAMPLE_PENDING);
	return decide_in_time(f, s->time_ns, e);
}

/* ---- what comes ---- */

int follow_push(struct follow *f, const struct sample *s, struct err *e)
{
	int rc;

	if (s->role >= ROLE_REGISTER) /* none of the joiner's */
		return 0;
	rc = vector_finder_push(f->finder, s, e);

	if (!rc && s->role == ROLE_SUBMIT)
		rc = note_channel(f, s, e);
	if (rc)
		return rc;
	return f->join ? join_push(f->join, s, e) : hold(f, s, e);
}

int follow_loss(struct follow *f, int32_t cpu, int64_t from_ns, int64_t to_ns,
		struct err *e)
{
	struct window *added;

	if (vector_finder_loss(f->finder, cpu, from_ns, to_ns))
		return err_nomem(e, "the live view");
	if (f->join)
		return join_loss(f->join, cpu, from_ns, to_ns, e);
	added = array_add(&f->window, &f->nwindow);
	if (!added)
		return err_nomem(e, "the live view");
	*added = (struct window){cpu, from_ns, to_ns};
	return 0;
}

static bool has_vector(const struct join_vector *v, size_t n, const struct join_vector *x)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].irq == x->irq && v[i].card == x->card &&
		    v[i].channel == x->channel)
			return true;
	return false;
}

/* What the whole says, against what was decided. */
static int compare(struct follow *f, struct err *e)
{
	const struct vector_result *found;
	struct join_vector *v = NULL;
	size_t n = 0;
	int rc = vector_finder_finish(f->finder, &found, e);

	if (!rc)
		rc = ends_found(found, &v, &n, e);
	f->differs = !f->named && n != f->nvector;
	for (size_t i = 0; i < n && !f->named; i++)
		f->differs |= !has_vector(f->vector, f->nvector, &v[i]);
	free(v);
	return rc;
}

int follow_finish(struct follow *f, struct join_totals *totals, struct err *e)
{
	int rc = f->join ? 0 : decide(f, true, e);

	if (!rc)
		rc = join_finish(f->join, totals, e);
	return rc ? rc : compare(f, e);
}

/* ---- what is known ---- */

bool follow_decided(const struct follow *f)
{
	return f->join != NULL;
}

const struct join_vector *follow_vectors(const struct follow *f, size_t *n)
{
	*n = f->nvector;
	return f->vector;
}

bool follow_named(const struct follow *f)
{
	return f->named;
}

void follow_join_options(const struct follow *f, struct join_options *o)
{
	*o = (struct join_options){.vector = f->vector,
				   .nvector = f->nvector,
				   .pairing = f->pairing,
				   .undecided = !f->named};
}

bool follow_differs(const struct follow *f)
{
	return f->differs;
}

size_t follow_held(const struct follow *f)
{
	return f->nheld;
}

size_t follow_late_channels(const struct follow *f)
{
	return f->named ? 0 : f->nlate;
}
