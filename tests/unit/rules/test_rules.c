/* SPDX-License-Identifier: MIT */
#include "rules/rules.h"

#include "support/unit.h"

static void
places_a_byte_of_a_continued_value(void **state)
{
	(void)state;
	struct value value = {
		.text = (char *)"0-1,\n\n  @x", .file = "f.ini", .line = 7, .column = 12};
	static const struct {
		size_t offset;
		const char *place;
	} places[] = {{0, "f.ini:7:12"}, {4, "f.ini:7:16"}, {5, "f.ini:8:1"}, {6, "f.ini:9:1"},
		{8, "f.ini:9:3"}, {99, "f.ini:9:5"}};
	for (size_t i = 0; i < COUNT(places); i++) {
		char place[VALUE_PLACE_MAX];
		assert_string_equal(value_place(&value, places[i].offset, place), places[i].place);
	}
}

static const struct {
	struct setting setting;
	const char *key;
} settings[] = {
	{{GROUP_EMULATOR, true, 0, 0, {0}}, "emulator"},
	{{GROUP_VCPU, true, 0, 0, {0}}, "vcpus"},
	{{GROUP_VCPU, false, 3, 3, {0}}, "vcpu3"},
	{{GROUP_IOTHREAD, false, 2, 4095, {0}}, "iothread2-4095"},
	{{GROUP_IOTHREAD, true, 0, 0, {0}}, "iothreads"},
};

static void
writes_the_key_of_a_setting(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(settings); i++) {
		char key[SETTING_KEY_MAX];
		assert_string_equal(setting_key(&settings[i].setting, key), settings[i].key);
	}
}

static int
add_set(const char *name, struct err *e)
{
	struct rules rules = {0};
	struct value value = {.text = (char *)"0-3", .file = "a.ini", .line = 2, .column = 5};
	struct value *stored;
	int r = rules_add_set(&rules, name, &value, &stored, e);
	assert_int_equal(rules.set_count, r == 0 ? 1 : 0);
	if (r == 0) {
		assert_ptr_equal(stored, &rules.sets[0].value);
		assert_string_equal(rules.sets[0].name, name);
		assert_string_equal(stored->text, "0-3");
		assert_int_equal(stored->line, 2);
	}
	rules_free(&rules);
	return r;
}

static void
bounds_the_names_of_sets(void **state)
{
	(void)state;
	static const char letters[] =
		"'%s': a name in [cpus] consists of letters, digits, '_', '-' and '.'";
	static const char *const good[] = {"a", "Node0", "node-0.core_1", "0",
		"123456789012345678901234567890123456789012345678901234567890123"};
	static const char *const bad[] = {"a b", "a@b", "a,b", "caf\xc3\xa9", "a:0", "^a", "[a"};
	struct err e, wanted;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_int_equal(add_set(good[i], &e), 0);
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(add_set(bad[i], &e), -1);
		err_set(&wanted, letters, bad[i]);
		assert_string_equal(e.text, wanted.text);
	}
	assert_int_equal(add_set("", &e), -1);
	assert_string_equal(e.text, "a name in [cpus] has 1 to 63 characters");
	assert_int_equal(add_set("1234567890123456789012345678901234567890"
				 "123456789012345678901234",
				 &e),
		-1);
	assert_string_equal(e.text, "a name in [cpus] has 1 to 63 characters");
}

static void
a_file_defines_a_name_once(void **state)
{
	(void)state;
	struct rules rules = {0};
	struct value first = {.text = (char *)"0", .file = "a.ini", .line = 2},
		     second = {.text = (char *)"1", .file = first.file, .line = 3},
		     later = {.text = (char *)"2", .file = "b.ini", .line = 2};
	struct value *stored;
	struct err e;
	assert_int_equal(rules_add_set(&rules, "x", &first, &stored, &e), 0);
	assert_int_equal(rules_add_set(&rules, "x", &second, &stored, &e), -1);
	assert_string_equal(e.text, "'x' is already defined at line 2");
	assert_int_equal(rules_add_set(&rules, "x", &later, &stored, &e), 0);
	assert_string_equal(rules_find_set(&rules, "x", 1)->value.text, "2");
	rules_free(&rules);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_a_byte_of_a_continued_value),
		cmocka_unit_test(writes_the_key_of_a_setting),
		cmocka_unit_test(bounds_the_names_of_sets),
		cmocka_unit_test(a_file_defines_a_name_once),
	};
	return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
