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

/* Returns the word for a guest of which a line is enough: nothing is wrong with it; else NULL. */
const char *status_brief_state(const struct status *status);

/* Prints that line, and warnings below it. Returns as status_print_text() does. */
int status_print_brief(const struct status *status, const struct brief_layout *layout);

#endif
