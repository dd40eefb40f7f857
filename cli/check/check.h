/* SPDX-License-Identifier: MIT */
/* Checks the rules for the hosts and guests that were asked for. */
#ifndef VMAFFINITY_CLI_CHECK_CHECK_H
#define VMAFFINITY_CLI_CHECK_CHECK_H

#include "cli/check/report.h"
#include "cli/command.h"
#include "cli/guests.h"

#include "pin/pin.h"

struct check {
	const struct options *options;
	struct pin_host host; /* the rules */
	struct report findings;
	struct guest_xml *guests;
	size_t guest_count;
	size_t understood;    /* guests whose XML has at least a name */
	bool rules_wrong;     /* the rules have errors: hosts and guests were not looked at */
	size_t host_count;    /* hosts that were looked at */
	const char *no_guest; /* why no guest was looked at, if none was */
};

/*
 * Checks the rules that the options name, for the hosts and guests that they name. Returns 0, or -1
 * after complaining if a host or guest could not be read; check->findings has what was found. The
 * caller calls check_free() in any case.
 */
int check_run(struct check *check, const struct options *options);
void check_free(struct check *check);

#endif
