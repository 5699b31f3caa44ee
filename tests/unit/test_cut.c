/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs and libraries that somebody cuts while dmarec reads them: no SIGBUS, and it is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"
#include "record/elf/symbols.h"
#include "record/late.h"
#include "record/profile/profile.h"

enum { PAGES = 64 };

static char path[64];
static int fd;
static struct profile profile;

static int setup(void **state)
{
	struct func_spec *f = calloc(1, sizeof(*f));

	(void)state;
	snprintf(path, sizeof(path), "/tmp/cut.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0 && f);
	profile_init(&profile);
	profile.func = f;
	profile.nfunc = 1;
	f->pattern = strdup("my_dma_begin");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	profile_release(&profile);
	close(fd);
	return unlink(path);
}

/* That it was cut between the look at its size and the reading is the same as a size that is too
 * large. */
static void a_library_that_is_looked_into(void **state)
{
	const char word[] = "..my_dma_begin..";
	size_t page = (size_t)getpagesize();
	bool cut;

	(void)state;
	assert_int_equal(ftruncate(fd, 2 * page), 0);
	assert_false(late_holds_words(&profile, fd, 2 * page, &cut));
	assert_false(cut);
	assert_false(late_holds_words(&profile, fd, PAGES * page, &cut));
	assert_true(cut);
	assert_int_equal(pwrite(fd, word, sizeof(word), (off_t)page), sizeof(word));
	assert_true(late_holds_words(&profile, fd, 2 * page, &cut));
	assert_false(cut);
	assert_int_equal(ftruncate(fd, 2 * page - 1), 0); /* no page is gone: zeros */
	assert_true(late_holds_words(&profile, fd, 2 * page, &cut));
	assert_true(cut);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_false(late_holds_words(&profile, fd, page, &cut));
	assert_true(cut);
}

static void copy_of_this_program(void)
{
	static char buf[1 << 16];
	int from = open("/proc/self/exe", O_RDONLY);
	ssize_t n;

	assert_true(from >= 0);
	while ((n = read(from, buf, sizeof(buf))) > 0)
		assert_int_equal(write(fd, buf, (size_t)n), n);
	close(from);
}

/* Its last page stays, with zeros behind the new end. */
static void a_program_of_which_a_byte_is_gone(void **state)
{
	struct elf_file *f;
	struct err e = {0};

	(void)state;
	copy_of_this_program();
	assert_int_equal(elf_file_open(&f, path, &e), 0);
	assert_int_equal(elf_file_whole(f, &e), 0);
	assert_int_equal(ftruncate(fd, lseek(fd, 0, SEEK_END) - 1), 0);
	assert_int_equal(elf_file_whole(f, &e), ERR_FORMAT);
	assert_non_null(strstr(e.text, "was cut while it was read"));
	elf_file_close(f);
}

static void a_program_that_is_planned(void **state)
{
	struct parameter_list params;
	struct symbol_list l;
	struct elf_file *f;
	struct err e = {0};

	(void)state;
	copy_of_this_program();
	assert_int_equal(elf_file_open(&f, path, &e), 0);
	assert_int_equal(elf_file_find(f, "late_holds_words", &l, &e), 0);
	assert_int_equal(l.n, 1);
	assert_int_equal(elf_file_whole(f, &e), 0);
	assert_int_equal(ftruncate(fd, 4096), 0);
	if (!elf_file_parameters(f, &l.sym[0], &params, NULL))
		parameter_list_release(&params);
	assert_int_equal(elf_file_whole(f, &e), ERR_FORMAT);
	assert_non_null(strstr(e.text, "was cut while it was read"));
	symbol_list_release(&l);
	elf_file_close(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_library_that_is_looked_into, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_program_that_is_planned, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_program_of_which_a_byte_is_gone, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
