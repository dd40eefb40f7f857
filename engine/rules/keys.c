/* SPDX-License-Identifier: MIT */
/* The table of all keys: the sections that may have a key, and the function that takes its value.
 */
#include "rules/keys.h"

#include "base/array.h"
#include "base/number.h"
#include "base/suggest.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IN_RULE 1u
#define IN_GLOBAL 2u

/* One line "name = value". */
struct key_line {
	struct rules *rules; /* NULL for a key of a rule */
	struct rule *rule;   /* NULL for a key of [global] */
	const char *name;
	const struct value *value;
	struct value *stored; /* the copy that was made of value; NULL if none was */
};

struct key {
	const char *name;  /* N is any number */
	unsigned sections; /* IN_RULE, IN_GLOBAL or both */
	bool continues;	   /* indented lines after it continue its value */
	int (*take)(const struct key *key, struct key_line *line, struct err *e);
	size_t field; /* the offset of its struct value in struct rule; 0 if it has none */
};

static int key_take_group(const struct key *key, struct key_line *line, struct err *e);
static int key_take_value(const struct key *key, struct key_line *line, struct err *e);
static int key_take_placement(const struct key *key, struct key_line *line, struct err *e);
static int key_take_on_error(const struct key *key, struct key_line *line, struct err *e);
static int key_take_enforce(const struct key *key, struct key_line *line, struct err *e);

static const struct key keys[] = {
	{"emulator", IN_RULE, true, key_take_group, 0},
	{"vcpus", IN_RULE, true, key_take_group, 0},
	{"vcpuN", IN_RULE, true, key_take_group, 0},
	{"vcpuN-N", IN_RULE, true, key_take_group, 0},
	{"iothreads", IN_RULE, true, key_take_group, 0},
	{"iothreadN", IN_RULE, true, key_take_group, 0},
	{"iothreadN-N", IN_RULE, true, key_take_group, 0},
	{"vhost", IN_RULE, true, key_take_group, 0},
	{"placement", IN_RULE, false, key_take_placement, offsetof(struct rule, placement)},
	{"memory", IN_RULE, true, key_take_value, offsetof(struct rule, memory)},
	{"match", IN_RULE, true, key_take_value, offsetof(struct rule, match)},
	{"on-error", IN_RULE | IN_GLOBAL, false, key_take_on_error, 0},
	{"enforce", IN_GLOBAL, false, key_take_enforce, 0},
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))

/* "vcpu12-15" -> "vcpuN-N": the name as it is in the table. */
static void
hide_numbers(const char *name, char out[32])
{
	size_t used = 0;
	for (const char *s = name; *s != '\0' && used < 31; s++) {
		bool digit = isdigit((unsigned char)*s);
		if (digit && used > 0 && out[used - 1] == 'N')
			continue;
		out[used++] = digit ? 'N' : *s;
	}
	out[used] = '\0';
}

/* Returns the key of that name, wherever it may be; NULL if there is none. */
static const struct key *
find_key(const char *name)
{
	char plain[32];
	hide_numbers(name, plain);
	for (size_t i = 0; i < KEYS && strchr(name, 'N') == NULL; i++)
		if (strcmp(plain, keys[i].name) == 0)
			return &keys[i];
	return NULL;
}

/* Appends a key's name from the table to list; a person reads "vcpuA-B" for "vcpuN-N". */
static void
append_key(char *list, size_t size, const char *key)
{
	const char *range = strstr(key, "N-N");
	size_t used = strlen(list);
	snprintf(list + used, size - used, "%.*s%s",
		(int)(range != NULL ? (size_t)(range - key) : strlen(key)), key,
		range != NULL ? "A-B" : "");
}

static int
unknown_key(const char *name, unsigned section, struct err *e)
{
	const char *known[KEYS];
	size_t count = 0;
	for (size_t i = 0; i < KEYS; i++)
		if ((keys[i].sections & section) != 0)
			known[count++] = keys[i].name;
	char plain[32], list[256] = "";
	hide_numbers(name, plain);
	const char *nearest = suggest_nearest(plain, known, count);
	if (nearest != NULL) {
		append_key(list, sizeof(list), nearest);
		if (strcmp(name, list) == 0)
			return err_set(e, "'%s': write a number for each capital letter", name);
		return err_set(e, "unknown key '%.60s'; did you mean '%s'?", name, list);
	}
	for (size_t i = 0; i < count; i++) {
		append_key(list, sizeof(list), i == 0 ? "" : ", ");
		append_key(list, sizeof(list), known[i]);
	}
	return err_set(e, "unknown key '%.60s'; the keys are %s", name, list);
}

static int
add_key_line(struct key_line *line, unsigned section, struct value **stored, struct err *e)
{
	const struct key *key = find_key(line->name);
	*stored = NULL;
	if (key == NULL)
		return unknown_key(line->name, section, e);
	if ((key->sections & section) == 0 && section == IN_GLOBAL)
		return err_set(e,
			"'%s' is not a key of [global]; for every guest, write it below [*]",
			line->name);
	if ((key->sections & section) == 0)
		return err_set(e, "'%s' is a key of [global] only", line->name);
	if (key->take(key, line, e) != 0)
		return -1;
	if (key->continues)
		*stored = line->stored;
	return 0;
}

int
rules_add_key(struct rule *rule, const char *name, const struct value *value, struct value **stored,
	struct err *e)
{
	struct key_line line = {.rule = rule, .name = name, .value = value};
	return add_key_line(&line, IN_RULE, stored, e);
}

int
rules_add_global_key(struct rules *rules, const char *name, const struct value *value,
	struct value **stored, struct err *e)
{
	struct key_line line = {.rules = rules, .name = name, .value = value};
	return add_key_line(&line, IN_GLOBAL, stored, e);
}

