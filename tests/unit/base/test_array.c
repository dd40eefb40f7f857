/* SPDX-License-Identifier: MIT */
#include "base/array.h"

#include "support/unit.h"

#include <stdlib.h>

static void
keeps_the_items_while_it_grows(void **state)
{
	(void)state;
	unsigned *items = NULL;
	for (unsigned count = 0; count < 1000; count++) {
		unsigned *larger = array_grow(items, count, sizeof(*larger));
		assert_non_null(larger);
		items = larger;
		items[count] = count;
	}
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(items[i], i);
	free(items);
}

/* Between powers of two the array does not move, so no item costs a call of realloc(). */
static void
asks_for_memory_at_powers_of_two_only(void **state)
{
	(void)state;
	char nothing;
	for (size_t count = 0; count < 1000; count++) {
		bool power = count == 0 || (count & (count - 1)) == 0;
		if (!power)
			assert_ptr_equal(array_grow(&nothing, count, 1), &nothing);
	}
}

static void
grows_again_after_its_count_fell(void **state)
{
	(void)state;
	static const size_t falls_to[] = {16, 9, 8, 7, 4, 3, 1, 0};
	for (size_t i = 0; i < COUNT(falls_to); i++) {
		unsigned *items = NULL;
		size_t count = 0;
		bool fell = false;
		while (count < 40) {
			unsigned *larger = array_grow(items, count, sizeof(*larger));
			assert_non_null(larger);
			items = larger;
			items[count] = (unsigned)count;
			count++;
			if (count == 17 && !fell) {
				count = falls_to[i];
				fell = true;
			}
		}
		for (size_t j = 0; j < count; j++)
			assert_int_equal(items[j], j);
		free(items);
	}
}

static void
refuses_a_size_that_overflows(void **state)
{
	(void)state;
	volatile size_t count = (size_t)1 << 62; /* a constant would make the compiler warn */
	assert_null(array_grow(NULL, count, 8));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_the_items_while_it_grows),
		cmocka_unit_test(asks_for_memory_at_powers_of_two_only),
		cmocka_unit_test(grows_again_after_its_count_fell),
		cmocka_unit_test(refuses_a_size_that_overflows),
	};
	return cmocka_run_group_tests_name("array", tests, NULL, NULL);
}
