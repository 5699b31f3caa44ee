/* SPDX-License-Identifier: GPL-2.0-only */
/* lib/field: every word of the table is known to whoever reads fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "lib/err.h"
#include "lib/field.h"
#include "record/profile/profile.h"
#include "tests/unit/eventrig.h"

static void test_words(void **state)
{
	(void)state;
	for (int f = 0; f < FIELD_N; f++) {
		const char *word;

		assert_string_equal(field_name((enum field)f),
				    field_word((enum field)f, 0));
		for (size_t i = 0; (word = field_word((enum field)f, i)); i++)
			assert_int_equal(field_parse(word), f);
		for (size_t i = 0; (word = field_parameter((enum field)f, i)); i++)
			assert_int_equal(field_parse(word), f);
	}
	assert_int_equal(field_parse("length"), FIELD_SIZE);
	assert_int_equal(field_parse("address"), FIELD_ADDR);
	assert_int_equal(field_parse("offset"), FIELD_ADDR);
	assert_int_equal(field_parse("irq"), -1);
	assert_int_equal(field_parse(""), -1);
	assert_string_equal(field_name(FIELD_N), "?");
	assert_string_equal(field_parameter(FIELD_ADDR, 0), "dst");
	assert_null(field_parameter(FIELD_RET, 0));
}

static const char *setting_of(enum field f)
{
	return f == FIELD_DIRECTION ? "to_host" : f == FIELD_RET ? "s32" : "%di:u32";
}

static void profile_knows(enum field f, const char *word)
{
	struct profile p;
	struct err e = {0};
	char text[64];

	profile_init(&p);
	snprintf(text, sizeof(text), "f %s=%s", word, setting_of(f));
	if (profile_add_func(&p, FUNC_START, text, "--start", &e))
		fail_msg("%s", e.text);
	if (f == FIELD_DIRECTION)
		assert_int_equal(p.func[0].direction, DIR_TO_HOST);
	else
		assert_int_not_equal(p.func[0].arg[f].kind, ARG_NONE);
	profile_release(&p);
}

static int64_t value_of(const struct sample *s, enum field f)
{
	switch (f) {
	case FIELD_CARD:
		return s->card < 0 ? DMA_UNKNOWN : 5; /* numbered from 0 */
	case FIELD_CHANNEL:
		return s->channel;
	case FIELD_SIZE:
		return s->size_bytes;
	case FIELD_ADDR:
		return s->addr;
	case FIELD_FLAGS:
		return s->flags;
	case FIELD_KEY:
		return s->key;
	default:
		return s->ret;
	}
}

/* fd, mode, direction and asked are no part of a sample: a condition asks for them. */
static void recording_knows(enum field f, const char *word)
{
	bool asked = f == FIELD_FD || f == FIELD_MODE || f == FIELD_DIRECTION ||
		     f == FIELD_ASKED;
	char fields[32], when[32];
	struct raw_event one[1] = {{"dmarec_1:go", fields, false}};
	struct rig r = {.foreign = false};
	struct meta_event *ev;
	struct sample s;

	snprintf(fields, sizeof(fields), "u32 %s", word);
	snprintf(when, sizeof(when), "%s!=5", field_name(f));
	meta_init(&r.m);
	ev = meta_add_event(&r.m);
	assert_non_null(ev);
	ev->attr = 0;
	ev->role = ROLE_SUBMIT;
	ev->name = strdup(one[0].name);
	if (asked)
		assert_int_equal(condition_parse(when, &ev->when, NULL), 0);
	r.f = rawfile_new(one, 1, &r.m);
	rawfile_sample(r.f, 0, 10, 0, 7, V(5));
	rig_open(&r, NULL);
	s = sample(&r);
	if (asked ? s.role != ROLE_OTHER : value_of(&s, f) != 5)
		fail_msg("a recording does not know '%s' as %s", word, field_name(f));
	rig_end(&r);
}

static void test_profiles_and_recordings(void **state)
{
	(void)state;
	for (int f = 0; f < FIELD_N; f++) {
		const char *word;

		for (size_t i = 0; (word = field_word((enum field)f, i)); i++) {
			profile_knows((enum field)f, word);
			if (f != FIELD_KEY2) /* is nothing without the first part */
				recording_knows((enum field)f, word);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_profiles_and_recordings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
