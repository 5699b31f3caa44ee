/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * irq:irq_handler_entry, seen by BPF. On some kernels perf's own samples of interrupts
 * that hit an idle CPU vanish without a LOST record; a BPF program on the same tracepoint
 * sees every one. It writes the record that perf would have written, into the same rings,
 * so that the file does not differ.
 *
 * The program's context is the tracepoint's record as the kernel laid it out (struct
 * trace_event_raw_irq_handler_entry), but its first eight bytes, the common fields, are
 * overwritten by the kernel with a pointer to the registers (perf_trace_run_bpf_submit),
 * so they are written anew.
 */
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

#ifndef barrier_var /* libbpf has it since 0.4 */
#define barrier_var(var) asm volatile("" : "=r"(var) : "0"(var))
#endif

#define NAME_MAX_BYTES 64
#define IRQ_WORDS      1024 /* 65536 interrupts; those above pass */

/* The part of the context that the format file of the tracepoint promises. */
struct context {
	__u64 registers;
	__s32 irq;
	__u32 name_loc; /* length << 16 | offset */
};

struct record {
	__u16 type;
	__u8 flags;
	__u8 preempt_count;
	__s32 pid;
	__s32 irq;
	__u32 name_loc;
	/* more than is used: the verifier wants room for any 7-bit length */
	char name[112];
};

/* How the recorder and the program talk. */
struct control {
	__u64 excluded[IRQ_WORDS]; /* bit map of interrupt numbers */
	__u32 enabled;		   /* the gate: nothing is counted or written while 0 */
	__u32 event_type;	   /* id of irq:irq_handler_entry */
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
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct count);
} count SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} ring SEC(".maps");

/* TRACE_FLAG_IRQS_OFF | TRACE_FLAG_HARDIRQ: what the kernel writes for a handler's
 * entry. */
#define FLAGS 0x09

SEC("tracepoint/irq/irq_handler_entry")
int irq_handler_entry(struct context *ctx)
{
	__u32 zero = 0, irq = (__u32)ctx->irq, word = irq / 64;
	struct control *c = bpf_map_lookup_elem(&control, &zero);
	struct count *n = bpf_map_lookup_elem(&count, &zero);
	struct record r = {};
	long len;

	/* Always 1: 0 would also suppress the samples of anybody else's perf event on
	 * this tracepoint. */
	if (!c || !n || !c->enabled)
		return 1;
	/* Without this the compiler drops the mask as idle, and 6.1's verifier misses
	 * it. */
	barrier_var(word);
	if (irq < IRQ_WORDS * 64 && c->excluded[word & (IRQ_WORDS - 1)] >> (irq % 64) & 1)
		return 1;
	n->seen++;
	len = bpf_probe_read_kernel_str(r.name, NAME_MAX_BYTES,
					(char *)ctx + (ctx->name_loc & 0xffff));
	if (len < 1 || len > NAME_MAX_BYTES)
		len = 1;
	r.type = (__u16)c->event_type;
	r.flags = FLAGS;
	r.pid = (__s32)bpf_get_current_pid_tgid();
	r.irq = ctx->irq;
	r.name_loc = (__u32)len << 16 | __builtin_offsetof(struct record, name);
	/* the length rounded as perf's records are: u32 size + raw to a multiple of 8 */
	len = ((__builtin_offsetof(struct record, name) + len + 4 + 7) & ~7L) - 4;
	if (bpf_perf_event_output(ctx, &ring, BPF_F_CURRENT_CPU, &r, (__u64)len & 0x7f))
		n->refused++;
	return 1;
}

char licence[] SEC("license") = "GPL";
