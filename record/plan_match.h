/* SPDX-License-Identifier: GPL-2.0-only */
/* Between record/plan.c and record/plan_match.c only: what each section of a profile found,
 * and what is known of each start. */
#ifndef DMA_PLAN_MATCH_H
#define DMA_PLAN_MATCH_H

#include "record/plan.h"

struct symbol;

/* This section has this function of the file. */
int section_found(struct plan_section *s, const struct symbol *f, const char *file,
		  struct err *e);
/* After all files: is one that is required empty, or another role's? */
int section_check(const struct plan_section *s, const struct plan_files *f,
		  struct err *e);
/* After all sections: does any start a transfer? */
int sections_check(const struct plan_section *s, size_t n, const struct plan_files *f,
		   struct err *e);
void sections_release(struct plan *p);

/* A field's place was taken from the parameter's name. ERR_NOMEM. */
int start_guessed(struct plan_start *s, enum field f, int arg, const char *name);
/* Keeps what is known of the function, if it starts transfers; takes s->guessed. */
int start_add(struct plan *p, struct plan_start *s, const struct func_spec *spec,
	      const char *function, struct err *e);

#endif
