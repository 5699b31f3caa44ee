/* SPDX-License-Identifier: GPL-2.0-only */
/* The agent's files: a private directory where programs may be mapped from, and the rings
 * in memory. Other users' processes must be able to map them when the workload changes
 * its user, so that the names are unguessable and the plan is read-only. */
#include "record/agent/host.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "lib/err.h"
#include "record/agent/host_impl.h"

#define PREFIX		   "dmarec-"
#define DEFAULT_RING_BYTES (8u << 20)
#define RINGS		   "rings"
#define SETTLED_S	   10

static const char *const places[] = {"/dev/shm", "/tmp", "/run", "/var/tmp"};

/* ---- directories ---- */

static void remove_dir(const char *dir)
{
	static const char *const name[] = {AGENT_LIBRARY, AGENT_PLAN, AGENT_PLAN ".new",
					   RINGS};
	char path[1100];

	for (size_t i = 0; i < sizeof(name) / sizeof(*name); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, name[i]);
		unlink(path);
	}
	rmdir(dir);
}

/* The process of "dmarec-1234-Xy7..."; 0 = another name. */
static pid_t owner_of(const char *name)
{
	char *end;
	long pid;

	if (strncmp(name, PREFIX, strlen(PREFIX)) ||
	    !isdigit((unsigned char)name[strlen(PREFIX)]))
		return 0;
	pid = strtol(name + strlen(PREFIX), &end, 10);
	return *end == '-' && pid > 0 && pid <= INT_MAX ? (pid_t)pid : 0;
}

/* A recorder holds a lock on its directories; a new one is left time to take it. */
static bool is_held(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	bool held = fd < 0 || flock(fd, LOCK_EX | LOCK_NB);

	if (fd >= 0)
		close(fd);
	return held;
}

static void remove_stale(const char *in)
{
	DIR *d = opendir(in);
	struct dirent *x;
	char path[1024];
	struct stat st;
	pid_t pid;
	bool dead;

	while (d && (x = readdir(d))) {
		snprintf(path, sizeof(path), "%s/%s", in, x->d_name);
		pid = owner_of(x->d_name);
		if (!pid || lstat(path, &st) || !S_ISDIR(st.st_mode) ||
		    st.st_uid != geteuid())
			continue;
		dead = kill(pid, 0) && errno == ESRCH;
		if ((dead || time(NULL) - st.st_mtime > SETTLED_S) && !is_held(path))
			remove_dir(path);
	}
	if (d)
		closedir(d);
}

/* A new directory, in the first place that is writable and, for programs, allows them. */
static char *make_dir(bool programs, int *lock, struct err *e)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		struct statvfs v;
		char *dir;

		if (statvfs(places[i], &v) || v.f_flag & ST_RDONLY ||
		    (programs && v.f_flag & ST_NOEXEC))
			continue;
		if (asprintf(&dir, "%s/" PREFIX "%d-XXXXXX", places[i], (int)getpid()) <
		    0)
			break;
		if (mkdtemp(dir) && !chmod(dir, 0711)) {
			*lock = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			if (*lock >= 0 && !flock(*lock, LOCK_EX | LOCK_NB))
				return dir;
		}
		free(dir);
	}
	err_set(e, ERR_UNSUPPORTED,
		"no directory for the agent: /dev/shm, /tmp, /run and /var/tmp are not "
		"writable, or forbid programs");
	return NULL;
}

static int write_file(const char *dir, const char *name, const void *buf, size_t len,
		      mode_t mode, struct err *e)
{
	char path[512];
	int fd;
	bool good;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(e, "%s", path);
	good = write(fd, buf, len) == (ssize_t)len && !fchmod(fd, mode);
	if (close(fd) || !good)
		return err_errno(e, "%s cannot be written", path);
	return 0;
}

/* ---- the rings ---- */

