/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The figures of a run, read from the database as they stand there, and three ways to
 * print them. The JSON's shape is in dmaanalyze(1).
 */
#ifndef ANALYZE_SUMMARY_H
#define ANALYZE_SUMMARY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/db/answer.h"
#include "lib/dma.h"

struct db;
struct err;

enum { SUMMARY_QUANTILES = 5 };

struct summary_phase {
	int64_t n, excluded, negative, min_ns, max_ns, error_ns; /* DMA_UNKNOWN */
	double mean_ns, stddev_ns;				 /* NAN */
	struct summary_quantile {
		double q;
		int64_t value_ns, low_ns, high_ns, ci_low_ns, ci_high_ns;
	} q[SUMMARY_QUANTILES];
	int nq;
};

struct summary_group { /* the first is the whole run: card, channel DMA_UNKNOWN, "" */
	int64_t card, channel;
	char direction[16];
	struct summary_phase phase[PHASE_ALL];
	int64_t state[STATE_N]; /* of the whole run too */
	/* Throughput: what ended for the program and moved bytes that are known; of the
	 * group's transfers the others; from the first submit to the last end. */
	int64_t ended, left_out, bytes, took_ns;
	double bytes_per_s;
};

struct summary_source {
	char *name, *role, *function;
	int64_t counted, delivered, lost;
};

struct summary_vector {
	int32_t irq;
	char *name, *verdict, *why;
	int64_t card, channel, transfers, one, none, many, interrupts, outside, proc;
	bool used;
	double position, to_end_ns, slope, score;
};

struct summary_register { /* that was read while recording */
	char *name, *bdf, *file, *busy, *mode, *ended;
	int64_t offset, width, cpu, shared_cpu, link_bytes_per_s, readings, read_min_ns,
		read_median_ns, read_p99_ns, read_max_ns, gap_ns, watched_ns, starts,
		clears;
};

struct summary_counted { /* by a unit of the machine */
	char *event, *unit;
	int64_t value, readings;
	double scaled, seconds; /* scaled: in units, had it always run */
};

/* Transfers by what registers and interrupts say of them (analyze/witness.h). */
struct summary_witness {
	int64_t after, before, alone, unpaired, unseen, unclear;
	int64_t noticed;   /* of `alone`: the program saw their end */
	int64_t overtaken; /* of `after`: the program saw the end before the interrupt */
	int64_t worst_error_ns; /* DMA_UNKNOWN */
};

/* When the program heard of ends: behind their interrupt, and before it; the medians, DMA_UNKNOWN
 * of none. And what it cost: analyze/audit.h. */
struct summary_heard {
	int64_t behind, behind_ns, before, before_ns;
	int64_t in_wait_ns, pending, pending_ns, overlapping;
	int64_t undone, undone_maybe, undone_apart_ns, shortest_ns; /* analyze/undone.h */
};

/* Transfers by what the driver's own events say of them (lib/key/key.h). */
struct summary_driver {
	int64_t agrees, differs, alone, unclear, unseen;
};

struct summary_count { /* of a state or a kind of stray, with the reason */
	char *what, *reason;
	int64_t n;
};

struct summary {
	int64_t run;
	char *label, *host, *kernel, *command, *started, *clock, *profile, *tool, *feed,
		*raw;
	int64_t duration_ns, exit_status, exit_signal, finished, guessed, probe_cost_ns,
		irq_cost_ns, disordered;
	bool analysed;
	struct answer answer; /* of what was analysed */
	char *pairing, *pairing_from, *vectors_from, *latency, *doorbell, *advice;
	int64_t submits, transfers, interrupts, irq_used, irq_stray, irq_ignored, waits,
		waits_used, waits_stray, negative, late_samples;
	/* Transfers with an interrupt; of those, with others' by the same one, and with
	 * several of their own; the most of one interrupt, and of one transfer. */
	int64_t paired, coalesced, most_coalesced, repeated, most_repeated;
	int64_t lost; /* by records of loss */
	struct summary_source *source;
	size_t nsource;
	struct summary_vector *vector;
	size_t nvector;
	struct summary_register *reg;
	size_t nreg;
	struct summary_counted *counted;
	size_t ncounted;
	struct summary_witness witness;
	struct summary_driver driver;
	struct summary_heard heard;
	struct summary_group *group;
	size_t ngroup;
	struct summary_count *reason, *stray;
	size_t nreason, nstray;
	char **warning;
	size_t nwarning;
};

int summary_read(struct summary *s, struct db *db, int64_t run, struct err *e);
void summary_release(struct summary *s);

/* Nothing in it steers a terminal from now on. Before summary_text(). */
void summary_clean(struct summary *s);

struct summary_style {
	bool verify, verbose, color;
};
void summary_text(const struct summary *s, const struct summary_style *style, FILE *out);
/* A part of summary_text(): the registers; nothing where none was watched. */
void summary_audit_text(const struct summary *s, const struct summary_style *style,
			FILE *out);
void summary_driver_text(const struct summary *s, const struct summary_style *style,
			 FILE *out);
void summary_witness_text(const struct summary *s, const struct summary_style *style,
			  FILE *out);
/* ... and what the machine's units counted. */
void summary_counts_text(const struct summary *s, const struct summary_style *style,
			 FILE *out);
/* One sentence: is the interrupt essential to the DMA, and is it prompt? "" = nothing can be
 * said. */
const char *summary_verdict(const struct summary *s, char *buf, size_t len);
/* How many phases its figures have. */
int summary_phases(const struct summary *s);
/* Grows when a key goes away or changes its meaning. 2: throughput counts what ended for the
 * program, error_ns is capped and of one side; 1 had no "format". */
enum { SUMMARY_JSON_FORMAT = 2 };
void summary_json(const struct summary *s, FILE *out); /* one object */
void summary_csv_head(FILE *out);
void summary_csv(const struct summary *s, FILE *out);

#endif
