/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/dma.h"

#include <stddef.h>
#include <string.h>

static const char *const role_names[ROLE_N] = {
	[ROLE_OTHER] = "other",		[ROLE_SUBMIT] = "submit",
	[ROLE_DOORBELL] = "doorbell",	[ROLE_STARTED] = "started",
	[ROLE_INTERRUPT] = "interrupt", [ROLE_HANDLED] = "handled",
	[ROLE_WAIT] = "wait",		[ROLE_WOKEN] = "woken",
	[ROLE_STOP] = "stop",		[ROLE_REGISTER] = "register",
	[ROLE_COUNT] = "count",		[ROLE_ASKED] = "asked",
	[ROLE_ISSUED] = "issued",	[ROLE_ENDED] = "ended",
};

static const char *const direction_names[DIR_N] = {
	[DIR_UNKNOWN] = "unknown",
	[DIR_TO_HOST] = "to_host",
	[DIR_FROM_HOST] = "from_host",
};

static const char *const state_names[STATE_N] = {
	[STATE_UNKNOWN] = "unknown",   [STATE_COMPLETE] = "complete",
	[STATE_POLLED] = "polled",     [STATE_NO_INTERRUPT] = "no_interrupt",
	[STATE_LATE] = "late",	       [STATE_ABORTED] = "aborted",
	[STATE_FAILED] = "failed",     [STATE_IN_FLIGHT] = "in_flight",
	[STATE_CIRCULAR] = "circular",
};

static const char *const phase_names[PHASE_ALL] = {
	[PHASE_API] = "api",	 [PHASE_DEVICE] = "device", [PHASE_NOTICE] = "notice",
	[PHASE_TOTAL] = "total", [PHASE_CARD] = "card",	    [PHASE_DELIVERY] = "delivery",
};

static const char *const pairing_names[PAIRING_N] = {
	[PAIRING_INFER] = "infer", [PAIRING_ONE] = "one",   [PAIRING_DRAIN] = "drain",
	[PAIRING_FIRST] = "first", [PAIRING_LAST] = "last",
};

static const char *name_of(const char *const *names, int n, int i)
{
	return i >= 0 && i < n ? names[i] : "?";
}

static int index_of(const char *const *names, int n, const char *word)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(names[i], word))
			return i;
	return -1;
}

bool state_moves_bytes(enum transfer_state s)
{
	return s == STATE_UNKNOWN || s == STATE_COMPLETE || s == STATE_POLLED ||
	       s == STATE_NO_INTERRUPT || s == STATE_LATE;
}

const char *role_name(enum role r)
{
	return name_of(role_names, ROLE_N, (int)r);
}

const char *direction_name(enum direction d)
{
	return name_of(direction_names, DIR_N, (int)d);
}

const char *state_name(enum transfer_state s)
{
	return name_of(state_names, STATE_N, (int)s);
}

const char *phase_name(enum phase p)
{
	return name_of(phase_names, PHASE_ALL, (int)p);
}

const char *pairing_name(enum pairing p)
{
	return name_of(pairing_names, PAIRING_N, (int)p);
}

int role_parse(const char *word)
{
	return index_of(role_names, ROLE_N, word);
}

int direction_parse(const char *word)
{
	return index_of(direction_names, DIR_N, word);
}

int state_parse(const char *word)
{
	return index_of(state_names, STATE_N, word);
}

int phase_parse(const char *word)
{
	return index_of(phase_names, PHASE_ALL, word);
}

int pairing_parse(const char *word)
{
	return index_of(pairing_names, PAIRING_N, word);
}
