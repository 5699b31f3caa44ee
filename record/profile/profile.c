/* SPDX-License-Identifier: GPL-2.0-only */
/* A profile's storage. */
#include "record/profile/profile.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/err.h"
#include "record/profile/profile_arg.h"
#include "record/profile/profile_priv.h"

void profile_init(struct profile *p)
{
	*p = (struct profile){0};
}

static void texts_free(char **list, size_t n)
{
	for (size_t k = 0; k < n; k++)
		free(list[k]);
	free(list);
}

static void func_release(struct func_spec *f)
{
	free(f->pattern);
	free(f->doorbell_call);
	free(f->origin);
	for (int k = 0; k < FIELD_N; k++)
		arg_release(&f->arg[k]);
	for (size_t k = 0; k < f->npath; k++)
		free(f->path[k].pattern);
	free(f->path);
}

void profile_release(struct profile *p)
{
	for (size_t k = 0; k < p->nfunc; k++)
		func_release(&p->func[k]);
	free(p->func);
	for (size_t k = 0; k < p->ncounter; k++) {
		free(p->counter[k].file);
		free(p->counter[k].pattern);
		free(p->counter[k].name);
	}
	free(p->counter);
	for (size_t k = 0; k < p->nkernel; k++)
		kernel_release(&p->kernel[k]);
	free(p->kernel);
	for (size_t k = 0; k < p->nreg; k++)
		register_release(&p->reg[k]);
	free(p->reg);
	texts_free(p->library, p->nlibrary);
	texts_free(p->device, p->ndevice);
	texts_free(p->count, p->ncount);
	free(p->pci);
	free(p->vector);
	free(p->name);
	free(p->title);
	free(p->source);
	free(p->path);
	profile_init(p);
}

struct func_spec *profile_new_func(struct profile *p, enum func_role role)
{
	struct func_spec *f = array_add(&p->func, &p->nfunc);

	if (!f)
		return NULL;
	*f = (struct func_spec){.role = role, .doorbell_store = -1};
	for (int k = 0; k < FIELD_N; k++)
		f->arg[k].deref = -1;
	return f;
}

void profile_drop_func(struct profile *p)
{
	func_release(&p->func[--p->nfunc]);
}

int set_text(char **slot, const char *value, struct err *e)
{
	free(*slot);
	*slot = strdup(value);
	return *slot ? 0 : err_nomem(e, "a profile");
}

int add_text(char ***list, size_t *n, const char *text, size_t len, struct err *e)
{
	char **grown = realloc(*list, (*n + 1) * sizeof(*grown));

	if (grown)
		*list = grown;
	if (!grown || !(grown[*n] = strndup(text, len)))
		return err_nomem(e, "a profile");
	(*n)++;
	return 0;
}

bool profile_is_library(const struct profile *p, const char *file)
{
	const char *base = strrchr(file, '/');

	base = base ? base + 1 : file;
	for (size_t k = 0; k < p->nlibrary; k++)
		if (!fnmatch(p->library[k], base, 0))
			return true;
	return false;
}
