/* SPDX-License-Identifier: MIT */
/* The guests whose status was asked for. */
#ifndef VMAFFINITY_CLI_STATUS_LOOKED_AT_H
#define VMAFFINITY_CLI_STATUS_LOOKED_AT_H

#include "cli/failures.h"
#include "cli/status/status.h"

/* Zero-initialised is none. */
struct looked_at {
	struct status **items;
	size_t count;
	struct failures failures;
	size_t by_state[STATES];
	size_t groups; /* thread groups that are not as ruled, of all guests */
};

#define SUMMARY_MAX 256

/* Writes "40 guests: 37 as ruled, 3 not as ruled; drift in 4 groups". Returns out. */
char *looked_at_summary(const struct looked_at *all, char out[SUMMARY_MAX]);

/* Returns the exit status of the command. */
enum exit_status looked_at_status(const struct looked_at *all);

#endif
