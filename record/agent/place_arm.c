/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * aarch64: every instruction has four bytes, and so has the branch that takes its place;
 * nothing can land inside. What depends on its own address is encoded anew with an
 * address from memory behind it (Arm ARM, C4.1: the encodings; C6.2).
 */
#include <string.h>

#include "lib/err.h"
#include "record/agent/place.h"
#include "record/elf/elf_file.h"

enum {
	A64_B = 0x14000000,
	A64_NOP_HINT = 0xd503201f, /* hint #0; hints differ in bits 5 to 11 */
	A64_HINT_MASK = 0xfffff01f,
	A64_LDR_LITERAL_X = 0x58000000,
	A64_LDR_X = 0xf9400000, /* ldr Xt, [Xn] */
	A64_LDR_W = 0xb9400000,
	A64_LDRSW = 0xb9800000,
	HINT_PACIASP = 25,
	HINT_PACIBSP = 27,
	HINT_BTI = 32, /* to 38, even ones */
};

static void put(struct agent_place *p, uint32_t word)
{
	memcpy(p->code + p->code_len, &word, 4);
	p->code_len = (uint8_t)(p->code_len + 4);
}

static void put_fix(struct agent_place *p, enum agent_fix kind, uint64_t target)
{
	p->fix[p->nfix++] = (struct agent_fixup){.kind = (uint8_t)kind,
						 .at = p->code_len,
						 .end = p->code_len,
						 .target = target};
	put(p, kind == AGENT_FIX_B26 ? A64_B : 0);
	if (kind == AGENT_FIX_ABS64)
		put(p, 0);
}

static uint32_t branch(int words)
{
	return A64_B | ((uint32_t)words & 0x3ffffff);
}

/* bits lo .. lo + n - 1, with their sign, as a distance in units of 4 */
static uint64_t distance(uint32_t word, int lo, int n)
{
	int64_t v = (int64_t)((uint64_t)word << (64 - lo - n)) >> (64 - n);

	return (uint64_t)(v * 4);
}

static bool is_landing(uint32_t word)
{
	unsigned hint = word >> 5 & 0x7f;

	return (word & A64_HINT_MASK) == A64_NOP_HINT &&
	       (hint == HINT_PACIASP || hint == HINT_PACIBSP ||
		(hint >= HINT_BTI && hint <= HINT_BTI + 6));
}

/* adr, adrp: the address comes from memory. */
static void move_address(struct agent_place *p, uint32_t word)
{
	int64_t v = (int64_t)((uint64_t)(word >> 5 & 0x7ffff) << 45) >>
		    43; /* immhi, 2 low bits */
	uint64_t target;

	v |= word >> 29 & 3;
	target = word >> 31 ? (p->addr & ~UINT64_C(0xfff)) + ((uint64_t)v << 12)
			    : p->addr + (uint64_t)v;
	put(p, A64_LDR_LITERAL_X | 2u << 5 | (word & 31));
	put(p, branch(3));
	put_fix(p, AGENT_FIX_ABS64, target);
}

/* ldr (literal): the address from memory, then the load. */
static int move_load(struct agent_place *p, uint32_t word, struct err *e)
{
	static const uint32_t load[] = {A64_LDR_W, A64_LDR_X, A64_LDRSW};
	uint32_t rt = word & 31, size = word >> 30;

	if (word & 1u << 26 || size > 2 || rt == 31)
		return err_set(
			e, ERR_UNSUPPORTED,
			"a load of a vector or a prefetch from near its own address");
	put(p, A64_LDR_LITERAL_X | 3u << 5 | rt);
	put(p, load[size] | rt << 5 | rt);
	put(p, branch(3));
	put_fix(p, AGENT_FIX_ABS64, p->addr + distance(word, 5, 19));
	return 0;
}

/* A conditional branch: over a branch over a branch. */
static void move_condition(struct agent_place *p, uint32_t word, int bits)
{
	uint32_t mask = ((1u << bits) - 1) << 5;

	put(p, (word & ~mask) | 2u << 5);
	put(p, branch(2));
	put_fix(p, AGENT_FIX_B26, p->addr + distance(word, 5, bits));
}

static int move(struct agent_place *p, uint32_t word, enum place_where where,
		struct err *e)
{
	p->back = p->addr + 4;
	if ((word & 0xfc000000) == 0x94000000) { /* bl */
		if (where != PLACE_LEAVE)
			return err_set(e, ERR_UNSUPPORTED, "a call cannot be moved");
		p->lead = AGENT_LEAD_CALL;
		p->back = 0;
		put_fix(p, AGENT_FIX_B26, p->addr + distance(word, 0, 26));
	} else if ((word & 0xfc000000) == A64_B) {
		p->back = 0;
		put_fix(p, AGENT_FIX_B26, p->addr + distance(word, 0, 26));
	} else if ((word & 0xff000000) == 0x54000000 ||
		   (word & 0x7e000000) == 0x34000000) {
		move_condition(p, word, 19); /* b.cond, cbz, cbnz */
	} else if ((word & 0x7e000000) == 0x36000000) {
		move_condition(p, word, 14); /* tbz, tbnz */
	} else if ((word & 0x1f000000) == 0x10000000) {
		move_address(p, word);
	} else if ((word & 0x3b000000) == 0x18000000) {
		return move_load(p, word, e);
	} else if ((word & 0xfe9ffc00) == 0xd61f0000 && (word >> 21 & 3) == 1) {
		return err_set(e, ERR_UNSUPPORTED, "a call through a register"); /* blr */
	} else if ((word & 0x3f000000) == 0x08000000) {
		return err_set(e, ERR_UNSUPPORTED,
			       "an exclusive access, which a probe would end");
	} else if ((word & 0xff000000) == 0xd4000000) {
		return err_set(e, ERR_UNSUPPORTED,
			       "an instruction whose address is seen");
	} else {
		put(p, word);
		if ((word & 0xfe000000) == 0xd6000000) /* br, ret */
			p->back = 0;
	}
	return 0;
}

int place_arm(struct agent_place *p, struct elf_file *f, const struct code_map *m,
	      enum place_where where, struct err *e)
{
	uint32_t word;

	if (elf_file_bytes(f, p->addr, &word, 4) != 4)
		return err_set(e, ERR_UNSUPPORTED, "no code");
	if (where == PLACE_ENTRY && is_landing(word)) {
		p->addr += 4;
		for (size_t i = 0; i < m->ntarget; i++)
			if (m->target[i] == p->addr)
				return err_set(
					e, ERR_UNSUPPORTED,
					"its second instruction is the head of a loop");
		if (elf_file_bytes(f, p->addr, &word, 4) != 4)
			return err_set(e, ERR_UNSUPPORTED, "no code");
	}
	if (is_landing(word))
		return err_set(e, ERR_UNSUPPORTED, "a landing must stay where it is");
	p->old_len = 4;
	return move(p, word, where, e);
}
