/* SPDX-License-Identifier: MIT */
/* Finds the rules that match a guest, and which of their settings count for it. */
#include "rules/rules.h"

#include "rules/patterns.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

static enum pattern_match
match_rule(const struct rule *rule, const char *name, const char *uuid)
{
	if (rule->match.text != NULL)
		return patterns_match(rule->match.text, name, uuid);
	return fnmatch(rule->section, name, 0) == 0 ? PATTERN_MATCHES : PATTERN_NO_MATCH;
}

bool
rule_matches(const struct rule *rule, const char *name, const char *uuid)
{
	return match_rule(rule, name, uuid) == PATTERN_MATCHES;
}

bool
rules_need_uuid(const struct rules *rules, const char *name)
{
	for (size_t i = 0; i < rules->rule_count; i++)
		if (match_rule(&rules->rules[i], name, NULL) == PATTERN_NEEDS_UUID)
			return true;
	return false;
}

bool
rules_may_match(const struct rules *rules, const char *name)
{
	for (size_t i = 0; i < rules->rule_count; i++)
		if (match_rule(&rules->rules[i], name, NULL) != PATTERN_NO_MATCH)
			return true;
	return false;
}

int
rules_match(const struct rules *rules, const char *name, const char *uuid, struct matched *matched)
{
	*matched = (struct matched){0};
	for (size_t i = 0; i < rules->rule_count; i++) {
		if (!rule_matches(&rules->rules[i], name, uuid))
			continue;
		if (matched->rules == NULL)
			matched->rules = calloc(rules->rule_count - i, sizeof(*matched->rules));
		if (matched->rules == NULL)
			return -1;
		matched->rules[matched->count++] = &rules->rules[i];
	}
	return 0;
}

bool
matched_wants_change(const struct matched *matched)
{
	const struct value *memory = rules_memory(matched);
	if (memory != NULL && !value_is_keep(memory))
		return true;
	for (size_t i = 0; i < matched->count; i++)
		for (size_t j = 0; j < matched->rules[i]->setting_count; j++)
			if (!setting_is_keep(&matched->rules[i]->settings[j]))
				return true;
	return false;
}

bool
matched_needs_xml(const struct matched *matched)
{
	return rules_placement(matched) != NULL;
}

static const struct setting *
setting_in_rule(const struct rule *rule, struct thread_group group)
{
	const struct setting *best = NULL;
	for (size_t i = 0; i < rule->setting_count; i++) {
		const struct setting *s = &rule->settings[i];
		if (s->kind != group.kind)
			continue;
		if (!s->every && (group.id < s->first || group.id > s->last))
			continue;
		if (!s->every && s->first == s->last)
			return s;
		if (best == NULL || best->every)
			best = s;
	}
	return best;
}

const struct setting *
rules_setting(const struct matched *matched, struct thread_group group)
{
	for (size_t i = matched->count; i-- > 0;) {
		const struct setting *s = setting_in_rule(matched->rules[i], group);
		if (s != NULL)
			return s;
	}
	return NULL;
}

const struct value *
rules_memory(const struct matched *matched)
{
	for (size_t i = matched->count; i-- > 0;)
		if (matched->rules[i]->memory.text != NULL)
			return &matched->rules[i]->memory;
	return NULL;
}

const struct value *
rules_placement(const struct matched *matched)
{
	for (size_t i = matched->count; i-- > 0;) {
		const struct value *placement = &matched->rules[i]->placement;
		if (placement->text != NULL)
			return strcmp(placement->text, "float") != 0 ? placement : NULL;
	}
	return NULL;
}

bool
placement_is_exclusive(const struct value *placement)
{
	return strcmp(placement->text, "exclusive") == 0;
}

enum on_error
rules_on_error(const struct rules *rules, const char *name, const char *uuid)
{
	if (name != NULL)
		for (size_t i = rules->rule_count; i-- > 0;) {
			const struct rule *rule = &rules->rules[i];
			enum pattern_match match = match_rule(rule, name, uuid);
			bool fails = rule->on_error == ON_ERROR_FAIL;
			if (rule->on_error != ON_ERROR_UNSET &&
				(match == PATTERN_MATCHES ||
					(match == PATTERN_NEEDS_UUID && fails)))
				return rule->on_error;
		}
	return rules->on_error == ON_ERROR_UNSET ? ON_ERROR_IGNORE : rules->on_error;
}
