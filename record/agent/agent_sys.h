/* SPDX-License-Identifier: GPL-2.0-only */
/* System calls and the few helpers that the agent has in place of a libc: nothing of the
 * workload's may be called while it is patched. */
#ifndef DMA_AGENT_SYS_H
#define DMA_AGENT_SYS_H

#include <stddef.h>
#include <stdint.h>

#include <asm/unistd.h>

static inline long sys6(long n, long a, long b, long c, long d, long e, long f)
{
#ifdef __x86_64__
	long ret;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "0"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
#else
	register long x8 __asm__("x8") = n;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
#endif
}

#define sys0(n)		    sys6(n, 0, 0, 0, 0, 0, 0)
#define sys1(n, a)	    sys6(n, (long)(a), 0, 0, 0, 0, 0)
#define sys2(n, a, b)	    sys6(n, (long)(a), (long)(b), 0, 0, 0, 0)
#define sys3(n, a, b, c)    sys6(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define sys4(n, a, b, c, d) sys6(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)

/* The kernel's own numbers, the same on both machines. */
enum {
	SYS_AT_FDCWD = -100,
	SYS_O_RDWR = 2,
	SYS_O_CLOEXEC = 02000000,
	SYS_READ = 1,
	SYS_WRITE = 2,
	SYS_EXEC = 4,
	SYS_SHARED = 1,
	SYS_PRIVATE = 2,
	SYS_FIXED = 0x10,
	SYS_ANON = 0x20,
	SYS_NOREPLACE = 0x100000,
	SYS_WIPEONFORK = 18,
	SYS_POPULATE_WRITE = 23,
	SYS_FUTEX_WAIT = 0,
	SYS_FUTEX_WAKE = 1,
	SYS_SIGKILL = 9,
	SYS_EPERM = 1,
	SYS_ENOMEM = 12,
	SYS_PR_SET_SECCOMP = 22,
	SYS_SECCOMP_STRICT = 1,
	SYS_CLONE_VM = 0x100,
	SYS_CLONE_VFORK = 0x4000,
	SYS_CLONE_SETTLS = 0x80000,
};

static inline int failed(long ret)
{
	return ret < 0 && ret > -4096;
}

static inline int sys_open(const char *path, int flags)
{
	return (int)sys4(__NR_openat, SYS_AT_FDCWD, path, flags | SYS_O_CLOEXEC, 0);
}

static inline void *sys_mmap(void *at, size_t len, int prot, int flags, int fd,
			     long offset)
{
	return (void *)sys6(__NR_mmap, (long)at, (long)len, prot, flags, fd, offset);
}

/* -mgeneral-regs-only and no libc: the compiler may still ask for these. */
__attribute__((unused)) static size_t text_len(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

static inline int text_begins(const char *s, const char *with)
{
	while (*with)
		if (*s++ != *with++)
			return 0;
	return 1;
}

static inline int text_same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

static inline void copy_bytes(void *to, const void *from, size_t n)
{
	uint8_t *t = to;
	const uint8_t *f = from;

	while (n--)
		*t++ = *f++;
}

static inline int same_bytes(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	while (n && *x == *y)
		x++, y++, n--;
	return !n;
}

static inline const char *number(const char *p, int base, uint64_t *v)
{
	*v = 0;
	for (;; p++) {
		int d = *p >= '0' && *p <= '9'	 ? *p - '0'
			: *p >= 'a' && *p <= 'f' ? *p - 'a' + 10
						 : 99;

		if (d >= base)
			return p;
		*v = *v * (unsigned)base + (unsigned)d;
	}
}

#endif
