/* SPDX-License-Identifier: GPL-2.0-only */
/* x86-64: registers saved and restored around a hit, and the code that leads there. */
#include "record/agent/agent.h"

/*
 * Called by a stub with the place and its loading in eax; rax itself, and the 128 bytes below the
 * program's stack pointer, have been left behind by the stub. Saves what C may change,
 * the flags by lahf and seto (popf is slow); no vector register is touched by what it
 * calls (-mgeneral-regs-only, and the vDSO is kernel code).
 */
__asm__(".text\n"
	".balign 64\n"
	".globl agent_common\n"
	".hidden agent_common\n"
	".type agent_common, @function\n"
	"agent_common:\n"
	"	endbr64\n"
	"	lea -144(%rsp), %rsp\n" /* struct frame, and 8 bytes */
	"	mov %rcx, 8(%rsp)\n"
	"	mov %rdx, 16(%rsp)\n"
	"	mov %rbx, 24(%rsp)\n"
	"	mov %rbp, 40(%rsp)\n"
	"	mov %rsi, 48(%rsp)\n"
	"	mov %rdi, 56(%rsp)\n"
	"	mov %r8, 64(%rsp)\n"
	"	mov %r9, 72(%rsp)\n"
	"	mov %r10, 80(%rsp)\n"
	"	mov %r11, 88(%rsp)\n"
	"	mov %r12, 96(%rsp)\n"
	"	mov %r13, 104(%rsp)\n"
	"	mov %r14, 112(%rsp)\n"
	"	mov %r15, 120(%rsp)\n"
	"	mov %eax, %esi\n"
	"	lahf\n"
	"	seto %al\n"
	"	mov %rax, 128(%rsp)\n"
	"	mov 152(%rsp), %rax\n" /* the stub's push */
	"	mov %rax, (%rsp)\n"
	"	lea 288(%rsp), %rax\n" /* 144, return address, push, red zone */
	"	mov %rax, 32(%rsp)\n"
	"	mov %rsp, %rdi\n"
	"	mov %rsp, %rbx\n"
	"	and $-16, %rsp\n"
	"	call agent_hit\n"
	"	mov %rbx, %rsp\n"
	"	mov 128(%rsp), %rax\n"
	"	add $0x7f, %al\n"
	"	sahf\n"
	"	mov 8(%rsp), %rcx\n"
	"	mov 16(%rsp), %rdx\n"
	"	mov 24(%rsp), %rbx\n"
	"	mov 48(%rsp), %rsi\n"
	"	mov 56(%rsp), %rdi\n"
	"	mov 64(%rsp), %r8\n"
	"	mov 72(%rsp), %r9\n"
	"	mov 80(%rsp), %r10\n"
	"	mov 88(%rsp), %r11\n"
	"	lea 144(%rsp), %rsp\n"
	"	ret\n"
	".size agent_common, . - agent_common\n");
extern const char agent_common[] __attribute__((visibility("hidden")));

/* The call of the probe within a stub; its address lies behind it, in the stub. */
static const uint8_t before[] = {
	0x48, 0x8d, 0x64, 0x24, 0x80,		/* lea -128(%rsp),%rsp */
	0x50,					/* push %rax */
	0xb8, 0,    0,	  0,	0,		/* mov $which,%eax */
	0xff, 0x15, 0,	  0,	0,    0,	/* call *address(%rip) */
	0x58,					/* pop %rax */
	0x48, 0x8d, 0xa4, 0x24, 0x80, 0, 0, 0}; /* lea 128 */
enum { AT_WHICH = 7, AT_CALL = 13, CALL_END = 17, ADDRESS = AGENT_STUB - 8 };
_Static_assert(AGENT_CODE + sizeof(before) + 5 + 8 <= AGENT_STUB,
	       "a stub holds its code");

static bool put_rel32(uint8_t *out, uint64_t end, uint64_t target)
{
	int64_t d = (int64_t)(target - end);
	int32_t v = (int32_t)d;

	copy_bytes(out, &v, 4);
	return v == d;
}

bool agent_lead(const struct agent_place *p, uint64_t bias, uint64_t trampoline,
		uint8_t *out)
{
	uint64_t at = bias + p->addr;

	for (unsigned i = 0; i < p->old_len; i++)
		out[i] = 0x90;
	if (p->lead == AGENT_LEAD_CALL67) {
		out[0] = 0x67;
		out[1] = 0xe8;
		return put_rel32(out + 2, at + 6, trampoline);
	}
	out[0] = p->lead == AGENT_LEAD_CALL ? 0xe8 : 0xe9;
	return put_rel32(out + 1, at + 5, trampoline);
}

bool agent_stub(const struct agent_place *p, uint32_t which, uint64_t bias, uint64_t at,
		uint8_t *out)
{
	uint64_t address = (uint64_t)agent_common;
	unsigned n = p->pre_len, end;
	bool good;

	for (unsigned i = 0; i < AGENT_STUB; i++)
		out[i] = 0xcc;
	copy_bytes(out, p->code, p->pre_len);
	copy_bytes(out + n, before, sizeof(before));
	copy_bytes(out + n + AT_WHICH, &which, 4);
	good = put_rel32(out + n + AT_CALL, at + n + CALL_END, at + ADDRESS);
	copy_bytes(out + ADDRESS, &address, 8);
	n += sizeof(before);
	copy_bytes(out + n, p->code + p->pre_len, (size_t)(p->code_len - p->pre_len));
	for (unsigned i = 0; i < p->nfix; i++) {
		const struct agent_fixup *x = &p->fix[i];
		unsigned move = x->at >= p->pre_len ? sizeof(before) : 0;

		good &= put_rel32(out + x->at + move, at + x->end + move,
				  bias + x->target);
	}
	end = (unsigned)sizeof(before) + p->code_len;
	if (p->back) {
		out[end] = 0xe9;
		good &= put_rel32(out + end + 1, at + end + 5, bias + p->back);
	}
	return good;
}

uint64_t agent_reach(void)
{
	return 0x70000000; /* of 2 GiB: what the code refers to may lie on the other side */
}

bool agent_shadow_stack(void)
{
	enum { SHSTK_STATUS = 0x5005 };
	uint64_t features = 0;

	return !sys2(__NR_arch_prctl, SHSTK_STATUS, &features) && features & 1;
}

void agent_flush(void *from, size_t len)
{
	(void)from;
	(void)len;
}
