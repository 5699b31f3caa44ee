/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of the agent, which are linked into dmarec-agent.so and never into a tool.
 * It uses no libc, no vector registers and, once armed, only its thread's own memory and
 * the rings.
 */
#ifndef DMA_AGENT_AGENT_H
#define DMA_AGENT_AGENT_H

#include <stdbool.h>

#include "record/agent/agent_sys.h"
#include "record/agent/layout.h"

/* The registers at a place, by number. Arguments that are changed here are changed in
 * the program. */
#ifdef __x86_64__
enum { AGENT_NREG = 16, AGENT_SP = 4 };
#define AGENT_ARGUMENT                                                                   \
	{                                                                                \
		7, 6, 2, 1, 8, 9                                                         \
	}
#else
enum { AGENT_NREG = 32, AGENT_SP = 31 };
#define AGENT_ARGUMENT                                                                   \
	{                                                                                \
		0, 1, 2, 3, 4, 5                                                         \
	}
#endif
struct frame {
	uint64_t reg[AGENT_NREG];
	uint64_t flags;
};

#ifdef __x86_64__
#define AGENT_PAGE_MAX 4096
#else
#define AGENT_PAGE_MAX 65536
#endif

enum { AGENT_LOADINGS = 128 };

struct agent {
	const struct agent_plan *plan;
	const struct agent_file *file;
	const struct agent_place *place;
	struct agent_shared *shared;
	uint8_t *rings;
	uint64_t ring_bytes, slot_mask;
	uint64_t *generation; /* this process's; a page that a fork wipes */
	int32_t pid;
	uint64_t page;	       /* bytes */
	char path[AGENT_PATH]; /* of this library */
	long filters;	       /* of seccomp, when the process began */
	bool waited_in_vain;   /* for a ring, the last time that one was wanted */
	/* The program has taken a seccomp filter, which may end it for a system call that
	 * it would not have made: hits make none from then on. */
	bool confined;
	bool foreign; /* forked into another pid or time namespace */
	/* How far from its file's addresses each loading of a file lies; several of one
	 * file are possible (dlmopen). */
	uint64_t bias[AGENT_LOADINGS];
};
extern struct agent agent;

/* ---- agent_arm.so.c ---- */

/* Looks through the mappings: files of the plan that are new are armed, those that are
 * gone are forgotten. */
void agent_scan(void);
bool agent_probes(void); /* is any probe armed? */
void agent_report(uint32_t file, uint32_t verdict, uint32_t place, int code);
long agent_filters(void);
uint64_t agent_auxv(uint64_t type); /* 0 = not there */
/* A small file of /proc, with a NUL behind it; NULL = it cannot be read. The buffer is the
 * agent's only one. */
char *agent_read(const char *path, size_t *len);

/* ---- agent.so.c ---- */

/* Has this process other numbers, or another clock, than the recorder has for it? */
bool agent_foreign(void);

/* ---- agent_hit.so.c ---- */

bool agent_clock(void); /* finds the vDSO's functions; false = there are none */
int64_t agent_now(void);
/* The first thread's ring, before the program runs. */
void agent_ready(void);
/* which: the loading of the place's file, times AGENT_MAX_PLACES, and the place. */
void agent_hit(struct frame *fr, uint32_t which);

/* ---- agent_exec.so.c ---- */

void agent_environment(char **envp); /* takes our variable away */
void agent_exec(uint64_t *envp);     /* puts it back for a new program */

/* ---- the machine's: agent_x86.so.c, agent_arm64.so.c ---- */

/* The bytes at a place, leading to the trampoline: old_len of them. false = out of
 * reach. */
bool agent_lead(const struct agent_place *p, uint64_t bias, uint64_t trampoline,
		uint8_t *out);
/* The trampoline of a place, to run at address `at`; AGENT_STUB bytes. */
bool agent_stub(const struct agent_place *p, uint32_t which, uint64_t bias, uint64_t at,
		uint8_t *out);
uint64_t agent_reach(void); /* how far a trampoline may be from its places */
bool agent_shadow_stack(void);
void agent_flush(void *from, size_t len);

#endif
