/* SPDX-License-Identifier: GPL-2.0-only */
/* A decoder's beginning: names and places of each event's fields, and what the recording says
 * of them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/event/event_impl.h"
#include "lib/event/handlers.h"

enum { MAX_FUNCS = 4096 };

static int need_formats(struct event_decoder *d, struct err *e)
{
	const void *buf;
	size_t len;
	int rc = perfdata_feature(d->p, FEAT_TRACING_DATA, &buf, &len, e);

	return rc > 0 ? formats_new(&d->formats, buf, len, "the recording", e) : rc;
}

static int no_time(const struct source *s, size_t i, struct err *e)
{
	return err_set(
		e, ERR_UNSUPPORTED,
		"event %zu (%s): its samples carry no time; record again with perf "
		"record --timestamp",
		i, s->name ? s->name : "no name");
}

static int no_format(const struct source *s, size_t i, bool truncated, struct err *e)
{
	return err_set(
		e, ERR_FORMAT,
		"event %zu (%s, number %" PRIu64
		") has no format in the recording's tracing data%s",
		i, s->name ? s->name : "no name", s->type,
		truncated
			? ": the recording was cut before its recorder could write it"
			: "; record again as root (perf inject of 6.1 leaves the formats "
			  "of a pipe's file out: give that file itself)");
}

/* Of an event whose values are asked for: none of its fields can be trusted. */
static int bad_format(const struct source *s, size_t i, struct err *e)
{
	return err_set(
		e, ERR_FORMAT,
		"event %zu (%s, number %" PRIu64
		"): line %zu of its format in the recording's tracing data is none "
		"that a kernel writes; the file is damaged",
		i, s->name ? s->name : "no name", s->type, s->bad_line);
}

static int open_format(struct source *s, const struct format *format)
{
	const char *name = format_name(format);

	if (!s->name && asprintf(&s->owned, "%s:%s", format_system(format), name) < 0)
		return ERR_NOMEM;
	s->name = s->name ? s->name : s->owned;
	format_places(format, guess_is_return(name), s->place);
	return 0;
}

/* Names and field offsets, from the tracing data where the event is a tracepoint. */
static int open_sources(struct event_decoder *d, struct err *e)
{
	for (size_t i = 0; i < d->nsource; i++) {
		const struct perfdata_attr *a = perfdata_attr(d->p, i);
		struct source *s = &d->source[i];
		const struct format *format;

		s->type = a->attr.config;
		s->attr_type = a->attr.type;
		s->name = a->name;
		if (s->attr_type != PERF_TYPE_TRACEPOINT)
			continue;
		if (!(a->attr.sample_type & PERF_SAMPLE_TIME))
			return no_time(s, i, e);
		format = d->formats ? formats_find(d->formats, s->type) : NULL;
		if (!format)
			return no_format(s, i, perfdata_truncated(d->p), e);
		s->bad_line = format_bad_line(format);
		if (!s->bad_line && open_format(s, format))
			return err_nomem(e, "the name of an event");
	}
	return 0;
}

static int condition_value(const struct condition *c)
{
	return c->op == OP_NONE ? -1 : field_parse(c->field);
}

/* An event of the kernel has its fields where the profile said. */
static int name_places(struct event_decoder *d, struct source *s,
		       const struct meta_event *ev, struct err *e)
{
	const struct format *format =
		d->formats ? formats_find(d->formats, s->type) : NULL;
	const char *bad = ev->places;
	size_t len = format ? format_places_named(format, ev->places, s->place, &bad)
			    : strlen(bad);

	if (!len)
		return 0;
	return err_set(
		e, ERR_FORMAT,
		"feature 250: event %d (%s): its format in the recording's tracing "
		"data has no number for '%.*s'",
		ev->id, s->name ? s->name : "no name", (int)len, bad);
}

