/* SPDX-License-Identifier: MIT */
/* Reports to programs that a command could look at no guest. */
#ifndef VMAFFINITY_CLI_NO_GUESTS_H
#define VMAFFINITY_CLI_NO_GUESTS_H

#include "cli/command.h"

#include "rules/rules.h"

/*
 * With --json, --metrics or --nagios, prints to stdout in that form that no guest could be looked
 * at, for that reason, and that the command ends with status. messages are about these rules; both
 * may be NULL. People are told on stderr, by the caller.
 */
void no_guests_print(const struct options *options, enum exit_status status, const char *why,
	const struct messages *messages, const struct rules *rules);

/* Prints the metric of --metrics that says if guests could be looked at. */
void no_guests_print_metric(bool success);

#endif
