// SPDX-License-Identifier: GPL-2.0-only
/* libloaded.so: its constructor calls what is probed. */
long loaded(long n);

static volatile long made;

__attribute__((noinline)) long loaded(long n)
{
	made = n;
	return n + 2;
}

__attribute__((constructor)) static void make(void)
{
	made = loaded(made);
}
