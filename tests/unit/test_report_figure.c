/* SPDX-License-Identifier: GPL-2.0-only */
/* Axes, escaping and the runner of gnuplot. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/draw/axis.h"
#include "lib/draw/figure.h"
#include "lib/draw/gnuplot.h"
#include "lib/draw/html.h"
#include "lib/err.h"

static void check_axis(enum axis_unit unit, double min, double max)
{
	struct axis a;
	int named = 0;

	axis_init(&a, unit, min, max, 8);
	assert_true(a.lo < a.hi);
	assert_true(axis_pos(&a, min) > -1e-6 && axis_pos(&a, max) < 1 + 1e-6);
	for (size_t i = 0; i < a.nticks; i++) {
		assert_true(a.tick[i].pos >= 0 && a.tick[i].pos <= 1);
		named += *a.tick[i].label != 0;
	}
	assert_true(named >= 1);
	for (double p = 0; p <= 1; p += 0.25)
		assert_true(fabs(axis_pos(&a, axis_value(&a, p)) - p) < 1e-9);
}

static void any_range_gives_an_axis(void **state)
{
	static const double edge[] = {-9e18, -1e9, -1e5, -1,   0,   1,
				      2,     97,   1e3,	 98e6, 1e9, 9e18};
	size_t n = sizeof(edge) / sizeof(*edge);

	(void)state;
	for (size_t i = 0; i < n; i++)
		for (size_t k = i; k < n; k++)
			check_axis(AXIS_NS, edge[i], edge[k]);
}

static void values_are_printed_with_their_unit(void **state)
{
	char buf[32];

	(void)state;
	assert_string_equal(axis_print(AXIS_NS, 0, buf, 32), "0 ns");
	assert_string_equal(axis_print(AXIS_NS, 999, buf, 32), "999 ns");
	assert_string_equal(axis_print(AXIS_NS, 12345, buf, 32), "12.3 µs");
	assert_string_equal(axis_print(AXIS_NS, -2500000, buf, 32), "-2.50 ms");
	assert_string_equal(axis_print(AXIS_BYTES, 65536, buf, 32), "64 KiB");
	assert_string_equal(axis_print(AXIS_BYTES_PER_S, 3.83e9, buf, 32), "3.83 GB/s");
}

static void html_is_escaped(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	(void)state;
	html_text(f, "<a href=\"x\">&'\x01\xff µ");
	fclose(f);
	assert_string_equal(text, "&lt;a href=&quot;x&quot;&gt;&amp;&#39; ? µ");
	free(text);
}

static bool have_gnuplot(void)
{
	struct gnuplot_terminals t;
	struct err e = {0};

	return !gnuplot_probe(&t, &e) && t.svg;
}

static void a_warning_of_gnuplot_is_an_error(void **state)
{
	static const char script[] = "set term unknown\nset xrange [1:1]\nplot x\n",
			  bad[] = "plot 'nowhere'\n";
	struct err e = {0}, e2 = {0};

	(void)state;
	if (!have_gnuplot())
		skip();
	assert_int_not_equal(gnuplot_run(script, sizeof(script) - 1, &e), 0);
	assert_non_null(strstr(e.text, "gnuplot"));
	assert_int_not_equal(gnuplot_run(bad, sizeof(bad) - 1, &e2), 0);
	assert_non_null(strstr(e2.text, "nowhere"));
}

static void no_gnuplot_names_the_package(void **state)
{
	char *path = strdup(getenv("PATH"));
	struct gnuplot_terminals t;
	struct err e = {0};

	(void)state;
	setenv("PATH", "/nowhere", 1);
	assert_int_equal(gnuplot_probe(&t, &e), ERR_NOTFOUND);
	setenv("PATH", path, 1);
	free(path);
	assert_non_null(strstr(e.text, "gnuplot-nox"));
}

static void draw_odd(const struct figure *f, struct drawing *d)
{
	(void)f;
	panel_begin(d, 0, 0.1, 1, 0.9);
	panel_legend(d, COLOR_S0, "it's \\ \"quoted\" `x` @ $b1 {/Bold}");
	draw_row(d, NAN, INFINITY, -INFINITY, 1e300);
	draw_rects(d, COLOR_S0, 0.5);
	draw_line(d, COLOR_S1, 1, 1);
}

static void odd_values_and_texts_draw_without_a_warning(void **state)
{
	struct figure f = {
		.name = "odd", .title = "a 'b' \"c\" \\ %s\n", .draw = draw_odd};
	size_t len;
	struct err e = {0};

	(void)state;
	if (!have_gnuplot())
		skip();
	for (int k = 0; k < CANVAS_N; k++) {
		char *script =
			figure_script(&f, (enum canvas_kind)k, "svg", "/dev/null", &len);

		assert_non_null(script);
		if (gnuplot_run(script, len, &e))
			fail_msg("%s", e.text);
		free(script);
	}
	figure_release(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_range_gives_an_axis),
		cmocka_unit_test(values_are_printed_with_their_unit),
		cmocka_unit_test(html_is_escaped),
		cmocka_unit_test(a_warning_of_gnuplot_is_an_error),
		cmocka_unit_test(no_gnuplot_names_the_package),
		cmocka_unit_test(odd_values_and_texts_draw_without_a_warning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
