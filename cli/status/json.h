/* SPDX-License-Identifier: MIT */
#ifndef VMAFFINITY_CLI_STATUS_JSON_H
#define VMAFFINITY_CLI_STATUS_JSON_H

#include "cli/status/status.h"

/* Prints a guest's status as one JSON object on one line to stdout. */
void status_print_json(const struct status *status);

#endif
