/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The body of a function, and where control leaves it. A body is the symbol's range, the
 * cold parts that the compiler split off, and whatever its jumps reach that belongs to no
 * other function. Every jump inside must land on an instruction that was decoded, and
 * every part must end in something that does not run on: otherwise there is data in the
 * code, or the size is wrong, and nothing is claimed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/err.h"
#include "record/elf/elf_file.h"

enum { MAX_INSN = 1 << 20, MAX_PARTS = 256, MAX_DEPTH = 4 };

struct part {
	uint64_t start, end; /* end 0 = as far as it goes */
};

/* A jump to another function. */
struct leave {
	struct insn in;
	uint64_t function; /* of this file; 0 = elsewhere */
	const char *name;  /* NULL = unknown */
};

struct body {
	struct elf_file *f;
	struct decoder *d;
	const char *name;
	struct part part[MAX_PARTS];
	size_t npart;
	struct insn *insn;
	size_t ninsn, ainsn;
	uint64_t *target, *call; /* of jumps inside; of direct calls within the file */
	size_t ntarget, ncall;
	struct leave *leave;
	size_t nleave;
	bool calls; /* anything, also in other files */
};

static void body_release(struct body *b)
{
	decoder_free(b->d);
	free(b->insn);
	free(b->target);
	free(b->call);
	free(b->leave);
}

static int no_memory(struct err *e)
{
	return err_nomem(e, "a program");
}

static int undecodable(const struct body *b, uint64_t addr, const char *why,
		       struct err *e)
{
	return err_set(e, ERR_UNSUPPORTED, "%s: %s at 0x%" PRIx64 " of %s", b->name, why,
		       addr, b->f->path);
}

static int push(uint64_t **list, size_t *n, uint64_t value, struct err *e)
{
	uint64_t *added = array_add(list, n);

	if (!added)
		return no_memory(e);
	*added = value;
	return 0;
}

static bool contains(const uint64_t *list, size_t n, uint64_t value)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == value)
			return true;
	return false;
}

/* ---- where a jump or call goes ---- */

static bool never_returns(const char *name)
{
	static const char *const word[] = {"abort",
					   "exit",
					   "_exit",
					   "__assert_fail",
					   "__cxa_throw",
					   "__cxa_rethrow",
					   "_Unwind_Resume",
					   "__stack_chk_fail",
					   "_ZSt9terminatev",
					   "__cxa_bad_cast",
					   "__cxa_throw_bad_array_new_length",
					   "__fortify_fail",
					   "__chk_fail"};

	for (size_t i = 0; name && i < sizeof(word) / sizeof(*word); i++)
		if (!strcmp(name, word[i]))
			return true;
	return name && !strncmp(name, "_ZSt", 4) && strstr(name, "__throw_");
}

/* Through a stub of the procedure linkage table: the name that its slot is filled
 * with. */
static const char *stub_name(struct elf_file *f, uint64_t addr)
{
	struct decoder *d;
	struct insn in;
	const char *name = NULL;

	if (decoder_new(&d, f, NULL))
		return NULL;
	for (int i = 0; i < 5 && !name && decoder_at(d, addr, &in); i++) {
		if (in.kind == INSN_INDIRECT && in.slot)
			name = elf_slot_name(f, in.slot);
		if (in.kind != INSN_PLAIN && in.kind != INSN_NOP)
			break;
		addr += in.size;
	}
	decoder_free(d);
	return name;
}

/* The function of this file that a direct jump or call reaches, also through the table;
 * 0 = another file's. */
static uint64_t reach(struct elf_file *f, uint64_t target, uint64_t slot,
		      const char **name)
{
	struct elf_function *x;

	*name = slot ? elf_slot_name(f, slot) : NULL;
	if (target && elf_in_plt(f, target))
		*name = stub_name(f, target);
	else if (target && (x = elf_function_at(f, target)))
		return *name = x->name, target;
	x = *name ? elf_function_named(f, *name) : NULL;
	return x && !x->ifunc ? x->addr : 0;
}

