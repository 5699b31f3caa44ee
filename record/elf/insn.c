/* SPDX-License-Identifier: GPL-2.0-only */
/* Single instructions by capstone, in terms that do not depend on the machine. */
#include <capstone/capstone.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/err.h"
#include "record/elf/elf_file.h"

enum { PAST = 12, WINDOW = 4096 };

struct decoder {
	struct elf_file *f;
	csh cs;
	cs_insn *in;
	uint8_t code[WINDOW]; /* of the file, from `at` */
	uint64_t at;
	size_t len;
	/* The last instructions, for the origin of a jump's register. */
	struct past {
		uint64_t end;
		unsigned written; /* register */
		enum { WRITE_OTHER, WRITE_SUM, WRITE_INDEXED, WRITE_LOADED } how;
		uint64_t slot; /* of a load from a fixed address */
	} past[PAST];
	size_t npast;
	uint64_t page; /* aarch64: what the last adrp made */
};

int decoder_new(struct decoder **out, struct elf_file *f, struct err *e)
{
	struct decoder *d = calloc(1, sizeof(*d));
	bool arm = f->machine == EM_AARCH64;

	*out = NULL;
	if (!d)
		return err_nomem(e, "a program");
	d->f = f;
	if ((f->machine != EM_X86_64 && !arm) ||
	    cs_open(arm ? CS_ARCH_ARM64 : CS_ARCH_X86, arm ? CS_MODE_ARM : CS_MODE_64,
		    &d->cs) != CS_ERR_OK) {
		free(d);
		return err_set(e, ERR_UNSUPPORTED,
			       "%s: code of this machine (%u) cannot be decoded here",
			       f->path, f->machine);
	}
	cs_option(d->cs, CS_OPT_DETAIL, CS_OPT_ON);
	d->in = cs_malloc(d->cs);
	if (!d->in) {
		decoder_free(d);
		return err_nomem(e, "a program");
	}
	*out = d;
	return 0;
}

void decoder_free(struct decoder *d)
{
	if (!d)
		return;
	if (d->in)
		cs_free(d->in, 1);
	cs_close(&d->cs);
	free(d);
}

/* At least one instruction's bytes at addr, as far as the segment goes. */
static const uint8_t *bytes_at(struct decoder *d, uint64_t addr, size_t *len)
{
	uint64_t offset, room;
	ssize_t got;

	if (addr < d->at || addr - d->at + 16 > d->len) {
		if (!elf_file_offset(d->f, addr, &offset, &room))
			return NULL;
		got = pread(d->f->fd, d->code, room < WINDOW ? room : WINDOW,
			    (off_t)offset);
		if (got <= 0)
			return NULL;
		d->at = addr;
		d->len = (size_t)got;
	}
	*len = d->len - (addr - d->at);
	return d->code + (addr - d->at);
}

/* ---- x86-64 ---- */

static struct past x86_write(const cs_insn *in)
{
	const cs_x86 *x = &in->detail->x86;
	struct past p = {.end = in->address + in->size};
	const cs_x86_op *from = x->op_count > 1 ? &x->operands[1] : NULL;

	if (!x->op_count || x->operands[0].type != X86_OP_REG ||
	    !(x->operands[0].access & CS_AC_WRITE))
		return p;
	p.written = x->operands[0].reg;
	if (in->id == X86_INS_ADD)
		p.how = WRITE_SUM;
	else if (from && from->type == X86_OP_MEM && in->id != X86_INS_LEA)
		p.how = from->mem.index != X86_REG_INVALID ? WRITE_INDEXED : WRITE_LOADED;
	if (p.how == WRITE_LOADED && from->mem.base == X86_REG_RIP)
		p.slot = in->address + in->size + (uint64_t)from->mem.disp;
	return p;
}

/* "%ax:u32" of eax, "%r8:u8" of r8b; nothing of a register that is no integer's. */
static void x86_stored(const struct decoder *d, const cs_x86_op *o, char out[12])
{
	static const char *const bytes[][2] = {
		{"al", "ax"},  {"bl", "bx"},  {"cl", "cx"},  {"dl", "dx"},
		{"sil", "si"}, {"dil", "di"}, {"bpl", "bp"}, {"spl", "sp"}};
	const char *name = o->type == X86_OP_REG ? cs_reg_name(d->cs, o->reg) : NULL;
	size_t len = name ? strlen(name) : 0;

	if (o->size > 8 || len < 2)
		return;
	if (*name == 'r' && name[1] >= '0' && name[1] <= '9') {
		len = 1 + strspn(name + 1, "0123456789");
	} else if (len == 3 && (*name == 'r' || *name == 'e')) {
		name++;
		len = 2;
	} else if (o->size == 1) {
		for (size_t i = 0; i < sizeof(bytes) / sizeof(*bytes); i++)
			if (!strcmp(name, bytes[i][0])) {
				snprintf(out, 12, "%%%s:u8", bytes[i][1]);
				return;
			}
		return;
	} else if (len != 2 || o->size != 2) {
		return;
	}
	snprintf(out, 12, "%%%.*s:u%d", (int)len, name, o->size * 8);
}

