/* SPDX-License-Identifier: GPL-2.0-only */
/* Sections of a profile and functions of files: which found which, which must, and what is
 * said of it. A section that found nothing would be transfers that nobody misses. */
#include "record/plan_match.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/err.h"
#include "record/elf/symbols.h"

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool starts(const struct func_spec *f)
{
	return f->role == FUNC_START || f->role == FUNC_TRANSFER;
}

int section_found(struct plan_section *s, const struct symbol *f, const char *file,
		  struct err *e)
{
	char *more;

	if (asprintf(&more, "%s%s%s in %s", s->names ? s->names : "",
		     s->names ? ", " : "", f->demangled ? f->demangled : f->name,
		     base_name(file)) < 0)
		return err_nomem(e, "a recording");
	free(s->names);
	s->names = more;
	s->found++;
	return 0;
}

/* ---- what is missing ---- */

enum { NEAREST_FILES = 8, NEAREST_EACH = 2 };

/* Of everybody: a near name there is a chance. */
static bool is_runtime(const char *path)
{
	static const char *const base[] = {
		"libc.",  "libm.",   "libstdc++.", "libgcc_s.", "libpthread.", "libdl.",
		"librt.", "libc++.", "libc-",	   "libm-",	"ld-linux"};

	for (size_t i = 0; i < sizeof(base) / sizeof(*base); i++)
		if (!strncmp(base_name(path), base[i], strlen(base[i])))
			return true;
	return false;
}

static size_t put_nearest(const struct plan_files *f, const char *pattern, bool runtime,
			  FILE *out)
{
	size_t shown = 0;

	for (size_t i = 0; i < f->n && i <= NEAREST_FILES; i++) {
		char **name = NULL;
		size_t k = 0;

		if (!f->file[i] || is_runtime(f->path[i]) != runtime ||
		    elf_file_nearest(f->file[i], pattern, NEAREST_EACH, &name, &k))
			continue;
		for (size_t j = 0; j < k; j++) {
			fprintf(out, "%s'%s'",
				shown++ ? ", " : "; the nearest names are ", name[j]);
			free(name[j]);
		}
		free(name);
	}
	return shown;
}

static void put_searched(const struct plan_files *f, FILE *out)
{
	enum { SHOWN = 6 };

	for (size_t i = 0; i < f->n && i < SHOWN; i++)
		fprintf(out, "%s%s%s", i ? ", " : "", f->path[i],
			f->file[i] && !elf_file_has_symbols(f->file[i]) ? " (stripped)"
									: "");
	if (f->n > SHOWN)
		fprintf(out, " and %zu more files", f->n - SHOWN);
}

static const char *remedy(const struct func_spec *f)
{
	if (f->line)
		return "mend the name there, name the library that the command opens "
		       "itself with -x LIB, or say 'optional = yes' there if a workload "
		       "may lack the function";
	if (!f->origin || strncmp(f->origin, "--", 2))
		return "name another with --start, or the library that the command opens "
		       "itself with -x LIB";
	return "mend the name, or name the library that the command opens itself with "
	       "-x LIB";
}

static int not_found(const struct func_spec *spec, const struct plan_files *f,
		     struct err *e)
{
	char *text = NULL, *who = func_describe(spec);
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out || !who) {
		if (out)
			fclose(out);
		free(text);
		free(who);
		return err_nomem(e, "a recording");
	}
	fprintf(out, "no function '%s' for %s in ", spec->pattern, who);
	put_searched(f, out);
	if (!put_nearest(f, spec->pattern, false, out))
		put_nearest(f, spec->pattern, true, out);
	fprintf(out, "; %s", remedy(spec));
	if (fclose(out))
		err_nomem(e, "a recording");
	else
		err_set(e, ERR_NOTFOUND, "%s", text);
	free(text);
	free(who);
	return e ? e->code : ERR_NOTFOUND;
}