/* ---- collecting ---- */

static bool inside(const struct body *b, uint64_t addr)
{
	for (size_t i = 0; i < b->npart; i++)
		if (addr >= b->part[i].start && addr < b->part[i].end)
			return true;
	return false;
}

static int add_part(struct body *b, uint64_t start, uint64_t size, struct err *e)
{
	for (size_t i = 0; i < b->npart; i++)
		if (b->part[i].start == start)
			return 0;
	if (b->npart == MAX_PARTS)
		return undecodable(b, start, "too many parts", e);
	b->part[b->npart++] = (struct part){start, size ? start + size : 0};
	return 0;
}

static int add_leave(struct body *b, const struct insn *in, uint64_t function,
		     const char *name, struct err *e)
{
	struct leave *added = array_add(&b->leave, &b->nleave);

	if (!added)
		return no_memory(e);
	*added = (struct leave){*in, function, name};
	return 0;
}

/* A jump into another part of the body. */
static int add_target(struct body *b, uint64_t target, uint64_t start, uint64_t size,
		      struct err *e)
{
	int rc = push(&b->target, &b->ntarget, target, e);

	return rc ? rc : add_part(b, start, size, e);
}

/* A direct jump from a part that may reach up to `limit`. */
static int follow(struct body *b, const struct insn *in, struct part *p, uint64_t limit,
		  uint64_t *farthest, struct err *e)
{
	struct elf_function *x;
	uint64_t t = in->target, function;
	const char *name;

	if (inside(b, t) || (t >= p->start && t < limit)) {
		if (t > *farthest)
			*farthest = t;
		return push(&b->target, &b->ntarget, t, e);
	}
	if (elf_in_plt(b->f, t)) {
		function = reach(b->f, t, 0, &name);
		return add_leave(b, in, function, name, e);
	}
	x = elf_function_over(b->f, t);
	if (x && strstr(x->name, ".cold"))
		return add_target(b, t, x->addr, x->size, e);
	if (x && x->addr != t)
		return undecodable(b, in->addr,
				   "a jump into the middle of another function", e);
	if (x)
		return add_leave(b, in, t, x->name, e);
	if (t == p->end) /* clang -O0: an empty block that is never reached */
		return 0;
	return add_target(b, t, t, 0, e);
}

static int keep(struct body *b, const struct insn *in, struct err *e)
{
	if (b->ninsn == b->ainsn) {
		size_t a = b->ainsn ? 2 * b->ainsn : 256;
		struct insn *grown = reallocarray(b->insn, a, sizeof(*grown));

		if (!grown)
			return no_memory(e);
		b->insn = grown;
		b->ainsn = a;
	}
	if (b->ninsn >= MAX_INSN)
		return undecodable(b, in->addr, "too much code", e);
	b->insn[b->ninsn++] = *in;
	return 0;
}

/* *ends: control does not run on behind this instruction. */
static int take(struct body *b, const struct insn *in, struct part *p, uint64_t limit,
		uint64_t *farthest, bool *ends, struct err *e)
{
	const char *name;
	uint64_t function;

	*ends = in->kind >= INSN_RET && in->kind != INSN_CONDITIONAL;
	switch (in->kind) {
	case INSN_JUMP:
	case INSN_CONDITIONAL:
		return follow(b, in, p, limit, farthest, e);
	case INSN_CALL:
		function = reach(b->f, in->target, in->slot, &name);
		b->calls = true;
		*ends = never_returns(name);
		return function ? push(&b->call, &b->ncall, function, e) : 0;
	case INSN_INDIRECT:
		function = reach(b->f, 0, in->slot, &name);
		return add_leave(b, in, function, name, e);
	case INSN_UNCLEAR:
		return undecodable(b, in->addr,
				   "a jump through a register whose target is unclear",
				   e);
	case INSN_TABLE:
		return p->end ? 0
			      : undecodable(b, in->addr,
					    "a table of jumps in code without a size", e);
	default:
		return 0;
	}
}

