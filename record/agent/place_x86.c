/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * x86-64: a jump needs five bytes. Forward from the place, whole instructions are moved
 * into the trampoline; before a ret, backward; nops behind code that does not run on
 * belong to nobody. Intel SDM 2, AMD64 APM 3 for the encodings.
 */
#include <capstone/capstone.h>
#include <inttypes.h>
#include <string.h>

#include "lib/err.h"
#include "record/agent/place.h"
#include "record/elf/elf_file.h"

enum { JUMP = 5, MAX_MOVED = 12, PAD_LINE = 16 };

struct mover {
	csh cs;
	cs_insn *in;
	struct elf_file *f;
	struct agent_place *p;
	struct err *e;
};

static int refuse(struct mover *v, const char *why)
{
	return err_set(v->e, ERR_UNSUPPORTED, "%s (%s %s at 0x%" PRIx64 ")", why,
		       v->in->mnemonic, v->in->op_str, v->in->address);
}

static bool decode(struct mover *v, uint64_t addr)
{
	uint8_t buf[16];
	size_t len = elf_file_bytes(v->f, addr, buf, sizeof(buf));
	const uint8_t *code = buf;

	return len && cs_disasm_iter(v->cs, &code, &len, &addr, v->in);
}

static int put(struct mover *v, const void *bytes, size_t n)
{
	struct agent_place *p = v->p;

	if (p->code_len + n > AGENT_CODE)
		return refuse(v, "too much code to move");
	memcpy(p->code + p->code_len, bytes, n);
	p->code_len = (uint8_t)(p->code_len + n);
	return 0;
}

/* at: of the four bytes, counted back from the end of what was put last. */
static int put_fix(struct mover *v, size_t back, size_t after, uint64_t target)
{
	struct agent_place *p = v->p;

	if (p->nfix == AGENT_FIXUPS)
		return refuse(v, "too much code to move");
	p->fix[p->nfix++] =
		(struct agent_fixup){.kind = AGENT_FIX_REL32,
				     .at = (uint8_t)(p->code_len - back),
				     .end = (uint8_t)(p->code_len - back + 4 + after),
				     .target = target};
	return 0;
}

/* A direct jump, with four bytes of distance. */
static int move_jump(struct mover *v)
{
	const cs_x86 *x = &v->in->detail->x86;
	uint8_t out[6] = {0xe9};
	size_t n = 5;
	int rc;

	if (v->in->id != X86_INS_JMP) {
		out[0] = 0x0f;
		out[1] = x->opcode[0] == 0x0f ? x->opcode[1]
					      : (uint8_t)(x->opcode[0] + 0x10);
		if ((out[1] & 0xf0) != 0x80)
			return refuse(v, "an unknown jump");
		n = 6;
	}
	rc = put(v, out, n);
	return rc ? rc : put_fix(v, 4, 0, (uint64_t)x->operands[0].imm);
}

static const cs_x86_op *relative(const cs_insn *in)
{
	const cs_x86 *x = &in->detail->x86;

	for (int i = 0; i < x->op_count; i++)
		if (x->operands[i].type == X86_OP_MEM &&
		    (x->operands[i].mem.base == X86_REG_RIP ||
		     x->operands[i].mem.base == X86_REG_EIP))
			return &x->operands[i];
	return NULL;
}

/* As it is, but for the distance of a rip-relative operand. */
static int move_plain(struct mover *v)
{
	const cs_insn *in = v->in;
	const cs_x86 *x = &in->detail->x86;
	const cs_x86_op *mem = relative(in);
	size_t at = x->encoding.disp_offset;
	int32_t disp;
	int rc;

	rc = put(v, in->bytes, in->size);
	if (rc || !mem)
		return rc;
	if (mem->mem.base == X86_REG_EIP || x->encoding.disp_size != 4 || !at ||
	    at + 4 > in->size)
		return refuse(v, "an address that cannot be encoded anew");
	memcpy(&disp, in->bytes + at, 4);
	if (disp != mem->mem.disp)
		return refuse(v, "an address that cannot be encoded anew");
	return put_fix(v, in->size - at, in->size - at - 4,
		       in->address + in->size + (uint64_t)(int64_t)disp);
}

