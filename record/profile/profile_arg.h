/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a value of an event comes from, as text. */
#ifndef DMA_PROFILE_ARG_H
#define DMA_PROFILE_ARG_H

#include "record/profile/profile.h"

struct err;

/* u8 .. u64, s8 .. s64, x8 .. x64 */
bool type_valid(const char *type);

/* *a must be zero or filled; it is released first and, on failure, again. *unit: the
 * factor behind
 * '*', 0 = none. *is_this: the text was "this". */
int arg_parse(struct arg_spec *a, const char *text, int64_t *unit, bool *is_this,
	      struct err *e);
void arg_release(struct arg_spec *a);

#endif
