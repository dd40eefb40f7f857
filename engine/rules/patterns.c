/* SPDX-License-Identifier: MIT */
/* Checks the patterns of "match =" and matches guests against them. */
#include "rules/patterns.h"

#include "rules/rules.h"

#include <ctype.h>
#include <fnmatch.h>
#include <string.h>

static const char white[] = " \t\n";

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

/* True if each bracket is closed and the last backslash has a character after it: glob(7). */
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
patterns_check(const char *text, size_t *offset, struct err *e)
{
	for (const char *s = text;; s++) {
		s += strspn(s, white);
		const char *end = s + strcspn(s, ",");
		size_t length = (size_t)(end - s);
		while (length > 0 && strchr(white, s[length - 1]) != NULL)
			length--;
		*offset = (size_t)(s - text);
		bool prefixed = strncmp(s, "name:", 5) == 0 || strncmp(s, "uuid:", 5) == 0;
		if (length == 0 || (prefixed && length == 5))
			return err_set(e,
				"match: a pattern is missing; write GLOB, name:GLOB or uuid:UUID");
		if (length > RULES_PATTERN_MAX)
			return err_set(
				e, "match: a pattern is longer than %u bytes", RULES_PATTERN_MAX);
		if (!prefixed &&
			(strncasecmp(s, "name:", 5) == 0 || strncasecmp(s, "uuid:", 5) == 0))
			return err_set(e, "match: write 'name:' and 'uuid:' in lower case");
		if (prefixed && strchr(white, s[5]) != NULL)
			return err_set(e, "match: remove the blank after '%.5s'", s);
		if (strncmp(s, "uuid:", 5) != 0 && !is_whole_glob(s, length))
			return err_set(e,
				"match: '%.*s' ends inside '[...]' or after a '\\'; a pattern "
				"cannot contain a comma, write '?' for it",
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

enum pattern_match
patterns_match(const char *text, const char *name, const char *uuid)
{
	enum pattern_match found = PATTERN_NO_MATCH;
	for (const char *s = text; s != NULL; s = strchr(s, ',')) {
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
				found = PATTERN_NEEDS_UUID;
			else if (strcasecmp(pattern + 5, uuid) == 0)
				return PATTERN_MATCHES;
		} else {
			const char *glob =
				strncmp(pattern, "name:", 5) == 0 ? pattern + 5 : pattern;
			if (fnmatch(glob, name, 0) == 0)
				return PATTERN_MATCHES;
		}
	}
	return found;
}
