/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/db/answer.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/db/db.h"
#include "lib/dma.h"
#include "lib/num.h"
#include "lib/text.h"

enum { NAMED = 4 }; /* so many interrupts by name */

const char *answer_sentence(const struct answer *a, int i)
{
	const char *const s[ANSWER_SENTENCES] = {a->interrupt, a->time, a->moved,
						 a->missing, a->next};

	return s[i];
}

/* Appends; what has no room is cut. */
static void __attribute__((format(printf, 3, 4)))
put(char *buf, size_t size, const char *fmt, ...)
{
	size_t at = strlen(buf);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf + at, size - at, fmt, ap);
	va_end(ap);
}
#define PUT(field, ...) put(field, sizeof(field), __VA_ARGS__)

static const char *count(int64_t n, char buf[32])
{
	return text_count(n > 0 ? (uint64_t)n : 0, buf);
}

/* ---- which interrupt, and how sure ---- */

static int name_vectors(struct answer *a, struct db *db, int64_t run, int *n,
			struct err *e)
{
	struct db_stmt *q;
	int got = 0, rc = db_prepare_named(db, &q, "answer_vectors", e);

	*n = 0;
	if (rc)
		return rc;
	db_bind_i64(q, ":run", run);
	while ((got = db_step(q, e)) > 0)
		if (++*n <= NAMED) {
			const char *name = db_text(q, "name");

			PUT(a->interrupt, "%s%" PRId64 "%s%.40s%s", *n == 1 ? "" : ", ",
			    db_i64(q, "irq"), name ? " (" : "", name ? name : "",
			    name ? ")" : "");
		}
	if (*n > NAMED)
		PUT(a->interrupt, " and %d more", *n - NAMED);
	return db_finalize(q, got, e);
}

/* "Interrupt 1, 2" becomes "Interrupts 1, 2". */
static void plural(char *text, size_t size)
{
	size_t stem = strlen("Interrupt"), len = strlen(text);

	if (len + 1 >= size)
		return;
	memmove(text + stem + 1, text + stem, len - stem + 1);
	text[stem] = 's';
}

static void say_interrupt(struct answer *a, struct db_stmt *q, int n)
{
	const char *from = db_text(q, "vectors_from");
	int64_t all = db_i64(q, "transfers"), by = db_i64(q, "by_interrupt"),
		uncertain = db_i64(q, "uncertain"), none = db_i64(q, "no_interrupt");
	char b[32], c[32];

	if (!n && db_i64(q, "polled") > 0) {
		snprintf(a->interrupt, sizeof(a->interrupt),
			 "No interrupt is known to end the transfers; the program "
			 "itself saw %s of %s end.",
			 count(db_i64(q, "polled"), b), count(all, c));
		return;
	}
	if (!n) {
		snprintf(a->interrupt, sizeof(a->interrupt),
			 "Which interrupt ends the transfers is not known.");
		return;
	}
	PUT(a->interrupt, " %s the transfers: %s; ", n == 1 ? "ends" : "end",
	    from && !strcmp(from, "found")    ? "found by the evidence"
	    : from && !strcmp(from, "option") ? "named with --irq"
					      : "named when recording");
	if (by > 0)
		PUT(a->interrupt, "%s of %s ended by %s", count(by, b), count(all, c),
		    n == 1 ? "it" : "them");
	else
		PUT(a->interrupt,
		    "which of %s interrupts ended which transfer is certain of none of "
		    "%s",
		    n == 1 ? "its" : "their", count(all, c));
	if (by > 0 && uncertain > 0)
		PUT(a->interrupt, ", of %s that is uncertain", count(uncertain, b));
	if (none > 0)
		PUT(a->interrupt, ", %s without", count(none, b));
	PUT(a->interrupt, ".");
}

/* ---- how long, how bad ---- */

static const char *phase_words(const char *phase, const char *doorbell)
{
	if (strcmp(phase, "device") != 0)
		return "from the call to the return of the wait";
	if (doorbell && !strcmp(doorbell, "driver"))
		return "from the driver's giving it to the card to its end there";
	if (doorbell && strstr(doorbell, "driver"))
		return "from the doorbell to the end that the driver saw";
	return doorbell && !strcmp(doorbell, "exit")
		       ? "from the start function's return to the interrupt"
		       : "from the doorbell to the interrupt";
}