static int bind_sources(struct event_decoder *d, struct err *e)
{
	for (size_t i = 0; i < d->m->nevent; i++) {
		const struct meta_event *ev = &d->m->event[i];
		struct source *s;
		int rc;

		if (ev->attr < 0)
			continue;
		if ((size_t)ev->attr >= d->nsource)
			return err_set(e, ERR_FORMAT,
				       "feature 250: event %d belongs to attribute %d, "
				       "the file has %zu",
				       ev->id, ev->attr, d->nsource);
		d->nfunc = ev->func >= d->nfunc && ev->func < MAX_FUNCS ? ev->func + 1
									: d->nfunc;
		s = &d->source[ev->attr];
		if (s->meta)
			return err_set(e, ERR_FORMAT,
				       "feature 250: attribute %d "
				       "belongs to events %d and %d",
				       ev->attr, s->meta->id, ev->id);
		s->meta = ev;
		s->name = ev->name ? ev->name : s->name;
		if (s->bad_line && ev->role != ROLE_OTHER)
			return bad_format(s, (size_t)ev->attr, e);
		rc = ev->places ? name_places(d, s, ev, e) : 0;
		if (rc)
			return rc;
		s->when = (int8_t)condition_value(&ev->when);
		s->fail = (int8_t)condition_value(&ev->fail);
		s->pending = (int8_t)condition_value(&ev->pending);
		s->circular = (int8_t)condition_value(&ev->circular);
		s->from_host = (int8_t)condition_value(&ev->from_host);
	}
	return 0;
}

static int fill_meta(struct event_decoder *d, const struct event_rules *rules,
		     bool *guessed, struct err *e)
{
	const void *buf;
	size_t len;
	int rc = perfdata_feature(d->p, FEAT_DMAREC, &buf, &len, e);

	*guessed = !rc;
	if (rc > 0)
		rc = meta_parse(d->m, buf, len, e);
	else if (!rc)
		rc = guess_meta(d->m, d->p, d->source, e);
	if (!rc)
		rc = apply_rules(d->m, rules, e);
	if (!rc && (*guessed || (rules && rules->nrole)))
		complete_roles(d->m, *guessed);
	return rc;
}

static int allocate(struct event_decoder **out, struct perfdata *p, struct meta *m,
		    struct err *e)
{
	struct event_decoder *d = calloc(1, sizeof(*d));

	*out = d;
	if (!d)
		return err_nomem(e, "a decoder");
	d->p = p;
	d->m = m;
	d->nsource = perfdata_nattrs(p);
	d->source = calloc(d->nsource, sizeof(*d->source));
	d->handlers = handlers_new();
	if (!d->source || !d->handlers)
		return err_nomem(e, "the decoders of %zu events", d->nsource);
	return 0;
}

int event_decoder_new(struct event_decoder **out, struct perfdata *p,
		      const struct event_rules *rules, struct meta *m, bool *guessed,
		      struct err *e)
{
	int rc = allocate(out, p, m, e);

	if (!rc)
		rc = need_formats(*out, e);
	if (!rc)
		rc = open_sources(*out, e);
	if (!rc)
		rc = fill_meta(*out, rules, guessed, e);
	if (!rc)
		rc = bind_sources(*out, e);
	if (!rc)
		rc = fds_init(&(*out)->fds, m, e);
	if (rc) {
		event_decoder_free(*out);
		*out = NULL;
	}
	return rc;
}

void event_decoder_inherit(struct event_decoder *d, struct event_decoder *from)
{
	struct handlers *own = d->handlers;

	d->calls = from->calls;
	d->cards = from->cards;
	d->runnings = from->runnings;
	d->handlers = from->handlers;
	d->unresolved = from->unresolved;
	d->seq = from->seq;
	from->calls = (struct calls){0};
	from->cards = (struct cards){0};
	from->runnings = (struct runnings){0};
	from->handlers = own;
}

void event_decoder_free(struct event_decoder *d)
{
	if (!d)
		return;
	for (size_t i = 0; d->source && i < d->nsource; i++)
		free(d->source[i].owned);
	formats_free(d->formats);
	free(d->source);
	calls_release(&d->calls);
	cards_release(&d->cards);
	runnings_release(&d->runnings);
	fds_release(&d->fds);
	handlers_free(d->handlers);
	free(d);
}
