/* SPDX-License-Identifier: MIT */
#include "cli/watch/watched.h"

#include "cli/watch/say.h"

#include "base/array.h"

#include <stdlib.h>
#include <string.h>

struct watched *
watched_find(const struct watched_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i].name, name) == 0)
			return &list->items[i];
	return NULL;
}

void
watched_add(struct watched_list *list, const char *name, enum watch_reason reason)
{
	struct watched *guest = watched_find(list, name);
	if (guest == NULL) {
		struct watched *larger = array_grow(list->items, list->count, sizeof(*larger));
		char *copy = strdup(name);
		if (larger != NULL)
			list->items = larger;
		if (larger == NULL || copy == NULL) {
			watch_say(MESSAGE_ERROR, "%s: out of memory", name);
			free(copy);
			return;
		}
		guest = &list->items[list->count++];
		*guest = (struct watched){.name = copy, .watch = -1};
	}
	guest->reasons |= reason;
	guest->failures = 0;
}

void
watched_remove(struct watched_list *list, struct watched *guest)
{
	free(guest->name);
	free(guest->group_watches);
	free(guest->plugged);
	messages_free(&guest->reported);
	*guest = list->items[--list->count];
}

void
watched_list_free(struct watched_list *list)
{
	while (list->count > 0)
		watched_remove(list, &list->items[list->count - 1]);
	free(list->items);
	list->items = NULL;
}
