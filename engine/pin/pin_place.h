/* SPDX-License-Identifier: MIT */
/* From a guest's rules and cgroups to its desired state; parts of pin/pin.h. */
#ifndef VMAFFINITY_PIN_PIN_PLACE_H
#define VMAFFINITY_PIN_PIN_PLACE_H

#include "base/err.h"
#include "guest/domain.h"
#include "pin/lock.h"
#include "pin/pin.h"
#include "rules/rules.h"

#include <stdbool.h>

/* Returns what the guest's XML says, or NULL if that was not needed or could not be read. */
const struct domain *pin_known_domain(const struct pin *pin);

/* Returns the value of a placement that makes CPUs the guest's own, or NULL. */
const struct value *pin_exclusive(const struct pin *pin);

/* True if a plan with that intent is to be applied: the guest must run, and is locked. */
bool pin_is_to_apply(enum pin_intent intent);

/* Accepts a lock that was taken, or that no process can have. Returns 0, or -1 with the reason. */
int pin_accept_lock(struct pin *pin, enum lock_result locked, const struct err *e);

/*
 * Sets pin->desired, and says in pin->messages what cannot be had. For CPUs that are to be the
 * guest's own reads what other guests have, and with an intent to apply holds the lock on choosing
 * from then on. Returns 0, or -1 with the reason.
 */
int pin_place(struct pin *pin, enum pin_intent intent, struct err *e);

#endif
