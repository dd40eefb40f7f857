/* SPDX-License-Identifier: MIT */
#include "rules/keys.h"

#include "support/unit.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	struct key key;
} keys[] = {
	{"emulator", {KEY_GROUP, GROUP_EMULATOR, true, 0, 0}},
	{"vcpus", {KEY_GROUP, GROUP_VCPU, true, 0, 0}},
	{"vcpu0", {KEY_GROUP, GROUP_VCPU, false, 0, 0}},
	{"vcpu007", {KEY_GROUP, GROUP_VCPU, false, 7, 7}},
	{"vcpu4095", {KEY_GROUP, GROUP_VCPU, false, 4095, 4095}},
	{"vcpu2-5", {KEY_GROUP, GROUP_VCPU, false, 2, 5}},
	{"vcpu3-3", {KEY_GROUP, GROUP_VCPU, false, 3, 3}},
	{"vcpu0-4095", {KEY_GROUP, GROUP_VCPU, false, 0, 4095}},
	{"iothreads", {KEY_GROUP, GROUP_IOTHREAD, true, 0, 0}},
	{"iothread1", {KEY_GROUP, GROUP_IOTHREAD, false, 1, 1}},
	{"iothread2-4", {KEY_GROUP, GROUP_IOTHREAD, false, 2, 4}},
	{"match", {KEY_MATCH, GROUP_EMULATOR, false, 0, 0}},
	{"placement", {KEY_PLACEMENT, GROUP_EMULATOR, false, 0, 0}},
	{"memory", {KEY_MEMORY, GROUP_EMULATOR, false, 0, 0}},
	{"on-error", {KEY_ON_ERROR, GROUP_EMULATOR, false, 0, 0}},
};

static void
parses_every_key(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++) {
		struct key key;
		struct err e;
		memset(&key, 0x5a, sizeof(key));
		if (rules_key_parse(keys[i].name, &key, &e) != 0)
			fail_msg("%s: %s", keys[i].name, e.text);
		if (key.kind != keys[i].key.kind || key.group != keys[i].key.group ||
			key.every != keys[i].key.every || key.first != keys[i].key.first ||
			key.last != keys[i].key.last)
			fail_msg("%s: %d %d %d %u-%u", keys[i].name, (int)key.kind, (int)key.group,
				key.every, key.first, key.last);
	}
}

#define ALL                                                                                        \
	"the keys are emulator, vcpus, vcpuN, vcpuA-B, iothreads, iothreadN, iothreadA-B, "        \
	"placement, memory, match, on-error"

static const struct {
	const char *name, *reason;
} wrong_keys[] = {
	{"vcpu4096", "'vcpu4096': the highest number is 4095"},
	{"vcpu0-4096", "'vcpu0-4096': the highest number is 4095"},
	{"vcpu4294967296", "'vcpu4294967296': the highest number is 4095"},
	{"vcpu5-2", "'vcpu5-2' runs backwards; write vcpu2-5"},
	{"iothread0", "'iothread0': iothreads are numbered from 1"},
	{"iothread0-3", "'iothread0-3': iothreads are numbered from 1"},
	{"placment", "unknown key 'placment'; did you mean 'placement'?"},
	{"memroy", "unknown key 'memroy'; did you mean 'memory'?"},
	{"vcpu", "unknown key 'vcpu'; did you mean 'vcpus'?"},
	{"vcpus3", "unknown key 'vcpus3'; did you mean 'vcpus'?"},
	{"vcpu3x", "unknown key 'vcpu3x'; did you mean 'vcpuN'?"},
	{"vcpu-1", "unknown key 'vcpu-1'; did you mean 'vcpuN'?"},
	{"vcpu1-", "unknown key 'vcpu1-'; did you mean 'vcpuN'?"},
	{"vcpu1-2-3", "unknown key 'vcpu1-2-3'; did you mean 'vcpuA-B'?"},
	{"vpcu12", "unknown key 'vpcu12'; did you mean 'vcpuN'?"},
	{"VCPUS", "unknown key 'VCPUS'; did you mean 'vcpus'?"},
	{"emulators", "unknown key 'emulators'; did you mean 'emulator'?"},
	{"iotreads", "unknown key 'iotreads'; did you mean 'iothreads'?"},
	{"iothread12_", "unknown key 'iothread12_'; did you mean 'iothreadN'?"},
	{"on_error", "unknown key 'on_error'; did you mean 'on-error'?"},
	{"onerror", "unknown key 'onerror'; did you mean 'on-error'?"},
	{"mach", "unknown key 'mach'; did you mean 'match'?"},
	{"x", "unknown key 'x'; " ALL},
	{"", "unknown key ''; " ALL},
	{"memory-of-the-guest", "unknown key 'memory-of-the-guest'; " ALL},
	{"a-key-that-is-longer-than-any-that-there-is-and-than-sixty-bytes",
		"unknown key 'a-key-that-is-longer-than-any-that-there-is-and-than-sixty-b'; " ALL},
};

