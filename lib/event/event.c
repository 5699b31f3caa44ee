/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From raw bytes to struct sample. What an exit does not carry (card, channel,
 * direction, and whether the call counts at all) is that of the entry before it
 * on its thread.
 *
 * An exit must not take the fields of a call that is not its own. An entry that
 * was lost is told of by LOST records, which perfdata_next() hands out at the
 * beginning of their window: they close all calls. An entry while a call of the
 * same function is open means that the earlier one was left by an exception, or
 * that this one is inside it and may itself be left so; whose exit comes next
 * cannot be told, so where the two differ the exit's fields are unknown.
 *
 * A loop may begin at a function's first instruction; then each of its turns hits the
 * entry's probe. Such an entry carries the stack pointer: a jump within the function
 * leaves it as it was, a call from within makes it smaller.
 */
#include "lib/event/event.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/event/event_impl.h"
#include "lib/event/handlers.h"

enum { POINTERS_FROM = 65536 };

size_t event_cards(const struct event_decoder *d, const struct event_card **cards)
{
	*cards = d->cards.card;
	return d->cards.n;
}

struct handlers *event_decoder_handlers(const struct event_decoder *d)
{
	return d->handlers;
}

size_t event_handlers(const struct event_decoder *d, const struct event_handler **list)
{
	return handlers_list(d->handlers, list);
}

uint64_t event_unresolved(const struct event_decoder *d)
{
	return d->unresolved;
}

/* ---- one sample ---- */

struct decoding {
	struct event_decoder *d;
	const struct source *source;
	const struct perfdata_rec *rec;
	struct sample *s;
	int64_t value[VALUE_N];
	bool other;
	struct err *e;
};

static int64_t raw_value(const uint8_t *raw, const struct place *f)
{
	uint64_t v = 0;
	unsigned unused = 64 - 8 * f->size;

	switch (f->size) { /* of known size, so that no call is made */
	case 1:
		v = raw[f->offset];
		break;
	case 2:
		memcpy(&v, raw + f->offset, 2);
		break;
	case 4:
		memcpy(&v, raw + f->offset, 4);
		break;
	default:
		memcpy(&v, raw + f->offset, 8);
		break;
	}
	if (f->is_signed)
		return (int64_t)(v << unused) >> unused;
	return (int64_t)v;
}

static int read_values(struct decoding *c)
{
	for (int i = 0; i < VALUE_N; i++) {
		const struct place *f = &c->source->place[i];

		c->value[i] = DMA_UNKNOWN;
		if (!f->size)
			continue;
		if ((uint32_t)f->offset + f->size > c->rec->raw_len)
			return err_set(
				c->e, ERR_FORMAT,
				"sample at offset %" PRIu64
				": event %s keeps a field at %u+%u of its "
				"raw data, which has %u bytes; the file is damaged",
				c->rec->offset, c->source->name, f->offset, f->size,
				c->rec->raw_len);
		c->value[i] = raw_value(c->rec->raw, f);
	}
	if (c->value[VALUE_COMMON_TYPE] > 0 &&
	    (uint64_t)c->value[VALUE_COMMON_TYPE] != c->source->type)
		return err_set(c->e, ERR_FORMAT,
			       "sample at offset %" PRIu64
			       ": its raw data is of event %" PRId64
			       ", its id says %s (%" PRIu64 "); the file is damaged",
			       c->rec->offset, c->value[VALUE_COMMON_TYPE],
			       c->source->name, c->source->type);
	return 0;
}

static bool holds(const struct decoding *c, const struct condition *cond, int8_t value)
{
	int other = *cond->other ? field_parse(cond->other) : -1;

	return value >= 0 && c->value[value] != DMA_UNKNOWN &&
	       (other < 0 || c->value[other] != DMA_UNKNOWN) &&
	       condition_holds(cond, c->value[value], other < 0 ? 0 : c->value[other]);
}

static int set_card(struct decoding *c, int32_t pid, int64_t key, const char *name)
{
	int64_t n = cards_number(&c->d->cards, pid, (uint64_t)key, name, c->e);

	if (n < 0)
		return (int)n;
	c->s->card = n;
	return 0;
}

/* Which device a descriptor is; ROLE_OTHER when it is none that the profile knows. */
static int resolve_path(struct decoding *c)
{
	const struct meta_event *ev = c->source->meta;
	int64_t card, channel;
	const char *path;

	if (!ev->npath || c->value[FIELD_FD] == DMA_UNKNOWN)
		return 0;
	path = fds_path(&c->d->fds, c->rec->pid, c->value[FIELD_FD], c->rec->time_ns);
	path = path && *path ? path : NULL; /* "": not known */
	c->d->unresolved += !path;
	for (size_t i = 0; path && i < ev->npath; i++) {
		if (!meta_path_match(&ev->path[i], path, &card, &channel))
			continue;
		if (ev->path[i].direction != DIR_UNKNOWN)
			c->s->direction = (uint8_t)ev->path[i].direction;
		if (channel != DMA_UNKNOWN)
			c->s->channel = channel;
		return card == DMA_UNKNOWN ? 0 : set_card(c, -1, card, path);
	}
	c->other = true;
	return 0;
}

