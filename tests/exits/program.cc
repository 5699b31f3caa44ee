// SPDX-License-Identifier: GPL-2.0-only
// program COUNT [GATE]: COUNT transfers on two cards, in turn; waits that throw are
// caught and counted. With GATE it begins when that file exists.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <unistd.h>

#ifdef DLOPEN
#include <dlfcn.h>
typedef void start_fn(void *, u_int, u_long, size_t, u_int);
typedef void wait_fn(void *, u_int);
typedef void make_fn(void *);
static start_fn *to_host, *from_host;
static wait_fn *wait_for;

template <typename T> static T *sym(void *lib, const char *name)
{
	void *p = dlsym(lib, name);

	if (!p)
		exit(3);
	return reinterpret_cast<T *>(p);
}

struct FlxCard {
	char room[64];
	FlxCard()
	{
		void *lib = dlopen("libFlxCard.so", RTLD_NOW);

		if (!lib)
			exit(3);
		to_host = sym<start_fn>(lib, "_ZN7FlxCard11dma_to_hostEjmmj");
		from_host = sym<start_fn>(lib, "_ZN7FlxCard13dma_from_hostEjmmj");
		wait_for = sym<wait_fn>(lib, "_ZN7FlxCard8dma_waitEj");
		sym<make_fn>(lib, "_ZN7FlxCardC1Ev")(this);
	}
	void dma_to_host(u_int id, u_long dst, size_t size, u_int flags)
	{
		to_host(this, id, dst, size, flags);
	}
	void dma_from_host(u_int id, u_long src, size_t size, u_int flags)
	{
		from_host(this, id, src, size, flags);
	}
	void dma_wait(u_int id)
	{
		wait_for(this, id);
	}
};
#else
#include "FlxCard.h"
#endif

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 1000, caught = 0, refused = 0;
	FlxCard card[2];

	while (argc > 2 && access(argv[2], F_OK))
		usleep(10000);
	for (int i = 0; i < count; i++) {
		FlxCard &c = card[i % 2];
		u_int id = (u_int)i / 2 % 3;

		try {
			if (i % 5)
				c.dma_to_host(id, 0x1000u * (u_long)i, 64u * (id + 1), 0);
			else
				c.dma_from_host(id, 0x2000u, 32, 0);
			c.dma_wait(id);
		} catch (const std::exception &) {
			caught++;
		}
	}
	try {
		card[0].dma_to_host(9, 0, 1, 0);
	} catch (const std::exception &) {
		refused++;
	}
	printf("%d transfers, %d caught, %d refused\n", count, caught, refused);
	return 7;
}
