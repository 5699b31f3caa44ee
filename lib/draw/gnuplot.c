/* SPDX-License-Identifier: GPL-2.0-only */
/* The script and the child's complaints lie in unlinked temporary files, so that no pipe
 * can fill up and no reader is needed while several children run. */
#include "lib/draw/gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/err.h"

enum { EXIT_NO_GNUPLOT = 127 };

struct child {
	pid_t pid;
	int script, out, complaint; /* descriptors; -1 = none */
};

static int write_all(int fd, const char *p, size_t len, struct err *e)
{
	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_errno(e, "cannot write gnuplot's script");
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static void child_release(struct child *c)
{
	if (c->script >= 0)
		close(c->script);
	if (c->out >= 0)
		close(c->out);
	if (c->complaint >= 0)
		close(c->complaint);
	*c = (struct child){.pid = -1, .script = -1, .out = -1, .complaint = -1};
}

/* Never returns. Texts are UTF-8 whatever the caller's locale. */
static void child_exec(const struct child *c, int dir)
{
	sigset_t ours;

	if (dup2(c->script, 0) < 0 || dup2(c->out, 1) < 0 || dup2(c->complaint, 2) < 0 ||
	    (dir >= 0 && fchdir(dir)))
		_exit(EXIT_NO_GNUPLOT - 1);
	gnuplot_signals(&ours);
	sigprocmask(SIG_UNBLOCK, &ours, NULL);
	setenv("LC_ALL", "C.UTF-8", 1);
	unsetenv("GNUTERM");
	/* From its standard input gnuplot reads byte by byte, one system call for each. */
	execlp("gnuplot", "gnuplot", "-d",
	       access("/dev/stdin", R_OK) ? "-" : "/dev/stdin", (char *)NULL);
	_exit(EXIT_NO_GNUPLOT);
}

static int child_start(struct child *c, const char *script, size_t len, int dir,
		       struct err *e)
{
	*c = (struct child){.pid = -1, .script = -1, .out = -1, .complaint = -1};
	c->script = memfd_create("gnuplot-script", MFD_CLOEXEC);
	c->out = memfd_create("gnuplot-out", MFD_CLOEXEC);
	c->complaint = memfd_create("gnuplot-err", MFD_CLOEXEC);
	if (c->script < 0 || c->out < 0 || c->complaint < 0)
		return err_errno(e, "cannot make a temporary file for gnuplot");
	if (write_all(c->script, script, len, e))
		return e ? e->code : ERR_IO;
	if (lseek(c->script, 0, SEEK_SET) < 0)
		return err_errno(e, "cannot rewind gnuplot's script");
	c->pid = fork();
	if (c->pid < 0)
		return err_errno(e, "cannot start gnuplot");
	if (c->pid == 0)
		child_exec(c, dir);
	return 0;
}

/*
 * What the host's set-up makes the libraries say, which is about no picture: fontconfig
 * without a home to cache in, and gnuplot without a UTF-8 locale (it looks for the degree
 * sign at its start; we `set encoding utf8`).
 */
static bool harmless(const char *line)
{
	return !strncmp(line, "Fontconfig ", 11) ||
	       strstr(line, "iconv failed to convert degree sign");
}

static void drop_harmless(char *text)
{
	char *to = text;

	for (char *line = text, *next; *line; line = next) {
		size_t len = strcspn(line, "\n");
		char end = line[len];

		next = line + len + (end ? 1 : 0);
		line[len] = 0;
		if (harmless(line))
			continue;
		memmove(to, line, len);
		to += len;
		if (end)
			*to++ = end;
	}
	*to = 0;
}

/* What the child wrote to fd, as one line; "" when nothing. */
static void read_back(int fd, char *buf, size_t size)
{
	ssize_t n = pread(fd, buf, size - 1, 0);

	buf[n > 0 ? n : 0] = 0;
	drop_harmless(buf);
	for (char *p = buf; *p; p++)
		if ((unsigned char)*p < ' ')
			*p = ' ';
	for (size_t len = strlen(buf); len && buf[len - 1] == ' ';)
		buf[--len] = 0;
}

/* What came of an ended child. said: what it wrote to standard error though it drew
 * everything. */
static int child_judge(struct child *c, int status, char said[4096], struct err *e)
{
	read_back(c->complaint, said, 4096);
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NO_GNUPLOT)
		return err_set(e, ERR_NOTFOUND,
			       "gnuplot is not installed, and the plots are "
			       "drawn by it; install it (Debian: apt-get "
			       "install gnuplot-nox, Red Hat: dnf install "
			       "gnuplot), or use --term, which needs none");
	if (WIFSIGNALED(status))
		return err_set(e, ERR_IO, "gnuplot was killed by signal %d (%s)%s%s",
			       WTERMSIG(status), strsignal(WTERMSIG(status)),
			       *said ? "; it said: " : "", said);
	if (WEXITSTATUS(status))
		return err_set(e, ERR_IO, "gnuplot did not draw cleanly (exit %d): %s",
			       WEXITSTATUS(status), *said ? said : "it said nothing");
	return 0;
}

