/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dmarec-agent.so: the recorder's hand inside a workload, brought by LD_PRELOAD. It arms
 * what is mapped while the loader still relocates (an indirect function's resolver runs
 * before any constructor), and later files when the loader says that it has mapped some.
 */
#include <elf.h>
#include <link.h>

#include "record/agent/agent.h"

#define TEXT(x)	   TEXT_OF(x)
#define TEXT_OF(x) #x

struct agent agent;

/* The page of the generation. */
static uint64_t wiped[AGENT_PAGE_MAX / 8] __attribute__((aligned(AGENT_PAGE_MAX)));

/* What the trial measures a hit with; on a page of its own, as that is not executable
 * while it is written. */
__attribute__((noinline, visibility("default"))) int agent_probed(int n);
__attribute__((noinline, visibility("default"))) int agent_plain(int n);

__asm__(".text\n"
	".balign " TEXT(AGENT_PAGE_MAX) "\n"
					".globl agent_probed\n"
					".type agent_probed, @function\n"
					"agent_probed:\n"
#ifdef __x86_64__
					"	endbr64\n"
					"	lea 1(%rdi), %eax\n"
					"	nopl 0(%rax)\n"
#else
					"	add w0, w0, 1\n"
					"	nop\n"
#endif
					"	ret\n"
					".size agent_probed, . - agent_probed\n"
					".balign 16\n"
					".globl agent_plain\n"
					".type agent_plain, @function\n"
					"agent_plain:\n"
#ifdef __x86_64__
					"	endbr64\n"
					"	lea 1(%rdi), %eax\n"
					"	nopl 0(%rax)\n"
#else
					"	add w0, w0, 1\n"
					"	nop\n"
#endif
					"	ret\n"
					".size agent_plain, . - agent_plain\n"
					".balign " TEXT(AGENT_PAGE_MAX) "\n");

/* ---- the shared files ---- */

/* The path that this library was mapped from. */
static bool own_path(void)
{
	size_t len;
	char *p = agent_read("/proc/self/maps", &len);
	uint64_t from, to, here = (uint64_t)own_path;

	while (p && *p) {
		const char *q = number(p, 16, &from);
		size_t n = 0;

		number(q + 1, 16, &to);
		if (here >= from && here < to) {
			while (*p && *p != '\n' && *p != '/')
				p++;
			while (p[n] && p[n] != '\n' && n < AGENT_PATH - 1)
				n++;
			copy_bytes(agent.path, p, n);
			agent.path[n] = 0;
			return *p == '/';
		}
		while (*p && *p != '\n')
			p++;
		p += *p == '\n';
	}
	return false;
}

static const void *map_file(const char *path, size_t min, int prot, int flags,
			    size_t *len)
{
	int fd = sys_open(path, prot & SYS_WRITE ? SYS_O_RDWR : 0);
	long size = fd < 0 ? -1 : sys3(__NR_lseek, fd, 0, 2);
	void *at = NULL;

	if (size >= (long)min)
		at = sys_mmap(NULL, (size_t)size, prot, flags, fd, 0);
	if (fd >= 0)
		sys1(__NR_close, fd);
	*len = (size_t)size;
	return at && !failed((long)at) ? at : NULL;
}

static bool open_plan(void)
{
	char path[AGENT_PATH + 8];
	size_t n = text_len(agent.path), len;
	const struct agent_plan *p;

	copy_bytes(path, agent.path, n);
	while (n && path[n - 1] != '/')
		n--;
	copy_bytes(path + n, AGENT_PLAN, sizeof(AGENT_PLAN));
	p = map_file(path, sizeof(*p), SYS_READ, SYS_PRIVATE, &len);
	if (!p || p->magic != AGENT_MAGIC || p->bytes > len)
		return false;
	agent.plan = p;
	agent.file = (const void *)(p + 1);
	agent.place = (const void *)(agent.file + p->nfile);
	return true;
}

static bool open_rings(void)
{
	const struct agent_plan *p = agent.plan;
	size_t len;

	agent.ring_bytes = AGENT_RING_HEAD + (uint64_t)p->ring_slots * AGENT_SLOT;
	agent.slot_mask = p->ring_slots - 1;
	agent.shared = (void *)map_file(p->rings,
					AGENT_SHARED_BYTES + p->nring * agent.ring_bytes,
					SYS_READ | SYS_WRITE, SYS_SHARED, &len);
	if (!agent.shared || agent.shared->magic != AGENT_MAGIC)
		return false;
	agent.rings = (uint8_t *)agent.shared + AGENT_SHARED_BYTES;
	return true;
}

/* ---- may it be? ---- */

/* "pid:[4026531836]" */
static uint64_t namespace(const char *path)
{
	char link[64];
	long n = sys4(__NR_readlinkat, SYS_AT_FDCWD, path, link, sizeof(link) - 1);
	const char *p = link;
	uint64_t v = 0;

	if (n <= 0)
		return 0;
	link[n] = 0;
	while (*p && *p != '[')
		p++;
	if (*p)
		number(p + 1, 10, &v);
	return v;
}

