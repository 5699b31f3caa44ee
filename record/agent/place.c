/* SPDX-License-Identifier: GPL-2.0-only */
/* What the two machines share: the probe's arguments, and what is around a place. */
#include "record/agent/place.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "record/elf/elf_file.h"

/* ---- arguments ---- */

/* As regs_query_register_offset() of the kernel spells them. */
static int register_of(const char *machine, const char *name, size_t len)
{
	static const char *const x86[] = {"ax",	 "cx",	"dx",  "bx", "sp",  "bp",
					  "si",	 "di",	"r8",  "r9", "r10", "r11",
					  "r12", "r13", "r14", "r15"};
	char word[8];

	if (len >= sizeof(word))
		return -1;
	memcpy(word, name, len);
	word[len] = 0;
	if (!strcmp(machine, "x86_64")) {
		for (int i = 0; i < 16; i++)
			if (!strcmp(word, x86[i]))
				return i;
		return -1;
	}
	if (!strcmp(word, "sp"))
		return 31;
	if (word[0] == 'x' && isdigit((unsigned char)word[1]) &&
	    strtoul(word + 1, NULL, 10) < 31)
		return (int)strtoul(word + 1, NULL, 10);
	return -1;
}

static int type_bytes(const char *type, size_t len)
{
	if (!len)
		return 8;
	if (!strchr("usx", type[0]) || len > 3)
		return 0;
	return len == 2 && type[1] == '8'		 ? 1
	       : len == 3 && !strncmp(type + 1, "16", 2) ? 2
	       : len == 3 && !strncmp(type + 1, "32", 2) ? 4
	       : len == 3 && !strncmp(type + 1, "64", 2) ? 8
							 : 0;
}

/* "size=%dx:u64" */
static int add_arg(struct agent_place *p, const char *machine, const char *word,
		   size_t len, struct err *e)
{
	const char *value = memchr(word, '=', len), *end = word + len, *colon;
	struct agent_arg *a = &p->args[p->narg];
	int bytes, reg = -1;

	value = value ? value + 1 : word;
	colon = memchr(value, ':', (size_t)(end - value));
	bytes = type_bytes(colon ? colon + 1 : end,
			   colon ? (size_t)(end - colon - 1) : 0);
	if (!colon)
		colon = end;
	*a = (struct agent_arg){.bytes = (uint8_t)bytes, .at = p->arg_bytes};
	if (*value == '%')
		reg = register_of(machine, value + 1, (size_t)(colon - value - 1));
	else if (!strncmp(value, "$stack", 6) && isdigit((unsigned char)value[6]))
		reg = AGENT_REG_STACK, a->word = (int32_t)strtol(value + 6, NULL, 10);
	if (reg < 0 || !bytes)
		return err_set(
			e, ERR_UNSUPPORTED,
			"its argument '%.*s' is read by the kernel, which can bear "
			"a bad pointer",
			(int)len, word);
	if (p->narg == AGENT_ARGS - 1 || p->arg_bytes + bytes > AGENT_SLOT_ARGS)
		return err_set(e, ERR_UNSUPPORTED, "it has too many arguments");
	a->reg = (uint8_t)reg;
	p->arg_bytes = (uint8_t)(p->arg_bytes + bytes);
	p->narg++;
	return 0;
}

int place_args(struct agent_place *p, const char *machine, const char *args,
	       struct err *e)
{
	int rc = 0;

	p->narg = p->arg_bytes = 0;
	while (!rc && *(args += strspn(args, " "))) {
		size_t len = strcspn(args, " ");

		rc = add_arg(p, machine, args, len, e);
		args += len;
	}
	return rc;
}

/* ---- surroundings ---- */

bool place_covers(const struct agent_place *a, uint64_t addr)
{
	return (addr >= a->addr && addr - a->addr < a->old_len) ||
	       (a->spring && addr >= a->spring && addr - a->spring < a->spring_len);
}

bool place_overlaps(const struct agent_place *a, const struct agent_place *b)
{
	return place_covers(a, b->addr) || place_covers(b, a->addr) ||
	       (b->spring && place_covers(a, b->spring)) ||
	       (a->spring && place_covers(b, a->spring));
}

/* Does an instruction begin there, as a sweep from the last function before it finds?
 * Where the sweep fails, yes. */
static bool begins_at(struct elf_file *f, uint64_t addr)
{
	const struct elf_function *from = NULL;
	struct decoder *d;
	uint64_t at;
	struct insn in;

	for (size_t i = 0; i < f->nfunction && f->function[i].addr <= addr; i++)
		from = &f->function[i];
	if (!from || decoder_new(&d, f, NULL))
		return true;
	for (at = from->addr; at < addr && decoder_at(d, at, &in);)
		at += in.size;
	decoder_free(d);
	return at <= addr;
}

/* ---- direct jumps and calls of a whole file, x86-64 ----
 * Where they lead is counted from their end, and their distance is what ends them: so each
 * byte is read as a distance first, and as an opcode only where that one fits. */
#define BEFORE 2 /* the longest opcode of one with a distance of 4 bytes */
#define WINDOW (64 << 10)

