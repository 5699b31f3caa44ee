/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/field.h"

#include <string.h>

/* The name of each field stands before its synonyms. */
static const struct {
	const char *word;
	enum field field;
	int parameter; /* place among the usual names of a parameter; 0 = none of them */
} words[] = {
	{"card", FIELD_CARD, 0},       {"this", FIELD_CARD, 1},
	{"channel", FIELD_CHANNEL, 1}, {"dma_id", FIELD_CHANNEL, 2},
	{"id", FIELD_CHANNEL, 3},      {"chan", FIELD_CHANNEL, 4},
	{"size", FIELD_SIZE, 1},       {"len", FIELD_SIZE, 2},
	{"size_bytes", FIELD_SIZE, 3}, {"bytes", FIELD_SIZE, 4},
	{"count", FIELD_SIZE, 5},      {"length", FIELD_SIZE, 6},
	{"addr", FIELD_ADDR, 2},       {"dst", FIELD_ADDR, 1},
	{"src", FIELD_ADDR, 3},	       {"dma_addr", FIELD_ADDR, 4},
	{"offset", FIELD_ADDR, 5},     {"address", FIELD_ADDR, 6},
	{"flags", FIELD_FLAGS, 1},     {"fd", FIELD_FD, 0},
	{"mode", FIELD_MODE, 0},       {"direction", FIELD_DIRECTION, 0},
	{"key", FIELD_KEY, 0},	       {"key2", FIELD_KEY2, 0},
	{"asked", FIELD_ASKED, 0},     {"ret", FIELD_RET, 0},
	{"retval", FIELD_RET, 0},
};

enum { NWORDS = sizeof(words) / sizeof(*words) };

const char *field_word(enum field f, size_t i)
{
	for (size_t k = 0; k < NWORDS; k++)
		if (words[k].field == f && !i--)
			return words[k].word;
	return NULL;
}

const char *field_name(enum field f)
{
	const char *name = field_word(f, 0);

	return name ? name : "?";
}

int field_parse(const char *word)
{
	for (size_t k = 0; k < NWORDS; k++)
		if (!strcmp(words[k].word, word))
			return (int)words[k].field;
	return -1;
}

const char *field_parameter(enum field f, size_t i)
{
	for (size_t k = 0; k < NWORDS; k++)
		if (words[k].field == f && words[k].parameter == (int)i + 1)
			return words[k].word;
	return NULL;
}
