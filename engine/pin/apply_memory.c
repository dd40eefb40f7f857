/* SPDX-License-Identifier: MIT */
/* Writes memory nodes group by group, reads them back, and undoes all if one fails. */
#include "pin/apply_memory.h"

static int
write_step(const struct plan *plan, const struct plan_step *step, const struct cgroup *cgroup,
	size_t *written, struct err *e)
{
	char name[THREAD_GROUP_NAME_MAX], list[128];
	const struct cpumask none = {0};
	if (cgroup_write_mask(cgroup, step->group, "cpuset.mems",
		    plan->nodes_inherit ? &none : plan->nodes) == 0)
		++*written;
	else if (cgroup_has_group(cgroup, step->group))
		return err_errno(e, "cannot write %s to %s/%s/cpuset.mems",
			cpumask_format(plan->nodes, list, sizeof(list)), cgroup->path,
			thread_group_name(step->group, name));
	return 0;
}

/* Reads the nodes that the kernel grants: cgroup v2 takes any and grants what it can. */
static int
verify_step(const struct plan *plan, const struct plan_step *step, const struct cgroup *cgroup,
	struct err *e)
{
	char name[THREAD_GROUP_NAME_MAX], want[128], have[128];
	struct cpumask granted;
	if (cgroup_read_mask(
		    cgroup, step->group, cgroup_effective_nodes_file(cgroup), &granted, e) != 0)
		return cgroup_has_group(cgroup, step->group) ? -1 : 0;
	if (cpumask_equal(&granted, plan->nodes))
		return 0;
	return err_set(e, "%s/%s: asked for memory nodes %s, the kernel grants %s", cgroup->path,
		thread_group_name(step->group, name),
		cpumask_format(plan->nodes, want, sizeof(want)),
		cpumask_format(&granted, have, sizeof(have)));
}

/* Puts back the nodes of the steps before end, the last first. Returns how many failed. */
static size_t
apply_memory_undo(const struct plan *plan, const struct plan_step *end, const struct cgroup *cgroup)
{
	size_t failures = 0;
	while (end-- > plan->steps)
		if (end->write_nodes &&
			cgroup_write_mask(cgroup, end->group, "cpuset.mems", end->nodes_now) != 0 &&
			cgroup_has_group(cgroup, end->group))
			failures++;
	return failures;
}

int
apply_memory(const struct plan *plan, const struct cgroup *cgroup, struct apply_result *result,
	struct err *e)
{
	const struct plan_step *end = plan->steps + plan->step_count, *step = plan->steps;
	int r = 0;
	for (; step < end && r == 0; step++)
		if (step->write_nodes)
			r = write_step(plan, step, cgroup, &result->nodes, e);
	if (r != 0)
		end = step - 1; /* the failed step was not written */
	for (step = plan->steps; step < end && r == 0; step++)
		if (step->write_nodes)
			r = verify_step(plan, step, cgroup, e);
	size_t failures = r != 0 ? apply_memory_undo(plan, end, cgroup) : 0;
	if (failures > 0)
		err_context(e,
			"the memory nodes of %zu groups could not be put back after this failure",
			failures);
	return r;
}
