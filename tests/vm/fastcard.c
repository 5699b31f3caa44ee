/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A fast PCI card for the guest, with a known truth: the process behind QEMU's
 * ivshmem-doorbell. It is the ivshmem server (QEMU: docs/specs/ivshmem-spec.rst) for one
 * guest, and the card itself: it maps the guest's memory and moves the data, clears the
 * enable bit and raises MSI-X vectors, with faults on request, and logs each transfer in
 * the shared memory (flx/flxregs.h).
 *
 *   fastcard SOCKET GUEST_MEMORY_FILE
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "flx/flxregs.h"

enum { GUEST_PEER = 0, CARD_PEER = 1 };

struct card {
	int guest, memory_fd; /* the connection; the shared registers */
	int bell, vector[FLX_VECTORS];
	uint8_t *registers;
	struct flx_test *test;
	struct flx_log *log;
	_Atomic uint64_t *enable;
	_Atomic uint32_t *raised;
	const char *ram_path;
	uint8_t *ram; /* NULL until the first transfer */
	size_t ram_bytes;
	uint64_t run, random, odd;
};

/* As the guest's: nobody there steers the clock, so that a line leads from one to the other. */
static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void die(const char *what)
{
	fprintf(stderr, "fastcard: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* A card does not wait for the processor: others' programs may not delay it, where the
 * host lets us say so. In return it never spins for long. */
static void be_prompt(void)
{
	struct sched_param first = {.sched_priority = 1};

	prctl(PR_SET_TIMERSLACK, 1000ul);
	if (sched_setscheduler(0, SCHED_FIFO, &first) &&
	    setpriority(PRIO_PROCESS, 0, -20))
		fprintf(stderr, "fastcard: a busy host will make this card slow\n");
}

/* Sleep most of the way: a sleep ends some 50 us late. */
static void until(int64_t ns)
{
	int64_t left = ns - now_ns() - 60000;
	struct timespec t = {.tv_nsec = left};

	if (left > 0 && left < 1000000000)
		nanosleep(&t, NULL);
	while (now_ns() < ns)
		;
}

/* xorshift64* */
static uint64_t permille(struct card *c)
{
	c->random ^= c->random >> 12;
	c->random ^= c->random << 25;
	c->random ^= c->random >> 27;
	return c->random * UINT64_C(2685821657736338717) % 1000;
}

/* ---- the ivshmem server ---- */

static void send_message(int to, int64_t value, int fd)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} u = {{0}};
	struct iovec io = {&value, sizeof(value)};
	struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1};

	if (fd >= 0) {
		struct cmsghdr *h;

		m.msg_control = u.space;
		m.msg_controllen = sizeof(u.space);
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &fd, sizeof(int));
	}
	if (sendmsg(to, &m, MSG_NOSIGNAL) != sizeof(value))
		die("ivshmem message");
}

/* Version, the guest's number, the memory, the other peer (this card), the guest's own
 * vectors. */
static void greet(struct card *c)
{
	send_message(c->guest, 0, -1);
	send_message(c->guest, GUEST_PEER, -1);
	send_message(c->guest, -1, c->memory_fd);
	for (int i = 0; i < FLX_VECTORS; i++)
		send_message(c->guest, CARD_PEER, c->bell);
	for (int i = 0; i < FLX_VECTORS; i++)
		send_message(c->guest, GUEST_PEER, c->vector[i]);
}

static int listen_at(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(a.sun_path)) {
		errno = ENAMETOOLONG;
		die(path);
	}
	memcpy(a.sun_path, path, strlen(path));
	unlink(path);
	if (s < 0 || bind(s, (struct sockaddr *)&a, sizeof(a)) || listen(s, 1))
		die(path);
	return s;
}

