/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the recorder and the agent inside the workload share: two files, mapped by both.
 *
 * The plan (read-only for the workload): a struct agent_plan, its files, its places. The
 * recorder has decoded every place and prepared the bytes; the agent finds the files
 * among its mappings, checks that the bytes are those that were planned for, puts the
 * trampolines near and lets the places jump to them.
 *
 * The rings (written by both): a struct agent_shared, then `nring` rings of `ring_bytes`.
 * One thread writes a ring, in slots of one cache line. A slot is taken by raising
 * `reserve`, filled, and given by storing its sequence number; the recorder empties it by
 * raising `tail`. Nothing that lies here is believed by the recorder without a check, as
 * every process of the workload can write it.
 */
#ifndef DMA_AGENT_LAYOUT_H
#define DMA_AGENT_LAYOUT_H

#include <stdint.h>

#define AGENT_MAGIC   0x31746e6567416d64ull /* "dmAgent1" */
#define AGENT_LIBRARY "dmarec-agent.so"
#define AGENT_PLAN    "plan" /* beside the library */

enum {
	AGENT_MAX_FILES = 64,
	AGENT_MAX_PLACES = 1024, /* the counters of a ring */
	AGENT_PATH = 256,
	AGENT_SLOT = 64, /* bytes: a cache line */
	AGENT_SLOT_ARGS = 32,
	AGENT_CODE = 96,  /* bytes of a place's trampoline, at most */
	AGENT_STUB = 176, /* ... with the call of the agent: room for each */
	AGENT_OLD = 24,	  /* bytes that a place overwrites, at most */
	AGENT_FIXUPS = 8,
	AGENT_ARGS = 8,
	AGENT_REPORTS = 4096,
	AGENT_RING_HEAD = 20480, /* bytes before a ring's slots: whole pages */
	/* Slots whose memory is touched before the workload runs: 1 MiB. In a virtual
	 * machine a page's first touch can cost many microseconds. */
	AGENT_TOUCHED = 16384,
};

/* What a place is for. */
enum agent_kind {
	AGENT_PROBE,   /* one hit = one record */
	AGENT_LOADED,  /* the loader has mapped or removed files */
	AGENT_EXEC,    /* argument `arg` is the environment of a new program */
	AGENT_SYSCALL, /* syscall(): the same when its number is execve's or execveat's */
	AGENT_VFORK,   /* a child is about to run with this thread's memory and stack */
	AGENT_CLONE, /* perhaps, and perhaps beside this thread: argument 2 has the flags */
	AGENT_PRCTL, /* the program may be about to confine itself by seccomp */
};

/* A number in prepared code that depends on where things lie. `at` counts from the
 * beginning of the place's code, `end` is the end of the instruction (x86-64) or the
 * instruction itself (aarch64). The target is an address in the place's file. */
enum agent_fix { AGENT_FIX_REL32, AGENT_FIX_ABS64, AGENT_FIX_B26 };
struct agent_fixup {
	uint8_t kind, at, end, unused[5];
	uint64_t target;
};

/* An argument of the probe: where it is when the place is reached. */
struct agent_arg {
	uint8_t reg;   /* AGENT_REG_*; a word of the stack is AGENT_REG_STACK */
	uint8_t bytes; /* 1, 2, 4, 8 */
	uint8_t at;    /* in the record */
	uint8_t unused;
	int32_t word; /* of the stack: 0 = what the stack pointer points to */
};

/* x86-64: as in the instruction set (rax 0, rcx 1, rdx 2, rbx 3, rsp 4, rbp 5, rsi 6, rdi
 * 7, r8 ...); aarch64: x0 ... x30, sp 31. */
enum { AGENT_REG_STACK = 64 };

/* How the bytes at a place are made to lead to the trampoline. */
enum agent_lead {
	AGENT_LEAD_JUMP,   /* e9 rel32, nops behind it; aarch64: b */
	AGENT_LEAD_CALL,   /* e8 rel32: a call goes to the trampoline instead; bl */
	AGENT_LEAD_CALL67, /* 67 e8 rel32 in place of ff 15 rel32 */
	AGENT_LEAD_SHORT,  /* eb rel8 to `spring`, where the jump is */
};

struct agent_place {
	uint8_t kind; /* enum agent_kind */
	uint8_t lead; /* enum agent_lead */
	uint8_t old_len, pre_len, code_len, nfix, narg, arg_bytes;
	uint32_t file;	/* index */
	uint32_t event; /* of the recording; AGENT_PROBE only */
	uint32_t arg;	/* AGENT_EXEC */
	uint32_t spring_len;
	uint64_t addr;	 /* in the file's addresses: what is overwritten */
	uint64_t offset; /* of it in the file */
	uint64_t probe;	 /* address that the record names */
	uint64_t back;	 /* where the trampoline goes on; 0 = its code leaves by itself */
	uint64_t spring; /* AGENT_LEAD_SHORT: padding that holds the jump */
	uint8_t old[AGENT_OLD]; /* what must be there */
	uint8_t spring_old[8];
	uint8_t code[AGENT_CODE]; /* pre_len bytes, the probe, the rest */
	struct agent_fixup fix[AGENT_FIXUPS];
	struct agent_arg args[AGENT_ARGS];
};

