/* SPDX-License-Identifier: MIT */
/* The memory nodes of one guest: those that its rule asks for, and those that it has without one.
 */
#ifndef VMAFFINITY_PIN_PIN_MEMORY_H
#define VMAFFINITY_PIN_PIN_MEMORY_H

#include "base/cpumask.h"
#include "base/err.h"
#include "pin/pin.h"

/*
 * Fills in pin->desired.memory where a rule is about it, and reads the nodes that the running guest
 * has. usable_cpus: the CPUs that the guest may have. What cannot be read costs the guest no CPU
 * where the rule says "auto": that is a warning. Returns 0, or -1 with the reason.
 */
int pin_memory_place(struct pin *pin, const struct cpumask *usable_cpus, struct err *e);

/*
 * Reads the nodes that a running guest has, where no rule is about them, for pin_give_back(): none
 * if that fails, or if there is one node, which every guest has.
 */
void pin_memory_read_left(struct pin *pin);

#endif
