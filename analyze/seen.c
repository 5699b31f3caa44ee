/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/seen.h"

#include "analyze/audit.h"
#include "analyze/undone.h"
#include "lib/err.h"
#include "lib/vector/vector.h"

int seen_init(struct seen *s, struct err *e)
{
	*s = (struct seen){.audit = audit_new(), .undone = undone_new()};
	if (!s->audit || !s->undone)
		return err_nomem(e, "the analysis");
	return vector_finder_new(&s->finder, e);
}

void seen_release(struct seen *s)
{
	vector_finder_free(s->finder);
	audit_free(s->audit);
	undone_free(s->undone);
	*s = (struct seen){0};
}

int seen_push(struct seen *s, const struct sample *x, struct err *e)
{
	if (audit_push(s->audit, x) || undone_push(s->undone, x))
		return err_nomem(e, "the analysis");
	return x->role < ROLE_REGISTER ? vector_finder_push(s->finder, x, e) : 0;
}
