/* SPDX-License-Identifier: MIT */
#include "rules/keys.h"

#include "support/unit.h"

#include <stdio.h>
#include <string.h>

static const char file[] = "a.ini", other_file[] = "b.ini";

/* Adds "name = text" at line to the rule or, if it is NULL, to [global]. */
static int
add(struct rules *rules, struct rule *rule, const char *name, const char *text, unsigned line,
	struct value **stored, struct err *e)
{
	const struct value value = {.text = (char *)text, .file = file, .line = line, .column = 9};
	return rule != NULL ? rules_add_key(rule, name, &value, stored, e)
			    : rules_add_global_key(rules, name, &value, stored, e);
}

static const struct {
	const char *name;
	struct setting setting;
} groups[] = {
	{"emulator", {GROUP_EMULATOR, true, 0, 0, {0}}},
	{"vcpus", {GROUP_VCPU, true, 0, 0, {0}}},
	{"vcpu0", {GROUP_VCPU, false, 0, 0, {0}}},
	{"vcpu007", {GROUP_VCPU, false, 7, 7, {0}}},
	{"vcpu4095", {GROUP_VCPU, false, 4095, 4095, {0}}},
	{"vcpu2-5", {GROUP_VCPU, false, 2, 5, {0}}},
	{"vcpu3-3", {GROUP_VCPU, false, 3, 3, {0}}},
	{"vcpu0-4095", {GROUP_VCPU, false, 0, 4095, {0}}},
	{"iothreads", {GROUP_IOTHREAD, true, 0, 0, {0}}},
	{"iothread1", {GROUP_IOTHREAD, false, 1, 1, {0}}},
	{"iothread2-4", {GROUP_IOTHREAD, false, 2, 4, {0}}},
};

static void
adds_a_setting_for_a_key_that_names_threads(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(groups); i++) {
		char text[] = "0-3";
		struct rule rule = {0};
		struct value *stored = NULL;
		struct err e;
		if (add(NULL, &rule, groups[i].name, text, 7, &stored, &e) != 0)
			fail_msg("%s: %s", groups[i].name, e.text);
		memset(text, 'x', 3);
		const struct setting *s = rule.settings, *wanted = &groups[i].setting;
		assert_int_equal(rule.setting_count, 1);
		if (s->kind != wanted->kind || s->every != wanted->every ||
			s->first != wanted->first || s->last != wanted->last)
			fail_msg("%s: %d %d %u-%u", groups[i].name, (int)s->kind, s->every,
				s->first, s->last);
		assert_string_equal(s->value.text, "0-3");
		assert_ptr_equal(s->value.file, file);
		assert_int_equal(s->value.line, 7);
		assert_int_equal(s->value.column, 9);
		assert_ptr_equal(stored, &s->value);
		rules_free_keys(&rule);
	}
}

#define ALL                                                                                        \
	"the keys are emulator, vcpus, vcpuN, vcpuA-B, iothreads, iothreadN, iothreadA-B, "        \
	"vhost, placement, memory, match, on-error"

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
	{"vcpuN", "'vcpuN': write a number for each capital letter"},
	{"iothreadA-B", "'iothreadA-B': write a number for each capital letter"},
	{"vcpuN-3", "unknown key 'vcpuN-3'; did you mean 'vcpuA-B'?"},
	{"enforce", "'enforce' is a key of [global] only"},
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
		struct rule rule = {0};
		struct value *stored;
		struct err e;
		if (add(NULL, &rule, wrong_keys[i].name, "0", 1, &stored, &e) != -1)
			fail_msg("taken: %s", wrong_keys[i].name);
		assert_string_equal(e.text, wrong_keys[i].reason);
		assert_null(stored);
		assert_int_equal(rule.setting_count, 0);
	}
}