static int decode_part(struct body *b, size_t i, struct err *e)
{
	struct part *p = &b->part[i];
	uint64_t addr = p->start, farthest = p->start, room, offset;
	uint64_t limit = p->end ? p->end : elf_function_next(b->f, p->start);
	bool sized = p->end != 0, ends = false, stopped = false;
	struct insn in;
	int rc = 0;

	if (!elf_file_offset(b->f, addr, &offset, &room))
		return undecodable(b, addr, "no code", e);
	if (limit - addr > room)
		limit = addr + room;
	while (!rc && addr < limit && !stopped) {
		bool quiet = false;

		if (!decoder_at(b->d, addr, &in))
			return undecodable(b, addr, "an unknown instruction", e);
		rc = keep(b, &in, e);
		if (!rc && in.kind != INSN_NOP)
			rc = take(b, &in, p, limit, &farthest, &quiet, e);
		if (in.kind != INSN_NOP)
			ends = quiet || in.kind == INSN_CALL;
		addr += in.size;
		stopped = !sized && quiet && addr > farthest;
	}
	if (rc)
		return rc;
	p->end = addr;
	if (addr > limit || !ends)
		return undecodable(b, addr, "code that runs on past its end", e);
	return 0;
}

static int by_addr(const void *a, const void *b)
{
	const struct insn *x = a, *y = b;

	return (x->addr > y->addr) - (x->addr < y->addr);
}

static int check_targets(struct body *b, struct err *e)
{
	qsort(b->insn, b->ninsn, sizeof(*b->insn), by_addr);
	for (size_t i = 0; i < b->ntarget; i++) {
		struct insn key = {.addr = b->target[i]};

		if (!bsearch(&key, b->insn, b->ninsn, sizeof(key), by_addr))
			return undecodable(b, key.addr,
					   "a jump to what is no instruction", e);
	}
	return 0;
}

/* NAME.cold, NAME.cold.3 */
static int add_cold_parts(struct body *b, const char *name, struct err *e)
{
	size_t len = strlen(name);
	int rc = 0;

	for (size_t i = 0; !rc && i < b->f->nfunction; i++) {
		const struct elf_function *x = &b->f->function[i];

		if (!strncmp(x->name, name, len) && !strncmp(x->name + len, ".cold", 5) &&
		    (!x->name[len + 5] || x->name[len + 5] == '.'))
			rc = add_part(b, x->addr, x->size, e);
	}
	return rc;
}

/* On failure *b is released too. */
static int body_collect(struct body *b, struct elf_file *f, const struct elf_function *x,
			struct err *e)
{
	int rc;

	*b = (struct body){.f = f, .name = x->name};
	rc = decoder_new(&b->d, f, e);
	if (!rc)
		rc = add_part(b, x->addr, x->size, e);
	if (!rc)
		rc = add_cold_parts(b, x->name, e);
	for (size_t i = 0; !rc && i < b->npart; i++)
		rc = decode_part(b, i, e);
	if (!rc)
		rc = check_targets(b, e);
	if (rc)
		body_release(b);
	return rc;
}

/* ---- sites ---- */

static int add_site(struct code_sites *out, struct elf_file *f, enum code_site_kind kind,
		    const struct insn *in, const char *of, struct err *e)
{
	struct code_site *s;

	for (size_t i = 0; i < out->n; i++)
		if (out->site[i].addr == in->addr)
			return 0;
	s = array_add(&out->site, &out->n);
	if (!s)
		return no_memory(e);
	*s = (struct code_site){.kind = kind, .addr = in->addr};
	elf_file_offset(f, in->addr, &s->offset, NULL);
	memcpy(s->stored, in->stored, sizeof(s->stored));
	snprintf(s->text, sizeof(s->text), "%s%s%.40s", in->text, of ? " in " : "",
		 of ? of : "");
	return 0;
}

