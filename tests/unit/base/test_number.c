/* SPDX-License-Identifier: MIT */
#include "base/number.h"

#include "support/unit.h"

#include <string.h>

static const struct {
	const char *text;
	unsigned max;
	int r;
	unsigned number;
	size_t length; /* of the digits read */
} cases[] = {
	{"0", 0, 0, 0, 1}, {"1", 0, -1, 0, 0}, {"12x", 12, 0, 12, 2}, {"13", 12, -1, 0, 0},
	{"0012", 12, 0, 12, 4}, {"4294967295", 4294967295, 0, 4294967295, 10},
	{"4294967296", 4294967295, -1, 0, 0}, {"18446744073709551617", 4294967295, -1, 0, 0},
	{"99999999999999999999999999999999", 4294967295, -1, 0, 0}, {"", 12, -1, 0, 0},
	{"x1", 12, -1, 0, 0}, {"-1", 12, -1, 0, 0}, {"+1", 12, -1, 0, 0}, {" 1", 12, -1, 0, 0},
	{"1 2", 12, 0, 1, 1}, {"0x10", 12, 0, 0, 1}, {":", 12, -1, 0, 0}, /* the byte after '9' */
	{"/", 12, -1, 0, 0},						  /* the byte before '0' */
};

static void
reads_digits_up_to_a_maximum(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		unsigned number = 99;
		const char *s = cases[i].text;
		int r = number_parse(&s, cases[i].max, &number);
		if (r != cases[i].r || number != (r == 0 ? cases[i].number : 99) ||
			(size_t)(s - cases[i].text) != cases[i].length)
			fail_msg("'%s': %d, %u, %zu bytes", cases[i].text, r, number,
				(size_t)(s - cases[i].text));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_digits_up_to_a_maximum),
	};
	return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
