#include "pin/apply_memory.h"

static int
write_step(const struct plan *plan, const struct plan_step *step, const struct scope *scope,
	size_t *written, struct err *e)
{
	char name[GROUP_NAME_MAX], list[128];
	if (scope_write_mask(scope, step->group, "cpuset.mems", plan->nodes) == 0)
		++*written;
	else if (scope_has_group(scope, step->group))
		return err_errno(e, "cannot write %s to %s/%s/cpuset.mems",
			cpumask_format(plan->nodes, list, sizeof(list)), scope->path,
			group_name(step->group, name));
	return 0;
}

/* cgroup v2 takes any nodes and grants what it can. */
static int
verify_step(const struct plan *plan, const struct plan_step *step, const struct scope *scope,
	struct err *e)
{
	char name[GROUP_NAME_MAX], want[128], have[128];
	struct cpumask granted;
	if (scope_read_mask(scope, step->group, scope_effective_nodes_file(scope), &granted, e) !=
		0)
		return scope_has_group(scope, step->group) ? -1 : 0;
	if (cpumask_equal(&granted, plan->nodes))
		return 0;
	return err_set(e, "%s/%s: asked for memory nodes %s, the kernel grants %s", scope->path,
		group_name(step->group, name), cpumask_format(plan->nodes, want, sizeof(want)),
		cpumask_format(&granted, have, sizeof(have)));
}

/* Of the steps up to end, the last first; returns how many could not be put back. */
static size_t
undo(const struct plan *plan, const struct plan_step *end, const struct scope *scope)
{
	size_t failures = 0;
	while (end-- > plan->steps)
		if (end->write_nodes &&
			scope_write_mask(scope, end->group, "cpuset.mems", end->nodes_now) != 0 &&
			scope_has_group(scope, end->group))
			failures++;
	return failures;
}

int
apply_memory(const struct plan *plan, const struct scope *scope, struct apply_result *result,
	struct err *e)
{
	const struct plan_step *end = plan->steps + plan->step_count, *step = plan->steps;
	int r = 0;
	for (; step < end && r == 0; step++)
		if (step->write_nodes)
			r = write_step(plan, step, scope, &result->nodes, e);
	if (r != 0)
		end = step - 1; /* which was not written */
	for (step = plan->steps; step < end && r == 0; step++)
		if (step->write_nodes)
			r = verify_step(plan, step, scope, e);
	size_t failures = r != 0 ? undo(plan, end, scope) : 0;
	if (failures > 0)
		err_context(e,
			"the memory nodes of %zu groups could not be put back after this failure",
			failures);
	return r;
}
