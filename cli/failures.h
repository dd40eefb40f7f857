/* SPDX-License-Identifier: MIT */
/* The guests that a command could not look at, or not pin, each with the reason. */
#ifndef VMAFFINITY_CLI_FAILURES_H
#define VMAFFINITY_CLI_FAILURES_H

#include <json-c/json.h>

#include <stdbool.h>
#include <stddef.h>

struct failure {
	char *name; /* of the guest, or what the command line says for it */
	char *why;
};

/* Zero-initialised is none. */
struct failures {
	struct failure *items; /* those for which there was memory */
	size_t kept;
	size_t count;
};

/* Complains "NAME: WHY", and counts and keeps it. */
void failures_add(struct failures *failures, const char *name, const char *why);

/* True if one of the first `count` has that name. */
bool failures_has(const struct failures *failures, size_t count, const char *name);

/* Appends an object for each to array: see json_failed_guest(). */
void failures_to_json(const struct failures *failures, json_object *array);

/* Prints a document whose "guests" are those of array, which it frees, and the failures. */
void failures_print_json(const struct failures *failures, json_object *array);

void failures_free(struct failures *failures);

#endif