static int make_rings(struct agent_host *h, size_t ring_bytes, struct err *e)
{
	void *at;

	for (h->slots = 1024; h->slots * (size_t)AGENT_SLOT < ring_bytes;)
		h->slots *= 2;
	h->ring_bytes = AGENT_RING_HEAD + (size_t)h->slots * AGENT_SLOT;
	h->bytes = AGENT_SHARED_BYTES + HOST_RINGS * h->ring_bytes;
	if (asprintf(&h->rings_path, "%s/" RINGS, h->ring_dir) < 0)
		return err_nomem(e, "the agent");
	h->fd = open(h->rings_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (h->fd < 0 || fchmod(h->fd, 0666) || ftruncate(h->fd, (off_t)h->bytes) ||
	    posix_fallocate(h->fd, 0, AGENT_SHARED_BYTES))
		return err_errno(e, "%s cannot be made", h->rings_path);
	at = mmap(NULL, h->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, h->fd, 0);
	if (at == MAP_FAILED)
		return err_errno(e, "%s cannot be mapped", h->rings_path);
	h->shared = at;
	h->shared->magic = AGENT_MAGIC;
	host_provide(h);
	for (uint32_t i = 0; i < h->backed; i++)
		memset((uint8_t *)host_ring(h, i) + AGENT_RING_HEAD, 0,
		       (h->slots < AGENT_TOUCHED ? h->slots : AGENT_TOUCHED) *
			       AGENT_SLOT);
	return h->backed ? 0 : err_errno(e, "%s: no memory for rings", h->rings_path);
}

/* ---- opening and closing ---- */

static int make_files(struct agent_host *h, const void *library, size_t len,
		      size_t ring_bytes, struct err *e)
{
	int rc;

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		remove_stale(places[i]);
	h->dir = make_dir(true, &h->lock[0], e);
	h->ring_dir = h->dir ? make_dir(false, &h->lock[1], e) : NULL;
	if (!h->ring_dir)
		return e ? e->code : ERR_IO;
	if (asprintf(&h->library, "%s/" AGENT_LIBRARY, h->dir) < 0)
		return err_nomem(e, "the agent");
	rc = write_file(h->dir, AGENT_LIBRARY, library, len, 0555, e);
	return rc ? rc : make_rings(h, ring_bytes, e);
}

int agent_host_open(struct agent_host **out, const void *library, size_t library_len,
		    size_t ring_bytes, int clockid, struct err *e)
{
	struct agent_host *h = calloc(1, sizeof(*h));
	int rc;

	*out = NULL;
	if (!h)
		return err_nomem(e, "the agent");
	h->fd = h->lock[0] = h->lock[1] = -1;
	h->clockid = clockid;
	pthread_mutex_init(&h->lock_queue, NULL);
	pthread_cond_init(&h->passed, NULL);
	h->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	h->file = calloc(AGENT_MAX_FILES, sizeof(*h->file));
	h->place = calloc(AGENT_MAX_PLACES, sizeof(*h->place));
	rc = h->event < 0 || !h->file || !h->place
		     ? err_errno(e, "the agent's rings")
		     : make_files(h, library, library_len,
				  ring_bytes ? ring_bytes : DEFAULT_RING_BYTES, e);
	if (rc) {
		agent_host_close(h);
		return rc;
	}
	*out = h;
	return 0;
}

void agent_host_close(struct agent_host *h)
{
	if (!h)
		return;
	host_stop_drainer(h);
	hits_release(&h->queue);
	if (h->shared)
		munmap(h->shared, h->bytes);
	if (h->fd >= 0)
		close(h->fd);
	if (h->event >= 0)
		close(h->event);
	if (h->dir)
		remove_dir(h->dir);
	if (h->ring_dir)
		remove_dir(h->ring_dir);
	for (int i = 0; i < 2; i++)
		if (h->lock[i] >= 0)
			close(h->lock[i]);
	free(h->dir);
	free(h->ring_dir);
	free(h->library);
	for (uint32_t i = 0; i < HOST_RINGS; i++)
		free(h->done[i]);
	free(h->rings_path);
	free(h->file);
	free(h->place);
	free(h);
}

void agent_host_slow_clock(struct agent_host *h)
{
	h->slow_clock = true;
}

const char *agent_host_library(const struct agent_host *h)
{
	return h->library;
}

/* ---- the plan ---- */

int agent_host_file(struct agent_host *h, const char *path, uint32_t *file, struct err *e)
{
	struct agent_file *f = &h->file[h->nfile];
	struct stat st;

	for (*file = 0; *file < h->nfile; ++*file)
		if (!strcmp(h->file[*file].path, path))
			return 0;
	if (h->nfile == AGENT_MAX_FILES || strlen(path) >= AGENT_PATH)
		return err_set(e, ERR_LIMIT, "%s: too many files, or too long a path",
			       path);
	if (stat(path, &st))
		return err_errno(e, "%s", path);
	f->dev = (uint64_t)major(st.st_dev) << 32 | minor(st.st_dev);
	f->ino = st.st_ino;
	f->size = (uint64_t)st.st_size;
	snprintf(f->path, sizeof(f->path), "%s", path);
	h->nfile++;
	return 0;
}

const char *agent_host_path(const struct agent_host *h, uint32_t file)
{
	return file < h->nfile ? h->file[file].path : NULL;
}

int agent_host_add(struct agent_host *h, const struct agent_place *p, uint32_t *index,
		   struct err *e)
{
	if (h->nplace == AGENT_MAX_PLACES)
		return err_set(e, ERR_LIMIT, "more than %d places", AGENT_MAX_PLACES);
	*index = h->nplace;
	h->place[h->nplace++] = *p;
	return 0;
}

/* "pid:[4026531836]" */
static uint64_t namespace(const char *path)
{
	char text[64];
	ssize_t n = readlink(path, text, sizeof(text) - 1);
	const char *p;

	if (n <= 0)
		return 0;
	text[n] = '\0';
	p = strchr(text, '[');
	return p ? strtoull(p + 1, NULL, 10) : 0;
}

int agent_host_write(struct agent_host *h, bool trial, bool hooked_exec, struct err *e)
{
	struct agent_plan p = {.magic = AGENT_MAGIC,
			       .clockid = h->clockid,
			       .nfile = h->nfile,
			       .nplace = h->nplace,
			       .nring = HOST_RINGS,
			       .ring_slots = h->slots,
			       .pid_ns = namespace("/proc/self/ns/pid"),
			       .time_ns = namespace("/proc/self/ns/time"),
			       .trial = trial,
			       .slow_clock = h->slow_clock,
			       .hooked_exec = hooked_exec};
	size_t nf = h->nfile * sizeof(*h->file), np = h->nplace * sizeof(*h->place);
	char from[512], to[512], *buf = malloc(sizeof(p) + nf + np);
	int rc;

	if (!buf)
		return err_nomem(e, "the agent");
	snprintf(p.rings, sizeof(p.rings), "%s", h->rings_path);
	p.bytes = (uint32_t)(sizeof(p) + nf + np);
	memcpy(buf, &p, sizeof(p));
	memcpy(buf + sizeof(p), h->file, nf);
	memcpy(buf + sizeof(p) + nf, h->place, np);
	rc = write_file(h->dir, AGENT_PLAN ".new", buf, p.bytes, 0444, e);
	free(buf);
	if (rc)
		return rc;
	snprintf(from, sizeof(from), "%s/" AGENT_PLAN ".new", h->dir);
	snprintf(to, sizeof(to), "%s/" AGENT_PLAN, h->dir);
	return rename(from, to) ? err_errno(e, "%s", to) : 0;
}
