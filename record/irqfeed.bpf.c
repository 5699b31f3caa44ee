/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * irq:irq_handler_entry, seen by BPF, and of some interrupts irq:irq_handler_exit. On some
 * kernels perf's own samples of interrupts that hit an idle CPU vanish without a LOST record;
 * a BPF program on the same tracepoint sees every one. It writes the record that perf would
 * have written, into the same rings, so that the file does not differ.
 *
 * The program's context is the tracepoint's record as the kernel laid it out (struct
 * trace_event_raw_irq_handler_entry, _exit), but its first eight bytes, the common fields,
 * are overwritten by the kernel with a pointer to the registers
 * (perf_trace_run_bpf_submit), so they are written anew.
 */
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

#ifndef barrier_var /* libbpf has it since 0.4 */
#define barrier_var(var) asm volatile("" : "=r"(var) : "0"(var))
#endif

#define NAME_MAX_BYTES 64
#define IRQ_WORDS      1024 /* 65536 interrupts; those above pass */

enum { ENTRY, EXIT, SIDES };

/* The parts of the contexts that the format files of the tracepoints promise. */
struct context {
	__u64 registers;
	__s32 irq;
	__u32 name_loc; /* length << 16 | offset */
};

struct exit_context {
	__u64 registers;
	__s32 irq;
	__s32 ret;
};

struct common {
	__u16 type;
	__u8 flags;
	__u8 preempt_count;
	__s32 pid;
	__s32 irq;
};

struct record {
	struct common common;
	__u32 name_loc;
	/* more than is used: the verifier wants room for any 7-bit length */
	char name[112];
};

struct exit_record {
	struct common common;
	__s32 ret;
	__u32 pad; /* u32 size + raw is a multiple of 8 */
};

/* How the recorder and the program talk. */
struct control {
	__u64 excluded[SIDES][IRQ_WORDS]; /* bit maps of interrupt numbers */
	__u32 event_type[SIDES];	  /* ids of the tracepoints */
	__u32 enabled; /* the gate: nothing is counted or written while 0 */
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct control);
} control SEC(".maps");

/* Per CPU: what matched while the gate was open, and what the ring refused. */
struct count {
	__u64 seen, refused;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SIDES);
	__type(key, __u32);
	__type(value, struct count);
} count SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} ring SEC(".maps");

/* Those of the exits: the events that stand for them in the file. */
struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} exit_ring SEC(".maps");

/* TRACE_FLAG_IRQS_OFF | TRACE_FLAG_HARDIRQ: what the kernel writes for a handler's entry and
 * exit. */
#define FLAGS 0x09

/* Counts an interrupt that is wanted, and begins its record; 0 = it is not. (key: a copy, for
 * the verifier no longer knows a number whose address a helper had.) */
static __always_inline struct count *begin(const __u32 side, __u32 irq, struct common *r)
{
	__u32 zero = 0, key = side, word = irq / 64;
	struct control *c = bpf_map_lookup_elem(&control, &zero);
	struct count *n = bpf_map_lookup_elem(&count, &key);

	if (!c || !n || !c->enabled)
		return 0;
	/* Without this the compiler drops the mask as idle, and 6.1's verifier misses
	 * it. */
	barrier_var(word);
	if (irq < IRQ_WORDS * 64 &&
	    c->excluded[side][word & (IRQ_WORDS - 1)] >> (irq % 64) & 1)
		return 0;
	n->seen++;
	r->type = (__u16)c->event_type[side];
	r->flags = FLAGS;
	r->pid = (__s32)bpf_get_current_pid_tgid();
	r->irq = (__s32)irq;
	return n;
}

/* Both return 1 always: 0 would also suppress the samples of anybody else's perf event on
 * this tracepoint. */
SEC("tracepoint/irq/irq_handler_entry")
int irq_handler_entry(struct context *ctx)
{
	struct record r = {};
	struct count *n = begin(ENTRY, (__u32)ctx->irq, &r.common);
	long len;

	if (!n)
		return 1;
	len = bpf_probe_read_kernel_str(r.name, NAME_MAX_BYTES,
					(char *)ctx + (ctx->name_loc & 0xffff));
	if (len < 1 || len > NAME_MAX_BYTES)
		len = 1;
	r.name_loc = (__u32)len << 16 | __builtin_offsetof(struct record, name);
	/* the length rounded as perf's records are: u32 size + raw to a multiple of 8 */
	len = ((__builtin_offsetof(struct record, name) + len + 4 + 7) & ~7L) - 4;
	if (bpf_perf_event_output(ctx, &ring, BPF_F_CURRENT_CPU, &r, (__u64)len & 0x7f))
		n->refused++;
	return 1;
}

SEC("tracepoint/irq/irq_handler_exit")
int irq_handler_exit(struct exit_context *ctx)
{
	struct exit_record r = {};
	struct count *n = begin(EXIT, (__u32)ctx->irq, &r.common);

	if (!n)
		return 1;
	r.ret = ctx->ret;
	if (bpf_perf_event_output(ctx, &exit_ring, BPF_F_CURRENT_CPU, &r, sizeof(r)))
		n->refused++;
	return 1;
}

char licence[] SEC("license") = "GPL";
