/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The values of an event that mean something, and every word they go by: one table for
 * profiles, for the arguments of a recording's events, and for the parameters of a
 * function as its debugging data call them.
 */
#ifndef DMA_FIELD_H
#define DMA_FIELD_H

#include <stdbool.h>
#include <stddef.h>

enum field {
	FIELD_CARD,
	FIELD_CHANNEL,
	FIELD_SIZE,
	FIELD_ADDR,
	FIELD_FLAGS,
	FIELD_FD,
	FIELD_MODE,
	FIELD_DIRECTION,
	FIELD_KEY,   /* what the start and the end of a transfer share */
	FIELD_KEY2,  /* and a second part of it */
	FIELD_ASKED, /* how much was asked for, as ret counts */
	FIELD_RET,   /* of the exit; those before are of the entry */
	FIELD_N
};

/* "card", "channel", ...: the name in a profile, and in the trace events of dmarec. */
const char *field_name(enum field f);

/* The field of a name or synonym; -1 = no field of that word. */
int field_parse(const char *word);

/* The i-th word of a field, its name first; NULL = it has no more. */
const char *field_word(enum field f, size_t i);

/* The i-th name that a parameter of this meaning usually has, the likeliest first; NULL =
 * it has no more. A parameter of these names is taken though no profile names it. */
const char *field_parameter(enum field f, size_t i);

#endif