/* A small number is the same card in every process, a pointer is not. */
static int resolve_card(struct decoding *c)
{
	const struct meta_event *ev = c->source->meta;
	int64_t key = c->value[FIELD_CARD];

	if (ev->constant.card != DMA_UNKNOWN)
		return set_card(c, -1, ev->constant.card, NULL);
	if (key == DMA_UNKNOWN)
		return 0;
	return set_card(c, key >= 0 && key < POINTERS_FROM ? -1 : c->rec->pid, key, NULL);
}

static void set_size(struct decoding *c)
{
	const struct meta_event *ev = c->source->meta;
	int64_t unit = ev->size_unit ? ev->size_unit : 1, size = c->value[FIELD_SIZE];

	c->s->size_bytes = DMA_UNKNOWN;
	if (ev->constant.size_bytes != DMA_UNKNOWN)
		c->s->size_bytes = ev->constant.size_bytes;
	else if (size < 0 || __builtin_mul_overflow(size, unit, &c->s->size_bytes))
		c->s->size_bytes = DMA_UNKNOWN;
}

/* Two parts become one by a mapping that loses nothing of either while the other stays:
 * two keys that differ in both are taken for one with a probability of 2^-64. */
static void set_key(struct decoding *c)
{
	int64_t key = c->value[FIELD_KEY], more = c->value[FIELD_KEY2];
	const uint64_t odd = 0x9e3779b97f4a7c15u; /* 2^64 over the golden ratio */

	if (key == DMA_UNKNOWN)
		return;
	if (more != DMA_UNKNOWN)
		key = (int64_t)((uint64_t)key * odd ^ (uint64_t)more);
	c->s->key = key;
	c->s->bits |= SAMPLE_KEYED;
}

static int set_fields(struct decoding *c)
{
	const struct meta_event *ev = c->source->meta;
	struct sample *s = c->s;
	int rc;

	s->channel = ev->constant.channel != DMA_UNKNOWN ? ev->constant.channel
							 : c->value[FIELD_CHANNEL];
	s->addr = c->value[FIELD_ADDR];
	s->flags = c->value[FIELD_FLAGS];
	s->ret = c->value[FIELD_RET];
	set_key(c);
	set_size(c);
	s->direction = (uint8_t)ev->direction;
	if (c->source->from_host >= 0 && c->value[c->source->from_host] != DMA_UNKNOWN)
		s->direction = holds(c, &ev->from_host, c->source->from_host)
				       ? DIR_FROM_HOST
				       : DIR_TO_HOST;
	rc = resolve_card(c);
	return rc ? rc : resolve_path(c);
}

static void set_bits(struct decoding *c)
{
	const struct meta_event *ev = c->source->meta;
	bool entry = ev->role == ROLE_SUBMIT || ev->role == ROLE_WAIT;
	bool exit = ev->role == ROLE_STARTED || ev->role == ROLE_WOKEN;

	if (exit && holds(c, &ev->fail, c->source->fail))
		c->s->bits |= SAMPLE_FAILED;
	if (exit && holds(c, &ev->pending, c->source->pending))
		c->s->bits |= SAMPLE_PENDING;
	if (ev->role == ROLE_SUBMIT && holds(c, &ev->circular, c->source->circular))
		c->s->bits |= SAMPLE_CIRCULAR;
	if (ev->role == ROLE_SUBMIT && ev->blocking)
		c->s->bits |= SAMPLE_BLOCKING;
	if (entry && ev->no_exit)
		c->s->bits |= SAMPLE_NO_EXIT;
}

/* ---- entry and exit of one call ---- */

static void keep_same(int64_t *to, int64_t from)
{
	if (*to != from)
		*to = DMA_UNKNOWN;
}

/* What two calls have in common, of which one is open. */
static void merge_call(struct call *to, const struct call *from)
{
	for (int i = 0; i < FIELD_RET; i++)
		keep_same(&to->value[i], from->value[i]);
	keep_same(&to->card, from->card);
	keep_same(&to->channel, from->channel);
	keep_same(&to->size_bytes, from->size_bytes);
	if (to->direction != from->direction)
		to->direction = DIR_UNKNOWN;
}

