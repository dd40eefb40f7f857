/* SPDX-License-Identifier: MIT */
/* JSON values that several commands print with --json. */
#ifndef VMAFFINITY_CLI_JSON_H
#define VMAFFINITY_CLI_JSON_H

#include "base/messages.h"
#include "pin/pin.h"

#include <json-c/json.h>

/* Makes a string of a file's name or text; bytes that are not UTF-8 are written as \\xNN. */
json_object *json_text(const char *text);

/* Makes the string "FILE:LINE". */
json_object *json_place(const char *file, unsigned line);

/* Makes a string in the kernel's list form; null if mask is NULL. */
json_object *json_mask(const struct cpumask *mask);

/* Makes the object of a guest, with its guest, id, uuid and rules. */
json_object *json_guest(const struct pin *pin);

/* Makes an array of {"level": "warning", "text": "..."}. */
json_object *json_messages(const struct messages *messages);

/* Prints object on one line to stdout and frees it. */
void json_print(json_object *object);

#endif
