/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/flow/follow.h"

#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/err.h"
#include "lib/flow/ends.h"
#include "lib/flow/tail.h"
#include "lib/key/key.h"

enum {
	CHANNELS_BEGUN = 1024,
	MOST_BEFORE = 1 << 16, /* samples that are held before the first start */
	WINDOWS = 64,	       /* of losses, for the next joiner */
};

struct window {
	int32_t cpu;
	int64_t from_ns, to_ns;
};

struct known {
	int64_t card, channel;
	int64_t used_ns; /* the last start */
	bool late;	 /* it has no vector, for it came behind the decision */
};

struct follow {
	struct vector_finder *finder; /* of the whole, unless channels come and go */
	struct join *join;	      /* NULL = not decided yet */
	struct keys *keys;	      /* of the joiner; NULL = the driver tells nothing */
	struct join_sink sink;
	bool driver, asks, issues, holes;
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
	int64_t first_ns; /* of the first start that is held; DMA_UNKNOWN = none */
	int64_t newest_ns;
	uint64_t ends, ask_at;
	struct known *channel; /* that were there when it was decided, then late ones */
	size_t nchannel, nlate;
	struct tail *tail;
	bool (*is_fresh)(void *arg, int64_t card);
	void *arg;
	bool again;   /* samples are held once more, beside a joiner */
	bool more;    /* there are vectors that the joiner does not know */
	bool renewed; /* the joiner is another one, which has had all that the tail has */
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
	f->driver = o->driver;
	f->asks = o->asks;
	f->issues = o->issues;
	f->tail = o->tail;
	f->is_fresh = o->is_fresh;
	f->arg = o->arg;
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
	keys_free(f->keys);
	vector_finder_free(f->finder);
	free(f->vector);
	free(f->recorded);
	free(f->held);
	free(f->window);
	free(f->channel);
	free(f);
}

/* ---- the joiner, and behind it the driver's word ---- */

static int on_joined(void *arg, const struct transfer *t, struct err *e)
{
	struct follow *f = arg;

	if (f->keys)
		return keys_transfer(f->keys, t, e);
	return f->sink.transfer ? f->sink.transfer(f->sink.arg, t, e) : 0;
}

static int on_stray(void *arg, const struct stray *s, struct err *e)
{
	struct follow *f = arg;

	return f->sink.stray ? f->sink.stray(f->sink.arg, s, e) : 0;
}

static int make_keys(const struct follow *f, const struct join_sink *sink,
		     struct keys **keys, struct err *e)
{
	const struct key_options o = {.vector = f->vector,
				      .nvector = f->nvector,
				      .asks = f->asks,
				      .issues = f->issues,
				      .holes = f->holes};

	return f->driver ? keys_new(keys, &o, sink, e) : 0;
}

/* In place of the one that there is; nothing of that one is handed out any more. */
static int start_joiner(struct follow *f, const struct join_options *o, struct err *e)
{
	const struct join_sink sink = {
		.arg = f, .transfer = on_joined, .stray = on_stray};
	int rc;

	join_free(f->join);
	keys_free(f->keys);
	f->join = NULL;
	f->keys = NULL;
	rc = make_keys(f, &f->sink, &f->keys, e);
	return rc ? rc : join_new(&f->join, o, &sink, e);
}

static int push(void *arg, const struct sample *s, struct err *e)
{
	struct follow *f = arg;
	int rc = f->keys ? keys_push(f->keys, s, e) : 0;

	return rc || s->role >= ROLE_REGISTER ? rc : join_push(f->join, s, e);
}

/* ---- the decision ---- */

static size_t leave_fresh(const struct follow *f, struct begun_channel *begun, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (!f->tail || !f->is_fresh(f->arg, begun[i].card))
			begun[kept++] = begun[i];
	return kept;
}

static int make_joiner(struct follow *f, const struct vector_result *found, struct err *e)
{
	struct begun_channel begun[CHANNELS_BEGUN];
	struct join_options o;
	int rc;

	follow_join_options(f, &o);
	o.begun = begun;
	if (!f->from_start)
		o.nbegun = leave_fresh(
			f, begun,
			begun_result(found->begun, false, begun, CHANNELS_BEGUN));
	rc = start_joiner(f, &o, e);
	for (size_t i = 0; i < f->nwindow && !rc; i++)
		rc = join_loss(f->join, f->window[i].cpu, f->window[i].from_ns,
			       f->window[i].to_ns, e);
	for (size_t i = 0; i < f->nheld && !rc; i++)
		rc = push(f, &f->held[i], e);
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
		if (f->held[i].role < ROLE_REGISTER)
			rc = vector_finder_push(*finder, &f->held[i], e);
	return rc ? rc : vector_finder_finish(*finder, found, e);
}

static bool has_channel(const struct join_vector *v, size_t n, int64_t card,
			int64_t channel)
{
	for (size_t i = 0; i < n; i++)
		if ((v[i].card == DMA_UNKNOWN || v[i].card == card) &&
		    (v[i].channel == DMA_UNKNOWN || v[i].channel == channel))
			return true;
	return false;
}

