#include "base/messages.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void
notes_add(struct notes *notes, enum note_level level, const char *format, ...)
{
	if (level == NOTE_ERROR)
		notes->errors++;
	char *text = NULL;
	va_list args;
	va_start(args, format);
	if (notes->count >= NOTES_MAX || vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	struct note *items = NULL;
	if (text != NULL)
		items = realloc(notes->items, (notes->count + 1) * sizeof(*items));
	if (items == NULL) {
		free(text);
		notes->dropped++;
		return;
	}
	notes->items = items;
	items[notes->count++] = (struct note){.level = level, .text = text};
}

void
notes_free(struct notes *notes)
{
	for (size_t i = 0; i < notes->count; i++)
		free(notes->items[i].text);
	free(notes->items);
	*notes = (struct notes){0};
}

const char *
note_level_name(enum note_level level)
{
	switch (level) {
	case NOTE_DETAIL:
	case NOTE_INFO:
		return "note";
	case NOTE_WARNING:
		return "warning";
	case NOTE_ERROR:
		return "error";
	}
	return "?";
}
