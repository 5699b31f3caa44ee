/* SPDX-License-Identifier: GPL-2.0-only */
/* Profiles: the form, what it comes to, and every error with its file and line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/dma.h"
#include "lib/err.h"
#include "record/profile/profile.h"

static struct profile p;
static struct err err;

static int release(void **state)
{
	(void)state;
	profile_release(&p);
	memset(&err, 0, sizeof(err));
	return 0;
}

static void read_text(const char *text)
{
	if (profile_read_mem(&p, text, "x.ini", &err))
		fail_msg("%s", err.text);
}

/* The message begins with "x.ini:LINE: " and holds `part`. */
static void refuses(const char *text, int line, const char *part)
{
	char begin[32];

	memset(&err, 0, sizeof(err));
	snprintf(begin, sizeof(begin), "x.ini:%d: ", line);
	if (!profile_read_mem(&p, text, "x.ini", &err))
		fail_msg("accepted: %s", text);
	if (strncmp(err.text, begin, strlen(begin)) || !strstr(err.text, part))
		fail_msg("expected '%s...%s', got '%s'", begin, part, err.text);
}

static void test_whole(void **state)
{
	const struct func_spec *f;

	(void)state;
	read_text("; a card\r\n"
		  "[profile]\r\n"
		  "title = A card\r\n"
		  "source = one line\r\n"
		  "  and another\r\n"
		  "[library]\n"
		  "soname = liba.so* libb.so\n"
		  "  libc.so.1\n"
		  "[start Card::go]\n"
		  "direction = to_host\n"
		  "card = this\n"
		  "channel = arg2:u32 ; a comment\n"
		  "size = *(arg3 + 0x10):s64\n"
		  "size_unit = 4\n"
		  "flags = +8(%si):u32\n"
		  "circular = flags & 1\n"
		  "doorbell = store +0x400\n"
		  "[wait go_wait]\n"
		  "channel = name:id\n"
		  "pending = ret == 0\n"
		  "fail = ret < 0\n"
		  "[interrupt]\n"
		  "device = a b, c\n"
		  "  other*\n"
		  "pci = 10ee:7038 10DC:0427\n"
		  "vector = 2\n"
		  "vector.3 = 5\n"
		  "pairing = drain\n"
		  "[counter n]\n"
		  "file = /proc/x\n"
		  "pattern = ^a: ([0-9]+)\n");
	assert_string_equal(p.name, "x");
	assert_string_equal(p.source, "one line and another");
	assert_int_equal(p.nlibrary, 3);
	assert_string_equal(p.library[2], "libc.so.1");
	assert_int_equal(p.nfunc, 2);
	f = &p.func[0];
	assert_string_equal(f->pattern, "Card::go");
	assert_int_equal(f->role, FUNC_START);
	assert_int_equal(f->line, 9);
	assert_string_equal(f->origin, "x.ini");
	assert_true(f->method);
	assert_int_equal(f->arg[FIELD_CARD].kind, ARG_INDEX);
	assert_int_equal(f->arg[FIELD_CARD].index, 1);
	assert_int_equal(f->arg[FIELD_CHANNEL].index, 2);
	assert_string_equal(f->arg[FIELD_CHANNEL].type, "u32");
	assert_true(f->arg[FIELD_SIZE].has_deref);
	assert_int_equal(f->arg[FIELD_SIZE].deref, 16);
	assert_int_equal(f->size_unit, 4);
	assert_int_equal(f->arg[FIELD_FLAGS].kind, ARG_EXPR);
	assert_string_equal(f->arg[FIELD_FLAGS].text, "+8(%si):u32");
	assert_int_equal(f->circular.op, OP_AND);
	assert_int_equal(f->doorbell_store, 0x400);
	f = &p.func[1];
	assert_int_equal(f->role, FUNC_WAIT);
	assert_int_equal(f->arg[FIELD_CHANNEL].kind, ARG_NAME);
	assert_string_equal(f->arg[FIELD_CHANNEL].text, "id");
	assert_int_equal(f->arg[FIELD_RET].kind, ARG_RETURN);
	assert_string_equal(f->arg[FIELD_RET].type, "s32");
	assert_int_equal(f->doorbell_store, -1);
	assert_int_equal(p.ndevice, 2);
	assert_string_equal(p.device[0], "a b, c");
	assert_int_equal(p.npci, 2);
	assert_int_equal(p.pci[1].vendor, 0x10dc);
	assert_int_equal(p.nvector, 2);
	assert_int_equal(p.vector[0].channel, DMA_UNKNOWN);
	assert_int_equal(p.vector[1].channel, 3);
	assert_int_equal(p.vector[1].vector, 5);
	assert_int_equal(p.pairing, PAIRING_DRAIN);
	assert_int_equal(p.ncounter, 1);
}

