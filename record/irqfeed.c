/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/irqfeed.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "lib/dma.h"
#include "lib/err.h"
#include "record/host/rights.h"

extern const char embed_irqfeed_bpf[];
extern const unsigned long embed_irqfeed_bpf_len;

#define IRQ_WORDS (IRQ_FILTER_NUMBERS / 64)

/* As in irqfeed.bpf.c. */
struct control {
	uint64_t excluded[IRQ_SIDES][IRQ_WORDS];
	uint32_t event_type[IRQ_SIDES];
	uint32_t enabled, pad;
};

struct count {
	uint64_t seen, refused;
};

struct irqfeed {
	int stats_fd; /* the kernel times BPF programs while it is open; -1 */
	struct bpf_object *object;
	struct bpf_link *link[IRQ_SIDES];
	struct control control;
	int control_fd, count_fd, ring_fd[IRQ_SIDES];
};

/* Before libbpf 1.0 a pointer may hold an error in place of NULL. Returns it, negative. */
static int error_of(const void *p)
{
	long rc = libbpf_get_error(p);

	return rc ? (int)rc : p ? 0 : -errno;
}

static int quiet(enum libbpf_print_level level, const char *format, va_list ap)
{
	(void)level;
	(void)format;
	(void)ap;
	return 0;
}

/* Kernels before 5.11 charge maps to RLIMIT_MEMLOCK. */
static void raise_memlock(void)
{
	struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};

	setrlimit(RLIMIT_MEMLOCK, &all);
}

static void leave_out(struct irqfeed *f, enum irq_side side, int32_t irq)
{
	f->control.excluded[side][irq / 64] |= UINT64_C(1) << (irq % 64);
}

static void control_init(struct irqfeed *f, const struct irq_wanted wanted[IRQ_SIDES])
{
	for (int side = 0; side < IRQ_SIDES; side++) {
		f->control.event_type[side] = wanted[side].event;
		for (size_t i = 0; i < wanted[side].n; i++)
			leave_out(f, side, wanted[side].never[i]);
	}
}

static int control_write(struct irqfeed *f, struct err *e)
{
	uint32_t zero = 0;

	if (bpf_map_update_elem(f->control_fd, &zero, &f->control, BPF_ANY))
		return err_errno(e, "the interrupt feed's BPF map");
	return 0;
}

static int map_fd(struct irqfeed *f, const char *name)
{
	return bpf_object__find_map_fd_by_name(f->object, name);
}

static int load_error(int rc, struct err *e)
{
	if (rc == -ENOSYS)
		return err_set(e, ERR_UNSUPPORTED,
			       "this kernel has no BPF (it was built without "
			       "CONFIG_BPF_SYSCALL)");
	if (rc != -EPERM)
		return err_set(
			e, ERR_UNSUPPORTED,
			"this kernel does not load the interrupt feed's BPF program: %s",
			strerror(-rc));
	if (rights_have(CAP_BPF) && rights_have(CAP_PERFMON))
		return err_set(
			e, ERR_PERM,
			"the interrupt feed's BPF program was refused in spite of CAP_BPF: "
			"a security module or a container's rules forbid it");
	return err_set(e, ERR_PERM,
		       "the interrupt feed's BPF program needs %s, which is missing",
		       rights_have(CAP_BPF) ? "CAP_PERFMON" : "CAP_BPF");
}

static int load(struct irqfeed *f, struct err *e)
{
	libbpf_print_fn_t before = libbpf_set_print(quiet);
	int rc;

	raise_memlock();
	f->object = bpf_object__open_mem(embed_irqfeed_bpf, embed_irqfeed_bpf_len, NULL);
	rc = error_of(f->object);
	if (rc)
		f->object = NULL;
	else
		rc = bpf_object__load(f->object);
	libbpf_set_print(before);
	if (rc)
		return load_error(rc, e);
	f->control_fd = map_fd(f, "control");
	f->count_fd = map_fd(f, "count");
	f->ring_fd[IRQ_ENTRY] = map_fd(f, "ring");
	f->ring_fd[IRQ_EXIT] = map_fd(f, "exit_ring");
	return 0;
}

int irqfeed_open(struct irqfeed **out, const struct irq_wanted wanted[IRQ_SIDES],
		 struct err *e)
{
	struct irqfeed *f = calloc(1, sizeof(*f));
	int rc;

