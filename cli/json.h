/* SPDX-License-Identifier: MIT */
/* JSON values that several commands print with --json. */
#ifndef VMAFFINITY_CLI_JSON_H
#define VMAFFINITY_CLI_JSON_H

#include "cli/place.h"

#include "base/messages.h"
#include "pin/pin.h"

#include <json-c/json.h>

/* Makes a string of a file's name or text; bytes that are not UTF-8 are written as \\xNN. */
json_object *json_text(const char *text);

/* Makes the object {"file": "...", "line": 4}. */
json_object *json_place(const char *file, unsigned line);

/* Makes a string in the kernel's list form; null if mask is NULL. */
json_object *json_mask(const struct cpumask *mask);

/* Makes the document that every command prints with --json: {"version": 1, "error": null}. */
json_object *json_document(void);

/* Makes the object of a guest, with its guest, id, uuid, error (null) and rules. */
json_object *json_guest(const struct pin *pin);

/* Makes the object of a guest that could not be looked at, with its guest and error. */
json_object *json_failed_guest(const char *name, const char *error);

/* Makes {"level", "code", "file", "line", "column", "text"}; null for what is not known. */
json_object *json_message(
	enum message_level level, const char *code, const struct place *place, char *const files[]);

/* Makes an array of those objects, of messages about these rules. */
json_object *json_messages(const struct messages *messages, const struct rules *rules);

/* Prints object on one line to stdout and frees it. */
void json_print(json_object *object);

#endif
