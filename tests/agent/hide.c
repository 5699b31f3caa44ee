// SPDX-License-Identifier: GPL-2.0-only
/* hide COMMAND: executes it by a bare system call, with an environment that is empty. */
#include <unistd.h>
#include <sys/syscall.h>

int main(int argc, char **argv)
{
	char *none[] = {NULL};
	long ret;

	if (argc < 2)
		return 2;
#ifdef __x86_64__
	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "0"(SYS_execve), "D"(argv[1]), "S"(argv + 1), "d"(none)
			 : "rcx", "r11", "memory");
#else
	ret = execve(argv[1], argv + 1, none);
#endif
	return ret != 0;
}
