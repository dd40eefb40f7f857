/* SPDX-License-Identifier: MIT */
/* Values and settings: as text, and copied. */
#include "rules/keys.h"
#include "rules/rules.h"

#include <stdio.h>
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

int
value_copy(const struct value *value, struct value *copy, struct err *e)
{
	*copy = *value;
	copy->text = strdup(value->text);
	return copy->text != NULL ? 0 : err_set(e, "out of memory");
}
