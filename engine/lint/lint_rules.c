/* SPDX-License-Identifier: MIT */
/* Finds what is wrong with the rules on any host: early exclusions, keys that never count. */
#include "lint/lint.h"

#include <string.h>

/*
 * Reports an exclusion before the CPUs that it takes away. libvirt's lists are read from left to
 * right, and there it would take away only what precedes it.
 */
static void
find_early_exclusion(const struct value *value, struct messages *findings)
{
	size_t offset, length;
	char place[VALUE_PLACE_MAX];
	if (cpuset_expr_exclusion_first(value->text, &offset, &length))
		messages_add(findings, MESSAGE_WARNING, "exclusion-first",
			"%s: '%.*s' precedes other CPUs, yet is taken away from them too; write it "
			"last",
			value_place(value, offset, place), (int)length, value->text + offset);
}

/*
 * True if a rule matches guests of any name: "*", "**", "name:*", "?*". It matches names of control
 * characters, which no pattern spells out. "[!a]" would match them too, and so never counts.
 */
static bool
is_for_every_guest(const struct rule *rule)
{
	char names[][4] = {"\1", "\1\1", "\1\1\1"};
	const char *patterns = rule->match.text != NULL ? rule->match.text : rule->section;
	if (strstr(patterns, "[!") != NULL || strstr(patterns, "[^") != NULL)
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!rule_matches(rule, names[i], ""))
			return false;
	return true;
}

/* The last place that sets each key for every guest; none before it counts. */
struct overrides {
	const struct setting *setting[GROUP_KINDS];
	size_t rule[GROUP_KINDS];
	size_t on_error; /* the index of the rule; 0 also if there is none: no rule precedes it */
};

static void
find_overrides(const struct rules *rules, struct overrides *overrides)
{
	*overrides = (struct overrides){0};
	for (size_t i = 0; i < rules->rule_count; i++) {
		const struct rule *rule = &rules->rules[i];
		if (!is_for_every_guest(rule))
			continue;
		if (rule->on_error != ON_ERROR_UNSET)
			overrides->on_error = i;
		for (size_t j = 0; j < rule->setting_count; j++) {
			if (!rule->settings[j].every)
				continue;
			overrides->setting[rule->settings[j].kind] = &rule->settings[j];
			overrides->rule[rule->settings[j].kind] = i;
		}
	}
}

static void
find_overridden(const struct rules *rules, size_t index, const struct overrides *overrides,
	struct messages *findings)
{
	const struct rule *rule = &rules->rules[index], *last = &rules->rules[overrides->on_error];
	for (size_t i = 0; i < rule->setting_count; i++) {
		const struct setting *s = &rule->settings[i];
		const struct setting *override = overrides->setting[s->kind];
		char key[SETTING_KEY_MAX], other[SETTING_KEY_MAX];
		if (override != NULL && overrides->rule[s->kind] > index)
			messages_add(findings, MESSAGE_WARNING, "never-counts",
				"%s:%u: %s never counts: %s:%u sets %s for every guest, and comes "
				"later; write what is for every guest first",
				s->value.file, s->value.line, setting_key(s, key),
				override->value.file, override->value.line,
				setting_key(override, other));
	}
	if (rule->on_error != ON_ERROR_UNSET && overrides->on_error > index)
		messages_add(findings, MESSAGE_WARNING, "never-counts",
			"%s:%u: on-error never counts: %s:%u sets it for every guest, and comes "
			"later; write what is for every guest first",
			rule->file, rule->on_error_at.line, last->file, last->on_error_at.line);
}

void
lint_rules(const struct rules *rules, struct messages *findings)
{
	struct overrides overrides;
	find_overrides(rules, &overrides);
	for (size_t i = 0; i < rules->set_count; i++)
		find_early_exclusion(&rules->sets[i].value, findings);
	for (size_t i = 0; i < rules->rule_count; i++) {
		const struct rule *rule = &rules->rules[i];
		for (size_t j = 0; j < rule->setting_count; j++)
			if (!setting_is_keep(&rule->settings[j]))
				find_early_exclusion(&rule->settings[j].value, findings);
		find_overridden(rules, i, &overrides, findings);
	}
}
