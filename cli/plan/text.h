/* SPDX-License-Identifier: MIT */
#ifndef VMAFFINITY_CLI_PLAN_TEXT_H
#define VMAFFINITY_CLI_PLAN_TEXT_H

#include "cli/brief.h"
#include "pin/pin.h"

/*
 * Prints a guest's plan as a table with remarks to stdout; wide: no cell of it is broken. Returns
 * 0, or -1 without memory.
 */
int plan_print_text(const struct pin *pin, bool wide);

/* Returns how many groups of a running guest have other CPUs or nodes than the plan's. */
size_t plan_changes(const struct pin *pin);

/*
 * Returns the word for a guest of which a line is enough: nothing would change, and nothing is to
 * be said. NULL for others.
 */
const char *plan_brief_state(const struct pin *pin);

/* Prints that line. layout has been fitted to each of these guests. Returns as plan_print_text()
 * does. */
int plan_print_brief(const struct pin *pin, const struct brief_layout *layout);

#endif
