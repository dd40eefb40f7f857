/* SPDX-License-Identifier: MIT */
#include "cli/failures.h"

#include "cli/command.h"
#include "cli/json.h"

#include "base/array.h"

#include <stdlib.h>
#include <string.h>

void
failures_add(struct failures *failures, const char *name, const char *why)
{
	struct failure one = {strdup(name), strdup(why)};
	struct failure *larger = array_grow(failures->items, failures->kept, sizeof(*larger));
	complain("%s: %s", name, why);
	failures->count++;
	if (larger != NULL)
		failures->items = larger;
	if (larger != NULL && one.name != NULL && one.why != NULL) {
		failures->items[failures->kept++] = one;
		return;
	}
	free(one.name);
	free(one.why);
}

bool
failures_has(const struct failures *failures, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(failures->items[i].name, name) == 0)
			return true;
	return false;
}

void
failures_to_json(const struct failures *failures, json_object *array)
{
	for (size_t i = 0; i < failures->kept; i++)
		json_object_array_add(
			array, json_failed_guest(failures->items[i].name, failures->items[i].why));
}

void
failures_print_json(const struct failures *failures, json_object *array)
{
	json_object *document = json_document();
	failures_to_json(failures, array);
	json_object_object_add(document, "guests", array);
	json_print(document);
}

void
failures_free(struct failures *failures)
{
	while (failures->kept > 0) {
		free(failures->items[--failures->kept].name);
		free(failures->items[failures->kept].why);
	}
	free(failures->items);
}
