/* SPDX-License-Identifier: MIT */
#include "base/messages.h"

#include "support/unit.h"

static void
keeps_messages_in_order_with_their_levels(void **state)
{
	(void)state;
	struct messages messages = {0};
	messages_add(&messages, MESSAGE_INFO, "first %d", 1);
	messages_add(&messages, MESSAGE_ERROR, "second %s", "two");
	messages_add(&messages, MESSAGE_WARNING, "third");
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
		messages_add(&messages, MESSAGE_WARNING, "note %u", i);
	assert_int_equal(messages.count, MESSAGES_MAX);
	assert_int_equal(messages.dropped, 0);
	messages_add(&messages, MESSAGE_WARNING, "one too many");
	messages_add(&messages, MESSAGE_ERROR, "an error still counts as one");
	assert_int_equal(messages.count, MESSAGES_MAX);
	assert_int_equal(messages.dropped, 2);
	assert_int_equal(messages.errors, 1);
	assert_string_equal(messages.items[MESSAGES_MAX - 1].text, "note 999");
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
		cmocka_unit_test(names_the_levels),
	};
	return cmocka_run_group_tests_name("notes", tests, NULL, NULL);
}
