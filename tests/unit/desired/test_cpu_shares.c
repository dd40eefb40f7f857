/* SPDX-License-Identifier: MIT */
#include "desired/cpu_shares_private.h"

#include "support/mask.h"
#include "support/unit.h"

static struct cpu_shares_part parts[3];
static struct cpu_shares shares;
static struct err e;

static int
divide(const char *a, size_t a_needs, const char *b, size_t b_needs, const char *c, size_t c_needs)
{
	parts[0] = (struct cpu_shares_part){.cpus = mask_of(a), .needed = a_needs};
	parts[1] = (struct cpu_shares_part){.cpus = mask_of(b), .needed = b_needs};
	parts[2] = (struct cpu_shares_part){.cpus = mask_of(c), .needed = c_needs};
	shares = (struct cpu_shares){.parts = parts, .part_count = 3};
	return cpu_shares_divide(&shares, &e);
}

static void
finds_a_division_if_there_is_one(void **state)
{
	(void)state;
	assert_int_equal(divide("0-3", 2, "0-1", 1, "1", 1), 0);
	assert_mask(&parts[1].share, "0");
	assert_mask(&parts[2].share, "1");
	assert_mask(&parts[0].share, "2-3");
	/* a chain: the third takes from the second, which takes from the first */
	assert_int_equal(divide("0-2", 2, "1-3", 2, "3-4", 2), 1);
	assert_int_equal(divide("0-2", 2, "1-3", 2, "3-5", 2), 0);
	assert_mask(&parts[0].share, "0-1");
	assert_mask(&parts[1].share, "2-3");
	assert_mask(&parts[2].share, "4-5");
	assert_int_equal(divide("0-2", 2, "2-3", 1, "3", 1), 0);
	assert_mask(&parts[2].share, "3");
}

static void
names_the_parts_that_are_short(void **state)
{
	(void)state;
	assert_int_equal(divide("0-7", 2, "8-9", 2, "8-9", 1), 1);
	assert_false(parts[0].is_short);
	assert_true(parts[1].is_short);
	assert_true(parts[2].is_short);
	assert_mask(&shares.contested, "8-9");
	assert_int_equal(divide("0-7", 2, "8-9", 2, "", 1), 1);
	assert_false(parts[1].is_short);
	assert_true(parts[2].is_short);
	assert_mask(&shares.contested, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_a_division_if_there_is_one),
		cmocka_unit_test(names_the_parts_that_are_short),
	};
	return cmocka_run_group_tests_name("cpu_shares", tests, NULL, NULL);
}
