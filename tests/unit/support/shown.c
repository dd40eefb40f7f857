/* SPDX-License-Identifier: MIT */
#include "support/shown.h"

#include "support/unit.h"

#include <stdio.h>
#include <string.h>

const char *
shown_rules(const struct rules *rules)
{
	static const char *const on_error[] = {"", " on-error=ignore", " on-error=fail"};
	static char text[65536];
	size_t used = 0;
#define add(...) used += (size_t)snprintf(text + used, sizeof(text) - used, __VA_ARGS__)
	add("%s", rules->on_error != ON_ERROR_UNSET ? "global" : "");
	add("%s%s", on_error[rules->on_error], rules->on_error != ON_ERROR_UNSET ? "\n" : "");
	for (size_t i = 0; i < rules->set_count; i++)
		add("@%s={%s}%u:%u\n", rules->sets[i].name, rules->sets[i].value.text,
			rules->sets[i].value.line, rules->sets[i].value.column);
	for (size_t i = 0; i < rules->rule_count; i++) {
		const struct rule *rule = &rules->rules[i];
		add("[%s]%u%s", rule->section, rule->line, on_error[rule->on_error]);
		if (rule->match.text != NULL)
			add(" match={%s}%u:%u", rule->match.text, rule->match.line,
				rule->match.column);
		if (rule->memory.text != NULL)
			add(" memory={%s}%u:%u", rule->memory.text, rule->memory.line,
				rule->memory.column);
		if (rule->placement.text != NULL)
			add(" placement={%s}%u:%u", rule->placement.text, rule->placement.line,
				rule->placement.column);
		for (size_t j = 0; j < rule->setting_count; j++) {
			const struct setting *s = &rule->settings[j];
			char key[SETTING_KEY_MAX];
			add(" %s={%s}%u:%u%s", setting_key(s, key), s->value.text, s->value.line,
				s->value.column, setting_is_keep(s) ? "k" : "");
		}
		add("\n");
	}
#undef add
	assert_true(used < sizeof(text));
	return text;
}

const char *
shown_errors(const struct messages *messages)
{
	static char text[65536];
	size_t used = 0;
	text[0] = '\0';
	assert_int_equal(messages->count, messages->errors);
	for (size_t i = 0; i < messages->count; i++)
		used += (size_t)snprintf(
			text + used, sizeof(text) - used, "%s\n", messages->items[i].text);
	assert_true(used < sizeof(text));
	return text;
}

void
assert_load(const struct tree *t, const char *name, const char *shown, const char *wrong)
{
	struct rules rules = {0};
	struct messages messages = {0};
	rules_load(&rules, t->fd, &messages);
	if (shown != NULL && strcmp(shown_rules(&rules), shown) != 0)
		fail_msg("%s\n--- gives\n%s--- wanted\n%s", name, shown_rules(&rules), shown);
	if (strcmp(shown_errors(&messages), wrong) != 0)
		fail_msg("%s\n--- says\n%s--- wanted\n%s", name, shown_errors(&messages), wrong);
	rules_free(&rules);
	messages_free(&messages);
}
