/* SPDX-License-Identifier: MIT */
#include "base/messages.h"
#include "base/array.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void
messages_add(struct messages *messages, enum message_level level, const char *format, ...)
{
	if (level == MESSAGE_ERROR)
		messages->errors++;
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
	items[messages->count++] = (struct message){.level = level, .text = text};
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
