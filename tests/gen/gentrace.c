/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gentrace: a perf.data file as dmarec writes it, with events of the generator, and
 * beside it a CSV with what really happened. So the whole tool can be checked against
 * truth: reader, decoder, joiner, database. Records lie in the file as they would have
 * lain in the rings of four CPUs, read in turn.
 */
#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen.h"
#include "lib/err.h"
#include "lib/file/meta.h"
#include "lib/file/perfdata.h"
#include "lib/file/perfdata_feat.h"
#include "lib/num.h"

enum { CPUS = 4, FIRST_TYPE = 1500, BUF = 1 << 16, ROUND_NS = 100000 };

/* One event of each role; `to_host` and `from_host` start functions are two. */
static const struct kind {
	const char *system, *name, *function;
	enum role role;
	enum direction direction;
	int func;
	bool args; /* size and address too */
} kinds[] = {
	{"dmarec_4242", "dma_to_host", "dma_to_host", ROLE_SUBMIT, DIR_TO_HOST, 0, true},
	{"dmarec_4242", "dma_from_host", "dma_from_host", ROLE_SUBMIT, DIR_FROM_HOST, 1,
	 true},
	{"dmarec_4242", "dma_to_host_exit", "dma_to_host", ROLE_STARTED, DIR_TO_HOST, 0,
	 false},
	{"dmarec_4242", "dma_from_host_exit", "dma_from_host", ROLE_STARTED,
	 DIR_FROM_HOST, 1, false},
	{"dmarec_4242", "dma_wait", "dma_wait", ROLE_WAIT, DIR_UNKNOWN, 2, false},
	{"dmarec_4242", "dma_wait_exit", "dma_wait", ROLE_WOKEN, DIR_UNKNOWN, 2, false},
	{"dmarec_4242", "dma_stop", "dma_stop", ROLE_STOP, DIR_UNKNOWN, 3, false},
	{"irq", "irq_handler_entry", NULL, ROLE_INTERRUPT, DIR_UNKNOWN, -1, false},
};
enum { KINDS = sizeof(kinds) / sizeof(*kinds) };

struct buffer {
	uint8_t *at;
	size_t n, a;
};

struct options {
	struct gen_options gen;
	const char *output, *truth;
	enum pairing pairing;
	bool unnamed; /* no vector is named as the one that completes */
	bool no_end;  /* ... nor is it recorded */
	bool silent;  /* one more that never fires */
	bool counts;  /* what the kernel counted is recorded, as dmarec does */
};

struct trace {
	const struct options *o;
	struct meta meta;
	struct perfdata_attr attr[KINDS];
	uint64_t id[KINDS][CPUS];
	struct perfdata_writer *file;
	FILE *truth;
	struct buffer cpu[CPUS];
	uint64_t lost[CPUS], samples[KINDS], lost_of[KINDS];
	int64_t loss_to, last_ns, round_ns;
	struct err e;
};

/* ---- options ---- */

