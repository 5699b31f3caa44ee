/* SPDX-License-Identifier: GPL-2.0-only */
/* The library of edu.h: registers by mmap, interrupts by the driver's ioctls. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "edu.h"
#include "edudma.h"

struct edu_card {
	int fd;
	struct edudma_info info;
	volatile uint8_t *registers; /* NULL = not mapped */
	void *buffer;		     /* NULL = not mapped */
	int64_t timeout_ns;
};

static void *map(const struct edu_card *c, size_t bytes, off_t offset)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd, offset);

	return p == MAP_FAILED ? NULL : p;
}

int edu_open(unsigned card, struct edu_card **out)
{
	struct edu_card *c = calloc(1, sizeof(*c));
	char path[32];
	int rc;

	*out = NULL;
	if (!c)
		return -ENOMEM;
	snprintf(path, sizeof(path), "/dev/edudma%u", card);
	c->timeout_ns = 1000000000;
	c->fd = open(path, O_RDWR | O_CLOEXEC);
	if (c->fd < 0 || ioctl(c->fd, EDUDMA_INFO, &c->info))
		goto fail;
	c->registers = map(c, c->info.register_bytes, EDUDMA_MAP_REGISTERS);
	c->buffer = map(c, c->info.buffer_bytes, EDUDMA_MAP_BUFFER);
	if (!c->registers || !c->buffer)
		goto fail;
	*out = c;
	return 0;
fail:
	rc = -errno;
	edu_close(c);
	return rc;
}

void edu_close(struct edu_card *c)
{
	if (!c)
		return;
	if (c->buffer)
		munmap(c->buffer, c->info.buffer_bytes);
	if (c->registers)
		munmap((void *)c->registers, c->info.register_bytes);
	if (c->fd >= 0)
		close(c->fd);
	free(c);
}

void *edu_buffer(const struct edu_card *c, size_t *bytes)
{
	if (bytes)
		*bytes = c->info.buffer_bytes;
	return c->buffer;
}

unsigned long edu_bus_address(const struct edu_card *c)
{
	return c->info.bus_address;
}

/* ---- transfers ---- */

static inline void store(const struct edu_card *c, unsigned at, uint64_t value)
{
	*(volatile uint64_t *)(c->registers + at) = value;
}

static int refuse(unsigned id, size_t size)
{
	return id || !size || size > EDU_MAX_BYTES ? -EINVAL : 0;
}

static uint64_t interrupt_bit(unsigned flags)
{
	return flags & EDU_NO_INTERRUPT ? 0 : EDU_INTERRUPT;
}

int edu_dma_to_host(struct edu_card *c, unsigned id, unsigned long dst, size_t size,
		    unsigned flags)
{
	if (refuse(id, size))
		return -EINVAL;
	store(c, EDU_REG_SOURCE, EDU_OWN_MEMORY);
	store(c, EDU_REG_TARGET, dst);
	store(c, EDU_REG_COUNT, size);
	store(c, EDU_REG_COMMAND, EDU_RUN | EDU_TO_HOST | interrupt_bit(flags));
	return 0;
}

int edu_dma_from_host(struct edu_card *c, unsigned id, unsigned long src, size_t size,
		      unsigned flags)
{
	if (refuse(id, size))
		return -EINVAL;
	store(c, EDU_REG_SOURCE, src);
	store(c, EDU_REG_TARGET, EDU_OWN_MEMORY);
	store(c, EDU_REG_COUNT, size);
	store(c, EDU_REG_COMMAND, EDU_RUN | interrupt_bit(flags));
	return 0;
}

int edu_busy(const struct edu_card *c)
{
	return *(volatile uint64_t *)(c->registers + EDU_REG_COMMAND) & EDU_RUN;
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

int edu_dma_wait(struct edu_card *c, unsigned id)
{
	int64_t end_ns = now_ns() + c->timeout_ns;

	if (id)
		return -EINVAL;
	while (edu_busy(c))
		if (now_ns() > end_ns)
			return -ETIMEDOUT;
	return 0;
}

void edu_set_timeout(struct edu_card *c, int64_t timeout_ns)
{
	c->timeout_ns = timeout_ns;
}

int edu_dma_stop(struct edu_card *c, unsigned id)
{
	if (id)
		return -EINVAL;
	store(c, EDU_REG_COMMAND, 0);
	return 0;
}

/* ---- interrupts ---- */

int edu_irq_enable(struct edu_card *c, unsigned vector)
{
	return ioctl(c->fd, EDUDMA_IRQ_ENABLE, (unsigned long)vector) ? -errno : 0;
}

int edu_irq_disable(struct edu_card *c, unsigned vector)
{
	return ioctl(c->fd, EDUDMA_IRQ_DISABLE, (unsigned long)vector) ? -errno : 0;
}

int edu_irq_clear(struct edu_card *c, unsigned vector)
{
	return ioctl(c->fd, EDUDMA_IRQ_CLEAR, (unsigned long)vector) ? -errno : 0;
}

int edu_irq_wait(struct edu_card *c, unsigned vector)
{
	struct edudma_wait w = {.vector = vector,
				.timeout_ms = (uint32_t)(c->timeout_ns / 1000000)};

	return ioctl(c->fd, EDUDMA_IRQ_WAIT, &w) ? -errno : 0;
}

void edu_irq_raise(struct edu_card *c)
{
	*(volatile uint32_t *)(c->registers + EDU_REG_RAISE) = 1;
}
