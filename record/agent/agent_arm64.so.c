/* SPDX-License-Identifier: GPL-2.0-only */
/* aarch64: registers saved and restored around a hit, and the code that leads there. */
#include "record/agent/agent.h"

/*
 * Called by a stub with the place and its loading in w0; x0 and x30 lie where the stub has
 * put them. There is no red zone; the vector registers are not touched.
 */
__asm__(".text\n"
	".balign 64\n"
	".globl agent_common\n"
	".hidden agent_common\n"
	".type agent_common, %function\n"
	"agent_common:\n"
	"	sub sp, sp, #272\n" /* struct frame, and the way back */
	"	str x30, [sp, #264]\n"
	"	str x1, [sp, #8]\n"
	"	stp x2, x3, [sp, #16]\n"
	"	stp x4, x5, [sp, #32]\n"
	"	stp x6, x7, [sp, #48]\n"
	"	stp x8, x9, [sp, #64]\n"
	"	stp x10, x11, [sp, #80]\n"
	"	stp x12, x13, [sp, #96]\n"
	"	stp x14, x15, [sp, #112]\n"
	"	stp x16, x17, [sp, #128]\n"
	"	stp x18, x19, [sp, #144]\n"
	"	stp x20, x21, [sp, #160]\n"
	"	stp x22, x23, [sp, #176]\n"
	"	stp x24, x25, [sp, #192]\n"
	"	stp x26, x27, [sp, #208]\n"
	"	stp x28, x29, [sp, #224]\n"
	"	ldp x2, x3, [sp, #272]\n" /* the stub's */
	"	str x2, [sp]\n"
	"	add x2, sp, #288\n"
	"	stp x3, x2, [sp, #240]\n"
	"	mrs x2, nzcv\n"
	"	str x2, [sp, #256]\n"
	"	mov w1, w0\n"
	"	mov x0, sp\n"
	"	bl agent_hit\n"
	"	ldr x0, [sp]\n"
	"	str x0, [sp, #272]\n"
	"	ldr x2, [sp, #256]\n"
	"	msr nzcv, x2\n"
	"	ldr x1, [sp, #8]\n"
	"	ldp x2, x3, [sp, #16]\n"
	"	ldp x4, x5, [sp, #32]\n"
	"	ldp x6, x7, [sp, #48]\n"
	"	ldp x8, x9, [sp, #64]\n"
	"	ldp x10, x11, [sp, #80]\n"
	"	ldp x12, x13, [sp, #96]\n"
	"	ldp x14, x15, [sp, #112]\n"
	"	ldp x16, x17, [sp, #128]\n"
	"	ldr x18, [sp, #144]\n"
	"	ldr x30, [sp, #264]\n"
	"	add sp, sp, #272\n"
	"	ret\n"
	".size agent_common, . - agent_common\n");
extern const char agent_common[] __attribute__((visibility("hidden")));

/* The call of the probe within a stub; the two numbers lie at the stub's end. */
static const uint32_t before[] = {0xa9bf7be0,  /* stp x0, x30, [sp, #-16]! */
				  0x18000000,  /* ldr w0, which */
				  0x5800001e,  /* ldr x30, agent_common */
				  0xd63f03c0,  /* blr x30 */
				  0xa8c17be0}; /* ldp x0, x30, [sp], #16 */
enum { ADDRESS = AGENT_STUB - 8, WHICH = AGENT_STUB - 16, B26 = 0x14000000 };

static uint32_t literal(uint32_t word, unsigned from, unsigned to)
{
	return word | ((to - from) / 4) << 5;
}

static bool put_branch(uint8_t *out, uint32_t word, uint64_t at, uint64_t target)
{
	int64_t d = (int64_t)(target - at) / 4;

	word |= (uint32_t)d & 0x3ffffff;
	copy_bytes(out, &word, 4);
	return d >= -(1 << 25) && d < 1 << 25;
}

bool agent_lead(const struct agent_place *p, uint64_t bias, uint64_t trampoline,
		uint8_t *out)
{
	return put_branch(out, p->lead == AGENT_LEAD_CALL ? 0x94000000 : B26,
			  bias + p->addr, trampoline);
}

bool agent_stub(const struct agent_place *p, uint32_t which, uint64_t bias, uint64_t at,
		uint8_t *out)
{
	uint64_t address = (uint64_t)agent_common;
	uint32_t words[5];
	unsigned end = sizeof(before) + p->code_len;
	bool good = true;

	for (unsigned i = 0; i < AGENT_STUB; i++)
		out[i] = 0;
	copy_bytes(words, before, sizeof(before));
	words[1] = literal(words[1], 4, WHICH);
	words[2] = literal(words[2], 8, ADDRESS);
	copy_bytes(out, words, sizeof(words));
	copy_bytes(out + sizeof(before), p->code, p->code_len);
	copy_bytes(out + WHICH, &which, 4);
	copy_bytes(out + ADDRESS, &address, 8);
	for (unsigned i = 0; i < p->nfix; i++) {
		const struct agent_fixup *x = &p->fix[i];
		unsigned to = sizeof(before) + x->at;
		uint64_t target = bias + x->target;

		if (x->kind == AGENT_FIX_ABS64)
			copy_bytes(out + to, &target, 8);
		else
			good &= put_branch(out + to, B26, at + to, target);
	}
	if (p->back)
		good &= put_branch(out + end, B26, at + end, bias + p->back);
	return good;
}

uint64_t agent_reach(void)
{
	return 100 << 20; /* of 128 MiB */
}

bool agent_shadow_stack(void)
{
	enum { GCS_STATUS = 74 }; /* PR_GET_SHADOW_STACK_STATUS */
	uint64_t mode = 0;

	return !sys2(__NR_prctl, GCS_STATUS, &mode) && mode & 1;
}

/* Data to the point of unification, then the old instructions out (Arm ARM, B2.7.4). */
void agent_flush(void *from, size_t len)
{
	uint64_t type, at, end = (uint64_t)from + len, data, code;

	__asm__ volatile("mrs %0, ctr_el0" : "=r"(type));
	data = UINT64_C(4) << (type >> 16 & 15);
	code = UINT64_C(4) << (type & 15);
	for (at = (uint64_t)from & ~(data - 1); at < end; at += data)
		__asm__ volatile("dc cvau, %0" : : "r"(at) : "memory");
	__asm__ volatile("dsb ish" : : : "memory");
	for (at = (uint64_t)from & ~(code - 1); at < end; at += code)
		__asm__ volatile("ic ivau, %0" : : "r"(at) : "memory");
	__asm__ volatile("dsb ish\n\tisb" : : : "memory");
}