enum { O_LATENCY = 256, O_COALESCE, O_NO_END, O_SILENT, O_COUNTS, O_RATE };
static const struct {
	const char *name;
	size_t offset;
	char type; /* u unsigned, l uint64_t, n duration, s share, b flag */
	const char *arg, *help;
} table[] = {
#define G(f) offsetof(struct gen_options, f)
	{"seed", G(seed), 'l', "N", "The same seed gives the same trace"},
	{"count", G(count), 'l', "N", "Transfers over all channels (1000)"},
	{"channels", G(channels), 'u', "N", "Channels (1)"},
	{"cards", G(cards), 'u', "N", "Cards, to which channels are dealt in turn (1)"},
	{"depth", G(depth), 'u', "N", "Transfers in flight on one channel (1)"},
	{"vectors", G(vectors), 'u', "N", "Vectors; channel c has vector c modulo N (1)"},
	{"polled", G(polled), 'b', NULL, "No interrupts"},
	{"several", G(several), 'u', "N", "Interrupts for each transfer (1)"},
	{"several-last", G(several_last), 'b', NULL, "The last of them is the end"},
	{"typical", G(typical_ns), 'n', "TIME", "What the card takes (10us)"},
	{"think", G(think_ns), 'n', "TIME", "Between an end and the next start (5us)"},
	{"skew", G(skew_ns), 'n', "TIME", "Interrupts are stamped wrong by as much"},
	{"other-thread", G(other_thread), 'b', NULL, "Another thread waits"},
	{"polls", G(polls), 'b', NULL,
	 "Waits poll: the handler is entered after the end is seen"},
	{"drain-wait", G(drain_wait), 'b', NULL, "One wait for all that is in flight"},
	{"missing", G(missing), 's', "SHARE", "Interrupts that never come"},
	{"late", G(late), 's', "SHARE", "Interrupts after the program saw the end"},
	{"late-by", G(late_ns), 'n', "TIME", "How late at most (45us)"},
	{"stray", G(stray), 's', "SHARE", "Interrupts for nothing"},
	{"restart", G(restart), 's', "SHARE", "Transfers aborted by the next start"},
	{"stop", G(stop), 's', "SHARE", "Transfers that are stopped"},
	{"fail", G(fail), 's', "SHARE", "Waits left by an exception"},
	{"empty-wait", G(empty_wait), 's', "SHARE", "Waits followed by one for nothing"},
	{"preempted", G(preempted), 's', "SHARE", "Waits that return 1 to 5 ms late"},
	{"loss", G(loss), 'u', "N", "Windows in which all samples vanish"},
	{"loss-time", G(loss_ns), 'n', "TIME", "Their length (200us)"},
	{"cut-begin", G(cut_begin), 'l', "N", "Samples not recorded at the start"},
	{"data-vector", G(data_vector), 'b', NULL, "A vector that tells of each start"},
	{"timer-vector", G(timer_ns), 'n', "TIME", "A vector that fires at this period"},
};
enum { TABLE = sizeof(table) / sizeof(*table) };

static int parse_value(struct options *o, size_t i, const char *arg, struct err *e)
{
	void *to = (char *)&o->gen + table[i].offset;
	int64_t v = 0;
	int rc = 0;

	switch (table[i].type) {
	case 'b':
		*(bool *)to = true;
		return 0;
	case 's':
		return num_share(arg, 0, 1, to, e);
	case 'n':
		return num_duration_ns(arg, 1, INT64_C(1000000000000), to, e);
	case 'u':
		if (!(rc = num_i64(arg, 0, 1000, &v, e)))
			*(unsigned *)to = (unsigned)v;
		return rc;
	default:
		if (!(rc = num_i64(arg, 0, INT64_C(1000000000), &v, e)))
			*(uint64_t *)to = (uint64_t)v;
		return rc;
	}
}

static int parse_coalesce(struct gen_options *g, const char *arg, struct err *e)
{
	char low[32];
	const char *dash = strchr(arg, '-');
	int64_t a, b;
	int rc;

	snprintf(low, sizeof(low), "%.*s", dash ? (int)(dash - arg) : 31, arg);
	rc = num_i64(low, 1, 1000, &a, e);
	b = a;
	if (!rc && dash)
		rc = num_i64(dash + 1, a, 1000, &b, e);
	g->coalesce_min = (unsigned)a;
	g->coalesce_max = (unsigned)b;
	return rc;
}

static int parse_latency(struct gen_options *g, const char *arg)
{
	static const char *const names[] = {"constant", "linear", "tail"};

	for (int i = 0; i < 3; i++)
		if (!strcmp(arg, names[i])) {
			g->latency = (enum gen_latency)i;
			return 0;
		}
	return -1;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	struct err e = {0};
	int rc = 0;

	switch (key) {
	case 'o':
		o->output = arg;
		break;
	case 't':
		o->truth = arg;
		break;
	case 'u':
		o->unnamed = true;
		break;
	case O_NO_END:
		o->no_end = o->unnamed = true;
		break;
	case O_SILENT:
		o->silent = true;
		break;
	case O_COUNTS:
		o->counts = true;
		break;
	case 'p':
		if ((rc = pairing_parse(arg)) < 0)
			argp_error(state, "--pairing=%s: no such rule", arg);
		o->pairing = (enum pairing)rc;
		return 0;
	case O_LATENCY:
		if (parse_latency(&o->gen, arg))
			argp_error(state, "--latency=%s: constant, linear or tail", arg);
		break;
	case O_COALESCE:
		rc = parse_coalesce(&o->gen, arg, &e);
		break;
	default:
		if (key < O_RATE || key >= O_RATE + TABLE)
			return ARGP_ERR_UNKNOWN;
		rc = parse_value(o, (size_t)(key - O_RATE), arg, &e);
	}
	if (rc)
		argp_error(state, "%s", e.text);
	return 0;
}

