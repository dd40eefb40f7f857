/* SPDX-License-Identifier: MIT */
/* A rules file: parsed, its CPU sets checked, and matched against a guest. */
#include "fuzz.h"

#include "desired/cpuset_expr.h"
#include "rules/keys.h"
#include "rules/parse.h"
#include "rules/rules.h"

#include <string.h>

static const char file[] = "fuzz.ini";

struct text {
	const char *start;
	size_t length;
};

/* Finds a line, from 1, and its length. Returns NULL if the text has fewer lines. */
static const char *
find_line(const struct text *text, unsigned line, size_t *length)
{
	const char *s = text->start, *end = text->start + text->length;
	for (; line > 1; line--) {
		s = memchr(s, '\n', (size_t)(end - s));
		if (s == NULL)
			return NULL;
		s++;
	}
	const char *newline = memchr(s, '\n', (size_t)(end - s));
	*length = (size_t)((newline != NULL ? newline : end) - s);
	return s;
}

/* Checks that each message begins with a place that the file has. */
static void
check_messages(const struct messages *messages, const struct text *text)
{
	PROMISE(messages->count + messages->dropped == messages->errors);
	for (size_t i = 0; i < messages->count; i++) {
		const char *s = messages->items[i].text;
		unsigned line = 0, column = 0;
		size_t length;
		PROMISE(messages->items[i].level == MESSAGE_ERROR);
		PROMISE(strncmp(s, "fuzz.ini:", 9) == 0);
		int places = sscanf(s + 9, "%u:%u:", &line, &column);
		PROMISE(places >= 1 && find_line(text, line, &length) != NULL);
		PROMISE(places == 1 || (column >= 1 && column <= length + 1));
		s = strstr(s, ": ");
		PROMISE(s != NULL && s[2] != '\0');
	}
}

/* Checks that the text of a value is at its place in the file. */
static void
check_value(const struct value *value, const struct text *text)
{
	size_t length;
	const char *line = find_line(text, value->line, &length);
	PROMISE(value->file == file && value->text[0] != '\0');
	PROMISE(line != NULL && value->column >= 1 && value->column <= length);
	size_t first = strcspn(value->text, "\n");
	PROMISE(value->column - 1 + first <= length);
	PROMISE(memcmp(line + value->column - 1, value->text, first) == 0);
}

static void
check_rule(const struct rule *rule, const struct text *text)
{
	size_t length;
	const char *line = find_line(text, rule->line, &length);
	PROMISE(rule->file == file && line != NULL);
	PROMISE(strlen(rule->section) >= 1 && strlen(rule->section) <= 49);
	PROMISE(memmem(line, length, rule->section, strlen(rule->section)) != NULL);
	if (rule->match.text != NULL)
		check_value(&rule->match, text);
	for (size_t i = 0; i < rule->setting_count; i++) {
		const struct setting *s = &rule->settings[i];
		char name[SETTING_KEY_MAX];
		struct rule alone = {0};
		struct value *stored;
		struct err e;
		check_value(&s->value, text);
		PROMISE(s->every || (s->first <= s->last && s->last < DOMAIN_VCPUS_MAX));
		PROMISE(rules_add_key(&alone, setting_key(s, name), &s->value, &stored, &e) == 0);
		PROMISE(alone.settings[0].kind == s->kind && alone.settings[0].every == s->every);
		PROMISE(alone.settings[0].first == s->first && alone.settings[0].last == s->last);
		rules_free_keys(&alone);
	}
}

static bool
names_group(const struct setting *s, struct thread_group group)
{
	return s->kind == group.kind && (s->every || (group.id >= s->first && group.id <= s->last));
}

/* Checks that the setting is of the last rule with a key for the group, whatever the key. */
static void
check_setting(const struct matched *matched, struct thread_group group)
{
	const struct setting *found = rules_setting(matched, group);
	PROMISE(found == NULL || names_group(found, group));
	for (size_t i = matched->count; i-- > 0;) {
		const struct rule *rule = matched->rules[i];
		bool named = false;
		for (size_t j = 0; j < rule->setting_count; j++)
			named |= names_group(&rule->settings[j], group);
		if (!named)
			continue;
		PROMISE(found >= rule->settings && found < rule->settings + rule->setting_count);
		return;
	}
	PROMISE(found == NULL);
}

/* Checks that the name alone finds the same rules, unless the UUID is needed. */
static void
check_uuid_needed(const struct rules *rules, const char *name, const char *uuid, size_t count)
{
	struct matched by_name = {0};
	PROMISE(rules_match(rules, name, NULL, &by_name) == 0);
	PROMISE(by_name.count <= count);
	PROMISE(by_name.count == count || rules_need_uuid(rules, name));
	for (size_t i = 0; i < by_name.count; i++)
		PROMISE(rule_matches(by_name.rules[i], name, uuid));
	free(by_name.rules);
}

static void
check_guest(const struct rules *rules)
{
	static const char name[] = "web-1", uuid[] = "6f1c0d5a-5d2c-4b0e-9f0e-0b1d7c1f3a11";
	struct matched matched = {0};
	PROMISE(rules_match(rules, name, uuid, &matched) == 0);
	PROMISE(matched.count <= rules->rule_count);
	PROMISE(matched.count == 0 || rules_may_match(rules, name));
	check_uuid_needed(rules, name, uuid, matched.count);
	for (size_t i = 0; i < matched.count; i++)
		PROMISE(rule_matches(matched.rules[i], name, uuid));
	check_setting(&matched, (struct thread_group){.kind = GROUP_EMULATOR});
	for (unsigned id = 0; id < 6; id++) {
		check_setting(&matched, (struct thread_group){.kind = GROUP_VCPU, .id = id});
		check_setting(
			&matched, (struct thread_group){.kind = GROUP_IOTHREAD, .id = id + 1});
	}
	enum on_error on_error = rules_on_error(rules, name, uuid);
	PROMISE(on_error == ON_ERROR_IGNORE || on_error == ON_ERROR_FAIL);
	on_error = rules_on_error(rules, NULL, NULL);
	PROMISE(on_error == ON_ERROR_IGNORE || on_error == ON_ERROR_FAIL);
	free(matched.rules);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text text = {.start = malloc(size > 0 ? size : 1), .length = size};
	PROMISE(text.start != NULL);
	if (size > 0)
		memcpy((char *)text.start, data, size);
	struct rules rules = {0};
	struct messages messages = {0};
	rules_parse(&rules, file, text.start, text.length, &messages);
	for (size_t i = 0; i < rules.rule_count; i++)
		check_rule(&rules.rules[i], &text);
	for (size_t i = 0; i < rules.set_count; i++) {
		const struct named_set *set = &rules.sets[i];
		PROMISE(set->name[0] != '\0' && strlen(set->name) <= 63);
		check_value(&set->value, &text);
		PROMISE(rules_find_set(&rules, set->name, strlen(set->name)) == set);
	}
	cpuset_expr_check_rules(&rules, &messages);
	check_messages(&messages, &text);
	check_guest(&rules);
	messages_free(&messages);
	rules_free(&rules);
	free((char *)text.start);
	return 0;
}
