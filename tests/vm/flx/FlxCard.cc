// SPDX-License-Identifier: GPL-2.0-only
#include <cerrno>
#include <fcntl.h>
#include <sched.h>
#include <string>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <system_error>
#include <time.h>
#include <unistd.h>

#include "FlxCard.h"
#include "flxregs.h"

static void fail(int error, const char *what)
{
	throw std::system_error(error, std::generic_category(), what);
}

FlxCard::~FlxCard()
{
	card_close();
}

void *FlxCard::map(size_t bytes, off_t offset)
{
	void *p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);

	if (p == MAP_FAILED)
		fail(errno, "mmap");
	return p;
}

void FlxCard::card_open(int device_nr)
{
	std::string path = "/dev/flx" + std::to_string(device_nr);

	fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, EDUDMA_INFO, &info))
		fail(errno, path.c_str());
	registers = (volatile uint8_t *)map(info.register_bytes, EDUDMA_MAP_REGISTERS);
	bell = (volatile uint8_t *)map(info.bell_bytes, EDUDMA_MAP_BELL);
	memory = map(info.buffer_bytes, EDUDMA_MAP_BUFFER);
}

void FlxCard::card_close()
{
	if (memory)
		munmap(memory, info.buffer_bytes);
	if (bell)
		munmap((void *)bell, info.bell_bytes);
	if (registers)
		munmap((void *)registers, info.register_bytes);
	if (fd >= 0)
		close(fd);
	memory = nullptr;
	registers = bell = nullptr;
	fd = -1;
}

// ---- transfers ----

void FlxCard::describe(u_int dma_id, u_long address, size_t size, bool from_host,
		       u_int number)
{
	volatile flx_desc *d = (volatile flx_desc *)(registers + FLX_DESC) + dma_id;

	d->address = address;
	d->bytes = size;
	d->from_host = from_host;
	d->number = number;
}

void FlxCard::ring()
{
	*(volatile uint32_t *)(bell + FLX_BELL_AT) = FLX_CARD_PEER;
}

static void check(u_int dma_id, size_t size)
{
	if (dma_id >= FLX_CHANNELS || !size)
		fail(EINVAL, "FlxCard: no such channel");
}

// As in Wupper: a read and a write, not locked, of one register for all channels.
#define ENABLE (*(volatile uint64_t *)(registers + FLX_ENABLE))

static int64_t now_ns()
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

// What the register holds; on a link that takes its time.
uint64_t FlxCard::read_enable()
{
	uint64_t value = ENABLE;
	int64_t takes = ((volatile flx_test *)(registers + FLX_TEST))->read_ns;

	if (takes)
		for (int64_t begin = now_ns(); now_ns() - begin < takes;)
			sched_yield();
	return value;
}

void FlxCard::dma_to_host(u_int dma_id, u_long dst, size_t size, u_int flags)
{
	check(dma_id, size);
	describe(dma_id, dst, size, false, flags >> 1);
	ENABLE = read_enable() | 1ull << dma_id;
	ring();
}

void FlxCard::dma_from_host(u_int dma_id, u_long src, size_t size, u_int flags)
{
	check(dma_id, size);
	describe(dma_id, src, size, true, flags >> 1);
	ENABLE = read_enable() | 1ull << dma_id;
	ring();
}

void FlxCard::dma_wait(u_int dma_id)
{
	int64_t end_ns = now_ns() + 1000000000;

	check(dma_id, 1);
	while (ENABLE & 1ull << dma_id) {
		if (now_ns() > end_ns)
			fail(ETIMEDOUT, "FlxCard::dma_wait");
		if (((volatile flx_test *)(registers + FLX_TEST))->read_ns)
			sched_yield();
	}
}

void FlxCard::dma_stop(u_int dma_id)
{
	check(dma_id, 1);
	ENABLE = ENABLE & ~(1ull << dma_id);
}

// ---- interrupts ----

void FlxCard::irq_enable(u_int interrupt)
{
	if (ioctl(fd, EDUDMA_IRQ_ENABLE, (unsigned long)interrupt))
		fail(errno, "FlxCard::irq_enable");
}

void FlxCard::irq_disable(u_int interrupt)
{
	if (ioctl(fd, EDUDMA_IRQ_DISABLE, (unsigned long)interrupt))
		fail(errno, "FlxCard::irq_disable");
}

void FlxCard::irq_clear(u_int interrupt)
{
	if (ioctl(fd, EDUDMA_IRQ_CLEAR, (unsigned long)interrupt))
		fail(errno, "FlxCard::irq_clear");
}

bool FlxCard::irq_wait(u_int interrupt, u_int timeout_ms)
{
	struct edudma_wait w = {interrupt, timeout_ms};

	if (!ioctl(fd, EDUDMA_IRQ_WAIT, &w))
		return true;
	if (errno != ETIMEDOUT)
		fail(errno, "FlxCard::irq_wait");
	return false;
}
