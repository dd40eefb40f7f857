/* SPDX-License-Identifier: MIT */
#include "rules/rules.h"

#include "support/shown.h"
#include "support/tree.h"
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAIN "etc/vmaffinity.ini"

#define UUID "6f1c0d5a-5d2c-4b0e-9f0e-0b1d7c1f3a11"

static const struct {
	const char *section, *match, *name;
	bool matches;
} matches[] = {
	{"web", NULL, "web", true},
	{"web", NULL, "web1", false},
	{"web-*", NULL, "web-", true},
	{"web-?", NULL, "web-12", false},
	{"*", NULL, "any thing", true},
	{"*", NULL, ".hidden", true},
	{"WEB", NULL, "web", false},
	{"a&b", NULL, "a&b", true},
	{"name:web", NULL, "web", false},
	{"web", "db", "web", false},
	{"web", "db", "db", true},
	{"x", "a,b ,  c*", "b", true},
	{"x", "a,b ,  c*", "cde", true},
	{"x", "a,b ,  c*", "d", false},
	{"x", "a b", "a b", true},
	{"x", "a,\n   b", "b", true},
	{"x", "a,\n   b,\n c", "c", true},
	{"x", "web-[0-9]", "web-7", true},
	{"x", "web-[!0-9]", "web-7", false},
	{"x", "web\\*", "web*", true},
	{"x", "web\\*", "webx", false},
	{"x", "name:web*", "web1", true},
	{"x", "name:uuid:*", "uuid:7", true},
	{"x", "uuid:" UUID, "web", true},
	{"x", "uuid:6F1C0D5A-5D2C-4B0E-9F0E-0B1D7C1F3A11", "web", true},
	{"x", "uuid:6f1c0d5a-5d2c-4b0e-9f0e-0b1d7c1f3a12", "web", false},
	{"x", "no, uuid:" UUID " , other", "web", true},
};

static void
matches_by_name_and_uuid(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(matches); i++) {
		struct rule rule = {.section = (char *)matches[i].section,
			.match = {.text = (char *)matches[i].match}};
		struct rules rules = {.rules = &rule, .rule_count = 1};
		bool may = matches[i].matches ||
			   (matches[i].match != NULL && strncmp(matches[i].match, "uuid:", 5) == 0);
		if (rule_matches(&rule, matches[i].name, UUID) != matches[i].matches ||
			rules_may_match(&rules, matches[i].name) != may)
			fail_msg("[%s] match = %s, and %s", matches[i].section, matches[i].match,
				matches[i].name);
	}
	assert_false(rules_may_match(&(struct rules){0}, "x"));
}

static const struct {
	const char *match, *uuid; /* of the guest; NULL: not known */
	bool matches, needs_uuid; /* the guest is called "web" */
} identities[] = {
	{"uuid:" UUID, UUID, true, true},
	{"uuid:" UUID, "", false, true},
	{"uuid:" UUID, NULL, false, true},
	{"db, uuid:" UUID, NULL, false, true},
	{"uuid:" UUID ", db", NULL, false, true},
	{"uuid:" UUID ", web", NULL, true, false},
	{"web, uuid:" UUID, NULL, true, false},
	{"db", NULL, false, false},
	{"web", NULL, true, false},
	{NULL, NULL, true, false},
};

static void
asks_for_the_uuid_only_where_the_name_decides_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(identities); i++) {
		struct rule rule = {
			.section = (char *)"web", .match = {.text = (char *)identities[i].match}};
		struct rules rules = {.rules = &rule, .rule_count = 1};
		if (rule_matches(&rule, "web", identities[i].uuid) != identities[i].matches ||
			rules_need_uuid(&rules, "web") != identities[i].needs_uuid)
			fail_msg("match = %s, uuid %s", identities[i].match, identities[i].uuid);
	}
	assert_false(rules_need_uuid(&(struct rules){0}, "web"));
	struct rule two[] = {{.section = (char *)"web"},
		{.section = (char *)"x", .match = {.text = (char *)"uuid:" UUID}}};
	assert_true(rules_need_uuid(&(struct rules){.rules = two, .rule_count = 2}, "web"));
	assert_false(rules_need_uuid(&(struct rules){.rules = two, .rule_count = 1}, "web"));
}

static const struct {
	const char *text;
	bool needs_xml; /* to place "web" */
} placements[] = {
	{"[web]\nvcpus = 0\n", false},
	{"[web]\nplacement = float\n", false},
	{"[web]\nplacement = one-to-one\n", true},
	{"[*]\nplacement = one-to-one\n[web]\nvcpus = 1\n", true},
	{"[*]\nplacement = one-to-one\n[web]\nplacement = float\n", false},
	{"[db]\nplacement = one-to-one\n[web]\nvcpus = 1\n", false},
};

static void
needs_the_xml_only_for_a_placement(void **state)
{
	const struct tree *t = *state;
	for (size_t i = 0; i < COUNT(placements); i++) {
		struct rules rules = {0};
		struct messages messages = {0};
		struct matched matched;
		tree_put(t, MAIN, placements[i].text);
		rules_load(&rules, t->fd, &messages);
		assert_string_equal(shown_errors(&messages), "");
		assert_int_equal(rules_match(&rules, "web", NULL, &matched), 0);
		if (matched_needs_xml(&matched) != placements[i].needs_xml)
			fail_msg("%s", placements[i].text);
		free(matched.rules);
		rules_free(&rules);
	}
	assert_false(matched_needs_xml(&(struct matched){0}));
}

