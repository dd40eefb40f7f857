/* SPDX-License-Identifier: MIT */
/* Findings for several hosts and guests, each printed once for all of them. */
#ifndef VMAFFINITY_CLI_CHECK_REPORT_H
#define VMAFFINITY_CLI_CHECK_REPORT_H

#include "base/messages.h"

#include <stddef.h>

/* Where a finding is true: for a guest, on a host, or both. */
struct report_place {
	char *guest;	  /* its name, or NULL */
	const char *host; /* the file that describes it, or NULL; not owned */
};

struct report_entry {
	enum message_level level;
	char *text;
	struct report_place *places;
	size_t place_count;
	size_t file; /* 1 for the first of the rules' files, 0 if the text names none */
	unsigned line;
	size_t number; /* order of finding, from 0 */
};

/* Zero-initialised is empty. */
struct report {
	struct report_entry *items;
	size_t count;
	size_t dropped; /* findings that were not kept: more than MESSAGES_MAX, or no memory */
	size_t dropped_errors; /* errors among them */
};

/*
 * Adds the warnings and errors among messages, found for that guest and host; each may be NULL.
 * host must live until report_free().
 */
void report_add(struct report *report, const struct messages *messages, const char *guest,
	const char *host);

/*
 * Adds all findings to messages, each with all of its places, sorted by the FILE:LINE that a text
 * begins with, in the order of files.
 */
void report_flush(
	struct report *report, char *const files[], size_t count, struct messages *messages);

void report_free(struct report *report);

#endif
