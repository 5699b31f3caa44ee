/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/live/rule.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "lib/err.h"
#include "lib/num.h"
#include "record/live/tally.h"

static const struct word {
	const char *name;
	enum rule_what what;
	int detail; /* phase or state */
} words[] = {
	{"api", RULE_PHASE, PHASE_API},
	{"device", RULE_PHASE, PHASE_DEVICE},
	{"notice", RULE_PHASE, PHASE_NOTICE},
	{"total", RULE_PHASE, PHASE_TOTAL},
	{"missing", RULE_STATE, STATE_NO_INTERRUPT},
	{"late", RULE_STATE, STATE_LATE},
	{"unknown", RULE_STATE, STATE_UNKNOWN},
	{"failed", RULE_STATE, STATE_FAILED},
	{"aborted", RULE_STATE, STATE_ABORTED},
	{"lost", RULE_LOST, 0},
	{"in_flight", RULE_IN_FLIGHT, 0},
	{"gap", RULE_GAP, 0},
};

static const char *skip_space(const char *p)
{
	while (isspace((unsigned char)*p))
		p++;
	return p;
}

static int is_wrong(const char *text, const char *why, struct err *e)
{
	return err_set(e, ERR_USAGE,
		       "'%s': %s; expected a phase against a time (device > 1ms, also "
		       "api, notice, total), missing, late, unknown, failed, aborted, "
		       "lost, 'in_flight > 64' or 'gap > 10s'",
		       text, why);
}

static int parse_value(const char *text, const char *value, struct rule *r, struct err *e)
{
	struct err why = {0};
	int rc = r->what == RULE_IN_FLIGHT
			 ? num_i64(value, 0, INT32_MAX, &r->value, &why)
			 : num_duration_ns(value, 0, INT64_MAX / 4, &r->value, &why);

	return rc ? is_wrong(text, why.text, e) : 0;
}

int rule_parse(const char *text, struct rule *r, struct err *e)
{
	const char *p = skip_space(text);
	size_t len = strspn(p, "abcdefghijklmnopqrstuvwxyz_");
	const struct word *w = NULL;
	char value[64];
	bool compares;

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strlen(words[i].name) == len && !strncmp(words[i].name, p, len))
			w = &words[i];
	if (!w)
		return is_wrong(text, "no such word", e);
	*r = (struct rule){.what = w->what,
			   .phase = (enum phase)w->detail,
			   .state = (enum transfer_state)w->detail,
			   .text = text};
	compares = w->what != RULE_STATE && w->what != RULE_LOST;
	p = skip_space(p + len);
	if (!compares)
		return *p ? is_wrong(text, "it stands alone", e) : 0;
	if (*p != '>' && *p != '<')
		return is_wrong(text, "'>' or '<' and a value are missing", e);
	r->below = *p == '<';
	if (r->below && w->what != RULE_PHASE)
		return is_wrong(text, "only a phase can be too short", e);
	snprintf(value, sizeof(value), "%s", skip_space(p + 1));
	for (len = strlen(value); len && isspace((unsigned char)value[len - 1]);)
		value[--len] = '\0';
	return parse_value(text, value, r, e);
}

bool rule_holds(const struct rule *r, const struct transfer *t, const struct row *row)
{
	int64_t ns;

	switch (r->what) {
	case RULE_PHASE:
		ns = transfer_phase_ns(t, r->phase);
		return ns != DMA_UNKNOWN && (r->below ? ns < r->value : ns > r->value);
	case RULE_STATE:
		return t->state == r->state;
	case RULE_IN_FLIGHT:
		return row->in_flight > (uint64_t)r->value;
	default:
		return false;
	}
}

int64_t rule_worth(const struct rule *r, const struct transfer *t)
{
	int64_t ns = transfer_phase_ns(t, r->what == RULE_PHASE ? r->phase : PHASE_TOTAL);

	return ns == DMA_UNKNOWN ? 0 : r->below ? -ns : ns;
}