/* Each pair is given at lines 1 and 2 of a rule. */
static const struct {
	const char *first, *second;
	bool conflict;
} pairs[] = {
	{"vcpus", "vcpus", true},
	{"vcpus", "vcpu3", false},
	{"vcpus", "vcpu0-4095", false},
	{"vcpus", "iothreads", false},
	{"emulator", "emulator", true},
	{"emulator", "vcpus", false},
	{"vcpu3", "vcpu3", true},
	{"vcpu3", "vcpu03", true},
	{"vcpu3", "vcpu3-3", true},
	{"vcpu3", "vcpu4", false},
	{"vcpu3", "vcpu2-5", false},
	{"vcpu3", "iothread3", false},
	{"vcpu2-5", "vcpu5-7", true},
	{"vcpu5-7", "vcpu2-5", true},
	{"vcpu2-9", "vcpu3-4", true},
	{"vcpu3-4", "vcpu2-9", true},
	{"vcpu2-5", "vcpu6-7", false},
	{"vcpu2-5", "iothread2-5", false},
};

static void
refuses_a_second_key_for_the_same_threads(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		struct rule rule = {0};
		struct value *stored;
		struct err e, wanted;
		assert_int_equal(add(NULL, &rule, pairs[i].first, "0", 1, &stored, &e), 0);
		int r = add(NULL, &rule, pairs[i].second, "1", 2, &stored, &e);
		if (r != (pairs[i].conflict ? -1 : 0))
			fail_msg("%s, %s", pairs[i].first, pairs[i].second);
		assert_int_equal(rule.setting_count, r == 0 ? 2 : 1);
		err_set(&wanted, "'%s' is already given at line 1", pairs[i].second);
		if (r != 0)
			assert_string_equal(e.text, wanted.text);
		rules_free_keys(&rule);
	}
}

static void
keeps_many_settings(void **state)
{
	(void)state;
	struct rule rule = {0};
	struct value *stored;
	struct err e;
	for (unsigned i = 0; i < 1000; i++) {
		char name[16], text[16];
		snprintf(name, sizeof(name), "vcpu%u", i);
		snprintf(text, sizeof(text), "%u", 2 * i);
		assert_int_equal(add(NULL, &rule, name, text, i + 1, &stored, &e), 0);
		assert_string_equal(stored->text, text);
	}
	assert_int_equal(rule.setting_count, 1000);
	assert_string_equal(rule.settings[0].value.text, "0");
	assert_string_equal(rule.settings[999].value.text, "1998");
	rules_free_keys(&rule);
}

static void
adds_match_memory_and_placement_once(void **state)
{
	(void)state;
	struct rule rule = {0};
	struct value *stored;
	struct err e;
	assert_int_equal(add(NULL, &rule, "match", "a,", 1, &stored, &e), 0);
	assert_ptr_equal(stored, &rule.match);
	assert_int_equal(add(NULL, &rule, "memory", "0", 2, &stored, &e), 0);
	assert_ptr_equal(stored, &rule.memory);
	assert_int_equal(add(NULL, &rule, "placement", "float", 3, &stored, &e), 0);
	assert_null(stored); /* no line may continue it */
	assert_int_equal(rule.setting_count, 0);
	assert_string_equal(rule.match.text, "a,");
	assert_string_equal(rule.memory.text, "0");
	assert_string_equal(rule.placement.text, "float");

	assert_int_equal(add(NULL, &rule, "match", "b", 4, &stored, &e), -1);
	assert_string_equal(e.text, "'match' is already given at line 1");
	assert_null(stored);
	assert_int_equal(add(NULL, &rule, "memory", "1", 4, &stored, &e), -1);
	assert_string_equal(e.text, "'memory' is already given at line 2");
	assert_int_equal(add(NULL, &rule, "placement", "one-to-one", 4, &stored, &e), -1);
	assert_string_equal(e.text, "'placement' is already given at line 3");
	assert_string_equal(rule.placement.text, "float");
	rules_free_keys(&rule);
}

static void
knows_the_words_of_placement(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"keep", "one-to-on", "One-To-One", "one-to-one float", "1:1", "float "};
	struct rule rule = {0};
	struct value *stored;
	struct err e, wanted;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_int_equal(add(NULL, &rule, "placement", wrong[i], 1, &stored, &e), -1);
		err_set(&wanted, "placement = %s: write 'float', 'one-to-one' or 'exclusive'",
			wrong[i]);
		assert_string_equal(e.text, wanted.text);
	}
	/* a value that was refused is not given */
	assert_int_equal(add(NULL, &rule, "placement", "one-to-one", 2, &stored, &e), 0);
	assert_string_equal(rule.placement.text, "one-to-one");
	rules_free_keys(&rule);
}

