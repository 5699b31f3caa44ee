/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One hit: a slot is taken, the clock read, the arguments copied, the slot given. A
 * signal's handler may hit another place at any point between; it takes slots of its own.
 * In a child that shares this thread's memory the thread is asked for each time.
 */
#include <elf.h>

#include "record/agent/agent.h"

enum { WAIT_MS = 1000, NS_MS = 1000000, WAKE_PART = 4, LOOK_PART = 64 };

struct vdso_time {
	int64_t sec, nsec;
};

static int (*clock_get)(int, struct vdso_time *);

static int slow_clock(int id, struct vdso_time *t)
{
	return (int)sys2(__NR_clock_gettime, id, t);
}
#ifdef __x86_64__
static int (*cpu_get)(unsigned *, unsigned *, void *);
#endif
static int32_t clockid;

/* glibc 2.35 and later: where a thread's restartable-sequence area lies. */
extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned __rseq_size __attribute__((weak));

enum careful {
	CAREFUL_NOT,
	CAREFUL_VFORK, /* until the thread itself is back */
	CAREFUL_CLONE, /* for good: two tasks have this memory */
};

struct thread {
	struct agent_ring *ring;
	uint64_t generation; /* of the process that took the ring */
	int32_t tid;
	uint8_t careful, busy;
};
static __thread struct thread self __attribute__((tls_model("initial-exec")));

/* ---- the vDSO ---- */

static uint64_t vdso_symbol(uint64_t base, const char *name)
{
	const Elf64_Ehdr *h = (const void *)base;
	const Elf64_Phdr *ph = (const void *)(base + h->e_phoff);
	const Elf64_Dyn *dyn = NULL;
	const Elf64_Sym *sym = NULL;
	const uint32_t *hash = NULL;
	const char *text = NULL;
	uint64_t bias = base;

	for (int i = 0; i < h->e_phnum; i++) {
		if (ph[i].p_type == PT_LOAD && !ph[i].p_offset)
			bias = base - ph[i].p_vaddr;
		if (ph[i].p_type == PT_DYNAMIC)
			dyn = (const void *)(base + ph[i].p_offset);
	}
	for (; dyn && dyn->d_tag; dyn++) {
		if (dyn->d_tag == DT_SYMTAB)
			sym = (const void *)(bias + dyn->d_un.d_ptr);
		if (dyn->d_tag == DT_STRTAB)
			text = (const void *)(bias + dyn->d_un.d_ptr);
		if (dyn->d_tag == DT_HASH)
			hash = (const void *)(bias + dyn->d_un.d_ptr);
	}
	if (!sym || !text)
		return 0;
	/* newer ones have only the GNU hash: the text table follows the symbols */
	for (uint32_t i = 0, n = hash ? hash[1]
				      : (uint32_t)((const uint8_t *)text -
						   (const uint8_t *)sym) /
						 sizeof(*sym);
	     i < n; i++)
		if (sym[i].st_value && text_same(text + sym[i].st_name, name))
			return bias + sym[i].st_value;
	return 0;
}

bool agent_clock(void)
{
	uint64_t base = agent_auxv(AT_SYSINFO_EHDR);
	struct vdso_time t;

	clockid = agent.plan->clockid;
#ifdef __x86_64__
	clock_get = (void *)(base ? vdso_symbol(base, "__vdso_clock_gettime") : 0);
	cpu_get = (void *)(base ? vdso_symbol(base, "__vdso_getcpu") : 0);
#else
	clock_get = (void *)(base ? vdso_symbol(base, "__kernel_clock_gettime") : 0);
#endif
	if (!clock_get && agent.plan->slow_clock)
		clock_get = slow_clock;
	return clock_get && !clock_get(clockid, &t);
}

int64_t agent_now(void)
{
	struct vdso_time t;

	clock_get(clockid, &t);
	return t.sec * 1000000000 + t.nsec;
}

static uint16_t slow_cpu(void)
{
	unsigned cpu = 0;

#ifdef __x86_64__
	if (cpu_get) {
		cpu_get(&cpu, NULL, NULL);
		return (uint16_t)cpu;
	}
#endif
	sys3(__NR_getcpu, &cpu, NULL, NULL);
	return (uint16_t)cpu;
}

