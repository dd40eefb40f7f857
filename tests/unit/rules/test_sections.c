/* SPDX-License-Identifier: MIT */
#include "rules/sections.h"

#include "support/unit.h"

#include <stdio.h>

static void
finds_a_section_that_is_there_already(void **state)
{
	(void)state;
	static char names[1000][24];
	struct sections sections = {0};
	struct err e;
	for (unsigned i = 0; i < COUNT(names); i++) {
		snprintf(names[i], sizeof(names[i]), "a-guest-of-many-%u", i);
		assert_int_equal(sections_add(&sections, names[i], i + 1, &e), 0);
	}
	for (unsigned i = 0; i < COUNT(names); i++) {
		struct err wanted;
		assert_int_equal(sections_add(&sections, names[i], 5000, &e), -1);
		err_set(&wanted, "section [%s] already begins at line %u; write its keys there",
			names[i], i + 1);
		assert_string_equal(e.text, wanted.text);
	}
	assert_int_equal(sections_add(&sections, "a-guest-of-many-", 1, &e), 0);
	sections_free(&sections);
	assert_null(sections.table);
	assert_int_equal(sections_add(&sections, "a-guest-of-many-", 2, &e), 0);
	sections_free(&sections);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_a_section_that_is_there_already),
	};
	return cmocka_run_group_tests_name("sections", tests, NULL, NULL);
}