static int move(struct mover *v)
{
	switch (v->in->id) {
	case X86_INS_ENDBR64:
	case X86_INS_ENDBR32:
		return refuse(v, "endbr64 must stay where it is");
	case X86_INS_JCXZ:
	case X86_INS_JECXZ:
	case X86_INS_JRCXZ:
	case X86_INS_LOOP:
	case X86_INS_LOOPE:
	case X86_INS_LOOPNE:
		return refuse(v, "a short jump that has no longer form");
	case X86_INS_SYSCALL:
	case X86_INS_SYSENTER:
	case X86_INS_INT:
	case X86_INS_INT3:
	case X86_INS_INT1:
	case X86_INS_INTO:
	case X86_INS_UD2:
	case X86_INS_HLT:
	case X86_INS_XBEGIN:
	case X86_INS_XABORT:
		return refuse(v, "an instruction whose address is seen");
	default:
		break;
	}
	if (cs_insn_group(v->cs, v->in, CS_GRP_CALL))
		return refuse(v, "a call cannot be moved");
	if (cs_insn_group(v->cs, v->in, CS_GRP_JUMP) &&
	    v->in->detail->x86.operands[0].type == X86_OP_IMM)
		return move_jump(v);
	if (cs_insn_group(v->cs, v->in, CS_GRP_BRANCH_RELATIVE))
		return refuse(v, "an unknown jump");
	return move_plain(v);
}

/* Does control run on behind it? */
static bool runs_on(const struct mover *v)
{
	return !cs_insn_group(v->cs, v->in, CS_GRP_RET) && v->in->id != X86_INS_JMP;
}

/* How many bytes behind code that does not run on belong to nobody: nops and int3 up to
 * `want`; never across the beginning of a line of 16 bytes unless the body has them, as a
 * function without a name may begin there. */
static size_t padding(struct mover *v, const struct code_map *m, uint64_t addr,
		      size_t want)
{
	uint64_t end = addr, known = m->n ? m->insn[m->n - 1].addr : 0;

	while (end < addr + want) {
		if (!decode(v, end) ||
		    (v->in->id != X86_INS_NOP && v->in->id != X86_INS_INT3))
			break;
		end += v->in->size;
	}
	if (end > addr + want)
		end = addr + want; /* the rest of a long nop is never executed */
	for (uint64_t line = (addr + PAD_LINE - 1) & ~(uint64_t)(PAD_LINE - 1);
	     line < end; line += PAD_LINE)
		if (line > known)
			return (size_t)(line - addr);
	return (size_t)(end - addr);
}

/* Moves instructions from the place on until a jump fits. */
static int forward(struct mover *v, const struct code_map *m)
{
	struct agent_place *p = v->p;
	uint64_t addr = p->addr;
	int rc = 0;

	for (int i = 0; !rc && addr < p->addr + JUMP; i++) {
		if (!decode(v, addr) || i == MAX_MOVED)
			return err_set(v->e, ERR_UNSUPPORTED, "an unknown instruction");
		rc = move(v);
		addr += v->in->size;
		if (rc || runs_on(v))
			continue;
		if (addr < p->addr + JUMP)
			addr += padding(v, m, addr, (size_t)(p->addr + JUMP - addr));
		if (addr < p->addr + JUMP)
			return err_set(v->e, ERR_UNSUPPORTED,
				       "no room for a jump of %d bytes before other code",
				       JUMP);
		p->old_len = (uint8_t)(addr - p->addr);
		return rc;
	}
	p->old_len = (uint8_t)(addr - p->addr);
	p->back = addr;
	return rc;
}

static size_t index_of(const struct code_map *m, uint64_t addr)
{
	size_t i = 0;

	while (i < m->n && m->insn[i].addr != addr)
		i++;
	return i;
}