static void test_sections_without_keys(void **state)
{
	(void)state;
	read_text("[start dma_to_host]\n\n[start other]\n[wait dma_wait]");
	assert_int_equal(p.nfunc, 3);
	assert_int_equal(p.func[0].direction, DIR_TO_HOST); /* by the name */
	assert_int_equal(p.func[1].direction, DIR_UNKNOWN);
	assert_int_equal(p.func[2].line, 4);
}

static void test_direction_by_field(void **state)
{
	(void)state;
	read_text("[transfer f]\nmode = arg1:u8\ndirection = to_host when mode == 1\n");
	assert_int_equal(p.func[0].direction, DIR_UNKNOWN);
	assert_int_equal(p.func[0].from_host.op, OP_NE);
	assert_int_equal(p.func[0].from_host.value, 1);
}

static void test_paths(void **state)
{
	(void)state;
	read_text("[transfer read]\nfd = arg1\npath = /dev/a{card}_{channel} to_host\n"
		  "  /dev/b{card}\n");
	assert_int_equal(p.func[0].npath, 2);
	assert_string_equal(p.func[0].path[0].pattern, "/dev/a{card}_{channel}");
	assert_int_equal(p.func[0].path[0].direction, DIR_TO_HOST);
	assert_int_equal(p.func[0].path[1].direction, DIR_UNKNOWN);
}

static void test_byte_order_mark(void **state)
{
	(void)state;
	read_text("\xef\xbb\xbf[start a]\n");
	assert_int_equal(p.nfunc, 1);
}

static void test_unknown_words(void **state)
{
	(void)state;
	refuses("[start a]\nsiez = arg1\n", 2, "did you mean 'size'");
	refuses("[start a]\nlen = arg1\n", 2, "did you mean 'size'");
	refuses("[start a]\nzzzzzz = arg1\n", 2, "these are: function, direction");
	refuses("\n[strat a]\n", 2, "'[start]' is");
	refuses("[nothing]\n", 1, "these are: [profile]");
	refuses("[start]\n", 1, "[start FUNCTION]");
	refuses("[counter]\n", 1, "[counter NAME]");
	refuses("[interrupt x]\n", 1, "takes no name");
	refuses("a = b\n", 1, "before any [section]");
}

static void test_doubles(void **state)
{
	(void)state;
	refuses("[start a]\nsize = arg1\n\nsize = arg1\n", 4, "first is on line 2");
	refuses("[start a]\n[wait b]\n[start a]\n", 3, "first is on line 1");
	refuses("[start a]\n[interrupt]\nvector.1 = 1\nvector.1 = 2\n", 4, "already");
	refuses("[start a]\n[interrupt]\ndevice = a\ndevice = b\n", 4,
		"further values go on indented lines");
	refuses("[start a]\nsize = arg1 * 4\nsize_unit = 8\n", 3, "said twice");
	/* the same key in another section is no double */
	read_text("[start a]\nsize = arg1\n[start b]\nsize = arg1\n");
}

