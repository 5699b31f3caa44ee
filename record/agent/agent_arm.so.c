/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arming: the plan's files among this process's mappings, their bytes checked, trampolines
 * put within reach, the places overwritten. Everything or nothing of a file; whatever goes
 * wrong is undone and reported.
 */
#include "record/agent/agent.h"

enum {
	READ_BYTES = 16 << 20,
	NEAR_STEP = 1 << 16,
	NOT_THERE = 1, /* from overwrite(): other bytes than expected */
};

static uint64_t page_up(uint64_t v)
{
	return (v + agent.page - 1) & ~(agent.page - 1);
}

static uint64_t page_down(uint64_t v)
{
	return v & ~(agent.page - 1);
}

/* One loading of one file. */
struct instance {
	uint32_t file;
	bool used, seen;
	uint64_t bias; /* and agent.bias, by its index */
	void *trampolines;
	size_t len;
};
static struct instance instance[AGENT_LOADINGS];
static uint32_t scanning;
static char *text; /* READ_BYTES */

/* A line of /proc/self/maps. */
struct mapping {
	uint64_t from, to, offset, dev, ino;
	bool exec;
	const char *path;
};

/* ---- reading /proc ---- */

char *agent_read(const char *path, size_t *len)
{
	int fd = sys_open(path, 0);
	long got = 1;

	*len = 0;
	if (fd < 0)
		return NULL;
	if (!text)
		text = sys_mmap(NULL, READ_BYTES, SYS_READ | SYS_WRITE,
				SYS_PRIVATE | SYS_ANON, -1, 0);
	if (failed((long)text))
		text = NULL;
	while (text && got > 0 && *len < READ_BYTES - 1) {
		got = sys3(__NR_read, fd, text + *len, READ_BYTES - 1 - *len);
		*len += got > 0 ? (size_t)got : 0;
	}
	sys1(__NR_close, fd);
	if (text)
		text[*len] = 0;
	return text;
}

uint64_t agent_auxv(uint64_t type)
{
	size_t len;
	const uint64_t *v = (const uint64_t *)agent_read("/proc/self/auxv", &len);

	for (size_t i = 0; v && i + 1 < len / 8; i += 2)
		if (v[i] == type)
			return v[i + 1];
	return 0;
}

/* The number behind a word at the beginning of a line; -1 = there is none. */
static long status_value(const char *p, const char *word)
{
	uint64_t v;

	for (; p && *p; p++) {
		if (text_begins(p, word)) {
			for (p += text_len(word); *p == '\t' || *p == ' ';)
				p++;
			number(p, 10, &v);
			return (long)v;
		}
		while (*p && *p != '\n')
			p++;
		if (!*p)
			break;
	}
	return -1;
}

long agent_filters(void)
{
	size_t len;
	const char *p = agent_read("/proc/self/status", &len);
	long n = status_value(p, "Seccomp_filters:");

	return n >= 0 ? n : status_value(p, "Seccomp:");
}

/* false = the end. */
static bool next_mapping(char **at, struct mapping *m)
{
	uint64_t major, minor;
	const char *p = *at;
	char *end = *at;

	if (!*p)
		return false;
	while (*end && *end != '\n')
		end++;
	p = number(p, 16, &m->from);
	p = number(p + 1, 16, &m->to);
	m->exec = p[3] == 'x';
	p = number(p + 6, 16, &m->offset);
	p = number(p + 1, 16, &major);
	p = number(p + 1, 16, &minor);
	m->dev = major << 32 | minor;
	p = number(p + 1, 10, &m->ino);
	while (*p == ' ')
		p++;
	*at = *end ? end + 1 : end;
	*end = 0;
	m->path = p;
	return true;
}

/* ---- reports ---- */

void agent_report(uint32_t file, uint32_t verdict, uint32_t place, int code)
{
	uint32_t i = __atomic_fetch_add(&agent.shared->nreport, 1, __ATOMIC_SEQ_CST);
	struct agent_report *r = &agent.shared->report[i];

	if (i >= AGENT_REPORTS)
		return;
	*r = (struct agent_report){.pid = (int32_t)sys0(__NR_getpid),
				   .file = file,
				   .place = place,
				   .verdict = verdict,
				   .code = code};
	__atomic_store_n(&r->ready, 1, __ATOMIC_RELEASE);
}

/* ---- trampolines ---- */

static uint32_t places_of(uint32_t file)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < agent.plan->nplace; i++)
		n += agent.place[i].file == file;
	return n;
}