enum { OWN = 9 }; /* options that are not in the table */

static void parse_options(struct options *o, int argc, char **argv)
{
	struct argp_option opt[OWN + TABLE + 1] = {
		{"output", 'o', "FILE", 0, "The recording (g.data)", 0},
		{"truth", 't', "FILE", 0, "What really happened, as CSV (g.csv)", 0},
		{"counts", O_COUNTS, NULL, 0, "How many samples there were is recorded",
		 0},
		{"unnamed", 'u', NULL, 0, "No vector is named in the recording", 0},
		{"pairing", 'p', "RULE", 0, "The rule that the recording states", 0},
		{"latency", O_LATENCY, "MODEL", 0, "constant, linear or tail", 0},
		{"coalesce", O_COALESCE, "MIN-MAX", 0,
		 "Transfers that one interrupt ends", 0},
		{"no-end", O_NO_END, NULL, 0,
		 "Vectors that end transfers are not recorded", 0},
		{"silent-vector", O_SILENT, NULL, 0, "A vector that never fires", 0},
	};
	struct argp argp = {opt,  parse, NULL, "A recording with known truth.",
			    NULL, NULL,	 NULL};

	for (size_t i = 0; i < TABLE; i++)
		opt[OWN + i] = (struct argp_option){table[i].name, O_RATE + (int)i,
						    table[i].arg,  0,
						    table[i].help, 0};
	argp_parse(&argp, argc, argv, 0, NULL, o);
}

/* ---- formats ---- */

static void put_u32(FILE *out, uint32_t v)
{
	fwrite(&v, sizeof(v), 1, out);
}

static void put_u64(FILE *out, uint64_t v)
{
	fwrite(&v, sizeof(v), 1, out);
}

static void put_field(FILE *out, const char *decl, int offset, int size, int is_signed)
{
	fprintf(out, "\tfield:%s;\toffset:%d;\tsize:%d;\tsigned:%d;\n", decl, offset,
		size, is_signed);
}

/* As the kernel's `format` files say it. */
static char *format_of(size_t kind, size_t *len)
{
	const struct kind *k = &kinds[kind];
	char *text = NULL;
	FILE *out = open_memstream(&text, len);

	if (!out)
		return NULL;
	fprintf(out, "name: %s\nID: %d\nformat:\n", k->name, FIRST_TYPE + (int)kind);
	put_field(out, "unsigned short common_type", 0, 2, 0);
	put_field(out, "unsigned char common_flags", 2, 1, 0);
	put_field(out, "unsigned char common_preempt_count", 3, 1, 0);
	put_field(out, "int common_pid", 4, 4, 1);
	fputs("\n", out);
	if (k->role == ROLE_INTERRUPT) {
		put_field(out, "int irq", 8, 4, 1);
		put_field(out, "__data_loc char[] name", 12, 4, 0);
		fputs("\nprint fmt: \"irq=%d name=%s\", REC->irq, __get_str(name)\n",
		      out);
	} else {
		put_field(out, "unsigned long __probe_ip", 8, 8, 0);
		put_field(out, "u64 card", 16, 8, 0);
		put_field(out, "u32 channel", 24, 4, 0);
		if (k->args) {
			put_field(out, "u64 size", 28, 8, 0);
			put_field(out, "u64 addr", 36, 8, 0);
		}
		fputs("\nprint fmt: \"(%lx)\", REC->__probe_ip\n", out);
	}
	return fclose(out) ? NULL : text;
}

static int tracing_data(struct perfdata_section *s)
{
	char *buf = NULL;
	FILE *out = open_memstream(&buf, &s->len);
	static const char nothing[] = "";

	if (!out)
		return -1;
	fwrite("\027\010\104tracing", 1, 10, out);
	fwrite("0.6", 1, 4, out);
	fputc(0, out);
	fputc(8, out);
	put_u32(out, 4096);
	fwrite("header_page", 1, 12, out);
	put_u64(out, 0);
	fwrite("header_event", 1, 13, out);
	put_u64(out, 0);
	put_u32(out, 0); /* ftrace's own */
	put_u32(out, 2);
	for (size_t begin = 0; begin < KINDS;) {
		size_t end = begin;
		while (end < KINDS && !strcmp(kinds[end].system, kinds[begin].system))
			end++;
		fwrite(kinds[begin].system, 1, strlen(kinds[begin].system) + 1, out);
		put_u32(out, (uint32_t)(end - begin));
		for (; begin < end; begin++) {
			size_t len;
			char *text = format_of(begin, &len);
			put_u64(out, text ? len : 0);
			fwrite(text ? text : nothing, 1, text ? len : 0, out);
			free(text);
		}
	}
	put_u32(out, 0); /* kallsyms */
	put_u32(out, 0); /* printk formats */
	put_u64(out, 0); /* command lines */
	s->feat = FEAT_TRACING_DATA;
	if (fclose(out))
		return -1;
	s->buf = buf;
	return 0;
}