static void test_form(void **state)
{
	char text[1200];

	(void)state;
	refuses("[start a]\nsize\n", 2, "no 'key = value'");
	refuses("[start a\nsize = arg1\n", 1, "without ']'");
	refuses("[start a] b\n", 1, "text behind ']': 'b'");
	refuses("[start a]\n  size = arg1\n", 2, "no value to continue");
	refuses("[start a]\nsize = arg1\n  channel = arg2\n", 3, "continues 'size'");
	refuses("[start a]\nsize =\n", 2, "has no value");
	refuses("[start a]\nsize = ; arg1\n", 2, "has no value");
	snprintf(text, sizeof(text), "[start a]\n\nsize = %01000d\n", 1);
	refuses(text, 3, "continue a value on an indented line");
	refuses("[start a]\n= arg1\n", 2, "no 'key = value'");
	refuses("[start a]\nsize ; = arg1\n", 2, "no 'key = value'");
	refuses("  size = arg1\n", 1, "no value to continue");
	refuses("[start a]\n  [wait b]\n", 2, "no value to continue");
	refuses("", 1, "no function starts a transfer");
	refuses("[wait a]\n\n; end\n", 3, "no function starts a transfer");
}

/* What INI libraries do not agree on. */
static void test_lines(void **state)
{
	char text[1200];

	(void)state;
	read_text("[start a] # one\r\nsize : arg1 ;b\r\n");
	assert_int_equal(p.nfunc, 1);
	profile_release(&p);
	read_text("[profile]\ntitle = a ; one\n\n; two\n  b;c ; three\n[start a]");
	assert_string_equal(p.title, "a b;c");
	profile_release(&p);
	snprintf(text, sizeof(text), "[start %0900d]\n", 1);
	read_text(text);
	assert_int_equal(strlen(p.func[0].pattern), 900);
	profile_release(&p);
	snprintf(text, sizeof(text), "[start a]\nfunction = %0989d", 1); /* 1000 */
	read_text(text);
	assert_int_equal(strlen(p.func[0].pattern), 989);
}

static void test_many_sections(void **state)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	for (int k = 0; k < 1001; k++)
		fprintf(out, "[start f%d]\n", k);
	fclose(out);
	refuses(text, 1001, "more than 1000 sections");
	free(text);
}

