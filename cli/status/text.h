/* SPDX-License-Identifier: MIT */
#ifndef VMAFFINITY_CLI_STATUS_TEXT_H
#define VMAFFINITY_CLI_STATUS_TEXT_H

#include "cli/status/status.h"

/* Prints a guest's status as a table with remarks to stdout. Returns 0, or -1 if out of memory. */
int status_print_text(const struct status *status);

#endif