/* ---- what dmarec says ---- */

static int add_vector(struct trace *t, int irq, bool recorded, bool completes)
{
	struct meta_irq *q = meta_add_irq(&t->meta);

	if (!q)
		return -1;
	q->irq = irq;
	q->name = strdup("flx");
	q->bdf = strdup("0000:01:00.0");
	q->vector = irq - GEN_IRQ;
	q->recorded = recorded;
	q->completes = completes;
	return 0;
}

static int fill_meta(struct trace *t)
{
	const struct gen_options *g = &t->o->gen;
	struct meta *m = &t->meta;
	unsigned vectors = g->vectors ? g->vectors : 1;
	char text[128];

	meta_init(m);
	snprintf(text, sizeof(text), "gentrace-%" PRIu64 "-%" PRIu64, g->seed, g->count);
	m->uuid = strdup(text);
	m->tool = strdup("gentrace");
	m->command = strdup("gentrace");
	m->clock = strdup("monotonic");
	m->irq_feed = strdup("perf");
	m->pairing = t->o->pairing;
	m->begin_ns = 999000000;
	m->begin_wall_ns = INT64_C(1700000000000000000);
	m->workload_pid = GEN_PID;
	for (size_t i = 0; i < KINDS; i++) {
		struct meta_event *ev = meta_add_event(m);
		if (!ev)
			return -1;
		ev->id = ev->attr = (int32_t)i;
		snprintf(text, sizeof(text), "%s:%s", kinds[i].system, kinds[i].name);
		ev->name = strdup(text);
		ev->role = kinds[i].role;
		ev->direction = kinds[i].direction;
		ev->func = kinds[i].func;
		ev->function = kinds[i].function ? strdup(kinds[i].function) : NULL;
	}
	for (unsigned i = 0; i < vectors; i++)
		if (add_vector(t, GEN_IRQ + (int)i, !t->o->no_end,
			       !t->o->unnamed && !g->polled))
			return -1;
	if (g->data_vector && add_vector(t, gen_data_irq(g), true, false))
		return -1;
	if (g->timer_ns && add_vector(t, gen_timer_irq(g), true, false))
		return -1;
	return t->o->silent ? add_vector(t, gen_timer_irq(g) + 1, true, false) : 0;
}

static int meta_text(struct trace *t, bool begin, struct perfdata_section *s)
{
	char *buf = NULL;
	FILE *out = open_memstream(&buf, &s->len);

	if (!out)
		return -1;
	s->feat = FEAT_DMAREC;
	int rc = begin ? meta_write_begin(&t->meta, out) : meta_write_end(&t->meta, out);
	if (fclose(out))
		rc = -1;
	s->buf = buf;
	return rc;
}

static int create(struct trace *t)
{
	struct perfdata_section s[4] = {{0}};
	int rc = 0;

	for (size_t i = 0; i < KINDS; i++) {
		for (size_t c = 0; c < CPUS; c++)
			t->id[i][c] = 100 + i * CPUS + c;
		t->attr[i] = (struct perfdata_attr){
			.attr = {.type = PERF_TYPE_TRACEPOINT,
				 .size = sizeof(struct perf_event_attr),
				 .config = FIRST_TYPE + i,
				 .sample_period = 1,
				 .sample_type = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_TID |
						PERF_SAMPLE_TIME | PERF_SAMPLE_CPU |
						PERF_SAMPLE_RAW,
				 .sample_id_all = 1},
			.name = t->meta.event[i].name,
			.ids = t->id[i],
			.nids = CPUS};
	}
	rc = tracing_data(&s[0]);
	if (!rc)
		rc = feat_string(&s[1], FEAT_HOSTNAME, "gentrace", &t->e);
	if (!rc)
		rc = feat_event_desc(&s[2], t->attr, KINDS, &t->e);
	if (!rc)
		rc = meta_text(t, true, &s[3]);
	if (!rc)
		rc = perfdata_create(&t->file, t->o->output, NULL, t->attr, KINDS, s, 4,
				     &t->e);
	for (size_t i = 0; i < 4; i++)
		free((void *)s[i].buf);
	return rc;
}

