/* SPDX-License-Identifier: GPL-2.0-only */
/* lib/event/handled: several handlers of one name on one line, as two cards of one driver have
 * them. The kernel calls them in the order of its list; what is missing is a doubt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/event/handlers.h"
#include "lib/file/meta.h"

enum { OTHER_LINE = 99, DOUBT = -1, MOST = 200 };

/* An interrupt is a word: each letter is a handler's name whose entry and exit come; a capital
 * letter's returns 1; in brackets: lost. '|' : the next interrupt, a long time later; '/' : the
 * next one, a short time later; '.': an interrupt of another line on another CPU. */
struct rig {
	struct handlers *handlers;
	struct handled *h;
	struct meta m;
	int32_t line;
	int64_t now;
	bool ended;
	int32_t got[MOST]; /* numbers of entries, or DOUBT before one, in order */
	bool foreign[MOST];
	size_t n;
};

static void begin(struct rig *r, int32_t line, const char *list)
{
	struct err e = {0};
	struct meta_irq *q;

	*r = (struct rig){.handlers = handlers_new(), .line = line, .now = 1000000};
	meta_init(&r->m);
	q = meta_add_irq(&r->m);
	q->irq = line;
	q->name = list ? strdup(list) : NULL;
	if (handled_new(&r->h, r->handlers, &r->m, &e))
		fail_msg("%s", e.text);
}

static void drain(struct rig *r)
{
	struct sample s;
	int got;

	while ((got = handled_pop(r->h, r->ended, &s))) {
		if (s.role != ROLE_INTERRUPT || s.irq % HANDLER_STRIDE == OTHER_LINE)
			continue;
		assert_true(r->n < MOST);
		r->foreign[r->n] = sample_is_foreign(&s);
		r->got[r->n++] = got == HANDLED_DOUBT ? DOUBT : s.irq / HANDLER_STRIDE;
	}
}

static void put(struct rig *r, enum role role, int cpu, int32_t irq, int64_t ret)
{
	struct sample s = sample_blank(role, r->now);
	struct err e = {0};

	s.cpu = cpu;
	s.irq = irq;
	s.ret = ret;
	if (handled_push(r->h, &s, &e))
		fail_msg("%s", e.text);
	drain(r);
}

static void call(struct rig *r, int cpu, int32_t line, char name, bool own)
{
	char word[2] = {name, 0};
	int32_t irq = handlers_entry(r->handlers, cpu, line, word, 1);

	put(r, ROLE_INTERRUPT, cpu, irq, 0);
	r->now += 400;
	put(r, ROLE_HANDLED, cpu, handlers_exit(r->handlers, cpu, line), own);
	r->now += 150;
}

static void come(struct rig *r, const char *words)
{
	bool lost = false;
	int cpu = 0;

	for (const char *c = words; *c; c++) {
		if (*c == '|' || *c == '/')
			cpu++;
		r->now += *c == '|' ? 80000 : *c == '/' ? 300 : 0;
		lost = *c == '(' || (lost && *c != ')');
		if (*c == '.')
			call(r, 7, OTHER_LINE, 'x', true);
		else if (!lost && *c >= 'A' && *c <= 'z')
			call(r, cpu % 4, r->line, (char)(*c | 0x20), *c < 'a');
	}
	r->ended = true;
	drain(r);
}

/* "0 1 ?2": the handlers of the entries in order; ?: a doubt. */
static void expect(const char *list, const char *words, const char *numbers)
{
	char got[MOST * 4] = "";
	size_t len = 0;
	struct rig r;

	begin(&r, 20, list);
	come(&r, words);
	for (size_t i = 0; i < r.n; i++) {
		const char *space = len && got[len - 1] != '?' ? " " : "";

		len += (size_t)(r.got[i] == DOUBT ? snprintf(got + len, sizeof(got) - len,
							     "%s?", space)
						  : snprintf(got + len, sizeof(got) - len,
							     "%s%d", space, r.got[i]));
	}
	if (strcmp(got, numbers) != 0)
		fail_msg("%s of %s: %s instead of %s", words, list, got, numbers);
	handled_free(r.h);
	handlers_free(r.handlers);
	meta_release(&r.m);
}

static void places_tell_equal_names_apart(void **state)
{
	(void)state;
	expect("v, e, e", "veE|vEe|Vee", "0 1 2 0 1 2 0 1 2");
	expect("e, v, e", "Eve|evE|.e.v.E.", "0 1 2 0 1 2 0 1 2");
	expect("e, e, v", "eEv/Eev/eEv", "0 2 1 0 2 1 0 2 1");
}

/* Nothing is told apart by place that is not in the list so. */
static void without_a_list_they_are_one(void **state)
{
	(void)state;
	expect(NULL, "veE|vEe", "0 1 1 0 1 1");
	expect("v", "v|veE|vEe", "0 0 1 1 0 1 1");
	expect("v, e", "vE|vEe", "0 1 0 1 1");
	expect("v, e, e", "vE|ve|vE", "0 1 0 1 0 1"); /* the second never came */
	expect("x e e", "vEe|vEe", "0 1 1 0 1 1");
}

/* Of an interrupt of which one is missing nobody knows whose the others of that name are. */
static void a_missing_call_is_a_doubt(void **state)
{
	(void)state;
	expect("v, e, e", "veE|v(e)E|veE", "0 1 2 0 ?1 0 1 2");
	expect("v, e, e", "veE|ve(E)|veE", "0 1 2 0 ?1 0 1 2");
	expect("v, e, e", "veE|(v)eE|veE", "0 1 2 ?1 ?1 0 1 2");
	expect("v, e, e", "veE|(veE)|veE", "0 1 2 0 1 2");
	expect("e, e, v", "eEv|e(E)v|Eev", "0 2 1 ?0 1 0 2 1");
}

/* Without a name between them time tells where an interrupt begins. */
static void equal_names_alone(void **state)
{
	(void)state;
	expect("e, e", "eE|Ee|eE|Ee", "?0 ?0 0 1 0 1 0 1");
	expect("e, e", "(e)E|Ee|eE|Ee", "?0 0 1 0 1 0 1");
	expect("e, e", "eE|Ee|(e)E|Ee|eE", "?0 ?0 0 1 ?0 0 1 0 1");
	expect("e, e", "eE|Ee|e(E)|Ee|eE", "?0 ?0 0 1 ?0 0 1 0 1");
	expect("e, e", "eE/Ee/eE/Ee", "?0 ?0 ?0 ?0 ?0 ?0 ?0 ?0");
	expect("e, e, v, v", "eEvv|eevV|eEvv", "?0 ?0 ?1 ?1 0 2 1 3 0 2 1 3");
	expect("a, b, a, b", "aBab|abaB", "?0 ?1 ?0 ?1 0 1 2 3");
	expect("e, e, e", "eeE|Eee|eEe", "?0 ?0 ?0 0 1 2 0 1 2");
}

static void what_was_returned_stays_with_its_entry(void **state)
{
	static const bool foreign[] = {true, true, false, true, false, true};
	struct rig r;

	(void)state;
	begin(&r, 11, "v, e, e");
	come(&r, "veE|vEe");
	assert_int_equal(r.n, 6);
	assert_memory_equal(r.foreign, foreign, sizeof(foreign));
	handled_free(r.h);
	handlers_free(r.handlers);
	meta_release(&r.m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_tell_equal_names_apart),
		cmocka_unit_test(without_a_list_they_are_one),
		cmocka_unit_test(a_missing_call_is_a_doubt),
		cmocka_unit_test(equal_names_alone),
		cmocka_unit_test(what_was_returned_stays_with_its_entry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
