/* SPDX-License-Identifier: GPL-2.0-only */
#include "compare/compare_env.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/db/db.h"
#include "lib/err.h"
#include "lib/num.h"

static int nomem(struct err *e)
{
	return err_nomem(e, "a comparison");
}

void compare_print_text(FILE *out, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		bool c1 = p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0;

		putc(*p < 0x20 || *p == 0x7f || c1 ? '?' : *p, out);
		p += c1;
	}
}

int compare_note(struct compare_env *env, struct err *e, const char *fmt, ...)
{
	char **added = array_add(&env->note, &env->nnote);
	va_list ap;
	int n;

	if (!added)
		return nomem(e);
	va_start(ap, fmt);
	n = vasprintf(added, fmt, ap);
	va_end(ap);
	if (n >= 0)
		return 0;
	env->nnote--;
	return nomem(e);
}

void compare_env_release(struct compare_env *env)
{
	for (size_t i = 0; i < env->n; i++) {
		free(env->property[i].base);
		free(env->property[i].fresh);
	}
	for (size_t i = 0; i < env->nnote; i++)
		free(env->note[i]);
	free(env->property);
	free(env->note);
	*env = (struct compare_env){0};
}

/* ---- properties ---- */

static bool listed(const char *list, const char *value)
{
	size_t len = strlen(value);

	for (const char *p = list; p; p = strstr(p, "; ") ? strstr(p, "; ") + 2 : NULL)
		if (!strncmp(p, value, len) && (!p[len] || !strncmp(p + len, "; ", 2)))
			return true;
	return false;
}

static int append(char **list, const char *value, struct err *e)
{
	char *grown = NULL;

	if (*list && listed(*list, value))
		return 0;
	if (asprintf(&grown, "%s%s%s", *list ? *list : "", *list ? "; " : "", value) < 0)
		return nomem(e);
	free(*list);
	*list = grown;
	return 0;
}

static int values_of(const struct compare_set *s, const char *key, char **out,
		     struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < s->n; i++)
		for (size_t k = 0; !rc && k < s->run[i].nfact; k++) {
			const struct compare_fact *f = &s->run[i].fact[k];

			if (!strcmp(f->key, key) && f->value)
				rc = append(out, f->value, e);
		}
	return rc;
}

static int property_add(struct compare_env *env, const char *key,
			const struct compare_set *base, const struct compare_set *fresh,
			struct err *e)
{
	struct compare_property *p;
	int rc;

	for (size_t i = 0; i < env->n; i++)
		if (!strcmp(env->property[i].key, key))
			return 0;
	p = array_add(&env->property, &env->n);
	if (!p)
		return nomem(e);
	*p = (struct compare_property){.key = key};
	rc = values_of(base, key, &p->base, e);
	rc = rc ? rc : values_of(fresh, key, &p->fresh, e);
	p->differs = (p->base || p->fresh) &&
		     (!p->base || !p->fresh || strcmp(p->base, p->fresh) != 0);
	return rc;
}

static int properties(struct compare_env *env, const struct compare_set *base,
		      const struct compare_set *fresh, struct err *e)
{
	const struct compare_set *set[] = {base, fresh};
	int rc = 0;

	for (int side = 0; side < 2; side++)
		for (size_t i = 0; i < set[side]->n; i++)
			for (size_t k = 0; !rc && k < set[side]->run[i].nfact; k++)
				rc = property_add(env, set[side]->run[i].fact[k].key,
						  base, fresh, e);
	return rc;
}

/* ---- figures of the recordings that are no text in the database ---- */

static int number_add(struct compare_env *env, const char *key, char *base, char *fresh,
		      bool differs, struct err *e)
{
	struct compare_property *added =
		base && fresh ? array_add(&env->property, &env->n) : NULL;

	if (!added) {
		free(base);
		free(fresh);
		return nomem(e);
	}
	if (!*base) {
		free(base);
		base = NULL;
	}
	if (!*fresh) {
		free(fresh);
		fresh = NULL;
	}
	*added = (struct compare_property){key, base, fresh, differs};
	return 0;
}

