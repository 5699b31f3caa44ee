/* SPDX-License-Identifier: GPL-2.0-only */
/* Writes the seeds of fuzz_perfdata and fuzz_meta into the current directory's
 * tests/data/fuzz: small files with every kind of record and key. Run by hand when the
 * format grows: make build/tests/fuzz/mkseeds && build/tests/fuzz/mkseeds */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/file/meta.h"
#include "tests/unit/rawfile.h"

static const struct raw_event events[] = {
	{"irq:irq_handler_entry", "s32 irq", true},
	{"probe_l:dma_to_host", "u32 channel,u64 size,u64 this,s32 fd,u16 flags", false},
	{"probe_l:dma_to_host__return", "s32 arg1", false},
};

static void save(const char *path, const void *buf, size_t len)
{
	FILE *out = fopen(path, "w");

	if (!out || fwrite(buf, 1, len, out) != len || fclose(out))
		abort();
}

static char *text(const char *t)
{
	return strdup(t);
}

static void fill(struct meta *m)
{
	static const enum role role[] = {ROLE_INTERRUPT, ROLE_SUBMIT, ROLE_WOKEN};
	struct meta_event *ev = NULL;
	struct meta_irq *irq;
	struct meta_fd *fd;

	meta_init(m);
	m->uuid = text("0-1");
	m->command = text("./w 1%");
	m->clock = text("monotonic");
	m->begin_ns = 500;
	for (int i = 0; i < 3; i++) {
		ev = meta_add_event(m);
		ev->attr = i;
		ev->name = text(events[i].name);
		ev->role = role[i];
		ev->func = i ? 0 : -1;
	}
	condition_parse("ret<0", &ev->fail, NULL);
	ev = &m->event[1];
	ev->direction = DIR_TO_HOST;
	ev->size_unit = 4;
	condition_parse("flags&1", &ev->circular, NULL);
	condition_parse("channel!=9", &ev->when, NULL);
	meta_add_path(ev)->pattern = text("/dev/x{card}_{channel:x}");
	irq = meta_add_irq(m);
	irq->irq = 68;
	irq->name = text("flx");
	irq->vector = 2;
	irq->count_before = 1;
	irq->count_after = 3;
	fd = meta_add_fd(m);
	fd->pid = 7;
	fd->fd = 3;
	fd->from_ns = 100;
	fd->path = text("/dev/x0_a");
	meta_add_counter(m)->name = text("irqs");
	m->counter[0].before = text("1");
	m->counter[0].after = text("2");
	meta_add_env(m)->name = text("governor");
	m->env[0].before = text("performance");
	meta_add_warning(m, "a hole");
	m->end_ns = 9000;
	m->exit_status = 0;
	m->finished = true;
}

static struct rawfile *samples(const struct meta *m)
{
	struct rawfile *f = rawfile_new(events, 3, m);
	uint32_t task[6] = {7, 1, 7, 1, 2000, 0};

	rawfile_record(f, PERF_RECORD_FORK, 0, task, 24, 900, 0, 7);
	rawfile_sample(f, 1, 1000, 0, 7, (int64_t[]){1, 4096, 0x7f0012345678, 3, 1});
	rawfile_sample(f, 2, 1200, 0, 7, (int64_t[]){-5});
	rawfile_sample(f, 0, 1100, 1, 0, (int64_t[]){68});
	rawfile_round(f);
	rawfile_lost(f, 3, 1300, 0);
	rawfile_sample(f, 0, 1250, 1, 0, (int64_t[]){68});
	rawfile_record(f, PERF_RECORD_LOST_SAMPLES, 0, (uint64_t[]){4}, 8, 1400, 0, 0);
	rawfile_record(f, PERF_RECORD_EXIT, 0, task, 24, 1500, 0, 7);
	rawfile_round(f);
	return f;
}

static void meta_seed(const struct meta *m)
{
	char *buf;
	size_t len;
	FILE *out = open_memstream(&buf, &len);

	if (meta_write_begin(m, out) || meta_write_end(m, out) || fclose(out))
		abort();
	save("tests/data/fuzz/meta/all", buf, len);
	free(buf);
}

int main(void)
{
	struct meta m;
	size_t len;
	void *buf, *pipe;

	fill(&m);
	buf = rawfile_finish(samples(&m), &m, true, &len);
	save("tests/data/fuzz/perfdata/dmarec", buf, len);
	free(buf);
	buf = rawfile_finish(samples(&m), &m, false, &len);
	save("tests/data/fuzz/perfdata/killed", buf, len);
	free(buf);
	buf = rawfile_finish(samples(NULL), NULL, true, &len);
	save("tests/data/fuzz/perfdata/perf", buf, len);
	pipe = raw_as_pipe(buf, &len);
	save("tests/data/fuzz/perfdata/pipe", pipe, len);
	free(pipe);
	free(buf);
	meta_seed(&m);
	meta_release(&m);
	return 0;
}