static void test_values(void **state)
{
	(void)state;
	refuses("[start a]\nsize = arg0\n", 2, "'arg0' is no place");
	refuses("[start a]\nsize = arg3x\n", 2, "no place");
	refuses("[start a]\nsize = arg33\n", 2, "no place");
	refuses("[start a]\nsize = arg3:u33\n", 2, "'u33' is no type");
	refuses("[start a]\nsize = size\n", 2, "name:PARAMETER");
	refuses("[start a]\nsize = *(arg3\n", 2, "no place");
	refuses("[start a]\nsize = +8(%si\n", 2, "parentheses");
	refuses("[start a]\nsize = %cx size=%dx\n", 2, "' ' has no place");
	refuses("[start a]\nsize = %cx:u12\n", 2, "no type");
	refuses("[start a]\nsize = const x\n", 2, "no constant");
	refuses("[start a]\nsize = 99999999999999999999\n", 2, "no constant");
	refuses("[start a]\nflags = 4\n", 2, "only card, channel and size");
	refuses("[start a]\nchannel = arg1 * 4\n", 2, "only size has a unit");
	refuses("[start a]\nsize = arg1 * 0\n", 2, "number of bytes");
	refuses("[start a]\ndirection = up\n", 2, "no direction");
	refuses("[start a]\ndirection = to_host if mode == 1\n", 2, "no direction");
	refuses("[start a]\nmode = arg1\ndirection = to_host when mode < 1\n", 3,
		"other way round");
	refuses("[start a]\ndoorbell = 0x400 +\n", 2, "no doorbell");
	refuses("[start a]\nfail = flags < 0\n", 2, "only ret is known");
	refuses("[start a]\nwhen = ret < 0\n", 2, "not known yet");
	refuses("[start a]\nret = arg1\n", 2, "type of the returned value");
	refuses("[start a]\nfd = arg1\npath = dev to_host\n", 3, "no path");
	refuses("[start a]\nfd = arg1\npath = /dev/{id} to_host\n", 3, "{card}");
	refuses("[start a]\n[interrupt]\npci = 10ee\n", 3, "no PCI vendor");
	refuses("[start a]\n[interrupt]\nvector = 4096\n", 3, "index within the card");
	refuses("[start a]\n[interrupt]\nvector.x = 1\n", 3, "channel's number");
	refuses("[start a]\n[interrupt]\npairing = two\n", 3, "drain");
	refuses("[profile]\nauto = yes\n[start a]\n", 2, "functions, library, no");
	refuses("[profile]\nname = A b\n[start a]\n", 2, "small letters");
	refuses("[start a]\n[counter c]\nfile = proc\n", 3, "absolute");
	refuses("[start a]\n[counter c]\npattern = (\n", 3, "no regular expression");
	refuses("[start a]\n[counter c]\npattern = a\n", 3, "0 groups");
	refuses("[start a]\n[counter c]\npattern = (a)++++++++++++++++++++\n", 3,
		"repeats a repetition");
	refuses("[start a]\n[counter c]\npattern = (((((a+)+)+)+)+)+\n", 3, "too often");
	refuses("[start a]\n[counter c]\npattern = (a{999})\n", 3, "too often");
	refuses("[start a]\n[counter c]\npattern = (a{1,9999})\n", 3, "too often");
	refuses("[start a]\n[counter c]\npattern = ((a{99}){99})\n", 3, "too often");
}

/* Faults that only the whole section shows stand on its first line. */
static void test_sections_as_a_whole(void **state)
{
	(void)state;
	refuses("\n[start a]\nwhen = mode == 1\n", 2, "nothing says where");
	refuses("[start a]\npath = /dev/x to_host\n", 1, "fd = arg1");
	refuses("[start a]\nsize_unit = 4\n", 1, "no size");
	refuses("[wait a]\nflags = arg1\ncircular = flags & 1\n[start b]\n", 1,
		"only a start");
	refuses("[wait a]\ndoorbell = store +4\n", 1, "only a start");
	refuses("[start a]\npending = ret == 0\n", 1, "only a wait");
	refuses("[start a]\n[counter c]\nfile = /x\n", 2, "needs both");
	refuses("[profile]\nauto = library\n[start a]\n", 3, "needs a [library]");
}

static void test_nul_byte(void **state)
{
	char path[] = "/tmp/test_profile_XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(write(fd, "[start a]\0\n", 11), 11);
	close(fd);
	assert_int_equal(profile_read(&p, path, &err), ERR_FORMAT);
	unlink(path);
}

static void test_short_form(void **state)
{
	const struct func_spec *f;

	(void)state;
	profile_init(&p);
	assert_int_equal(profile_add_func(&p, FUNC_START,
					  "dma_to_host id=%di:u32 size=%dx:u64",
					  "--start", &err),
			 0);
	assert_int_equal(profile_add_func(&p, FUNC_TRANSFER,
					  "  fpga_send chan=arg2  len=arg4*4 "
					  "direction=from_host fail=ret<0 ",
					  "--start", &err),
			 0);
	assert_int_equal(profile_add_func(&p, FUNC_WAIT,
					  "A::wait(unsigned int, long) channel=arg2",
					  "--wait", &err),
			 0);
	assert_int_equal(p.nfunc, 3);
	f = &p.func[0];
	assert_string_equal(f->pattern, "dma_to_host");
	assert_int_equal(f->direction, DIR_TO_HOST);
	assert_string_equal(f->arg[FIELD_CHANNEL].text, "%di:u32");
	assert_string_equal(f->arg[FIELD_SIZE].text, "%dx:u64");
	f = &p.func[1];
	assert_int_equal(f->size_unit, 4);
	assert_int_equal(f->arg[FIELD_SIZE].index, 4);
	assert_int_equal(f->direction, DIR_FROM_HOST);
	assert_int_equal(f->fail.op, OP_LT);
	assert_string_equal(p.func[2].pattern, "A::wait(unsigned int, long)");
}

