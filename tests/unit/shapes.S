/* SPDX-License-Identifier: GPL-2.0-only */
/* Functions in the shapes that decide whether a place is safe: test_place.c. */
.macro fn name
	.balign 32, 0xcc
	.globl \name
	.type \name, @function
\name:
.endm
.macro end name
	.size \name, . - \name
.endm
.section .rodata
	.balign 4
table:
	.long .Lone - table, .Ltwo - table
data:	.quad 5
.text
fn plain
	lea 1(%rdi), %rax
	mov %rax, %rdx
	ret
end plain
fn landing
	endbr64
	mov %rdi, %rax
	add $1, %rax
	ret
end landing
fn relative
	mov data(%rip), %rax
	add %rdi, %rax
	ret
end relative
fn branch
	test %edi, %edi
	je 1f
	mov $1, %eax
	ret
1:	mov $2, %eax
	ret
end branch
fn head
	push %rbx
	mov %edi, %ebx
5:	dec %ebx
	jnz 5b
	pop %rbx
	ret
end head
fn second
	endbr64
5:	sub $1, %rdi
	jnz 5b
	mov %rdi, %rax
	ret
end second
fn caller
	call plain
	ret
end caller
fn counted
	loop 1f
	mov $1, %eax
1:	mov $2, %eax
	ret
end counted
fn shared
	xor %eax, %eax
	test %edi, %edi
	je 5f
	mov $1, %eax
5:	ret
	.byte 0x31, 0xc0	/* no padding behind it: code that nothing reaches */
	jmp 5b
end shared
fn straight
	sub $8, %rsp
	lea 1(%rdi), %rax
	add $8, %rsp
	ret
end straight
	ret
fn padded
	test %edi, %edi
	je 5f
	mov %edi, %eax
5:	ret
end padded
fn switched
	push %rbp
.Lone:	lea table(%rip), %rdx
	movslq (%rdx,%rdi,4), %rax
	add %rdx, %rax
	notrack jmp *%rax
.Ltwo:	mov $2, %eax
	pop %rbp
	ret
end switched
fn calling
	sub $8, %rsp
	call outside@PLT
	call *outside@GOTPCREL(%rip)
	call *%rax
	add $8, %rsp
	jmp outside@PLT
end calling
fn short
	ret
end short
	.byte 0x90
	.globl behind
	.type behind, @function
behind:	mov $1, %eax
	ret
end behind
fn victim
.Lvictim:
	push %rbx
	mov %edi, %ebx
	mov %ebx, %eax
	pop %rbx
	ret
end victim
fn intruder
	jmp .Lvictim + 1
end intruder
.section .note.GNU-stack,"",@progbits