struct agent_file {
	uint64_t dev, ino; /* as in /proc/PID/maps: major << 32 | minor */
	uint64_t size;
	char path[AGENT_PATH];
};

struct agent_plan {
	uint64_t magic;
	uint32_t bytes; /* of the plan, all in all */
	int32_t clockid;
	uint32_t nfile, nplace, nring, ring_slots;
	uint64_t pid_ns,
		time_ns; /* inode numbers of the recorder's namespaces; 0 = none */
	uint32_t trial;	 /* 1: arm, measure, tell, and end before anything has run */
	uint32_t
		slow_clock; /* 1: without a vDSO the clock is a system call (emulators) */
	uint32_t hooked_exec; /* the variables are put back by AGENT_EXEC */
	char rings[AGENT_PATH];
	/* struct agent_file file[nfile]; struct agent_place place[nplace]; */
};

/* What became of a file of the plan in one process. */
enum agent_verdict {
	AGENT_NOTHING,
	AGENT_ARMED,
	AGENT_SHADOW_STACK,
	AGENT_MPROTECT,	 /* refused: `code` is the errno */
	AGENT_MEMORY,	 /* no room for a trampoline within reach */
	AGENT_BYTES,	 /* other bytes than planned: `place` */
	AGENT_REACH,	 /* a number does not fit: `place` */
	AGENT_NAMESPACE, /* another pid or time namespace */
	AGENT_SECCOMP,	 /* the program has taken filters since */
	AGENT_NO_CLOCK,	 /* no vDSO: each time stamp would be a system call */
	AGENT_FORK,	 /* MADV_WIPEONFORK is not there */
	AGENT_VERDICTS
};

struct agent_report {
	uint32_t ready; /* 1 = filled */
	int32_t pid;
	uint32_t file, place;
	uint32_t verdict;
	int32_t code;
};

enum agent_ring_state {
	AGENT_RING_ABSENT, /* no memory behind it */
	AGENT_RING_FREE,   /* may be taken */
	AGENT_RING_TAKEN,
};

struct agent_ring { /* AGENT_RING_HEAD bytes, then the slots */
	/* the recorder's */
	uint64_t tail __attribute__((aligned(64)));
	uint32_t state;
	/* the thread's */
	uint64_t reserve __attribute__((aligned(64)));
	uint64_t limit; /* until here the tail need not be looked at */
	int32_t pid, tid;
	uint64_t counted[AGENT_MAX_PLACES] __attribute__((aligned(64))); /* hits */
	uint64_t lost[AGENT_MAX_PLACES]; /* of those: the ring was full */
};

struct agent_slot {
	uint64_t
		sequence; /* number of the slot since the beginning, from 1; last stored */
	int64_t time_ns;
	uint64_t ip; /* of the place, in the process */
	uint16_t place, cpu;
	int32_t tid_delta; /* 0 = the ring's thread; else a child's tid less the ring's */
	uint8_t args[AGENT_SLOT_ARGS];
};

enum {
	/* A process has confined itself by seccomp: its agent raises nothing, and rings are
	 * to be looked at. */
	AGENT_RINGLESS_CONFINED = 1,
	AGENT_RINGLESS_FOREIGN = 2, /* one is in another namespace */
};

struct agent_shared { /* the file's first page(s) */
	uint64_t magic;
	uint32_t enabled;    /* 0: hits are neither counted nor recorded */
	uint32_t wake;	     /* a futex: raised when a ring wants to be read */
	uint32_t nreport;    /* taken; more than AGENT_REPORTS = some are missing */
	uint32_t generation; /* of processes: the next one's */
	uint32_t ringless;   /* AGENT_RINGLESS_*: why hits were lost for want of a ring */
	/* of the trial: nanoseconds that a hit adds, and that reading the clock takes */
	int64_t hit_ns_x100, clock_ns_x100;
	uint32_t trial_done;
	/* hits that found no ring, or came while one was taken */
	uint64_t counted[AGENT_MAX_PLACES], lost[AGENT_MAX_PLACES];
	struct agent_report report[AGENT_REPORTS];
};

#define AGENT_SHARED_BYTES ((sizeof(struct agent_shared) + 4095) & ~4095ul)

_Static_assert(sizeof(struct agent_slot) == AGENT_SLOT, "a slot is a cache line");
_Static_assert(sizeof(struct agent_ring) <= AGENT_RING_HEAD, "room for a ring's head");

#endif
