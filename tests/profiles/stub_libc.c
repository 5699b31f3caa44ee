/* SPDX-License-Identifier: GPL-2.0-only */
/* The C library's calls that the profiles of device files name (POSIX.1-2017, 64 bit
 * offsets). */
#include <sys/types.h>

ssize_t read(int fd, void *buf, size_t count);
ssize_t write(int fd, const void *buf, size_t count);
ssize_t pread64(int fd, void *buf, size_t count, off_t offset);
ssize_t pwrite64(int fd, const void *buf, size_t count, off_t offset);

ssize_t read(int fd, void *buf, size_t count)
{
	return buf ? (ssize_t)count + fd : -1;
}

ssize_t write(int fd, const void *buf, size_t count)
{
	return buf ? (ssize_t)count - fd : -1;
}

ssize_t pread64(int fd, void *buf, size_t count, off_t offset)
{
	return buf ? (ssize_t)count + fd + offset : -1;
}

ssize_t pwrite64(int fd, const void *buf, size_t count, off_t offset)
{
	return buf ? (ssize_t)count - fd + offset : -1;
}