/* last: whatever the finder says, it is decided now. */
static int decide_first(struct follow *f, const struct vector_result *found, bool last,
			struct err *e)
{
	int rc = 0;

	if (!last && !f->named && found->nwinner < f->nchannel)
		return 0;
	if (!f->named)
		rc = ends_found(found, &f->vector, &f->nvector, e);
	return rc ? rc : make_joiner(f, found, e);
}

/* ---- channels that come and go ---- */

static bool is_used(const struct follow *f, int64_t card, int64_t channel, int64_t since)
{
	for (size_t i = 0; i < f->nchannel; i++)
		if (f->channel[i].card == card && f->channel[i].channel == channel)
			return f->channel[i].used_ns >= since;
	return true; /* of all */
}

/* With those channels that were used lately. */
static void forget_unused(struct follow *f, int64_t now_ns)
{
	int64_t since = now_ns - FOLLOW_USED_NS;
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < f->nvector; i++)
		if (f->named ||
		    is_used(f, f->vector[i].card, f->vector[i].channel, since))
			f->vector[n++] = f->vector[i];
	f->nvector = n;
	for (size_t i = 0; i < f->nchannel; i++) {
		if (f->channel[i].used_ns >= since)
			f->channel[kept++] = f->channel[i];
		else
			f->nlate -= f->channel[i].late;
	}
	f->nchannel = kept;
}

static int renew_joiner(struct follow *f, int64_t now_ns, struct err *e)
{
	int64_t from_ns = tail_from_ns(f->tail);
	struct join_options o;
	int rc;

	f->renewed = true;
	f->more = false;
	forget_unused(f, now_ns);
	follow_join_options(f, &o);
	rc = start_joiner(f, &o, e);
	for (size_t i = 0; i < f->nwindow && !rc; i++)
		if (from_ns != DMA_UNKNOWN &&
		    (f->window[i].to_ns == DMA_UNKNOWN || f->window[i].to_ns >= from_ns))
			rc = join_loss(f->join, f->window[i].cpu, f->window[i].from_ns,
				       f->window[i].to_ns, e);
	return rc ? rc : tail_each(f->tail, push, f, e);
}

static void go_on(struct follow *f)
{
	free(f->held);
	f->held = NULL;
	f->nheld = 0;
	f->again = false;
}

/* Only of channels that have none: what was decided of others stays. */
static int add_found(struct follow *f, const struct vector_result *found, struct err *e)
{
	struct join_vector *v = NULL;
	size_t n = 0, had = f->nvector;
	int rc = ends_found(found, &v, &n, e);

	for (size_t i = 0; i < n && !rc; i++)
		if (!has_channel(f->vector, had, v[i].card, v[i].channel))
			rc = ends_add(&f->vector, &f->nvector, v[i].irq, v[i].card,
				      v[i].channel, e);
	f->more |= f->nvector > had;
	free(v);
	return rc;
}

static int decide_again(struct follow *f, const struct vector_result *found, bool last,
			int64_t now_ns, struct err *e)
{
	size_t lacking = 0;
	int rc = add_found(f, found, e);

	f->nlate = 0;
	for (size_t i = 0; i < f->nchannel; i++) {
		struct known *c = &f->channel[i];

		c->late = c->late &&
			  !has_channel(f->vector, f->nvector, c->card, c->channel);
		f->nlate += c->late;
		lacking += c->late && c->used_ns >= f->first_ns;
	}
	if (rc || (lacking && !last))
		return rc;
	if (f->more) {
		go_on(f);
		return renew_joiner(f, now_ns, e);
	}
	for (size_t i = 0; i < f->nheld && !rc; i++)
		rc = push(f, &f->held[i], e);
	go_on(f);
	return rc;
}

static int decide(struct follow *f, bool last, int64_t now_ns, struct err *e)
{
	struct vector_finder *finder = NULL;
	const struct vector_result *found = NULL;
	int rc = ask(f, &finder, &found, e);

	f->ask_at = 2 * f->ends;
	if (!rc)
		rc = f->again ? decide_again(f, found, last, now_ns, e)
			      : decide_first(f, found, last, e);
	vector_finder_free(finder);
	return rc;
}

static int decide_in_time(struct follow *f, int64_t now_ns, struct err *e)
{
	int64_t passed = f->first_ns == DMA_UNKNOWN ? 0 : now_ns - f->first_ns;
	size_t most = f->again ? FOLLOW_MOST_AGAIN : FOLLOW_MOST_HELD;
	bool last = f->ends >= FOLLOW_PLENTY || f->nheld >= most ||
		    passed >= FOLLOW_PATIENCE_NS;

	if (last || (f->ends >= f->ask_at && passed >= FOLLOW_LEAST_NS))
		return decide(f, last, now_ns, e);
	return 0;
}