static int by_site(const void *a, const void *b)
{
	const struct code_site *x = a, *y = b;

	return (x->addr > y->addr) - (x->addr < y->addr);
}

void code_sites_release(struct code_sites *s)
{
	free(s->site);
	*s = (struct code_sites){0};
}

struct exits {
	struct elf_file *f;
	uint64_t entry; /* of the function whose exits these are */
	struct code_sites *out;
	uint64_t *seen;
	size_t nseen;
};

static int exits_of(struct exits *x, const struct elf_function *fn, int depth,
		    struct err *e);

/* A tail jump: the function that it reaches returns for this one, so that one's exits
 * count, when they can be told from those of ordinary calls. */
static int tail_jump(struct exits *x, const struct body *b, const struct leave *l,
		     const char *of, int depth, struct err *e)
{
	const struct elf_function *to =
		l->function ? elf_function_at(x->f, l->function) : NULL;

	if (never_returns(l->name))
		return 0;
	if (to && depth < MAX_DEPTH && !contains(b->call, b->ncall, l->function))
		return exits_of(x, to, depth + 1, e);
	if (l->in.kind == INSN_CONDITIONAL)
		return undecodable(b, l->in.addr, "a conditional jump out of it", e);
	return add_site(x->out, x->f, SITE_TAIL_JUMP, &l->in, of, e);
}

static int exits_of(struct exits *x, const struct elf_function *fn, int depth,
		    struct err *e)
{
	const char *of = depth ? fn->name : NULL;
	struct body b;
	int rc;

	if (contains(x->seen, x->nseen, fn->addr)) {
		x->out->loops |= fn->addr == x->entry;
		return 0;
	}
	rc = push(&x->seen, &x->nseen, fn->addr, e);
	if (!rc)
		rc = body_collect(&b, x->f, fn, e);
	if (rc)
		return rc;
	for (size_t i = 0; !rc && i < b.ninsn; i++)
		if (b.insn[i].kind == INSN_RET)
			rc = add_site(x->out, x->f, SITE_RET, &b.insn[i], of, e);
	x->out->loops |= contains(b.target, b.ntarget, x->entry);
	x->out->calls |= b.calls;
	for (size_t i = 0; !rc && i < b.nleave; i++)
		rc = tail_jump(x, &b, &b.leave[i], of, depth, e);
	body_release(&b);
	return rc;
}

static struct elf_function *function_of(struct elf_file *f, const struct symbol *s)
{
	for (size_t i = 0; i < f->nfunction; i++)
		if (f->function[i].addr == s->addr &&
		    !strcmp(f->function[i].name, s->name))
			return &f->function[i];
	return elf_function_at(f, s->addr);
}

int elf_file_exits(struct elf_file *f, const struct symbol *s, struct code_sites *out,
		   struct err *e)
{
	const struct elf_function *fn = function_of(f, s);
	struct exits x = {.f = f, .out = out};
	struct err own = {0}, *why = e ? e : &own;
	int rc;

	*out = (struct code_sites){0};
	if (!fn)
		return err_set(why, ERR_NOTFOUND, "%s: no function %s", f->path, s->name);
	x.entry = fn->addr;
	rc = exits_of(&x, fn, 0, why);
	free(x.seen);
	if (rc)
		code_sites_release(out);
	else if (out->n)
		qsort(out->site, out->n, sizeof(*out->site), by_site);
	return rc;
}

/* ---- calls ---- */

static bool is_called(struct elf_file *f, const struct insn *in, const char *name)
{
	const char *to;

	if (in->kind != INSN_CALL && in->kind != INSN_JUMP && in->kind != INSN_INDIRECT)
		return false;
	if (!in->target && !in->slot)
		return false;
	reach(f, in->target, in->slot, &to);
	return to && !strcmp(to, name);
}

