/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/live/screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
	FEWEST_ROWS = 4,
	FEWEST_COLUMNS = 20,
	OURS = 2,
	OF = 3,
	/* two thirds at most */ NOT_OURS = 3
};

#define SAVE                                                                             \
	"\x1b"                                                                           \
	"7"
#define RESTORE                                                                          \
	"\x1b"                                                                           \
	"8"
#define ALL_SCROLLS "\x1b[r"
#define CLEAR_BELOW "\x1b[J"
#define CLEAR_LINE  "\x1b[K"

static void put(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n <= 0)
			return; /* a terminal that is gone: the recording goes on */
		text += n;
		len -= (size_t)n;
	}
}

static bool look(struct screen *s, int *rows, int *columns)
{
	struct winsize w;

	if (ioctl(s->fd, TIOCGWINSZ, &w) || !w.ws_row || !w.ws_col)
		return false;
	*rows = w.ws_row;
	*columns = w.ws_col;
	return true;
}

bool screen_open(struct screen *s, int fd)
{
	const char *term = getenv("TERM");

	*s = (struct screen){.fd = fd};
	return isatty(fd) && term && *term && strcmp(term, "dumb") != 0 &&
	       look(s, &s->rows, &s->columns) && s->rows >= FEWEST_ROWS &&
	       s->columns >= FEWEST_COLUMNS;
}

bool screen_resized(struct screen *s)
{
	int rows, columns;

	if (!look(s, &rows, &columns) || (rows == s->rows && columns == s->columns))
		return false;
	/* Most terminals have given the region up already; what was ours is below. */
	if (s->kept)
		put(s->fd, SAVE ALL_SCROLLS RESTORE CLEAR_BELOW,
		    strlen(SAVE ALL_SCROLLS RESTORE CLEAR_BELOW));
	s->kept = 0;
	s->rows = rows;
	s->columns = columns;
	return true;
}

int screen_room(const struct screen *s)
{
	int most = s->rows * OURS / OF;

	return s->alone && s->rows - NOT_OURS > most ? s->rows - NOT_OURS : most;
}

/* More lines: what stands there scrolls up, the cursor with it. */
static void keep(struct screen *s, int lines, FILE *out)
{
	int more = lines - s->kept;

	if (more <= 0)
		return;
	for (int i = 0; i < more; i++)
		putc('\n', out);
	fprintf(out, SAVE "\x1b[1;%dr" RESTORE "\x1b[%dA", s->rows - lines, more);
	s->kept = lines;
}

static int lines_of(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

void screen_paint(struct screen *s, const char *text)
{
	char *buf = NULL;
	size_t size;
	FILE *out = open_memstream(&buf, &size);
	int row, lines = lines_of(text);

	if (!out)
		return;
	keep(s, lines < screen_room(s) ? lines : screen_room(s), out);
	/* The region is said again: whoever was stopped and goes on finds it gone. */
	fprintf(out, SAVE "\x1b[1;%dr", s->rows - s->kept);
	for (row = s->rows - s->kept + 1; row <= s->rows; row++) {
		size_t len = strcspn(text, "\n");

		fprintf(out, "\x1b[%d;1H%.*s" CLEAR_LINE, row, (int)len, text);
		text += len + (text[len] == '\n');
	}
	fputs(RESTORE, out);
	if (!fclose(out))
		put(s->fd, buf, size);
	free(buf);
}

void screen_close(struct screen *s)
{
	if (s->kept)
		put(s->fd, SAVE ALL_SCROLLS RESTORE CLEAR_BELOW,
		    strlen(SAVE ALL_SCROLLS RESTORE CLEAR_BELOW));
	s->kept = 0;
}