/* Mean cost of a probe's hit over the recordings that have it; NAN = none. */
static double hit_cost(const struct compare_set *s)
{
	double sum = 0, n = 0;

	for (size_t i = 0; i < s->n; i++)
		if (s->run[i].probe_cost_ns != DMA_UNKNOWN) {
			sum += (double)s->run[i].probe_cost_ns;
			n++;
		}
	return n > 0 ? sum / n : NAN;
}

static char *cost_text(double ns)
{
	char buf[32] = "";

	return strdup(isnan(ns) ? "" : num_print_ns(buf, (int64_t)ns));
}

static int64_t lost_of(const struct compare_set *s, int64_t *events, bool *known)
{
	int64_t lost = 0;

	*events = 0;
	*known = true;
	for (size_t i = 0; i < s->n; i++) {
		lost += s->run[i].lost;
		*events += s->run[i].events + s->run[i].lost;
		*known &= !s->run[i].whole_unknown;
	}
	return lost;
}

static char *loss_text(const struct compare_set *s)
{
	int64_t events, lost;
	bool known;
	char *text = NULL;

	lost = lost_of(s, &events, &known);
	if (!known && !lost)
		return strdup("");
	return asprintf(&text, "%" PRId64 " of %" PRId64, lost, events) < 0 ? NULL : text;
}

/* The measured cost scatters by some percent: another one is one and a quarter as
 * much. */
static int numbers(struct compare_env *env, const struct compare_set *base,
		   const struct compare_set *fresh, struct err *e)
{
	double b = hit_cost(base), f = hit_cost(fresh);
	int64_t all_b, all_f, lost_b, lost_f;
	bool known;
	int rc = number_add(env, "cost of a probe hit", cost_text(b), cost_text(f),
			    isnan(b) != isnan(f) || f > 1.25 * b || b > 1.25 * f, e);

	lost_b = lost_of(base, &all_b, &known);
	lost_f = lost_of(fresh, &all_f, &known);
	return rc ? rc
		  : number_add(env, "events lost", loss_text(base), loss_text(fresh),
			       lost_b || lost_f, e);
}

/* ---- sentences ---- */

static const char *run_name(const struct compare_run *r, char *buf, size_t len)
{
	snprintf(buf, len, "%s, run %" PRId64, db_path(r->db), r->id);
	return buf;
}

static int note_run(struct compare_env *env, const struct compare_run *r, struct err *e)
{
	char name[300];
	int rc = 0;

	run_name(r, name, sizeof(name));
	if (!r->finished)
		rc = compare_note(env, e,
				  "%s: the recorder did not end the file itself; the end "
				  "of the run is missing",
				  name);
	if (!rc && r->lost > 0)
		rc = compare_note(env, e, "%s: %" PRId64 " event%s (%.2g %%) %s lost",
				  name, r->lost, r->lost == 1 ? "" : "s",
				  100.0 * (double)r->lost / (double)(r->lost + r->events),
				  r->lost == 1 ? "was" : "were");
	else if (!rc && r->whole_unknown)
		rc = compare_note(env, e,
				  "%s: holds no counts of its events; whether it is "
				  "whole cannot be told",
				  name);
	if (!rc && !r->clock)
		rc = compare_note(env, e, "%s: its clock is not known", name);
	return rc;
}

static int note_same_run(struct compare_env *env, const struct compare_set *base,
			 const struct compare_set *fresh, struct err *e)
{
	char name[300];

	for (size_t i = 0; i < base->n; i++)
		for (size_t k = 0; k < fresh->n; k++)
			if (base->run[i].uuid && fresh->run[k].uuid &&
			    !strcmp(base->run[i].uuid, fresh->run[k].uuid))
				return compare_note(
					env, e,
					"the same recording stands on both sides (%s)",
					run_name(&base->run[i], name, sizeof(name)));
	return 0;
}

static const struct compare_property *property(const struct compare_env *env,
					       const char *key)
{
	for (size_t i = 0; i < env->n; i++)
		if (!strcmp(env->property[i].key, key))
			return &env->property[i];
	return NULL;
}

static int note_differing(struct compare_env *env, const char *key, const char *what,
			  struct err *e)
{
	const struct compare_property *p = property(env, key);

