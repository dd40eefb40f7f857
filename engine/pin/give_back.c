/* SPDX-License-Identifier: MIT */
/* Plans what libvirt would give to groups that no rule decides. */
#include "pin/give_back.h"

#include "pin/affinity.h"

#include <stdlib.h>

/* True if no rule decides the group; "keep" is a decision. */
static bool
is_undecided(const struct plan_step *step)
{
	return step->setting == NULL && step->cpus == NULL && step->now != NULL;
}

/* Returns the CPUs that a group has; on cgroup v2 an empty mask is the parent's. */
static const struct cpumask *
cpus_now(const struct plan_step *step, const struct cgroup *cgroup)
{
	return cpumask_empty(step->now) ? &cgroup->allowed : step->now;
}

/* True if no rule decides the nodes, which have been read. */
static bool
has_undecided_nodes(const struct plan_step *step, const struct cgroup *cgroup)
{
	return step->nodes_now == NULL && !cpumask_empty(&cgroup->nodes);
}

/* Returns the nodes that a group has; on cgroup v2 an empty set is the parent's. */
static const struct cpumask *
nodes_now(const struct cgroup_child *group, const struct cgroup *cgroup)
{
	return cpumask_empty(&group->nodes) ? &cgroup->nodes : &group->nodes;
}

bool
give_back_is_asked(const struct plan *plan, const struct cgroup *cgroup)
{
	for (size_t i = 0; i < plan->step_count; i++) {
		const struct plan_step *step = &plan->steps[i];
		if (step->release)
			return true;
		if (is_undecided(step) &&
			(!cpumask_subset(&cgroup->allowed, cpus_now(step, cgroup)) ||
				!affinity_is_settled(cgroup, step->group, &cgroup->allowed)))
			return true;
		if (has_undecided_nodes(step, cgroup) &&
			!cpumask_subset(&cgroup->nodes, nodes_now(&cgroup->groups[i], cgroup)))
			return true;
	}
	return false;
}

/* True if numad has chosen the group's CPUs: libvirt's XML does not say which. */
static bool
is_unknown(const struct domain_pins *record, struct thread_group group)
{
	return record->automatic && domain_pins_find(record, group) == NULL;
}

/* Sets *cpus to what libvirt would give a group. Returns false if that is all there is. */
static bool
recorded_cpus(const struct cgroup *cgroup, const struct domain_pins *record,
	struct thread_group group, struct cpumask *cpus)
{
	const struct cpumask *pinned = domain_pins_find(record, group);
	*cpus = cgroup->allowed;
	if (pinned == NULL)
		return false;
	cpumask_and(cpus, pinned);
	if (!cpumask_empty(cpus))
		return true;
	*cpus = cgroup->allowed;
	return false;
}

/*
 * True if all threads of a group keep to cpus. QEMU starts on the CPUs of the nodes in a strict
 * <numatune>; libvirt frees only its main thread later (qemuProcessInitCpuAffinity(),
 * src/qemu/qemu_process.c), so that the emulator's other threads are as libvirt left them.
 */
static bool
is_settled(const struct cgroup *cgroup, const struct domain_pins *record, struct thread_group group,
	const struct cpumask *cpus)
{
	bool by_nodes = !cpumask_empty(&record->nodes) || record->nodes_automatic;
	return (by_nodes && group.kind == GROUP_EMULATOR) ||
	       affinity_is_settled(cgroup, group, cpus);
}

/* Plans the nodes of all groups, as give_back() does their CPUs. Returns how many lack them. */
static size_t
give_back_nodes(struct plan *plan, const struct cgroup *cgroup, const struct domain_pins *record,
	struct cpumask *nodes)
{
	size_t count = 0;
	if (plan->step_count == 0 || !has_undecided_nodes(plan->steps, cgroup) ||
		record->automatic || record->nodes_automatic)
		return 0;
	*nodes = cgroup->nodes;
	cpumask_and(nodes, &record->nodes);
	bool inherit = cpumask_empty(nodes);
	if (inherit)
		*nodes = cgroup->nodes;
	for (size_t i = 0; i < plan->step_count; i++) {
		struct plan_step *step = &plan->steps[i];
		step->write_nodes = !cpumask_equal(nodes_now(&cgroup->groups[i], cgroup), nodes);
		if (!step->write_nodes)
			continue;
		step->nodes_now = &cgroup->groups[i].nodes;
		count++;
	}
	if (count == 0)
		return 0;
	plan->nodes = nodes;
	plan->nodes_given = true;
	plan->nodes_inherit = inherit && cgroup->v2;
	plan->nodes_optional = true; /* no reason to leave CPUs as they are */
	return count;
}

int
give_back(struct plan *plan, const struct cgroup *cgroup, const struct domain_pins *record,
	struct cpumask **masks, size_t *count)
{
	*count = 0;
	*masks = calloc(plan->step_count + 1, sizeof(**masks));
	if (*masks == NULL)
		return -1;
	size_t memory = give_back_nodes(plan, cgroup, record, &(*masks)[plan->step_count]);
	for (size_t i = 0; i < plan->step_count; i++) {
		struct plan_step *step = &plan->steps[i];
		struct cpumask *cpus = &(*masks)[*count], now;
		if (!is_undecided(step) || is_unknown(record, step->group))
			continue;
		bool pinned = recorded_cpus(cgroup, record, step->group, cpus);
		now = *cpus_now(step, cgroup);
		cpumask_and(&now, &cgroup->allowed);
		step->write = !cpumask_equal(&now, cpus);
		if (!step->write && !step->release && is_settled(cgroup, record, step->group, cpus))
			continue;
		step->cpus = cpus;
		step->given = true;
		step->inherit = cgroup->v2 && !pinned;
		++*count;
	}
	*count += memory;
	return 0;
}