/* Free memory near an address: the hint is a wish, so steps outward are tried. */
static void *near(uint64_t addr, size_t len)
{
	uint64_t reach = agent_reach(), step = NEAR_STEP;
	void *at;

	for (uint64_t d = step; d < reach; d += d < (1 << 24) ? step : d / 8)
		for (int below = 1; below >= 0; below--) {
			uint64_t want = (below ? addr - d : addr + d) & ~(step - 1);

			if (below ? want > addr || want < step : want < addr)
				continue;
			at = sys_mmap((void *)want, len, SYS_READ | SYS_WRITE,
				      SYS_PRIVATE | SYS_ANON | SYS_NOREPLACE, -1, 0);
			if (failed((long)at))
				continue;
			if ((uint64_t)at == want)
				return at;
			sys2(__NR_munmap, at, len); /* an old kernel, elsewhere */
		}
	return NULL;
}

/* ---- overwriting ---- */

static long protect(uint64_t addr, size_t len, int how)
{
	uint64_t from = page_down(addr);

	return sys3(__NR_mprotect, from, page_up(addr + len) - from, how);
}

/* A page of code that was written and may not be executed any more: as in the file. */
static void from_file(const struct agent_place *p, uint64_t addr)
{
	uint64_t from = page_down(addr), len = page_up(addr + p->old_len) - from;
	int fd = sys_open(agent.file[p->file].path, 0);

	if (fd < 0)
		return;
	sys_mmap((void *)from, len, SYS_READ | SYS_EXEC, SYS_PRIVATE | SYS_FIXED, fd,
		 (long)(p->offset - (addr - from)));
	sys1(__NR_close, fd);
}

/*
 * Replaces the bytes at a place, which nobody executes now; `after` is how its page may be
 * used from then on. A page that holds a jump of ours stays writable: the kernel puts no
 * uprobe into a writable mapping (valid_vma() in kernel/events/uprobes.c). Any tracer's
 * uprobe on an instruction that the jump lies over, for another process even, would
 * otherwise write its breakpoint into the middle of the jump, and one byte of the original
 * instruction when it goes.
 */
static long overwrite(const struct agent_place *p, uint64_t bias, const uint8_t *expected,
		      const uint8_t *bytes, int after)
{
	uint64_t addr = bias + p->addr;
	long rc = protect(addr, p->old_len, SYS_READ | SYS_WRITE), there;

	if (rc)
		return rc;
	there = !expected || same_bytes((const void *)addr, expected, p->old_len);
	if (there)
		copy_bytes((void *)addr, bytes, p->old_len);
	rc = protect(addr, p->old_len, there ? after : SYS_READ | SYS_EXEC);
	if (rc)
		from_file(p, addr);
	else
		agent_flush((void *)addr, p->old_len);
	return rc || there ? rc : NOT_THERE;
}

static void disarm(const struct instance *v, uint32_t before)
{
	for (uint32_t i = 0; i < before; i++)
		if (agent.place[i].file == v->file)
			overwrite(&agent.place[i], v->bias, NULL, agent.place[i].old,
				  SYS_READ | SYS_EXEC);
}

static bool refuse(struct instance *v, uint32_t verdict, uint32_t place, int code)
{
	if (v->trampolines)
		sys2(__NR_munmap, v->trampolines, v->len);
	v->trampolines = NULL;
	agent_report(v->file, verdict, place, code);
	return false;
}

static bool check_bytes(struct instance *v)
{
	for (uint32_t i = 0; i < agent.plan->nplace; i++) {
		const struct agent_place *p = &agent.place[i];

		if (p->file == v->file &&
		    !same_bytes((const void *)(v->bias + p->addr), p->old, p->old_len))
			return refuse(v, AGENT_BYTES, i, 0);
	}
	return true;
}

static bool make_trampolines(struct instance *v)
{
	uint8_t *at;
	uint64_t first = 0;
	uint32_t which = (uint32_t)(v - instance) * AGENT_MAX_PLACES;

	v->len = page_up(places_of(v->file) * (size_t)AGENT_STUB);
	for (uint32_t i = 0; i < agent.plan->nplace && !first; i++)
		if (agent.place[i].file == v->file)
			first = v->bias + agent.place[i].addr;
	v->trampolines = at = near(first, v->len);
	if (!at)
		return refuse(v, AGENT_MEMORY, 0, 0);
	for (uint32_t i = 0; i < agent.plan->nplace; i++) {
		if (agent.place[i].file != v->file)
			continue;
		if (!agent_stub(&agent.place[i], which + i, v->bias, (uint64_t)at, at))
			return refuse(v, AGENT_REACH, i, 0);
		at += AGENT_STUB;
	}
	if (sys3(__NR_mprotect, v->trampolines, v->len, SYS_READ | SYS_EXEC))
		return refuse(v, AGENT_MPROTECT, 0, SYS_EPERM);
	agent_flush(v->trampolines, v->len);
	return true;
}