static void refuses_short(const char *text, const char *part)
{
	memset(&err, 0, sizeof(err));
	assert_int_not_equal(profile_add_func(&p, FUNC_START, text, "--start", &err), 0);
	if (strncmp(err.text, "--start", 7) || !strstr(err.text, part))
		fail_msg("'%s': got '%s'", text, err.text);
	assert_int_equal(p.nfunc, 0);
}

static void test_short_form_refused(void **state)
{
	(void)state;
	profile_init(&p);
	refuses_short("", "names no function");
	refuses_short("size=arg1", "names no function");
	refuses_short("f size=arg1 len=arg2", "size is given twice");
	refuses_short("f foo=arg1", "'foo' is no key");
	refuses_short("f size=arg1 arg2", "no NAME=VALUE");
	refuses_short("f size=", "no value");
	refuses_short("f size=x", "no place");
	refuses_short("f fail=ret~0", "ret~0");
}

static void test_default(void **state)
{
	(void)state;
	assert_int_equal(profile_default(&p, &err), 0);
	assert_string_equal(p.name, "default");
	assert_int_equal(p.nfunc, 4);
	assert_int_equal(p.func[1].direction, DIR_FROM_HOST);
	for (size_t k = 0; k < p.nfunc; k++)
		for (int f = 0; f < FIELD_N; f++)
			assert_int_equal(p.func[k].arg[f].kind, ARG_NONE);
}

static void test_is_library(void **state)
{
	(void)state;
	read_text("[library]\nsoname = libx.so* *Api*.so\n[start a]\n");
	assert_true(profile_is_library(&p, "/usr/lib/libx.so.6.1"));
	assert_true(profile_is_library(&p, "PlxApi.so"));
	assert_false(profile_is_library(&p, "/usr/libx.so/libz.so.1"));
	assert_false(profile_is_library(&p, "mylibx.so"));
}

static const char *const shipped[] = {"flx",	  "wupper", "xdma", "qdma",   "riffa",
				      "litepcie", "aws-f1", "plx",  "blkdma", "edu"};

static void test_shipped(void **state)
{
	char path[600];

	(void)state;
	for (size_t k = 0; k < sizeof(shipped) / sizeof(*shipped); k++) {
		snprintf(path, sizeof(path), "%s/examples/profiles/%s.ini", TEST_SOURCE,
			 shipped[k]);
		if (profile_read(&p, path, &err))
			fail_msg("%s", err.text);
		assert_string_equal(p.name, shipped[k]);
		assert_string_equal(p.path, path);
		assert_non_null(p.title);
		assert_non_null(p.source);
		profile_release(&p);
	}
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* The user's own comes first; what is not there is found elsewhere or named. */
static void test_find(void **state)
{
	char dir[] = "/tmp/test_profile_XXXXXX", path[300], *found;

	(void)state;
	assert_non_null(mkdtemp(dir));
	setenv("XDG_CONFIG_HOME", dir, 1);
	setenv("DMAREC_PROFILES", TEST_SOURCE "/examples/profiles", 1);
	snprintf(path, sizeof(path), "%s/dmarec", dir);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/dmarec/profiles", dir);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/dmarec/profiles/flx.ini", dir);
	write_file(path, "[start mine]\n");
	assert_int_equal(profile_find("flx", &found, &err), 0);
	assert_string_equal(found, path);
	free(found);
	assert_int_equal(profile_find(path, &found, &err), 0);
	free(found);
	assert_int_equal(profile_find("riffa", &found, &err), 0);
	assert_string_equal(found, TEST_SOURCE "/examples/profiles/riffa.ini");
	free(found);
	assert_int_equal(profile_find("rifa", &found, &err), ERR_NOTFOUND);
	assert_null(found);
	assert_non_null(strstr(err.text, "did you mean 'riffa'"));
	assert_non_null(strstr(err.text, "litepcie"));
	memset(&err, 0, sizeof(err));
	assert_int_equal(profile_find("./none.ini", &found, &err), ERR_NOTFOUND);
	unlink(path);
}

