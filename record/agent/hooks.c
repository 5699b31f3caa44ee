/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/agent/hooks.h"

#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "record/agent/place.h"
#include "record/elf/elf_file.h"

static const struct hook {
	const char *symbol;
	enum agent_kind kind;
	unsigned arg; /* AGENT_EXEC: which argument is the environment, from 0 */
	bool loader, needed;
} hooks[] = {
	{"_dl_debug_state", AGENT_LOADED, 0, true, true},
	{"execve", AGENT_EXEC, 2, false,
	 true}, /* execv, execvp, posix_spawn, system too */
	{"execveat", AGENT_EXEC, 3, false, false}, /* glibc 2.34 */
	{"fexecve", AGENT_EXEC, 2, false, true},
	{"syscall", AGENT_SYSCALL, 0, false, true},
	{"vfork", AGENT_VFORK, 0, false, true},
	{"posix_spawn", AGENT_VFORK, 0, false, true},
	{"posix_spawnp", AGENT_VFORK, 0, false, true},
	{"clone", AGENT_CLONE, 2, false, true},
	{"prctl", AGENT_PRCTL, 0, false, false},
};

/* The newest version of a symbol is the one that programs call; older ones lie elsewhere,
 * and are hooked as well. */
static int add(struct hooks *h, struct elf_file *f, const struct hook *k, struct err *e)
{
	unsigned had = h->n;

	for (size_t i = 0; i < f->nfunction; i++) {
		const struct elf_function *x = &f->function[i];
		struct agent_place *p = &h->place[h->n];
		bool doubled = false;
		int rc;

		if (strcmp(x->name, k->symbol))
			continue;
		for (unsigned j = 0; j < h->n; j++)
			doubled |= place_covers(&h->place[j], x->addr);
		if (doubled)
			continue;
		if (h->n == HOOKS_MAX)
			return err_set(e, ERR_LIMIT, "%s: too many %s", f->path,
				       k->symbol);
		rc = place_make(p, f, x->addr, x->addr, PLACE_ENTRY, "", e);
		if (rc) {
			err_prefix(e, "%s: %s", f->path, k->symbol);
			return rc;
		}
		p->kind = (uint8_t)k->kind;
		p->arg = k->arg;
		h->n++;
	}
	if (h->n == had && k->needed)
		return err_set(e, ERR_UNSUPPORTED, "%s has no %s: not glibc's?", f->path,
			       k->symbol);
	return 0;
}

int hooks_of(struct hooks *h, struct elf_file *f, bool loader, struct err *e)
{
	int rc = 0;

	*h = (struct hooks){.n = 0};
	for (size_t i = 0; !rc && i < sizeof(hooks) / sizeof(*hooks); i++)
		if (hooks[i].loader == loader)
			rc = add(h, f, &hooks[i], e);
	return rc;
}

char *hooks_interpreter(struct elf_file *f)
{
	size_t n = 0, size;
	const char *raw = elf_rawfile(f->elf, &size);
	GElf_Phdr p;

	if (elf_getphdrnum(f->elf, &n) || !raw)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (gelf_getphdr(f->elf, (int)i, &p) && p.p_type == PT_INTERP &&
		    p.p_offset < size && p.p_filesz <= size - p.p_offset)
			return strndup(raw + p.p_offset, p.p_filesz);
	return NULL;
}

bool hooks_static(struct elf_file *f)
{
	char *interpreter = hooks_interpreter(f);
	bool none = !interpreter;
	GElf_Ehdr h;

	free(interpreter);
	return none && gelf_getehdr(f->elf, &h) && (h.e_type == ET_EXEC || f->pie);
}
