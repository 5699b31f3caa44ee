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
#include <sys/wait.h>
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
static void child_exec(const struct child *c)
{
	if (dup2(c->script, 0) < 0 || dup2(c->out, 1) < 0 || dup2(c->complaint, 2) < 0)
		_exit(EXIT_NO_GNUPLOT - 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	unsetenv("GNUTERM");
	execlp("gnuplot", "gnuplot", "-d", "-", (char *)NULL);
	_exit(EXIT_NO_GNUPLOT);
}

static int child_start(struct child *c, const char *script, size_t len, struct err *e)
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
		child_exec(c);
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

static int child_wait(struct child *c, struct err *e)
{
	char said[4096];
	int status;

	while (waitpid(c->pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_errno(e, "cannot wait for gnuplot");
	read_back(c->complaint, said, sizeof(said));
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
	if (WEXITSTATUS(status) || *said)
		return err_set(e, ERR_IO, "gnuplot did not draw cleanly (exit %d): %s",
			       WEXITSTATUS(status), *said ? said : "it said nothing");
	return 0;
}

int gnuplot_run(const char *script, size_t len, struct err *e)
{
	return gnuplot_run_all(&(struct gnuplot_script){script, len}, 1, 1, e);
}

int gnuplot_run_all(const struct gnuplot_script *s, size_t n, int jobs, struct err *e)
{
	struct child child[16];
	size_t running = 0, next = 0;
	int first = 0, error;

	if (jobs < 1)
		jobs = 1;
	if (jobs > 16)
		jobs = 16;
	while (next < n || running) {
		if (next < n && running < (size_t)jobs && !first) {
			struct child *c = &child[running];

			first = child_start(c, s[next].text, s[next].len, e);
			next++;
			if (first)
				child_release(c);
			else
				running++;
			continue;
		}
		if (!running)
			break;
		error = child_wait(&child[0],
				   e); /* the oldest: scripts are of like size */
		if (error && !first)
			first = error;
		child_release(&child[0]);
		memmove(&child[0], &child[1], --running * sizeof(child[0]));
	}
	return first;
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
	int error = child_start(&c, script, sizeof(script) - 1, e);

	*t = (struct gnuplot_terminals){0};
	if (!error)
		error = child_wait(&c, e);
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
