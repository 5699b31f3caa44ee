// SPDX-License-Identifier: GPL-2.0-only
/* libprobed.so */
#include <execinfo.h>
#include <stdint.h>
#include <string.h>

#include "probed.h"

__attribute__((noinline)) long probed(long n)
{
	volatile long card = n; /* below the stack pointer */

	return card + 1;
}

#ifdef __x86_64__
/*
 * A leaf with data below the stack pointer, flags set before the place and read after it,
 * all registers and vectors with known contents. places: doorbell (store +0x400), the
 * entry behind an endbr64, ret without padding.
 */
long keeper(uint64_t *card, uint64_t *out);
__asm__(".text\n"
	".balign 16\n"
	".globl keeper\n"
	".type keeper, @function\n"
	"keeper:\n"
	"	endbr64\n"
	"	push %rbx\n"
	"	push %r12\n"
	"	push %r15\n"
	"	mov $0x1122334455667788, %rax\n"
	"	mov %rax, -8(%rsp)\n"
	"	mov %rax, -64(%rsp)\n"
	"	mov %rax, -128(%rsp)\n"
	"	movq %rax, %xmm0\n"
	"	movq %rax, %xmm15\n"
	"	mov $11, %ecx\n"
	"	mov $12, %edx\n"
	"	mov $13, %r8d\n"
	"	mov $14, %r9d\n"
	"	mov $15, %r10d\n"
	"	mov $16, %r11d\n"
	"	mov $17, %ebx\n"
	"	mov $18, %r12d\n"
	"	mov $19, %r15d\n"
	"	mov $0x7f, %al\n"
	"	add $1, %al\n"		 /* overflow, sign, no carry */
	"	mov %rdx, 0x400(%rdi)\n" /* the place */
	"	jno 9f\n"
	"	jns 9f\n"
	"	jc 9f\n"
	"	jz 9f\n"
	"	movq %xmm0, (%rsi)\n"
	"	movq %xmm15, 8(%rsi)\n"
	"	mov -8(%rsp), %rax\n"
	"	mov %rax, 16(%rsi)\n"
	"	mov -64(%rsp), %rax\n"
	"	mov %rax, 24(%rsi)\n"
	"	mov -128(%rsp), %rax\n"
	"	mov %rax, 32(%rsi)\n"
	"	lea (%rcx,%rdx), %rax\n"
	"	add %r8, %rax\n"
	"	add %r9, %rax\n"
	"	add %r10, %rax\n"
	"	add %r11, %rax\n"
	"	add %rbx, %rax\n"
	"	add %r12, %rax\n"
	"	add %r15, %rax\n"
	"	jmp 8f\n"
	"9:	mov $-1, %rax\n"
	"8:	pop %r15\n"
	"	pop %r12\n"
	"	pop %rbx\n"
	"	stc\n" /* a flag that the caller reads */
	"	ret\n"
	".size keeper, . - keeper\n");

int kept(long n)
{
	static uint64_t card[256], out[5];
	int bad = 0;

	for (long i = 0; i < n; i++) {
		long sum;
		unsigned char carry;

		memset(out, 0, sizeof(out));
		__asm__ volatile("lea -128(%%rsp), %%rsp\n\t" /* past our own red zone */
				 "call keeper\n\t"
				 "lea 128(%%rsp), %%rsp\n\t"
				 "setc %1"
				 : "=a"(sum), "=q"(carry)
				 : "D"(card), "S"(out)
				 : "rcx", "rdx", "r8", "r9", "r10", "r11", "xmm0",
				   "xmm15", "memory", "cc");
		bad += sum != 135 || !carry || card[128] != 12;
		for (int k = 0; k < 5; k++)
			bad += out[k] != 0x1122334455667788;
	}
	return bad;
}
#else
int kept(long n)
{
	return (int)(n - n);
}
#endif

static __attribute__((noinline)) int depth(void)
{
	void *frame[64];

	return backtrace(frame, 64);
}

/* (Variables in memory, so that the entries have room for a jump before their calls.) */
__attribute__((noinline)) int unwound(void)
{
	volatile int before = 1;
	int n = depth() * before;

	__asm__ volatile("" : "+r"(n));
	return n;
}

static __attribute__((noinline)) long stood(int (*still)(void))
{
	long n = 0;

	while (still())
		for (volatile int spin = 0; spin < 1000; spin++)
			n++;
	return n;
}

__attribute__((noinline)) long stand(int (*still)(void))
{
	volatile long before = 1;
	long n = stood(still) * before;

	__asm__ volatile("" : "+r"(n));
	return n;
}
