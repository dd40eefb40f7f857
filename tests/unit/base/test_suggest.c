/* SPDX-License-Identifier: MIT */
#include "base/suggest.h"

#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name, *nearest;
} names[] = {
	{"core", "core"},
	{"CORE", "core"},
	{"cores", "core"},
	{"croe", "core"},
	{"isolate", "isolated"},
	{"isola", "isolated"},
	{"isol", NULL},
	{"x", NULL},
	{"", NULL},
	{"an-exceedingly-long-name-of-core", NULL},
};

static void
finds_the_nearest_name(void **state)
{
	static const char *const known[] = {"isolated", "core", "pu"};
	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		const char *nearest = suggest_nearest(names[i].name, known, COUNT(known));
		if (nearest == NULL ? names[i].nearest != NULL
				    : names[i].nearest == NULL ||
					      strcmp(nearest, names[i].nearest) != 0)
			fail_msg("%s: %s", names[i].name, nearest != NULL ? nearest : "none");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_nearest_name),
	};
	return cmocka_run_group_tests_name("suggest", tests, NULL, NULL);
}
