/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of thunks. */
#include <ctype.h>
#include <stdlib.h>

#include "record/elf/elf_file.h"

/* "n16_" is -16. */
static const char *take_offset(const char *p, int64_t *out)
{
	bool negative = *p == 'n';
	char *end;

	p += negative;
	if (!isdigit((unsigned char)*p))
		return NULL;
	*out = strtoll(p, &end, 10);
	if (negative)
		*out = -*out;
	return *end == '_' ? end + 1 : NULL;
}

/* "h" offset, or "v" offset and the place in the table. */
static const char *take_call_offset(const char *p, int64_t *plus, int64_t *vcall)
{
	char kind = *p;

	*vcall = 0;
	if (kind != 'h' && kind != 'v')
		return NULL;
	p = take_offset(p + 1, plus);
	return p && kind == 'v' ? take_offset(p, vcall) : p;
}

const char *elf_thunk(const char *name, int64_t *this_plus, int64_t *vcall)
{
	int64_t result_plus, result_vcall;
	const char *p = name + 3;

	*this_plus = *vcall = 0;
	if (name[0] != '_' || name[1] != 'Z' || name[2] != 'T')
		return NULL;
	if (*p != 'c')
		return take_call_offset(p, this_plus, vcall);
	p = take_call_offset(p + 1, this_plus, vcall); /* covariant: and the result's */
	return p ? take_call_offset(p, &result_plus, &result_vcall) : NULL;
}