static int calls_in(const struct body *b, const char *name, struct code_sites *out,
		    struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < b->ninsn; i++)
		if (is_called(b->f, &b->insn[i], name))
			rc = add_site(out, b->f, SITE_CALL, &b->insn[i], NULL, e);
	return rc;
}

/* In the functions that b calls or ends in; one that cannot be decoded has none. */
static int calls_below(const struct body *b, const char *name, struct code_sites *out,
		       struct err *e)
{
	size_t total = b->ncall + b->nleave;
	int rc = 0;

	for (size_t i = 0; !rc && i < total && !out->n; i++) {
		uint64_t to = i < b->ncall ? b->call[i] : b->leave[i - b->ncall].function;
		struct elf_function *fn = to ? elf_function_at(b->f, to) : NULL;
		struct body callee;

		if (!fn || body_collect(&callee, b->f, fn, NULL))
			continue;
		rc = calls_in(&callee, name, out, e);
		body_release(&callee);
	}
	return rc;
}

int elf_file_calls(struct elf_file *f, const struct symbol *s, const char *name,
		   struct code_sites *out, struct err *e)
{
	const struct elf_function *fn = function_of(f, s);
	struct err own = {0}, *why = e ? e : &own;
	struct body b;
	int rc;

	*out = (struct code_sites){0};
	if (!fn)
		return err_set(why, ERR_NOTFOUND, "%s: no function %s", f->path, s->name);
	rc = body_collect(&b, f, fn, why);
	if (rc)
		return rc;
	rc = calls_in(&b, name, out, why);
	if (!rc && !out->n)
		rc = calls_below(&b, name, out, why);
	body_release(&b);
	if (rc)
		code_sites_release(out);
	return rc;
}

/* ---- the whole body, for those who change it ---- */

enum { MAX_TABLE = 65536 };

static bool is_insn(const struct code_map *m, uint64_t addr)
{
	struct insn key = {.addr = addr};

	return bsearch(&key, m->insn, m->n, sizeof(key), by_addr);
}

/* The entries of a table of jumps, as far as they are instructions of the body: relative
 * to the table (4 bytes each), or addresses (8 bytes). More than the table has is
 * harmless. */
static int add_table(struct code_map *m, struct elf_file *f, uint64_t table,
		     bool relative, bool *any, struct err *e)
{
	uint64_t entry, to;
	size_t size = relative ? 4 : 8;
	int rc = 0;

	for (size_t i = 0; !rc && i < MAX_TABLE; i++) {
		entry = 0;
		if (elf_file_bytes(f, table + i * size, &entry, size) != size)
			break;
		to = relative ? table + (uint64_t)(int64_t)(int32_t)entry : entry;
		if (!is_insn(m, to))
			break;
		*any = true;
		rc = push(&m->target, &m->ntarget, to, e);
	}
	return rc;
}

static int add_tables(struct code_map *m, struct elf_file *f, struct err *e)
{
	size_t jumps = 0;
	bool any = false;
	int rc = 0;

	for (size_t i = 0; i < m->n; i++)
		jumps += m->insn[i].kind == INSN_TABLE;
	for (size_t i = 0; !rc && jumps && i < m->n; i++)
		if (m->insn[i].constant)
			rc = add_table(m, f, m->insn[i].constant,
				       m->insn[i].kind != INSN_TABLE, &any, e);
	m->tables_unknown = jumps && !any;
	return rc;
}

void code_map_release(struct code_map *m)
{
	free(m->insn);
	free(m->target);
	*m = (struct code_map){0};
}

int code_map_make(struct code_map *m, struct elf_file *f, uint64_t function,
		  struct err *e)
{
	const struct elf_function *fn = elf_function_at(f, function);
	uint64_t *pad = NULL;
	size_t npad = 0;
	struct body b;
	int rc;

