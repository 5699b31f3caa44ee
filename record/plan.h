/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is going to be armed: a profile's functions, found in the workload's files, as a
 * list of probes with their arguments. The same list is recorded and printed by
 * --dry-run.
 */
#ifndef DMA_PLAN_H
#define DMA_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "record/agent/place.h"
#include "record/profile/profile.h"

struct err;

enum exit_probes { EXITS_RET, EXITS_URETPROBE, EXITS_NONE };

struct plan_probe {
	char *event; /* name within the group: "dma_wait", "dma_wait_ret0" */
	enum role role;
	const struct func_spec *spec; /* the profile's */
	char *file, *function;	      /* path; name for people */
	uint64_t offset;	      /* in the file */
	char *symbol;		      /* as in the symbol table */
	int64_t at;	/* from its beginning; -1 = in another function's code */
	char *args;	/* in the kernel's syntax; "" = none */
	char *code;	/* the instruction at an exit or doorbell; NULL = entry */
	int32_t func;	/* groups the probes of one function */
	bool no_exit;	/* an entry whose exits are not armed */
	bool is_return; /* a uretprobe */
	struct meta_const constant;
	int64_t shift; /* of the card's key, see struct meta_event */
	enum place_where where;
	struct agent_place *place; /* armed in the process; NULL = a uprobe */
	char *why;		   /* it is a uprobe, where the process was asked for */
};

/* A place that the agent needs for itself. */
struct plan_hook {
	char *file;
	struct agent_place place;
};

/* What the files have of one section of the profile. */
struct plan_section {
	const struct func_spec *spec;
	size_t found; /* functions that got probes by it */
	char *names;  /* theirs: "FlxCard::dma_wait in libFlxCard.so.1"; NULL = none */
	/* a function of this name had the probes of that section already; NULL = none had */
	const struct func_spec *taken_by;
};

/* Of a function that starts transfers: which of its fields are known, and which by guess. */
struct plan_start {
	char *function;
	uint32_t known; /* bit of enum field */
	char *guessed;	/* "size=arg3 (len)", by the parameter's name; NULL = none */
};

struct plan {
	struct plan_probe *probe;
	size_t n;
	int32_t nfunc;
	struct plan_section *section; /* as in the profile */
	size_t nsection;
	struct plan_start *start;
	size_t nstart;
	char **note; /* sentences for the user: what was left out, and why */
	size_t nnote;
	struct plan_hook *hook; /* when any probe has a place */
	size_t nhook;
};

/* The files in which functions are looked for, opened once. */
struct elf_file;
struct plan_files {
	struct elf_file **file; /* NULL where it could not be opened */
	char *const *path;	/* borrowed */
	char **why;		/* of those */
	size_t n;
};
int plan_files_open(struct plan_files *f, char *const *path, size_t n, struct err *e);
void plan_files_close(struct plan_files *f);

/* Finds the functions of prof, which must outlive the plan, in the files. Fails with
 * ERR_NOTFOUND when there is no start function, or none of a section that is required (what
 * was searched, the nearest names, -x), with ERR_AMBIGUOUS when one name fits several
 * functions, and with ERR_USAGE when sections of two roles mean one function. On failure
 * *p is released. */
int plan_make(struct plan *p, const struct profile *prof, const struct plan_files *f,
	      enum exit_probes exits, struct err *e);

/* The same of files that appear while others are recorded: functions count from func on, event names end in _late and the batch's number, and nothing has to be found. */
int plan_make_late(struct plan *p, const struct profile *prof, const struct plan_files *f,
		   enum exit_probes exits, int32_t func, size_t batch, struct err *e);

/* How many start functions of prof the files define; and is one of the files a library
 * that prof names (by file name or soname)? */
size_t plan_fits(const struct profile *prof, const struct plan_files *f, bool *library);
/* The first section that is required and that no file has; NULL = none. */
const struct func_spec *plan_lacks(const struct profile *prof,
				   const struct plan_files *f);

/* Sentences about the plan, a newline between them: what each section of the profile has
 * found, in brief; what is not known of the transfers, and what was guessed. malloc'ed. */
char *plan_told(const struct plan *p, const struct profile *prof);

/* Gives every probe that can be armed in the process its place, and the others the reason
 * why not. Fails only without memory. */
int plan_places(struct plan *p, const struct plan_files *f, struct err *e);
/* Back to uprobes: all probes in that file (NULL = in any), for this reason. */
int plan_unplace(struct plan *p, const char *file, const char *why, struct err *e);
size_t plan_nplaced(const struct plan *p);

/* irq: the interrupts whose handlers' entries are recorded, and of which (all are among the
 * first) the exits. */
struct plan_irqs {
	const int32_t *entry, *exit;
	size_t nentry, nexit;
};
void plan_print(const struct plan *p, const struct plan_irqs *irq, FILE *out);
void plan_release(struct plan *p);

/* A trace event's name from a function's: letters, digits and _, at most 40. Pure. */
void plan_event_name(const char *function, char out[48]);

/* "irq == 5 || irq == 7", ranges where numbers follow each other. malloc'ed; pure. */
char *plan_irq_filter(const int32_t *irq, size_t n);

#endif
