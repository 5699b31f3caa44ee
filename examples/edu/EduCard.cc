// SPDX-License-Identifier: GPL-2.0-only
// The class of EduCard.h. It owes nothing to libedu, so that each can be traced alone.
#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <system_error>
#include <time.h>
#include <unistd.h>

#include "EduCard.h"
#include "edu.h"

static void fail(int error, const char *what)
{
	throw std::system_error(error, std::generic_category(), what);
}

EduCard::~EduCard()
{
	card_close();
}

void *EduCard::map(size_t bytes, off_t offset)
{
	void *p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);

	if (p == MAP_FAILED)
		fail(errno, "mmap");
	return p;
}

void EduCard::card_open(int device_nr)
{
	std::string path = "/dev/edudma" + std::to_string(device_nr);

	fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, EDUDMA_INFO, &info))
		fail(errno, path.c_str());
	registers = (volatile uint8_t *)map(info.register_bytes, EDUDMA_MAP_REGISTERS);
	memory = map(info.buffer_bytes, EDUDMA_MAP_BUFFER);
}

void EduCard::card_close()
{
	if (memory)
		munmap(memory, info.buffer_bytes);
	if (registers)
		munmap((void *)registers, info.register_bytes);
	if (fd >= 0)
		close(fd);
	memory = nullptr;
	registers = nullptr;
	fd = -1;
}

// ---- transfers ----

inline void EduCard::store(unsigned at, uint64_t value)
{
	*(volatile uint64_t *)(registers + at) = value;
}

static void check(u_int dma_id, size_t size)
{
	if (dma_id || !size || size > EDU_MAX_BYTES)
		fail(EINVAL, "EduCard: no such channel, or more than 4095 bytes");
}

static uint64_t interrupt_bit(u_int flags)
{
	return flags & EDU_NO_INTERRUPT ? 0 : EDU_INTERRUPT;
}

void EduCard::dma_to_host(u_int dma_id, u_long dst, size_t size, u_int flags)
{
	check(dma_id, size);
	store(EDU_REG_SOURCE, EDU_OWN_MEMORY);
	store(EDU_REG_TARGET, dst);
	store(EDU_REG_COUNT, size);
	store(EDU_REG_COMMAND, EDU_RUN | EDU_TO_HOST | interrupt_bit(flags));
}

void EduCard::dma_from_host(u_int dma_id, u_long src, size_t size, u_int flags)
{
	check(dma_id, size);
	store(EDU_REG_SOURCE, src);
	store(EDU_REG_TARGET, EDU_OWN_MEMORY);
	store(EDU_REG_COUNT, size);
	store(EDU_REG_COMMAND, EDU_RUN | interrupt_bit(flags));
}

bool EduCard::busy() const
{
	return *(volatile uint64_t *)(registers + EDU_REG_COMMAND) & EDU_RUN;
}

static int64_t now_ns()
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

void EduCard::dma_wait(u_int dma_id)
{
	int64_t end_ns = now_ns() + timeout_ns;

	check(dma_id, 1);
	while (busy())
		if (now_ns() > end_ns)
			fail(ETIMEDOUT, "EduCard::dma_wait");
}

void EduCard::dma_stop(u_int dma_id)
{
	check(dma_id, 1);
	store(EDU_REG_COMMAND, 0);
}

// ---- interrupts ----

void EduCard::irq_enable(u_int interrupt)
{
	if (ioctl(fd, EDUDMA_IRQ_ENABLE, (unsigned long)interrupt))
		fail(errno, "EduCard::irq_enable");
}

void EduCard::irq_disable(u_int interrupt)
{
	if (ioctl(fd, EDUDMA_IRQ_DISABLE, (unsigned long)interrupt))
		fail(errno, "EduCard::irq_disable");
}

void EduCard::irq_clear(u_int interrupt)
{
	if (ioctl(fd, EDUDMA_IRQ_CLEAR, (unsigned long)interrupt))
		fail(errno, "EduCard::irq_clear");
}

void EduCard::irq_wait(u_int interrupt)
{
	struct edudma_wait w = {interrupt, (uint32_t)(timeout_ns / 1000000)};

	if (ioctl(fd, EDUDMA_IRQ_WAIT, &w))
		fail(errno, "EduCard::irq_wait");
}

void EduCard::irq_raise()
{
	*(volatile uint32_t *)(registers + EDU_REG_RAISE) = 1;
}