static void say_phase(struct answer *a, struct db_stmt *q, const char *words)
{
	int64_t n = db_i64(q, "n"), at_ns = db_i64(q, "worst_at_ns");
	char median[32], p99[32], worst[32], b[32];

	num_print_ns(median, db_i64(q, "median_ns"));
	num_print_ns(worst, db_i64(q, "max_ns"));
	if (n <= 0)
		PUT(a->time,
		    "How long a transfer takes is not known: no end is certain.");
	else if (n == 1)
		PUT(a->time,
		    "One transfer's time is known: %s (%s; transfer %" PRId64 ").", worst,
		    words, db_i64(q, "worst"));
	else
		PUT(a->time,
		    "A transfer takes %s (median, %s), %s%s at p99, %s at worst "
		    "(transfer %" PRId64 ")",
		    median, words, db_i64(q, "p99_high_ns") == DMA_UNKNOWN ? "~" : "",
		    num_print_ns(p99, db_i64(q, "p99_ns")), worst, db_i64(q, "worst"));
	if (n > 1 && at_ns > 0)
		PUT(a->time, ", %s after the first", num_print_ns(b, at_ns));
	if (n > 1)
		PUT(a->time, ".");
	if (db_i64(q, "negative") > 0)
		PUT(a->time, " %s are below 0: see the note on the doorbell.",
		    count(db_i64(q, "negative"), b));
}

static int say_time(struct answer *a, struct db *db, int64_t run, const char *phase,
		    const char *doorbell, struct err *e)
{
	struct db_stmt *q;
	int got, rc = db_prepare_named(db, &q, "answer_phase", e);

	if (rc)
		return rc;
	db_bind_i64(q, ":run", run);
	db_bind_text(q, ":phase", phase);
	got = db_step(q, e);
	if (got > 0)
		say_phase(a, q, phase_words(phase, doorbell));
	return db_finalize(q, got < 0 ? got : 0, e);
}

static void say_moved(struct answer *a, struct db_stmt *q)
{
	int64_t small = db_i64(q, "smallest"), large = db_i64(q, "largest");
	double rate = db_real(q, "bytes_per_s");
	char b[32], c[32], n[32];

	PUT(a->moved, "%s transfer%s", count(db_i64(q, "transfers"), n),
	    db_i64(q, "transfers") == 1 ? "" : "s");
	if (small == DMA_UNKNOWN)
		PUT(a->moved, " of a size that is not known");
	else if (small == large)
		PUT(a->moved, " of %s", num_print_bytes(b, small));
	else
		PUT(a->moved, " of %s to %s", num_print_bytes(b, small),
		    num_print_bytes(c, large));
	if (db_i64(q, "channels") == 1)
		PUT(a->moved, " on channel %" PRId64, db_i64(q, "channel"));
	else if (db_i64(q, "channels") > 1)
		PUT(a->moved, " on %" PRId64 " channels", db_i64(q, "channels"));
	if (isfinite(rate))
		PUT(a->moved, ", %s", num_print_rate(b, rate));
	PUT(a->moved, ".");
}

/* "channel 1, to_host" */
static const char *group_words(struct db_stmt *q, char buf[64])
{
	int64_t card = db_i64(q, "card"), channel = db_i64(q, "channel");
	const char *direction = db_text(q, "direction");
	int at = 0;

	*buf = '\0';
	if (card != DMA_UNKNOWN)
		at += snprintf(buf + at, 64 - (size_t)at, "card %" PRId64 ", ", card);
	if (channel != DMA_UNKNOWN)
		at += snprintf(buf + at, 64 - (size_t)at, "channel %" PRId64 ", ",
			       channel);
	snprintf(buf + at, 64 - (size_t)at, "%s", direction ? direction : "");
	return buf;
}

/* Which channel is fastest and which slowest, where there are several. */
static int say_groups(struct answer *a, struct db *db, int64_t run, const char *phase,
		      struct err *e)
{
	char least[32], most[32], group[64], first[64] = "";
	struct db_stmt *q;
	int n = 0, got, rc = db_prepare_named(db, &q, "answer_groups", e);

	if (rc)
		return rc;
	db_bind_i64(q, ":run", run);
	db_bind_text(q, ":phase", phase);
	while ((got = db_step(q, e)) > 0) {
		if (!n++) {
			num_print_ns(least, db_i64(q, "median_ns"));
			group_words(q, first);
		}
		num_print_ns(most, db_i64(q, "median_ns"));
		group_words(q, group);
	}
	if (!got && n > 1)
		PUT(a->moved, " Medians from %s (%s) to %s (%s).", least, first, most,
		    group);
	return db_finalize(q, got, e);
}

