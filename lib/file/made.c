/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/file/made.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What made_attr() asks for, in the kernel's order (perf_event_open(2)), and the fields that
 * every trace event begins with. */
struct made_head {
	struct perf_event_header header;
	uint64_t id, ip;
	uint32_t pid, tid;
	uint64_t time;
	uint32_t cpu, reserved;
	uint32_t raw_size;
	uint16_t common_type;
	uint8_t common_flags, common_preempt_count;
	int32_t common_pid;
} __attribute__((packed));

enum { COMMON_BYTES = 8 };

_Static_assert(sizeof(struct made_head) == MADE_HEAD, "MADE_HEAD");

struct perf_event_attr made_attr(uint32_t type, int32_t clockid)
{
	return (struct perf_event_attr){
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(struct perf_event_attr),
		.config = type,
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID |
			       PERF_SAMPLE_TIME | PERF_SAMPLE_CPU | PERF_SAMPLE_RAW,
		.read_format = PERF_FORMAT_ID,
		.disabled = 1,
		.sample_id_all = 1,
		.use_clockid = 1,
		.clockid = clockid};
}

static size_t bytes_of(const char *type)
{
	return (size_t)strtoul(type + 1, NULL, 10) / 8;
}

/* "ch=%d, value=0x%llx", then the arguments. */
static void put_print(FILE *out, const struct made_field *field, size_t n)
{
	fputs("\nprint fmt: \"", out);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%s%s=%s", i ? " " : "", field[i].name,
			bytes_of(field[i].type) == 8 ? "%lld"
			: field[i].type[0] == 's'    ? "%d"
						     : "%u");
	fputc('"', out);
	for (size_t i = 0; i < n; i++)
		fprintf(out, ", REC->%s", field[i].name);
	fputc('\n', out);
}

char *made_format(const char *name, uint32_t type, const struct made_field *field,
		  size_t n)
{
	size_t len, at = COMMON_BYTES;
	char *text = NULL;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	fprintf(out,
		"name: %s\nID: %u\nformat:\n"
		"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
		"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
		"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"
		"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n",
		name, type);
	for (size_t i = 0; i < n; i++) {
		size_t size = bytes_of(field[i].type);

		at = (at + size - 1) & ~(size - 1);
		fprintf(out, "\tfield:%s %s;\toffset:%zu;\tsize:%zu;\tsigned:%d;\n",
			field[i].type, field[i].name, at, size, field[i].type[0] == 's');
		at += size;
	}
	put_print(out, field, n);
	return fclose(out) ? NULL : text;
}

size_t made_sample(void *to, uint64_t id, uint32_t type, int64_t time_ns, int32_t pid,
		   int32_t tid, int32_t cpu, const void *fields, size_t len)
{
	size_t size = MADE_SIZE(len);
	struct made_head h = {
		.header = {PERF_RECORD_SAMPLE, PERF_RECORD_MISC_USER, (uint16_t)size},
		.id = id,
		.pid = (uint32_t)pid,
		.tid = (uint32_t)tid,
		.time = (uint64_t)time_ns,
		.cpu = (uint32_t)cpu,
		.raw_size = (uint32_t)(size - offsetof(struct made_head, common_type)),
		.common_type = (uint16_t)type,
		.common_pid = tid};

	memset(to, 0, size);
	memcpy(to, &h, sizeof(h));
	memcpy((char *)to + sizeof(h), fields, len);
	return size;
}
