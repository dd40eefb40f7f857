/* SPDX-License-Identifier: MIT */
/* The frame of the commands that work by the rules. */
#ifndef VMAFFINITY_CLI_WITH_RULES_H
#define VMAFFINITY_CLI_WITH_RULES_H

#include "cli/command.h"

#include "pin/pin.h"

/*
 * Reads the rules of --config or of their standard places and calls run with them. Prints the
 * messages about the rules to stderr, and for programs what no_guests_print() does. Returns what
 * run returns, or EXIT_WRONG if the rules have an error: then run is not called.
 */
enum exit_status with_rules(const struct options *options,
	enum exit_status (*run)(const struct options *options, struct pin_host *host));

#endif
