/* SPDX-License-Identifier: MIT */
#include "base/escape.h"

#include "support/unit.h"

#include <string.h>

static const struct {
	const char *name, *text, *shown;
} cases[] = {
	{"nothing", "", ""},
	{"plain", "web_01 ~", "web_01 ~"},
	{"backslash stands for itself", "a\\x0a", "a\\x0a"},
	{"newline and tab", "a\nb\tc", "a\\x0ab\\x09c"},
	{"escape sequence", "\033[2J", "\\x1b[2J"},
	{"first and last of C0, DEL", "\x01\x1f\x7f", "\\x01\\x1f\\x7f"},
	{"two bytes", "\xc3\xa9", "\xc3\xa9"},
	{"three bytes", "\xe2\x82\xac", "\xe2\x82\xac"},
	{"four bytes", "\xf0\x9f\x90\xa7", "\xf0\x9f\x90\xa7"},
	{"the last of C1", "\xc2\x9f", "\\xc2\\x9f"},
	{"CSI, of C1", "\xc2\x9b", "\\xc2\\x9b"},
	{"the first after C1", "\xc2\xa0", "\xc2\xa0"},
	{"overlong slash", "\xc0\xaf", "\\xc0\\xaf"},
	{"overlong in three", "\xe0\x82\xa0", "\\xe0\\x82\\xa0"},
	{"the first of three", "\xe0\xa0\x80", "\xe0\xa0\x80"},
	{"overlong in four", "\xf0\x82\x82\xac", "\\xf0\\x82\\x82\\xac"},
	{"surrogate", "\xed\xa0\x80", "\\xed\\xa0\\x80"},
	{"last before the surrogates", "\xed\x9f\xbf", "\xed\x9f\xbf"},
	{"first after the surrogates", "\xee\x80\x80", "\xee\x80\x80"},
	{"the last of all", "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
	{"past the last", "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
	{"no such first byte", "\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80"},
	{"continuation alone", "a\x80z", "a\\x80z"},
	{"sequence cut by the end", "\xe2\x82", "\\xe2\\x82"},
	{"sequence cut by a letter", "\xe2\x82z", "\\xe2\\x82z"},
	{"Latin-1", "caf\xe9", "caf\\xe9"},
	{"left-to-right mark", "\xe2\x80\x8e", "\\xe2\\x80\\x8e"},
	{"Arabic letter mark", "\xd8\x9c", "\\xd8\\x9c"},
	{"the first behind it", "\xd8\x9d", "\xd8\x9d"},
	{"zero width joiner", "\xe2\x80\x8d", "\xe2\x80\x8d"},
	{"line separator", "\xe2\x80\xa8", "\\xe2\\x80\\xa8"},
	{"right-to-left override", "\xe2\x80\xae", "\\xe2\\x80\\xae"},
	{"narrow space, after the overrides", "\xe2\x80\xaf", "\xe2\x80\xaf"},
	{"right-to-left isolate", "\xe2\x81\xa7", "\\xe2\\x81\\xa7"},
	{"pop isolate", "\xe2\x81\xa9", "\\xe2\\x81\\xa9"},
};

static void
escapes_each_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char out[64];
		memset(out, '#', sizeof(out));
		assert_ptr_equal(escape_unprintable(out, sizeof(out), cases[i].text), out);
		if (strcmp(out, cases[i].shown) != 0)
			fail_msg("%s: '%s'", cases[i].name, out);
	}
}

/* At every size, the text is whole, or is a whole number of items and "...". */
static void
cuts_between_items(void **state)
{
	(void)state;
	static const char text[] = "ab\n\xe2\x82\xac\xffz";
	static const char whole[] = "ab\\x0a\xe2\x82\xac\\xffz";
	static const size_t items[] = {0, 1, 2, 6, 9, 13, 14};
	for (size_t size = 4; size <= sizeof(whole) + 2; size++) {
		char out[32];
		memset(out, '#', sizeof(out));
		escape_unprintable(out, size, text);
		assert_int_equal(out[size], '#');
		if (size >= sizeof(whole)) {
			assert_string_equal(out, whole);
			continue;
		}
		size_t kept = 0;
		for (size_t i = 0; i < COUNT(items); i++)
			if (items[i] + 4 <= size)
				kept = items[i];
		assert_int_equal(strlen(out), kept + 3);
		assert_memory_equal(out, whole, kept);
		assert_string_equal(out + kept, "...");
	}
}

static const struct {
	const char *name, *shown;
} names[] = {
	{"web_01.a-b+c@d", "web_01.a-b+c@d"},
	{"", "''"},
	{"a b", "'a b'"},
	{"db1: pinned: 0", "'db1: pinned: 0'"},
	{"db1': pinned: '", "'db1\\x27: pinned: \\x27'"},
	{"a\nb", "'a\\x0ab'"},
	{"caf\xc3\xa9", "'caf\xc3\xa9'"},
	{"\xe2\x80\xae", "'\\xe2\\x80\\xae'"},
	{"a\\x0ab", "'a\\x0ab'"},
	{"0123456789abcdef01234567890123456789", "0123456789abcdef012345678901..."},
	{"0123456789 bcdef01234567890123456789", "'0123456789 bcdef0123456789...'"},
};

static void
quotes_a_name_that_could_imitate_a_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		char out[33];
		out[32] = '#';
		assert_ptr_equal(escape_name(out, 32, names[i].name), out);
		assert_string_equal(out, names[i].shown);
		assert_int_equal(out[32], '#');
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes_each_text),
		cmocka_unit_test(cuts_between_items),
		cmocka_unit_test(quotes_a_name_that_could_imitate_a_line),
	};
	return cmocka_run_group_tests_name("printable", tests, NULL, NULL);
}
