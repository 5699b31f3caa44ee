/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/watch/watch_ask.h"

#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/err.h"
#include "lib/num.h"
#include "record/profile/profile.h"

int watch_ask_register(struct watch_ask *a, const char *text, struct err *e)
{
	struct register_spec *r = array_add(&a->reg, &a->n);

	if (!r)
		return err_nomem(e, "a register");
	register_init(r);
	return register_parse(r, text, e);
}

int watch_ask_mode(struct watch_ask *a, const char *text, struct err *e)
{
	return watch_mode_parse(text, &a->mode, &a->every_ns, e);
}

int watch_ask_cpu(struct watch_ask *a, const char *text, struct err *e)
{
	static const char fifo[] = ",fifo";
	const char *comma = strchr(text, ',');
	char number[16];
	int64_t cpu;

	snprintf(number, sizeof(number), "%.*s",
		 comma ? (int)(comma - text) : (int)sizeof(number) - 1, text);
	if ((comma && strcmp(comma, fifo) != 0) ||
	    num_i64(number, 0, CPU_SETSIZE - 1, &cpu, NULL))
		return err_set(
			e, ERR_USAGE,
			"'%s': expected the number of a CPU, or with SCHED_FIFO such "
			"as 3,fifo",
			text);
	a->cpu = (int)cpu;
	a->placed = true;
	a->fifo = comma != NULL;
	return 0;
}

void watch_ask_release(struct watch_ask *a)
{
	for (size_t i = 0; i < a->n; i++)
		register_release(&a->reg[i]);
	free(a->reg);
	*a = (struct watch_ask){.n = 0};
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

static int add_copy(struct watch_ask *a, const struct register_spec *from, struct err *e)
{
	struct register_spec *r = array_add(&a->reg, &a->n);

	if (!r)
		return err_nomem(e, "a register");
	*r = *from;
	r->name = copy(from->name);
	r->bdf = copy(from->bdf);
	r->file = copy(from->file);
	r->busy_text = copy(from->busy_text);
	return r->name && r->busy_text && !r->bdf == !from->bdf && !r->file == !from->file
		       ? 0
		       : err_nomem(e, "a register");
}

/* Of the profile, where no option names one. */
static int take_profile(struct watch_ask *a, const struct profile *p, struct err *e)
{
	int rc = 0;

	if (a->n || !(a->wanted || p->watch != WATCH_NO))
		return 0;
	if (!p->nreg)
		return err_set(e, ERR_USAGE,
			       "profile %s has no [register] to watch; name one: --watch "
			       "BDF:BAR+OFFSET:WIDTH",
			       p->name ? p->name : "?");
	for (size_t i = 0; !rc && i < p->nreg; i++)
		rc = add_copy(a, &p->reg[i], e);
	return rc;
}

int watch_ask_options(struct watch_ask *a, const struct profile *p, const char *named,
		      struct watch_options *o, struct err *e)
{
	int rc = take_profile(a, p, e);

	if (!rc && a->n)
		rc = watch_find_card(a->reg, a->n, "", p, named, e);
	*o = (struct watch_options){.root = "",
				    .reg = a->reg,
				    .n = a->n,
				    .mode = WATCH_ALWAYS,
				    .cpu = a->placed ? a->cpu : -1,
				    .fifo = a->fifo};
	if (a->mode != WATCH_NO) {
		o->mode = a->mode;
		o->every_ns = a->every_ns;
	} else if (p->watch != WATCH_NO) {
		o->mode = p->watch;
		o->every_ns = p->watch_every_ns;
	}
	return rc;
}

void watch_ask_print(const struct watch_options *o, FILE *out)
{
	char mode[64];

	for (size_t i = 0; i < o->n; i++) {
		const struct register_spec *r = &o->reg[i];

		fprintf(out, "register %s: ", r->name);
		if (r->file)
			fputs(r->file, out);
		else
			fprintf(out, "BAR %d of %s", r->bar, r->bdf);
		fprintf(out, " + 0x%" PRIx64 ", %d bits, busy: %s, read %s\n", r->offset,
			r->width, r->busy_text,
			watch_mode_print(o->mode, o->every_ns, mode));
	}
}
