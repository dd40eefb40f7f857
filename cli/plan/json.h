/* SPDX-License-Identifier: MIT */
#ifndef VMAFFINITY_CLI_PLAN_JSON_H
#define VMAFFINITY_CLI_PLAN_JSON_H

#include "cli/json.h"

/* Makes the object of a guest's plan. */
json_object *plan_json(const struct pin *pin);

#endif