static void x86_store(const struct decoder *d, const cs_insn *in, struct insn *out)
{
	const cs_x86 *x = &in->detail->x86;

	for (int i = 0; i < x->op_count; i++) {
		const cs_x86_op *o = &x->operands[i];

		if (o->type != X86_OP_MEM || !(o->access & CS_AC_WRITE) ||
		    o->mem.base == X86_REG_INVALID || o->mem.base == X86_REG_RIP ||
		    o->mem.base == X86_REG_RSP)
			continue;
		out->store = true;
		out->framed = o->mem.base == X86_REG_RBP;
		out->disp = o->mem.disp;
		if (in->id == X86_INS_MOV && x->op_count == 2 && !i)
			x86_stored(d, &x->operands[1], out->stored);
	}
	out->frames =
		in->id == X86_INS_MOV && x->op_count == 2 &&
		x->operands[0].type == X86_OP_REG && x->operands[0].reg == X86_REG_RBP &&
		x->operands[1].type == X86_OP_REG && x->operands[1].reg == X86_REG_RSP;
}

/* A register's jump: what filled it? */
static enum insn_kind register_jump(const struct decoder *d, unsigned reg, uint64_t *slot)
{
	for (size_t k = 0; k < d->npast && k < PAST; k++) {
		const struct past *p = &d->past[(d->npast - 1 - k) % PAST];

		if (p->written != reg)
			continue;
		*slot = p->slot;
		return p->how == WRITE_SUM || p->how == WRITE_INDEXED ? INSN_TABLE
		       : p->how == WRITE_LOADED			      ? INSN_INDIRECT
								      : INSN_UNCLEAR;
	}
	return INSN_UNCLEAR;
}

static void x86_jump(const struct decoder *d, const cs_insn *in, struct insn *out)
{
	const cs_x86 *x = &in->detail->x86;
	const cs_x86_op *o = &x->operands[0];

	if (!x->op_count) {
		out->kind = INSN_UNCLEAR;
	} else if (o->type == X86_OP_IMM) {
		out->kind = in->id == X86_INS_JMP ? INSN_JUMP : INSN_CONDITIONAL;
		out->target = (uint64_t)o->imm;
	} else if (x->prefix[1] == 0x3e) { /* notrack: the compiler's own table */
		out->kind = INSN_TABLE;
	} else if (o->type == X86_OP_MEM) {
		out->kind = o->mem.index != X86_REG_INVALID ? INSN_TABLE : INSN_INDIRECT;
		if (out->kind == INSN_TABLE && o->mem.base == X86_REG_INVALID)
			out->constant = (uint64_t)o->mem.disp;
		if (o->mem.base == X86_REG_RIP)
			out->slot = in->address + in->size + (uint64_t)o->mem.disp;
	} else {
		out->kind = register_jump(d, o->reg, &out->slot);
	}
}

/* capstone counts these among no group of jumps. */
static bool x86_counts(const cs_insn *in)
{
	switch (in->id) {
	case X86_INS_LOOP:
	case X86_INS_LOOPE:
	case X86_INS_LOOPNE:
	case X86_INS_JCXZ:
	case X86_INS_JECXZ:
	case X86_INS_JRCXZ:
	case X86_INS_XBEGIN:
		return true;
	default:
		return false;
	}
}

static void x86_decode(struct decoder *d, const cs_insn *in, struct insn *out)
{
	const cs_x86 *x = &in->detail->x86;

	if (cs_insn_group(d->cs, in, CS_GRP_RET)) {
		out->kind = INSN_RET;
	} else if (cs_insn_group(d->cs, in, CS_GRP_CALL)) {
		out->kind = INSN_CALL;
		if (x->op_count && x->operands[0].type == X86_OP_IMM)
			out->target = (uint64_t)x->operands[0].imm;
		else if (x->op_count && x->operands[0].type == X86_OP_MEM &&
			 x->operands[0].mem.base == X86_REG_RIP)
			out->slot = in->address + in->size +
				    (uint64_t)x->operands[0].mem.disp;
	} else if (x86_counts(in)) {
		out->kind = INSN_CONDITIONAL;
		out->target = x->op_count ? (uint64_t)x->operands[0].imm : 0;
	} else if (cs_insn_group(d->cs, in, CS_GRP_JUMP)) {
		x86_jump(d, in, out);
	} else if (in->id == X86_INS_UD2 || in->id == X86_INS_HLT ||
		   in->id == X86_INS_INT3) {
		out->kind = INSN_STOP;
	} else if (in->id == X86_INS_NOP) {
		out->kind = INSN_NOP;
	} else {
		x86_store(d, in, out);
		if (in->id == X86_INS_LEA && x->op_count == 2 &&
		    x->operands[1].type == X86_OP_MEM &&
		    x->operands[1].mem.base == X86_REG_RIP)
			out->constant = in->address + in->size +
					(uint64_t)x->operands[1].mem.disp;
	}
	d->past[d->npast++ % PAST] = x86_write(in);
}

