/* SPDX-License-Identifier: MIT */
/* A list of messages for the administrator, each a line with a level. The engine collects them, the
 * programs print them. */
#ifndef VMAFFINITY_BASE_MESSAGES_H
#define VMAFFINITY_BASE_MESSAGES_H

#include <stddef.h>

enum message_level {
	MESSAGE_DETAIL, /* a decision and its reason: shown on request, never logged */
	MESSAGE_INFO,
	MESSAGE_WARNING,
	MESSAGE_ERROR,
};

struct message {
	enum message_level level;
	const char *code; /* a stable word for what is said, for programs: "cpu-shared"; static */
	char *text;
};

/* Messages kept; a file of garbage has an error on each line. More are only counted. */
#define MESSAGES_MAX 1000

/* Zero-initialised, it is an empty list. */
struct messages {
	struct message *items;
	size_t count;
	size_t errors;	/* MESSAGE_ERROR added, kept or not */
	size_t dropped; /* not kept: more than MESSAGES_MAX, or no memory */
};

/*
 * Adds a line. A full list drops its last line of a lower level for it. Without room or memory for
 * it, counts it in dropped.
 */
void messages_add(struct messages *messages, enum message_level level, const char *code,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Sorts the lines by level, errors first; lines of one level keep their order. */
void messages_sort(struct messages *messages);

/* Frees the lines and makes messages empty. */
void messages_free(struct messages *messages);

/* Returns a level's word for output: "note" for the first two levels, "warning" or "error". */
const char *message_level_name(enum message_level level);

#endif