/* One function, two roles, and nothing that tells the calls apart. */
static int two_roles(const struct plan_section *s, struct err *e)
{
	char *mine = func_describe(s->spec), *other = func_describe(s->taken_by);
	const struct func_spec *a = s->spec, *b = s->taken_by;
	bool blocking = (starts(a) && b->role == FUNC_WAIT) ||
			(starts(b) && a->role == FUNC_WAIT);
	int rc =
		err_set(e, ERR_USAGE,
			"%s and %s mean one function; %sif an argument says which of the "
			"two a call is, both need a 'when' that tells",
			other ? other : "a section", mine ? mine : "another",
			blocking ? "if it starts a transfer and returns when that has "
				   "ended, it is --transfer FUNC ([transfer FUNC] in a "
				   "profile) and nothing else; "
				 : "");
	free(mine);
	free(other);
	return rc;
}

int section_check(const struct plan_section *s, const struct plan_files *f, struct err *e)
{
	if (s->found)
		return 0;
	if (s->taken_by && s->taken_by->role != s->spec->role)
		return two_roles(s, e);
	return s->taken_by || !func_required(s->spec) ? 0 : not_found(s->spec, f, e);
}

int sections_check(const struct plan_section *s, size_t n, const struct plan_files *f,
		   struct err *e)
{
	const struct func_spec *missing = NULL;
	size_t found = 0;

	for (size_t i = 0; i < n; i++) {
		found += starts(s[i].spec) ? s[i].found : 0;
		if (!missing && starts(s[i].spec))
			missing = s[i].spec;
	}
	if (found)
		return 0;
	return missing ? not_found(missing, f, e)
		       : err_set(e, ERR_USAGE,
				 "no start function is named: --start FUNC, or --transfer "
				 "FUNC for one that returns when the transfer has ended");
}

void sections_release(struct plan *p)
{
	for (size_t i = 0; i < p->nsection; i++)
		free(p->section[i].names);
	for (size_t i = 0; i < p->nstart; i++) {
		free(p->start[i].function);
		free(p->start[i].guessed);
	}
	free(p->section);
	free(p->start);
}

/* ---- does a profile fit ---- */

static size_t functions_of(const struct func_spec *spec, const struct plan_files *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++) {
		struct symbol_list l = {0};

		if (!f->file[i] || elf_file_find(f->file[i], spec->pattern, &l, NULL))
			continue;
		n += l.n > 0;
		symbol_list_release(&l);
	}
	return n;
}

size_t plan_fits(const struct profile *prof, const struct plan_files *f, bool *library)
{
	size_t n = 0;

	*library = false;
	for (size_t i = 0; i < f->n; i++) {
		const char *soname = f->file[i] ? elf_file_soname(f->file[i]) : NULL;

		*library |= profile_is_library(prof, f->path[i]) ||
			    (soname && profile_is_library(prof, soname));
	}
	for (size_t k = 0; k < prof->nfunc; k++)
		n += starts(&prof->func[k]) ? functions_of(&prof->func[k], f) : 0;
	return n;
}

const struct func_spec *plan_lacks(const struct profile *prof, const struct plan_files *f)
{
	for (size_t k = 0; k < prof->nfunc; k++)
		if (func_required(&prof->func[k]) && !functions_of(&prof->func[k], f))
			return &prof->func[k];
	return NULL;
}

/* ---- what is known of a start ---- */

int start_guessed(struct plan_start *s, enum field f, int arg, const char *name)
{
	char *more;

	s->known |= 1u << f;
	if (f == FIELD_ADDR || !strcmp(name, "this")) /* no guess; or of no result */
		return 0;
	if (asprintf(&more, "%s%s%s=arg%d (%s)", s->guessed ? s->guessed : "",
		     s->guessed ? ", " : "", field_name(f), arg, name) < 0)
		return ERR_NOMEM;
	free(s->guessed);
	s->guessed = more;
	return 0;
}