static void
suggests_the_nearest_key(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(wrong_keys); i++) {
		struct key key;
		struct err e;
		if (rules_key_parse(wrong_keys[i].name, &key, &e) != -1)
			fail_msg("taken: %s", wrong_keys[i].name);
		assert_string_equal(e.text, wrong_keys[i].reason);
	}
}

static void
takes_on_error_and_enforce_in_global(void **state)
{
	(void)state;
	struct key key;
	struct err e;
	assert_int_equal(rules_global_key_parse("on-error", &key, &e), 0);
	assert_int_equal(key.kind, KEY_ON_ERROR);
	assert_int_equal(rules_global_key_parse("enforce", &key, &e), 0);
	assert_int_equal(key.kind, KEY_ENFORCE);
	assert_int_equal(rules_global_key_parse("vcpu3", &key, &e), -1);
	assert_string_equal(
		e.text, "'vcpu3' stands in [global]; for every guest, write it below [*]");
	assert_int_equal(rules_global_key_parse("onerror", &key, &e), -1);
	assert_string_equal(e.text, "unknown key 'onerror'; did you mean 'on-error'?");
	assert_int_equal(rules_global_key_parse("xyz", &key, &e), -1);
	assert_string_equal(e.text, "unknown key 'xyz'; the keys are on-error, enforce");
}

static void
takes_yes_and_no(void **state)
{
	(void)state;
	enum enforce enforce;
	struct err e;
	assert_int_equal(rules_enforce_parse("yes", &enforce, &e), 0);
	assert_int_equal(enforce, ENFORCE_YES);
	assert_int_equal(rules_enforce_parse("no", &enforce, &e), 0);
	assert_int_equal(enforce, ENFORCE_NO);
	assert_int_equal(rules_enforce_parse("Yes", &enforce, &e), -1);
	assert_string_equal(e.text, "enforce = Yes: write 'yes' or 'no'");
}

static void
bounds_the_names_of_sets(void **state)
{
	(void)state;
	static const char letters[] =
		"'%s': a name in [cpus] is of letters, digits, '_', '-' and '.'";
	static const char *const good[] = {"a", "Node0", "node-0.core_1", "0",
		"123456789012345678901234567890123456789012345678901234567890123"};
	static const char *const bad[] = {"a b", "a@b", "a,b", "caf\xc3\xa9", "a:0", "^a", "[a"};
	struct err e, wanted;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_int_equal(rules_set_name_check(good[i], &e), 0);
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(rules_set_name_check(bad[i], &e), -1);
		err_set(&wanted, letters, bad[i]);
		assert_string_equal(e.text, wanted.text);
	}
	assert_int_equal(rules_set_name_check("", &e), -1);
	assert_string_equal(e.text, "a name in [cpus] has 1 to 63 characters");
	assert_int_equal(rules_set_name_check("1234567890123456789012345678901234567890"
					      "123456789012345678901234",
				 &e),
		-1);
	assert_string_equal(e.text, "a name in [cpus] has 1 to 63 characters");
}

static void
parses_on_error(void **state)
{
	(void)state;
	enum on_error value = ON_ERROR_UNSET;
	struct err e;
	assert_int_equal(rules_on_error_parse("ignore", &value, &e), 0);
	assert_int_equal(value, ON_ERROR_IGNORE);
	assert_int_equal(rules_on_error_parse("fail", &value, &e), 0);
	assert_int_equal(value, ON_ERROR_FAIL);
	assert_int_equal(rules_on_error_parse("Ignore", &value, &e), -1);
	assert_string_equal(e.text, "on-error = Ignore: write 'ignore' or 'fail'");
	assert_int_equal(value, ON_ERROR_FAIL);
}

#define MISSING "match: a pattern is missing; write GLOB, name:GLOB or uuid:UUID"
#define UUID "6f1c0d5a-5d2c-4b0e-9f0e-0b1d7c1f3a11"
#define SMALL "match: write 'name:' and 'uuid:' in small letters"
#define CUT(text)                                                                                  \
	"match: '" text                                                                            \
	"' ends within a '[...]' or behind a '\\'; a comma cannot stand in a pattern, "            \
	"write '?' for it"
#define NO_UUID(text) "match: '" text "' is not a UUID, as in uuid:" UUID