static int keep_call(struct decoding *c)
{
	const struct meta_event *ev = c->source->meta;
	struct call now = {.tid = c->s->tid,
			   .func = ev->func,
			   .other = c->other,
			   .card = c->s->card,
			   .channel = c->s->channel,
			   .size_bytes = c->s->size_bytes,
			   .stack = c->value[VALUE_STACK],
			   .direction = c->s->direction};
	bool added;
	struct call *call = calls_add(&c->d->calls, c->s->tid, ev->func, &added);

	if (!call)
		return err_nomem(c->e, "%zu open calls", c->d->calls.n);
	memcpy(now.value, c->value, sizeof(now.value));
	if (!added && !ev->no_exit)
		merge_call(&now, call);
	*call = now;
	return 0;
}

static void take_unknown(int64_t *to, int64_t from)
{
	if (*to == DMA_UNKNOWN)
		*to = from;
}

/* Before the fields are looked at: what the exit's conditions may ask for. */
static const struct call *find_call(struct decoding *c)
{
	const struct meta_event *ev = c->source->meta;
	const struct call *call = calls_find(&c->d->calls, c->s->tid, ev->func);

	if (!call)
		return NULL;
	for (int i = 0; i < FIELD_RET; i++)
		take_unknown(&c->value[i], call->value[i]);
	c->other |= call->other;
	return call;
}

static void use_call(struct decoding *c, const struct call *call)
{
	take_unknown(&c->s->card, call->card);
	take_unknown(&c->s->channel, call->channel);
	take_unknown(&c->s->size_bytes, call->size_bytes);
	if (c->s->direction == DIR_UNKNOWN)
		c->s->direction = call->direction;
}

/* A thunk has a pointer to a part of the object that is the card. */
static void shift_card(struct decoding *c)
{
	const int64_t by[] = {c->source->meta->shift, c->value[VALUE_SHIFT]};
	int64_t *key = &c->value[FIELD_CARD];

	for (int i = 0; i < 2 && *key != DMA_UNKNOWN; i++)
		if (by[i] != DMA_UNKNOWN)
			*key = (int64_t)((uint64_t)*key + (uint64_t)by[i]);
}

/* Is this entry a turn of the loop of the call that is open, and no call? */
static bool jumped_back(const struct decoding *c)
{
	const struct call *open;

	if (c->value[VALUE_STACK] == DMA_UNKNOWN)
		return false;
	open = calls_find(&c->d->calls, c->s->tid, c->source->meta->func);
	return open && open->stack == c->value[VALUE_STACK];
}

/* Channels whose library starts them again and again while they run. */
static int watch_channels(struct decoding *c)
{
	const struct meta_event *ev = c->source->meta;
	struct running now = {.pid = c->rec->pid,
			      .func = ev->func,
			      .card = c->s->card,
			      .channel = c->s->channel};
	int rc;

	if (ev->role == ROLE_STOP && !c->other)
		runnings_stop(&c->d->runnings, c->s->card, c->s->channel);
	if (ev->role != ROLE_SUBMIT || c->other || !ev->restarts)
		return 0;
	memcpy(now.value, c->value, sizeof(now.value));
	rc = runnings_start(&c->d->runnings, &now);
	if (rc < 0)
		return err_nomem(c->e, "%zu channels", c->d->runnings.n);
	c->other |= rc > 0;
	return 0;
}

static int decode_function(struct decoding *c)
{
	const struct meta_event *ev = c->source->meta;
	bool entry =
		ev->role == ROLE_SUBMIT || ev->role == ROLE_WAIT || ev->role == ROLE_STOP;
	bool known = ev->func >= 0 && c->s->tid >= 0;
	const struct call *call = known && !entry ? find_call(c) : NULL;
	int rc;

	if (entry)
		shift_card(c);
	rc = set_fields(c);
	if (rc)
		return rc;
	if (known && entry && !ev->no_exit && jumped_back(c)) {
		c->other = true;
		return 0;
	}
	if (call)
		use_call(c, call);
	if (c->source->when >= 0 && c->value[c->source->when] != DMA_UNKNOWN &&
	    !holds(c, &ev->when, c->source->when))
		c->other = true;
	rc = watch_channels(c);
	if (rc)
		return rc;
	set_bits(c);
	if (call && ev->role != ROLE_DOORBELL)
		calls_drop(&c->d->calls, c->s->tid, ev->func);
	return known && entry ? keep_call(c) : 0;
}

static int decode_register(struct decoding *c)
{
	const struct meta_event *ev = c->source->meta;
	struct sample *s = c->s;

	s->since_ns = c->value[VALUE_SINCE];
	s->ret = c->value[VALUE_VALUE];
	s->bits = c->value[VALUE_BUSY] == 1 ? SAMPLE_BUSY : 0;
	if (c->value[FIELD_CHANNEL] >= 0)
		s->channel = c->value[FIELD_CHANNEL];
	if (s->since_ns == DMA_UNKNOWN || s->since_ns > s->time_ns)
		return err_set(c->e, ERR_FORMAT,
			       "sample at offset %" PRIu64
			       ": a change of register %s does not lie between two "
			       "readings; the file is damaged",
			       c->rec->offset, c->source->name);
	return ev->constant.card == DMA_UNKNOWN
		       ? 0
		       : set_card(c, -1, ev->constant.card, NULL);
}