static int child_wait(struct child *c, char said[4096], struct err *e)
{
	int status;

	while (waitpid(c->pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_errno(e, "cannot wait for gnuplot");
	return child_judge(c, status, said, e);
}

int gnuplot_run(const char *script, size_t len, struct err *e)
{
	char said[4096];
	struct child c;
	int error = child_start(&c, script, len, -1, e);

	if (!error)
		error = child_wait(&c, said, e);
	child_release(&c);
	return error;
}

/* ---- several at a time ---- */

enum { MAX_JOBS = 16 };

/* Lines that the children printed: a script each (GNUPLOT_DONE). */
static size_t count_done(const struct child *c, int n)
{
	size_t done = 0;
	struct stat st;

	for (int i = 0; i < n; i++)
		if (c[i].out >= 0 && !fstat(c[i].out, &st))
			done += (size_t)st.st_size / strlen("1\n");
	return done;
}

static int reap(struct child *c, struct gnuplot_watch *w, struct err *e)
{
	char said[4096];
	int status, error;
	pid_t got = waitpid(c->pid, &status, WNOHANG);

	if (!got || (got < 0 && errno == EINTR))
		return 1;
	c->pid = -1;
	if (got < 0)
		return err_errno(e, "cannot wait for gnuplot");
	error = child_judge(c, status, said, e);
	if (!error && *said)
		snprintf(w->said, sizeof(w->said), "%.500s", said);
	return error;
}

static void end_all(struct child *c, int n)
{
	for (int i = 0; i < n; i++)
		if (c[i].pid > 0) {
			kill(c[i].pid, SIGKILL);
			while (waitpid(c[i].pid, NULL, 0) < 0 && errno == EINTR)
				;
			c[i].pid = -1;
		}
}

static int watch(struct child *c, int n, struct gnuplot_watch *w, struct err *e)
{
	static const struct timespec often = {.tv_nsec = 200000000};
	sigset_t wanted;
	int running = n, first = 0;

	gnuplot_signals(&wanted);
	while (running && !w->signal) {
		int sig = sigtimedwait(&wanted, NULL, &often);

		if (sig > 0 && sig != SIGCHLD)
			w->signal = sig;
		for (int i = 0; i < n && !w->signal; i++) {
			int error = c[i].pid > 0 ? reap(&c[i], w, first ? NULL : e) : 1;

			if (error > 0)
				continue;
			running--;
			first = first ? first : error;
		}
		if (w->step)
			w->step(w->arg, count_done(c, n));
	}
	return first;
}

void gnuplot_signals(sigset_t *set)
{
	static const int ends[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction now;

	sigemptyset(set);
	sigaddset(set, SIGCHLD);
	/* What is ignored (nohup, a script's job in the background) arrives while it is
	 * blocked all the same, and must not end anything. */
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (!sigaction(ends[i], NULL, &now) && now.sa_handler != SIG_IGN)
			sigaddset(set, ends[i]);
}

/* Script k is the job k % jobs'. */
static int start_job(struct child *c, const struct gnuplot_script *s, size_t n, int job,
		     int jobs, int dir, struct err *e)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	int error;

	for (size_t k = (size_t)job; f && k < n; k += (size_t)jobs)
		fwrite(s[k].text, 1, s[k].len, f);
	error = !f || fclose(f) ? err_nomem(e, "a plot")
				: child_start(c, text, len, dir, e);
	free(text);
	return error;
}

int gnuplot_run_all(const struct gnuplot_script *s, size_t n, int jobs, int dir,
		    struct gnuplot_watch *w, struct err *e)
{
	struct child child[MAX_JOBS];
	int error = 0, started = 0;

	jobs = jobs < 1 ? 1 : jobs > MAX_JOBS ? MAX_JOBS : jobs;
	jobs = (size_t)jobs > n ? (int)n : jobs;
	while (started < jobs && !error) {
		error = start_job(&child[started], s, n, started, jobs, dir, e);
		started++;
	}
	if (!error)
		error = watch(child, started, w, e);
	end_all(child, started);
	for (int i = 0; i < started; i++)
		child_release(&child[i]);
	return error;
}

static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = text; (p = strstr(p, word)); p += len)
		if ((p == text || p[-1] == ' ') && (!p[len] || p[len] == ' '))
			return true;
	return false;
}

int gnuplot_probe(struct gnuplot_terminals *t, struct err *e)
{
	static const char script[] = "set print '-'\nprint GPVAL_TERMINALS\n";
	struct child c;
	char said[4096];
	int error = child_start(&c, script, sizeof(script) - 1, -1, e);

	*t = (struct gnuplot_terminals){0};
	if (!error)
		error = child_wait(&c, said, e);
	if (!error) {
		read_back(c.out, said, sizeof(said));
		t->pngcairo = has_word(said, "pngcairo");
		t->png = has_word(said, "png");
		t->svg = has_word(said, "svg");
		t->pdfcairo = has_word(said, "pdfcairo");
	}
	child_release(&c);
	return error;
}
