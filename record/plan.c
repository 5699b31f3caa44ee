/* SPDX-License-Identifier: GPL-2.0-only */
/* From functions of a profile to places in files. */
#include "record/plan.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/err.h"
#include "record/elf/symbols.h"
#include "record/plan_match.h"

/* One function being planned. */
struct site {
	struct plan *plan;
	const struct func_spec *spec;
	struct elf_file *file;
	const struct symbol *symbol;
	struct parameter_list params;
	struct meta_const constant;
	char *args, *ret;
	struct plan_start told;
	bool this_is_card; /* the card is the object, which a thunk has at an offset */
	int32_t func;
	char name[48];
};

static int note(struct plan *p, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static int note(struct plan *p, struct err *e, const char *fmt, ...)
{
	char **added = array_add(&p->note, &p->nnote);
	va_list ap;
	int n;

	if (!added)
		return err_nomem(e, "a recording");
	va_start(ap, fmt);
	n = vasprintf(added, fmt, ap);
	va_end(ap);
	if (n >= 0)
		return 0;
	p->nnote--;
	return err_nomem(e, "a recording");
}

static bool name_taken(const struct plan *p, const char *event)
{
	for (size_t i = 0; i < p->n; i++)
		if (!strcmp(p->probe[i].event, event))
			return true;
	return false;
}

static int add(struct site *s, const char *event, enum role role, uint64_t offset,
	       enum place_where where, const char *args, const char *code, struct err *e)
{
	struct plan *p = s->plan;
	struct plan_probe *q = array_add(&p->probe, &p->n);

	if (!q)
		return err_nomem(e, "a recording");
	*q = (struct plan_probe){
		.event = strdup(event),
		.role = role,
		.spec = s->spec,
		.file = strdup(elf_file_path(s->file)),
		.function = strdup(s->symbol->qualified ? s->symbol->qualified
							: s->symbol->name),
		.offset = offset,
		.symbol = strdup(s->symbol->name),
		.at = offset >= s->symbol->offset &&
				      offset - s->symbol->offset <= s->symbol->size
			      ? (int64_t)(offset - s->symbol->offset)
			      : -1,
		.args = strdup(args ? args : ""),
		.code = code ? strdup(code) : NULL,
		.func = s->func,
		.constant = s->constant,
		.where = where,
		.shift = s->this_is_card ? s->symbol->this_plus : DMA_UNKNOWN,
	};
	if (!q->event || !q->symbol || !q->file || !q->function || !q->args ||
	    (code && !q->code))
		return err_nomem(e, "a recording");
	return 0;
}

/* ---- arguments ---- */

static const struct parameter *param_named(const struct site *s, const char *name)
{
	for (size_t i = 0; i < s->params.n; i++)
		if (s->params.param[i].name && !strcmp(s->params.param[i].name, name))
			return &s->params.param[i];
	return NULL;
}

/* The parameter that, by its name, is this field. */
static const struct parameter *param_for(const struct site *s, enum field f)
{
	const struct parameter *q = NULL;
	const char *word;

	for (size_t i = 0; (word = field_parameter(f, i)) && !q; i++)
		q = param_named(s, word);
	return q;
}

static void put_type(const struct parameter *q, const char *type, FILE *out)
{
	if (*type)
		fprintf(out, ":%s", type);
	else if (q && (q->bytes == 1 || q->bytes == 2 || q->bytes == 4 || q->bytes == 8))
		fprintf(out, ":%c%d", q->is_signed ? 's' : 'u', q->bytes * 8);
	else
		fputs(":u64", out);
}

static const struct parameter *param_at(const struct site *s, int index)
{
	for (size_t i = 0; i < s->params.n; i++)
		if (s->params.param[i].reg_index == index - 1)
			return &s->params.param[i];
	return NULL;
}

static int put_index(struct site *s, const struct arg_spec *a, enum field f, int index,
		     const struct parameter *q, FILE *out, struct err *e)
{
	char buf[32];
	const char *where = abi_argument(elf_file_arch(s->file), index, buf);

	bool object = s->symbol->thunk_of && index == 1;
	int64_t plus = object ? s->symbol->this_plus : 0;

	if (!where)
		return err_set(
			e, ERR_UNSUPPORTED, "%s: argument %d of %s cannot be read on %s",
			s->spec->origin, index, s->symbol->name, elf_file_arch(s->file));
	if (object && s->symbol->vcall && a->has_deref)
		return 0; /* the kernel cannot add two registers: not known */
	s->this_is_card |= object && f == FIELD_CARD && !a->has_deref;
	if (a->has_deref)
		fprintf(out, " %s=%+" PRId64 "(%s)", field_name(f), a->deref + plus,
			where);
	else
		fprintf(out, " %s=%s", field_name(f), where);
	put_type(a->has_deref ? NULL : q, a->type, out);
	return 0;
}

static int put_arg(struct site *s, enum field f, bool by_name, FILE *out, struct err *e)
{
	const struct arg_spec *a = &s->spec->arg[f];
	const struct parameter *q;

	switch (a->kind) {
	case ARG_INDEX:
		return put_index(s, a, f, a->index, param_at(s, a->index), out, e);
	case ARG_EXPR:
		fprintf(out, " %s=%s", field_name(f), a->text);
		return 0;
	case ARG_CONST:
		if (f == FIELD_CARD)
			s->constant.card = a->value;
		if (f == FIELD_CHANNEL)
			s->constant.channel = a->value;
		if (f == FIELD_SIZE)
			s->constant.size_bytes = a->value;
		return 0;
	case ARG_NAME:
		q = param_named(s, a->text);
		if (!q || q->reg_index < 0)
			return err_set(
				e, ERR_NOTFOUND,
				"%s: no integer parameter '%s' of %s is known (no debug "
				"information?): say argN",
				s->spec->origin, a->text, s->symbol->name);
		return put_index(s, a, f, q->reg_index + 1, q, out, e);
	case ARG_NONE:
		q = by_name ? param_for(s, f) : NULL;
		if (!q || q->reg_index < 0 || q->is_float)
			return 0;
		if (start_guessed(&s->told, f, q->reg_index + 1, q->name))
			return err_nomem(e, "a recording");
		return put_index(s, a, f, q->reg_index + 1, q, out, e);
	default:
		return 0;
	}
}

/* The object of a thunk's virtual base lies where its table says. */
static void put_shift(const struct site *s, FILE *out)
{
	char buf[32];

	if (s->this_is_card && s->symbol->vcall)
		fprintf(out, " shift=%+" PRId64 "(%+" PRId64 "(%s)):s64",
			s->symbol->vcall, s->symbol->this_plus,
			abi_argument(elf_file_arch(s->file), 1, buf));
}

/* What is returned is the size too. */
static int add_size(struct site *s, const char *type)
{
	char *both;
	int n = asprintf(&both, "%s%ssize=%s:%s", s->ret ? s->ret : "", s->ret ? " " : "",
			 abi_return_value(elf_file_arch(s->file)), type);

	if (n < 0)
		return n;
	free(s->ret);
	s->ret = both;
	return n;
}

static int make_args(struct site *s, struct err *e)
{
	bool by_name = true;
	size_t len;
	FILE *out = open_memstream(&s->args, &len);
	const struct arg_spec *ret = &s->spec->arg[FIELD_RET];
	const struct arg_spec *size = &s->spec->arg[FIELD_SIZE];
	int bits = s->params.return_bytes * 8, rc = 0, n = 0;

	if (!out)
		return err_nomem(e, "a recording");
	for (int f = 0; f < FIELD_RET; f++)
		if (s->spec->arg[f].kind != ARG_NONE)
			by_name = false;
	for (int f = 0; !rc && f < FIELD_RET; f++)
		rc = put_arg(s, (enum field)f, by_name, out, e);
	put_shift(s, out);
	if (fclose(out) || rc)
		return rc ? rc : err_nomem(e, "a recording");
	if (ret->kind == ARG_RETURN)
		n = asprintf(&s->ret, "ret=%s:%s",
			     abi_return_value(elf_file_arch(s->file)),
			     *ret->type ? ret->type : "s64");
	else if (bits == 8 || bits == 16 || bits == 32 || bits == 64)
		n = asprintf(&s->ret, "ret=%s:%c%d",
			     abi_return_value(elf_file_arch(s->file)),
			     s->params.returns_signed_int ? 's' : 'u', bits);
	if (n >= 0 && size->kind == ARG_RETURN)
		n = add_size(s, *size->type ? size->type : "s64");
	return n < 0 ? err_nomem(e, "a recording") : 0;
}

/* ---- the probes of one function ---- */

static enum role entry_role(const struct func_spec *f)
{
	return f->role == FUNC_WAIT   ? ROLE_WAIT
	       : f->role == FUNC_STOP ? ROLE_STOP
				      : ROLE_SUBMIT;
}

static int add_doorbells(struct site *s, const struct code_sites *sites,
			 enum place_where where, struct err *e)
{
	char event[80];
	int rc = 0;

	for (size_t i = 0; !rc && i < sites->n; i++) {
		char stored[20] = "";

		if (s->spec->doorbell_bits && *sites->site[i].stored)
			snprintf(stored, sizeof(stored), "ret=%s", sites->site[i].stored);
		snprintf(event, sizeof(event), "%s_db%zu", s->name, i);
		rc = add(s, event, ROLE_DOORBELL, sites->site[i].offset, where, stored,
			 sites->site[i].text, e);
	}
	return rc;
}

/* What starts the card, as the profile says: a store, or a call. */
static int plan_doorbells(struct site *s, struct err *e)
{
	const char *call = s->spec->doorbell_call;
	int64_t store = s->spec->doorbell_store;
	struct code_sites sites = {0};
	struct err why = {0};
	char *where = NULL;
	int rc;

	if ((store < 0 && !call) || s->spec->role != FUNC_START)
		return 0;
	rc = call ? elf_file_calls(s->file, s->symbol, call, &sites, &why)
		  : elf_file_stores(s->file, s->symbol, store, &sites, &where, &why);
	if (!rc)
		rc = add_doorbells(s, &sites, call ? PLACE_LEAVE : PLACE_INSIDE, e);
	if (rc == ERR_UNSUPPORTED)
		rc = note(s->plan, e, "%s; its exits stand for the doorbell", why.text);
	else if (!rc && !sites.n && call)
		rc = note(s->plan, e,
			  "%s: no call of %s found, its exits stand for the doorbell",
			  s->symbol->qualified, call);
	else if (!rc && !sites.n)
		rc = note(s->plan, e,
			  "%s: no store to +0x%" PRIx64
			  " found, its exits stand for the doorbell",
			  s->symbol->qualified, (uint64_t)store);
	code_sites_release(&sites);
	free(where);
	return rc;
}

/* A wait that ends with a jump into another file: the jump is not its end. */
static bool ends_elsewhere(const struct site *s, const struct code_sites *sites,
			   struct err *why)
{
	if (s->spec->role == FUNC_START)
		return false;
	for (size_t i = 0; i < sites->n; i++)
		if (sites->site[i].kind == SITE_TAIL_JUMP) {
			err_set(why, ERR_UNSUPPORTED,
				"it ends by a jump into another file (%s at 0x%" PRIx64
				"), whose return is not seen; --exit-probes uretprobe "
				"sees it, but must not be used on code that throws",
				sites->site[i].text, sites->site[i].addr);
			return true;
		}
	return false;
}

/* A loop begins at the entry: the stack pointer tells its turns from calls. */
static int mark_loop(struct site *s, size_t entry, bool calls, struct err *e)
{
	struct plan_probe *q = &s->plan->probe[entry];
	char *args;

	if (asprintf(&args, "%s%sstack=$stack:x64", q->args, *q->args ? " " : "") < 0)
		return err_nomem(e, "a recording");
	free(q->args);
	q->args = args;
	return note(
		s->plan, e,
		"%s: a loop goes back to its first instruction, so that each turn hits "
		"the probe; turns are told from calls by the stack pointer%s",
		s->symbol->qualified,
		calls ? ", but a call right behind one that threw counts as its turn"
		      : "");
}

static int plan_uretprobe(struct site *s, enum role role, struct err *e)
{
	char event[80];
	int rc;

	snprintf(event, sizeof(event), "%s_ret", s->name);
	rc = add(s, event, role, s->symbol->offset, PLACE_ENTRY, s->ret, "uretprobe", e);
	if (!rc)
		s->plan->probe[s->plan->n - 1].is_return = true;
	return rc;
}

static int plan_sites(struct site *s, enum role role, const struct code_sites *sites,
		      struct err *e)
{
	char event[80];
	int rc = 0;

	for (size_t i = 0; !rc && i < sites->n; i++) {
		/* before a tail jump the value is not there yet */
		bool tail = sites->site[i].kind == SITE_TAIL_JUMP;

		snprintf(event, sizeof(event), "%s_ret%zu", s->name, i);
		rc = add(s, event, role, sites->site[i].offset,
			 tail ? PLACE_LEAVE : PLACE_EXIT, tail ? "" : s->ret,
			 sites->site[i].text, e);
	}
	return rc;
}

static int no_exits(struct site *s, size_t entry, const char *why, bool loops,
		    struct err *e)
{
	s->plan->probe[entry].no_exit = true;
	return note(s->plan, e, "%s is left without exits: %s%s", s->symbol->qualified,
		    why,
		    loops ? "; a loop goes back to its first instruction, and without "
			    "exits each turn counts as a call"
			  : "");
}

/* Of two probes at one instruction the kernel does not say which is hit first. */
static bool ends_at_entry(const struct site *s, const struct code_sites *sites)
{
	for (size_t i = 0; i < sites->n; i++)
		if (sites->site[i].offset == s->symbol->offset)
			return true;
	return false;
}

static int plan_exits(struct site *s, size_t entry, enum exit_probes mode, struct err *e)
{
	struct code_sites sites = {0};
	struct err why = {0};
	enum role role = s->spec->role == FUNC_START ? ROLE_STARTED : ROLE_WOKEN;
	int rc;

	if (s->spec->role == FUNC_STOP)
		return 0;
	rc = elf_file_exits(s->file, s->symbol, &sites, &why);
	/* at an entry that a loop comes back to a uretprobe would be armed at each turn */
	if (mode == EXITS_URETPROBE && (rc || !sites.loops)) {
		code_sites_release(&sites);
		return plan_uretprobe(s, role, e);
	}
	if (!rc && mode == EXITS_NONE)
		rc = err_set(&why, ERR_UNSUPPORTED, "--exit-probes none");
	if (!rc && ends_elsewhere(s, &sites, &why))
		rc = why.code;
	if (!rc && !sites.n)
		rc = err_set(&why, ERR_UNSUPPORTED, "it never returns");
	if (rc) {
		rc = no_exits(s, entry, why.text, sites.loops, e);
	} else if (ends_at_entry(s, &sites)) { /* nothing in it throws */
		rc = plan_uretprobe(s, role, e);
	} else {
		rc = plan_sites(s, role, &sites, e);
		if (!rc && sites.loops)
			rc = mark_loop(s, entry, sites.calls, e);
	}
	code_sites_release(&sites);
	return rc;
}

/* described: the symbol whose debug information has the parameters. */
static int plan_function(struct plan *p, const struct func_spec *spec, struct elf_file *f,
			 const struct symbol *symbol, const struct symbol *described,
			 enum exit_probes mode, struct err *e)
{
	struct site s = {.plan = p,
			 .spec = spec,
			 .file = f,
			 .symbol = symbol,
			 .func = p->nfunc++,
			 .constant = {DMA_UNKNOWN, DMA_UNKNOWN, DMA_UNKNOWN}};
	size_t entry = p->n, len;
	int rc;

	plan_event_name(symbol->qualified ? symbol->qualified : symbol->name, s.name);
	len = strlen(s.name);
	for (int k = 2; name_taken(p, s.name) && k < 1000; k++)
		snprintf(s.name + len, sizeof(s.name) - len, "_%d", k);
	/* without debug information the names are unknown, and that is all */
	if (elf_file_parameters(f, described, &s.params, NULL))
		s.params = (struct parameter_list){0};
	rc = make_args(&s, e);
	if (!rc)
		rc = add(&s, s.name, entry_role(spec), symbol->offset, PLACE_ENTRY,
			 s.args[0] == ' ' ? s.args + 1 : s.args, NULL, e);
	if (!rc)
		rc = plan_doorbells(&s, e);
	if (!rc)
		rc = plan_exits(&s, entry, mode, e);
	if (!rc && elf_file_clones(f, symbol))
		rc = note(p, e,
			  "%s: the compiler made copies of %s with other parameters, or "
			  "moved part of it; calls of those from within %s are not seen",
			  elf_file_path(f), symbol->qualified, elf_file_path(f));
	size_t inlined = rc ? 0 : elf_file_inlined(f, described);
	if (inlined)
		rc = note(p, e,
			  "%s: the compiler put the body of %s into %zu place%s there; "
			  "calls at %s are not seen",
			  elf_file_path(f), symbol->qualified, inlined,
			  inlined == 1 ? "" : "s", inlined == 1 ? "that" : "those");
	if (!rc)
		rc = start_add(p, &s.told, spec,
			       symbol->qualified ? symbol->qualified : symbol->name, e);
	free(s.told.guessed);
	free(s.args);
	free(s.ret);
	parameter_list_release(&s.params);
	return rc;
}

/* ---- all functions of a profile ---- */

/* Same name, and not merely several parts of one: which one is meant? */
static int check_ambiguous(const struct func_spec *spec, const struct symbol_list *l,
			   const char *file, struct err *e)
{
	char names[600] = "";
	size_t len = 0;

	for (size_t i = 0; i < l->n && len < sizeof(names) - 1; i++)
		len += (size_t)snprintf(
			names + len, sizeof(names) - len, "%s%s", i ? ", " : "",
			l->sym[i].demangled ? l->sym[i].demangled : l->sym[i].name);
	for (size_t i = 1; i < l->n; i++)
		if (strcmp(l->sym[i].qualified, l->sym[0].qualified) &&
		    !elf_is_glob(spec->pattern))
			return err_set(
				e, ERR_AMBIGUOUS,
				"'%s' fits several functions of %s: %s; name one with "
				"--start, --wait or --stop",
				spec->pattern, file, names);
	return 0;
}

/* One function may start and stop by an argument: then `when` tells the sections apart. */
static bool excludes(const struct func_spec *a, const struct func_spec *b)
{
	return a != b && a->when.op != OP_NONE && b->when.op != OP_NONE;
}

/* The section that has the function already; NULL = none. */
static const struct func_spec *planned(const struct plan *p, const struct func_spec *spec,
				       const char *file, uint64_t offset)
{
	for (size_t i = 0; i < p->n; i++)
		if (!p->probe[i].code && p->probe[i].offset == offset &&
		    !strcmp(p->probe[i].file, file) && !excludes(spec, p->probe[i].spec))
			return p->probe[i].spec;
	return NULL;
}

/* The function that a thunk stands for; NULL = none of the list. */
static const struct symbol *thunk_target(const struct symbol_list *l,
					 const struct symbol *s)
{
	for (size_t i = 0; s->thunk_of && i < l->n; i++)
		if (!strncmp(l->sym[i].name, "_Z", 2) &&
		    !strcmp(l->sym[i].name + 2, s->thunk_of))
			return &l->sym[i];
	return NULL;
}

/* A thunk that only leads to its function is no call of its own. One that cannot be
 * decoded is left alone: better a call unseen than one that counts twice. */
static int plan_symbol(struct plan *p, const struct func_spec *spec, struct elf_file *f,
		       const struct symbol_list *l, const struct symbol *s,
		       enum exit_probes mode, struct err *e)
{
	const struct symbol *target = thunk_target(l, s);
	struct err why = {0};
	int rc;

	if (!target)
		return plan_function(p, spec, f, s, s, mode, e);
	rc = elf_file_thunk_leads(f, s, l, &why);
	if (rc < 0)
		return note(p, e, "%s is not probed: %s", s->demangled, why.text);
	return rc ? 0 : plan_function(p, spec, f, s, target, mode, e);
}

static int plan_spec(struct plan *p, struct plan_section *section, struct elf_file *f,
		     enum exit_probes mode, struct err *e)
{
	const struct func_spec *spec = section->spec;
	struct symbol_list l = {0};
	int rc = elf_file_find(f, spec->pattern, &l, e);

	if (!rc)
		rc = check_ambiguous(spec, &l, elf_file_path(f), e);
	for (size_t i = 0; !rc && i < l.n; i++) {
		const struct func_spec *by =
			planned(p, spec, elf_file_path(f), l.sym[i].offset);

		if (by)
			section->taken_by = by;
		if (by || l.sym[i].plt_or_ifunc)
			continue;
		rc = section_found(section, &l.sym[i], elf_file_path(f), e);
		if (!rc)
			rc = plan_symbol(p, spec, f, &l, &l.sym[i], mode, e);
	}
	symbol_list_release(&l);
	return rc;
}

static int plan_file(struct plan *p, struct plan_section *section, struct elf_file *f,
		     enum exit_probes mode, struct err *e)
{
	int rc = plan_spec(p, section, f, mode, e);

	return elf_file_whole(f, NULL) ? elf_file_whole(f, e) : rc;
}

/* needed: what the profile says must be there is. */
static int plan_specs(struct plan *p, const struct profile *prof,
		      const struct plan_files *f, enum exit_probes mode, bool needed,
		      struct err *e)
{
	int rc = 0;

	p->section = calloc(prof->nfunc + 1, sizeof(*p->section));
	if (!p->section)
		return err_nomem(e, "a recording");
	for (size_t k = 0; !rc && k < prof->nfunc; k++) {
		struct plan_section *section = &p->section[p->nsection++];

		section->spec = &prof->func[k];
		for (size_t i = 0; !rc && i < f->n; i++)
			if (f->file[i])
				rc = plan_file(p, section, f->file[i], mode, e);
		if (!rc && needed)
			rc = section_check(section, f, e);
	}
	return rc || !needed ? rc : sections_check(p->section, p->nsection, f, e);
}

int plan_files_open(struct plan_files *f, char *const *path, size_t n, struct err *e)
{
	*f = (struct plan_files){.path = path, .n = n};
	f->file = calloc(n + 1, sizeof(*f->file));
	f->why = calloc(n + 1, sizeof(*f->why));
	if (!f->file || !f->why)
		return err_nomem(e, "a recording");
	for (size_t i = 0; i < n; i++) {
		struct err why = {0};

		if (elf_file_open(&f->file[i], path[i], &why))
			f->why[i] = strdup(why.text);
	}
	return 0;
}

void plan_files_close(struct plan_files *f)
{
	for (size_t i = 0; f->file && i < f->n; i++) {
		elf_file_close(f->file[i]);
		free(f->why[i]);
	}
	free(f->file);
	free(f->why);
	*f = (struct plan_files){0};
}

int plan_make(struct plan *p, const struct profile *prof, const struct plan_files *f,
	      enum exit_probes exits, struct err *e)
{
	int rc = 0;

	*p = (struct plan){0};
	for (size_t i = 0; i < f->n && !rc; i++)
		if (f->why[i])
			rc = note(p, e, "not searched: %s", f->why[i]);
	if (!rc)
		rc = plan_specs(p, prof, f, exits, true, e);
	if (rc)
		plan_release(p);
	return rc;
}

int plan_make_late(struct plan *p, const struct profile *prof, const struct plan_files *f,
		   enum exit_probes exits, int32_t func, size_t batch, struct err *e)
{
	int rc;

	*p = (struct plan){.nfunc = func};
	rc = plan_specs(p, prof, f, exits, false, e);
	for (size_t i = 0; !rc && i < p->n; i++) {
		char *name;

		if (asprintf(&name, "%s_late%zu", p->probe[i].event, batch) < 0)
			rc = err_nomem(e, "a recording");
		else
			free(p->probe[i].event);
		if (!rc)
			p->probe[i].event = name;
	}
	if (rc)
		plan_release(p);
	return rc;
}

void plan_release(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		struct plan_probe *q = &p->probe[i];

		free(q->event);
		free(q->file);
		free(q->function);
		free(q->symbol);
		free(q->args);
		free(q->code);
		free(q->place);
		free(q->why);
	}
	for (size_t i = 0; i < p->nhook; i++)
		free(p->hook[i].file);
	free(p->hook);
	sections_release(p);
	for (size_t i = 0; i < p->nnote; i++)
		free(p->note[i]);
	free(p->probe);
	free(p->note);
	*p = (struct plan){0};
}
