/* SPDX-License-Identifier: MIT */
/* One guest compared with the rules. */
#ifndef VMAFFINITY_CLI_STATUS_STATUS_H
#define VMAFFINITY_CLI_STATUS_STATUS_H

#include "cli/guests.h"

#include "guest/domain_pins.h"
#include "pin/drift.h"
#include "pin/pin.h"

enum state {
	STATE_AS_RULED,
	STATE_DRIFT,
	STATE_NO_RULE,
	STATE_NOT_RUNNING,
	STATE_ELSEWHERE,
	STATES
};

struct status {
	enum state state;
	bool ended;	 /* it was there at first */
	const char *uri; /* with STATE_ELSEWHERE: the daemon under which it runs */
	struct pin pin;
	struct drift drift;	 /* empty unless the guest runs and a rule matches it */
	struct domain_pins pins; /* the pins that libvirt has on record for the running guest */
};

/*
 * Compares a guest with the rules. Returns 0, or -1 with the reason. The caller calls status_free()
 * in any case, also if this was not called and *status is {.pin = {.lock = -1}}.
 */
int status_read(
	struct status *status, struct pin_host *host, const struct guest_xml *xml, struct err *e);
void status_free(struct status *status);

/* Returns libvirt's record of a group's CPUs if it disagrees with the rules, else NULL. */
const struct cpumask *status_record(const struct status *status, const struct drift_group *group);

#endif
