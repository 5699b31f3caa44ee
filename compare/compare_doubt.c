/* SPDX-License-Identifier: GPL-2.0-only */
/* After the judgement: what the figures themselves raise, and what else than the card or the
 * program explains a verdict. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compare/compare_env.h"
#include "lib/num.h"

static int note_thinned(struct compare_env *env, const struct comparison *c,
			struct err *e)
{
	uint64_t met = 0, kept = 0;

	for (size_t i = 0; i < c->n; i++) {
		met += side_met(&c->group[i].base) + side_met(&c->group[i].fresh);
		kept += side_kept(&c->group[i].base) + side_kept(&c->group[i].fresh);
	}
	if (met == kept)
		return 0;
	return compare_note(env, e,
			    "statistics stand on %" PRIu64 " of %" PRIu64
			    " values: of a group and recording at most %d are kept, in "
			    "whole stretches of %d",
			    kept, met, COMPARE_KEEP, COMPARE_STRETCH);
}

struct sizes {
	double mean, se2; /* bytes; squared standard error of the mean; NAN = none */
};

static struct sizes sizes_of(const struct group_side *s)
{
	double bytes = 0, squares = 0, n = 0, mean;

	for (size_t i = 0; i < s->nrun; i++) {
		bytes += (double)s->run[i].bytes;
		squares += s->run[i].bytes_squared;
		n += (double)s->run[i].sized;
	}
	if (!(n > 0))
		return (struct sizes){NAN, NAN};
	mean = bytes / n;
	return (struct sizes){mean, fmax(squares / n - mean * mean, 0) / n};
}

/* A group whose transfers are larger on one side is slower for that reason. By 2 % and
 * four standard errors: random sizes differ by chance. */
static int note_sizes(struct compare_env *env, const struct compare_group *g,
		      struct err *e)
{
	struct sizes b = sizes_of(&g->base), f = sizes_of(&g->fresh);
	double d = f.mean - b.mean;
	char name[128], from[32], to[32];

	if (!(b.mean > 0) || !(f.mean > 0) || fabs(d) < 0.02 * b.mean ||
	    d * d < 16 * (b.se2 + f.se2))
		return 0;
	return compare_note(env, e,
			    "%s: sizes differ, %s on average against %s; --by with "
			    "size compares like with like",
			    group_name(&g->key, name, sizeof(name)),
			    num_print_bytes(from, (int64_t)b.mean),
			    num_print_bytes(to, (int64_t)f.mean));
}

/* Mean over the recordings that have it; NAN = none. */
static double probe_cost(const struct compare_set *s, enum phase p)
{
	double sum = 0, n = 0;

	for (size_t i = 0; i < s->n; i++)
		if (s->run[i].error_ns[p] != DMA_UNKNOWN) {
			sum += (double)s->run[i].error_ns[p];
			n++;
		}
	return n > 0 ? sum / n : NAN;
}

/* The measured cost scatters by some percent: below a quarter it is no news. */
static void explain_by_probes(struct compare_group *g, double base, double fresh,
			      const struct compare_options *o)
{
	if (fresh > 1.25 * base || base > 1.25 * fresh)
		comparison_explain(g, fresh - base, "the probes themselves add", o);
}

/* What makes every transfer slower or faster, and is rarely what is tried: clock of the
 * CPUs and their number, the link, where interrupts are handled. */
static bool explains(const struct compare_property *p, const char *const *despite,
		     size_t ndespite)
{
	static const char *const key[] = {"CPUs", "governor", "link_speed", "link_width",
					  "affinity"};
	bool does = false;

	if (!p->differs || !p->base || !p->fresh)
		return false;
	for (size_t i = 0; i < sizeof(key) / sizeof(*key); i++)
		does |= !strncmp(p->key, key[i], strlen(key[i]));
	for (size_t i = 0; i < ndespite; i++)
		does &= strncmp(p->key, despite[i], strlen(despite[i])) != 0;
	return does;
}

static void explain_by_environment(struct compare_group *g, const struct compare_env *env,
				   const struct compare_doubt *doubt)
{
	double d = g->judged.diff.value / fabs(g->judged.base.value);

	if (g->verdict != COMPARE_SLOWER && g->verdict != COMPARE_FASTER)
		return;
	for (size_t i = 0; i < env->n; i++) {
		const struct compare_property *p = &env->property[i];

		if (!explains(p, doubt->despite, doubt->ndespite))
			continue;
		g->verdict = COMPARE_CANNOT_TELL;
		g->needed = NAN;
		snprintf(g->why, sizeof(g->why),
			 "%+.1f %%, but %.40s is not the same, which may be why "
			 "(--despite %.*s judges all the same)",
			 100 * d, p->key, (int)strcspn(p->key, ". "), p->key);
		return;
	}
}

int compare_doubts(struct compare_env *env, struct comparison *c,
		   const struct compare_doubt *doubt, struct err *e)
{
	int rc = note_thinned(env, c, e);

	for (size_t i = 0; !rc && i < c->n; i++) {
		struct compare_group *g = &c->group[i];
		enum phase p = g->key.phase;

		if (p == c->group[0].key.phase) /* once for all phases */
			rc = note_sizes(env, g, e);
		explain_by_probes(g, probe_cost(doubt->base, p),
				  probe_cost(doubt->fresh, p), doubt->o);
		explain_by_environment(g, env, doubt);
	}
	return rc;
}