static void make_registers(struct card *c)
{
	c->memory_fd = memfd_create("flx", MFD_CLOEXEC);
	if (c->memory_fd < 0 || ftruncate(c->memory_fd, FLX_BYTES))
		die("shared memory");
	c->registers = mmap(NULL, FLX_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
			    c->memory_fd, 0);
	if (c->registers == MAP_FAILED)
		die("shared memory");
	c->test = (struct flx_test *)(c->registers + FLX_TEST);
	c->log = (struct flx_log *)(c->registers + FLX_LOG);
	c->enable = (_Atomic uint64_t *)(c->registers + FLX_ENABLE);
	c->raised = (_Atomic uint32_t *)(c->registers + FLX_RAISED);
	c->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	for (int i = 0; i < FLX_VECTORS; i++)
		c->vector[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

/* ---- the card ---- */

static void map_ram(struct card *c)
{
	int fd = open(c->ram_path, O_RDWR | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		die(c->ram_path);
	c->ram_bytes = (size_t)st.st_size;
	c->ram = mmap(NULL, c->ram_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (c->ram == MAP_FAILED)
		die(c->ram_path);
	close(fd);
}

/* What is counted before it is raised is there when the handler reads it: each call of
 * the handler tells by it which interrupts it stands for. */
static int64_t kick(struct card *c, int vector)
{
	uint64_t one = 1;
	int64_t at = now_ns();

	if (vector == FLX_END_VECTOR)
		atomic_fetch_add(c->raised, 1);
	if (write(c->vector[vector], &one, sizeof(one)) != sizeof(one))
		die("eventfd");
	return at;
}

/* To the host goes a count that begins with the transfer's number; what comes is read. */
static void move_data(struct card *c, const struct flx_desc *d)
{
	uint32_t *word = (uint32_t *)(c->ram + d->address);
	static volatile uint32_t sum;
	uint32_t s = 0;

	for (size_t i = 0; i < d->bytes / 4; i++)
		if (d->from_host)
			s += word[i];
		else
			word[i] = (uint32_t)(c->test->logged + i);
	sum = s;
	(void)sum;
}

static enum flx_fault choose_fault(struct card *c)
{
	return permille(c) < c->test->fault_permille ? (enum flx_fault)c->test->fault
						     : FLX_NO_FAULT;
}

static void kick_end(struct card *c, struct flx_log *l)
{
	l->raised = atomic_load(c->raised) + 1;
	l->kick_ns = kick(c, FLX_END_VECTOR);
}

static void clear(struct card *c, unsigned channel, struct flx_log *l)
{
	l->clear_ns = now_ns();
	atomic_fetch_and(c->enable, ~(UINT64_C(1) << channel));
	l->cleared_ns = now_ns();
}

/* The end: on PCIe the read that sees the bit clear pushes the interrupt before it, so
 * that comes first by the time that its way through QEMU may take (push_ns); 0 = clear
 * first. Then the faults. */
static void end_transfer(struct card *c, unsigned channel, struct flx_log *l)
{
	if (l->fault == FLX_EARLY) {
		kick_end(c, l);
		until(now_ns() + FLX_APART_NS);
		clear(c, channel, l);
		return;
	}
	if (l->fault != FLX_DROP && l->fault != FLX_LATE && c->test->push_ns) {
		kick_end(c, l);
		until(now_ns() + c->test->push_ns);
	}
	clear(c, channel, l);
	if (l->fault == FLX_DROP)
		return;
	if (l->fault == FLX_LATE)
		until(now_ns() + FLX_APART_NS);
	if (!l->kick_ns)
		kick_end(c, l);
	if (l->fault == FLX_DOUBLE) {
		until(now_ns() + FLX_APART_NS);
		l->kick2_ns = kick(c, FLX_END_VECTOR);
	}
}

/* Who takes the channel's bit away stops it, and who starts it anew means another one. */
static bool was_undone(const struct card *c, unsigned channel, const struct flx_log *l)
{
	const volatile struct flx_desc *d =
		(const volatile struct flx_desc *)(c->registers + FLX_DESC) + channel;

	return !(atomic_load(c->enable) >> channel & 1) ||
	       (uint32_t)d->number != l->number;
}

static void transfer(struct card *c, unsigned channel, int64_t bell_ns)
{
	struct flx_desc d = ((struct flx_desc *)(c->registers + FLX_DESC))[channel];
	struct flx_test *t = c->test;
	struct flx_log *l = &c->log[t->logged % FLX_LOG_MAX];
	int64_t took = t->latency_ns + t->ns_per_kib * (int64_t)(d.bytes / 1024);

	if (!c->ram)
		map_ram(c);
	if (d.address > c->ram_bytes || d.bytes > c->ram_bytes - d.address) {
		fprintf(stderr, "fastcard: address %" PRIx64 " is none\n", d.address);
		return;
	}
	*l = (struct flx_log){.bell_ns = bell_ns,
			      .channel = channel,
			      .from_host = (uint32_t)d.from_host,
			      .bytes = (uint32_t)d.bytes,
			      .number = (uint32_t)d.number,
			      .fault = choose_fault(c)};
	if ((int64_t)permille(c) < t->tail_permille)
		took += t->tail_ns;
	until(bell_ns + t->latency_ns / 2);
	if (t->data_interrupt)
		kick(c, FLX_DATA_VECTOR);
	if (l->fault != FLX_NO_DATA)
		move_data(c, &d);
	l->data_ns = now_ns();
	until(bell_ns + took);
	t->logged++;
	if (was_undone(c, channel, l)) {
		l->fault = FLX_UNDONE;
		return;
	}
	end_transfer(c, channel, l);
	if (++c->odd % 50 == 0)
		kick(c, FLX_ODD_VECTOR);
}

static void answer(struct card *c)
{
	volatile struct flx_test *t = c->test;

	if (t->pong != t->ping) {
		t->pong_ns = now_ns();
		atomic_thread_fence(memory_order_seq_cst);
		t->pong = t->ping;
	}
	if (t->run != c->run) {
		c->run = t->run;
		t->logged = 0;
		c->random = 88172645463325252u;
	}
}

/* Sleep until the bell. */
static bool rung(struct card *c)
{
	struct pollfd p[2] = {{.fd = c->bell, .events = POLLIN},
			      {.fd = c->guest, .events = POLLIN}};
	uint64_t n;

	if (poll(p, 2, -1) < 0 && errno != EINTR)
		die("poll");
	if (p[1].revents)
		exit(0); /* the guest has gone */
	return read(c->bell, &n, sizeof(n)) == sizeof(n);
}

static void serve(struct card *c)
{
	for (;;) {
		uint64_t enabled;
		int64_t bell_ns;

		if (!rung(c))
			continue;
		bell_ns = now_ns();
		answer(c);
		enabled = atomic_load(c->enable);
		for (unsigned i = 0; i < FLX_CHANNELS; i++)
			if (enabled >> i & 1)
				transfer(c, i, bell_ns);
	}
}

int main(int argc, char **argv)
{
	struct card c = {.random = 88172645463325252u};
	int s;

	if (argc != 3) {
		fprintf(stderr, "usage: fastcard SOCKET GUEST_MEMORY_FILE\n");
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	be_prompt();
	c.ram_path = argv[2];
	make_registers(&c);
	s = listen_at(argv[1]);
	c.guest = accept(s, NULL, NULL);
	if (c.guest < 0)
		die("accept");
	greet(&c);
	serve(&c);
	return 0;
}
