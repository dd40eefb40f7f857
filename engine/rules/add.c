/* SPDX-License-Identifier: MIT */
#include "rules/add.h"

#include "base/array.h"

#include <stdlib.h>
#include <string.h>

static int
copy_value(const struct value *value, struct value *copy, struct err *e)
{
	*copy = *value;
	copy->text = strdup(value->text);
	return copy->text != NULL ? 0 : err_set(e, "out of memory");
}

struct rule *
rules_add_rule(struct rules *rules, const char *section, size_t length, const char *file,
	unsigned line, struct err *e)
{
	if (rules->rule_count == RULES_MAX) {
		err_set(e, "more than %u rules", RULES_MAX);
		return NULL;
	}
	struct rule *items = array_grow(rules->rules, rules->rule_count, sizeof(*items));
	if (items == NULL) {
		err_set(e, "out of memory");
		return NULL;
	}
	rules->rules = items;
	struct rule *rule = &items[rules->rule_count];
	*rule = (struct rule){.section = strndup(section, length), .file = file, .line = line};
	if (rule->section == NULL) {
		err_set(e, "out of memory");
		return NULL;
	}
	rules->rule_count++;
	return rule;
}

int
rules_add_set(struct rules *rules, const char *name, const struct value *value,
	struct value **stored, struct err *e)
{
	if (rules_set_name_check(name, e) != 0)
		return -1;
	const struct named_set *known = rules_find_set(rules, name, strlen(name));
	if (known != NULL && known->value.file == value->file)
		return err_set(e, "'%s' stands already at line %u", name, known->value.line);
	if (rules->set_count == RULES_SETS_MAX)
		return err_set(e, "'%s': more than %u names in [cpus]", name, RULES_SETS_MAX);
	struct named_set *items = array_grow(rules->sets, rules->set_count, sizeof(*items));
	if (items == NULL)
		return err_set(e, "out of memory");
	rules->sets = items;
	struct named_set *set = &items[rules->set_count];
	if (copy_value(value, &set->value, e) != 0)
		return -1;
	set->name = strdup(name);
	if (set->name == NULL) {
		free(set->value.text);
		return err_set(e, "out of memory");
	}
	rules->set_count++;
	*stored = &set->value;
	return 0;
}

/* The rule's line that has the same key, or a range that shares a number with this one; or NULL. */
static const struct setting *
find_conflict(const struct rule *rule, const struct key *key)
{
	bool one = key->first == key->last;
	for (size_t i = 0; i < rule->setting_count; i++) {
		const struct setting *s = &rule->settings[i];
		if (s->kind != key->group || s->every != key->every)
			continue;
		bool overlap = key->first <= s->last && s->first <= key->last;
		if (key->every || (one == (s->first == s->last) && overlap))
			return s;
	}
	return NULL;
}

static int
add_setting(struct rule *rule, const char *name, const struct key *key, const struct value *value,
	struct value **stored, struct err *e)
{
	const struct setting *other = find_conflict(rule, key);
	if (other != NULL)
		return err_set(e, "'%s' is given already by line %u", name, other->value.line);
	struct setting *items = array_grow(rule->settings, rule->setting_count, sizeof(*items));
	if (items == NULL)
		return err_set(e, "out of memory");
	rule->settings = items;
	struct setting *s = &items[rule->setting_count];
	*s = (struct setting){.kind = key->group};
	s->every = key->every;
	s->first = key->first;
	s->last = key->last;
	if (copy_value(value, &s->value, e) != 0)
		return -1;
	rule->setting_count++;
	*stored = &s->value;
	return 0;
}

/* The value of a key that a rule has once. */
static int
add_value(struct value *once, const char *name, const struct value *value, struct err *e)
{
	if (once->text != NULL)
		return err_set(e, "%s stands already at line %u", name, once->line);
	return copy_value(value, once, e);
}

int
rules_add_key(struct rule *rule, const char *name, const struct value *value, struct value **stored,
	struct err *e)
{
	struct key key;
	if (rules_key_parse(name, &key, e) != 0)
		return -1;
	switch (key.kind) {
	case KEY_ON_ERROR:
		rule->on_error_line = value->line;
		return rules_add_on_error(&rule->on_error, value->text, e);
	case KEY_MATCH:
		*stored = &rule->match;
		return add_value(&rule->match, name, value, e);
	case KEY_MEMORY:
		*stored = &rule->memory;
		return add_value(&rule->memory, name, value, e);
	case KEY_PLACEMENT:
		if (rules_placement_check(value->text, e) != 0)
			return -1;
		return add_value(&rule->placement, name, value, e);
	case KEY_ENFORCE:
	case KEY_GROUP:
		break;
	}
	return add_setting(rule, name, &key, value, stored, e);
}

int
rules_add_on_error(enum on_error *on_error, const char *text, struct err *e)
{
	if (*on_error != ON_ERROR_UNSET)
		return err_set(e, "on-error stands in this section already");
	return rules_on_error_parse(text, on_error, e);
}

int
rules_add_enforce(enum enforce *enforce, const char *text, struct err *e)
{
	if (*enforce != ENFORCE_UNSET)
		return err_set(e, "enforce stands in this section already");
	return rules_enforce_parse(text, enforce, e);
}
