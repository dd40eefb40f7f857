/* SPDX-License-Identifier: MIT */
#include "rules/keys.h"

#include "base/number.h"
#include "base/suggest.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* "vcpu12-15" -> "vcpuN-N", so that numbers do not count as misspellings. */
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

/* "vcpuN-N" is for comparing; a person reads "vcpuA-B". */
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
unknown_key(const char *name, const char *const *known, size_t count, struct err *e)
{
	char plain[32];
	hide_numbers(name, plain);
	const char *nearest = suggest_nearest(plain, known, count);
	char list[256] = "";
	if (nearest != NULL) {
		append_key(list, sizeof(list), nearest);
		return err_set(e, "unknown key '%.60s'; did you mean '%s'?", name, list);
	}
	for (size_t i = 0; i < count; i++) {
		append_key(list, sizeof(list), i == 0 ? "" : ", ");
		append_key(list, sizeof(list), known[i]);
	}
	return err_set(e, "unknown key '%.60s'; the keys are %s", name, list);
}

/*
 * "vcpu" or "iothread" with "s", "N" or "A-B" behind it; 0, -1 with the reason, or 1: not such a
 * key at all.
 */
static int
parse_group_key(
	const char *name, const char *word, unsigned smallest, struct key *key, struct err *e)
{
	const unsigned largest = DOMAIN_VCPUS_MAX - 1;
	size_t length = strlen(word);
	if (strncmp(name, word, length) != 0)
		return 1;
	const char *s = name + length;
	if (strcmp(s, "s") == 0) {
		key->every = true;
		return 0;
	}
	if (!isdigit((unsigned char)*s))
		return 1;
	if (number_parse(&s, largest, &key->first) != 0)
		return err_set(e, "'%.60s': the highest number is %u", name, largest);
	key->last = key->first;
	if (*s == '-' && isdigit((unsigned char)s[1])) {
		s++;
		if (number_parse(&s, largest, &key->last) != 0)
			return err_set(e, "'%.60s': the highest number is %u", name, largest);
	}
	if (*s != '\0')
		return 1;
	if (key->first < smallest)
		return err_set(e, "'%.60s': %ss are numbered from %u", name, word, smallest);
	if (key->last < key->first)
		return err_set(e, "'%.60s' runs backwards; write %s%u-%u", name, word, key->last,
			key->first);
	return 0;
}

int
rules_key_parse(const char *name, struct key *key, struct err *e)
{
	static const char *const known[] = {"emulator", "vcpus", "vcpuN", "vcpuN-N", "iothreads",
		"iothreadN", "iothreadN-N", "placement", "memory", "match", "on-error"};
	static const struct {
		const char *name;
		enum key_kind kind;
	} words[] = {{"match", KEY_MATCH}, {"memory", KEY_MEMORY}, {"on-error", KEY_ON_ERROR},
		{"placement", KEY_PLACEMENT}};
	*key = (struct key){.kind = KEY_GROUP};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(name, words[i].name) == 0) {
			key->kind = words[i].kind;
			return 0;
		}
	if (strcmp(name, "emulator") == 0) {
		key->group = GROUP_EMULATOR;
		key->every = true;
		return 0;
	}
	key->group = GROUP_VCPU;
	int r = parse_group_key(name, "vcpu", 0, key, e);
	if (r == 1) {
		key->group = GROUP_IOTHREAD;
		r = parse_group_key(name, "iothread", 1, key, e);
	}
	if (r == 1)
		return unknown_key(name, known, sizeof(known) / sizeof(known[0]), e);
	return r;
}

int
rules_global_key_parse(const char *name, struct key *key, struct err *e)
{
	static const char *const known[] = {"on-error", "enforce"};
	struct key rule_key;
	struct err ignored;
	*key = (struct key){.kind = strcmp(name, "enforce") == 0 ? KEY_ENFORCE : KEY_ON_ERROR};
	if (key->kind == KEY_ENFORCE || strcmp(name, "on-error") == 0)
		return 0;
	if (rules_key_parse(name, &rule_key, &ignored) == 0)
		return err_set(
			e, "'%.60s' stands in [global]; for every guest, write it below [*]", name);
	return unknown_key(name, known, sizeof(known) / sizeof(known[0]), e);
}