/* A ret: it goes last, behind the probe, and straight-line code may go before it. */
static int backward(struct mover *v, const struct code_map *m)
{
	struct agent_place *p = v->p;
	size_t at = index_of(m, p->addr), first = at;
	uint64_t ret = p->addr, end, start = ret;
	size_t pad;
	int rc = 0;

	if (at == m->n || !decode(v, ret))
		return err_set(v->e, ERR_UNSUPPORTED, "an unknown instruction");
	end = ret + v->in->size;
	pad = padding(v, m, end, JUMP);
	while (end + pad - start < JUMP) {
		const struct insn *b = first ? &m->insn[first - 1] : NULL;

		if (!b || b->addr + b->size != start ||
		    (b->kind != INSN_PLAIN && b->kind != INSN_NOP))
			return err_set(v->e, ERR_UNSUPPORTED,
				       "no room for a jump of %d bytes: no straight code "
				       "before it, no padding behind it",
				       JUMP);
		start = b->addr;
		first--;
	}
	for (; !rc && first < at; first++) {
		if (!decode(v, m->insn[first].addr))
			return err_set(v->e, ERR_UNSUPPORTED, "an unknown instruction");
		rc = move(v);
	}
	p->pre_len = p->code_len;
	if (!rc && decode(v, ret))
		rc = move(v);
	p->addr = start;
	p->old_len = (uint8_t)(end - start < JUMP ? JUMP : end - start);
	return rc;
}

/* A call, or a jump out of the function, is led to the trampoline, and from there on. */
static int leave(struct mover *v, const struct code_map *m)
{
	struct agent_place *p = v->p;
	bool call;
	const cs_x86 *x;
	int rc;

	if (!decode(v, p->addr))
		return err_set(v->e, ERR_UNSUPPORTED, "an unknown instruction");
	call = cs_insn_group(v->cs, v->in, CS_GRP_CALL);
	if (!call)
		return forward(v, m);
	x = &v->in->detail->x86;
	p->old_len = (uint8_t)v->in->size;
	if (x->operands[0].type == X86_OP_IMM && v->in->size == 5) {
		p->lead = AGENT_LEAD_CALL;
		rc = put(v, "\xe9\0\0\0", 5);
		return rc ? rc : put_fix(v, 4, 0, (uint64_t)x->operands[0].imm);
	}
	if (relative(v->in) && v->in->size == 6) {
		p->lead = AGENT_LEAD_CALL67;
		rc = put(v, "\xff\x25\0\0\0", 6);
		return rc ? rc
			  : put_fix(v, 4, 0,
				    v->in->address + 6 +
					    (uint64_t)relative(v->in)->mem.disp);
	}
	return refuse(v, "a call through a register");
}

/* What was prepared says the same as what was there, but for the addresses that will be
 * filled in. */
static int check_moved(struct mover *v)
{
	const struct agent_place *p = v->p;
	uint64_t at = 0;

	while (at < p->code_len) {
		const uint8_t *code = p->code + at;
		size_t len = p->code_len - at;
		uint64_t addr = at;

		if (!cs_disasm_iter(v->cs, &code, &len, &addr, v->in))
			return err_set(v->e, ERR_UNSUPPORTED,
				       "what was moved does not decode");
		for (size_t i = 0; i < p->nfix; i++)
			if (p->fix[i].at >= at && p->fix[i].at < at + v->in->size &&
			    p->fix[i].end != at + v->in->size)
				return refuse(v, "an address was misplaced");
		at += v->in->size;
	}
	return 0;
}

int place_x86(struct agent_place *p, struct elf_file *f, const struct code_map *m,
	      enum place_where where, struct err *e)
{
	struct mover v = {.f = f, .p = p, .e = e};
	int rc = 0;

	if (cs_open(CS_ARCH_X86, CS_MODE_64, &v.cs) != CS_ERR_OK)
		return err_nomem(e, "the agent");
	cs_option(v.cs, CS_OPT_DETAIL, CS_OPT_ON);
	v.in = cs_malloc(v.cs);
	if (!v.in)
		rc = err_nomem(e, "the agent");
	if (!rc && where == PLACE_ENTRY && decode(&v, p->addr) &&
	    v.in->id == X86_INS_ENDBR64) {
		p->addr += v.in->size;
		for (size_t i = 0; !rc && i < m->ntarget; i++)
			if (m->target[i] == p->addr)
				rc = err_set(
					e, ERR_UNSUPPORTED,
					"its second instruction is the head of a loop");
	}
	if (!rc)
		rc = where == PLACE_EXIT    ? backward(&v, m)
		     : where == PLACE_LEAVE ? leave(&v, m)
					    : forward(&v, m);
	if (!rc)
		rc = check_moved(&v);
	if (v.in)
		cs_free(v.in, 1);
	cs_close(&v.cs);
	return rc;
}