/* ---- aarch64 ---- */

static struct past arm_write(struct decoder *d, const cs_insn *in)
{
	const cs_arm64 *x = &in->detail->arm64;
	struct past p = {.end = in->address + in->size};

	if (!x->op_count || x->operands[0].type != ARM64_OP_REG ||
	    !strncmp(in->mnemonic, "st", 2) || !strncmp(in->mnemonic, "cmp", 3))
		return p;
	p.written = x->operands[0].reg;
	if (in->id == ARM64_INS_ADRP && x->op_count > 1)
		d->page = (uint64_t)x->operands[1].imm;
	if (in->id == ARM64_INS_ADD && x->op_count > 2 &&
	    x->operands[2].type == ARM64_OP_REG)
		p.how = WRITE_SUM;
	else if (x->op_count > 1 && x->operands[1].type == ARM64_OP_MEM)
		p.how = x->operands[1].mem.index != ARM64_REG_INVALID ? WRITE_INDEXED
								      : WRITE_LOADED;
	if (p.how == WRITE_LOADED && d->page)
		p.slot = d->page + (uint64_t)x->operands[1].mem.disp;
	return p;
}

static void arm_stored(const struct decoder *d, const cs_arm64_op *o, char out[12])
{
	const char *name = o->type == ARM64_OP_REG ? cs_reg_name(d->cs, o->reg) : NULL;

	if (name && (*name == 'w' || *name == 'x') && name[1] >= '0' && name[1] <= '9')
		snprintf(out, 12, "%%x%.2s:u%d", name + 1, *name == 'w' ? 32 : 64);
}

static void arm_decode(struct decoder *d, const cs_insn *in, struct insn *out)
{
	const cs_arm64 *x = &in->detail->arm64;
	const cs_arm64_op *last = x->op_count ? &x->operands[x->op_count - 1] : NULL;

	if (in->id == ARM64_INS_RET || !strncmp(in->mnemonic, "reta", 4)) {
		out->kind = INSN_RET;
	} else if (in->id == ARM64_INS_BL || in->id == ARM64_INS_BLR) {
		out->kind = INSN_CALL;
		if (last && last->type == ARM64_OP_IMM)
			out->target = (uint64_t)last->imm;
	} else if (in->id == ARM64_INS_BR) {
		out->kind = last ? register_jump(d, last->reg, &out->slot) : INSN_UNCLEAR;
	} else if (cs_insn_group(d->cs, in, CS_GRP_JUMP)) {
		bool plain = in->id == ARM64_INS_B &&
			     (x->cc == ARM64_CC_INVALID || x->cc == ARM64_CC_AL);

		out->kind = plain ? INSN_JUMP : INSN_CONDITIONAL;
		out->target =
			last && last->type == ARM64_OP_IMM ? (uint64_t)last->imm : 0;
	} else if (in->id == ARM64_INS_BRK || in->id == ARM64_INS_HLT) {
		out->kind = INSN_STOP;
	} else if (in->id == ARM64_INS_NOP) {
		out->kind = INSN_NOP;
	} else if (!strncmp(in->mnemonic, "st", 2) && last &&
		   last->type == ARM64_OP_MEM && last->mem.base != ARM64_REG_SP) {
		out->store = true;
		out->disp = last->mem.disp;
		if (in->id == ARM64_INS_STR || in->id == ARM64_INS_STUR)
			arm_stored(d, &x->operands[0], out->stored);
	}
	d->past[d->npast++ % PAST] = arm_write(d, in);
}

bool decoder_at(struct decoder *d, uint64_t addr, struct insn *out)
{
	size_t len = 0;
	const uint8_t *code = bytes_at(d, addr, &len);
	uint64_t at = addr;

	if (!code || !cs_disasm_iter(d->cs, &code, &len, &at, d->in))
		return false;
	if (d->npast && d->past[(d->npast - 1) % PAST].end != addr)
		d->npast = 0; /* what came before is not what is executed before */
	*out = (struct insn){.addr = addr, .size = (uint8_t)d->in->size};
	if (d->f->machine == EM_AARCH64)
		arm_decode(d, d->in, out);
	else
		x86_decode(d, d->in, out);
	snprintf(out->text, sizeof(out->text), "%s%s%s", d->in->mnemonic,
		 *d->in->op_str ? " " : "", d->in->op_str);
	return true;
}
