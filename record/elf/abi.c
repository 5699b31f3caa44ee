/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a function's integer arguments are at its entry: System V AMD64 ABI 3.2.3,
 * AAPCS64 6.8.2. In the kernel's words (Documentation/trace/uprobetracer.rst): registers
 * as regs_query_register_offset() knows them, $stackN the N-th word of the stack. */
#include <stdio.h>
#include <string.h>

#include "record/elf/symbols.h"

const char *abi_argument(const char *arch, int n, char buf[32])
{
	static const char *const x86[] = {"%di", "%si", "%dx", "%cx", "%r8", "%r9"};

	if (n < 1 || n > 64)
		return NULL;
	if (!strcmp(arch, "x86_64")) {
		if (n <= 6)
			return x86[n - 1];
		snprintf(buf, 32, "$stack%d", n - 6); /* word 0 is the return address */
		return buf;
	}
	if (strcmp(arch, "aarch64"))
		return NULL;
	if (n <= 8)
		snprintf(buf, 32, "%%x%d", n - 1);
	else
		snprintf(buf, 32, "$stack%d", n - 9);
	return buf;
}

const char *abi_return_value(const char *arch)
{
	return !strcmp(arch, "x86_64") ? "%ax" : "%x0";
}