/* ---- records ---- */

static int append(struct trace *t, int cpu, const void *p, size_t n)
{
	struct buffer *b = &t->cpu[cpu];

	if (b->n + n > b->a) {
		size_t a = b->a ? 2 * b->a : BUF;
		uint8_t *q = realloc(b->at, a);
		if (!q)
			return err_set(&t->e, ERR_NOMEM, "no memory");
		b->at = q;
		b->a = a;
	}
	memcpy(b->at + b->n, p, n);
	b->n += n;
	return 0;
}

static int next_round(struct trace *t)
{
	int rc = 0;

	for (int c = 0; c < CPUS && !rc; c++) {
		rc = perfdata_append(t->file, t->cpu[c].at, t->cpu[c].n, &t->e);
		t->cpu[c].n = 0;
	}
	return rc ? rc : perfdata_round(t->file, &t->e);
}

struct record {
	uint8_t at[256];
	size_t n;
};

static void add(struct record *r, const void *p, size_t n)
{
	memcpy(r->at + r->n, p, n);
	r->n += n;
}

static void add32(struct record *r, uint32_t v)
{
	add(r, &v, sizeof(v));
}

static void add64(struct record *r, uint64_t v)
{
	add(r, &v, sizeof(v));
}

static void begin_record(struct record *r)
{
	r->n = sizeof(struct perf_event_header);
}

static int end_record(struct trace *t, struct record *r, uint32_t type, int cpu)
{
	struct perf_event_header h = {type, 0, (uint16_t)r->n};

	memcpy(r->at, &h, sizeof(h));
	return append(t, cpu, r->at, r->n);
}

/* The kernel tells a loss with the next record that finds room. */
static int tell_loss(struct trace *t, int cpu, int64_t at)
{
	struct record r;

	if (!t->lost[cpu])
		return 0;
	begin_record(&r);
	add64(&r, t->id[0][cpu]);
	add64(&r, t->lost[cpu]);
	t->lost[cpu] = 0;
	add32(&r, GEN_PID);
	add32(&r, GEN_PID);
	add64(&r, (uint64_t)at);
	add32(&r, (uint32_t)cpu);
	add32(&r, 0);
	add64(&r, t->id[0][cpu]);
	return end_record(t, &r, PERF_RECORD_LOST, cpu);
}

static void raw_of(struct record *raw, size_t kind, const struct sample *s)
{
	raw->n = 0;
	add32(raw, (uint32_t)(FIRST_TYPE + kind));
	add32(raw, s->tid > 0 ? (uint32_t)s->tid : 0);
	if (s->role == ROLE_INTERRUPT) {
		add32(raw, (uint32_t)s->irq);
		add32(raw, 4u << 16 | 16);
		add(raw, "flx", 4);
		return;
	}
	add64(raw, 0x401000);
	add64(raw, (uint64_t)s->card);
	add32(raw, (uint32_t)s->channel);
	if (kinds[kind].args) {
		add64(raw, (uint64_t)s->size_bytes);
		add64(raw, (uint64_t)s->addr);
	}
}

static size_t kind_of(const struct sample *s)
{
	bool from_host = s->role == ROLE_SUBMIT || s->role == ROLE_STARTED
				 ? s->channel >= 0 && s->direction == DIR_FROM_HOST
				 : false;

	for (size_t i = 0; i < KINDS; i++)
		if (kinds[i].role == s->role &&
		    (kinds[i].direction == DIR_UNKNOWN ||
		     from_host == (kinds[i].direction == DIR_FROM_HOST)))
			return i;
	return 0;
}