/* The length of the opcode before a distance of 4 bytes, or of 1; 0 = there is none. */
static size_t far_opcode(const uint8_t *distance)
{
	return (distance[-1] & 0xfe) == 0xe8			       ? 1
	       : distance[-2] == 0x0f && (distance[-1] & 0xf0) == 0x80 ? 2
								       : 0;
}

static size_t near_opcode(const uint8_t *distance)
{
	uint8_t op = distance[-1];

	return op == 0xeb || (op & 0xf0) == 0x70 || (op & 0xfc) == 0xe0;
}

/* code[-BEFORE ... n + 3], at an address. */
static bool jumps_into(struct elf_file *f, const struct agent_place *p, uint64_t address,
		       const uint8_t *code, size_t n)
{
	uint64_t first = p->addr + 1, inside = p->old_len - 1;

	for (size_t i = 0; i < n; i++) {
		uint64_t at = address + i;
		int32_t far;

		memcpy(&far, code + i, sizeof(far));
		if (at + 4 + (uint64_t)(int64_t)far - first < inside) {
			size_t len = far_opcode(code + i);

			if (len && begins_at(f, at - len))
				return true;
		}
		if (at + 1 + (uint64_t)(int64_t)(int8_t)code[i] - first < inside &&
		    near_opcode(code + i) && begins_at(f, at - 1))
			return true;
	}
	return false;
}

/* Zeros stand before a segment and behind it. */
static bool segment_jumps_into(struct elf_file *f, const struct agent_place *p,
			       const struct elf_segment *s)
{
	uint8_t buf[BEFORE + WINDOW + sizeof(int32_t)] = {0}, *code = buf + BEFORE;

	for (uint64_t done = 0; done < s->size; done += WINDOW) {
		size_t want = sizeof(buf) - BEFORE, got;

		memcpy(buf, code + WINDOW - BEFORE, done ? BEFORE : 0);
		got = elf_file_bytes(f, s->addr + done, code, want);
		memset(code + got, 0, want - got);
		if (jumps_into(f, p, s->addr + done, code, got < WINDOW ? got : WINDOW))
			return true;
	}
	return false;
}

static bool reached_from_afar(struct elf_file *f, const struct agent_place *p)
{
	if (f->machine != EM_X86_64 || p->old_len < 2)
		return false;
	for (size_t i = 0; i < f->nsegment; i++)
		if (f->segment[i].exec && segment_jumps_into(f, p, &f->segment[i]))
			return true;
	return false;
}

/* May something jump into the bytes behind the place's first instruction? */
static int check_reach(const struct agent_place *p, struct elf_file *f,
		       const struct code_map *m, struct err *e)
{
	size_t inside = 0;

	for (size_t i = 0; i < m->n; i++)
		inside += m->insn[i].addr > p->addr &&
			  m->insn[i].addr < p->addr + p->old_len &&
			  m->insn[i].kind != INSN_NOP;
	for (size_t i = 0; i < m->ntarget; i++)
		if (m->target[i] > p->addr && m->target[i] < p->addr + p->old_len)
			return err_set(e, ERR_UNSUPPORTED,
				       "a jump to 0x%" PRIx64 " would land inside the "
				       "bytes to overwrite",
				       m->target[i]);
	if (inside && m->tables_unknown)
		return err_set(e, ERR_UNSUPPORTED,
			       "a table of jumps in its function may lead into the bytes "
			       "to overwrite");
	if (elf_function_next(f, p->addr) < p->addr + p->old_len)
		return err_set(e, ERR_UNSUPPORTED,
			       "another function begins inside the bytes to overwrite");
	if (reached_from_afar(f, p))
		return err_set(
			e, ERR_UNSUPPORTED,
			"other code of the file jumps into the bytes to overwrite");
	return 0;
}

int place_make(struct agent_place *p, struct elf_file *f, uint64_t function,
	       uint64_t addr, enum place_where where, const char *args, struct err *e)
{
	struct code_map m;
	int rc = 0;

	*p = (struct agent_place){.addr = addr, .probe = addr};
	if (f->textrel)
		return err_set(e, ERR_UNSUPPORTED,
			       "the loader changes the code of this file (DT_TEXTREL)");
	rc = place_args(p, f->machine == EM_X86_64 ? "x86_64" : "aarch64", args, e);
	if (rc)
		return rc;
	rc = code_map_make(&m, f, function, e);
	if (rc)
		return rc;
	rc = f->machine == EM_X86_64	? place_x86(p, f, &m, where, e)
	     : f->machine == EM_AARCH64 ? place_arm(p, f, &m, where, e)
					: err_set(e, ERR_UNSUPPORTED, "unknown machine");
	if (!rc)
		rc = check_reach(p, f, &m, e);
	if (!rc && !elf_file_offset(f, p->addr, &p->offset, NULL))
		rc = err_set(e, ERR_UNSUPPORTED, "no code");
	if (!rc && elf_file_bytes(f, p->addr, p->old, p->old_len) != p->old_len)
		rc = err_set(e, ERR_UNSUPPORTED, "no code");
	code_map_release(&m);
	return rc;
}