	if (!p || !p->differs)
		return 0;
	return compare_note(env, e, "%s (base: %s; new: %s)", what,
			    p->base ? p->base : "not known",
			    p->fresh ? p->fresh : "not known");
}

/* One clock on each side, the same; not known is a sentence, not a refusal. */
static int check_clocks(const struct compare_env *env, struct err *e)
{
	const struct compare_property *p = property(env, "clock");

	if (!p || !p->base || !p->fresh || (!p->differs && !strstr(p->base, "; ")))
		return 0;
	return err_set(e, ERR_UNSUPPORTED,
		       "times of different clocks are not compared (base: %s; new: %s); "
		       "record both sides with the same --clock",
		       p->base, p->fresh);
}

int compare_env_init(struct compare_env *env, const struct compare_set *base,
		     const struct compare_set *fresh, struct err *e)
{
	int rc;

	*env = (struct compare_env){0};
	rc = properties(env, base, fresh, e);
	rc = rc ? rc : numbers(env, base, fresh, e);
	rc = rc ? rc : check_clocks(env, e);
	rc = rc ? rc : note_same_run(env, base, fresh, e);
	for (size_t i = 0; !rc && i < base->n; i++)
		rc = note_run(env, &base->run[i], e);
	for (size_t i = 0; !rc && i < fresh->n; i++)
		rc = note_run(env, &fresh->run[i], e);
	rc = rc ? rc
		: note_differing(env, "pairing",
				 "interrupts were joined with transfers in other ways",
				 e);
	rc = rc ? rc
		: note_differing(env, "roles of events",
				 "the roles of events were guessed on a side", e);
	if (rc)
		compare_env_release(env);
	return rc;
}

/* ---- the phase ---- */

static bool all_device(const struct compare_set *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->run[i].latency != PHASE_DEVICE)
			return false;
	return true;
}

/* Does every doorbell come from the same kind of evidence? */
static bool same_doorbell(const struct compare_set *base, const struct compare_set *fresh)
{
	const struct compare_set *set[] = {base, fresh};
	const char *first = base->run[0].doorbell;

	for (int side = 0; side < 2; side++)
		for (size_t i = 0; i < set[side]->n; i++) {
			const char *d = set[side]->run[i].doorbell;

			if (!d != !first || (d && strcmp(d, first) != 0))
				return false;
		}
	return true;
}

int compare_phases(unsigned wanted, const struct compare_set *base,
		   const struct compare_set *fresh, struct compare_env *env,
		   unsigned *out, struct err *e)
{
	bool doorbell = same_doorbell(base, fresh);
	bool b = all_device(base), f = all_device(fresh);

	*out = wanted ? wanted : 1u << PHASE_TOTAL;
	if (!wanted && doorbell && b && f)
		*out |= 1u << PHASE_DEVICE;
	if (!doorbell &&
	    wanted & (1u << PHASE_DEVICE | 1u << PHASE_API | 1u << PHASE_CARD))
		return err_set(
			e, ERR_UNSUPPORTED,
			"the %s phase is not the same on both sides: the doorbell "
			"was seen in other ways (a store in one run, the start "
			"function's exit or the driver's events in another); compare "
			"with --metric total",
			wanted & 1u << PHASE_DEVICE ? "device"
			: wanted & 1u << PHASE_API  ? "api"
						    : "card");
	if (!wanted && b && f && !doorbell)
		return compare_note(env, e,
				    "only total times are compared: device "
				    "times begin at other points, because "
				    "the doorbell was seen in other ways");
	if (!wanted && b != f)
		return compare_note(env, e,
				    "only total times are compared: one side's latency "
				    "is not the device time");
	return 0;
}

void compare_set_print(const struct compare_set *s, FILE *out)
{
	fprintf(out, "%s, run%s ", s->n ? db_path(s->run[0].db) : "?",
		s->n == 1 ? "" : "s");
	for (size_t i = 0; i < s->n; i++)
		fprintf(out, "%s%" PRId64, i ? ", " : "", s->run[i].id);
	if (s->n == 1 && s->run[0].label) {
		fputs(" (", out);
		compare_print_text(out, s->run[0].label);
		putc(')', out);
	}
}
