/* SPDX-License-Identifier: MIT */
#include "pin/pin_memory.h"

#include "desired/build.h"
#include "desired/memory_nodes.h"

/*
 * Returns the CPUs that vCPUs may use: as the rules say or, where they say nothing, as they may
 * now; all of usable if that is not known. Of a guest that runs only vCPUs that are there count, so
 * that the same comes out whether its XML was read or not.
 */
static struct cpumask
vcpu_cpus(const struct pin *pin, const struct cpumask *usable)
{
	struct cpumask cpus = {0};
	for (size_t i = 0; i < pin->desired.group_count; i++) {
		const struct desired_group *group = &pin->desired.groups[i];
		if (!pin->running && group->group.kind == GROUP_VCPU)
			cpumask_or(&cpus, group->mask != NULL ? &group->mask->cpus : usable);
	}
	for (size_t i = 0; pin->running && i < pin->cgroup.group_count; i++) {
		const struct cgroup_child *there = &pin->cgroup.groups[i];
		const struct desired_mask *mask = desired_find(&pin->desired, there->group)->mask;
		if (there->group.kind == GROUP_VCPU && mask != NULL)
			cpumask_or(&cpus, &mask->cpus);
		else if (there->group.kind == GROUP_VCPU)
			cpumask_or(&cpus, cpumask_empty(&there->now) ? usable : &there->now);
	}
	return cpus;
}

/* Finds the nodes that the rule names, of those that the guest can be given. */
static int
read_memory(struct pin *pin, const struct cpumask *usable_cpus, struct err *e)
{
	const struct memory *memory = &pin->desired.memory;
	const struct cpumask *usable = &pin->cgroup.nodes;
	if (pin->running && cgroup_read_memory(&pin->cgroup, e) != 0)
		return -1;
	if (!pin->running &&
		topology_get(&pin->host->topology, TOPOLOGY_MEMORY_NODES, &usable, e) != 0)
		return -1;
	const struct cpumask cpus = vcpu_cpus(pin, usable_cpus);
	if (desired_build_memory(&pin->desired, &pin->matched, &pin->host->topology, &cpus, usable,
		    &pin->messages, e) != 0)
		return -1;
	char list[128];
	if (memory->wanted && !cpumask_subset(&pin->domain.numatune, &memory->nodes))
		messages_add(&pin->messages, MESSAGE_DETAIL, "numatune-overridden",
			"%s:%u: memory overrides this guest's own <numatune> (nodeset %s)",
			memory->value->file, memory->value->line,
			cpumask_format(&pin->domain.numatune, list, sizeof(list)));
	return 0;
}

int
pin_memory_place(struct pin *pin, const struct cpumask *usable_cpus, struct err *e)
{
	const struct value *value = rules_memory(&pin->matched);
	if (value == NULL || read_memory(pin, usable_cpus, e) == 0)
		return 0;
	if (!memory_nodes_is_auto(value))
		return -1;
	pin->desired.memory = (struct memory){.value = value, .automatic = true};
	memory_nodes_report_left(value, e->text, &pin->messages);
	return 0;
}

void
pin_memory_read_left(struct pin *pin)
{
	struct cgroup *cgroup = &pin->cgroup;
	struct err ignored;
	if (cgroup_read_granted_nodes(cgroup, &ignored) != 0 || cpumask_count(&cgroup->nodes) < 2 ||
		cgroup_read_memory(cgroup, &ignored) != 0)
		cgroup->nodes = (struct cpumask){0};
}
