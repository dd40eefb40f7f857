/* SPDX-License-Identifier: MIT */
/* Findings for several hosts and guests, each printed once for all of them. */
#ifndef VMAFFINITY_CLI_CHECK_REPORT_H
#define VMAFFINITY_CLI_CHECK_REPORT_H

#include "cli/place.h"

#include "base/messages.h"

#include <stddef.h>

/* Where a finding is true: for a guest, on a host, or both. */
struct report_place {
	char *guest;	  /* its name, or NULL */
	const char *host; /* the file that describes it, or NULL; not owned */
};

struct report_entry {
	enum message_level level;
	const char *code; /* of the message */
	char *text;
	struct report_place *places;
	size_t place_count;
	struct place place; /* that the text begins with; set by report_sort() */
	size_t number;	    /* order of finding, from 0 */
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

/* Sorts the findings by the FILE:LINE that a text begins with, in the order of files. */
void report_sort(struct report *report, char *const files[], size_t count);

/* Returns the number of errors, those that were not kept included. */
size_t report_errors(const struct report *report);

/* Prints all findings to stdout, each with all of its places. */
void report_print(const struct report *report);

void report_free(struct report *report);

#endif
