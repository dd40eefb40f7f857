/* SPDX-License-Identifier: MIT */
/* What --json output has in common. */
#ifndef VMAFFINITY_CLI_JSON_H
#define VMAFFINITY_CLI_JSON_H

#include "base/messages.h"
#include "pin/pin.h"

#include <json-c/json.h>

/* A file's name or text: what is not UTF-8, which JSON must be, is written as \\xNN. */
json_object *json_text(const char *text);

/* "FILE:LINE". */
json_object *json_place(const char *file, unsigned line);

/* In the kernel's list form; null if there is no mask. */
json_object *json_mask(const struct cpumask *mask);

/* What stands first in the object of a guest: guest, id, uuid, rules. */
json_object *json_guest(const struct pin *pin);

/* An array of {"level": "warning", "text": "..."}. */
json_object *json_messages(const struct messages *messages);

/* Prints object on one line, and frees it. */
void json_print(json_object *object);

#endif
