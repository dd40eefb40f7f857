/* SPDX-License-Identifier: MIT */
/* struct rules as a whole: growing, searched, freed. */
#include "rules/rules.h"

#include "base/array.h"
#include "rules/keys.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct named_set *
rules_find_set(const struct rules *rules, const char *name, size_t length)
{
	for (size_t i = rules->set_count; i-- > 0;)
		if (strncmp(rules->sets[i].name, name, length) == 0 &&
			rules->sets[i].name[length] == '\0')
			return &rules->sets[i];
	return NULL;
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

/* Checks a name in [cpus]. */
static int
check_set_name(const char *name, struct err *e)
{
	size_t length = strlen(name);
	for (const char *s = name; *s != '\0'; s++)
		if (!isalnum((unsigned char)*s) && strchr("_-.", *s) == NULL)
			return err_set(e,
				"'%.60s': a name in [cpus] consists of letters, digits, '_', '-' "
				"and '.'",
				name);
	if (length == 0 || length > 63)
		return err_set(e, "a name in [cpus] has 1 to 63 characters");
	return 0;
}

int
rules_add_set(struct rules *rules, const char *name, const struct value *value,
	struct value **stored, struct err *e)
{
	if (check_set_name(name, e) != 0)
		return -1;
	const struct named_set *known = rules_find_set(rules, name, strlen(name));
	if (known != NULL && known->value.file == value->file)
		return err_set(e, "'%s' is already defined at line %u", name, known->value.line);
	if (rules->set_count == RULES_SETS_MAX)
		return err_set(e, "'%s': more than %u names in [cpus]", name, RULES_SETS_MAX);
	struct named_set *items = array_grow(rules->sets, rules->set_count, sizeof(*items));
	if (items == NULL)
		return err_set(e, "out of memory");
	rules->sets = items;
	struct named_set *set = &items[rules->set_count];
	if (value_copy(value, &set->value, e) != 0)
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

static void
free_rule(struct rule *rule)
{
	rules_free_keys(rule);
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
