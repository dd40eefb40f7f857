/* SPDX-License-Identifier: MIT */
#ifndef VMAFFINITY_CLI_PLAN_JSON_H
#define VMAFFINITY_CLI_PLAN_JSON_H

#include "pin/pin.h"

/* Prints a guest's plan to stdout as a JSON object. */
void plan_print_json(const struct pin *pin);

#endif