static const char precedence[] =
	"[*]\nemulator = 0\nvcpus = 1\niothreads = 2\nvcpu9 = 3\n"     /* lines 1 to 5 */
	"[web]\nvcpu2-5 = 7\nvcpu3 = 8\nvcpus = 9\niothread1 = keep\n" /* 6 to 10 */
	"[w*]\nvcpu4 = 12\n"					       /* 11 to 12 */
	"[other]\nemulator = 14\n";				       /* 13 to 14 */

static const struct {
	struct thread_group group;
	unsigned line; /* of the setting that decides */
} decides[] = {
	{{GROUP_EMULATOR, 0}, 2},
	{{GROUP_VCPU, 0}, 9},
	{{GROUP_VCPU, 2}, 7},
	{{GROUP_VCPU, 3}, 8},
	{{GROUP_VCPU, 4}, 12},
	{{GROUP_VCPU, 5}, 7},
	{{GROUP_VCPU, 6}, 9},
	{{GROUP_VCPU, 9}, 9},
	{{GROUP_IOTHREAD, 1}, 10},
	{{GROUP_IOTHREAD, 2}, 4},
	{{GROUP_IOTHREAD, 3}, 4},
};

static void
the_last_rule_and_in_it_the_nearest_key_decides(void **state)
{
	const struct tree *t = *state;
	struct rules rules = {0};
	struct messages messages = {0};
	struct matched matched;
	tree_put(t, MAIN, precedence);
	rules_load(&rules, t->fd, &messages);
	assert_string_equal(shown_errors(&messages), "");
	assert_int_equal(rules_match(&rules, "web", NULL, &matched), 0);
	assert_int_equal(matched.count, 3);
	for (size_t i = 0; i < COUNT(decides); i++) {
		const struct setting *s = rules_setting(&matched, decides[i].group);
		assert_non_null(s);
		char name[THREAD_GROUP_NAME_MAX];
		if (s->value.line != decides[i].line)
			fail_msg("%s: line %u", thread_group_name(decides[i].group, name),
				s->value.line);
	}
	free(matched.rules);
	assert_int_equal(rules_match(&rules, "other", NULL, &matched), 0);
	assert_int_equal(matched.count, 2);
	assert_int_equal(
		rules_setting(&matched, (struct thread_group){GROUP_EMULATOR, 0})->value.line, 14);
	free(matched.rules);
	rules_free(&rules);

	/* written the other way round, within a rule nothing changes */
	tree_put(t, MAIN, "[web]\nvcpus = 1\nvcpu3 = 2\nvcpu2-5 = 3\n[nobody]\nvcpu1 = 0\n");
	rules_load(&rules, t->fd, &messages);
	assert_int_equal(rules_match(&rules, "web", NULL, &matched), 0);
	assert_int_equal(matched.count, 1);
	assert_int_equal(
		rules_setting(&matched, (struct thread_group){GROUP_VCPU, 3})->value.line, 3);
	assert_int_equal(
		rules_setting(&matched, (struct thread_group){GROUP_VCPU, 2})->value.line, 4);
	assert_int_equal(
		rules_setting(&matched, (struct thread_group){GROUP_VCPU, 5})->value.line, 4);
	assert_int_equal(
		rules_setting(&matched, (struct thread_group){GROUP_VCPU, 1})->value.line, 2);
	assert_null(rules_setting(&matched, (struct thread_group){GROUP_EMULATOR, 0}));
	assert_null(rules_setting(&matched, (struct thread_group){GROUP_IOTHREAD, 3}));
	free(matched.rules);
	rules_free(&rules);

	assert_int_equal(rules_match(&(struct rules){0}, "web", NULL, &matched), 0);
	assert_int_equal(matched.count, 0);
	assert_null(matched.rules);
}

#define I ON_ERROR_IGNORE
#define F ON_ERROR_FAIL

static const struct {
	const char *text;
	enum on_error web, other, unknown;
} on_errors[] = {
	{"", I, I, I},
	{"[global]\non-error = fail\n", F, F, F},
	{"[web]\non-error = fail\n", F, I, I},
	{"[global]\non-error = fail\n[web]\non-error = ignore\n", I, F, F},
	{"[web]\non-error = ignore\n[global]\non-error = fail\n", I, F, F},
	{"[*]\non-error = fail\n[web]\nvcpus = 0\n", F, F, I},
	{"[*]\non-error = fail\n[web]\non-error = ignore\n", I, F, I},
	{"[web]\non-error = ignore\n[*]\non-error = fail\n", F, F, I},
};

static void
resolves_on_error(void **state)
{
	const struct tree *t = *state;
	for (size_t i = 0; i < COUNT(on_errors); i++) {
		struct rules rules = {0};
		struct messages messages = {0};
		tree_put(t, MAIN, on_errors[i].text);
		rules_load(&rules, t->fd, &messages);
		assert_string_equal(shown_errors(&messages), "");
		if (rules_on_error(&rules, "web", NULL) != on_errors[i].web ||
			rules_on_error(&rules, "other", NULL) != on_errors[i].other ||
			rules_on_error(&rules, NULL, NULL) != on_errors[i].unknown)
			fail_msg("%s", on_errors[i].text);
		rules_free(&rules);
	}
}

int
main(void)
{
	alarm(300); /* to open a FIFO must not wait */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches_by_name_and_uuid),
		cmocka_unit_test(asks_for_the_uuid_only_where_the_name_decides_nothing),
		tree_test(needs_the_xml_only_for_a_placement),
		tree_test(the_last_rule_and_in_it_the_nearest_key_decides),
		tree_test(resolves_on_error),
	};
	return cmocka_run_group_tests_name("match", tests, NULL, NULL);
}
