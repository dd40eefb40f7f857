/* SPDX-License-Identifier: MIT */
/* The nodes that a guest's memory is to come from: the value of "memory". */
#ifndef VMAFFINITY_DESIRED_MEMORY_NODES_H
#define VMAFFINITY_DESIRED_MEMORY_NODES_H

#include "base/cpumask.h"
#include "base/err.h"
#include "base/messages.h"
#include "host/topology.h"
#include "rules/rules.h"

#include <stdbool.h>

/* Nodes 0..1023: CONFIG_NODES_SHIFT is 10 in the largest kernels that distributions build. */
#define MEMORY_NODES_MAX 1024u

/*
 * What a rule wishes for a guest's memory; zero-initialised: no rule says anything. A set of nodes
 * is a struct cpumask of their numbers, for the kernel writes both lists alike.
 */
struct memory {
	const struct value *value; /* that decides; NULL: none */
	bool wanted;		   /* else the memory is left where libvirt has it */
	struct cpumask requested;  /* the nodes that the value means */
	struct cpumask nodes;	   /* of these, the usable ones; may be empty */
};

/* Checks every "memory" in rules as far as that needs no host; adds each error to messages. */
void memory_nodes_check_rules(const struct rules *rules, struct messages *messages);

/*
 * Fills in *memory, whose value is there. cpus are those of the guest's vCPUs, for "auto"; usable
 * are the nodes that there are for the guest. Of the host only what value needs is read. Returns 0,
 * or -1 with the reason.
 */
int memory_nodes_place(struct memory *memory, struct topology *topology, const struct cpumask *cpus,
	const struct cpumask *usable, struct err *e);

#endif
