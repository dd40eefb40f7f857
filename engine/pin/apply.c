/* SPDX-License-Identifier: MIT */
/* Carries out a plan group by group, and undoes all of it if a group fails. */
#include "pin/apply.h"

#include "cgroup/lost_cpus.h"
#include "cgroup/vhost.h"
#include "pin/affinity.h"
#include "pin/apply_exclusive.h"
#include "pin/apply_memory.h"

#include <errno.h>
#include <stdlib.h>

/* A step of the plan that has CPUs. */
struct target {
	const struct plan_step *step;
	bool settled; /* mask and affinities are as desired already */
	bool touched; /* something of it was, or may have been, changed */
	bool written; /* its cpuset.cpus was */
};

struct apply_work {
	const struct cgroup *cgroup;
	struct target *targets;
	size_t target_count;
	struct saved_affinities saved;
	struct apply_result *result;
	bool made; /* a group for vhost workers was */
};

/*
 * Reads the mask that the kernel grants: cgroup v2 takes any mask and grants what the parent
 * allows. A removed group passes.
 */
static int
verify_mask(const struct apply_work *work, const struct target *target, struct err *e)
{
	struct thread_group group = target->step->group;
	struct cpumask granted;
	char name[THREAD_GROUP_NAME_MAX], want[128], have[128];
	if (cgroup_read_granted(work->cgroup, group, &granted, e) != 0)
		return cgroup_has_group(work->cgroup, group) ? -1 : 0;
	if (cpumask_equal(&granted, plan_step_granted(target->step)))
		return 0;
	return err_set(e, "%s/%s: asked for CPUs %s, the kernel grants %s", work->cgroup->path,
		thread_group_name(group, name),
		cpumask_format(target->step->cpus, want, sizeof(want)),
		cpumask_format(&granted, have, sizeof(have)));
}

static int
write_mask(struct apply_work *work, struct target *target, struct err *e)
{
	struct thread_group group = target->step->group;
	char name[THREAD_GROUP_NAME_MAX], list[128];
	const struct cpumask none = {0};
	if (cgroup_write_mask(work->cgroup, group, "cpuset.cpus",
		    target->step->inherit ? &none : plan_step_written(target->step)) == 0) {
		target->written = true;
		work->result->masks++;
	} else if (cgroup_has_group(work->cgroup, group)) {
		return err_errno(e, "cannot write %s to %s/%s/cpuset.cpus",
			cpumask_format(plan_step_written(target->step), list, sizeof(list)),
			work->cgroup->path, thread_group_name(group, name));
	}
	return 0;
}

/*
 * The granted mask is verified before the threads are settled, also where nothing was written: no
 * thread can have a CPU that is not granted, so settling it would fail with a wrong reason.
 */
static int
settle_target(struct apply_work *work, struct target *target, struct err *e)
{
	target->touched = true;
	if (target->step->write && write_mask(work, target, e) != 0)
		return -1;
	if (verify_mask(work, target, e) != 0)
		return -1;
	return affinity_settle(&work->saved, work->cgroup, target->step->group, target->step->cpus,
		plan_step_written(target->step), &work->result->threads, e);
}

/*
 * Puts back what was; returns how much of it could not be. All masks come before the affinities:
 * before Linux 6.2 a written mask replaces them.
 */
static size_t
apply_undo(const struct apply_work *work)
{
	size_t failures = 0;
	for (size_t i = work->target_count; i-- > 0;) {
		const struct target *target = &work->targets[i];
		if (target->written &&
			cgroup_write_mask(work->cgroup, target->step->group, "cpuset.cpus",
				target->step->now) != 0 &&
			cgroup_has_group(work->cgroup, target->step->group))
			failures++;
	}
	failures += affinity_restore(&work->saved);
	struct err ignored;
	if (work->made && vhost_scatter(work->cgroup, &ignored) != 0)
		failures++;
	for (size_t i = work->target_count; i-- > 0;)
		if (work->targets[i].touched)
			failures += affinity_restore_new_threads(
				&work->saved, work->cgroup, work->targets[i].step->group);
	return failures;
}

/* Gathers the vhost workers in their group, if the plan asks for it. */
static int
apply_gather(struct apply_work *work, struct err *e)
{
	for (size_t i = 0; i < work->target_count; i++) {
		if (!work->targets[i].step->gather)
			continue;
		if (vhost_gather(work->cgroup, &work->made, e) != 0)
			return -1;
		work->result->workers = work->cgroup->stray_vhosts;
	}
	return 0;
}

/* Saves every affinity, then settles the targets that need it. */
static int
apply_cpus(struct apply_work *work, struct err *e)
{
	for (size_t i = 0; i < work->target_count; i++) {
		struct target *target = &work->targets[i];
		if (affinity_save(&work->saved, work->cgroup, target->step->group,
			    target->step->cpus, &target->settled, e) != 0)
			return -1;
		/* An affinity cannot be read beyond what the kernel grants. */
		target->settled =
			target->settled && !target->step->write && target->step->whole == NULL;
	}
	for (size_t i = 0; i < work->target_count; i++)
		if (!work->targets[i].settled && settle_target(work, &work->targets[i], e) != 0)
			return -1;
	return 0;
}

static int
apply_nodes(const struct plan *plan, const struct cgroup *cgroup, struct apply_result *result,
	struct err *e)
{
	int r = apply_memory(plan, cgroup, result, e);
	if (r == 0 || !plan->nodes_optional)
		return r;
	result->memory_left = true;
	result->memory = *e;
	result->nodes = 0;
	return 0;
}

int
apply(const struct plan *plan, struct cgroup *cgroup, struct apply_result *result, struct err *e)
{
	struct target *targets = calloc(plan->step_count + 1, sizeof(*targets));
	if (targets == NULL)
		return err_set(e, "out of memory");
	struct apply_work work = {.cgroup = cgroup, .targets = targets, .result = result};
	struct exclusive_work exclusive = {.plan = plan, .cgroup = cgroup};
	*result = (struct apply_result){0};
	for (size_t i = 0; i < plan->step_count; i++)
		if (plan->steps[i].cpus != NULL)
			work.targets[work.target_count++] =
				(struct target){.step = &plan->steps[i]};
	int r = cgroup->narrowed ? lost_cpus_widen(cgroup, e) : 0;
	if (r == 0)
		r = apply_exclusive_release(&exclusive, e);
	if (r == 0)
		r = apply_gather(&work, e);
	if (r == 0)
		r = apply_cpus(&work, e);
	if (r == 0)
		r = apply_exclusive_make(&exclusive, &work.saved, &result->threads, e);
	result->partitions = exclusive.changed;
	/* Memory is last: moving RAM takes long, and so does moving it back. */
	if (r == 0 && plan->nodes != NULL)
		r = apply_nodes(plan, cgroup, result, e);
	if (r != 0) {
		size_t failures = apply_exclusive_undo(&exclusive);
		failures += apply_undo(&work);
		failures += apply_exclusive_restore(&exclusive);
		if (failures > 0)
			err_context(e,
				"%zu masks or affinities could not be put back after this failure",
				failures);
	}
	free(targets);
	free(exclusive.done);
	saved_affinities_free(&work.saved);
	return r;
}