static void say_missing(struct answer *a, struct db_stmt *q)
{
	int64_t lost = db_i64(q, "lost"), failed = db_i64(q, "failed");
	char b[32], c[32];

	if (lost > 0)
		PUT(a->missing, "Not whole: %s of %s events are missing.", count(lost, b),
		    count(db_i64(q, "counted"), c));
	else if (db_i64(q, "losses") > 0)
		PUT(a->missing, "Not whole: samples are missing.");
	else if (db_i64(q, "uncounted") > 0)
		PUT(a->missing, "Whether anything was lost cannot be told.");
	else if (db_i64(q, "warnings") > 0)
		PUT(a->missing, "Nothing that was counted was lost; see the notes on "
				"completeness.");
	else
		PUT(a->missing, "Nothing was lost.");
	if (failed > 0)
		PUT(a->missing, " %s failed or %s aborted.", count(failed, b),
		    failed == 1 ? "was" : "were");
}

/* Starts that were counted are not "none": their samples are what is missing. */
static void say_none(struct answer *a, int64_t starts)
{
	char b[32];

	if (starts > 0)
		snprintf(a->interrupt, sizeof(a->interrupt),
			 "No transfer is known: of %s starts that were counted none can "
			 "be told from what was delivered.",
			 count(starts, b));
	else
		snprintf(a->interrupt, sizeof(a->interrupt),
			 "No start function was called while recording.");
}

static void say_where_to_look(struct answer *a, struct db_stmt *q)
{
	const char *functions = db_text(q, "functions");

	if (db_i64(q, "starts") > 0 && (db_i64(q, "lost") > 0 || db_i64(q, "losses") > 0))
		PUT(a->next, "Next: record again with a larger ring (dmarec -m 64M).");
	else if (db_i64(q, "starts") > 0)
		PUT(a->next,
		    "Next: see the notes on completeness for what kept them from "
		    "being told.");
	else
		PUT(a->next,
		    "Next: `dmarec --dry-run -- COMMAND` shows which functions are "
		    "probed%s%.80s%s, and -x where else to look. Calls within one "
		    "library may be inlined there (--start names another function); "
		    "another copy of it or another process may do the work.",
		    functions ? " (" : "", functions ? functions : "",
		    functions ? ")" : "");
}

static void say_next(struct answer *a, struct db_stmt *q, const char *db)
{
	const char *advice = db_text(q, "advice"), *base = db_text(q, "base"),
		   *label = db_text(q, "label");

	if (db_i64(q, "transfers") <= 0)
		say_where_to_look(a, q);
	else if (advice)
		PUT(a->next, "Next: %.380s", advice);
	else if (db_i64(q, "uncertain") > db_i64(q, "transfers") / 2 &&
		 db_i64(q, "lost") <= 0)
		PUT(a->next,
		    "Next: most ends are uncertain, and why is said with the states. "
		    "Record from the program's beginning, with fewer in flight at once, "
		    "or with the driver's own events (man dmarec-profile).");
	else if (db_i64(q, "ring_losses") > 0)
		PUT(a->next,
		    "Next: `dmareport %.200s` draws it; a larger ring (dmarec -m 64M) "
		    "loses less.",
		    db);
	else
		PUT(a->next, "Next: `dmareport %.200s` draws it.", db);
	if (!advice && base && label)
		PUT(a->next,
		    " `dmacompare --base %.40s --new %.40s %.100s` says whether it is "
		    "slower.",
		    base, label, db);
}

int answer_read(struct answer *a, struct db *db, int64_t run, struct err *e)
{
	struct db_stmt *q;
	char phase[16] = "", doorbell[16] = "";
	int n = 0, got = 0, rc = db_prepare_named(db, &q, "answer", e);

	*a = (struct answer){.interrupt = "Interrupt "};
	if (rc)
		return rc;
	db_bind_i64(q, ":run", run);
	got = db_step(q, e);
	if (got > 0 && db_i64(q, "transfers") > 0) {
		const char *word = db_text(q, "doorbell_from");

		snprintf(phase, sizeof(phase), "%s", db_text(q, "latency_phase"));
		snprintf(doorbell, sizeof(doorbell), "%s", word ? word : "");
		rc = name_vectors(a, db, run, &n, e);
		if (n > 1)
			plural(a->interrupt, sizeof(a->interrupt));
		say_interrupt(a, q, n);
		say_moved(a, q);
	} else {
		say_none(a, got > 0 ? db_i64(q, "starts") : 0);
	}
	if (got > 0) {
		say_missing(a, q);
		say_next(a, q, db_path(db));
	}
	rc = db_finalize(q, rc ? rc : got < 0 ? got : 0, e);
	if (!rc && *phase)
		rc = say_time(a, db, run, phase, doorbell, e);
	if (!rc && *phase)
		rc = say_groups(a, db, run, phase, e);
	return rc;
}