void
rules_free_keys(struct rule *rule)
{
	for (size_t i = 0; i < rule->setting_count; i++)
		free(rule->settings[i].value.text);
	free(rule->settings);
	for (size_t i = 0; i < KEYS; i++)
		if (keys[i].field != 0)
			free(((struct value *)((char *)rule + keys[i].field))->text);
}

static int
given_already(const struct key_line *line, unsigned other, struct err *e)
{
	return err_set(e, "'%s' is already given at line %u", line->name, other);
}

/* Takes a key whose value is read later, and which a rule has once. */
static int
key_take_value(const struct key *key, struct key_line *line, struct err *e)
{
	struct value *value = (struct value *)((char *)line->rule + key->field);
	if (value->text != NULL)
		return given_already(line, value->line, e);
	line->stored = value;
	return value_copy(line->value, value, e);
}

static int
key_take_placement(const struct key *key, struct key_line *line, struct err *e)
{
	static const char *const words[] = {"float", "one-to-one", "exclusive"};
	const char *text = line->value->text;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(text, words[i]) == 0)
			return key_take_value(key, line, e);
	return err_set(e, "placement = %.60s: write 'float', 'one-to-one' or 'exclusive'", text);
}

/*
 * Takes a key whose value is one of two words: *second is true if it is the second one, and *at is
 * set to its line. A file may give such a key once in a section.
 */
static int
key_take_word(struct key_line *line, const char *const words[2], bool *second, struct origin *at,
	struct err *e)
{
	const struct value *value = line->value;
	if (at->file == value->file)
		return given_already(line, at->line, e);
	*second = strcmp(value->text, words[1]) == 0;
	if (!*second && strcmp(value->text, words[0]) != 0)
		return err_set(e, "%s = %.60s: write '%s' or '%s'", line->name, value->text,
			words[0], words[1]);
	*at = (struct origin){.file = value->file, .line = value->line};
	return 0;
}

static int
key_take_on_error(const struct key *key, struct key_line *line, struct err *e)
{
	static const char *const words[] = {"ignore", "fail"};
	struct rule *rule = line->rule;
	struct origin *at = rule != NULL ? &rule->on_error_at : &line->rules->on_error_at;
	bool fail = false;
	(void)key;
	if (key_take_word(line, words, &fail, at, e) != 0)
		return -1;
	*(rule != NULL ? &rule->on_error : &line->rules->on_error) =
		fail ? ON_ERROR_FAIL : ON_ERROR_IGNORE;
	return 0;
}

static int
key_take_enforce(const struct key *key, struct key_line *line, struct err *e)
{
	static const char *const words[] = {"yes", "no"};
	bool no = false;
	(void)key;
	if (key_take_word(line, words, &no, &line->rules->enforce_at, e) != 0)
		return -1;
	line->rules->enforce = no ? ENFORCE_NO : ENFORCE_YES;
	return 0;
}

/* Reads the ids of a key such as "vcpu3" or "vcpu2-5" into a setting, every id if it has none. */
static int
parse_ids(const char *name, struct setting *s, struct err *e)
{
	const unsigned smallest = s->kind == GROUP_IOTHREAD, largest = DOMAIN_VCPUS_MAX - 1;
	const char *digits = name + strcspn(name, "0123456789");
	const int word = (int)(digits - name);
	s->every = *digits == '\0';
	if (s->every)
		return 0;
	bool in_range = number_parse(&digits, largest, &s->first) == 0;
	s->last = s->first;
	if (in_range && *digits == '-') {
		digits++;
		in_range = number_parse(&digits, largest, &s->last) == 0;
	}
	if (!in_range)
		return err_set(e, "'%.60s': the highest number is %u", name, largest);
	if (s->first < smallest)
		return err_set(
			e, "'%.60s': %.*ss are numbered from %u", name, word, name, smallest);
	if (s->last < s->first)
		return err_set(e, "'%.60s' runs backwards; write %.*s%u-%u", name, word, name,
			s->last, s->first);
	return 0;
}

/* Returns the rule's setting of the same key, or of a range that has an id in common; or NULL. */
static const struct setting *
find_conflict(const struct rule *rule, const struct setting *new)
{
	bool one = new->first == new->last;
	for (size_t i = 0; i < rule->setting_count; i++) {
		const struct setting *s = &rule->settings[i];
		if (s->kind != new->kind || s->every != new->every)
			continue;
		bool overlap = new->first <= s->last && s->first <= new->last;
		if (new->every || (one == (s->first == s->last) && overlap))
			return s;
	}
	return NULL;
}

/* Takes a key that names threads: "emulator", "vcpus", "vcpu3", "iothread2-5". */
static int
key_take_group(const struct key *key, struct key_line *line, struct err *e)
{
	struct rule *rule = line->rule;
	struct setting setting = {.kind = GROUP_EMULATOR};
	if (strcmp(key->name, "vhost") == 0)
		setting.kind = GROUP_VHOST;
	else if (key->name[0] != 'e')
		setting.kind = key->name[0] == 'v' ? GROUP_VCPU : GROUP_IOTHREAD;
	if (parse_ids(line->name, &setting, e) != 0)
		return -1;
	const struct setting *other = find_conflict(rule, &setting);
	if (other != NULL)
		return given_already(line, other->value.line, e);
	struct setting *items = array_grow(rule->settings, rule->setting_count, sizeof(*items));
	if (items == NULL)
		return err_set(e, "out of memory");
	rule->settings = items;
	if (value_copy(line->value, &setting.value, e) != 0)
		return -1;
	items[rule->setting_count] = setting;
	line->stored = &items[rule->setting_count++].value;
	return 0;
}
