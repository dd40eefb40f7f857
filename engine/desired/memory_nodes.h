/* SPDX-License-Identifier: MIT */
/* Evaluates the value of "memory": the nodes that a guest's memory should come from. */
#ifndef VMAFFINITY_DESIRED_MEMORY_NODES_H
#define VMAFFINITY_DESIRED_MEMORY_NODES_H

#include "base/cpumask.h"
#include "base/err.h"
#include "base/messages.h"
#include "desired/desired.h"
#include "host/topology.h"
#include "rules/rules.h"

/* Nodes are 0..1023: CONFIG_NODES_SHIFT is at most 10 in the kernels of distributions. */
#define MEMORY_NODES_MAX 1024u

/* True if a value of "memory" is "auto": a wish that costs no guest its CPUs. */
bool memory_nodes_is_auto(const struct value *value);

/* Adds the warning that "auto" leaves the guest's memory as it is, and why. */
void memory_nodes_report_left(
	const struct value *value, const char *why, struct messages *messages);

/* Checks every "memory" in rules as far as no host is needed; adds each error to messages. */
void memory_nodes_check_rules(const struct rules *rules, struct messages *messages);

/*
 * Fills in *memory, whose value is set. cpus: the CPUs of the guest's vCPUs, for "auto"; usable:
 * the nodes that the guest can be given. Reads only what the value needs of the host. For
 * "auto" a node that is not usable is replaced by the usable ones nearest to it, with a message,
 * and without any the memory is not wanted. Returns 0, or -1 with the reason, which is none to
 * leave CPUs as they are if the value is "auto".
 */
int memory_nodes_place(struct memory *memory, struct topology *topology, const struct cpumask *cpus,
	const struct cpumask *usable, struct messages *messages, struct err *e);

#endif
