#include "base/messages.h"

#include "support/unit.h"

static void
keeps_notes_in_order_with_their_levels(void **state)
{
	(void)state;
	struct notes notes = {0};
	notes_add(&notes, NOTE_INFO, "first %d", 1);
	notes_add(&notes, NOTE_ERROR, "second %s", "two");
	notes_add(&notes, NOTE_WARNING, "third");
	assert_int_equal(notes.count, 3);
	assert_int_equal(notes.errors, 1);
	assert_int_equal(notes.dropped, 0);
	assert_int_equal(notes.items[0].level, NOTE_INFO);
	assert_string_equal(notes.items[0].text, "first 1");
	assert_int_equal(notes.items[1].level, NOTE_ERROR);
	assert_string_equal(notes.items[1].text, "second two");
	assert_int_equal(notes.items[2].level, NOTE_WARNING);
	assert_string_equal(notes.items[2].text, "third");
	notes_free(&notes);
	assert_null(notes.items);
	assert_int_equal(notes.count + notes.errors, 0);
}

static void
counts_what_is_over_the_limit(void **state)
{
	(void)state;
	struct notes notes = {0};
	for (unsigned i = 0; i < NOTES_MAX; i++)
		notes_add(&notes, NOTE_WARNING, "note %u", i);
	assert_int_equal(notes.count, NOTES_MAX);
	assert_int_equal(notes.dropped, 0);
	notes_add(&notes, NOTE_WARNING, "one too many");
	notes_add(&notes, NOTE_ERROR, "an error still counts as one");
	assert_int_equal(notes.count, NOTES_MAX);
	assert_int_equal(notes.dropped, 2);
	assert_int_equal(notes.errors, 1);
	assert_string_equal(notes.items[NOTES_MAX - 1].text, "note 999");
	notes_free(&notes);
}

static void
names_the_levels(void **state)
{
	(void)state;
	assert_string_equal(note_level_name(NOTE_INFO), "note");
	assert_string_equal(note_level_name(NOTE_WARNING), "warning");
	assert_string_equal(note_level_name(NOTE_ERROR), "error");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_notes_in_order_with_their_levels),
		cmocka_unit_test(counts_what_is_over_the_limit),
		cmocka_unit_test(names_the_levels),
	};
	return cmocka_run_group_tests_name("notes", tests, NULL, NULL);
}