static const struct {
	const char *text, *reason; /* NULL: good */
	size_t column;
} patterns[] = {
	{"web-*", NULL, 0},
	{"a, b ,c", NULL, 0},
	{"a,\n   b", NULL, 0},
	{"name:a b", NULL, 0},
	{"a[!]0-9]*", NULL, 0},
	{"[]]", NULL, 0},
	{"a\\\\, a\\[", NULL, 0},
	{"a\\,b", CUT("a\\"), 0},
	{"b, web-[1,2]", CUT("web-[1"), 3},
	{"[!]", CUT("[!]"), 0},
	{"a, UUID:" UUID, SMALL, 3},
	{"Name:web", SMALL, 0},
	{"name: web", "match: there is a blank behind 'name:'", 0},
	{"uuid: " UUID, "match: there is a blank behind 'uuid:'", 0},
	{"uuid:" UUID, NULL, 0},
	{"x,uuid:" UUID " ", NULL, 0},
	{"uuid:6F1C0D5A-5D2C-4B0E-9F0E-0B1D7C1F3A11", NULL, 0},
	{"", MISSING, 0},
	{" ", MISSING, 1},
	{"a,", MISSING, 2},
	{",a", MISSING, 0},
	{"a,,b", MISSING, 2},
	{"a, ,b", MISSING, 3},
	{"name:", MISSING, 0},
	{"a, uuid: ,b", MISSING, 3},
	{"uuid:6f1c", NO_UUID("6f1c"), 0},
	{"a, uuid:6f1c0d5a-5d2c-4b0e-9f0e-0b1d7c1f3a1g",
		NO_UUID("6f1c0d5a-5d2c-4b0e-9f0e-0b1d7c1f3a1g"), 3},
	{"uuid:6f1c0d5a05d2c-4b0e-9f0e-0b1d7c1f3a11",
		NO_UUID("6f1c0d5a05d2c-4b0e-9f0e-0b1d7c1f3a11"), 0},
	{"uuid:6f1c0d5a-5d2c-4b0e-9f0e-0b1d7c1f3a111",
		NO_UUID("6f1c0d5a-5d2c-4b0e-9f0e-0b1d7c1f3a111"), 0},
	{"a\nb", "match: a comma is missing between 'a' and the next line", 0},
	{"x, a b\n c,d", "match: a comma is missing between 'a b' and the next line", 3},
};

static void
checks_patterns_and_points_at_the_fault(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(patterns); i++) {
		size_t column = 99;
		struct err e = {""};
		int r = rules_match_check(patterns[i].text, &column, &e);
		if (r != (patterns[i].reason == NULL ? 0 : -1))
			fail_msg("'%s': %d %s", patterns[i].text, r, e.text);
		if (r == 0)
			continue;
		assert_string_equal(e.text, patterns[i].reason);
		assert_int_equal(column, patterns[i].column);
	}
}

static void
bounds_a_pattern(void **state)
{
	(void)state;
	char text[RULES_PATTERN_MAX + 4];
	size_t column;
	struct err e;
	memset(text, 'p', RULES_PATTERN_MAX);
	strcpy(text + RULES_PATTERN_MAX, " ,x");
	assert_int_equal(rules_match_check(text, &column, &e), 0);
	strcpy(text + RULES_PATTERN_MAX, "p");
	assert_int_equal(rules_match_check(text, &column, &e), -1);
	assert_string_equal(e.text, "match: a pattern is longer than 255 bytes");
}

static void
knows_the_words_of_placement(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"keep", "one-to-on", "One-To-One", "one-to-one float", "1:1", "float "};
	struct err e;
	assert_int_equal(rules_placement_check("one-to-one", &e), 0);
	assert_int_equal(rules_placement_check("float", &e), 0);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		char reason[128];
		assert_int_equal(rules_placement_check(wrong[i], &e), -1);
		snprintf(reason, sizeof(reason), "placement = %s: write 'one-to-one' or 'float'",
			wrong[i]);
		assert_string_equal(e.text, reason);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_the_words_of_placement),
		cmocka_unit_test(parses_every_key),
		cmocka_unit_test(suggests_the_nearest_key),
		cmocka_unit_test(takes_on_error_and_enforce_in_global),
		cmocka_unit_test(takes_yes_and_no),
		cmocka_unit_test(bounds_the_names_of_sets),
		cmocka_unit_test(parses_on_error),
		cmocka_unit_test(checks_patterns_and_points_at_the_fault),
		cmocka_unit_test(bounds_a_pattern),
	};
	return cmocka_run_group_tests_name("rules_key", tests, NULL, NULL);
}