/* A channel that is new behind the decision. */
static int come_late(struct follow *f, struct known *c, int64_t now_ns, struct err *e)
{
	c->late = !f->named;
	if (!f->tail) {
		f->nlate += c->late;
		return 0;
	}
	if (f->named)
		return f->nchannel > FOLLOW_CHANNELS ? renew_joiner(f, now_ns, e) : 0;
	if (!f->again) {
		f->again = true;
		f->first_ns = DMA_UNKNOWN;
		f->ends = 0;
		f->ask_at = FOLLOW_ENOUGH;
	}
	return 0;
}

static int note_channel(struct follow *f, const struct sample *s, struct err *e)
{
	struct known *added;

	for (size_t i = f->nchannel; i-- > 0;)
		if (f->channel[i].card == s->card &&
		    f->channel[i].channel == s->channel) {
			f->channel[i].used_ns = s->time_ns;
			return 0;
		}
	added = array_add(&f->channel, &f->nchannel);
	if (!added)
		return err_nomem(e, "the live view");
	*added = (struct known){s->card, s->channel, s->time_ns, false};
	return f->join ? come_late(f, added, s->time_ns, e) : 0;
}

/* Of what comes before the first start the last is enough: it may be hours. */
static void forget_before(struct follow *f)
{
	if (f->first_ns != DMA_UNKNOWN || f->again || f->nheld < MOST_BEFORE)
		return;
	f->nheld /= 2;
	memmove(f->held, f->held + f->nheld, f->nheld * sizeof(*f->held));
}

static int hold(struct follow *f, const struct sample *s, struct err *e)
{
	struct sample *added;

	forget_before(f);
	added = array_add(&f->held, &f->nheld);
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
	int rc = 0;

	if (s->role == ROLE_REGISTER || s->role == ROLE_COUNT ||
	    (s->role >= ROLE_REGISTER && !f->driver)) /* none of the joiner's */
		return 0;
	f->newest_ns = s->time_ns;
	f->renewed = false;
	if (!f->tail && s->role < ROLE_REGISTER)
		rc = vector_finder_push(f->finder, s, e);
	if (!rc && s->role == ROLE_SUBMIT)
		rc = note_channel(f, s, e);
	if (rc || f->renewed)
		return rc;
	return f->join && !f->again ? push(f, s, e) : hold(f, s, e);
}

int follow_loss(struct follow *f, int32_t cpu, int64_t from_ns, int64_t to_ns,
		struct err *e)
{
	struct window *added;

	f->holes = true;
	if (f->keys)
		keys_doubt(f->keys);
	if (!f->tail && vector_finder_loss(f->finder, cpu, from_ns, to_ns))
		return err_nomem(e, "the live view");
	if (f->tail && f->nwindow == WINDOWS) {
		f->nwindow--;
		memmove(f->window, f->window + 1, f->nwindow * sizeof(*f->window));
	}
	added = f->join && !f->tail ? NULL : array_add(&f->window, &f->nwindow);
	if (added)
		*added = (struct window){cpu, from_ns, to_ns};
	else if (!f->join || f->tail)
		return err_nomem(e, "the live view");
	return f->join ? join_loss(f->join, cpu, from_ns, to_ns, e) : 0;
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
	struct key_totals words;
	int rc = f->join && !f->again ? 0 : decide(f, true, f->newest_ns, e);

	if (!rc)
		rc = join_finish(f->join, totals, e);
	if (!rc && f->keys)
		rc = keys_finish(f->keys, &words, e);
	return rc || f->tail ? rc : compare(f, e);
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

/* ---- as it looks now ---- */

struct preview {
	struct join *join;
	struct keys *keys;
	const struct join_sink *sink;
};

static int preview_joined(void *arg, const struct transfer *t, struct err *e)
{
	struct preview *p = arg;

	return p->keys ? keys_transfer(p->keys, t, e)
		       : p->sink->transfer(p->sink->arg, t, e);
}

static int preview_push(void *arg, const struct sample *s, struct err *e)
{
	struct preview *p = arg;
	int rc = p->keys ? keys_push(p->keys, s, e) : 0;

	return rc || s->role >= ROLE_REGISTER ? rc : join_push(p->join, s, e);
}

int follow_preview(const struct follow *f, struct tail *t, const struct join_sink *sink,
		   struct err *e)
{
	struct preview p = {.sink = sink};
	const struct join_sink joined = {.arg = &p, .transfer = preview_joined};
	struct join_totals totals;
	struct key_totals words;
	struct join_options o = {0};
	int rc;

	if (!follow_decided(f) || tail_from_ns(t) == DMA_UNKNOWN)
		return 0;
	follow_join_options(f, &o);
	rc = make_keys(f, sink, &p.keys, e);
	if (!rc)
		rc = join_new(&p.join, &o, &joined, e);
	if (!rc)
		rc = tail_each(t, preview_push, &p, e);
	if (!rc)
		rc = join_finish(p.join, &totals, e);
	if (!rc && p.keys)
		rc = keys_finish(p.keys, &words, e);
	join_free(p.join);
	keys_free(p.keys);
	return rc;
}