static int write_sample(struct trace *t, const struct sample *s)
{
	struct record r, raw;
	size_t kind = kind_of(s);
	static const uint8_t zeros[8];
	int rc = 0;

	if (s->time_ns > t->loss_to)
		rc = tell_loss(t, s->cpu, s->time_ns);
	if (rc)
		return rc;
	raw_of(&raw, kind, s);
	add(&raw, zeros,
	    (size_t)(12 - raw.n % 8) % 8); /* with its length a multiple of 8 */
	begin_record(&r);
	add64(&r, t->id[kind][s->cpu]);
	add32(&r, (uint32_t)(s->pid > 0 ? s->pid : 0));
	add32(&r, (uint32_t)(s->tid > 0 ? s->tid : 0));
	add64(&r, (uint64_t)s->time_ns);
	add32(&r, (uint32_t)s->cpu);
	add32(&r, 0);
	add32(&r, (uint32_t)raw.n);
	add(&r, raw.at, raw.n);
	t->samples[kind]++;
	t->last_ns = s->time_ns;
	rc = end_record(t, &r, PERF_RECORD_SAMPLE, s->cpu);
	if (rc || s->time_ns < t->round_ns)
		return rc;
	t->round_ns = s->time_ns + ROUND_NS;
	return next_round(t);
}

/* ---- truth ---- */

static void put_ns(FILE *out, int64_t v)
{
	if (v != DMA_UNKNOWN)
		fprintf(out, "%" PRId64, v);
	fputc(',', out);
}

static void on_truth(void *arg, const struct gen_truth *x)
{
	struct trace *t = arg;

	if (!t->truth)
		return;
	fprintf(t->truth, "%" PRId64 ",%" PRId64 ",%" PRId64 ",%s,", x->submit_ns,
		x->card, x->channel, state_name(x->state));
	put_ns(t->truth, x->irq_seq == DMA_UNKNOWN ? DMA_UNKNOWN : x->irq_ns);
	put_ns(t->truth, x->woken_ns);
	fprintf(t->truth, "%d,%d\n", x->coalesced, x->touched);
}

static void on_lost(void *arg, const struct sample *s, int64_t to_ns)
{
	struct trace *t = arg;

	t->lost[s->cpu]++;
	t->lost_of[kind_of(s)]++;
	t->loss_to = to_ns;
}

/* ---- all of it ---- */

static int finish(struct trace *t)
{
	struct perfdata_section s = {0};
	int rc = 0;

	for (int c = 0; c < CPUS && !rc; c++)
		rc = tell_loss(t, c, t->last_ns + 1);
	if (!rc)
		rc = next_round(t);
	t->meta.end_ns = t->last_ns + 1000000;
	t->meta.exit_status = 0;
	t->meta.finished = true;
	for (size_t i = 0; i < KINDS && t->o->counts; i++)
		t->meta.event[i].counted = (int64_t)(t->samples[i] + t->lost_of[i]);
	if (!rc)
		rc = meta_text(t, false, &s);
	rc = rc ? rc : perfdata_finish(t->file, &s, 1, &t->e);
	t->file = NULL;
	free((void *)s.buf);
	return rc;
}

static bool is_recorded(const struct options *o, const struct sample *s)
{
	return !o->no_end || s->role != ROLE_INTERRUPT || s->irq >= gen_data_irq(&o->gen);
}

static int run(struct trace *t)
{
	struct gen_sink sink = {t, on_truth, NULL, on_lost};
	struct gen *g = NULL;
	struct sample s;
	int rc = fill_meta(t), more = 0;

	if (!rc)
		rc = create(t);
	if (!rc)
		rc = gen_new(&g, &t->o->gen, &sink);
	while (!rc && (more = gen_next(g, &s)) > 0)
		if (is_recorded(t->o, &s))
			rc = write_sample(t, &s);
	if (!rc && more < 0)
		rc = err_set(&t->e, ERR_NOMEM, "no memory");
	if (!rc)
		rc = finish(t);
	perfdata_abandon(t->file);
	gen_free(g);
	for (int c = 0; c < CPUS; c++)
		free(t->cpu[c].at);
	meta_release(&t->meta);
	return rc;
}

int main(int argc, char **argv)
{
	struct options o = {.gen = {.seed = 1, .count = 1000}, .output = "g.data"};
	struct trace t = {.o = &o};
	int rc;

	parse_options(&o, argc, argv);
	if (o.truth && !(t.truth = fopen(o.truth, "w"))) {
		fprintf(stderr, "gentrace: %s cannot be written\n", o.truth);
		return 1;
	}
	if (t.truth)
		fputs("submit_ns,card,channel,state,irq_ns,woken_ns,coalesced,touched\n",
		      t.truth);
	rc = run(&t);
	if (t.truth && fclose(t.truth))
		rc = -1;
	if (rc)
		fprintf(stderr, "gentrace: %s\n", *t.e.text ? t.e.text : "failed");
	return rc ? 1 : 0;
}
