/* SPDX-License-Identifier: MIT */
#include "base/messages.h"

#include "support/unit.h"

static void
keeps_messages_in_order_with_their_levels(void **state)
{
	(void)state;
	struct messages messages = {0};
	messages_add(&messages, MESSAGE_INFO, "code", "first %d", 1);
	messages_add(&messages, MESSAGE_ERROR, "code", "second %s", "two");
	messages_add(&messages, MESSAGE_WARNING, "code", "third");
	assert_int_equal(messages.count, 3);
	assert_int_equal(messages.errors, 1);
	assert_int_equal(messages.dropped, 0);
	assert_int_equal(messages.items[0].level, MESSAGE_INFO);
	assert_string_equal(messages.items[0].text, "first 1");
	assert_int_equal(messages.items[1].level, MESSAGE_ERROR);
	assert_string_equal(messages.items[1].text, "second two");
	assert_int_equal(messages.items[2].level, MESSAGE_WARNING);
	assert_string_equal(messages.items[2].text, "third");
	messages_free(&messages);
	assert_null(messages.items);
	assert_int_equal(messages.count + messages.errors, 0);
}

static void
counts_messages_over_the_limit(void **state)
{
	(void)state;
	struct messages messages = {0};
	for (unsigned i = 0; i < MESSAGES_MAX; i++)
		messages_add(&messages, MESSAGE_WARNING, "code", "note %u", i);
	assert_int_equal(messages.count, MESSAGES_MAX);
	assert_int_equal(messages.dropped, 0);
	messages_add(&messages, MESSAGE_WARNING, "code", "one too many");
	assert_int_equal(messages.count, MESSAGES_MAX);
	assert_int_equal(messages.dropped, 1);
	assert_string_equal(messages.items[MESSAGES_MAX - 1].text, "note 999");
	messages_free(&messages);
}

/* An error that was dropped would leave the caller with no reason. */
static void
drops_the_last_lesser_line_for_an_error(void **state)
{
	(void)state;
	struct messages messages = {0};
	for (unsigned i = 0; i < MESSAGES_MAX; i++)
		messages_add(
			&messages, i == 2 ? MESSAGE_INFO : MESSAGE_WARNING, "code", "note %u", i);
	messages_add(&messages, MESSAGE_WARNING, "code", "a warning");
	assert_int_equal(messages.dropped, 1);
	assert_string_equal(messages.items[2].text, "note 3");
	assert_string_equal(messages.items[MESSAGES_MAX - 1].text, "a warning");
	for (unsigned i = 0; i <= MESSAGES_MAX; i++)
		messages_add(&messages, MESSAGE_ERROR, "code", "error %u", i);
	assert_int_equal(messages.count, MESSAGES_MAX);
	assert_int_equal(messages.errors, MESSAGES_MAX + 1);
	assert_int_equal(messages.dropped, MESSAGES_MAX + 2);
	assert_string_equal(messages.items[0].text, "error 0");
	assert_string_equal(messages.items[MESSAGES_MAX - 1].text, "error 999");
	messages_free(&messages);
}

static void
sorts_errors_first(void **state)
{
	(void)state;
	static const char *const sorted[] = {
		"error 1", "error 5", "warning 2", "warning 6", "note 0", "note 4"};
	static const enum message_level levels[] = {MESSAGE_INFO, MESSAGE_ERROR, MESSAGE_WARNING,
		MESSAGE_DETAIL, MESSAGE_INFO, MESSAGE_ERROR, MESSAGE_WARNING};
	struct messages messages = {0};
	for (size_t i = 0; i < COUNT(levels); i++)
		messages_add(
			&messages, levels[i], "code", "%s %zu", message_level_name(levels[i]), i);
	messages_sort(&messages);
	assert_int_equal(messages.count, COUNT(levels));
	for (size_t i = 0; i < COUNT(sorted); i++)
		assert_string_equal(messages.items[i].text, sorted[i]);
	assert_int_equal(messages.items[COUNT(sorted)].level, MESSAGE_DETAIL);
	messages_free(&messages);
}

static void
names_the_levels(void **state)
{
	(void)state;
	assert_string_equal(message_level_name(MESSAGE_INFO), "note");
	assert_string_equal(message_level_name(MESSAGE_WARNING), "warning");
	assert_string_equal(message_level_name(MESSAGE_ERROR), "error");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_messages_in_order_with_their_levels),
		cmocka_unit_test(counts_messages_over_the_limit),
		cmocka_unit_test(sorts_errors_first),
		cmocka_unit_test(drops_the_last_lesser_line_for_an_error),
		cmocka_unit_test(names_the_levels),
	};
	return cmocka_run_group_tests_name("notes", tests, NULL, NULL);
}