	*out = NULL;
	if (!f)
		return err_nomem(e, "the interrupt feed");
	f->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	control_init(f, wanted);
	rc = load(f, e);
	if (!rc)
		rc = control_write(f, e);
	if (rc) {
		irqfeed_close(f);
		return rc;
	}
	*out = f;
	return 0;
}

void irqfeed_close(struct irqfeed *f)
{
	if (!f)
		return;
	for (int side = 0; side < IRQ_SIDES; side++)
		bpf_link__destroy(f->link[side]);
	bpf_object__close(f->object);
	if (f->stats_fd >= 0)
		close(f->stats_fd);
	free(f);
}

int irqfeed_connect(struct irqfeed *f, enum irq_side side, int cpu, int perf_fd,
		    struct err *e)
{
	if (bpf_map_update_elem(f->ring_fd[side], &cpu, &perf_fd, BPF_ANY))
		return err_errno(e, "the interrupt feed's ring of CPU %d", cpu);
	return 0;
}

static struct bpf_program *program(const struct irqfeed *f, enum irq_side side)
{
	const char *name = strchr(irq_tracepoint[side], '/') + 1;

	return bpf_object__find_program_by_name(f->object, name);
}

/* By the event's number: an older libbpf (0.3) looks for its name in debugfs alone, which need
 * not be mounted. */
static int attach(struct irqfeed *f, enum irq_side side)
{
	struct perf_event_attr a = {.type = PERF_TYPE_TRACEPOINT,
				    .size = sizeof(a),
				    .config = f->control.event_type[side]};
	struct bpf_program *p = program(f, side);
	int fd =
		p ? (int)syscall(SYS_perf_event_open, &a, -1, 0, -1, PERF_FLAG_FD_CLOEXEC)
		  : -1;
	int rc;

	if (fd < 0)
		return p ? -errno : -ENOENT;
	f->link[side] = bpf_program__attach_perf_event(p, fd);
	rc = error_of(f->link[side]);
	if (rc) {
		f->link[side] = NULL;
		close(fd);
	}
	return rc;
}

int irqfeed_attach(struct irqfeed *f, struct err *e)
{
	libbpf_print_fn_t before = libbpf_set_print(quiet);
	int rc = 0;

	for (int side = 0; !rc && side < IRQ_SIDES; side++) {
		rc = f->control.event_type[side] ? attach(f, side) : 0;
		if (rc)
			err_set(e, ERR_UNSUPPORTED,
				"this kernel does not attach BPF to %s: %s",
				irq_tracepoint[side], strerror(-rc));
	}
	libbpf_set_print(before);
	return rc ? ERR_UNSUPPORTED : 0;
}

int irqfeed_leave(struct irqfeed *f, enum irq_side side, int32_t irq, struct err *e)
{
	if (irq < 0 || irq >= IRQ_FILTER_NUMBERS)
		return 0;
	leave_out(f, side, irq);
	return control_write(f, e);
}

int irqfeed_gate(struct irqfeed *f, bool open, struct err *e)
{
	f->control.enabled = open;
	return control_write(f, e);
}

int irqfeed_counts(struct irqfeed *f, enum irq_side side, uint64_t *seen,
		   uint64_t *refused, struct err *e)
{
	int cpus = libbpf_num_possible_cpus();
	struct count *c = cpus > 0 ? calloc((size_t)cpus, sizeof(*c)) : NULL;
	uint32_t key = side;

	*seen = *refused = 0;
	if (!c || bpf_map_lookup_elem(f->count_fd, &key, c)) {
		free(c);
		return err_errno(e, "the interrupt feed's counts");
	}
	for (int i = 0; i < cpus; i++) {
		*seen += c[i].seen;
		*refused += c[i].refused;
	}
	free(c);
	return 0;
}

int64_t irqfeed_cost_ns(struct irqfeed *f)
{
	struct bpf_program *p = program(f, IRQ_ENTRY);
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info);

	if (f->stats_fd < 0 || !p ||
	    bpf_obj_get_info_by_fd(bpf_program__fd(p), &info, &len) || !info.run_cnt)
		return DMA_UNKNOWN;
	return (int64_t)(info.run_time_ns / info.run_cnt);
}
