/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What dmarec knows, in memory: life cycle, conditions. Its text is in
 * meta_text.c.
 */
#include "lib/file/meta.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/err.h"
#include "lib/field.h"
#include "lib/num.h"

/* ---- conditions ---- */

static const struct {
	char text[3];
	enum compare_op op;
} operators[] = {
	{"==", OP_EQ}, {"!=", OP_NE}, {"<", OP_LT}, {">", OP_GT}, {"&", OP_AND},
};

/* No synonyms: the file has the names only. */
static bool known_field(const char *word, size_t len)
{
	for (int f = 0; f < FIELD_N; f++) {
		const char *name = field_name((enum field)f);

		if (strlen(name) == len && !memcmp(name, word, len))
			return true;
	}
	return false;
}

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t");
}

static enum compare_op parse_operator(const char **at)
{
	for (size_t i = 0; i < sizeof(operators) / sizeof(*operators); i++) {
		size_t len = strlen(operators[i].text);

		if (!strncmp(*at, operators[i].text, len)) {
			*at += len;
			return operators[i].op;
		}
	}
	return OP_NONE;
}

static int parse_operand(const char *text, struct condition *c)
{
	if (!known_field(text, strlen(text)) || strlen(text) >= sizeof(c->other))
		return num_i64(text, INT64_MIN, INT64_MAX, &c->value, NULL);
	memcpy(c->other, text, strlen(text) + 1);
	return 0;
}

int condition_parse(const char *text, struct condition *c, struct err *e)
{
	const char *field = skip_blanks(text), *at = field;
	size_t len;

	*c = (struct condition){.op = OP_NONE};
	while (islower((unsigned char)*at))
		at++;
	len = (size_t)(at - field);
	if (len >= sizeof(c->field) || !known_field(field, len))
		return err_set(e, ERR_USAGE,
			       "'%s': a condition begins with card, channel, "
			       "size, addr, flags, ret, mode, direction, fd or asked",
			       text);
	memcpy(c->field, field, len);
	at = skip_blanks(at);
	c->op = parse_operator(&at);
	at = skip_blanks(at);
	if (c->op == OP_NONE || parse_operand(at, c)) {
		*c = (struct condition){.op = OP_NONE};
		return err_set(e, ERR_USAGE,
			       "'%s': behind the field of a condition come ==, "
			       "!=, <, > or & and a number (such as ret<0) or a field "
			       "(ret<asked)",
			       text);
	}
	return 0;
}

const char *condition_print(const struct condition *c, char buf[64])
{
	const char *op = "";

	for (size_t i = 0; i < sizeof(operators) / sizeof(*operators); i++)
		if (operators[i].op == c->op)
			op = operators[i].text;
	if (c->op == OP_NONE)
		buf[0] = 0;
	else if (*c->other)
		snprintf(buf, 64, "%.15s%.2s%.15s", c->field, op, c->other);
	else
		snprintf(buf, 64, "%s%s%" PRId64, c->field, op, c->value);
	return buf;
}

bool condition_holds(const struct condition *c, int64_t value, int64_t other)
{
	int64_t against = *c->other ? other : c->value;

	switch (c->op) {
	case OP_EQ:
		return value == against;
	case OP_NE:
		return value != against;
	case OP_LT:
		return value < against;
	case OP_GT:
		return value > against;
	case OP_AND:
		return value & against;
	default:
		return true;
	}
}

/* ---- life cycle ---- */

void meta_init(struct meta *m)
{
	*m = (struct meta){
		.begin_ns = DMA_UNKNOWN,
		.end_ns = DMA_UNKNOWN,
		.part = DMA_UNKNOWN,
		.begin_wall_ns = DMA_UNKNOWN,
		.workload_pid = -1,
		.exit_status = -1,
		.exit_signal = -1,
		.uprobe_cost_ns = DMA_UNKNOWN,
		.irq_cost_ns = DMA_UNKNOWN,
		.process_cost_ns = DMA_UNKNOWN,
	};
}

static void release_events(struct meta *m)
{
	for (size_t i = 0; i < m->nevent; i++) {
		struct meta_event *ev = &m->event[i];

		for (size_t j = 0; j < ev->npath; j++)
			free(ev->path[j].pattern);
		free(ev->path);
		free(ev->name);
		free(ev->function);
		free(ev->armed);
		free(ev->places);
		free(ev->file);
	}
	free(m->event);
}

static void release_irqs(struct meta *m)
{
	for (size_t i = 0; i < m->nirq; i++) {
		free(m->irq[i].name);
		free(m->irq[i].chip);
		free(m->irq[i].bdf);
		free(m->irq[i].affinity_before);
		free(m->irq[i].affinity_after);
	}
	free(m->irq);
}

