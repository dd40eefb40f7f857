/* SPDX-License-Identifier: MIT */
#include "cgroup/proc_stat.h"

#include "support/tree.h"
#include "support/unit.h"

#include <errno.h>

/* Fields 3 to 21; 22 is the start time. */
#define BEFORE "S 1 4 4 0 -1 4194560 7 8 9 10 11 12 13 14 20 0 1 0 "

static void
reads_a_field_after_any_name(void **state)
{
	const struct tree *t = *state;
	uint64_t value = 0;
	tree_make(t, "proc/1/stat 1 (a) S 9 9 (b) " BEFORE "18446744073709551615 5\n"
		     "proc/2/stat 2 (c) " BEFORE "12\\c\n");
	assert_int_equal(proc_stat_read(t->fd, 1, PROC_STAT_FLAGS, &value), 0);
	assert_true(value == 4194560);
	assert_int_equal(proc_stat_read(t->fd, 1, PROC_STAT_STARTTIME, &value), 0);
	assert_true(value == UINT64_MAX);
	assert_int_equal(proc_stat_read(t->fd, 2, PROC_STAT_STARTTIME, &value), 0);
	assert_true(value == 12);
}

static void
refuses_what_is_no_number(void **state)
{
	const struct tree *t = *state;
	uint64_t value = 7;
	tree_make(t, "proc/1/stat 1 (a) " BEFORE "18446744073709551616 5\n"
		     "proc/2/stat 2 (a) " BEFORE "-1 5\n"
		     "proc/3/stat 3 (a) " BEFORE "1x 5\n"
		     "proc/4/stat 4 a " BEFORE "1 5\n"
		     "proc/5/stat \\c\n");
	for (pid_t pid = 1; pid <= 5; pid++) {
		errno = 0;
		assert_int_equal(proc_stat_read(t->fd, pid, PROC_STAT_STARTTIME, &value), -1);
		assert_int_equal(errno, EPROTO);
	}
	assert_int_equal(proc_stat_read(t->fd, 6, PROC_STAT_STARTTIME, &value), -1);
	assert_int_equal(errno, ENOENT);
	assert_true(value == 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(reads_a_field_after_any_name),
		tree_test(refuses_what_is_no_number),
	};
	return cmocka_run_group_tests_name("proc_stat", tests, NULL, NULL);
}
