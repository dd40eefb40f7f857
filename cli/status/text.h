/* SPDX-License-Identifier: MIT */
#ifndef VMAFFINITY_CLI_STATUS_TEXT_H
#define VMAFFINITY_CLI_STATUS_TEXT_H

#include "cli/brief.h"
#include "cli/status/status.h"

/*
 * Prints a guest's status as a table with remarks to stdout; wide: no cell of it is broken. Returns
 * 0, or -1 if out of memory.
 */
int status_print_text(const struct status *status, bool wide);

/* True if a line is enough: nothing is wrong with the guest. */
bool status_is_brief(const struct status *status);

/* Prints that line, and warnings below it. layout has been fitted to each of these guests. */
void status_fit_brief(const struct status *status, struct brief_layout *layout);
int status_print_brief(const struct status *status, const struct brief_layout *layout);

#endif