static void release_pairs(struct meta_pair *pair, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(pair[i].name);
		free(pair[i].before);
		free(pair[i].after);
	}
	free(pair);
}

void meta_release(struct meta *m)
{
	free(m->uuid);
	free(m->label);
	free(m->command);
	free(m->profile);
	free(m->tool);
	free(m->clock);
	free(m->irq_feed);
	release_events(m);
	release_irqs(m);
	release_pairs(m->counter, m->ncounter);
	release_pairs(m->env, m->nenv);
	for (size_t i = 0; i < m->nfd; i++)
		free(m->fd[i].path);
	free(m->fd);
	for (size_t i = 0; i < m->nreg; i++) {
		free(m->reg[i].bdf);
		free(m->reg[i].file);
		free(m->reg[i].busy);
		free(m->reg[i].mode);
		free(m->reg[i].ended);
	}
	free(m->reg);
	for (size_t i = 0; i < m->ncount; i++) {
		free(m->count[i].text);
		free(m->count[i].unit);
		free(m->count[i].scale);
	}
	free(m->count);
	for (size_t i = 0; i < m->nwarning; i++)
		free(m->warning[i]);
	free(m->warning);
	meta_init(m);
}

struct meta_count *meta_add_count(struct meta *m)
{
	struct meta_count *c = array_add(&m->count, &m->ncount);

	if (c)
		*c = (struct meta_count){.event = -1, .cpus = -1};
	return c;
}

struct meta_register *meta_add_register(struct meta *m)
{
	struct meta_register *r = array_add(&m->reg, &m->nreg);

	if (r)
		*r = (struct meta_register){.event = -1,
					    .cpu = -1,
					    .offset = DMA_UNKNOWN,
					    .channel = DMA_UNKNOWN,
					    .channels = DMA_UNKNOWN,
					    .link_bytes_per_s = DMA_UNKNOWN,
					    .readings = DMA_UNKNOWN,
					    .read_min_ns = DMA_UNKNOWN,
					    .read_median_ns = DMA_UNKNOWN,
					    .read_p99_ns = DMA_UNKNOWN,
					    .read_max_ns = DMA_UNKNOWN,
					    .gap_ns = DMA_UNKNOWN,
					    .watched_ns = DMA_UNKNOWN};
	return r;
}

bool meta_from_start(const struct meta *m)
{
	for (size_t i = 0; i < m->nevent; i++)
		if (m->event[i].late && m->event[i].role != ROLE_OTHER)
			return false;
	return m->from_start;
}

struct meta_event *meta_add_event(struct meta *m)
{
	struct meta_event *ev = array_add(&m->event, &m->nevent);

	if (!ev)
		return NULL;
	ev->id = (int32_t)m->nevent - 1;
	ev->attr = -1;
	ev->func = -1;
	ev->constant = (struct meta_const){DMA_UNKNOWN, DMA_UNKNOWN, DMA_UNKNOWN};
	ev->shift = DMA_UNKNOWN;
	ev->counted = ev->delivered = DMA_UNKNOWN;
	return ev;
}

struct meta_irq *meta_add_irq(struct meta *m)
{
	struct meta_irq *irq = array_add(&m->irq, &m->nirq);

	if (!irq)
		return NULL;
	irq->irq = irq->vector = irq->masked = -1;
	irq->count_before = irq->count_after = irq->completes_channel = DMA_UNKNOWN;
	return irq;
}

struct meta_irq *meta_find_irq(struct meta *m, int irq)
{
	for (size_t i = 0; i < m->nirq; i++)
		if (m->irq[i].irq == irq)
			return &m->irq[i];
	return NULL;
}

struct meta_pair *meta_add_counter(struct meta *m)
{
	return array_add(&m->counter, &m->ncounter);
}

struct meta_pair *meta_add_env(struct meta *m)
{
	return array_add(&m->env, &m->nenv);
}

struct meta_fd *meta_add_fd(struct meta *m)
{
	struct meta_fd *fd = array_add(&m->fd, &m->nfd);

	if (!fd)
		return NULL;
	fd->pid = fd->fd = -1;
	fd->from_ns = DMA_UNKNOWN;
	return fd;
}

struct meta_path *meta_add_path(struct meta_event *ev)
{
	return array_add(&ev->path, &ev->npath);
}

int meta_add_warning(struct meta *m, const char *text)
{
	char **slot = array_add(&m->warning, &m->nwarning);

	if (slot)
		*slot = strdup(text);
	if (slot && !*slot)
		m->nwarning--;
	return slot && *slot ? 0 : ERR_NOMEM;
}
