/* A list of things to tell a person, each a line with a level. Collected low, printed by programs.
 */
#ifndef VMAFFINITY_NOTES_H
#define VMAFFINITY_NOTES_H

#include <stddef.h>

enum note_level {
	NOTE_DETAIL, /* what was decided and why: for who asks, not for a log */
	NOTE_INFO,
	NOTE_WARNING,
	NOTE_ERROR,
};

struct note {
	enum note_level level;
	char *text;
};

/* A rules file full of garbage has an error a line: past this many they are only counted. */
#define NOTES_MAX 1000

/* Zero-initialised is empty. */
struct notes {
	struct note *items;
	size_t count;
	size_t errors;	/* how many NOTE_ERROR were added, kept or not */
	size_t dropped; /* how many were not kept: more than NOTES_MAX, or no memory */
};

void notes_add(struct notes *notes, enum note_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void notes_free(struct notes *notes);

/* "note" for the first two, "warning" or "error". */
const char *note_level_name(enum note_level level);

#endif
