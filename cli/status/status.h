/* SPDX-License-Identifier: MIT */
/* What "vmaffinity status" has found out of one guest, and the two ways to show it. */
#ifndef VMAFFINITY_CLI_STATUS_STATUS_H
#define VMAFFINITY_CLI_STATUS_STATUS_H

#include "guest/domain_pins.h"
#include "pin/drift.h"
#include "pin/pin.h"

#include <stdbool.h>

enum state { STATE_AS_RULED, STATE_DRIFT, STATE_NO_RULE, STATE_NOT_RUNNING, STATES };

struct status {
	enum state state;
	struct pin pin;
	struct drift drift;	 /* if it runs and a rule is about it */
	struct domain_pins pins; /* libvirt's own record, which the XML has */
};

/* Where libvirt's record has the group, if that disagrees with the rules; else NULL. */
const struct cpumask *status_record(const struct status *status, const struct drift_group *group);

/* Prints it to stdout. Returns 0, or -1 if there was no memory. */
int status_print_text(const struct status *status);
void status_print_json(const struct status *status);

#endif
