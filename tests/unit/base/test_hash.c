/* SPDX-License-Identifier: MIT */
#include "base/hash.h"

#include "support/unit.h"

/* Test vectors of draft-eastlake-fnv, appendix C: FNV-1a, 64 bits. */
static void
is_fnv_1a(void **state)
{
	(void)state;
	assert_true(hash_text("") == 0xcbf29ce484222325);
	assert_true(hash_text("a") == 0xaf63dc4c8601ec8c);
	assert_true(hash_text("foobar") == 0x85944171f73967e8);
}

static void
treats_bytes_as_unsigned(void **state)
{
	(void)state;
	assert_true(hash_text("\xff") == (0xcbf29ce484222325 ^ 0xff) * 0x100000001b3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_fnv_1a),
		cmocka_unit_test(treats_bytes_as_unsigned),
	};
	return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