enum { FLAG_HARDIRQ = 8 }; /* TRACE_FLAG_HARDIRQ of linux/trace_events.h */

/* What the driver did. */
static int decode_driver(struct decoding *c)
{
	const struct meta_event *ev = c->source->meta;
	int rc = set_fields(c);

	if (c->source->when >= 0 && c->value[c->source->when] != DMA_UNKNOWN &&
	    !holds(c, &ev->when, c->source->when))
		c->other = true;
	if (c->value[VALUE_COMMON_FLAGS] != DMA_UNKNOWN &&
	    c->value[VALUE_COMMON_FLAGS] & FLAG_HARDIRQ)
		c->s->bits |= SAMPLE_IN_HANDLER;
	return rc;
}

/* Records that end what is known of open calls. */
static void watch(struct event_decoder *d, const struct perfdata_rec *rec)
{
	int32_t tid;

	switch (rec->type) {
	case PERF_RECORD_LOST:
	case PERF_RECORD_LOST_SAMPLES:
	case PERF_RECORD_THROTTLE:
		calls_clear(&d->calls);
		runnings_end(&d->runnings, -1); /* a stop may be among what was lost */
		break;
	case PERF_RECORD_EXIT:
		if (rec->body_len < 12)
			break;
		memcpy(&tid, (const char *)rec->body + 8, sizeof(tid));
		if (tid == rec->pid)
			runnings_end(&d->runnings, tid);
		for (int32_t f = 0; d->calls.n && f < d->nfunc; f++)
			calls_drop(&d->calls, tid, f);
		break;
	default:
		break;
	}
}

/* The name lies where the entry says; one that does not is damaged, and none. */
static int decode_interrupt(struct decoding *c)
{
	int64_t line = c->value[VALUE_IRQ], where = c->value[VALUE_NAME];
	uint32_t at = where == DMA_UNKNOWN ? 0 : (uint32_t)where & 0xffff;
	uint32_t len = where == DMA_UNKNOWN ? 0 : (uint32_t)where >> 16;
	const char *name = "";

	if (line < 0 || line > INT32_MAX)
		return 1;
	if (len && at + len <= c->rec->raw_len) {
		name = (const char *)c->rec->raw + at;
		len = (uint32_t)strnlen(name, len);
	} else {
		len = 0;
	}
	c->s->irq = c->s->role == ROLE_INTERRUPT
			    ? handlers_entry(c->d->handlers, c->rec->cpu, (int32_t)line,
					     name, len)
			    : handlers_exit(c->d->handlers, c->rec->cpu, (int32_t)line);
	return c->s->irq < 0 ? err_nomem(c->e, "the interrupts") : 1;
}

int event_decode(struct event_decoder *d, const struct perfdata_rec *rec,
		 struct sample *s, struct err *e)
{
	struct decoding c = {.d = d, .rec = rec, .s = s, .e = e};
	int rc;

	if (rec->type != PERF_RECORD_SAMPLE)
		watch(d, rec);
	if (rec->type != PERF_RECORD_SAMPLE || rec->attr < 0 ||
	    (size_t)rec->attr >= d->nsource || !d->source[rec->attr].meta)
		return 0;
	c.source = &d->source[rec->attr];
	rc = rec->raw ? read_values(&c) : 0;
	if (rc)
		return rc;
	for (int i = 0; !rec->raw && i < VALUE_N; i++)
		c.value[i] = DMA_UNKNOWN;
	*s = sample_blank(c.source->meta->role, rec->time_ns);
	s->seq = d->seq++;
	s->cpu = rec->cpu;
	s->pid = rec->pid;
	s->tid = rec->tid;
	s->source = c.source->meta->id;
	if (s->tid < 0 && c.value[VALUE_COMMON_PID] >= 0)
		s->tid = (int32_t)c.value[VALUE_COMMON_PID];
	if (s->role == ROLE_INTERRUPT || s->role == ROLE_HANDLED) {
		s->ret = c.value[FIELD_RET];
		return decode_interrupt(&c);
	}
	if (s->role == ROLE_COUNT) {
		s->ret = c.value[VALUE_VALUE];
		s->enabled_ns = c.value[VALUE_ENABLED];
		s->running_ns = c.value[VALUE_RUNNING];
		return 1;
	}
	if (s->role == ROLE_REGISTER) {
		rc = decode_register(&c);
		return rc ? rc : 1;
	}
	rc = s->role >= ROLE_ASKED ? decode_driver(&c) : decode_function(&c);
	if (c.other)
		s->role = ROLE_OTHER;
	return rc ? rc : 1;
}
