/* SPDX-License-Identifier: MIT */
/* Builds and prints the JSON objects that several commands share. */
#include "cli/json.h"

#include "base/escape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Changes when a reader of the old form would misread the new one:
 * share/vmaffinity/output.schema.json. */
#define JSON_VERSION 1

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
	json_object *object = json_object_new_object();
	json_object_object_add(object, "file", json_text(file));
	json_object_object_add(object, "line", json_object_new_int64(line));
	return object;
}

json_object *
json_mask(const struct cpumask *mask)
{
	char list[CPULIST_MAX];
	return mask != NULL ? json_object_new_string(cpumask_format(mask, list, sizeof(list)))
			    : NULL;
}

json_object *
json_document(void)
{
	json_object *object = json_object_new_object();
	json_object_object_add(object, "version", json_object_new_int(JSON_VERSION));
	json_object_object_add(object, "error", NULL);
	return object;
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
	json_object_object_add(object, "error", NULL);
	json_object_object_add(object, "rules", rules);
	return object;
}

json_object *
json_failed_guest(const char *name, const char *error)
{
	json_object *object = json_object_new_object();
	json_object_object_add(object, "guest", json_object_new_string(name));
	json_object_object_add(object, "error", json_text(error));
	return object;
}

static json_object *
number_or_null(unsigned number)
{
	return number != 0 ? json_object_new_int64(number) : NULL;
}

json_object *
json_message(
	enum message_level level, const char *code, const struct place *place, char *const files[])
{
	json_object *object = json_object_new_object();
	json_object_object_add(object, "level", json_object_new_string(message_level_name(level)));
	json_object_object_add(object, "code", json_object_new_string(code));
	json_object_object_add(
		object, "file", place->file != 0 ? json_text(files[place->file - 1]) : NULL);
	json_object_object_add(object, "line", number_or_null(place->line));
	json_object_object_add(object, "column", number_or_null(place->column));
	json_object_object_add(object, "text", json_text(place->text));
	return object;
}

json_object *
json_messages(const struct messages *messages, const struct rules *rules)
{
	json_object *array = json_object_new_array();
	for (size_t i = 0; i < messages->count; i++) {
		const struct message *message = &messages->items[i];
		struct place place = place_find(message->text, rules->files, rules->file_count);
		json_object_array_add(
			array, json_message(message->level, message->code, &place, rules->files));
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
