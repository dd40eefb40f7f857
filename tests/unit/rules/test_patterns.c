/* SPDX-License-Identifier: MIT */
#include "rules/patterns.h"

#include "rules/rules.h"
#include "support/unit.h"

#include <string.h>

#define MISSING "match: a pattern is missing; write GLOB, name:GLOB or uuid:UUID"
#define UUID "6f1c0d5a-5d2c-4b0e-9f0e-0b1d7c1f3a11"
#define SMALL "match: write 'name:' and 'uuid:' in lower case"
#define CUT(text)                                                                                  \
	"match: '" text                                                                            \
	"' ends inside '[...]' or after a '\\'; a pattern cannot contain a comma, "                \
	"write '?' for it"
#define NO_UUID(text) "match: '" text "' is not a UUID, as in uuid:" UUID

static const struct {
	const char *text, *reason; /* NULL: good */
	size_t column;
} patterns[] = {
	{"web-*", NULL, 0},
	{"a, b ,c", NULL, 0},
	{"a,\n   b", NULL, 0},
	{"name:a b", NULL, 0},
	{"a[!]0-9]*", NULL, 0},
	{"[]]", NULL, 0},
	{"a\\\\, a\\[", NULL, 0},
	{"a\\,b", CUT("a\\"), 0},
	{"b, web-[1,2]", CUT("web-[1"), 3},
	{"[!]", CUT("[!]"), 0},
	{"a, UUID:" UUID, SMALL, 3},
	{"Name:web", SMALL, 0},
	{"name: web", "match: remove the blank after 'name:'", 0},
	{"uuid: " UUID, "match: remove the blank after 'uuid:'", 0},
	{"uuid:" UUID, NULL, 0},
	{"x,uuid:" UUID " ", NULL, 0},
	{"uuid:6F1C0D5A-5D2C-4B0E-9F0E-0B1D7C1F3A11", NULL, 0},
	{"", MISSING, 0},
	{" ", MISSING, 1},
	{"a,", MISSING, 2},
	{",a", MISSING, 0},
	{"a,,b", MISSING, 2},
	{"a, ,b", MISSING, 3},
	{"name:", MISSING, 0},
	{"a, uuid: ,b", MISSING, 3},
	{"uuid:6f1c", NO_UUID("6f1c"), 0},
	{"a, uuid:6f1c0d5a-5d2c-4b0e-9f0e-0b1d7c1f3a1g",
		NO_UUID("6f1c0d5a-5d2c-4b0e-9f0e-0b1d7c1f3a1g"), 3},
	{"uuid:6f1c0d5a05d2c-4b0e-9f0e-0b1d7c1f3a11",
		NO_UUID("6f1c0d5a05d2c-4b0e-9f0e-0b1d7c1f3a11"), 0},
	{"uuid:6f1c0d5a-5d2c-4b0e-9f0e-0b1d7c1f3a111",
		NO_UUID("6f1c0d5a-5d2c-4b0e-9f0e-0b1d7c1f3a111"), 0},
	{"a\nb", "match: a comma is missing between 'a' and the next line", 0},
	{"x, a b\n c,d", "match: a comma is missing between 'a b' and the next line", 3},
};

static void
checks_patterns_and_points_at_the_fault(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(patterns); i++) {
		size_t column = 99;
		struct err e = {""};
		int r = patterns_check(patterns[i].text, &column, &e);
		if (r != (patterns[i].reason == NULL ? 0 : -1))
			fail_msg("'%s': %d %s", patterns[i].text, r, e.text);
		if (r == 0)
			continue;
		assert_string_equal(e.text, patterns[i].reason);
		assert_int_equal(column, patterns[i].column);
	}
}

static void
bounds_a_pattern(void **state)
{
	(void)state;
	char text[RULES_PATTERN_MAX + 4];
	size_t column;
	struct err e;
	memset(text, 'p', RULES_PATTERN_MAX);
	strcpy(text + RULES_PATTERN_MAX, " ,x");
	assert_int_equal(patterns_check(text, &column, &e), 0);
	strcpy(text + RULES_PATTERN_MAX, "p");
	assert_int_equal(patterns_check(text, &column, &e), -1);
	assert_string_equal(e.text, "match: a pattern is longer than 255 bytes");
}

static const struct {
	const char *text, *uuid;  /* of the guest; NULL: not known */
	enum pattern_match match; /* the guest is called "web" */
} guests[] = {
	{"w*, uuid:" UUID, NULL, PATTERN_MATCHES},
	{"uuid:" UUID ", w*", NULL, PATTERN_MATCHES},
	{"uuid:" UUID ", db", NULL, PATTERN_NEEDS_UUID},
	{"db, uuid:" UUID, NULL, PATTERN_NEEDS_UUID},
	{"db, uuid:" UUID, "", PATTERN_NO_MATCH},
	{"db, uuid:" UUID, UUID, PATTERN_MATCHES},
	{"db, uuid:" UUID, "6F1C0D5A-5D2C-4B0E-9F0E-0B1D7C1F3A11", PATTERN_MATCHES},
	{"db, uuid:" UUID, "6f1c0d5a-5d2c-4b0e-9f0e-0b1d7c1f3a12", PATTERN_NO_MATCH},
	{"db, name:w?", NULL, PATTERN_NO_MATCH},
	{"db, name:w??", NULL, PATTERN_MATCHES},
};

static void
matches_a_guest(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(guests); i++)
		if (patterns_match(guests[i].text, "web", guests[i].uuid) != guests[i].match)
			fail_msg("'%s', uuid %s", guests[i].text, guests[i].uuid);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks_patterns_and_points_at_the_fault),
		cmocka_unit_test(bounds_a_pattern),
		cmocka_unit_test(matches_a_guest),
	};
	return cmocka_run_group_tests_name("patterns", tests, NULL, NULL);
}
