/* SPDX-License-Identifier: MIT */
#include "base/cleanup.h"

#include "support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static int
leave_open(int give)
{
	AUTO_CLOSE int fd = give;
	return fd;
}

static void
closes_a_descriptor_at_the_end_of_its_scope(void **state)
{
	(void)state;
	int fd = leave_open(dup(STDOUT_FILENO));
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(errno, EBADF);
}

static void
leaves_a_value_that_is_no_descriptor(void **state)
{
	(void)state;
	errno = 0;
	assert_int_equal(leave_open(-1), -1);
	assert_int_equal(errno, 0);
}

/* AddressSanitizer reports a leak or a double free. */
static void
frees_memory_that_was_not_handed_on(void **state)
{
	(void)state;
	char *kept = NULL;
	{
		AUTO_FREE char *none = NULL;
		AUTO_FREE char *text = strdup("freed");
		AUTO_FREE char *other = strdup("kept");
		assert_null(none);
		assert_string_equal(text, "freed");
		kept = other;
		other = NULL;
	}
	assert_string_equal(kept, "kept");
	free(kept);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(closes_a_descriptor_at_the_end_of_its_scope),
		cmocka_unit_test(leaves_a_value_that_is_no_descriptor),
		cmocka_unit_test(frees_memory_that_was_not_handed_on),
	};
	return cmocka_run_group_tests_name("cleanup", tests, NULL, NULL);
}
