/* SPDX-License-Identifier: MIT */
/* Collects messages with a level, bounded in number. */
#include "base/messages.h"
#include "base/array.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Drops the last message below level if the list is full. An error must find room: the first one is
 * the reason why nothing is done.
 */
static void
messages_make_room(struct messages *messages, enum message_level level)
{
	size_t i = messages->count;
	if (i < MESSAGES_MAX)
		return;
	while (i > 0 && messages->items[i - 1].level >= level)
		i--;
	if (i == 0)
		return;
	free(messages->items[i - 1].text);
	memmove(&messages->items[i - 1], &messages->items[i],
		(messages->count - i) * sizeof(*messages->items));
	messages->count--;
	messages->dropped++;
}

void
messages_add(struct messages *messages, enum message_level level, const char *code,
	const char *format, ...)
{
	if (level == MESSAGE_ERROR)
		messages->errors++;
	messages_make_room(messages, level);
	char *text = NULL;
	va_list args;
	va_start(args, format);
	if (messages->count >= MESSAGES_MAX || vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	struct message *items = NULL;
	if (text != NULL)
		items = array_grow(messages->items, messages->count, sizeof(*items));
	if (items == NULL) {
		free(text);
		messages->dropped++;
		return;
	}
	messages->items = items;
	items[messages->count++] = (struct message){.level = level, .code = code, .text = text};
}

void
messages_sort(struct messages *messages)
{
	struct message *sorted = calloc(messages->count + 1, sizeof(*sorted));
	size_t count = 0;
	if (sorted == NULL)
		return; /* in their old order they are all there, too */
	for (int level = MESSAGE_ERROR; level >= MESSAGE_DETAIL; level--)
		for (size_t i = 0; i < messages->count; i++)
			if ((int)messages->items[i].level == level)
				sorted[count++] = messages->items[i];
	for (size_t i = 0; i < count; i++)
		messages->items[i] = sorted[i];
	free(sorted);
}

void
messages_free(struct messages *messages)
{
	for (size_t i = 0; i < messages->count; i++)
		free(messages->items[i].text);
	free(messages->items);
	*messages = (struct messages){0};
}

const char *
message_level_name(enum message_level level)
{
	switch (level) {
	case MESSAGE_DETAIL:
	case MESSAGE_INFO:
		return "note";
	case MESSAGE_WARNING:
		return "warning";
	case MESSAGE_ERROR:
		return "error";
	}
	return "?";
}
