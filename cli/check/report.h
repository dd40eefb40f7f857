/* SPDX-License-Identifier: MIT */
/* What check finds, on several hosts and for several guests: said once for all that it is true of.
 */
#ifndef VMAFFINITY_CLI_CHECK_REPORT_H
#define VMAFFINITY_CLI_CHECK_REPORT_H

#include "base/messages.h"

#include <stddef.h>

struct report_entry {
	enum message_level level;
	char *text;
	char *where; /* "guest 'web-1' on rack1.txt", or NULL */
	size_t more; /* in how many places besides */
	size_t file; /* among the files of the rules, counted from 1; 0 if it is in none */
	unsigned line;
	size_t number; /* in the order in which they were found */
};

/* Zero-initialised is empty. */
struct report {
	struct report_entry *items;
	size_t count;
	size_t dropped; /* no memory for them */
};

/* Takes the warnings and errors among messages. guest and host may be NULL. */
void report_add(struct report *report, const struct messages *messages, const char *guest,
	const char *host);

/* Adds all to messages, sorted by the FILE:LINE in front of each text, FILE in the order of files.
 */
void report_flush(
	struct report *report, char *const files[], size_t count, struct messages *messages);

void report_free(struct report *report);

#endif