int start_add(struct plan *p, struct plan_start *s, const struct func_spec *spec,
	      const char *function, struct err *e)
{
	struct plan_start *added = starts(spec) ? array_add(&p->start, &p->nstart) : NULL;

	if (!starts(spec))
		return 0;
	if (!added)
		return err_nomem(e, "a recording");
	*added = *s;
	s->guessed = NULL;
	for (int f = 0; f < FIELD_N; f++)
		added->known |= spec->arg[f].kind != ARG_NONE ? 1u << f : 0;
	for (size_t i = 0; i < spec->npath; i++)
		if (strstr(spec->path[i].pattern, "{channel"))
			added->known |= 1u << FIELD_CHANNEL;
	added->function = strdup(function);
	return added->function ? 0 : err_nomem(e, "a recording");
}

/* ---- what is said ---- */

static void put_roles(const struct plan *p, FILE *out)
{
	static const char *const role[FUNC_N] = {"start", "transfer", "wait", "stop"};
	size_t n[FUNC_N] = {0};
	const char *comma = "";

	for (size_t i = 0; i < p->nsection; i++)
		n[p->section[i].spec->role] += p->section[i].found;
	for (int r = 0; r < FUNC_N; r++) {
		if (n[r])
			fprintf(out, "%s%zu %s function%s", comma, n[r], role[r],
				n[r] == 1 ? "" : "s");
		comma = n[r] ? ", " : comma;
	}
}

/* Sections that are empty, and none of the built-in default, which nobody wrote. */
static void put_empty(const struct plan *p, FILE *out)
{
	bool any = false;

	for (size_t i = 0; i < p->nsection; i++) {
		const struct plan_section *s = &p->section[i];
		char *who = !s->found && !s->taken_by && s->spec->line
				    ? func_describe(s->spec)
				    : NULL;

		if (who)
			fprintf(out, "%s%s", any ? ", " : "; nothing fits ", who);
		any |= who != NULL;
		free(who);
	}
}

static bool lacks(const struct plan_start *s, enum field f)
{
	return !(s->known & 1u << f);
}

static void put_lacking(const struct plan *p, enum field f, const char *says, FILE *out)
{
	bool any = false;

	for (size_t i = 0; i < p->nstart; i++)
		if (lacks(&p->start[i], f)) {
			fprintf(out, "%s%s", any ? ", " : "", p->start[i].function);
			any = true;
		}
	if (any)
		fprintf(out, ": %s\n", says);
}

static bool told_before(const struct plan *p, size_t k)
{
	for (size_t i = 0; i < k; i++)
		if (p->start[i].guessed &&
		    !strcmp(p->start[i].guessed, p->start[k].guessed))
			return true;
	return false;
}

/* Functions of one signature in one line. */
static void put_guesses(const struct plan *p, FILE *out)
{
	for (size_t k = 0; k < p->nstart; k++) {
		const char *guess = p->start[k].guessed;

		if (!guess || told_before(p, k))
			continue;
		fprintf(out, "%s", p->start[k].function);
		for (size_t i = k + 1; i < p->nstart; i++)
			if (p->start[i].guessed && !strcmp(p->start[i].guessed, guess))
				fprintf(out, ", %s", p->start[i].function);
		fprintf(out,
			": by the parameters' names, %s is taken; where that is wrong, "
			"say it behind the function: 'FUNC size=argN'\n",
			guess);
	}
}

char *plan_told(const struct plan *p, const struct profile *prof)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	if (prof->name && !prof->path)
		fputs("functions by their usual names: ", out);
	else if (prof->name)
		fprintf(out, "profile %s: ", prof->name);
	else
		fputs("probed: ", out);
	put_roles(p, out);
	put_empty(p, out);
	fputc('\n', out);
	put_guesses(p, out);
	put_lacking(p, FIELD_SIZE,
		    "no size is known, so bytes and throughput will be missing; "
		    "'FUNC size=argN' says where it is",
		    out);
	put_lacking(p, FIELD_CHANNEL,
		    "no channel is known, so all its transfers count as of one; "
		    "'FUNC channel=argN' says where it is",
		    out);
	if (!fclose(out))
		return text;
	free(text);
	return NULL;
}
