/* SPDX-License-Identifier: MIT */
#include "rules/rules.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *
value_place(const struct value *value, size_t offset, char out[VALUE_PLACE_MAX])
{
	unsigned line = value->line, column = value->column;
	for (size_t i = 0; i < offset && value->text[i] != '\0'; i++) {
		column++;
		if (value->text[i] == '\n') {
			line++;
			column = 1;
		}
	}
	snprintf(out, VALUE_PLACE_MAX, "%.*s:%u:%u", VALUE_PLACE_MAX - 32, value->file, line,
		column);
	return out;
}

char *
setting_key(const struct setting *setting, char out[SETTING_KEY_MAX])
{
	const char *word = setting->kind == GROUP_VCPU ? "vcpu" : "iothread";
	if (setting->kind == GROUP_EMULATOR)
		snprintf(out, SETTING_KEY_MAX, "emulator");
	else if (setting->every)
		snprintf(out, SETTING_KEY_MAX, "%ss", word);
	else if (setting->first == setting->last)
		snprintf(out, SETTING_KEY_MAX, "%s%u", word, setting->first);
	else
		snprintf(out, SETTING_KEY_MAX, "%s%u-%u", word, setting->first, setting->last);
	return out;
}

bool
value_is_keep(const struct value *value)
{
	return strcmp(value->text, "keep") == 0;
}

bool
setting_is_keep(const struct setting *setting)
{
	return value_is_keep(&setting->value);
}

enum fit {
	FIT_NO,
	FIT_BY_UUID, /* if the guest's UUID, which is not known, is that of a pattern */
	FIT_YES,
};

/*
 * Matches a guest against the comma-separated patterns of a "match =" value. Their form was checked
 * at load.
 */
static enum fit
match_patterns(const char *patterns, const char *name, const char *uuid)
{
	static const char white[] = " \t\n";
	enum fit fit = FIT_NO;
	for (const char *s = patterns; s != NULL; s = strchr(s, ',')) {
		s += *s == ',';
		s += strspn(s, white);
		size_t length = strcspn(s, ",");
		while (length > 0 && strchr(white, s[length - 1]) != NULL)
			length--;
		char pattern[RULES_PATTERN_MAX + 1];
		if (length > RULES_PATTERN_MAX)
			continue;
		memcpy(pattern, s, length);
		pattern[length] = '\0';
		if (strncmp(pattern, "uuid:", 5) == 0) {
			if (uuid == NULL)
				fit = FIT_BY_UUID;
			else if (strcasecmp(pattern + 5, uuid) == 0)
				return FIT_YES;
		} else {
			const char *glob =
				strncmp(pattern, "name:", 5) == 0 ? pattern + 5 : pattern;
			if (fnmatch(glob, name, 0) == 0)
				return FIT_YES;
		}
	}
	return fit;
}

static enum fit
match_rule(const struct rule *rule, const char *name, const char *uuid)
{
	if (rule->match.text != NULL)
		return match_patterns(rule->match.text, name, uuid);
	return fnmatch(rule->section, name, 0) == 0 ? FIT_YES : FIT_NO;
}

bool
rule_matches(const struct rule *rule, const char *name, const char *uuid)
{
	return match_rule(rule, name, uuid) == FIT_YES;
}

bool
rules_need_uuid(const struct rules *rules, const char *name)
{
	for (size_t i = 0; i < rules->rule_count; i++)
		if (match_rule(&rules->rules[i], name, NULL) == FIT_BY_UUID)
			return true;
	return false;
}

bool
rules_may_match(const struct rules *rules, const char *name)
{
	for (size_t i = 0; i < rules->rule_count; i++)
		if (match_rule(&rules->rules[i], name, NULL) != FIT_NO)
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
	return rules_one_to_one(matched) != NULL;
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
rules_one_to_one(const struct matched *matched)
{
	for (size_t i = matched->count; i-- > 0;) {
		const struct value *placement = &matched->rules[i]->placement;
		if (placement->text != NULL)
			return strcmp(placement->text, "one-to-one") == 0 ? placement : NULL;
	}
	return NULL;
}

enum on_error
rules_on_error(const struct rules *rules, const char *name, const char *uuid)
{
	if (name != NULL)
		for (size_t i = rules->rule_count; i-- > 0;) {
			const struct rule *rule = &rules->rules[i];
			if (rule->on_error != ON_ERROR_UNSET && rule_matches(rule, name, uuid))
				return rule->on_error;
		}
	return rules->on_error == ON_ERROR_UNSET ? ON_ERROR_IGNORE : rules->on_error;
}

const struct named_set *
rules_find_set(const struct rules *rules, const char *name, size_t length)
{
	for (size_t i = rules->set_count; i-- > 0;)
		if (strncmp(rules->sets[i].name, name, length) == 0 &&
			rules->sets[i].name[length] == '\0')
			return &rules->sets[i];
	return NULL;
}

static void
free_rule(struct rule *rule)
{
	for (size_t i = 0; i < rule->setting_count; i++)
		free(rule->settings[i].value.text);
	free(rule->settings);
	free(rule->match.text);
	free(rule->memory.text);
	free(rule->placement.text);
	free(rule->section);
}

void
rules_free(struct rules *rules)
{
	for (size_t i = 0; i < rules->rule_count; i++)
		free_rule(&rules->rules[i]);
	for (size_t i = 0; i < rules->set_count; i++) {
		free(rules->sets[i].name);
		free(rules->sets[i].value.text);
	}
	for (size_t i = 0; i < rules->file_count; i++)
		free(rules->files[i]);
	free(rules->rules);
	free(rules->sets);
	free(rules->files);
	*rules = (struct rules){0};
}
