/* SPDX-License-Identifier: GPL-2.0-only */
/* What a stranger's file may cost: sections that grow a thousandfold, and pages that are gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "lib/err.h"
#include "record/elf/care.h"
#include "record/elf/symbols.h"

enum {
	CHUNK = 1 << 20, /* of zeros, compressed for itself */
	GROWS_MIB = 600,
	HELD_KIB = 160 << 10, /* 64 MiB of room, 16 times the file, and the test's own */
};

static char path[64];
static int fd;

static int setup(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "/tmp/care.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close(fd);
	return unlink(path);
}

static void put(const void *what, size_t n)
{
	assert_int_equal(write(fd, what, n), n);
}

/* One chunk that stands for itself, many times: what zlib gives is n MiB of zeros. */
static size_t put_zeros(size_t n)
{
	static uint8_t zeros[CHUNK], packed[CHUNK];
	z_stream z = {.next_in = zeros,
		      .avail_in = CHUNK,
		      .next_out = packed,
		      .avail_out = CHUNK};
	const uint8_t head[] = {0x78, 0x9c};
	size_t len;

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 9, 0), Z_OK);
	assert_int_equal(deflate(&z, Z_FULL_FLUSH), Z_OK);
	len = CHUNK - z.avail_out;
	deflateEnd(&z);
	put(head, sizeof(head));
	for (size_t i = 0; i < n; i++)
		put(packed, len);
	return sizeof(head) + n * len;
}

/* A library whose .debug_info is that. */
static void put_library(size_t n)
{
	static const char names[] = "\0.debug_info\0.debug_abbrev\0.shstrtab";
	Elf64_Chdr head = {
		.ch_type = ELFCOMPRESS_ZLIB, .ch_size = n << 20, .ch_addralign = 1};
	Elf64_Phdr load = {.p_type = PT_LOAD,
			   .p_flags = PF_R,
			   .p_filesz = 64,
			   .p_memsz = 64,
			   .p_align = 4096};
	Elf64_Ehdr e = {.e_ident = ELFMAG,
			.e_type = ET_DYN,
			.e_machine = EM_X86_64,
			.e_version = 1};
	Elf64_Shdr s[4] = {{0}};
	size_t at = sizeof(e) + sizeof(load);

	assert_int_equal(lseek(fd, (off_t)at, SEEK_SET), at);
	put(&head, sizeof(head));
	s[1] = (Elf64_Shdr){.sh_name = 1,
			    .sh_type = SHT_PROGBITS,
			    .sh_flags = SHF_COMPRESSED,
			    .sh_offset = at,
			    .sh_addralign = 1};
	s[1].sh_size = sizeof(head) + put_zeros(n);
	at += s[1].sh_size;
	s[2] = (Elf64_Shdr){
		.sh_name = 13, .sh_type = SHT_PROGBITS, .sh_offset = at, .sh_size = 1};
	s[3] = (Elf64_Shdr){.sh_name = 27,
			    .sh_type = SHT_STRTAB,
			    .sh_offset = at,
			    .sh_size = sizeof(names)};
	put(names, sizeof(names));
	at += sizeof(names);
	put(s, sizeof(s));
	e.e_ident[EI_CLASS] = ELFCLASS64;
	e.e_ident[EI_DATA] = ELFDATA2LSB;
	e.e_ident[EI_VERSION] = EV_CURRENT;
	e.e_ehsize = sizeof(e);
	e.e_phoff = sizeof(e);
	e.e_phentsize = sizeof(load);
	e.e_phnum = 1;
	e.e_shoff = at;
	e.e_shentsize = sizeof(*s);
	e.e_shnum = 4;
	e.e_shstrndx = 3;
	assert_int_equal(pwrite(fd, &e, sizeof(e), 0), sizeof(e));
	assert_int_equal(pwrite(fd, &load, sizeof(load), sizeof(e)), sizeof(load));
}

/* Reads its DWARF; the status is 0 when there are no parameters. */
static int look(void)
{
	struct symbol s = {.addr = 16};
	struct parameter_list l = {0};
	struct elf_file *f;
	struct rlimit before, after;
	int rc = elf_file_open(&f, path, NULL);

	getrlimit(RLIMIT_DATA, &before);
	rc = rc ? rc : elf_file_parameters(f, &s, &l, NULL);
	getrlimit(RLIMIT_DATA, &after);
	if (rc || l.n || before.rlim_cur != after.rlim_cur)
		return 1;
	elf_file_close(f);
	return 0;
}

static void a_section_that_grows(void **state)
{
	struct rusage used;
	int status;
	pid_t pid;

	(void)state;
	put_library(GROWS_MIB);
	pid = fork();
	if (!pid)
		_exit(look());
	assert_int_equal(wait4(pid, &status, 0, &used), pid);
	assert_int_equal(status, 0);
	assert_true(used.ru_maxrss < HELD_KIB);
}

/* Memory that is refused in between is there again afterwards. */
static void room_that_is_given_back(void **state)
{
	struct elf_care c;
	struct rlimit was, in, more, then;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_DATA, &was), 0);
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	elf_care_begin(&c, fd);
	assert_int_equal(getrlimit(RLIMIT_DATA, &in), 0);
	elf_care_more(&c, fd);
	assert_int_equal(getrlimit(RLIMIT_DATA, &more), 0);
	assert_false(elf_care_end(&c));
	assert_int_equal(getrlimit(RLIMIT_DATA, &then), 0);
	assert_true(in.rlim_cur < RLIM_INFINITY);
	assert_int_equal(more.rlim_cur - in.rlim_cur, 1 << 20); /* a hole has no blocks */
	assert_true(then.rlim_cur == was.rlim_cur);
}

/* A limit of the user's that is lower stays. */
static void a_lower_limit(void **state)
{
	struct rlimit was, low, in;
	struct elf_care c;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_DATA, &was), 0);
	low = (struct rlimit){64 << 10, was.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_DATA, &low), 0);
	elf_care_begin(&c, fd);
	elf_care_more(&c, fd);
	getrlimit(RLIMIT_DATA, &in);
	elf_care_end(&c);
	assert_int_equal(setrlimit(RLIMIT_DATA, &was), 0);
	assert_int_equal(in.rlim_cur, 64 << 10);
}

static void pages_that_are_gone(void **state)
{
	size_t page = (size_t)getpagesize();
	const volatile uint8_t *map;
	struct elf_care c;

	(void)state;
	assert_int_equal(ftruncate(fd, (off_t)(2 * page)), 0);
	map = mmap(NULL, 2 * page, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_true(map != MAP_FAILED);
	assert_int_equal(pwrite(fd, "x", 1, (off_t)page), 1);
	elf_care_begin(&c, fd);
	assert_int_equal(map[page], 'x');
	assert_false(elf_care_end(&c));
	elf_care_begin(&c, fd);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(map[page], 0);
	assert_true(elf_care_end(&c));
	munmap((void *)map, 2 * page);
}

/* Memory that is refused is NULL under a sanitizer, too. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_section_that_grows, setup, teardown),
		cmocka_unit_test_setup_teardown(room_that_is_given_back, setup, teardown),
		cmocka_unit_test_setup_teardown(a_lower_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(pages_that_are_gone, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
