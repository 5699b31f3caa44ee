/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the parts of the profile's reader only. Messages here say what is wrong with a
 * value; the caller puts file and line before them. */
#ifndef DMA_PROFILE_PRIV_H
#define DMA_PROFILE_PRIV_H

#include "record/profile/profile.h"

/* A new function at the end of p->func with everything unknown; NULL = no memory. */
struct func_spec *profile_new_func(struct profile *p, enum func_role role);

/* Take the last one away again. */
void profile_drop_func(struct profile *p);

/* Keys that describe a function, in a file and behind --start. */
extern const char *const func_keys[];

/* Set one key of a function. ERR_USAGE for an unknown key or a bad value. */
int func_set(struct func_spec *f, const char *key, const char *value, struct err *e);

/* What can only be checked when all keys are there: conditions on fields that nothing
 * fills, paths without an fd. Fills in what follows from the rest. */
int func_finish(struct func_spec *f, struct err *e);

/* "id", "len", "this", ... to "channel", "size", "card"; a word that is no synonym is
 * returned. */
const char *field_canonical(const char *word);

/* Keep a copy of the value in *slot. */
int set_text(char **slot, const char *value, struct err *e);

/* Grow an array of pointers to malloc'ed texts. */
int add_text(char ***list, size_t *n, const char *text, size_t len, struct err *e);

/* One key of [profile], [library], [interrupt], [counter]; the vector of a channel. */
int profile_set_head(struct profile *p, const char *key, const char *value,
		     struct err *e);
int profile_add_library(struct profile *p, const char *value, struct err *e);
int profile_set_interrupt(struct profile *p, const char *key, const char *value,
			  struct err *e);
int profile_add_vector(struct profile *p, int64_t channel, const char *value,
		       struct err *e);
int profile_set_counter(struct profile_counter *c, const char *key, const char *value,
			struct err *e);

/* A word of the NULL-terminated list that a person may have meant, or NULL. */
const char *nearest_word(const char *word, const char *const *list);

#endif
