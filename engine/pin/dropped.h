/* SPDX-License-Identifier: MIT */
/* What the rules want for a guest and it cannot have, in the administrator's words. */
#ifndef VMAFFINITY_PIN_DROPPED_H
#define VMAFFINITY_PIN_DROPPED_H

#include "base/messages.h"
#include "cgroup/cgroup.h"
#include "desired/desired.h"
#include "host/topology.h"

/*
 * A warning for each setting that asks for more than there is, naming what is left out and what
 * keeps the guest from it; an error if nothing is left. cgroup is NULL if the guest does not run.
 */
void dropped_note(const struct desired *desired, struct topology *topology,
	const struct cgroup *cgroup, struct messages *messages);

#endif
