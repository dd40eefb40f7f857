/* SPDX-License-Identifier: MIT */
/* Plans what libvirt would give to groups that no rule decides. */
#include "pin/give_back.h"

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

bool
give_back_is_asked(const struct plan *plan, const struct cgroup *cgroup)
{
	for (size_t i = 0; i < plan->step_count; i++)
		if (is_undecided(&plan->steps[i]) &&
			!cpumask_subset(&cgroup->allowed, cpus_now(&plan->steps[i], cgroup)))
			return true;
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

int
give_back(struct plan *plan, const struct cgroup *cgroup, const struct domain_pins *record,
	struct cpumask **masks, size_t *count)
{
	*count = 0;
	*masks = calloc(plan->step_count + 1, sizeof(**masks));
	if (*masks == NULL)
		return -1;
	for (size_t i = 0; i < plan->step_count; i++) {
		struct plan_step *step = &plan->steps[i];
		struct cpumask *cpus = &(*masks)[*count], now;
		if (!is_undecided(step) || is_unknown(record, step->group))
			continue;
		bool pinned = recorded_cpus(cgroup, record, step->group, cpus);
		now = *cpus_now(step, cgroup);
		cpumask_and(&now, &cgroup->allowed);
		if (cpumask_equal(&now, cpus))
			continue;
		step->cpus = cpus;
		step->write = step->given = true;
		step->inherit = cgroup->v2 && !pinned;
		++*count;
	}
	return 0;
}