bool agent_foreign(void)
{
	return namespace("/proc/self/ns/pid") != agent.plan->pid_ns ||
	       namespace("/proc/self/ns/time") != agent.plan->time_ns;
}

static uint32_t unfit(void)
{

	if (!agent.page || agent.page > AGENT_PAGE_MAX)
		return AGENT_MEMORY;
	if (agent_foreign())
		return AGENT_NAMESPACE;
	if (!agent_clock())
		return AGENT_NO_CLOCK;
	if (sys3(__NR_madvise, wiped, sizeof(wiped), SYS_WIPEONFORK))
		return AGENT_FORK;
	return 0;
}

/* ---- the trial ---- */

static uint64_t volatile sink;

/* The time of `calls` calls, in nanoseconds: the least of some rounds, as what comes in
 * between only adds. */
static int64_t rounds(int (*call)(int), int calls)
{
	enum { ROUNDS = 15 };
	int64_t best = 0;

	for (int r = 0; r < ROUNDS; r++) {
		int64_t begin = agent_now(), took;

		for (int i = 0; i < calls; i++)
			sink += (uint64_t)call(i);
		took = agent_now() - begin;
		best = !r || took < best ? took : best;
	}
	return best;
}

static int read_clock(int n)
{
	return (int)agent_now() + n;
}

/*
 * The loader turns a shadow stack on when it has relocated all, after what is mapped then
 * has been armed. A hit does the stack no harm: every call of a trampoline's returns, and
 * no return address is changed. So programs that are executed later keep their probes;
 * the trial says what it sees, and the recorder takes the kernel's.
 */
static void tell_shadow_stack(void)
{
	for (uint32_t i = 0; i < agent.plan->nfile && agent_shadow_stack(); i++)
		agent_report(i, AGENT_SHADOW_STACK, 0, 0);
}

static void trial(void)
{
	enum { CALLS = 1000, PERCENT = 100 };
	int64_t without = rounds(agent_plain, CALLS), with;

	tell_shadow_stack();
	agent_ready();
	agent.shared->enabled = 1;
	with = rounds(agent_probed, CALLS);
	agent.shared->enabled = 0;
	agent.shared->hit_ns_x100 = (with - without) * PERCENT / CALLS;
	agent.shared->clock_ns_x100 = rounds(read_clock, CALLS) * PERCENT / CALLS;
	__atomic_store_n(&agent.shared->trial_done, 1, __ATOMIC_RELEASE);
	sys1(__NR_exit_group, 0);
}

/* ---- the beginning ---- */

static void begin(void)
{
	uint32_t why;

	if (agent.plan || !own_path() || !open_plan())
		return;
	if (!open_rings()) {
		agent.plan = NULL;
		return;
	}
	agent.generation = wiped;
	agent.page = agent_auxv(AT_PAGESZ);
	agent.filters = agent_filters();
	why = unfit();
	if (why)
		for (uint32_t i = 0; i < agent.plan->nfile; i++)
			agent_report(i, why, 0, 0);
	else
		agent_scan();
}

static void nothing(void)
{
}

__attribute__((used)) static void (*resolve(void))(void)
{
	begin();
	return nothing;
}

/* The loader asks for this while it relocates us: after our dependencies and neighbours,
 * before the program. */
void agent_early(void) __attribute__((ifunc("resolve"), visibility("hidden")));
void (*const volatile agent_keep)(void)
	__attribute__((visibility("hidden"), used)) = agent_early;

/* ---- the loader's list ---- */

extern struct r_debug _r_debug __attribute__((weak));

/*
 * A preloaded library is the first behind the program. AddressSanitizer's runtime ends a
 * program in which it is not that itself (AsanCheckDynamicRTPrereqs of LLVM), so that we
 * go last. Symbols are looked up by other lists than this, which debuggers,
 * dl_iterate_phdr() and dlclose() read. Nothing else runs yet.
 */
static void go_last(void)
{
	struct link_map *first = &_r_debug ? _r_debug.r_map : NULL, *own = first, *last;

	while (own && own->l_ld != _DYNAMIC)
		own = own->l_next;
	if (!own || own == first || !own->l_next)
		return;
	own->l_prev->l_next = own->l_next;
	own->l_next->l_prev = own->l_prev;
	for (last = own->l_next; last->l_next;)
		last = last->l_next;
	last->l_next = own;
	own->l_prev = last;
	own->l_next = NULL;
}

__attribute__((constructor)) static void late(int argc, char **argv, char **envp)
{
	(void)argc;
	(void)argv;
	begin();
	if (agent.plan)
		go_last();
	if (agent.plan && agent.plan->trial)
		trial();
	if (agent.plan && agent.plan->hooked_exec)
		agent_environment(envp);
	if (agent.plan && agent_probes())
		agent_ready();
}
