/* SPDX-License-Identifier: MIT */
#include "base/err.h"

#include "support/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void
sets_the_text_and_returns_minus_one(void **state)
{
	(void)state;
	struct err e;
	assert_int_equal(err_set(&e, "CPU %d of %s", 7, "vcpu0"), -1);
	assert_string_equal(e.text, "CPU 7 of vcpu0");
	assert_int_equal(err_set(&e, "again"), -1);
	assert_string_equal(e.text, "again");
}

static void
says_what_the_callers_errno_means(void **state)
{
	(void)state;
	struct err e;
	errno = EACCES;
	assert_int_equal(err_errno(&e, "/run/%s", "x"), -1);
	assert_string_equal(e.text, "/run/x: Permission denied");
}

static void
prepends_context(void **state)
{
	(void)state;
	struct err e;
	err_set(&e, "reason");
	assert_int_equal(err_context(&e, "%s:%d", "file", 3), -1);
	assert_int_equal(err_context(&e, "guest"), -1);
	assert_string_equal(e.text, "guest: file:3: reason");
}

static void
cuts_text_that_does_not_fit(void **state)
{
	(void)state;
	char most[ERR_TEXT_MAX], more[ERR_TEXT_MAX + 1];
	struct err e;
	memset(most, 'm', sizeof(most) - 1);
	most[sizeof(most) - 1] = '\0';
	memset(more, 'm', sizeof(more) - 1);
	more[sizeof(more) - 1] = '\0';

	err_set(&e, "%s", most);
	assert_string_equal(e.text, most);
	err_set(&e, "%s", more);
	memcpy(most + sizeof(most) - 4, "...", 4);
	assert_string_equal(e.text, most);
}

static void
cuts_text_that_a_reason_or_context_makes_too_long(void **state)
{
	(void)state;
	char text[ERR_TEXT_MAX];
	struct err e;
	memset(text, 'x', sizeof(text));
	for (size_t length = ERR_TEXT_MAX - 40; length < ERR_TEXT_MAX; length++) {
		text[length] = '\0';
		errno = EACCES;
		err_errno(&e, "%s", text);
		bool fits = length + strlen(": Permission denied") < ERR_TEXT_MAX;
		assert_int_equal(strcmp(e.text + strlen(e.text) - 3, "...") == 0, !fits);
		assert_true(strlen(e.text) == ERR_TEXT_MAX - 1 || fits);

		err_set(&e, "reason");
		err_context(&e, "%s", text);
		fits = length + strlen(": reason") < ERR_TEXT_MAX;
		assert_int_equal(strcmp(e.text + strlen(e.text) - 3, "...") == 0, !fits);
		assert_true(strlen(e.text) == ERR_TEXT_MAX - 1 || fits);
		text[length] = 'x';
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_the_text_and_returns_minus_one),
		cmocka_unit_test(says_what_the_callers_errno_means),
		cmocka_unit_test(prepends_context),
		cmocka_unit_test(cuts_text_that_does_not_fit),
		cmocka_unit_test(cuts_text_that_a_reason_or_context_makes_too_long),
	};
	return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
