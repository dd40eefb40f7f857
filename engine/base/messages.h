/* SPDX-License-Identifier: MIT */
/* A list of things to tell a person, each a line with a level. Collected low, printed by programs.
 */
#ifndef VMAFFINITY_BASE_MESSAGES_H
#define VMAFFINITY_BASE_MESSAGES_H

#include <stddef.h>

enum message_level {
	MESSAGE_DETAIL, /* what was decided and why: for who asks, not for a log */
	MESSAGE_INFO,
	MESSAGE_WARNING,
	MESSAGE_ERROR,
};

struct message {
	enum message_level level;
	char *text;
};

/* A rules file full of garbage has an error a line: past this many they are only counted. */
#define MESSAGES_MAX 1000

/* Zero-initialised is empty. */
struct messages {
	struct message *items;
	size_t count;
	size_t errors;	/* how many MESSAGE_ERROR were added, kept or not */
	size_t dropped; /* how many were not kept: more than MESSAGES_MAX, or no memory */
};

void messages_add(struct messages *messages, enum message_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void messages_free(struct messages *messages);

/* "note" for the first two, "warning" or "error". */
const char *message_level_name(enum message_level level);

#endif