static void test_list_without_shadowed(void **state)
{
	struct profile_paths all;
	size_t flx = 0;

	(void)state;
	setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	setenv("DMAREC_PROFILES",
	       TEST_SOURCE "/examples/profiles:" TEST_SOURCE "/examples/profiles", 1);
	assert_int_equal(profile_list(&all, &err), 0);
	assert_true(all.n >= sizeof(shipped) / sizeof(*shipped));
	for (size_t k = 0; k < all.n; k++)
		flx += strstr(all.path[k], "/flx.ini") != NULL;
	assert_null(all.refused);
	profile_paths_release(&all);
	assert_int_equal(flx, 1);
}

/* What was asked for is not what was transferred. */
static void test_size_returned(void **state)
{
	const struct func_spec *f;

	(void)state;
	read_text("[transfer fpga_send]\nsize = ret * 4\nret = s32\nfail = ret < arg4\n"
		  "[transfer read]\nasked = arg3:u64\nsize = ret:s64\n"
		  "[wait poll]\npending = ret != *(arg2+8):u32\n");
	f = &p.func[0];
	assert_int_equal(f->arg[FIELD_SIZE].kind, ARG_RETURN);
	assert_string_equal(f->arg[FIELD_SIZE].type, "s32");
	assert_int_equal(f->size_unit, 4);
	assert_int_equal(f->arg[FIELD_ASKED].kind, ARG_INDEX);
	assert_int_equal(f->arg[FIELD_ASKED].index, 4);
	assert_string_equal(f->arg[FIELD_ASKED].type, "s32"); /* as ret's */
	assert_string_equal(f->fail.other, "asked");
	f = &p.func[1];
	assert_string_equal(f->arg[FIELD_SIZE].type, "s64");
	assert_int_equal(f->arg[FIELD_ASKED].index, 3);
	f = &p.func[2];
	assert_true(f->arg[FIELD_ASKED].has_deref);
	assert_string_equal(f->arg[FIELD_ASKED].type, "u32");
	profile_release(&p);
	assert_int_equal(
		profile_read_mem(&p, "[transfer f]\nfail = ret < asked\n", "x.ini", &err),
		ERR_USAGE);
	assert_non_null(strstr(err.text, "add 'asked = arg...'"));
	err = (struct err){0};
	assert_int_equal(
		profile_read_mem(&p, "[transfer f]\naddr = ret\n", "x.ini", &err),
		ERR_USAGE);
	assert_non_null(strstr(err.text, "only size can be what is returned"));
}

static void test_kernel(void **state)
{
	const struct kernel_spec *k;
	char *places;

	(void)state;
	read_text(
		"[start f]\nkey = arg2\n"
		"[tracepoint block:block_rq_issue]\nrole = doorbell\nkey = dev, sector\n"
		"size = nr_sector * 512\nmode = rwbs:u8\n"
		"direction = from_host when mode == 87\n"
		"[kernel edudma:transfer_ended.constprop.0]\nrole = end\n"
		"key = *(arg1+16)\nchannel = const 3\noptional = yes\n");
	assert_int_equal(p.func[0].arg[FIELD_KEY].index, 2);
	assert_int_equal(p.nkernel, 2);
	k = &p.kernel[0];
	assert_true(k->tracepoint);
	assert_int_equal(k->role, ROLE_ISSUED);
	assert_int_equal(k->size_unit, 512);
	assert_string_equal(k->from_host.field, "mode");
	places = kernel_places(k);
	assert_string_equal(places, "size=nr_sector mode=rwbs:u8 key=dev key2=sector");
	free(places);
	k = &p.kernel[1];
	assert_false(k->tracepoint);
	assert_true(k->optional);
	assert_int_equal(k->arg[FIELD_KEY].deref, 16);
	assert_int_equal(k->constant.channel, 3);
}

