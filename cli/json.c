/* SPDX-License-Identifier: MIT */
/* Builds and prints the JSON objects that several commands share. */
#include "cli/json.h"

#include "base/escape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_object *
json_text(const char *text)
{
	size_t size = 4 * strlen(text) + 4;
	char *safe = malloc(size);
	json_object *result =
		safe != NULL ? json_object_new_string(escape_unprintable(safe, size, text)) : NULL;
	free(safe);
	return result;
}

json_object *
json_place(const char *file, unsigned line)
{
	char *text;
	if (asprintf(&text, "%s:%u", file, line) < 0)
		return NULL;
	json_object *result = json_text(text);
	free(text);
	return result;
}

json_object *
json_mask(const struct cpumask *mask)
{
	char list[CPULIST_MAX];
	return mask != NULL ? json_object_new_string(cpumask_format(mask, list, sizeof(list)))
			    : NULL;
}

json_object *
json_guest(const struct pin *pin)
{
	json_object *object = json_object_new_object(), *rules = json_object_new_array();
	for (size_t i = 0; i < pin->matched.count; i++)
		json_object_array_add(rules,
			json_place(pin->matched.rules[i]->file, pin->matched.rules[i]->line));
	json_object_object_add(object, "guest", json_object_new_string(pin->name));
	json_object_object_add(
		object, "id", pin->domain.id >= 0 ? json_object_new_int(pin->domain.id) : NULL);
	json_object_object_add(object, "uuid", json_object_new_string(pin->domain.uuid));
	json_object_object_add(object, "rules", rules);
	return object;
}

json_object *
json_messages(const struct messages *messages)
{
	json_object *array = json_object_new_array();
	for (size_t i = 0; i < messages->count; i++) {
		json_object *one = json_object_new_object();
		json_object_object_add(one, "level",
			json_object_new_string(message_level_name(messages->items[i].level)));
		json_object_object_add(one, "text", json_text(messages->items[i].text));
		json_object_array_add(array, one);
	}
	return array;
}

void
json_print(json_object *object)
{
	puts(json_object_to_json_string_ext(
		object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}
