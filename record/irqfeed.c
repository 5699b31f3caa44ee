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
#include "record/irqfilter.h"

extern const char embed_irqfeed_bpf[];
extern const unsigned long embed_irqfeed_bpf_len;

#define IRQ_WORDS (IRQ_FILTER_NUMBERS / 64)

/* As in irqfeed.bpf.c. */
struct control {
	uint64_t excluded[IRQ_WORDS];
	uint32_t enabled, event_type;
};

struct count {
	uint64_t seen, refused;
};

struct irqfeed {
	int stats_fd; /* the kernel times BPF programs while it is open; -1 */
	struct bpf_object *object;
	struct bpf_link *link;
	struct control control;
	int control_fd, count_fd, ring_fd;
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

static void control_init(struct irqfeed *f, const int32_t *exclude, size_t n,
			 uint32_t event_type)
{
	f->control.event_type = event_type;
	for (size_t i = 0; i < n; i++)
		f->control.excluded[exclude[i] / 64] |= UINT64_C(1) << (exclude[i] % 64);
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
	if (rc == -EPERM && !(rights_have(CAP_BPF) && rights_have(CAP_PERFMON)))
		return err_set(
			e, ERR_PERM,
			"the interrupt feed's BPF program needs %s, which is missing",
			rights_have(CAP_BPF) ? "CAP_PERFMON" : "CAP_BPF");
	if (rc)
		return err_set(
			e, rc == -EPERM ? ERR_PERM : ERR_UNSUPPORTED,
			"this kernel does not load the interrupt feed's BPF program: %s",
			strerror(-rc));
	f->control_fd = map_fd(f, "control");
	f->count_fd = map_fd(f, "count");
	f->ring_fd = map_fd(f, "ring");
	return 0;
}

int irqfeed_open(struct irqfeed **out, const int32_t *exclude, size_t n,
		 uint32_t event_type, struct err *e)
{
	struct irqfeed *f = calloc(1, sizeof(*f));
	int rc;

	*out = NULL;
	if (!f)
		return err_nomem(e, "the interrupt feed");
	f->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	control_init(f, exclude, n, event_type);
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
	bpf_link__destroy(f->link);
	bpf_object__close(f->object);
	if (f->stats_fd >= 0)
		close(f->stats_fd);
	free(f);
}

int irqfeed_connect(struct irqfeed *f, int cpu, int perf_fd, struct err *e)
{
	if (bpf_map_update_elem(f->ring_fd, &cpu, &perf_fd, BPF_ANY))
		return err_errno(e, "the interrupt feed's ring of CPU %d", cpu);
	return 0;
}

/* By the event's number: an older libbpf (0.3) looks for its name in debugfs alone, which need
 * not be mounted. */
static int attach(struct irqfeed *f, struct bpf_program *p)
{
	struct perf_event_attr a = {.type = PERF_TYPE_TRACEPOINT,
				    .size = sizeof(a),
				    .config = f->control.event_type};
	int fd = (int)syscall(SYS_perf_event_open, &a, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	int rc;

	if (fd < 0)
		return -errno;
	f->link = bpf_program__attach_perf_event(p, fd);
	rc = error_of(f->link);
	if (rc) {
		f->link = NULL;
		close(fd);
	}
	return rc;
}

int irqfeed_attach(struct irqfeed *f, struct err *e)
{
	struct bpf_program *p =
		bpf_object__find_program_by_name(f->object, "irq_handler_entry");
	libbpf_print_fn_t before = libbpf_set_print(quiet);
	int rc = p ? attach(f, p) : -ENOENT;

	libbpf_set_print(before);
	return rc ? err_set(e, ERR_UNSUPPORTED,
			    "this kernel does not attach BPF to irq:irq_handler_entry: %s",
			    strerror(-rc))
		  : 0;
}

int irqfeed_gate(struct irqfeed *f, bool open, struct err *e)
{
	f->control.enabled = open;
	return control_write(f, e);
}

int irqfeed_counts(struct irqfeed *f, uint64_t *seen, uint64_t *refused, struct err *e)
{
	int cpus = libbpf_num_possible_cpus();
	struct count *c = cpus > 0 ? calloc((size_t)cpus, sizeof(*c)) : NULL;
	uint32_t zero = 0;

	*seen = *refused = 0;
	if (!c || bpf_map_lookup_elem(f->count_fd, &zero, c)) {
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
	struct bpf_program *p =
		bpf_object__find_program_by_name(f->object, "irq_handler_entry");
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info);

	if (f->stats_fd < 0 || !p ||
	    bpf_obj_get_info_by_fd(bpf_program__fd(p), &info, &len) || !info.run_cnt)
		return DMA_UNKNOWN;
	return (int64_t)(info.run_time_ns / info.run_cnt);
}