static void kernel_refused(const char *lines, const char *why)
{
	char text[300];

	err = (struct err){0};
	snprintf(text, sizeof(text), "[start f]\n%s", lines);
	assert_true(profile_read_mem(&p, text, "x.ini", &err) < 0);
	if (!strstr(err.text, why))
		fail_msg("'%s', not '%s'", err.text, why);
}

static void test_kernel_refused(void **state)
{
	(void)state;
	kernel_refused("[kernel g]\nkey = arg1\n", "needs 'role = submit'");
	kernel_refused("[kernel g]\nrole = end\n", "needs 'key = ...'");
	kernel_refused("[kernel g]\nrole = finish\n",
		       "no role of an event of the kernel");
	kernel_refused("[kernel g h]\n", "no function of the kernel");
	kernel_refused("[kernel a:b:c]\n", "no function of the kernel");
	kernel_refused("[tracepoint g]\n", "no event of the kernel");
	kernel_refused("[tracepoint a:b]\nkey = c, d, e\n",
		       "a key is one number, or two");
	kernel_refused("[tracepoint a:b]\nkey = c;d\n", "no field of an event");
	kernel_refused("[tracepoint a:b]\nkey = c:u9\n", "no field of an event");
	kernel_refused("[tracepoint a:b]\naddr = c * 8\n", "only size has a unit");
	kernel_refused("[kernel g]\naddr = const 8\n", "can be constant");
	kernel_refused("[kernel g]\nsize = name:len\n", "is told by its number");
	kernel_refused("[kernel g]\nrole = end\nkey = arg1\nwhen = mode == 1\n",
		       "'when' asks for mode");
	kernel_refused("[kernel g]\nwait = 1\n", "no key of [kernel g]");
}

/* Every example of the manual page is a profile that is read. */
static void test_manual_page(void **state)
{
	char *page = NULL, *begin, *end;
	size_t room = 0, n = 0;
	FILE *f = fopen(TEST_SOURCE "/doc/dmarec-profile.5.scd", "r");

	(void)state;
	assert_non_null(f);
	assert_true(getdelim(&page, &room, 0, f) > 0);
	fclose(f);
	for (begin = strstr(page, "\n```\n"); begin; begin = strstr(end + 4, "\n```\n")) {
		begin += 5;
		end = strstr(begin, "```\n");
		assert_non_null(end);
		*end = 0;
		if (*begin == '#') /* what a tool prints */
			continue;
		read_text(begin);
		profile_release(&p);
		n++;
	}
	assert_int_equal(n, 4);
	free(page);
}

#define T(f) cmocka_unit_test_teardown(f, release)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_whole),
		T(test_kernel),
		T(test_kernel_refused),
		T(test_sections_without_keys),
		T(test_size_returned),
		T(test_direction_by_field),
		T(test_paths),
		T(test_byte_order_mark),
		T(test_unknown_words),
		T(test_doubles),
		T(test_form),
		T(test_lines),
		T(test_many_sections),
		T(test_values),
		T(test_sections_as_a_whole),
		T(test_nul_byte),
		T(test_short_form),
		T(test_short_form_refused),
		T(test_default),
		T(test_is_library),
		T(test_shipped),
		T(test_manual_page),
		T(test_find),
		T(test_list_without_shadowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