static bool arm(struct instance *v)
{
	uint64_t at;
	uint8_t bytes[AGENT_OLD];

	if (agent_filters() != agent.filters)
		return refuse(v, AGENT_SECCOMP, 0, 0);
	if (!check_bytes(v) || !make_trampolines(v))
		return false;
	at = (uint64_t)v->trampolines;
	for (uint32_t i = 0; i < agent.plan->nplace; i++) {
		const struct agent_place *p = &agent.place[i];
		long rc;

		if (p->file != v->file)
			continue;
		if (!agent_lead(p, v->bias, at, bytes)) {
			disarm(v, i);
			return refuse(v, AGENT_REACH, i, 0);
		}
		rc = overwrite(p, v->bias, p->old, bytes,
			       SYS_READ | SYS_WRITE | SYS_EXEC);
		if (rc) {
			disarm(v, i);
			return rc == NOT_THERE ? refuse(v, AGENT_BYTES, i, 0)
					       : refuse(v, AGENT_MPROTECT, i, (int)-rc);
		}
		at += AGENT_STUB;
	}
	agent_report(v->file, AGENT_ARMED, 0, 0);
	return true;
}

/* ---- which files are there ---- */

static bool still_armed(const struct instance *v)
{
	for (uint32_t i = 0; i < agent.plan->nplace; i++) {
		const struct agent_place *p = &agent.place[i];

		if (p->file == v->file)
			return !v->trampolines ||
			       !same_bytes((const void *)(v->bias + p->addr), p->old,
					   p->old_len);
	}
	return true;
}

static void found(uint32_t file, uint64_t bias)
{
	struct instance *v = NULL;

	for (int i = 0; i < AGENT_LOADINGS; i++) {
		struct instance *x = &instance[i];

		if (x->used && x->file == file && x->bias == bias) {
			x->seen = true;
			if (still_armed(x))
				return;
			/* gone and back at the same place between two looks */
			if (x->trampolines)
				sys2(__NR_munmap, x->trampolines, x->len);
			v = x;
			break;
		}
		if (!x->used && !v)
			v = x;
	}
	if (!v)
		return;
	*v = (struct instance){.file = file, .used = true, .seen = true, .bias = bias};
	agent.bias[v - instance] = bias;
	arm(v);
}

/* The place of the file that this mapping holds gives away where the file lies. */
static void look(const struct mapping *m)
{
	for (uint32_t k = 0; k < agent.plan->nfile; k++) {
		const struct agent_file *f = &agent.file[k];

		if (f->ino != m->ino ||
		    (f->dev != m->dev && !text_same(f->path, m->path)))
			continue;
		for (uint32_t i = 0; i < agent.plan->nplace; i++) {
			const struct agent_place *p = &agent.place[i];

			if (p->file != k || p->offset < m->offset ||
			    p->offset - m->offset >= m->to - m->from)
				continue;
			found(k, m->from + (p->offset - m->offset) - p->addr);
			break;
		}
	}
}

enum { MAX_FOUND = 256 };

void agent_scan(void)
{
	static struct mapping all[MAX_FOUND];
	size_t len, n = 0;
	char *at;

	if (__atomic_exchange_n(&scanning, 1, __ATOMIC_ACQUIRE))
		return; /* the loader holds its lock: only a probe of our own can come here */
	at = agent_read("/proc/self/maps", &len);
	for (int i = 0; i < AGENT_LOADINGS; i++)
		instance[i].seen = false;
	while (at && n < MAX_FOUND && next_mapping(&at, &all[n])) {
		bool wanted = false;

		for (uint32_t k = 0; k < agent.plan->nfile && all[n].exec; k++)
			wanted |= agent.file[k].ino == all[n].ino;
		n += wanted;
	}
	for (size_t i = 0; i < n; i++) /* arming reads other files into the same text */
		if (all[i].dev || all[i].ino)
			look(&all[i]);
	for (int i = 0; i < AGENT_LOADINGS; i++) {
		struct instance *v = &instance[i];

		if (!v->used || v->seen)
			continue;
		if (v->trampolines)
			sys2(__NR_munmap, v->trampolines, v->len);
		v->used = false;
	}
	__atomic_store_n(&scanning, 0, __ATOMIC_RELEASE);
}

bool agent_probes(void)
{
	for (int i = 0; i < AGENT_LOADINGS; i++)
		for (uint32_t k = 0; instance[i].used && instance[i].trampolines &&
				     instance[i].file && k < agent.plan->nplace;
		     k++)
			if (agent.place[k].file == instance[i].file &&
			    agent.place[k].kind == AGENT_PROBE)
				return true;
	return false;
}
