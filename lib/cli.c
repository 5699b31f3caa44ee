/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/cli.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/text.h"

static void say(const char *tool, const char *color, const char *word, const char *fmt,
		va_list ap)
{
	bool colored = color && cli_color(stderr);
	char text[2048];

	fprintf(stderr, "%s: %s%s%s", tool, colored ? color : "", word,
		colored ? "\033[0m" : "");
	vsnprintf(text, sizeof(text), fmt, ap);
	fputs(text_clean(text), stderr);
	fputc('\n', stderr);
}

void cli_error(const char *tool, const struct err *e)
{
	bool colored = cli_color(stderr);
	char text[sizeof(e->text)];

	memcpy(text, e->text, sizeof(text));
	fprintf(stderr, "%s: %serror:%s %s\n", tool, colored ? "\033[1;31m" : "",
		colored ? "\033[0m" : "", text_clean(text));
}

void cli_warn(const char *tool, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(tool, "\033[1;33m", "warning: ", fmt, ap);
	va_end(ap);
}

void cli_note(const char *tool, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(tool, NULL, "", fmt, ap);
	va_end(ap);
}

int cli_status(const struct err *e)
{
	return e->code == ERR_USAGE ? EXIT_USAGE : EXIT_FAILED;
}

bool cli_color(FILE *f)
{
	const char *none = getenv("NO_COLOR"), *term = getenv("TERM");

	return !(none && *none) && term && strcmp(term, "dumb") && isatty(fileno(f));
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

void cli_progress_begin(struct cli_progress *p, const char *what, const char *unit,
			uint64_t total)
{
	*p = (struct cli_progress){.what = what, .unit = unit, .total = total};
	if (isatty(STDERR_FILENO))
		p->begin_ns = p->last_ns = now_ns();
}

static int rate_text(char *text, size_t size, double per_s, const char *unit)
{
	if (per_s >= 1e6)
		return snprintf(text, size, "  %.1f M %.20s/s", per_s / 1e6, unit);
	if (per_s >= 1e3)
		return snprintf(text, size, "  %.1f k %.20s/s", per_s / 1e3, unit);
	return snprintf(text, size, "  %.0f %.20s/s", per_s, unit);
}

/* Over the line that stood there before, with spaces: any terminal can do that. */
static void progress_line(struct cli_progress *p, const char *text)
{
	int wide = (int)strlen(text);

	fprintf(stderr, "\r%-*s", p->wide, text);
	if (wide < p->wide)
		fprintf(stderr, "\r%s", text);
	p->wide = wide;
}

void cli_progress_step(struct cli_progress *p, uint64_t done, uint64_t units)
{
	char text[200];
	int64_t now;
	double elapsed_s;
	int n;

	if (!p->begin_ns)
		return;
	now = now_ns();
	if (now - p->last_ns < 200000000 || now - p->begin_ns < 1000000000)
		return;
	p->last_ns = now;
	elapsed_s = (double)(now - p->begin_ns) / 1e9;
	n = snprintf(text, sizeof(text), "%.40s", p->what);
	if (p->total)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "  %3.0f %%",
			      100.0 * (double)done / (double)p->total);
	n += rate_text(text + n, sizeof(text) - (size_t)n, (double)units / elapsed_s,
		       p->unit);
	if (p->total && done && done <= p->total)
		snprintf(text + n, sizeof(text) - (size_t)n, "  %.0f s left",
			 elapsed_s * (double)(p->total - done) / (double)done);
	progress_line(p, text);
}

void cli_progress_end(struct cli_progress *p)
{
	if (p->wide)
		fprintf(stderr, "\r%*s\r", p->wide, "");
	p->wide = 0;
}