int
rules_set_name_check(const char *name, struct err *e)
{
	size_t length = strlen(name);
	for (const char *s = name; *s != '\0'; s++)
		if (!isalnum((unsigned char)*s) && strchr("_-.", *s) == NULL)
			return err_set(e,
				"'%.60s': a name in [cpus] is of letters, digits, '_', '-' and '.'",
				name);
	if (length == 0 || length > 63)
		return err_set(e, "a name in [cpus] has 1 to 63 characters");
	return 0;
}

int
rules_on_error_parse(const char *text, enum on_error *on_error, struct err *e)
{
	if (strcmp(text, "ignore") == 0)
		*on_error = ON_ERROR_IGNORE;
	else if (strcmp(text, "fail") == 0)
		*on_error = ON_ERROR_FAIL;
	else
		return err_set(e, "on-error = %.60s: write 'ignore' or 'fail'", text);
	return 0;
}

int
rules_enforce_parse(const char *text, enum enforce *enforce, struct err *e)
{
	if (strcmp(text, "yes") == 0)
		*enforce = ENFORCE_YES;
	else if (strcmp(text, "no") == 0)
		*enforce = ENFORCE_NO;
	else
		return err_set(e, "enforce = %.60s: write 'yes' or 'no'", text);
	return 0;
}

int
rules_placement_check(const char *text, struct err *e)
{
	if (strcmp(text, "float") == 0 || strcmp(text, "one-to-one") == 0)
		return 0;
	return err_set(e, "placement = %.60s: write 'one-to-one' or 'float'", text);
}

static bool
is_uuid(const char *text, size_t length)
{
	if (length != 36)
		return false;
	for (size_t i = 0; i < length; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
			return false;
	}
	return true;
}

/* Whether a glob's brackets are closed and nothing is missing behind its last backslash: glob(7).
 */
static bool
is_whole_glob(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\\') {
			if (++i == length)
				return false;
			continue;
		}
		if (text[i] != '[')
			continue;
		size_t first = i + 1 + (i + 1 < length && strchr("!^", text[i + 1]) != NULL);
		const char *close = first + 1 < length
					    ? memchr(text + first + 1, ']', length - first - 1)
					    : NULL;
		if (close == NULL)
			return false;
		i = (size_t)(close - text);
	}
	return true;
}

int
rules_match_check(const char *text, size_t *column, struct err *e)
{
	for (const char *s = text;; s++) {
		s += strspn(s, " \t\n");
		const char *end = s + strcspn(s, ",");
		size_t length = (size_t)(end - s);
		while (length > 0 && strchr(" \t\n", s[length - 1]) != NULL)
			length--;
		*column = (size_t)(s - text);
		bool prefixed = strncmp(s, "name:", 5) == 0 || strncmp(s, "uuid:", 5) == 0;
		if (length == 0 || (prefixed && length == 5))
			return err_set(e,
				"match: a pattern is missing; write GLOB, name:GLOB or uuid:UUID");
		if (length > RULES_PATTERN_MAX)
			return err_set(
				e, "match: a pattern is longer than %u bytes", RULES_PATTERN_MAX);
		if (!prefixed &&
			(strncasecmp(s, "name:", 5) == 0 || strncasecmp(s, "uuid:", 5) == 0))
			return err_set(e, "match: write 'name:' and 'uuid:' in small letters");
		if (prefixed && strchr(" \t\n", s[5]) != NULL)
			return err_set(e, "match: there is a blank behind '%.5s'", s);
		if (strncmp(s, "uuid:", 5) != 0 && !is_whole_glob(s, length))
			return err_set(e,
				"match: '%.*s' ends within a '[...]' or behind a '\\'; a comma "
				"cannot stand in a pattern, write '?' for it",
				(int)length, s);
		if (strncmp(s, "uuid:", 5) == 0 && !is_uuid(s + 5, length - 5))
			return err_set(e,
				"match: '%.*s' is not a UUID, as in "
				"uuid:6f1c0d5a-5d2c-4b0e-9f0e-0b1d7c1f3a11",
				(int)(length - 5), s + 5);
		if (memchr(s, '\n', length) != NULL)
			return err_set(e,
				"match: a comma is missing between '%.*s' and the next line",
				(int)strcspn(s, "\n"), s);
		if (*end == '\0')
			return 0;
		s = end;
	}
}