static void
adds_on_error_to_a_rule(void **state)
{
	(void)state;
	struct rule rule = {0};
	struct value *stored;
	struct err e;
	assert_int_equal(add(NULL, &rule, "on-error", "Ignore", 1, &stored, &e), -1);
	assert_string_equal(e.text, "on-error = Ignore: write 'ignore' or 'fail'");
	assert_int_equal(rule.on_error, ON_ERROR_UNSET);
	assert_int_equal(add(NULL, &rule, "on-error", "fail", 2, &stored, &e), 0);
	assert_int_equal(rule.on_error, ON_ERROR_FAIL);
	assert_int_equal(rule.on_error_at.line, 2);
	assert_null(stored);
	assert_int_equal(add(NULL, &rule, "on-error", "ignore", 3, &stored, &e), -1);
	assert_string_equal(e.text, "'on-error' is already given at line 2");
	assert_int_equal(rule.on_error, ON_ERROR_FAIL);
}

static void
adds_the_keys_of_global(void **state)
{
	(void)state;
	struct rules rules = {0};
	struct value *stored;
	struct err e;
	assert_int_equal(add(&rules, NULL, "on-error", "ignore", 1, &stored, &e), 0);
	assert_int_equal(rules.on_error, ON_ERROR_IGNORE);
	assert_null(stored);
	assert_int_equal(add(&rules, NULL, "enforce", "Yes", 2, &stored, &e), -1);
	assert_string_equal(e.text, "enforce = Yes: write 'yes' or 'no'");
	assert_int_equal(rules.enforce, ENFORCE_UNSET);
	assert_int_equal(add(&rules, NULL, "enforce", "no", 3, &stored, &e), 0);
	assert_int_equal(rules.enforce, ENFORCE_NO);
	assert_int_equal(add(&rules, NULL, "enforce", "yes", 4, &stored, &e), -1);
	assert_string_equal(e.text, "'enforce' is already given at line 3");
	assert_int_equal(add(&rules, NULL, "on-error", "fail", 4, &stored, &e), -1);
	assert_string_equal(e.text, "'on-error' is already given at line 1");

	const struct value yes = {.text = (char *)"yes", .file = other_file, .line = 1},
			   fail = {.text = (char *)"fail", .file = other_file, .line = 2};
	assert_int_equal(rules_add_global_key(&rules, "enforce", &yes, &stored, &e), 0);
	assert_int_equal(rules.enforce, ENFORCE_YES);
	assert_int_equal(rules_add_global_key(&rules, "on-error", &fail, &stored, &e), 0);
	assert_int_equal(rules.on_error, ON_ERROR_FAIL);
}

static const struct {
	const char *name, *reason;
} wrong_global_keys[] = {
	{"vcpu3", "'vcpu3' is not a key of [global]; for every guest, write it below [*]"},
	{"match", "'match' is not a key of [global]; for every guest, write it below [*]"},
	{"onerror", "unknown key 'onerror'; did you mean 'on-error'?"},
	{"vcpuN", "unknown key 'vcpuN'; the keys are on-error, enforce"},
	{"xyz", "unknown key 'xyz'; the keys are on-error, enforce"},
};

static void
refuses_other_keys_in_global(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(wrong_global_keys); i++) {
		struct rules rules = {0};
		struct value *stored;
		struct err e;
		if (add(&rules, NULL, wrong_global_keys[i].name, "0", 1, &stored, &e) != -1)
			fail_msg("taken: %s", wrong_global_keys[i].name);
		assert_string_equal(e.text, wrong_global_keys[i].reason);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adds_a_setting_for_a_key_that_names_threads),
		cmocka_unit_test(suggests_the_nearest_key),
		cmocka_unit_test(refuses_a_second_key_for_the_same_threads),
		cmocka_unit_test(keeps_many_settings),
		cmocka_unit_test(adds_match_memory_and_placement_once),
		cmocka_unit_test(knows_the_words_of_placement),
		cmocka_unit_test(adds_on_error_to_a_rule),
		cmocka_unit_test(adds_the_keys_of_global),
		cmocka_unit_test(refuses_other_keys_in_global),
	};
	return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
