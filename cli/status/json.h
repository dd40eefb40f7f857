/* SPDX-License-Identifier: MIT */
#ifndef VMAFFINITY_CLI_STATUS_JSON_H
#define VMAFFINITY_CLI_STATUS_JSON_H

#include "cli/json.h"
#include "cli/status/status.h"

/* Returns the word for a state, without a blank: "as-ruled". */
const char *status_state_name(enum state state);

/* Makes the object of a guest's status. */
json_object *status_json(const struct status *status);

#endif