	*m = (struct code_map){0};
	if (!fn)
		return err_set(e, ERR_NOTFOUND, "%s: no function at 0x%" PRIx64, f->path,
			       function);
	rc = body_collect(&b, f, fn, e);
	if (rc)
		return rc;
	*m = (struct code_map){b.insn, b.ninsn, b.target, b.ntarget, false};
	b.insn = NULL;
	b.target = NULL;
	body_release(&b);
	rc = add_tables(m, f, e);
	if (!rc && !elf_landing_pads(f, function, &pad, &npad))
		m->tables_unknown = true;
	for (size_t i = 0; !rc && i < npad; i++)
		rc = push(&m->target, &m->ntarget, pad[i], e);
	free(pad);
	if (rc)
		code_map_release(m);
	return rc;
}

static bool leads_to(const struct body *b, uint64_t addr)
{
	for (size_t i = 0; i < b->nleave; i++)
		if (b->leave[i].function == addr)
			return true;
	return contains(b->call, b->ncall, addr);
}

int elf_file_thunk_leads(struct elf_file *f, const struct symbol *s,
			 const struct symbol_list *l, struct err *e)
{
	const struct elf_function *fn = function_of(f, s);
	bool found = false;
	struct body b;
	int rc = fn ? body_collect(&b, f, fn, e) : ERR_NOTFOUND;

	if (rc)
		return rc;
	for (size_t i = 0; i < l->n; i++) {
		const struct symbol *to = &l->sym[i];
		const char *name = to->thunk_of			 ? to->thunk_of
				   : !strncmp(to->name, "_Z", 2) ? to->name + 2
								 : "";

		if (to->addr != s->addr && !strcmp(name, s->thunk_of))
			found |= leads_to(&b, to->addr);
	}
	body_release(&b);
	return found;
}

/* ---- stores ---- */

static int stores_in(const struct body *b, int64_t displacement, struct code_sites *out,
		     struct err *e)
{
	bool frame = false;
	int rc = 0;

	for (size_t i = 0; i < b->ninsn; i++)
		frame |= b->insn[i].frames;
	for (size_t i = 0; !rc && i < b->ninsn; i++) {
		const struct insn *in = &b->insn[i];

		if (in->store && in->disp == displacement && !(in->framed && frame))
			rc = add_site(out, b->f, SITE_STORE, in, NULL, e);
	}
	return rc;
}

/* In the functions that b calls or ends in. One that cannot be decoded has none. */
static int stores_below(const struct body *b, int64_t displacement,
			struct code_sites *out, char **where, struct err *e)
{
	size_t total = b->ncall + b->nleave;
	int rc = 0;

	for (size_t i = 0; !rc && i < total && !out->n; i++) {
		uint64_t to = i < b->ncall ? b->call[i] : b->leave[i - b->ncall].function;
		struct elf_function *fn = to ? elf_function_at(b->f, to) : NULL;
		struct body callee;

		if (!fn || body_collect(&callee, b->f, fn, NULL))
			continue;
		rc = stores_in(&callee, displacement, out, e);
		body_release(&callee);
		if (!rc && out->n && !(*where = elf_qualified(elf_demangled(fn))))
			rc = no_memory(e);
	}
	return rc;
}

int elf_file_stores(struct elf_file *f, const struct symbol *s, int64_t displacement,
		    struct code_sites *out, char **where, struct err *e)
{
	const struct elf_function *fn = function_of(f, s);
	struct err own = {0}, *why = e ? e : &own;
	struct body b;
	int rc;

	*out = (struct code_sites){0};
	*where = NULL;
	if (!fn)
		return err_set(why, ERR_NOTFOUND, "%s: no function %s", f->path, s->name);
	rc = body_collect(&b, f, fn, why);
	if (rc)
		return rc;
	rc = stores_in(&b, displacement, out, why);
	if (!rc && out->n && !(*where = strdup(s->qualified)))
		rc = no_memory(why);
	if (!rc && !out->n)
		rc = stores_below(&b, displacement, out, where, why);
	body_release(&b);
	if (rc) {
		code_sites_release(out);
		free(*where);
		*where = NULL;
	}
	return rc;
}
