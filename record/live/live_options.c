/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/err.h"
#include "lib/num.h"
#include "record/live/live.h"

/* Behind those of dmarec.c. */
enum {
	KEY_LIVE = 1024,
	KEY_LIVE_OUTPUT,
	KEY_STOP_IF,
	KEY_KEEP,
	KEY_ON_TRIGGER,
	KEY_SNAPSHOTS
};

static const struct argp_option table[] = {
	{0, 0, 0, 0, "While it records:", 6},
	{"live", KEY_LIVE, "TIME|json", OPTION_ARG_OPTIONAL,
	 "Show what is recorded, every second or TIME; as JSON: json, or json,TIME", 6},
	{"live-output", KEY_LIVE_OUTPUT, "FILE", 0,
	 "Where --live writes (standard error; JSON: standard output)", 6},
	{"stop-if", KEY_STOP_IF, "EXPR", 0,
	 "End the recording when this happens: 'device > 1ms', missing, late, "
	 "'in_flight > 64', 'gap > 10s'",
	 6},
	{"on-trigger", KEY_ON_TRIGGER, "COMMAND", 0,
	 "Run this when --stop-if has ended the recording and its file is written", 6},
	{"keep", KEY_KEEP, "TIME|SIZE", 0, "Write only what came last: 10s, or 64M", 6},
	{"snapshots", KEY_SNAPSHOTS, "N", 0,
	 "With --stop-if and --keep: go on, and keep snapshots of the N worst", 6},
	{0}};

enum { MOST_SNAPSHOTS = 1000 };

static void parse_live(struct argp_state *state, struct live_options *o, char *arg)
{
	struct err e = {0};
	char *save = NULL;

	o->shown = true;
	if (arg && !*arg)
		argp_error(state, "--live: the value is empty");
	for (char *w = arg ? strtok_r(arg, ",", &save) : NULL; w;
	     w = strtok_r(NULL, ",", &save)) {
		if (!strcmp(w, "json"))
			o->how = LIVE_JSON;
		else if (num_duration_ns(w, 100000000, INT64_C(86400000000000),
					 &o->interval_ns, &e))
			argp_error(state, "--live: %s; expected json or an interval",
				   e.text);
	}
}

/* "10s" is a time; "10M" and "10" are sizes. */
static void parse_keep(struct argp_state *state, struct live_options *o, const char *arg)
{
	size_t len = strlen(arg);
	int64_t v = 0;
	struct err e = {0};

	o->keep_ns = 0;
	o->keep_bytes = 0;
	if (len && (arg[len - 1] == 's' || arg[len - 1] == 'h' || arg[len - 1] == 'n')) {
		if (num_duration_ns(arg, 1000000, INT64_C(86400000000000), &o->keep_ns,
				    &e))
			argp_error(state, "--keep: %s", e.text);
		return;
	}
	if (num_bytes(arg, 65536, (int64_t)1 << 36, &v, &e))
		argp_error(state, "--keep: %s; expected a time (10s) or a size (64M)",
			   e.text);
	o->keep_bytes = (uint64_t)v;
}

static void add_rule(struct argp_state *state, struct live_options *o, const char *arg)
{
	struct err e = {0};
	struct rule *r = array_add(&o->rule, &o->nrule);

	if (!r)
		exit(EXIT_FAILURE);
	if (rule_parse(arg, r, &e))
		argp_error(state, "--stop-if %s", e.text);
}

/* The worst are told apart by what became of a transfer. */
static void check_snapshots(struct argp_state *state, const struct live_options *o)
{
	bool orders = o->nrule > 0;

	for (size_t i = 0; i < o->nrule; i++)
		orders &= o->rule[i].what == RULE_PHASE || o->rule[i].what == RULE_STATE;
	if (!orders)
		argp_error(state, "--snapshots are of transfers that --stop-if tells: a "
				  "phase against a time, missing, late, unknown, failed "
				  "or aborted");
	if (!o->keep_ns && !o->keep_bytes)
		argp_error(state, "--snapshots are of what --keep holds: say how much");
	if (o->on_trigger)
		argp_error(state, "--on-trigger is run when --stop-if has ended the "
				  "recording, which --snapshots lets go on");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct live_options *o = state->input;
	struct err e = {0};

	switch (key) {
	case KEY_LIVE:
		parse_live(state, o, arg);
		return 0;
	case KEY_LIVE_OUTPUT:
		if (!*arg)
			argp_error(state, "--live-output: the value is empty");
		o->output = arg;
		return 0;
	case KEY_ON_TRIGGER:
		if (!*arg)
			argp_error(state, "--on-trigger: the value is empty");
		o->on_trigger = arg;
		return 0;
	case KEY_KEEP:
		parse_keep(state, o, arg);
		return 0;
	case KEY_STOP_IF:
		add_rule(state, o, arg);
		return 0;
	case KEY_SNAPSHOTS:
		if (num_i64(arg, 1, MOST_SNAPSHOTS, &o->snapshots, &e))
			argp_error(state, "--snapshots: %s", e.text);
		return 0;
	case ARGP_KEY_END:
		if (o->output && !o->shown)
			argp_error(state, "--live-output is where --live writes: say "
					  "--live as well");
		if (o->on_trigger && !o->nrule)
			argp_error(state,
				   "--on-trigger waits for --stop-if: say what for");
		if (o->snapshots)
			check_snapshots(state, o);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp live_argp = {table, parse, NULL, NULL, NULL, NULL, NULL};

void live_options_release(struct live_options *o)
{
	free(o->rule);
	o->rule = NULL;
}

bool live_wanted(const struct live_options *o)
{
	return o->shown || o->nrule;
}
