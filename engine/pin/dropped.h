/* SPDX-License-Identifier: MIT */
/* Explains which requested CPUs and nodes a guest cannot have, in the administrator's words. */
#ifndef VMAFFINITY_PIN_DROPPED_H
#define VMAFFINITY_PIN_DROPPED_H

#include "base/messages.h"
#include "cgroup/cgroup.h"
#include "cgroup/partition.h"
#include "desired/claims.h"
#include "desired/desired.h"
#include "host/topology.h"

/*
 * Adds to messages a warning for each setting that requests more than the guest can have, with what
 * is left out and why; an error if nothing is left. cgroup: NULL if the guest does not run.
 * partition: the limit of one that does not, or NULL. claims: the CPUs that other guests have to
 * themselves, if any are known; they are no more than a note.
 */
void dropped_note(const struct desired *desired, struct topology *topology,
	const struct cgroup *cgroup, const struct partition *partition, const struct claims *claims,
	struct messages *messages);

#endif
