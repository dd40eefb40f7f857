/* SPDX-License-Identifier: MIT */
/* Findings for several hosts and guests, each printed once for all of them. */
#ifndef VMAFFINITY_CLI_CHECK_REPORT_H
#define VMAFFINITY_CLI_CHECK_REPORT_H

#include "base/messages.h"

#include <stddef.h>

struct report_entry {
	enum message_level level;
	char *text;
	char *where; /* "guest 'web-1' on rack1.txt", or NULL */
	size_t more; /* further places, not named */
	size_t file; /* 1 for the first of the rules' files, 0 if the text names none */
	unsigned line;
	size_t number; /* order of finding, from 0 */
};

/* Zero-initialised is empty. */
struct report {
	struct report_entry *items;
	size_t count;
	size_t dropped; /* findings that were not kept: more than MESSAGES_MAX, or no memory */
};

/* Adds the warnings and errors among messages, found for that guest and host; each may be NULL. */
void report_add(struct report *report, const struct messages *messages, const char *guest,
	const char *host);

/* Adds all findings to messages, sorted by the FILE:LINE that a text begins with, in the order of
 * files. */
void report_flush(
	struct report *report, char *const files[], size_t count, struct messages *messages);

void report_free(struct report *report);

#endif