static inline uint16_t this_cpu(bool careful)
{
	if (!careful && &__rseq_offset && &__rseq_size && __rseq_size) {
#ifdef __x86_64__
		uint32_t cpu;

		__asm__ volatile("mov %%fs:4(%1), %0" : "=r"(cpu) : "r"(__rseq_offset));
#else
		uint32_t cpu = *(volatile uint32_t *)((char *)__builtin_thread_pointer() +
						      __rseq_offset + 4);
#endif
		if (cpu < 0x80000000u)
			return (uint16_t)cpu;
	}
	return slow_cpu();
}

/* ---- rings ---- */

static struct agent_ring *ring_at(uint32_t i)
{
	return (struct agent_ring *)(agent.rings + i * agent.ring_bytes);
}

static void wake_recorder(void)
{
	if (agent.confined)
		return;
	__atomic_add_fetch(&agent.shared->wake, 1, __ATOMIC_SEQ_CST);
	sys3(__NR_futex, &agent.shared->wake, SYS_FUTEX_WAKE, 1);
}

static struct agent_ring *take_free(int32_t pid, int32_t tid)
{
	for (uint32_t i = 0; i < agent.plan->nring; i++) {
		struct agent_ring *r = ring_at(i);
		uint32_t expected = AGENT_RING_FREE;

		if (__atomic_load_n(&r->state, __ATOMIC_RELAXED) != AGENT_RING_FREE ||
		    !__atomic_compare_exchange_n(&r->state, &expected, AGENT_RING_TAKEN,
						 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			continue;
		__atomic_store_n(&r->pid, pid, __ATOMIC_RELAXED);
		__atomic_store_n(&r->tid, tid, __ATOMIC_RELEASE);
		if ((i & 1) == 0)
			wake_recorder(); /* it keeps some in store */
		return r;
	}
	return NULL;
}

/* Waits for the recorder when the store is empty: it lays in more as rings are taken, but
 * on a busy machine not as fast as tasks come. */
static struct agent_ring *take_ring(int32_t pid, int32_t tid, bool wait)
{
	struct agent_ring *r = take_free(pid, tid);
	struct vdso_time ms = {0, NS_MS};

	for (int i = 0; !r && wait && !agent.confined && i < WAIT_MS; i++) {
		wake_recorder();
		sys2(__NR_nanosleep, &ms, NULL);
		r = take_free(pid, tid);
	}
	if (r || wait)
		agent.waited_in_vain = !r;
	return r;
}

/* The ring of a task that shares another one's thread memory, which cannot remember for
 * both whether they have waited: after one has in vain, none does. */
static struct agent_ring *ring_of(int32_t pid, int32_t tid)
{
	for (uint32_t i = 0; i < agent.plan->nring; i++) {
		struct agent_ring *r = ring_at(i);

		if (r->state == AGENT_RING_TAKEN && r->pid == pid && r->tid == tid)
			return r;
	}
	return take_ring(pid, tid, !agent.waited_in_vain);
}

static void ringless(uint32_t why)
{
	__atomic_or_fetch(&agent.shared->ringless, why, __ATOMIC_SEQ_CST);
}

static void new_process(void)
{
	if (*agent.generation)
		return;
	agent.pid = (int32_t)sys0(__NR_getpid);
	agent.foreign = agent_foreign();
	if (agent.foreign)
		ringless(AGENT_RINGLESS_FOREIGN);
	*agent.generation =
		1 + __atomic_fetch_add(&agent.shared->generation, 1, __ATOMIC_SEQ_CST);
}

/* Maps memory of the ring before it is written to: a fault for each page costs more than
 * all its hits. */
static void populate(struct agent_ring *ring, uint64_t first, uint64_t slots)
{
	uint8_t *from = (uint8_t *)ring + AGENT_RING_HEAD + first * AGENT_SLOT;
	size_t len = slots * AGENT_SLOT;

	if (agent.confined || !sys3(__NR_madvise, from, len, SYS_POPULATE_WRITE))
		return;
	for (size_t i = 0; i < len; i += 4096) /* before Linux 5.14 */
		(void)*(volatile uint8_t *)(from + i);
}

/* A thread's first hit, or the first after a fork. */
__attribute__((noinline)) static struct agent_ring *first_hit(void)
{
	bool again;

	if (self.busy || agent.confined) /* busy: a signal came while this was going on */
		return NULL;
	self.busy = 1;
	new_process();
	if (agent.foreign) {
		self.ring = NULL;
		self.busy = 0;
		return NULL;
	}
	again = self.generation == *agent.generation;
	self.tid = (int32_t)sys0(__NR_gettid);
	self.careful = CAREFUL_NOT;
	self.ring = take_ring(agent.pid, self.tid, !again);
	self.generation = *agent.generation;
	self.busy = 0;
	return self.ring;
}

void agent_ready(void)
{
	struct agent_ring *ring = self.ring ? self.ring : first_hit();

	/* written, not only mapped: where the hypervisor shadows the page tables, a
	 * page's first write costs microseconds even then */
	for (size_t i = 0;
	     ring && !ring->reserve && i <= agent.slot_mask && i < AGENT_TOUCHED;
	     i += 4096 / AGENT_SLOT)
		*(volatile uint8_t *)((uint8_t *)ring + AGENT_RING_HEAD + i * AGENT_SLOT +
				      AGENT_SLOT - 1) = 0;
}

/* Which task is this? *delta: its number less the ring's. */
__attribute__((noinline)) static struct agent_ring *careful_ring(int32_t *delta)
{
	int32_t tid;

	if (agent.confined)
		return NULL;
	tid = (int32_t)sys0(__NR_gettid);
	if (tid == self.tid) {
		if (self.careful == CAREFUL_VFORK)
			self.careful = CAREFUL_NOT;
		return self.ring;
	}
	if (self.careful == CAREFUL_CLONE)
		return ring_of((int32_t)sys0(__NR_getpid), tid);
	*delta = tid - self.tid;
	return self.ring;
}

/* A task is about to be made, with these flags of clone(). */
static void new_task(uint64_t flags)
{
	if (!(flags & SYS_CLONE_VM) || flags & SYS_CLONE_SETTLS)
		return; /* a process or a thread with memory of its own */
	if (self.generation != *agent.generation || !self.ring)
		first_hit(); /* while the thread is surely itself */
	if (!(flags & SYS_CLONE_VFORK))
		self.careful = CAREFUL_CLONE;
	else if (self.careful == CAREFUL_NOT)
		self.careful = CAREFUL_VFORK;
}

/* ---- the hit ---- */

/* Atomic with regard to this thread's own signals only. */
static inline bool local_cas(uint64_t *at, uint64_t old, uint64_t new)
{
#ifdef __x86_64__
	bool same;

	__asm__ volatile("cmpxchg %3, %0"
			 : "+m"(*at), "=@ccz"(same), "+a"(old)
			 : "r"(new)
			 : "memory");
	return same;
#else
	return __atomic_compare_exchange_n(at, &old, new, 0, __ATOMIC_RELAXED,
					   __ATOMIC_RELAXED);
#endif
}

static inline void local_inc(uint64_t *at)
{
#ifdef __x86_64__
	__asm__ volatile("incq %0" : "+m"(*at));
#else
	__atomic_fetch_add(at, 1, __ATOMIC_RELAXED);
#endif
}

/* May slot r be taken? Looks at the recorder's side, and says when a quarter is full. */
__attribute__((noinline)) static bool look_for_room(struct agent_ring *ring, uint64_t r)
{
	uint64_t tail = __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE);
	uint64_t slots = agent.slot_mask + 1, limit = r + slots / LOOK_PART;

	if (r - tail >= slots) {
		wake_recorder();
		return false;
	}
	if (r - tail >= slots / WAKE_PART)
		wake_recorder();
	if (r < slots && r >= AGENT_TOUCHED / 2) /* the first lap */
		populate(ring, r, limit < slots ? limit - r : slots - r);
	ring->limit = limit < tail + slots ? limit : tail + slots;
	return true;
}

static inline void put_args(uint8_t *to, const struct agent_place *p,
			    const struct frame *fr)
{
	for (unsigned i = 0; i < p->narg; i++) {
		const struct agent_arg *a = &p->args[i];
		uint64_t v = a->reg == AGENT_REG_STACK
				     ? ((const uint64_t *)fr->reg[AGENT_SP])[a->word]
				     : fr->reg[a->reg];
		uint8_t *at = to + a->at;

		if (a->bytes == 8)
			__builtin_memcpy(at, &v, 8);
		else if (a->bytes == 4)
			__builtin_memcpy(at, &v, 4);
		else if (a->bytes == 2)
			__builtin_memcpy(at, &v, 2);
		else
			*at = (uint8_t)v;
	}
}

static const uint8_t argument[] = AGENT_ARGUMENT;

/* A filter, or the strict mode, is about to be taken: by one thread or by all. What has no
 * ring from then on is counted as lost, as is all of a thread in the strict mode, where
 * reading the clock may be fatal, too. */
static void confine(bool strict)
{
	ringless(AGENT_RINGLESS_CONFINED);
	wake_recorder();
	agent.confined = true;
	if (strict)
		self.ring = NULL;
}

static void any_prctl(uint64_t option, uint64_t mode)
{
	if (option == SYS_PR_SET_SECCOMP)
		confine(mode == SYS_SECCOMP_STRICT);
}

/* syscall(number, ...) */
static void any_syscall(struct frame *fr)
{
	uint64_t first = fr->reg[argument[1]];

	switch (fr->reg[argument[0]]) {
	case __NR_execve:
		agent_exec(&fr->reg[argument[3]]);
		break;
	case __NR_execveat:
		agent_exec(&fr->reg[argument[4]]);
		break;
	case __NR_prctl:
		any_prctl(first, fr->reg[argument[2]]);
		break;
	case __NR_seccomp:
		if (first <= 1) /* SECCOMP_SET_MODE_STRICT, _FILTER */
			confine(first == 0);
		break;
	case __NR_clone:
		new_task(first);
		break;
	case __NR_clone3:
		new_task(*(const uint64_t *)first);
		break;
#ifdef __NR_vfork
	case __NR_vfork:
		new_task(SYS_CLONE_VM | SYS_CLONE_VFORK);
		break;
#endif
	default:
		break;
	}
}

static void other_hit(struct frame *fr, const struct agent_place *p)
{
	switch (p->kind) {
	case AGENT_LOADED:
		agent_scan();
		break;
	case AGENT_EXEC:
		agent_exec(&fr->reg[argument[p->arg]]);
		break;
	case AGENT_SYSCALL:
		any_syscall(fr);
		break;
	case AGENT_PRCTL:
		any_prctl(fr->reg[argument[0]], fr->reg[argument[1]]);
		break;
	case AGENT_CLONE:
		new_task(fr->reg[argument[2]]);
		break;
	default:
		new_task(SYS_CLONE_VM | SYS_CLONE_VFORK);
	}
}

__attribute__((noinline)) static void no_ring(uint32_t index)
{
	__atomic_fetch_add(&agent.shared->lost[index], 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&agent.shared->counted[index], 1, __ATOMIC_RELAXED);
}

void agent_hit(struct frame *fr, uint32_t which)
{
	uint32_t index = which % AGENT_MAX_PLACES;
	const struct agent_place *p = &agent.place[index];
	struct agent_ring *ring = self.ring;
	struct agent_slot *slot;
	int32_t delta = 0;
	uint64_t r;
	bool careful;

	if (!__atomic_load_n(&agent.shared->enabled, __ATOMIC_RELAXED))
		return;
	if (p->kind != AGENT_PROBE) {
		other_hit(fr, p);
		return;
	}
	if (self.generation != *agent.generation || !ring)
		ring = first_hit();
	careful = self.careful;
	if (careful && ring)
		ring = careful_ring(&delta);
	if (!ring) {
		no_ring(index);
		return;
	}
	do {
		r = ring->reserve;
		if (r >= ring->limit && !look_for_room(ring, r)) {
			local_inc(&ring->lost[index]);
			local_inc(&ring->counted[index]);
			return;
		}
	} while (!local_cas(&ring->reserve, r, r + 1));
	local_inc(&ring->counted[index]);
	slot = (struct agent_slot *)((uint8_t *)ring + AGENT_RING_HEAD) +
	       (r & agent.slot_mask);
	slot->place = (uint16_t)index; /* first: the hit may never come to its end */
	slot->time_ns = agent_now();
	slot->ip = agent.bias[which / AGENT_MAX_PLACES] + p->probe;
	slot->cpu = this_cpu(careful);
	slot->tid_delta = delta;
	put_args(slot->args, p, fr);
	__atomic_store_n(&slot->sequence, r + 1, __ATOMIC_RELEASE);
}
